"""The sizes of VMs as Microsoft.Compute/skus describes them, and where they are.

Figures of the series that are marked were recorded from Azure (github.com/Azure/karpenter-provider-azure, pkg/fake/zz_generated.sku.*.go); the others
are those of learn.microsoft.com/azure/virtual-machines/sizes, with caches as far as they were recorded for a series of the same generation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..resources.subscription import zones_of

_ZONES = ("1", "2", "3")
#: a region without the newest series (recorded)
_LIMITED = "westcentralus"


@dataclass(frozen=True)
class Size:
    """One size. ``memory`` is in GB; ``temporary`` and ``nvme`` disks are in MiB, ``cache`` is in GiB."""

    name: str
    family: str
    vcpus: int
    memory: float
    temporary: int = 0
    cache: int = 0
    nvme: int = 0
    architecture: str = "x64"
    generations: str = "V1,V2"
    premium: bool = True
    ephemeral: bool = True
    zones: tuple[str, ...] = _ZONES
    everywhere: bool = True

    @property
    def placements(self) -> list[str]:
        """Where an ephemeral disk of the operating system may lie."""
        if not self.ephemeral or not (self.temporary or self.cache or self.nvme):
            return []
        return ["NvmeDisk"] if self.nvme else ["ResourceDisk", "CacheDisk"]

    def ephemeral_bytes(self) -> int:
        """The largest ephemeral disk of the operating system; 0 where none is supported."""
        return max(self.temporary * 2**20, self.cache * 2**30, self.nvme * 2**20) if self.placements else 0

    def zones_in(self, location: str) -> tuple[str, ...]:
        return tuple(zone for zone in self.zones if zone in zones_of(location))

    def capabilities(self) -> list[dict[str, str]]:
        found = {
            "MaxResourceVolumeMB": str(self.temporary),
            "OSVhdSizeMB": "1047552",
            "vCPUs": str(self.vcpus),
            "HyperVGenerations": self.generations,
            "MemoryGB": f"{self.memory:g}",
            "CpuArchitectureType": self.architecture,
            "PremiumIO": str(self.premium),
            "vCPUsAvailable": str(self.vcpus),
            "EphemeralOSDiskSupported": str(bool(self.placements)),
            "EncryptionAtHostSupported": str(self.premium),
            "AcceleratedNetworkingEnabled": str(self.vcpus > 1),
        }
        if self.placements:
            found["SupportedEphemeralOSDiskPlacements"] = ",".join(self.placements)
        if self.cache:
            found["CachedDiskBytes"] = str(self.cache * 2**30)
        if self.nvme:
            found["NvmeDiskSizeInMiB"] = str(self.nvme)
        return [{"name": name, "value": value} for name, value in found.items()]


def _series(
    name: str, family: str, counts: Iterable[int], memory: int, *, temporary: int = 0, cache: int = 0, nvme: int = 0, **more: Any
) -> list[Size]:
    """The sizes of a series, whose memory and disks grow with its vCPUs; ``name`` has braces in their place."""
    return [
        Size(f"Standard_{name.format(count)}", family, count, memory * count, temporary * count, cache * count, nvme * count, **more)
        for count in counts
    ]


_ARM: dict[str, Any] = {"architecture": "Arm64", "generations": "V2"}
_OLD: dict[str, Any] = {"generations": "V1", "premium": False, "ephemeral": False}
SIZES = {
    size.name.lower(): size
    for size in [
        *_series("D{}ds_v5", "standardDDSv5Family", (2, 4, 8, 16, 32, 48, 64, 96), 4, temporary=38400, cache=25),
        *_series("D{}ads_v5", "standardDADSv5Family", (2, 4, 8, 16), 4, temporary=38400, cache=25),
        *_series("D{}s_v5", "standardDSv5Family", (2, 4, 8, 16), 4),
        *_series("D{}as_v5", "standardDASv5Family", (2, 4, 8, 16), 4),
        *_series("D{}_v5", "standardDv5Family", (2,), 4, premium=False),  # recorded
        *_series("D{}pds_v5", "standardDPDSv5Family", (2, 4, 8), 4, temporary=38400, cache=25, **_ARM),
        *_series("D{}plds_v5", "standardDPLDSv5Family", (16,), 2, temporary=38400, cache=25, **_ARM),  # recorded
        *_series("D{}ds_v6", "StandardDdsv6Family", (2, 4, 8, 128), 4, nvme=56320, generations="V2", everywhere=False),  # recorded: 128
        *_series("D{}as_v6", "standardDav6Family", (2, 4), 4, generations="V2", zones=("2", "3")),  # recorded: 2
        *_series("D{}s_v3", "standardDSv3Family", (2, 4, 8, 64), 4, temporary=8192, cache=25),  # recorded: 2, 4, 64
        *_series("E{}s_v5", "standardESv5Family", (2, 4, 8), 8),
        *_series("E{}ds_v5", "standardEDSv5Family", (2, 4, 8), 8, temporary=38400, cache=25),
        *_series("F{}s_v2", "standardFSv2Family", (2, 4, 8, 16), 2, temporary=8192, cache=16),  # recorded: 16
        *_series("DC{}s_v2", "standardDCSv2Family", (1, 2, 4, 8), 4, temporary=51200, generations="V2"),
        *_series("DC{}s_v3", "standardDCSv3Family", (2, 4, 8), 8, generations="V2", zones=("1",)),  # recorded: 8
        Size("Standard_DS2_v2", "standardDSv2Family", 2, 7, 14336, 86),  # recorded
        Size("Standard_D2_v2", "standardDv2Family", 2, 7, 102400, **_OLD),  # recorded
        Size("Standard_D2_v3", "standardDv3Family", 2, 8, 51200, **_OLD),  # recorded
        Size("Standard_A0", "standardA0_A7Family", 1, 0.75, 20480, **_OLD, zones=()),  # recorded
        Size("Standard_B1s", "standardBSFamily", 1, 1, 4096, 30),  # recorded
        Size("Standard_B2s", "standardBSFamily", 2, 4, 8192, 30),
        *[Size(f"Standard_B{count}ms", "standardBSFamily", count, 4 * count, 8192 * count, 30) for count in (2, 4, 8, 20)],  # recorded: 20
        Size("Standard_NC16as_T4_v3", "Standard NCASv3_T4 Family", 16, 110, 360448, 144, everywhere=False),  # recorded
    ]
}
FAMILIES = sorted({size.family for size in SIZES.values()})
#: sizes that the subscription may not use in a region (recorded)
_CLOSED = {(_LIMITED, "standard_a0")}


def known(name: str) -> Size | None:
    return SIZES.get(name.lower())


def is_closed(size: Size, location: str) -> bool:
    return (location, size.name.lower()) in _CLOSED


def sizes_in(location: str) -> list[Size]:
    """The sizes that a region has, whether or not the subscription may use them."""
    return [size for size in SIZES.values() if size.everywhere or location != _LIMITED]


def described(size: Size, location: str) -> dict[str, Any]:
    """A size in a region as Azure lists it."""
    restriction = {
        "type": "Location",
        "values": [location],
        "restrictionInfo": {"locations": [location], "zones": []},
        "reasonCode": "NotAvailableForSubscription",
    }
    return {
        "resourceType": "virtualMachines",
        "name": size.name,
        "tier": "Standard",
        "size": size.name.removeprefix("Standard_"),
        "family": size.family,
        "locations": [location],
        "locationInfo": [{"location": location, "zones": list(size.zones_in(location)), "zoneDetails": []}],
        "capabilities": size.capabilities(),
        "restrictions": [restriction] if is_closed(size, location) else [],
    }
