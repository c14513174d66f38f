"""One report of a fleet from the reports of its slices.

This file is private to the collection.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .details import FAMILY, KINDS, TOPOLOGY, is_prefix
from .formats import failures
from .results import FAIL
from .stamp import WORDS

Found = list[dict[str, str]]
_KEYS = {"check", "family", "result", "evidence", "remedy"}
#: what a report has of a stamp beside its results; reports of older releases have none of it
_DETAILS: dict[str, type] = {"addresses": list, "topology": dict, "drift": list}
_ADDRESS = {"kind", "name", "prefix"}
_DRIFT = {"resource", "path", "actual", "declared", "families"}


class MalformedReport(Exception):
    """A report is not what verify.yml writes."""


@dataclass(frozen=True)
class Reported:
    """What one report says of one stamp."""

    time: datetime.datetime
    text: str
    results: Found
    details: dict[str, Any]

    @property
    def rank(self) -> tuple[datetime.datetime, bool]:
        """The newer counts; of two of the same second the one that fails."""
        return self.time, bool(failures(self.results))


def merge(reports: Sequence[Mapping[str, Any]], stamps: Sequence[str]) -> dict[str, Any]:
    """``results`` and ``details`` of every stamp, ``notes`` on what was decided, the newest ``time``, and which stamps ``failed`` or are ``missing``.

    ``reports`` are contents of report.json; ``stamps`` are those of the inventory: what no report has of them is a failure.
    """
    found: dict[str, Reported] = {}
    notes = []
    for number, report in enumerate(reports, 1):
        for stamp, reported in read_report(report, f"report {number}").items():
            known = found.get(stamp)
            if known and known.results != reported.results:
                newer, older = sorted((known, reported), key=lambda each: each.rank, reverse=True)
                notes.append(f"{stamp} has two different results, of {older.text} and of {newer.text}: the newer ones count")
            if known is None or reported.rank > known.rank:
                found[stamp] = reported
    missing = [stamp for stamp in stamps if stamp not in found]
    others = sorted(found.keys() - set(stamps))
    notes += [f"{stamp} is reported, but is not in the inventory" for stamp in others]
    results = {stamp: found[stamp].results if stamp in found else _not_reported(stamp) for stamp in [*stamps, *others]}
    newest = max(found.values(), key=lambda reported: reported.time, default=None)
    return {
        "results": results,
        "details": {stamp: reported.details for stamp, reported in found.items()},
        "notes": notes,
        "time": newest.text if newest else "",
        "failed": [stamp for stamp in results if stamp not in missing and failures(results[stamp])],
        "missing": missing,
    }


def _not_reported(stamp: str) -> Found:
    remedy = f"look at the run of the slice with {stamp}, or run ansible-playbook dualstack.aks.verify --limit {stamp}"
    return [{"check": "report", "family": family, "result": FAIL, "evidence": "not reported", "remedy": remedy} for family in WORDS]


def read_report(report: Any, where: str) -> dict[str, Reported]:
    """What a report says of each stamp. Raises :class:`MalformedReport`, which names ``where``."""
    try:
        text = str(report["time"])
        time = datetime.datetime.fromisoformat(text)
        stamps = {str(item["stamp"]): item for item in report["stamps"]}
        found = {stamp: [{str(key): str(value) for key, value in result.items()} for result in item["results"]] for stamp, item in stamps.items()}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise MalformedReport(f"{where} is not a report.json of verify.yml: {type(error).__name__}: {error}.") from error
    if time.tzinfo is None:
        raise MalformedReport(f"{where}: the time {text!r} has no time zone.")
    for stamp, results in found.items():
        if any(set(result) != _KEYS or result["family"] not in WORDS for result in results):
            raise MalformedReport(f"{where}: the results of {stamp} are not those of verify.yml.")
        _check_details(stamps[stamp], f"{where}: the {{}} of {stamp} are not those of verify.yml.")
    details = {stamp: {name: item[name] for name in _DETAILS if name in item} for stamp, item in stamps.items()}
    return {stamp: Reported(time, text, results, details[stamp]) for stamp, results in found.items()}


def _check_details(item: Mapping[str, Any], problem: str) -> None:
    for name, kind in _DETAILS.items():
        if not isinstance(item.get(name, kind()), kind):
            raise MalformedReport(problem.format(name))
    for name, keys in (("addresses", _ADDRESS), ("drift", _DRIFT)):
        if any(not isinstance(entry, dict) or set(entry) != keys for entry in item.get(name, [])):
            raise MalformedReport(problem.format(name))
    if any(address["kind"] not in KINDS or not is_prefix(address["prefix"]) for address in item.get("addresses", [])):
        raise MalformedReport(problem.format("addresses"))
    if item.get("topology") and (set(item["topology"]) != TOPOLOGY or any(set(found) != FAMILY for found in _families(item["topology"]))):
        raise MalformedReport(problem.format("topology"))


def _families(topology: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    families = topology["families"]
    return [families[family] for family in WORDS] if isinstance(families, dict) and set(families) == set(WORDS) else [{}]
