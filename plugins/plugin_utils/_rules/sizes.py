"""Rules of VM sizes: what Azure describes of the sizes of pools that a run would create, in their region and for the subscription.

This file is private to the collection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .._azure.agent_pools import agent_pool_profile
from . import Answer, Chapter, Finding
from .aks import nodes_with_surge

_SIZES = "https://learn.microsoft.com/azure/aks/aks-virtual-machine-sizes"
_ZONES = "https://learn.microsoft.com/azure/aks/availability-zones"
_DISKS = "https://learn.microsoft.com/azure/aks/concepts-storage#ephemeral-os-disk"
_QUOTAS = "https://learn.microsoft.com/azure/quotas/per-vm-quota-requests"

#: GiB that AKS makes the disk of a node whose pool does not say
DEFAULT_DISK_GIB = 128
#: mode of a pool -> the memory that its nodes need, in GB
_LEAST_MEMORY = {"System": 4, "User": 2}


@dataclass(frozen=True)
class Size:
    """A VM size in one region, from the answer of Microsoft.Compute/skus: ``zones`` are those that the subscription may use, ``ephemeral_gib`` is the
    largest disk of the operating system that fits on the node itself, 0 for none; memory is in GB."""

    name: str
    family: str
    is_restricted: bool
    zones: frozenset[str]
    vcpus: int
    memory: float
    ephemeral_gib: float
    architecture: str
    generations: frozenset[str]


def size_of(sku: Mapping[str, Any]) -> Size:
    """Source: learn.microsoft.com/rest/api/compute/resource-skus/list."""
    capabilities = {str(found["name"]): str(found["value"]) for found in sku.get("capabilities") or ()}
    restrictions = list(sku.get("restrictions") or ())
    zones = {str(zone) for place in sku.get("locationInfo") or () for zone in place.get("zones") or ()}
    closed = {str(zone) for found in restrictions if found["type"] == "Zone" for zone in (found.get("restrictionInfo") or {}).get("zones") or ()}
    return Size(
        name=str(sku["name"]),
        family=str(sku.get("family") or ""),
        is_restricted=any(found["type"] == "Location" for found in restrictions),
        zones=frozenset(zones - closed),
        vcpus=int(capabilities.get("vCPUs", 0)),
        memory=float(capabilities.get("MemoryGB", 0)),
        ephemeral_gib=_ephemeral_gib(capabilities),
        architecture=capabilities.get("CpuArchitectureType", "x64"),
        generations=frozenset(capabilities.get("HyperVGenerations", "V1").split(",")),
    )


def _ephemeral_gib(capabilities: Mapping[str, str]) -> float:
    """AKS takes the cache, the temporary disk or the NVMe disks, whichever has room (github.com/Azure/AKS/issues/4597)."""
    if capabilities.get("EphemeralOSDiskSupported") != "True":
        return 0
    room = {
        "CacheDisk": int(capabilities.get("CachedDiskBytes", 0)) / 2**30,
        "ResourceDisk": int(capabilities.get("MaxResourceVolumeMB", 0)) / 2**10,
        "NvmeDisk": int(capabilities.get("NvmeDiskSizeInMiB", 0)) / 2**10,
    }
    placements = capabilities.get("SupportedEphemeralOSDiskPlacements", "CacheDisk,ResourceDisk").split(",")
    return max(room.get(placement, 0) for placement in placements)


@dataclass(frozen=True)
class NewPools:
    """Pools that a run would create, in the form of ``aks_node_pools``, and what Azure answered of their sizes and of the region's quotas."""

    location: str
    pools: Sequence[Mapping[str, Any]]
    pool_defaults: Mapping[str, Any]
    skus: Answer
    usages: Answer

    @cached_property
    def sizes(self) -> dict[str, Size]:
        """Name in lower case -> size."""
        found = (size_of(sku) for sku in self.skus.body.get("value") or ())
        return {size.name.lower(): size for size in found}

    @cached_property
    def profiles(self) -> list[dict[str, Any]]:
        """The pools as AKS gets them."""
        return [agent_pool_profile(pool, self.pool_defaults) for pool in self.pools]

    def sized(self) -> Iterator[tuple[str, dict[str, Any], Size]]:
        """Subject, profile and size of each pool whose size Azure describes; `vm_size` reports the others."""
        for profile in self.profiles:
            size = self.sizes.get(profile["vmSize"].lower())
            if size:
                yield f"aks_node_pools.{profile['name']}", profile, size

    def cores(self, nodes: Callable[[Mapping[str, Any]], int]) -> Counter[str]:
        """vCPUs by quota, with ``nodes`` of each pool: those of the region and of each family."""
        found: Counter[str] = Counter()
        for _subject, profile, size in self.sized():
            found.update({name: size.vcpus * nodes(profile) for name in ("cores", size.family)})
        return found

    def exceeded(self, cores: Mapping[str, int]) -> Iterator[str]:
        """What each quota that so many more vCPUs exceed has left, in words."""
        return exceeded(self.usages, cores)


