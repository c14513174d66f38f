"""What is different from the last report.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .formats import Details, Results
from .merge import Reported
from .results import FAIL, PASS

#: kinds of change, in the order of their weight
BROKE, MENDED, OTHER, ADDED, GONE, EVIDENCE = "broke", "mended", "other result", "added", "gone", "other evidence"


def changes(before: Mapping[str, Reported], results: Results, details: Details) -> list[dict[str, str]]:
    """``kind``, ``stamp``, ``subject``, ``family``, and the text ``before`` and ``after`` of each change, the weightiest first.

    Whole stamps have the subject ``stamp``, and an address range has the subject ``address``; both have no family.
    """
    found = [*_stamps(before, results)]
    for stamp in results:
        if stamp in before:
            found += _checks(stamp, before[stamp].results, results[stamp])
            found += _ranges(stamp, before[stamp].details.get("addresses") or [], details.get(stamp, {}).get("addresses") or [])
    weight = (BROKE, MENDED, OTHER, ADDED, GONE, EVIDENCE)
    return sorted(found, key=lambda change: weight.index(change["kind"]))


def _change(kind: str, stamp: str, subject: str, before: str = "", after: str = "", family: str = "") -> dict[str, str]:
    return {"kind": kind, "stamp": stamp, "subject": subject, "family": family, "before": before, "after": after}


def _stamps(before: Mapping[str, Reported], results: Results) -> Iterator[dict[str, str]]:
    yield from (_change(ADDED, stamp, "stamp", after="reported") for stamp in results if stamp not in before)
    yield from (_change(GONE, stamp, "stamp", "reported", "not in this report") for stamp in before if stamp not in results)


def _checks(stamp: str, before: Sequence[Mapping[str, str]], after: Sequence[Mapping[str, str]]) -> Iterator[dict[str, str]]:
    known = {(item["check"], item["family"]): item for item in before}
    for item in after:
        old = known.get((item["check"], item["family"]))
        if old is None or (old["result"], old["evidence"]) == (item["result"], item["evidence"]):
            continue
        if old["result"] == item["result"]:
            kind = EVIDENCE
        elif item["result"] == FAIL:
            kind = BROKE
        elif (old["result"], item["result"]) == (FAIL, PASS):
            kind = MENDED
        else:
            kind = OTHER
        yield _change(kind, stamp, item["check"], _said(old), _said(item), item["family"])


def _said(item: Mapping[str, str]) -> str:
    return f"{item['result']}: {item['evidence']}" if item["evidence"] else item["result"]


def _ranges(stamp: str, before: Sequence[Mapping[str, str]], after: Sequence[Mapping[str, str]]) -> Iterator[dict[str, str]]:
    """Ranges are compared where both reports have some: a stamp that could not be read has lost none."""
    if not before or not after:
        return
    old, new = ({(item["kind"], item["name"], item["prefix"]): f"{item['name']} {item['prefix']}" for item in items} for items in (before, after))
    yield from (_change(ADDED, stamp, "address", after=text) for key, text in new.items() if key not in old)
    yield from (_change(GONE, stamp, "address", before=text) for key, text in old.items() if key not in new)
