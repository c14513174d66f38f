"""``python -m tests.recordings``: the engine and the lab beside what Azure answered. Fails for a difference without a reason."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import yaml

from .engine import compare_writes
from .reader import files, read
from .replay import replay
from .report import Report, table, without_difference, without_reason

_REASONS = Path(__file__).parent / "reasons.yml"
_PAGE = Path(__file__).parents[2] / "docs" / "docsite" / "rst" / "recordings.rst"
_BEGIN, _END = ".. figures\n\n", "\n.. end of the figures\n"


def _report_on(path: Path) -> Report:
    scenario = read(path)
    report = replay(scenario)
    report.add(compare_writes(scenario))
    return report


def _report() -> Report:
    report = Report()
    with ProcessPoolExecutor() as pool:
        for part in pool.map(_report_on, files(), chunksize=4):
            report.add(part)
    return report


def _page(report: Report) -> str:
    """The page as it is to be: its text, with the figures of this run."""
    before, _, rest = _PAGE.read_text().partition(_BEGIN)
    return before + _BEGIN + table(report) + _END + rest.partition(_END)[2]


def _show(report: Report, resource_type: str) -> None:
    figures = {name.lower(): found for name, found in report.types.items()}[resource_type.lower()]
    for gap, count in figures.gaps.most_common():
        example = figures.examples[gap].replace("\n", "\n      ")
        print(f"{count:4} {gap}\n      {example}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.recordings", description=__doc__)
    parser.add_argument("--type", help="print what differs for this resource type, each with an example")
    parser.add_argument("--write", action="store_true", help=f"write the figures into the page {_PAGE.name}")
    parser.add_argument("--not-served", action="store_true", help="list the types that the lab does not serve, with their writes")
    options = parser.parse_args()
    report = _report()
    if options.type:
        _show(report, options.type)
        return 0
    if options.write:
        _PAGE.write_text(_page(report))
    print(table(report))
    compared = sum(found.compared for found in report.types.values())
    same = sum(found.same for found in report.types.values())
    print(f"the engine: {compared} bodies compared, {same} without a difference; {_REASONS.name} explains the others, but for those below")
    print(f"not served: {sum(report.not_served.values())} writes of {len(report.not_served)} types (--not-served lists them)")
    if options.not_served:
        print("\n".join(f"{count:4} {name}" for name, count in sorted(report.not_served.items())))
    reasons = yaml.safe_load(_REASONS.read_text())
    problems = [f"{name}: {gap}: no reason in {_REASONS.name}" for name, gap in without_reason(report, reasons)]
    problems += [f"{name}: {gap}: nothing differs so any more; remove it from {_REASONS.name}" for name, gap in without_difference(report, reasons)]
    if _PAGE.read_text() != _page(report):
        problems.append(f"the page {_PAGE.name} has other figures: run python -m tests.recordings --write")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
