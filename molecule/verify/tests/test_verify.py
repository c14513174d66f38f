"""The report that the run has left."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.harness import Observer

testinfra_hosts = ["local://"]


@pytest.fixture(scope="module")
def report(stamp: Observer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((stamp.state.folder / "report" / "report.json").read_text())
    return found


def test_every_check_passed_in_each_family(report: dict[str, Any]) -> None:
    [found] = report["stamps"]
    assert {item["result"] for item in found["results"]} <= {"pass", "not applicable"}
    assert {item["family"] for item in found["results"] if item["check"] == "entrance" and item["result"] == "pass"} == {"ipv4", "ipv6"}


def test_the_evidence_is_what_azure_stores(stamp: Observer, report: dict[str, Any]) -> None:
    [found] = report["stamps"]
    evidence = {item["family"]: item["evidence"] for item in found["results"] if item["check"] == "entrance"}
    for family in ("ipv4", "ipv6"):
        assert stamp.network(f"publicIPAddresses/pip-example-westeurope-{family}")["properties"]["ipAddress"] in evidence[family]


def test_the_page_says_so(stamp: Observer) -> None:
    assert "<h1>westeurope passed</h1>" in (stamp.state.folder / "report" / "report.html").read_text()
