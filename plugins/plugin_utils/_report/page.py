"""The report, and the address plan, as one page for a browser or for paper.

This file is private to the collection. The page is a single file: it loads nothing, and runs no program.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from .._addresses.ranges import Network, inside, network_of
from .address_map import SIDE, Picture, Range, blocks, count, pictures
from .changes import EVIDENCE
from .details import registered_addresses
from .formats import Details, Results, by_check, counts_of, failures
from .results import FAIL, PASS
from .stamp import WORDS
from .topology import WIDTH, topology

#: what a legend calls each kind of range
KINDS = {"vnet": "virtual network", "subnet": "subnet", "pods": "pods", "services": "Services", "retired": "retired"}


@dataclass(frozen=True)
class Report:
    """``changes`` are those since the report of ``since``, which is empty when there was none."""

    time: str
    results: Results
    details: Details
    since: str = ""
    changes: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True)
class Row:
    """One name of a stamp in the table beside its pictures. ``size`` is how large each range is."""

    number: int
    name: str
    kind: str
    prefixes: dict[str, list[str]]
    sizes: dict[str, list[str]]


def report_page(report: Report) -> str:
    """The page of a verification."""
    numbers = {stamp: number for number, stamp in enumerate(report.results, 1)}
    addresses = {stamp: report.details.get(stamp, {}).get("addresses") or [] for stamp in report.results}
    stamps = [
        {
            "name": stamp,
            "number": numbers[stamp],
            "counts": counts_of(found),
            "by_family": {family: counts_of([item for item in found if item["family"] == family]) for family in WORDS},
            "failures": failures(found),
            "checks": list(by_check(found)),
            "drift": report.details.get(stamp, {}).get("drift") or [],
            "topology": topology(about, found) if (about := report.details.get(stamp, {}).get("topology")) else None,
            "mode": about["mode"] if about else "",
            **_stamp_map(stamp, addresses[stamp], alone=len(numbers) == 1),
        }
        for stamp, found in report.results.items()
    ]
    kinds = Counter(change["kind"] for change in report.changes)
    return _template("report.html").render(
        report=report,
        headline=_headline(report.results),
        stamps=stamps,
        totals=counts_of([item for found in report.results.values() for item in found]),
        failed=[stamp for stamp in stamps if stamp["failures"]],
        drifted=[stamp for stamp in stamps if stamp["drift"]],
        uncompared=[stamp["name"] for stamp in stamps if not stamp["drift"] and not _is_as_declared(report.results[stamp["name"]])],
        changes=[change for change in report.changes if change["kind"] != EVIDENCE],
        other_evidence=[change for change in report.changes if change["kind"] == EVIDENCE],
        kinds=kinds,
        numbers=numbers,
        fleet=_fleet_map(addresses, numbers),
        **_WORDS,
    )


def _headline(results: Results) -> str:
    failed = [stamp for stamp, found in results.items() if failures(found)]
    if len(results) == 1:
        return f"{next(iter(results))} {'failed' if failed else 'passed'}"
    return f"{len(failed)} of {len(results)} stamps failed" if failed else f"All {len(results)} stamps passed"


def _is_as_declared(results: Sequence[Mapping[str, str]]) -> bool:
    return any(item["check"] == "as declared" and item["result"] == PASS for item in results)


def plan_page(register: Mapping[str, Any], stamps: Iterable[str]) -> str:
    """The page of the address plan: the register's stamps, and what it holds of retired ranges."""
    names = list(dict.fromkeys([*stamps, *(register.get("stamps") or {}), *(register.get("retired") or {})]))
    addresses = {stamp: [*registered_addresses(register, stamp), *_retired(register, stamp)] for stamp in names}
    numbers = {stamp: number for number, stamp in enumerate(names, 1)}
    drawn = [{"name": stamp, "number": numbers[stamp], **_stamp_map(stamp, addresses[stamp], alone=len(names) == 1)} for stamp in names]
    return _template("plan.html").render(stamps=drawn, numbers=numbers, fleet=_fleet_map(addresses, numbers), **_WORDS)


def _retired(register: Mapping[str, Any], stamp: str) -> list[dict[str, str]]:
    return [{**address, "kind": "retired", "name": f"{address['name']} (retired)"} for address in registered_addresses(register, stamp, "retired")]


def render(name: str, **values: Any) -> str:
    """A page of another subject, from its template beside those of this one."""
    return _template(name).render(**values)


_WORDS = {"WORDS": WORDS, "KINDS": KINDS, "FAIL": FAIL, "SIDE": SIDE, "WIDTH": WIDTH}


