"""One report of a fleet from the reports of its slices."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._report.merge import MalformedReport, merge

EARLY, LATE = "2026-11-24T14:00:00Z", "2026-11-24T16:30:00+02:00"


def result(outcome: str = "pass", evidence: str = "seen") -> dict[str, str]:
    return {"check": "cluster", "family": "ipv4", "result": outcome, "evidence": evidence, "remedy": "look" if outcome == "fail" else ""}


def report(time: str = EARLY, **stamps: dict[str, str]) -> dict[str, Any]:
    return {"result": "pass", "time": time, "stamps": [{"stamp": stamp, "counts": {}, "results": [found]} for stamp, found in stamps.items()]}


#: reports, stamps of the inventory -> the evidence of each stamp, which failed, which are missing, time, words of the notes
MERGED: dict[str, tuple[list[dict[str, Any]], list[str], dict[str, str], list[str], list[str], str, list[str]]] = {
    "nothing": ([], [], {}, [], [], "", []),
    "two slices": (
        [report(a=result()), report(LATE, b=result())],
        ["a", "b"],
        {"a": "seen", "b": "seen"},
        [],
        [],
        LATE,
        [],
    ),
    "the inventory's order": ([report(a=result(), b=result())], ["b", "a"], {"b": "seen", "a": "seen"}, [], [], EARLY, []),
    "one failed": ([report(a=result("fail")), report(b=result())], ["a", "b"], {"a": "seen", "b": "seen"}, ["a"], [], EARLY, []),
    "one is in no report": ([report(a=result())], ["a", "b"], {"a": "seen", "b": "not reported"}, [], ["b"], EARLY, []),
    "no report at all": ([], ["a"], {"a": "not reported"}, [], ["a"], "", []),
    "one more than the inventory has": (
        [report(z=result("fail"), a=result())],
        ["a"],
        {"a": "seen", "z": "seen"},
        ["z"],
        [],
        EARLY,
        ["z is reported, but is not in the inventory"],
    ),
    "the same twice": ([report(a=result()), report(LATE, a=result())], ["a"], {"a": "seen"}, [], [], LATE, []),
    "the newer counts": (
        [report(a=result("fail", "old")), report(LATE, a=result("pass", "new"))],
        ["a"],
        {"a": "new"},
        [],
        [],
        LATE,
        [f"a has two different results, of {EARLY} and of {LATE}: the newer ones count"],
    ),
    "the newer counts, whichever comes first": (
        [report(LATE, a=result("fail", "new")), report(a=result("pass", "old"))],
        ["a"],
        {"a": "new"},
        ["a"],
        [],
        LATE,
        [f"of {EARLY} and of {LATE}"],
    ),
    "of one second the one that fails": (
        [report(a=result("fail", "bad")), report(a=result("pass", "good"))],
        ["a"],
        {"a": "bad"},
        ["a"],
        [],
        EARLY,
        ["two different results"],
    ),
}


@pytest.mark.parametrize("case", MERGED)
def test_merge(case: str) -> None:
    reports, stamps, evidence, failed, missing, time, notes = MERGED[case]
    found = merge(reports, stamps)
    assert {stamp: results[0]["evidence"] for stamp, results in found["results"].items()} == evidence
    assert list(found["results"]) == list(evidence)
    assert (found["failed"], found["missing"], found["time"]) == (failed, missing, time)
    assert [word in note for word, note in zip(notes, found["notes"], strict=True)] == [True] * len(notes)


def test_a_missing_stamp_fails_in_both_families() -> None:
    found = merge([], ["a"])["results"]["a"]
    assert [(item["family"], item["result"]) for item in found] == [("ipv4", "fail"), ("ipv6", "fail")]
    assert all("--limit a" in item["remedy"] for item in found)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({}, "report 2 is not a report.json of verify.yml: KeyError: 'time'"),
        ([], "report 2 is not a report.json"),
        (report("yesterday"), "Invalid isoformat string"),
        (report("2026-11-24T14:00:00"), "has no time zone"),
        ({"time": EARLY, "stamps": [{"stamp": "a"}]}, "KeyError: 'results'"),
        ({"time": EARLY, "stamps": [{"stamp": "a", "results": ["good"]}]}, "AttributeError"),
        (report(a={"check": "cluster"}), "the results of a are not those of verify.yml"),
        (report(a=result() | {"family": "ipx"}), "the results of a are not those of verify.yml"),
    ],
)
def test_what_is_no_report(bad: Any, words: str) -> None:
    with pytest.raises(MalformedReport, match=words.replace("(", r"\(")):
        merge([report(a=result()), bad], [])