def exceeded(usages: Answer, cores: Mapping[str, int]) -> Iterator[str]:
    """What each quota that so many more vCPUs exceed has left, in words; ``usages`` are those of Microsoft.Compute in the region."""
    wanted = {name.lower(): number for name, number in cores.items()}
    for usage in usages.body.get("value") or ():
        used, limit, name = int(usage["currentValue"]), int(usage["limit"]), str(usage["name"]["value"])
        number = wanted.get(name.lower(), 0)
        if number and used + number > limit:
            which = "in the region" if name == "cores" else f"of the family {name}"
            yield f"{number} cores, but {used} of {limit} {which} are in use"


CHAPTER = Chapter[NewPools]("aks")
rule = CHAPTER.rule


@rule("use a size that az vm list-skus --location lists without restrictions, or ask Azure to enable the size for the subscription", _SIZES)
def vm_size(new: NewPools) -> Iterator[Finding]:
    """A VM size that the region does not offer, or that the subscription may not use there."""
    for profile in new.profiles if new.skus.exists else ():
        size, subject = new.sizes.get(profile["vmSize"].lower()), f"aks_node_pools.{profile['name']}.vm_size"
        if size is None:
            yield subject, f"{new.location} does not offer {profile['vmSize']}"
        elif size.is_restricted:
            yield subject, f"the subscription may not use {size.name} in {new.location}"


@rule("use zones that have this size, or another size", _ZONES)
def vm_size_zones(new: NewPools) -> Iterator[Finding]:
    """Zones without the VM size, or that the region does not have."""
    for subject, profile, size in new.sized():
        missing = sorted(set(map(str, profile.get("availabilityZones") or ())) - size.zones)
        if missing and size.zones:
            yield (
                f"{subject}.zones",
                f"{size.name} is in the zones {', '.join(sorted(size.zones))} of {new.location}, but not in {', '.join(missing)}",
            )
        elif missing:
            yield (
                f"{subject}.zones",
                f"no zone of {new.location} has {size.name}",
                "use another region or size, or set zones to []: then the loss of one data center may stop all nodes of the pool",
            )


@rule("remove os_disk_type to get a managed disk, or use another size", _DISKS)
def ephemeral_os_disk(new: NewPools) -> Iterator[Finding]:
    """An ephemeral operating system disk on a VM size without room for it."""
    for subject, profile, size in new.sized():
        wanted = profile.get("osDiskSizeGB") or DEFAULT_DISK_GIB
        if profile.get("osDiskType") == "Ephemeral" and wanted > size.ephemeral_gib:
            if size.ephemeral_gib:
                yield (
                    f"{subject}.os_disk_type",
                    f"Ephemeral, but {size.name} has room for {size.ephemeral_gib:.0f} of {wanted} GiB",
                    f"set os_disk_size_gb to {size.ephemeral_gib:.0f} or less, remove os_disk_type, or use another size",
                )
            else:
                yield f"{subject}.os_disk_type", f"Ephemeral, but {size.name} has no local disk"


@rule("use a size with at least 2 vCPUs, and 4 GB of memory for a System pool or 2 GB for a User pool", _SIZES)
def vm_size_minimum(new: NewPools) -> Iterator[Finding]:
    """A VM size that is too small for AKS."""
    for subject, profile, size in new.sized():
        if size.vcpus < 2 or size.memory < _LEAST_MEMORY[profile["mode"]]:
            yield f"{subject}.vm_size", f"{size.name} has {size.vcpus} vCPU and {size.memory:g} GB for a {profile['mode']} pool"


@rule("use an x64 size of VM generation 1, or Windows2025", _SIZES)
def windows_vm_size(new: NewPools) -> Iterator[Finding]:
    """A Windows pool on Arm64, or with an image that does not support the size's VM generation."""
    for subject, profile, size in new.sized():
        if profile["osType"] != "Windows":
            continue
        if size.architecture != "x64":
            yield f"{subject}.vm_size", f"Windows on {size.name}, which is {size.architecture}", "use an x64 size"
        elif profile["osSKU"] != "Windows2025" and "V1" not in size.generations:
            yield f"{subject}.os_sku", f"{profile['osSKU']} on {size.name}, which supports only VM generation 2"


@rule("request more quota in this region, or use smaller or fewer nodes", _QUOTAS)
def core_quota(new: NewPools) -> Iterator[Finding]:
    """New pools that start with more vCPUs than the subscription's quota in the region, or for the family of sizes, allows."""
    for found in new.exceeded(new.cores(lambda profile: int(profile["count"]))):
        yield "aks_node_pools", f"the pools start with {found}"


def warnings(new: NewPools) -> Iterator[str]:
    """What does not stop a run, and what an operator should know of it."""
    for subject, profile, size in new.sized():
        wanted = profile.get("osDiskSizeGB") or DEFAULT_DISK_GIB
        if "osDiskType" not in profile and wanted > size.ephemeral_gib:
            yield f"{subject}: {size.name} has room for {size.ephemeral_gib:.0f} of {wanted} GiB, so its nodes get managed disks."
        if not profile.get("availabilityZones"):
            yield f"{subject}: it has no zones, so the loss of one data center may stop all of its nodes."
    if not any(core_quota(new)):
        grown = {pool["name"]: nodes_with_surge(pool) for pool in new.pools}
        for found in new.exceeded(new.cores(lambda profile: grown[profile["name"]])):
            yield f"aks_node_pools: with all nodes and upgrade surge, the pools need {found}; request more quota before they grow."
