"""Control groups of pods, which the kernel does not remove with a lab's processes."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


def _hierarchies() -> Iterator[Path]:
    """The mounted hierarchies: one where control groups are unified, one a controller where they are not."""
    if (_ROOT / "cgroup.controllers").exists():
        yield _ROOT
    else:
        yield from (found for found in _ROOT.iterdir() if (found / "cgroup.procs").exists())


def create(name: str) -> None:
    """A group of this name in every hierarchy."""
    for hierarchy in _hierarchies():
        with contextlib.suppress(OSError):
            (hierarchy / name.lstrip("/")).mkdir(parents=True, exist_ok=True)


def processes(name: str) -> set[int]:
    """The processes in a group and in those below it."""
    found = set()
    for hierarchy in _hierarchies():
        for folder, _, _ in os.walk(hierarchy / name.lstrip("/")):
            with contextlib.suppress(OSError):
                found |= {int(process) for process in Path(folder, "cgroup.procs").read_text().split()}
    return found


def remove(name: str, timeout: float = 10) -> None:
    """End what runs in a group, and remove it with the groups below."""
    deadline = time.monotonic() + timeout
    while groups := [group for hierarchy in _hierarchies() if (group := hierarchy / name.lstrip("/")).exists()]:
        for process in processes(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        for group in groups:
            for folder, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()
        if any(group.exists() for group in groups):
            if time.monotonic() > deadline:
                raise TimeoutError(f"control groups {', '.join(map(str, groups))} cannot be removed")
            time.sleep(0.05)
