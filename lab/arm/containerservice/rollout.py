"""Replacing every node of a cluster: surge nodes first, then each old one is drained and reimaged, then the surge nodes go.

What AKS does at which moment: learn.microsoft.com/azure/aks/upgrade-aks-node-pools-rolling. What becomes of nodes that cannot be drained:
the text of ``undrainableNodeBehavior`` in Microsoft's types of api-version 2026-05-01.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..azure import Azure
from ..errors import ArmError, OperationCanceled
from ..store import Resource
from .scale_sets import PoolMachines, computer_name

_DRAIN_MINUTES = 30


def surge_of(settings: Mapping[str, Any], count: int) -> int:
    """How many nodes an upgrade adds to a pool of so many: a number, or a percentage that is rounded up."""
    return _share(settings.get("maxSurge") or "10%", count) if count else 0


def unavailable_of(settings: Mapping[str, Any], count: int) -> int:
    """How many nodes an upgrade may remove without a replacement; a percentage is rounded down."""
    return _share(settings.get("maxUnavailable") or "0", count, up=False)


def _share(text: Any, count: int, *, up: bool = True) -> int:
    found = re.fullmatch(r"(\d+)(%?)", str(text))
    if found is None:
        return 0
    if not found[2]:
        return int(found[1])
    share = count * int(found[1]) / 100
    return math.ceil(share) if up else math.floor(share)


def minutes(azure: Azure, number: float) -> float:
    """So many minutes of Azure's in seconds here."""
    return number * 60 * azure.options.time_scale


async def roll(azure: Azure, cluster: Resource, pools: Iterable[PoolMachines], surges: Mapping[str, int]) -> bool:
    """Replace what is outdated, in all pools at the same time; whether there was anything. Raises the first pool's error once the others ended.

    ``surges`` is how many nodes each pool adds for the time.
    """
    rolled = list(pools)
    outcomes = await asyncio.gather(*(_roll_pool(azure, cluster, found, surges.get(found.pool.name, 0)) for found in rolled), return_exceptions=True)
    for found, outcome in zip(rolled, outcomes, strict=True):
        found.pool.properties["provisioningState"] = getattr(outcome, "outcome", "Failed") if isinstance(outcome, BaseException) else "Succeeded"
        if azure.store.get(found.pool.id):
            azure.store.save(found.pool)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return any(outcomes)


async def _roll_pool(azure: Azure, cluster: Resource, machines: PoolMachines, surge: int) -> bool:
    if not machines.outdated and not machines.surges:
        return False
    await _PoolRollout(azure, cluster, machines, surge).run()
    return True


class _PoolRollout:
    def __init__(self, azure: Azure, cluster: Resource, machines: PoolMachines, surge: int) -> None:
        self._azure, self._cluster, self._machines = azure, cluster, machines
        self._settings: dict[str, Any] = machines.pool.properties.get("upgradeSettings") or {}
        count = machines.pool.properties["count"]
        self._surge = surge
        self._at_once = surge or unavailable_of(self._settings, count) or 1
        self._timeout = minutes(azure, self._settings.get("drainTimeoutInMinutes") or _DRAIN_MINUTES)
        #: node that could not be drained -> why
        self._blocked: dict[str, str] = {}

    async def run(self) -> None:
        await self._add_surges()
        waiting = sorted(self._machines.outdated, key=lambda machine: int(machine.body["instanceId"]))
        while waiting and self._at_once:
            batch, waiting = waiting[: self._at_once], waiting[self._at_once :]
            await self._replace(batch)
            if self._blocked and not self._quarantines:
                break
        await self._remove_surges()
        if self._blocked:
            error = OperationCanceled if self._quarantines and waiting else ArmError
            raise error(409, "UpgradeFailed", next(iter(self._blocked.values())))

    @property
    def _quarantines(self) -> bool:
        return self._settings.get("undrainableNodeBehavior") == "Cordon"

    async def _add_surges(self) -> None:
        self._check()
        if not self._machines.outdated:
            return
        left = [machine for machine in self._machines.surges if machine.properties["latestModelApplied"]]
        added = [self._machines.add_surge() for _ in range(self._surge - len(left))]
        if self._azure.clusters:
            await self._azure.clusters.converge(self._cluster)
            await self._azure.clusters.await_nodes(self._cluster, [computer_name(machine) for machine in (*left, *added)])

    def _check(self) -> None:
        """A cluster that is being deleted gets no more nodes."""
        if self._azure.store.get(self._cluster.id) is None or self._cluster.properties["provisioningState"] == "Deleting":
            raise OperationCanceled(409, "OperationCanceled", f"The cluster {self._cluster.name} is being deleted.")

    async def _replace(self, batch: Sequence[Resource]) -> None:
        """Drain these nodes and reimage those that could be drained."""
        clusters, names = self._azure.clusters, {computer_name(machine): machine for machine in batch}
        blocked: dict[str, str] = {}
        if clusters:
            blocked = await clusters.drain(self._cluster, list(names), self._timeout)
            for name in blocked:
                await (clusters.quarantine(self._cluster, name) if self._quarantines else clusters.uncordon(self._cluster, name))
        self._blocked |= blocked
        if self._quarantines:
            # A surge node stays in the place of each.
            self._at_once -= len(blocked)
        drained = {name: machine for name, machine in names.items() if name not in blocked}
        await asyncio.sleep(minutes(self._azure, self._settings.get("nodeSoakDurationInMinutes") or 0) if drained else 0)
        if clusters:
            await clusters.replace(self._cluster, list(drained), lambda: self._reimage(drained.values()))
            await clusters.await_nodes(self._cluster, list(drained))
        else:
            self._reimage(drained.values())

    def _reimage(self, machines: Iterable[Resource]) -> None:
        self._check()
        for machine in machines:
            self._machines.reimage(machine)

    async def _remove_surges(self) -> None:
        """All but one for each node in quarantine, as far as budgets let them go."""
        kept = len(self._blocked) if self._quarantines else 0
        clusters, names = self._azure.clusters, {computer_name(machine): machine for machine in self._machines.surges[kept:]}
        if not clusters:
            self._remove(names.values())
            return
        staying = await clusters.drain(self._cluster, list(names), self._timeout)
        for name in staying:
            await clusters.uncordon(self._cluster, name)
        self._blocked |= staying
        going = {name: machine for name, machine in names.items() if name not in staying}
        await clusters.replace(self._cluster, list(going), lambda: self._remove(going.values()))

    def _remove(self, machines: Iterable[Resource]) -> None:
        self._check()
        for machine in machines:
            self._machines.remove(machine)
