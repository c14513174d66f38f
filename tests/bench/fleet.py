"""What many stamps in one run cost: wall and CPU seconds, memory, requests; in a lab without clusters, whose answers take 150 ms.

Memory is the proportional set size of ansible-playbook and all its workers at its highest, and that for each stamp in flight: a worker
is a process, and there are as many at once as forks, or as stamps.

    python tests/bench/fleet.py                 1, 3, 10 and 50 stamps (about 10 minutes on 2 cores)
    python tests/bench/fleet.py 200             as many as are named
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests import fleet
from tests.harness import AZURE_TAGS, OURS, Lab, Run

STAMPS = (1, 3, 10, 50)
FORKS, LATENCY = 50, 0.15
#: at most this share of the time goes into looking
PAUSE, SHARE = 0.2, 0.2
#: what is to hold, and is only shown: MB for each stamp in flight
MOST_MEMORY = 60
ARGUMENTS = ("--tags", AZURE_TAGS, "--forks", str(FORKS))


def _with_descendants(process: int) -> list[int]:
    found = [process]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:
                continue
    return found


def _proportional_set(process: int) -> int:
    """kB; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


class Watch(threading.Thread):
    """The highest memory of a process with its descendants."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._ended = threading.Event()
        self.peak = 0.0
        self.processes = 0

    def run(self) -> None:
        pause = PAUSE
        while not self._ended.wait(pause):
            started = time.monotonic()
            found = [size for process in _with_descendants(self._process) if (size := _proportional_set(process))]
            if sum(found) / 1000 > self.peak:
                self.peak, self.processes = sum(found) / 1000, len(found)
            pause = max(PAUSE, (time.monotonic() - started) / SHARE)

    def end(self) -> None:
        self._ended.set()
        self.join()


def _measured(lab: Lab, name: str, stamps: int) -> str:
    before = len(lab.entries())
    started, used = time.monotonic(), os.times()
    process = lab.start_playbook("site", *ARGUMENTS, inventory="")
    watch = Watch(process.pid)
    watch.start()
    output, _ = process.communicate()
    wall, now = time.monotonic() - started, os.times()
    watch.end()
    cpu = now.children_user + now.children_system - used.children_user - used.children_system
    run = Run(process.returncode, output)
    if run.code or len(run.recap) != stamps:
        sys.exit(run.output)
    sent = sum(entry["client"].startswith(OURS) for entry in lab.entries(before))
    memory = watch.peak / min(stamps, FORKS)
    return (
        f"{stamps:6} {name:7} {wall:8.1f} {wall / stamps:8.2f} {cpu:8.1f} {cpu / stamps:8.2f} "
        f"{watch.peak:8.0f} {watch.processes:10} {memory:10.0f} {sent:9} {sent / stamps:8.0f}"
    )


def main() -> None:
    counts = [int(word) for word in sys.argv[1:]] or STAMPS
    print(f"fleet: {FORKS} forks, {LATENCY * 1000:.0f} ms a request, {os.cpu_count()} cores; at most {MOST_MEMORY} MB a stamp in flight are wanted")
    print(
        f"{'stamps':>6} {'run':7} {'wall s':>8} {'a stamp':>8} {'CPU s':>8} {'a stamp':>8} "
        f"{'PSS MB':>8} {'processes':>10} {'in flight':>10} {'requests':>9} {'a stamp':>8}"
    )
    for count in counts:
        with Lab("--no-kubernetes", "--latency", str(LATENCY)) as lab:
            fleet.write(lab.inventories, count)
            shared = lab.playbook("shared", inventory="")
            if shared.code:
                sys.exit(shared.output)
            for name in ("create", "no-op"):
                print(_measured(lab, name, count), flush=True)


if __name__ == "__main__":
    main()
