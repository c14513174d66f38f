"""What pools refuse of VM sizes: those that a region lacks, zones and disks that a size lacks, and cores that the quota lacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from ... import ids
from ...azure import plain_location
from ...compute import quotas
from ...compute.sizes import Size, is_closed, known, sizes_in
from ...kinds import Write
from ...rules import rule
from ..types import CLUSTER, POOL
from .shared import pools_of, refusal

_SIZES = "learn.microsoft.com/azure/aks/aks-virtual-machine-sizes"
_DISKS = "github.com/Azure/AKS/issues/4597"
_GIB = 2**30


def _new_pools(write: Write) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and properties of the pools that a write of a cluster or of a pool would create."""
    if write.type == POOL:
        if write.before is None:
            yield ids.parse(write.id).name, write.properties
        return
    there = {pool.name.lower() for pool in write.azure.store.children(write.id, "agentPools")}
    yield from ((pool["name"], pool) for pool in pools_of(write) if pool["name"].lower() not in there)


def _location(write: Write) -> str:
    owner = write.body if write.type == CLUSTER else write.azure.get(ids.parse(write.id).parent).body
    return plain_location(owner["location"])


def _for_clusters_and_pools(identifier: str, source: str) -> Callable[[Callable[[Write], None]], Callable[[Write], None]]:
    """Decorator: a rule of pools in a cluster's body, and of pools on their own."""

    def register(check: Callable[[Write], None]) -> Callable[[Write], None]:
        rule(f"aks-cluster-{identifier}", CLUSTER, source)(check)
        return rule(f"aks-pool-{identifier}", POOL, source)(check)

    return register


def _sized(write: Write) -> Iterator[tuple[str, dict[str, Any], Size]]:
    """New pools whose size is known; `vm-size` refuses the others."""
    for name, pool in _new_pools(write):
        size = known(pool.get("vmSize") or "")
        if size:
            yield name, pool, size


@_for_clusters_and_pools("vm-size", _SIZES)
def region_has_the_size(write: Write) -> None:
    """The message is as users of az aks create quote it."""
    location = _location(write)
    offered = [size for size in sizes_in(location) if not is_closed(size, location)]
    for _name, pool in _new_pools(write):
        if pool.get("vmSize") and pool["vmSize"].lower() not in {size.name.lower() for size in offered}:
            raise refusal(
                "BadRequest",
                f"The VM size of {pool['vmSize']} is not allowed in your subscription in location '{location}'. "
                f"The available VM sizes are '{','.join(sorted(size.name.lower() for size in offered))}'.",
                "agentPoolProfile.vmSize",
            )


@_for_clusters_and_pools("zones", "github.com/jenkins-infra/azure/pull/1458")
def size_is_in_the_zones(write: Write) -> None:
    """Source of the other message: github.com/cloud-barista/cb-spider/issues/1246."""
    location, target = _location(write), "agentPoolProfile.availabilityZone"
    for name, pool, size in _sized(write):
        offered = size.zones_in(location)
        missing = sorted(set(pool.get("availabilityZones") or []) - set(offered))
        if missing and not offered:
            raise refusal("AvailabilityZoneNotSupported", f"Availability zone is not supported in region {location}.", target)
        if missing:
            raise refusal(
                "AvailabilityZoneNotSupported",
                f"The zone(s) '{','.join(missing)}' for resource '{name}' is not supported. "
                f"The supported zones for location '{location}' are '{','.join(offered)}'",
                target,
            )


@_for_clusters_and_pools("vm-fit", _SIZES)
def size_fits_the_pool(write: Write) -> None:
    """The codes are assumed."""
    for name, pool, size in _sized(write):
        least = 4 if pool["mode"] == "System" else 2
        if size.vcpus < 2 or size.memory < least:
            raise refusal("VMSizeTooSmall", f"Pool {name} of mode {pool['mode']} needs 2 vCPUs and {least} GB; {size.name} has less.", "vmSize")
        second_only = pool["osSKU"] != "Windows2025" and "V1" not in size.generations
        if pool["osType"] == "Windows" and (size.architecture != "x64" or second_only):
            raise refusal("VMSizeNotSupported", f"Windows agent pool {name} with OSSKU {pool['osSKU']} is not supported on {size.name}.", "vmSize")


@_for_clusters_and_pools("ephemeral-disk", _DISKS)
def disk_fits_on_the_node(write: Write) -> None:
    """Source of the other message: github.com/Azure/AKS/issues/2694."""
    for _name, pool, size in _sized(write):
        if pool["osDiskType"] != "Ephemeral":
            continue
        wanted = pool["osDiskSizeGB"] * _GIB
        if not size.placements:
            raise refusal(
                "VMSizeDoesNotSupportEphemeralOS", f"The Virtual Machine size {size.name} does not support Ephemeral OS disk.", "osDiskType"
            )
        if wanted > size.ephemeral_bytes():
            raise refusal(
                "VMCannotFitEphemeralOSDisk",
                f"The virtual machine size {size.name} has a cache size of {size.cache * _GIB} bytes and temporary disk size of "
                f"{size.temporary * 2**20} bytes, but the OS disk requires {wanted} bytes. Use a VM size with larger cache, larger temp disk, "
                "or disable ephemeral OS.",
                "osDiskType",
            )


@_for_clusters_and_pools("core-quota", "learn.microsoft.com/azure/aks/quotas-skus-regions")
def quota_has_the_cores(write: Write) -> None:
    """Source of the code: error reports of az aks create, as in Azure/AKS."""
    location, wanted = _location(write), Counter[str]()
    for _name, pool, size in _sized(write):
        wanted.update(dict.fromkeys((quotas.CORES, size.family), size.vcpus * pool["count"]))
    used = quotas.usages(write.azure, location)
    for name, cores in wanted.items():
        left = write.azure.quota(name) - used[name]
        if cores > left and name == quotas.CORES:
            raise refusal(
                "ErrCode_InsufficientVCPUQuota",
                f"Insufficient regional vcpu quota left for location {location}. left regional vcpu quota {left}, requested quota {cores}.",
            )
        if cores > left:
            raise refusal("ErrCode_InsufficientVCPUQuota", f"Insufficient vcpu quota requested {cores}, remaining {left} for family {name}.")
