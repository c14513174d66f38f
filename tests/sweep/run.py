"""Record once, then try cases in several processes."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lab.state import CHECKOUT
from tests.harness import AZURE_TAGS, HANGING, Lab

from .cases import Case, Undisturbed, Verdict, cases, try_case, undisturbed
from .ground import TIME_SCALE, Ground
from .recording import Task, load

#: what the second run of the recording declares otherwise: every resource that can carry tags is updated
CHANGE: dict[str, Any] = {"dualstack_tags": {"environment": "changed"}}


def record(folder: Path) -> None:
    """``site.yml`` twice, against a lab without clusters; what each of the engine's tasks declared is kept."""
    with Lab("--no-kubernetes", "--time-scale", str(TIME_SCALE)) as lab:
        shared = lab.playbook("shared")
        assert shared.code == 0, shared.output
        for name, variables in (("create", {}), ("update", CHANGE)):
            lab.set(**variables)
            for playbook in ("dualstack.aks.site", str(CHECKOUT / "tests" / "sweep" / "records.yml")):
                words = [sys.executable, "-m", "tests.sweep.recording", str(folder / name), "-i", str(lab.inventories / "westeurope.yml")]
                done = subprocess.run(
                    [*words, playbook, "--tags", f"{AZURE_TAGS},records"],
                    cwd=CHECKOUT,
                    env=lab.environment,
                    capture_output=True,
                    text=True,
                    timeout=HANGING,
                )
                assert done.returncode == 0, done.stdout + done.stderr


class Sweep:
    """The recorded tasks and the cases that they give."""

    def __init__(self, folder: Path, processes: int = 1) -> None:
        self._folder, self._processes = folder, processes
        record(folder)
        self.cases = list(self._in_processes(_cases_of, sorted(_tasks(folder)), flat=True))

    @property
    def finished(self) -> Path:
        """What Azure held at the end: the store that the last recorded task, the records' publication, found and did not change any more."""
        return sorted((self._folder / "update").glob("*.sqlite"))[-1]

    def verdicts(self, chosen: Sequence[Case]) -> Iterator[Verdict]:
        return self._in_processes(_try, chosen)

    def _in_processes(self, work: Any, items: Sequence[Any], *, flat: bool = False) -> Iterator[Any]:
        # spawn: a forked process would share the parent's threads' locks
        with concurrent.futures.ProcessPoolExecutor(
            self._processes, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(self._folder,)
        ) as pool:
            for found in pool.map(work, items, chunksize=1 if flat else 10):
                if flat:
                    yield from found
                else:
                    yield found


class _Worker:
    """What one process has: its own Azure, and the tasks that it has seen undisturbed."""

    def __init__(self, folder: Path) -> None:
        self.ground = Ground(folder / f"ground-{os.getpid()}")
        self._tasks = _tasks(folder)
        self._undisturbed: dict[str, Undisturbed] = {}

    def undisturbed(self, name: str) -> Undisturbed:
        if name not in self._undisturbed:
            self._undisturbed[name] = undisturbed(self.ground, self._tasks[name])
        return self._undisturbed[name]


_worker: _Worker


def _begin(folder: Path) -> None:
    global _worker
    _worker = _Worker(folder)


def _tasks(folder: Path) -> dict[str, Task]:
    return {f"{part}-{number}": task for part in ("create", "update") for number, task in enumerate(load(folder / part)) if task.resources}


def _cases_of(name: str) -> list[Case]:
    return list(cases(name, _worker.undisturbed(name)))


def _try(case: Case) -> Verdict:
    return try_case(_worker.ground, case, _worker.undisturbed(case.task))
