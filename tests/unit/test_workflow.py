"""The workflow of a public host: it runs the gate as it is, with no more rights than reading."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
WORKFLOW: dict[Any, Any] = yaml.safe_load(TEXT)
STEPS: list[dict[str, Any]] = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_it_runs_the_gate_and_nothing_else() -> None:
    commands = [step["run"] for step in STEPS if "run" in step]
    assert [command.split()[-1] for command in commands] == [".ci/run"]


def test_the_gate_calls_targets_that_exist() -> None:
    lines = re.findall(r"^(?:exec )?make (.+) </dev/null$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    called = {word for line in lines for word in line.split() if not word.startswith("-")}
    there = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"schemas", "package", "parity", "test", "molecule", "pages", "readers"} <= called
    assert called <= set(there)


def test_it_may_only_read() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in WORKFLOW["jobs"].values())
    assert "secrets." not in TEXT


@pytest.mark.parametrize("action", [step["uses"] for step in STEPS if "uses" in step])
def test_actions_are_pinned(action: str) -> None:
    assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)
    assert re.search(rf"{re.escape(action)} # v\d+\.\d+\.\d+$", TEXT, re.MULTILINE), "the pin's release is named beside it"


def test_checkouts_keep_no_credentials() -> None:
    checkouts = [step for step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) == 2
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)