@cache
def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["commands"] = _commands
    environment.tests["contains"] = lambda values, value: value in values
    return environment.get_template(name)


#: control characters, which a page cannot show, and those that turn the direction of what follows them
_UNPRINTABLE = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd")


def _printable(value: Any) -> Any:
    return value.translate(_UNPRINTABLE) if isinstance(value, str) and not value.isprintable() else value


_COMMAND = re.compile(r"(ansible-playbook [\w.]+(?: --limit [^\s,;]+)?(?: -e [^\s,;]+)*|kubectl [^,;]+?(?= shows))")


def _commands(text: str) -> Markup:
    """A remedy with its commands as code; a line never ends inside an option's name."""
    pieces = [Markup.escape(piece) for piece in _COMMAND.split(text)]
    for place in range(1, len(pieces), 2):
        words = pieces[place].split(" ")
        options = [Markup("<span>{}</span>").format(word) if word.startswith("-") else word for word in words]
        pieces[place] = Markup("<code>{}</code>").format(Markup(" ").join(options))
    return Markup("").join(pieces)


def _stamp_map(stamp: str, addresses: Sequence[Mapping[str, str]], *, alone: bool) -> dict[str, Any]:
    """``rows``: a stamp's ranges by name, and ``maps``: the pictures of each family that show what lies inside its blocks.

    What surrounds the virtual network of a stamp that is ``alone`` is on the map of all stamps already.
    """
    rows = list(_rows(addresses))
    ranges = [
        Range(stamp, row.kind, row.name, network_of(prefix), row.number, row.name)
        for row in rows
        for prefixes in row.prefixes.values()
        for prefix in prefixes
    ]
    maps: dict[str, list[Picture]] = {}
    for family in WORDS:
        own = [item for item in ranges if item.network.version == int(family[-1])]
        networks = list(dict.fromkeys(item.network for item in own if item.kind == "vnet"))
        surrounded = family == "ipv6" and not alone
        around = [block for block in blocks({item.network for item in own}) if block not in networks] if surrounded else []
        drawn = [picture for block in around for picture in pictures(block, [item for item in own if item.kind != "subnet"])]
        drawn += [picture for network in networks for picture in pictures(network, [item for item in own if item.kind in ("subnet", "retired")])]
        maps[family] = [picture for picture in drawn if len(picture.cells) > 1 or picture.block in networks]
    return {"rows": rows, "maps": maps, "kinds": [kind for kind in KINDS if any(row.kind == kind for row in rows)]}


def _rows(addresses: Sequence[Mapping[str, str]]) -> Iterator[Row]:
    found: dict[tuple[str, str], list[Network]] = {}
    for address in addresses:
        found.setdefault((address["kind"], address["name"]), []).append(network_of(address["prefix"]))
    for number, ((kind, name), networks) in enumerate(found.items(), 1):
        of_family = {family: [network for network in networks if network.version == int(family[-1])] for family in WORDS}
        yield Row(
            number,
            name,
            kind,
            {family: [str(network) for network in own] for family, own in of_family.items()},
            {family: [count(network) for network in own] for family, own in of_family.items()},
        )


def _fleet_map(addresses: Mapping[str, Sequence[Mapping[str, str]]], numbers: Mapping[str, int]) -> dict[str, Any]:
    """All stamps on the same pictures: ``maps`` of each family, and ``tiles`` of blocks that hold one stamp alone."""
    ranges = [
        Range(stamp, row.kind, row.name, network_of(prefix), *((numbers[stamp], stamp) if len(addresses) > 1 else (row.number, KINDS[row.kind])))
        for stamp, found in addresses.items()
        for row in _rows(found)
        if row.kind != "subnet"
        for prefixes in row.prefixes.values()
        for prefix in prefixes
    ]
    maps: dict[str, list[Picture]] = {}
    tiles: dict[str, list[tuple[str, Picture]]] = {}
    for family in WORDS:
        own = [item for item in ranges if item.network.version == int(family[-1])]
        maps[family], tiles[family] = [], []
        for block in blocks({item.network for item in own}):
            within = [item for item in own if inside(item.network, block)]
            stamps = list(dict.fromkeys(item.stamp for item in within))
            drawn = list(pictures(block, within))
            if len(stamps) == 1 and len(addresses) > 1:
                tiles[family].append((stamps[0], drawn[0]))
            else:
                maps[family] += drawn
        tiles[family].sort(key=lambda tile: numbers[tile[0]])
    return {"maps": maps, "tiles": tiles, "kinds": [kind for kind in KINDS if any(item.kind == kind for item in ranges)]}
