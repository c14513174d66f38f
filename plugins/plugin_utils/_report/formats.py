"""The results of all stamps of a run, as people and other programs read them.

This file is private to the collection.
"""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from .results import FAIL, NOT_APPLICABLE, PASS
from .stamp import WORDS

Results = Mapping[str, Sequence[Mapping[str, str]]]
#: what is known of each stamp beside its results
Details = Mapping[str, Mapping[str, Any]]
#: widths of the console table: check, and each family; with what Ansible puts before a line it stays below 100
_CHECK, _FAMILY = 16, 36
_SHORT = {NOT_APPLICABLE: "n/a"}


def counts_of(results: Sequence[Mapping[str, str]]) -> dict[str, int]:
    """How many checks have each result."""
    counted = Counter(found["result"] for found in results)
    return {result: counted[result] for result in (PASS, FAIL, NOT_APPLICABLE)}


def failures(results: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    return [found for found in results if found["result"] == FAIL]


def by_check(results: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, dict[str, Mapping[str, str]]]]:
    """Each check with its families, in the order of the results."""
    rows: dict[str, dict[str, Mapping[str, str]]] = {}
    for found in results:
        rows.setdefault(found["check"], {})[found["family"]] = found
    yield from rows.items()


def _columns(*cells: str) -> list[str]:
    """One row of the console table, its cells wrapped."""
    widths = (_CHECK, _FAMILY, _FAMILY)
    wrapped = [textwrap.wrap(cell, width, break_on_hyphens=False) or [""] for cell, width in zip(cells, widths, strict=True)]
    height = max(map(len, wrapped))
    padded = [[*lines, *[""] * (height - len(lines))] for lines in wrapped]
    return ["  ".join(line.ljust(width) for line, width in zip(row, widths, strict=True)).rstrip() for row in zip(*padded, strict=True)]


def console(results: Results, time: str) -> str:
    lines = []
    for stamp, found in results.items():
        counts = counts_of(found)
        summary = ", ".join(f"{number} {_SHORT.get(result, result)}" for result, number in counts.items())
        lines += _columns(stamp, *WORDS.values())
        for check, families in by_check(found):
            cells = [families.get(family) for family in WORDS]
            lines += _columns(check, *(f"{_SHORT.get(cell['result'], cell['result'])}  {cell['evidence']}" if cell else "" for cell in cells))
        lines.append(f"{stamp}: {summary}{f', at {time}' if time else ''}")
        for failure in failures(found):
            text = f"FAIL {failure['check']} {WORDS[failure['family']]}: {failure['evidence']}. Remedy: {failure['remedy']}"
            lines += textwrap.wrap(text, _CHECK + 2 * _FAMILY + 4, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join(lines)


def as_json(results: Results, time: str, details: Details | None = None, since: str = "", changes: Sequence[Mapping[str, str]] = ()) -> str:
    """``changes`` are those since the report of ``since``, which is empty when there was none."""
    stamps = [
        {"stamp": stamp, "counts": counts_of(found), "results": [dict(item) for item in found], **(details or {}).get(stamp, {})}
        for stamp, found in results.items()
    ]
    failed = any(failures(found) for found in results.values())
    report = {"result": FAIL if failed else PASS, "time": time, "since": since, "changes": list(changes), "stamps": stamps}
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def junit(results: Results, time: str) -> str:
    root = ElementTree.Element("testsuites", name="dualstack.aks.verify")
    for stamp, found in results.items():
        counts = counts_of(found)
        numbers = {"tests": len(found), "failures": counts[FAIL], "errors": 0, "skipped": counts[NOT_APPLICABLE]}
        suite = ElementTree.SubElement(root, "testsuite", {"name": stamp} | {name: str(number) for name, number in numbers.items()})
        if time:
            suite.set("timestamp", time)
        for item in found:
            case = ElementTree.SubElement(suite, "testcase", classname=f"verify.{stamp}", name=f"{item['check']} {WORDS[item['family']]}")
            if item["result"] == FAIL:
                ElementTree.SubElement(case, "failure", message=_printable(item["evidence"])).text = _printable(item["remedy"])
            elif item["result"] == NOT_APPLICABLE:
                ElementTree.SubElement(case, "skipped", message=_printable(item["evidence"]))
            else:
                ElementTree.SubElement(case, "system-out").text = _printable(item["evidence"])
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _printable(text: str) -> str:
    """XML has no way to write most control characters, and messages of other programs may hold them."""
    return "".join(letter if letter.isprintable() or letter.isspace() else "�" for letter in text)


def markdown(results: Results, time: str) -> str:
    lines = ["# Verification" + (f" at {time}" if time else "")]
    for stamp, found in results.items():
        summary = ", ".join(f"{number} {result}" for result, number in counts_of(found).items())
        lines += ["", f"## {stamp}", "", f"{summary}.", "", f"| check | {' | '.join(WORDS.values())} |", "| --- | --- | --- |"]
        for check, families in by_check(found):
            cells = [families.get(family) for family in WORDS]
            lines.append(f"| {check} | {' | '.join(_cell(f'**{cell["result"]}** {cell["evidence"]}') if cell else '' for cell in cells)} |")
        failed = failures(found)
        if failed:
            lines += ["", "What to do:", ""]
            lines += [f"- {item['check']}, {WORDS[item['family']]}: {item['remedy']}" for item in failed]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


FORMATS: dict[str, Callable[[Results, str], str]] = {"console": console, "json": as_json, "junit": junit, "markdown": markdown}
