"""What the benchmarks share: commands measured with all that they start, rounds in pairs, medians with their spread."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.harness import HANGING, Run


@dataclass(frozen=True)
class Measured:
    """What a command cost, and all that it started and waited for."""

    run: Run
    seconds: float
    cpu: float
    #: MiB of the largest of its processes at its peak: those that Ansible forks share most of theirs, and a sum would count it several times.
    memory: float


def measured(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Measured:
    """Run a command to its end."""
    # A file and no pipe: reading along would take the processor from the command.
    with tempfile.TemporaryFile() as printed:
        started = time.monotonic()
        process = subprocess.Popen(
            words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.STDOUT, start_new_session=True
        )
        alarm = threading.Timer(HANGING, os.killpg, (process.pid, signal.SIGKILL))
        alarm.start()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        alarm.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        run = Run(process.returncode, printed.read().decode(errors="replace"))
    return Measured(run, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def alternate[Result](rounds: int, *ways: Callable[[], Result]) -> list[list[Result]]:
    """The results of each way, measured in turns."""
    results: list[list[Result]] = [[] for _ in ways]
    for number in range(rounds):
        # There and back again: a machine that gets slower meanwhile slows everybody.
        for position in range(len(ways)) if number % 2 else reversed(range(len(ways))):
            results[position].append(ways[position]())
    return results


def ratios(ones: Sequence[float], others: Sequence[float]) -> list[float]:
    """Of each round."""
    return [one / other for one, other in zip(ones, others, strict=True)]


def spread(values: Sequence[float], digits: int) -> str:
    """Median [least most]."""
    return f"{statistics.median(values):.{digits}f} [{min(values):.{digits}f} {max(values):.{digits}f}]"


def target(what: str, value: float, limit: float, digits: int = 2, at_least: bool = False) -> None:
    """Say whether a figure is what was aimed at; a slow machine fails nobody."""
    met = value >= limit if at_least else value <= limit
    bound = "at least" if at_least else "at most"
    print(f"{what}: {value:.{digits}f} (aim: {bound} {limit:g}): {'met' if met else 'MISSED'}", flush=True)
