"""The harness of ``make recordings``: how two answers are compared, and how reasons cover differences."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.recordings.answers import compare
from tests.recordings.reader import Exchange
from tests.recordings.report import Figures, Report, table, without_difference, without_reason

GUIDS = ("8b1ee22e-0000-4000-8000-5e61dbe2a3f1", "C4A81BEC-0000-4000-8000-A5BE1F10A3BD")

# Azure's value, the lab's, whether they count as equal
VALUES = [
    ("Standard", "Standard", True),
    ("Standard", "standard", False),
    (4, 4, True),
    (4, "4", False),
    (*GUIDS, True),
    (GUIDS[0], "none", False),
    ("192.0.2.1", "198.51.100.7", True),
    ("192.0.2.1", "2001:db8::1", True),
    ("2001:db8:0:0:0:0:0:1", "2001:db8::1", False),
    ("192.0.2.0/24", "192.0.2.0/25", False),
    ("2001-02-03T04:05:06Z", "2026-01-02T03:04:05.678Z", True),
    ("/subscriptions/a/x", "/subscriptions/b/y", True),
    (f'W/"{GUIDS[0]}"', f'"{GUIDS[1]}"', True),
    ("1.30.2", "1.36.3", True),
    ([], [], True),
    ([], ["a"], False),
]


@pytest.mark.parametrize(("azure", "lab", "equal"), VALUES)
def test_values(azure: Any, lab: Any, equal: bool) -> None:
    (found,) = compare({"x": azure}, {"x": lab})
    assert (found.present, found.equal) == (True, equal)


# Azure's answer, the lab's, paths that are missing
SHAPES: list[tuple[Any, Any, list[str]]] = [
    ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, ["a.c"]),
    ({"a": None}, {}, []),
    ({"A": 1}, {"a": 1}, []),
    ({"a": [{"name": "x", "b": 1}, {"name": "y"}]}, {"a": [{"name": "Y"}]}, ["a[].name", "a[].b"]),
    ({"a": [1, 2]}, {"a": [1]}, ["a[]"]),
    ({"a": {"/subscriptions/x": {"b": 1}}}, {"a": {"/subscriptions/X": {}}}, ["a.{}.b"]),
    ({"a": {"b": 1}}, {"a": None}, ["a.b"]),
]


@pytest.mark.parametrize(("azure", "lab", "missing"), SHAPES)
def test_shapes(azure: Any, lab: Any, missing: list[str]) -> None:
    assert [found.path for found in compare(azure, lab) if not found.present] == missing


# status, answer, whether it is one that nothing is changing
ANSWERS = [
    (200, {"properties": {}}, True),
    (200, {"properties": {"provisioningState": "Succeeded"}}, True),
    (200, {"properties": {"provisioningState": "Updating"}}, False),
    (200, {"properties": {"subnets": [{"properties": {"provisioningState": "Updating"}}]}}, False),
    (404, {"error": {"code": "NotFound"}}, False),
    (202, None, False),
]


@pytest.mark.parametrize(("status", "answer", "settled"), ANSWERS)
def test_settled(status: int, answer: Any, settled: bool) -> None:
    assert Exchange("GET", "/subscriptions/x", "2024-01-01", None, status, answer).is_settled == settled


def test_reasons() -> None:
    report = Report({"T": Figures(gaps=Counter({"missing a.b": 1, "missing a.c": 2, "different d": 1}))})
    reasons = {"T": {"missing a.*": "why", "missing e": "why"}, "U": {"different d": "why"}}
    assert without_reason(report, reasons) == [("T", "different d")]
    assert without_difference(report, reasons) == [("T", "missing e"), ("U", "different d")]


def test_figures() -> None:
    report = Report({"T": Figures(writes=2, alike=2, properties=3, present=3, equal=2)})
    report.add(Report({"T": Figures(writes=1)}, Counter({"U": 1})))
    assert report.not_served == {"U": 1}
    assert table(report).splitlines()[-1] == "   T, 3, 66.6 %, 3, 100 %, 66.6 %"
