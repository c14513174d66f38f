"""The cores that surge nodes need, all pools together, and how many surge nodes the quotas of a region have room for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ..azure import Azure, plain_location
from ..compute import quotas
from ..compute.sizes import known
from ..store import Resource
from .rollout import surge_of
from .scale_sets import PoolMachines

#: the version from which AKS upgrades with one surge node where it cannot have all (learn.microsoft.com/azure/aks/upgrade-aks-node-pools-rolling)
_FALLS_BACK = (1, 35)


def falls_back(version: str) -> bool:
    found = re.match(r"(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) >= _FALLS_BACK


def wanted_surges(pools: Iterable[PoolMachines]) -> dict[str, int]:
    """Pool -> the surge nodes that its settings ask for."""
    return {found.pool.name: surge_of(found.pool.properties.get("upgradeSettings") or {}, found.pool.properties["count"]) for found in pools}


def lacking(azure: Azure, location: str, pools: Iterable[PoolMachines], surges: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Quota -> (cores wanted, cores left), for each that has not enough for these surge nodes."""
    wanted: Counter[str] = Counter()
    for found in pools:
        size = known(str(found.pool.properties.get("vmSize") or ""))
        missing = surges[found.pool.name] - len(found.surges)
        if size and missing > 0:
            wanted.update(dict.fromkeys((quotas.CORES, size.family), size.vcpus * missing))
    used = quotas.usages(azure, plain_location(location))
    left = {name: azure.quota(name) - used[name] for name in wanted}
    return {name: (cores, left[name]) for name, cores in wanted.items() if cores > left[name]}


def surges_within_quota(azure: Azure, cluster: Resource, pools: Iterable[PoolMachines]) -> dict[str, int]:
    """Pool -> the surge nodes that it gets: all that it asks for, or one where the quota does not have them."""
    found = [item for item in pools if item.outdated]
    surges = wanted_surges(found)
    if lacking(azure, cluster.body["location"], found, surges):
        return {name: min(1, number) for name, number in surges.items()}
    return surges


def refused_surges(azure: Azure, cluster: dict[str, Any], pools: Iterable[PoolMachines]) -> dict[str, tuple[int, int]]:
    """The quotas for whose lack an upgrade of a cluster with this body is refused."""
    found = list(pools)
    surges = wanted_surges(found)
    short = lacking(azure, cluster["location"], found, surges)
    if short and falls_back(str(cluster["properties"]["kubernetesVersion"])):
        return lacking(azure, cluster["location"], found, {name: min(1, number) for name, number in surges.items()})
    return short
