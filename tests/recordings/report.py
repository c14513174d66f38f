"""What was compared, by type, and what differs there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Figures:
    """Of one type."""

    writes: int = 0
    #: of the writes, those that the lab accepts or refuses as Azure did
    alike: int = 0
    #: leaves of Azure's answers; those of them that the lab's have; those of them that have the same value there
    properties: int = 0
    present: int = 0
    equal: int = 0
    #: written bodies that the engine compared with the answer that followed, and those without a difference
    compared: int = 0
    same: int = 0
    #: what differs -> how often
    gaps: Counter[str] = field(default_factory=Counter)
    #: what differs -> where it was seen first
    examples: dict[str, str] = field(default_factory=dict)

    def gap(self, name: str, example: str) -> None:
        self.gaps[name] += 1
        self.examples.setdefault(name, example)

    def add(self, other: Figures) -> None:
        for name in ("writes", "alike", "properties", "present", "equal", "compared", "same"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.gaps += other.gaps
        self.examples = other.examples | self.examples


@dataclass
class Report:
    """Figures by type, and the writes of each type that the lab does not serve."""

    types: dict[str, Figures] = field(default_factory=dict)
    not_served: Counter[str] = field(default_factory=Counter)

    def of(self, resource_type: str) -> Figures:
        return self.types.setdefault(resource_type, Figures())

    def add(self, other: Report) -> None:
        for name, figures in other.types.items():
            self.of(name).add(figures)
        self.not_served += other.not_served


#: type, or "*" for all -> a gap, or the beginning of several and "*" -> why it is there
Reasons = dict[str, dict[str, str]]


def without_reason(report: Report, reasons: Reasons) -> list[tuple[str, str]]:
    """(type, gap) of every difference that no reason covers."""
    return [
        (name, gap)
        for name, figures in sorted(report.types.items())
        for gap in sorted(figures.gaps)
        if not any(_covers(pattern, gap) for pattern in (*reasons.get(name, {}), *reasons.get("*", {})))
    ]


def without_difference(report: Report, reasons: Reasons) -> list[tuple[str, str]]:
    """(type, pattern) of every reason that covers no difference."""
    return [
        (name, pattern)
        for name, patterns in reasons.items()
        for pattern in patterns
        if not any(_covers(pattern, gap) for found, figures in report.types.items() if name in (found, "*") for gap in figures.gaps)
    ]


def _covers(pattern: str, gap: str) -> bool:
    return gap.startswith(pattern[:-1]) if pattern.endswith("*") else gap == pattern


def table(report: Report) -> str:
    """The figures in reStructuredText, a row a type."""
    lines = [".. csv-table::", "   :header-rows: 1", "", "   type, writes, treated alike, properties, present, equal"]
    for name, figures in sorted(report.types.items()):
        share = (_share(figures.alike, figures.writes), figures.properties, _share(figures.present, figures.properties))
        lines.append(f"   {name}, {figures.writes}, {', '.join(map(str, share))}, {_share(figures.equal, figures.present)}")
    return "\n".join(lines) + "\n"


def _share(part: int, whole: int) -> str:
    """Per cent, rounded down, so that 100 is all."""
    return f"{part * 1000 // whole / 10:g} %" if whole else "-"
