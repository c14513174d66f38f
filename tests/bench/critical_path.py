"""The engine's time for a stamp's build and for its change, of the least that any client could take, where Azure is slow and far away.

    python tests/bench/critical_path.py [ROUNDS]

The least is computed from the lab's own figures: the latency of a request, how long each operation takes, and when Azure asks to come back. A
resource waits for what it refers to; writes under one parent that Azure wants one after the other are; everything else is at once.
"""

from __future__ import annotations

import graphlib
import math
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from lab.arm.azure import KINDS
from tests.sweep.ground import Ground
from tests.sweep.recording import Task, load
from tests.sweep.run import record

LATENCY = 0.15
#: AKS takes 12 s, a private endpoint one; Azure asks to come back after 0.5 s
TIME_SCALE = 0.05
RETRY_AFTER = 10 * TIME_SCALE


def least(task: Task, written: set[str]) -> float:
    """Seconds of the longest chain: one look at everything at once, then for each resource that is written a PUT, its operation and a GET."""
    ended: dict[str, float] = {}
    free: dict[str, float] = {}
    resources = task.resources
    for handle in graphlib.TopologicalSorter({name: found.needs & resources.keys() for name, found in resources.items()}).static_order():
        resource = resources[handle]
        began = max((ended[needed] for needed in resource.needs & resources.keys()), default=LATENCY)
        if resource.id.lower() not in written:
            ended[handle] = began
            continue
        if not resource.facts.if_match:
            # what the documentation promises of services without etags: a look directly before the write
            began += LATENCY if task.name == "update" else 0
        if resource.facts.serial:
            began = max(began, free.get(resource.parent, 0))
        done = began + LATENCY
        awaited = task.wait or any(handle in other.needs for other in resources.values())
        if awaited:
            done += _operation(resource.facts.name)
            free[resource.parent] = done
            done += LATENCY
        ended[handle] = done
    return max(ended.values(), default=0.0)


def _operation(resource_type: str) -> float:
    """Until a client that comes when it is asked to has seen the end: it looks at once, then each time it is told to."""
    seconds = KINDS[resource_type.lower()].seconds * TIME_SCALE
    looks = 1 + math.ceil(max(0.0, seconds - LATENCY) / (RETRY_AFTER + LATENCY))
    return LATENCY + (looks - 1) * (RETRY_AFTER + LATENCY) if seconds else 0.0


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory(prefix="dsaks-bench-") as name:
        folder = Path(name)
        record(folder)
        ground = Ground(folder / "ground", time_scale=TIME_SCALE, latency=LATENCY, clock=1)
        print(f"latency {LATENCY * 1000:.0f} ms, operations at {TIME_SCALE:g} of Azure's time, {rounds} rounds")
        print(f"{'tasks':8} {'least':>8} {'ours':>8} {'ratio':>20}")
        for part in ("create", "update"):
            tasks = [task for task in load(folder / part) if task.resources]
            shortest, taken = 0.0, [0.0] * rounds
            for task in tasks:
                for number in range(rounds):
                    ground.begin(task.store)
                    ground.entries()
                    started = time.monotonic()
                    result = ground.run(task)
                    taken[number] += time.monotonic() - started
                    assert result.done, result.printed
                written = {str(entry["path"]).lower() for entry in ground.entries() if entry["method"] == "PUT"}
                task.name = part
                shortest += least(task, written)
            ratios = [seconds / shortest for seconds in taken]
            middle = statistics.median(ratios)
            print(f"{part:8} {shortest:6.2f} s {statistics.median(taken):6.2f} s {middle:8.2f} [{min(ratios):.2f} {max(ratios):.2f}]", flush=True)
        ground.close()


if __name__ == "__main__":
    main()
