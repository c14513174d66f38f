"""Random faults while the whole of site.yml brings up a stamp with its cluster: ``python -m tests.sweep.site [--cases N] [--seed S]``.

Every fourth case builds the stamp in a new lab, the others change every tag of one that is there. One request of the run goes wrong; then it is
run once more without, and everything stored and the cluster's objects must be as after a run that nothing disturbed.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import json
import multiprocessing
import random
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure import types
from lab.arm import ids
from tests.harness import OURS, Lab

from .cases import Case, counted_requests, differences, kinds_at, with_operations

#: a request that never gets an answer costs the engine's read timeout, two minutes; it is met in the sweep of single tasks
_TOO_LONG = ("hangs", "operation-never-ends")
#: one case in so many builds a stamp, which takes twice as long as changing one
_BUILDS = 4


class Runs(ABC):
    """One kind of run of site.yml, undisturbed first, then with one fault each."""

    name: str

    def begin(self) -> None:
        """The run that nothing disturbs."""
        lab = self._prepare(0)
        before = len(lab.entries())
        run = lab.playbook("site")
        assert run.code == 0, run.output
        self._end = self._stored(lab, 0)
        self._cases = list(self._possible([entry for entry in lab.entries(before) if entry["client"].startswith(OURS)], lab.end_state()))

    @abstractmethod
    def _prepare(self, number: int) -> Lab:
        """The lab of a case, as it is before the run."""

    @abstractmethod
    def _stored(self, lab: Lab, number: int) -> dict[str, Any]:
        """All that there is after a case, but for what is different from case to case."""

    @abstractmethod
    def close(self) -> None:
        """End the lab."""

    def _possible(self, entries: list[dict[str, Any]], stored: Mapping[str, Any]) -> Iterator[Case]:
        operations = with_operations(entries)
        for (method, path), count in counted_requests(entries).items():
            body: Mapping[str, Any] = next((stored[key] for key in stored if key.lower() == path.lower()), {})
            facts = types.known(ids.parse(path).type)
            tagged = "managed-by" in (body.get("tags") or {})
            kinds = [kind for kind in kinds_at(method, facts, operation=path.lower() in operations, tagged=tagged) if kind not in _TOO_LONG]
            for at in range(1, count + 1):
                yield from (Case(self.name, kind, method, path, at) for kind in kinds)

    def draw(self, chance: random.Random) -> Case:
        """A case; each kind is as likely as another."""
        kind = chance.choice(sorted({case.kind for case in self._cases}))
        return chance.choice([case for case in self._cases if case.kind == kind])

    def complaint(self, case: Case, number: int) -> str | None:
        """What is wrong after the case; empty when nothing is, None when no request met the fault."""
        lab = self._prepare(number)
        before = len(lab.entries())
        armed = lab.lab("fault", case.kind, "--at", str(case.at), "--method", case.method, "--path", case.path)
        assert armed.code == 0, armed.output
        first = lab.playbook("site")
        met = any("fault" in entry for entry in lab.entries(before))
        assert lab.lab("fault", "clear").code == 0
        again = lab.playbook("site")
        if again.code:
            return f"the next run failed: {again.output[-4000:]}"
        if any(secret in run.output for run in (first, again) for secret in (lab.state.client_secret, "eyJ")):
            return "a secret was printed"
        left = differences(self._end, self._stored(lab, number))
        if left:
            return f"after the next run {left}; the first one said {first.output[-4000:]}"
        return "" if met else None


class Changes(Runs):
    """One stamp, whose every tag is changed by each case."""

    name = "change"

    def __init__(self) -> None:
        self._lab = Lab()

    def begin(self) -> None:
        self._lab.build()
        super().begin()

    def _prepare(self, number: int) -> Lab:
        self._lab.set(dualstack_tags={"environment": f"case-{number}"})
        return self._lab

    def _stored(self, lab: Lab, number: int) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(json.dumps(lab.end_state()).replace(f'"case-{number}"', '"case"'))
        return found

    def close(self) -> None:
        self._lab.close()


class Builds(Runs):
    """A stamp that each case builds in a new lab."""

    name = "build"

    def __init__(self) -> None:
        self._lab: Lab | None = None

    def _prepare(self, number: int) -> Lab:
        self.close()
        self._lab = Lab()
        shared = self._lab.playbook("shared")
        assert shared.code == 0, shared.output
        return self._lab

    def _stored(self, lab: Lab, number: int) -> dict[str, Any]:
        return lab.end_state()

    def close(self) -> None:
        if self._lab:
            self._lab.close()
            self._lab = None


def try_cases(seed: int, part: int, number_of_cases: int) -> list[str]:
    """The complaints of one process' share of the cases."""
    chance = random.Random(f"{seed} {part}")
    complaints: list[str] = []
    done = tried = 0
    with contextlib.closing(Changes()) as changes, contextlib.closing(Builds()) as builds:
        changes.begin()
        builds.begin()
        while done < number_of_cases:
            tried += 1
            runs: Runs = builds if tried % _BUILDS == 0 else changes
            case = runs.draw(chance)
            found = runs.complaint(case, tried)
            done += found is not None
            print(f"{'WRONG' if found else 'right' if found == '' else 'unmet'} {case} {found or ''}", flush=True)
            complaints += [f"{case}: {found}"] if found else []
    return complaints


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.sweep.site", description=__doc__)
    parser.add_argument("--cases", type=int, default=150)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    # Two that wait for Azure by turns leave a third of two processors idle.
    parser.add_argument("--processes", type=int, default=3)
    arguments = parser.parse_args()
    started = time.monotonic()
    print(f"sweep: {arguments.cases} cases of site.yml, seed {arguments.seed} (about 35 minutes)", flush=True)
    shares = [len(range(first, arguments.cases, arguments.processes)) for first in range(arguments.processes)]
    with concurrent.futures.ProcessPoolExecutor(arguments.processes, multiprocessing.get_context("spawn")) as pool:
        parts = pool.map(try_cases, [arguments.seed] * len(shares), range(len(shares)), shares)
        complaints = [found for part in parts for found in part]
    print(f"sweep: {len(complaints)} of {arguments.cases} cases wrong, seed {arguments.seed}; {time.monotonic() - started:.0f} s")
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main()
