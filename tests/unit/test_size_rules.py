"""Rules of VM sizes, with sizes as Microsoft.Compute/skus described them (recorded: github.com/Azure/karpenter-provider-azure, pkg/fake)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import Answer, Chapter, sizes

ZONES = ("1", "2", "3")


def sku(
    name: str, family: str, vcpus: int, memory: float, *, zones: Sequence[str] = ZONES, closed: Sequence[dict[str, Any]] = (), **more: str
) -> Any:
    capabilities = {"vCPUs": str(vcpus), "MemoryGB": f"{memory:g}", "CpuArchitectureType": "x64", "HyperVGenerations": "V1,V2"} | more
    return {
        "name": f"Standard_{name}",
        "family": family,
        "locationInfo": [{"location": "westeurope", "zones": [*zones]}],
        "restrictions": [*closed],
        "capabilities": [{"name": key, "value": value} for key, value in capabilities.items()],
    }


BOTH: dict[str, Any] = {"EphemeralOSDiskSupported": "True", "SupportedEphemeralOSDiskPlacements": "ResourceDisk,CacheDisk"}
NONE: dict[str, Any] = {"EphemeralOSDiskSupported": "False", "MaxResourceVolumeMB": "0"}
LOCATION = {"type": "Location", "values": ["westeurope"], "restrictionInfo": {"locations": ["westeurope"], "zones": []}}
ZONE = {"type": "Zone", "values": ["westeurope"], "restrictionInfo": {"locations": ["westeurope"], "zones": ["3"]}}
SKUS = [
    sku("D4ds_v5", "standardDDSv5Family", 4, 16, MaxResourceVolumeMB="153600", CachedDiskBytes="107374182400", **BOTH),
    sku("D2as_v6", "standardDav6Family", 2, 8, zones=["2", "3"], **NONE | {"HyperVGenerations": "V2"}),
    sku("D2_v5", "standardDv5Family", 2, 8, closed=[ZONE], **NONE),
    sku("D2_v2", "standardDv2Family", 2, 7, zones=[], EphemeralOSDiskSupported="False", MaxResourceVolumeMB="102400", HyperVGenerations="V1"),
    sku("D16plds_v5", "standardDPLDSv5Family", 16, 32, MaxResourceVolumeMB="614400", **BOTH | {"CpuArchitectureType": "Arm64"}),
    sku("DS2_v2", "standardDSv2Family", 2, 7, MaxResourceVolumeMB="14336", CachedDiskBytes="92341796864", **BOTH),
    sku("B1s", "standardBSFamily", 1, 1, MaxResourceVolumeMB="4096", CachedDiskBytes="32212254720", **BOTH),
    sku("B2s", "standardBSFamily", 2, 4, MaxResourceVolumeMB="8192", CachedDiskBytes="32212254720", **BOTH),
    sku("F2s_v2", "standardFSv2Family", 2, 4, MaxResourceVolumeMB="16384"),
    sku("A0", "standardA0_A7Family", 1, 0.75, zones=[], closed=[LOCATION], EphemeralOSDiskSupported="False"),
    sku(
        "D128ds_v6", "StandardDdsv6Family", 128, 512, EphemeralOSDiskSupported="True", MaxResourceVolumeMB="0",
        SupportedEphemeralOSDiskPlacements="NvmeDisk", NvmeDiskSizeInMiB="7208960",
    ),
]  # fmt: skip
DEFAULTS = {"subnet_id": "/s", "os_sku": "Ubuntu", "max_pods": 110, "kubernetes_version": "1.36"}


def usages(**counted: tuple[int, int]) -> Answer:
    return Answer(True, {"value": [{"name": {"value": name}, "currentValue": used, "limit": limit} for name, (used, limit) in counted.items()]})


DESCRIBED, UNLIMITED = Answer(True, {"value": SKUS}), Answer(True)


def new_pools(*pools: dict[str, Any], skus: Answer = DESCRIBED, quotas: Answer = UNLIMITED) -> sizes.NewPools:
    """Pools that a run would create: two nodes of Standard_D4ds_v5 where they do not say."""
    declared = [{"name": f"p{number}", "min_count": 2, "max_count": 3, "zones": ["2", "3"], **pool} for number, pool in enumerate(pools)]
    return sizes.NewPools("westeurope", declared, DEFAULTS, skus, quotas)


#: rule -> its chapter, facts that break it, and facts just inside it
CASES: dict[str, tuple[Chapter[Any], Any, Any]] = {
    name: (sizes.CHAPTER, broken, kept)
    for name, broken, kept in (
        ("vm_size", new_pools({"vm_size": "Standard_D4ds_v9"}), new_pools({"vm_size": "STANDARD_d4ds_V5"})),
        ("vm_size_zones", new_pools({"vm_size": "Standard_D2as_v6", "zones": ["1", "2"]}), new_pools({"vm_size": "Standard_D2as_v6"})),
        (
            "ephemeral_os_disk",
            new_pools({"vm_size": "Standard_DS2_v2", "os_disk_type": "Ephemeral"}),
            new_pools({"vm_size": "Standard_DS2_v2", "os_disk_type": "Ephemeral", "os_disk_size_gb": 86}, {"vm_size": "Standard_DS2_v2"}),
        ),
        ("vm_size_minimum", new_pools({"vm_size": "Standard_B1s"}), new_pools({"vm_size": "Standard_B2s", "mode": "System"})),
        (
            "windows_vm_size",
            new_pools({"vm_size": "Standard_D2as_v6", "os_type": "Windows"}),
            new_pools({"vm_size": "Standard_D2as_v6", "os_type": "Windows", "os_sku": "Windows2025"}, {"os_type": "Windows"}),
        ),
        (
            "core_quota",
            new_pools({"count": 3}, quotas=usages(cores=(89, 100))),
            new_pools({"count": 3}, quotas=usages(cores=(88, 100), standardDDSv5Family=(0, 12))),
        ),
    )
}

#: what is found, in more ways to break a rule
FOUND = {
    "12 cores, but 90 of 100 in the region are in use": new_pools({}, {"min_count": 1}, quotas=usages(cores=(90, 100))),
    "8 cores, but 3 of 10 of the family STANDARDDDSv5Family are in use": new_pools({}, quotas=usages(STANDARDDDSv5Family=(3, 10))),
    "in the zones 1, 2 of westeurope, but not in 3": new_pools({"vm_size": "Standard_D2_v5"}),
    "no zone of westeurope has Standard_D2_v2": new_pools({"vm_size": "Standard_D2_v2"}),
    "Standard_D2_v5 has no local disk": new_pools({"vm_size": "Standard_D2_v5", "zones": ["1"], "os_disk_type": "Ephemeral"}),
    "Standard_D4ds_v5 has room for 150 of 151 GiB": new_pools({"os_disk_type": "Ephemeral", "os_disk_size_gb": 151}),
    "Standard_F2s_v2 has no local disk": new_pools({"vm_size": "Standard_F2s_v2", "os_disk_type": "Ephemeral", "os_disk_size_gb": 30}),
    "Standard_D16plds_v5, which is Arm64": new_pools({"vm_size": "Standard_D16plds_v5", "os_type": "Windows", "os_sku": "Windows2025"}),
}


@pytest.mark.parametrize("words", FOUND)
def test_found(words: str) -> None:
    [violation] = sizes.CHAPTER.violations(FOUND[words])
    assert words in violation.found


def test_a_size_that_the_subscription_may_not_use() -> None:
    found = [violation.found for violation in sizes.CHAPTER.violations(new_pools({"vm_size": "Standard_A0", "zones": []}))]
    assert found == ["the subscription may not use Standard_A0 in westeurope", "Standard_A0 has 1 vCPU and 0.75 GB for a User pool"]


@pytest.mark.parametrize(
    ("name", "room"), [("D4ds_v5", 150), ("DS2_v2", 86), ("B2s", 30), ("D128ds_v6", 7040), ("D2as_v6", 0), ("D2_v2", 0), ("F2s_v2", 0)]
)
def test_the_largest_ephemeral_disk_is_the_largest_place_for_it(name: str, room: int) -> None:
    assert new_pools().sizes[f"standard_{name.lower()}"].ephemeral_gib == room


def test_sizes_that_cannot_be_read_are_not_refused() -> None:
    assert sizes.CHAPTER.violations(new_pools({"vm_size": "Standard_D4ds_v9"}, skus=Answer(False, {}, "AuthorizationFailed: no"))) == []


@pytest.mark.parametrize(
    ("pool", "quotas", "words"),
    [
        ({"vm_size": "Standard_DS2_v2"}, {}, "Standard_DS2_v2 has room for 86 of 128 GiB, so its nodes get managed disks"),
        ({"zones": []}, {}, "it has no zones, so the loss of one data center may stop all of its nodes"),
        ({"max_count": 6}, {"cores": (0, 31)}, "the pools need 32 cores, but 0 of 31 in the region are in use"),
        ({"max_count": 6}, {"cores": (0, 32)}, ""),
        ({"vm_size": "Standard_DS2_v2", "os_disk_type": "Managed"}, {}, ""),
        ({"max_count": 6}, {"cores": (0, 7)}, ""),
    ],
)
def test_warnings(pool: dict[str, Any], quotas: dict[str, tuple[int, int]], words: str) -> None:
    found = list(sizes.warnings(new_pools(pool, quotas=usages(**quotas))))
    assert (words in found[0] and len(found) == 1) if words else found == []
