"""The path of each family through a stamp, as a picture.

This file is private to the collection.

A column for each family, from its clients at the top to the applications, and below them the way out of the nodes. Each box has the worst result
of the checks of its part of the path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .results import FAIL, NOT_APPLICABLE, PASS
from .stamp import RECORD_TYPES, WORDS

#: what the boxes are placed in; a stylesheet shows it at about this many pixels
WIDTH = 340.0
_COLUMN, _GAP, _ARROW = 160.0, 20.0, 22.0
_TITLE, _LINE, _PADDING = 16.0, 14.0, 8.0
#: characters on a line of a box, and lines of a text
_CHARACTERS, _LINES = 22, 2
#: what a cluster without a node that could be read has
_UNREAD = "not read"

#: part of the path -> the checks that its box stands for
_CHECKS = {
    "name": ("public record", "public answer", "private record", "private answer"),
    "balancer": ("service", "security rules"),
    "entrance": ("entrance", "pods", "network policies"),
    "applications": ("applications",),
    "nodes": ("cluster", "nodes", "egress"),
}


@dataclass(frozen=True)
class Box:
    """``result`` is empty where nothing was checked."""

    title: str
    lines: tuple[str, ...]
    result: str
    tooltip: str
    x: float = 0.0
    y: float = 0.0
    width: float = _COLUMN
    height: float = 0.0


@dataclass(frozen=True)
class Arrow:
    """From one box down to another, or out of the picture."""

    x: float
    start: float
    end: float
    label: str = ""


@dataclass(frozen=True)
class Topology:
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    height: float
    description: str


def topology(about: Mapping[str, Any], results: Sequence[Mapping[str, str]]) -> Topology:
    """Draw what :func:`~.details.details` has under ``topology``."""
    families: Mapping[str, Mapping[str, Any]] = about["families"]
    rows = [
        [_clients(family) for family in WORDS],
        [_name(family, families[family], about["names"], results) for family in WORDS],
        [_balancer(family, families[family], results) for family in WORDS],
        [_entrance(family, families[family], about, results) for family in WORDS],
    ]
    boxes, y = [], 0.0
    arrows: list[Arrow] = []
    for row in rows:
        placed = list(_placed(row, y))
        boxes += placed
        y = placed[0].y + placed[0].height
        arrows += [Arrow(_middle(number), y, y + _ARROW) for number in range(len(row)) if row is not rows[-1]]
        y += _ARROW
    y += 10
    for number, family in enumerate(WORDS):
        found = families[family]
        crossing = f"to {WORDS[found['upstream']]}" if found["upstream"] != family and not found["absent"] else ""
        arrows.append(Arrow(_middle(number), y - _ARROW - 10, y, crossing))
    placed = list(_placed(_applications(about, results), y))
    boxes += placed
    y = placed[0].y + placed[0].height + 18
    placed = list(_placed([_nodes(family, families[family], about, results) for family in WORDS], y))
    boxes += placed
    y = placed[0].y + placed[0].height
    arrows += [Arrow(_middle(number), y, y + _ARROW, "out") for number in range(len(WORDS))]
    return Topology(tuple(boxes), tuple(arrows), y + _ARROW + 2, " ".join(_sentences(about, families)))


def _middle(column: int) -> float:
    return column * (_COLUMN + _GAP) + _COLUMN / 2


def _placed(row: Sequence[Box], y: float) -> Iterator[Box]:
    """The boxes of a row beside each other, all as high as the highest; a single one is as wide as the picture."""
    height = max(_TITLE + _LINE * len(box.lines) for box in row) + 2 * _PADDING
    width = _COLUMN if len(row) > 1 else WIDTH
    for number, box in enumerate(row):
        yield replace(box, x=number * (_COLUMN + _GAP), y=y, width=width, height=height)


def _box(part: str, title: str, lines: Sequence[str], families: Sequence[str], results: Sequence[Mapping[str, str]], width: int = _CHARACTERS) -> Box:
    found = [item for item in results if item["check"] in _CHECKS[part] and item["family"] in families]
    outcomes = {item["result"] for item in found}
    worst = next((result for result in (FAIL, PASS, NOT_APPLICABLE) if result in outcomes), "")
    tooltip = "\n".join(f"{item['check']} {WORDS[item['family']]}: {item['result']}, {item['evidence']}" for item in found)
    return Box(title, tuple(piece for line in lines for piece in _wrapped(line, width)), worst, tooltip)


def _wrapped(text: str, width: int) -> list[str]:
    """A text in lines, cut after a blank, dot, colon, slash or hyphen where possible."""
    lines = [""]
    for piece in re.findall(r"[^ .:/-]*[ .:/-]*", text):
        for part in (piece[start : start + width] for start in range(0, len(piece), width)):
            if len(lines[-1]) + len(part.rstrip()) > width:
                lines.append("")
            lines[-1] += part
    lines = [line.strip() for line in lines]
    return lines if len(lines) <= _LINES else [*lines[: _LINES - 1], f"{lines[_LINES - 1][: width - 1]}…"]


def _clients(family: str) -> Box:
    return Box(f"{WORDS[family]} clients", (), "", "")


def _name(family: str, found: Mapping[str, Any], names: Mapping[str, str], results: Sequence[Mapping[str, str]]) -> Box:
    record = RECORD_TYPES[family].upper()
    views = [view for view in names if found["records"].get(view)]
    lines = [names[views[0]], ", ".join(found["records"][views[0]]), " and ".join(views)] if views else ["no record"]
    return _box("name", f"{record} record", lines, [family], results)


def _balancer(family: str, found: Mapping[str, Any], results: Sequence[Mapping[str, str]]) -> Box:
    return _box("balancer", "Load balancer", [found["address"] or "no address"], [family], results)


def _entrance(family: str, found: Mapping[str, Any], about: Mapping[str, Any], results: Sequence[Mapping[str, str]]) -> Box:
    pods = f"{found['pods']} pod{'s' if found['pods'] != 1 else ''}" if about["nodes"] else _UNREAD
    listeners = f"listens on {', '.join(dict.fromkeys(' '.join(name.split()[:2]) for name in found['listeners']))}" if found["listeners"] else ""
    lines = [found["absent"]] if found["absent"] else [pods, *([listeners] if listeners else [])]
    return _box("entrance", "Entrance", lines, [family], results)


def _applications(about: Mapping[str, Any], results: Sequence[Mapping[str, str]]) -> list[Box]:
    used = sorted({found["upstream"] for found in about["families"].values() if not found["absent"]}) or list(WORDS)
    title = "Running ingress" if about["upstream"] == "ingress" else "Applications"
    lines = [", ".join(about["applications"]) or "no route names one"]
    if len(used) == 1:
        return [_box("applications", f"{title}, reached over {WORDS[used[0]]}", lines, used, results, 2 * _CHARACTERS + 2)]
    return [_box("applications", f"{title}, {WORDS[family]}", lines, [family], results) for family in WORDS]


def _nodes(family: str, found: Mapping[str, Any], about: Mapping[str, Any], results: Sequence[Mapping[str, str]]) -> Box:
    nodes = f"{found['nodes']} of {about['nodes']} have {WORDS[family]}" if about["nodes"] else _UNREAD
    lines = [nodes, ", ".join(found["outbound"]) or "no outbound address"]
    return _box("nodes", "Nodes", lines, [family], results)


def _sentences(about: Mapping[str, Any], families: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The picture in words."""
    for family, found in families.items():
        if found["absent"]:
            yield f"{WORDS[family]}: {found['absent']}."
            continue
        way = f"clients connect to {found['address'] or 'no address'}, and the entrance's {found['pods']} pods"
        way += f" reach {', '.join(about['applications']) or 'applications'} over {WORDS[found['upstream']]}"
        yield f"{WORDS[family]}: {way}; nodes leave as {', '.join(found['outbound']) or 'no address'}."
