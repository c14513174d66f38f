"""The engine's time for a stamp's build and for its change, of the least that any client could take, where Azure is slow and far away.

    python tests/bench/critical_path.py [ROUNDS]

The least is computed from the lab's own figures: the latency of a request, how long each operation takes, and when Azure asks to come back. A
resource waits for what it refers to; writes under one parent that Azure wants one after the other are; everything else is at once. Ours is the
engine in this process, without Ansible; the lab is a process of its own, as Azure is elsewhere.
"""

from __future__ import annotations

import graphlib
import math
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from lab.arm.azure import KINDS
from tests.harness import OURS, Lab
from tests.loader import find_collections
from tests.sweep.recording import Task, copy_store, load
from tests.sweep.run import record

find_collections()

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure import client, credentials
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.options import Options
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.reconcile import Reconciler

LATENCY = 0.15
#: AKS takes 12 s, a private endpoint one; Azure asks to come back after 0.5 s
TIME_SCALE = 0.05
RETRY_AFTER = 10 * TIME_SCALE
_OPTIONS = ("--no-kubernetes", "--latency", str(LATENCY), "--time-scale", str(TIME_SCALE))


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


def ours(task: Task, login: credentials.Login) -> float:
    """Seconds that the engine takes for a task."""
    began = time.monotonic()
    with client.ArmClient(login) as arm:
        run = Reconciler(arm, task.resources, Options(wait=task.wait, stamp=task.stamp))
        run.run()
    taken = time.monotonic() - began
    assert not run.failures, run.failures
    return taken


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory(prefix="dsaks-bench-") as name:
        folder = Path(name)
        record(folder)
        print(f"latency {LATENCY * 1000:.0f} ms, operations at {TIME_SCALE:g} of Azure's time, {rounds} rounds")
        print(f"{'tasks':8} {'least':>8} {'ours':>8} {'ratio':>20}")
        with Lab(*_OPTIONS) as lab:
            os.environ.update(lab.environment)
            login = credentials.login({})
            for part in ("create", "update"):
                shortest, taken = 0.0, [0.0] * rounds
                for task in [task for task in load(folder / part) if task.resources]:
                    for number in range(rounds):
                        lab.lab("down")
                        copy_store(task.store, lab.state.store)
                        lab.up(*_OPTIONS)
                        before = len(lab.entries())
                        taken[number] += ours(task, login)
                    entries = [entry for entry in lab.entries(before) if entry["client"].startswith(OURS)]
                    task.name = part
                    shortest += least(task, {str(entry["path"]).lower() for entry in entries if entry["method"] == "PUT"})
                ratios = [seconds / shortest for seconds in taken]
                middle = statistics.median(ratios)
                print(f"{part:8} {shortest:6.2f} s {statistics.median(taken):6.2f} s {middle:8.2f} [{min(ratios):.2f} {max(ratios):.2f}]", flush=True)


if __name__ == "__main__":
    main()
