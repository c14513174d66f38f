"""The whole sweep, or a part of it: ``python -m tests.sweep [--sample N] [--seed S] [--kind KIND] [--only TEXT]``.

It records the engine's tasks of a stamp's build and of its change (``site.yml`` against a lab without clusters), replays each of them with
each fault at each request where that can occur, runs once more without, and compares what is stored with the undisturbed end.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from .cases import Case, Verdict
from .run import Sweep


def table(verdicts: Sequence[Verdict]) -> str:
    """Kind, cases, ended right by the run that met the fault, by the next one, wrong."""
    rows: dict[str, list[int]] = {}
    for found in verdicts:
        for name in (found.case.kind, "all"):
            row = rows.setdefault(name, [0, 0, 0, 0])
            row[0] += found.met
            row[1] += found.at_once
            row[2] += found.met and not found.at_once and not found.complaint
            row[3] += bool(found.complaint)
    lines = [f"{'fault':24} {'cases':>6} {'right at once':>14} {'after one more':>15} {'wrong':>6}"]
    for name, (total, at_once, later, wrong) in sorted(rows.items(), key=lambda item: (item[0] == "all", item[0])):
        lines.append(f"{name:24} {total:6} {at_once:14} {later:15} {wrong:6}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.sweep", description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="so many random cases instead of all")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="which ones")
    parser.add_argument("--kind", action="append", default=[], help="these faults only")
    parser.add_argument("--only", default="", help="cases whose description has this text")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()

    def wanted(case: Case) -> bool:
        return (not arguments.kind or case.kind in arguments.kind) and arguments.only in str(case)

    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dsaks-sweep-") as folder:
        print("sweep: recording a stamp's build and change (about 1 minute)", flush=True)
        sweep = Sweep(Path(folder), arguments.processes)
        chosen = [case for case in sweep.cases if wanted(case)]
        if arguments.sample:
            random.Random(arguments.seed).shuffle(chosen)
            chosen = chosen[: arguments.sample]
        print(f"sweep: {len(chosen)} of {len(sweep.cases)} cases, seed {arguments.seed}", flush=True)
        verdicts = []
        for verdict in sweep.verdicts(chosen):
            verdicts.append(verdict)
            if verdict.complaint:
                print(f"WRONG {verdict.case}: {verdict.complaint}", flush=True)
            if len(verdicts) % 500 == 0:
                print(f"sweep: {len(verdicts)} done after {time.monotonic() - started:.0f} s", flush=True)
    print(table(verdicts))
    unmet = sum(not found.met for found in verdicts)
    print(f"sweep: {unmet} cases had no such request this time; {time.monotonic() - started:.0f} s")
    if any(found.complaint for found in verdicts):
        sys.exit(1)


if __name__ == "__main__":
    main()
