"""The pools of a running cluster, and what it costs to reimage them: nodes beside the present ones, their cores, and time.

This file is private to the collection.

Source: learn.microsoft.com/azure/aks/upgrade-aks-node-pools-rolling (surge nodes, drain, soak).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._resource_id import folded
from .._rules.sizes import Size

#: The one duration that was recorded: 14 minutes for 3 nodes with one surge node, so that they went one after the other.
RECORDED_MINUTES, RECORDED_NODES = 14, 3
BASIS = (
    "Azure took 14 minutes for 3 nodes of one pool with one surge node (recorded in November 2024). The estimate scales this by the number of rounds "
    "that each pool needs, and adds soak times. The range covers pools that Azure reimages at the same time and one after the other: it documents "
    "neither. Slow drains and budgets take additional time."
)
#: A scale set holds no more instances, surge nodes among them.
MAX_INSTANCES = 1000
#: AKS' own defaults where a pool does not say
DEFAULT_DRAIN_MINUTES = 30


@dataclass(frozen=True)
class Pool:
    """One pool as Azure returns it. An upgrade adds ``surge`` nodes at a time, or may remove ``unavailable`` nodes instead."""

    name: str
    mode: str
    os_type: str
    type: str
    vm_size: str
    count: int
    max_count: int
    max_pods: int
    subnet_id: str
    pod_subnet_id: str
    version: str
    state: str
    power: str
    max_surge: str
    surge: int
    unavailable: int
    drain_minutes: int
    soak_minutes: int
    undrainable: str
    has_public_addresses: bool

    @property
    def is_windows(self) -> bool:
        return folded(self.os_type) == "windows"

    @property
    def is_stopped(self) -> bool:
        return folded(self.power) == "stopped"

    @property
    def rounds(self) -> int:
        """How many times surge nodes come, until every node is a new one."""
        return math.ceil(self.count / max(1, self.surge, self.unavailable))


def pool_of(found: Mapping[str, Any]) -> Pool:
    """One item of ``agentPoolProfiles``."""
    settings = found.get("upgradeSettings") or {}
    count = int(found.get("count") or 0)
    # AKS' documentation names one node, and its answers 10 %: up to ten nodes that is the same.
    max_surge = str(settings.get("maxSurge") or "10%")
    unavailable = _nodes(str(settings.get("maxUnavailable") or "0"), count)
    surge = _nodes(max_surge, count)
    return Pool(
        name=str(found["name"]),
        mode=str(found.get("mode") or "User"),
        os_type=str(found.get("osType") or "Linux"),
        type=str(found.get("type") or "VirtualMachineScaleSets"),
        vm_size=str(found.get("vmSize") or ""),
        count=count,
        max_count=int((found.get("maxCount") if found.get("enableAutoScaling") else None) or count),
        max_pods=int(found.get("maxPods") or 0),
        subnet_id=str(found.get("vnetSubnetID") or ""),
        pod_subnet_id=str(found.get("podSubnetID") or ""),
        version=str(found.get("currentOrchestratorVersion") or found.get("orchestratorVersion") or ""),
        state=str(found.get("provisioningState") or "Succeeded"),
        power=str((found.get("powerState") or {}).get("code") or "Running"),
        max_surge=max_surge,
        surge=surge if surge or unavailable or not count else 1,
        unavailable=unavailable,
        drain_minutes=int(settings.get("drainTimeoutInMinutes") or DEFAULT_DRAIN_MINUTES),
        soak_minutes=int(settings.get("nodeSoakDurationInMinutes") or 0),
        undrainable=str(settings.get("undrainableNodeBehavior") or "Schedule"),
        has_public_addresses=bool(found.get("enableNodePublicIP")),
    )


def _nodes(text: str, count: int) -> int:
    """A number of nodes, or a share of the pool rounded up; 0 for what is neither."""
    number = text.removesuffix("%")
    if not number.isdigit():
        return 0
    return math.ceil(count * int(number) / 100) if text.endswith("%") else int(number)


@dataclass(frozen=True)
class Work:
    """What one step costs. ``cores`` are those of surge nodes by quota, ``unknown_sizes`` the sizes that Azure did not describe."""

    nodes: int
    surge_nodes: int
    cores: Mapping[str, int]
    unknown_sizes: tuple[str, ...]
    least_minutes: int
    most_minutes: int


def work_of(pools: Sequence[Pool], sizes: Mapping[str, Size]) -> Work:
    """Of one reimage of these pools; a stopped pool has no nodes to reimage."""
    running = [pool for pool in pools if not pool.is_stopped]
    minutes = [_minutes(pool) for pool in running] or [0]
    return Work(
        nodes=sum(pool.count for pool in running),
        surge_nodes=sum(pool.surge for pool in running),
        cores=cores_of(surge_by_size(running), sizes),
        unknown_sizes=tuple(sorted({pool.vm_size for pool in running if pool.vm_size.lower() not in sizes})),
        least_minutes=math.ceil(max(minutes)),
        most_minutes=math.ceil(sum(minutes)),
    )


def _minutes(pool: Pool) -> float:
    return pool.rounds * (RECORDED_MINUTES / RECORDED_NODES + pool.soak_minutes)


def surge_by_size(pools: Iterable[Pool]) -> dict[str, int]:
    """VM size -> surge nodes of it, over all pools: they are all reimaged in one operation."""
    found: Counter[str] = Counter()
    for pool in pools:
        found[pool.vm_size] += pool.surge
    return dict(found)


def cores_of(nodes: Mapping[str, int], sizes: Mapping[str, Size]) -> dict[str, int]:
    """vCPUs by quota, those of the region (``cores``) and of each family, for so many nodes of each size."""
    found: Counter[str] = Counter()
    for name, number in nodes.items():
        size = sizes.get(name.lower())
        if size and number:
            found.update(dict.fromkeys(("cores", size.family), size.vcpus * number))
    return dict(found)
