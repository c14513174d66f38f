"""Random faults while the whole of site.yml changes a stamp with its cluster: ``python -m tests.sweep.site [--cases N] [--seed S]``.

Each case changes every tag of the stamp, lets one request of the run go wrong, runs once more without, and compares everything stored and the
cluster's objects with what was there before, but for the tag.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from lab.arm.faults import KINDS
from tests.harness import OURS, Lab

#: a request that never gets an answer costs the engine's read timeout, two minutes; it is met in the sweep of single tasks
_KINDS = [kind for kind in KINDS if kind not in ("hangs", "operation-never-ends")]
#: what can happen to a read too
_ANY = ("throttled", "throttled-without-time", "internal-error", "bad-gateway", "unavailable", "reset-before", "reset-after", "truncated", "not-json")
_BEFORE = "before"


@dataclass(frozen=True)
class SiteCase:
    number: int
    kind: str
    at: int

    def __str__(self) -> str:
        return f"{self.number}: {self.kind} at request {self.at}"


class Changing:
    """One stamp in a lab of its own, changed by case after case."""

    def __init__(self) -> None:
        self._lab = Lab()
        self._lab.build()
        self._tag(_BEFORE)
        before = len(self._lab.entries())
        assert self._lab.playbook("site").code == 0
        sent = [entry for entry in self._lab.entries(before) if entry["client"].startswith(OURS)]
        #: how many requests a change sends, and how many of them write
        self.requests, self.writes = len(sent), len([entry for entry in sent if entry["method"] == "PUT"])
        self._end = self._stored(_BEFORE)

    def _tag(self, value: str) -> None:
        self._lab.set(dualstack_tags={"environment": value})

    def _stored(self, tag: str) -> str:
        return json.dumps(self._lab.end_state(), sort_keys=True).replace(f'"{tag}"', f'"{_BEFORE}"')

    def complaint(self, case: SiteCase) -> str | None:
        """What is wrong after the case; empty when nothing is, None when no request met the fault."""
        tag = f"case-{case.number}"
        self._tag(tag)
        method = () if case.kind in _ANY else ("--method", "PUT")
        armed = self._lab.lab("fault", case.kind, "--at", str(case.at), *method)
        assert armed.code == 0, armed.output
        first = self._lab.playbook("site")
        struck = self._lab.lab("fault", "clear").output
        again = self._lab.playbook("site")
        if again.code:
            return f"the next run failed: {again.output[-2000:]}"
        printed = [run for run in (first, again) if self._lab.state.client_secret in run.output]
        if printed:
            return "a secret was printed"
        if self._stored(tag) != self._end:
            return "the end is another one"
        return "" if case.kind in struck else None

    def close(self) -> None:
        self._lab.close()


def try_cases(seed: int, numbers: Sequence[int]) -> list[str]:
    """The complaints of some cases, one after the other on one stamp."""
    stamp = Changing()
    complaints = []
    for number in numbers:
        chance = random.Random(f"{seed} {number}")
        kind = chance.choice(_KINDS)
        case = SiteCase(number, kind, chance.randint(1, stamp.requests if kind in _ANY else stamp.writes))
        found = stamp.complaint(case)
        print(f"{'WRONG' if found else 'right' if found == '' else 'unmet'} {case} {found or ''}", flush=True)
        complaints += [f"{case}: {found}"] if found else []
    stamp.close()
    return complaints


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.sweep.site", description=__doc__)
    parser.add_argument("--cases", type=int, default=150)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    started = time.monotonic()
    print(f"sweep: {arguments.cases} cases of site.yml, seed {arguments.seed}", flush=True)
    with concurrent.futures.ProcessPoolExecutor(arguments.processes) as pool:
        parts = [range(first, arguments.cases, arguments.processes) for first in range(arguments.processes)]
        complaints = [found for part in pool.map(try_cases, [arguments.seed] * len(parts), parts) for found in part]
    print(f"sweep: {len(complaints)} of {arguments.cases} cases wrong; {time.monotonic() - started:.0f} s")
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main()
