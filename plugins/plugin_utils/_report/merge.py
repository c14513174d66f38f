"""One report of a fleet from the reports of its slices.

This file is private to the collection.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .formats import failures
from .results import FAIL
from .stamp import WORDS

Found = list[dict[str, str]]
_KEYS = {"check", "family", "result", "evidence", "remedy"}


class MalformedReport(Exception):
    """A report is not what verify.yml writes."""


@dataclass(frozen=True)
class Reported:
    """What one report says of one stamp."""

    time: datetime.datetime
    text: str
    results: Found

    @property
    def rank(self) -> tuple[datetime.datetime, bool]:
        """The newer counts; of two of the same second the one that fails."""
        return self.time, bool(failures(self.results))


def merge(reports: Sequence[Mapping[str, Any]], stamps: Sequence[str]) -> dict[str, Any]:
    """``results`` of every stamp, ``notes`` on what was decided, the newest ``time``, and which stamps ``failed`` or are ``missing``.

    ``reports`` are contents of report.json; ``stamps`` are those of the inventory: what no report has of them is a failure.
    """
    found: dict[str, Reported] = {}
    notes = []
    for number, report in enumerate(reports, 1):
        for stamp, reported in _read(report, f"report {number}").items():
            known = found.get(stamp)
            if known and known.results != reported.results:
                newer, older = sorted((known, reported), key=lambda each: each.rank, reverse=True)
                notes.append(f"{stamp} has two different results, of {older.text} and of {newer.text}: the latter count")
            if known is None or reported.rank > known.rank:
                found[stamp] = reported
    missing = [stamp for stamp in stamps if stamp not in found]
    others = sorted(found.keys() - set(stamps))
    notes += [f"{stamp} is reported and not in the inventory" for stamp in others]
    results = {stamp: found[stamp].results if stamp in found else _not_reported(stamp) for stamp in [*stamps, *others]}
    newest = max(found.values(), key=lambda reported: reported.time, default=None)
    return {
        "results": results,
        "notes": notes,
        "time": newest.text if newest else "",
        "failed": [stamp for stamp in results if stamp not in missing and failures(results[stamp])],
        "missing": missing,
    }


def _not_reported(stamp: str) -> Found:
    remedy = f"look at the run of the slice that has {stamp}, or run ansible-playbook dualstack.aks.verify --limit {stamp}"
    return [{"check": "report", "family": family, "result": FAIL, "evidence": "not reported", "remedy": remedy} for family in WORDS]


def _read(report: Mapping[str, Any], where: str) -> dict[str, Reported]:
    try:
        text = str(report["time"])
        time = datetime.datetime.fromisoformat(text)
        found = {
            str(item["stamp"]): [{str(key): str(value) for key, value in result.items()} for result in item["results"]] for item in report["stamps"]
        }
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise MalformedReport(f"{where} is not a report.json of verify.yml: {type(error).__name__}: {error}.") from error
    if time.tzinfo is None:
        raise MalformedReport(f"{where}: the time {text!r} has no zone.")
    for stamp, results in found.items():
        if any(set(result) != _KEYS or result["family"] not in WORDS for result in results):
            raise MalformedReport(f"{where}: the results of {stamp} are not those of verify.yml.")
    return {stamp: Reported(time, text, results) for stamp, results in found.items()}
