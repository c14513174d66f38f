"""What a region offers, whatever the subscription holds: Kubernetes versions and VM sizes."""

from __future__ import annotations

from typing import Any

from .azure import Azure
from .containerservice import VERSIONS

#: vCPUs and GiB of the sizes that the samples, the tests and most readers' examples name (learn.microsoft.com/azure/virtual-machines/sizes)
SIZES = {
    "Standard_D2ds_v5": (2, 8),
    "Standard_D4ds_v5": (4, 16),
    "Standard_D8ds_v5": (8, 32),
    "Standard_D16ds_v5": (16, 64),
}
_FAMILY = "standardDDSv5Family"
_SUPPORT = ["KubernetesOfficial", "AKSLongTermSupport"]


def kubernetes_versions(azure: Azure, location: str) -> dict[str, Any]:
    """``locations/{location}/kubernetesVersions``: minor versions with their patches."""
    minors: dict[str, dict[str, Any]] = {}
    for version in sorted(set(VERSIONS.values())):
        minor = version.rpartition(".")[0]
        minors.setdefault(minor, {})[version] = {"upgrades": []}
    newest = max(minors, key=lambda minor: int(minor.partition(".")[2]))
    return {
        "values": [
            {"version": minor, "isDefault": minor == newest, "capabilities": {"supportPlan": _SUPPORT}, "patchVersions": patches}
            for minor, patches in minors.items()
        ]
    }


def orchestrators(azure: Azure, location: str) -> dict[str, Any]:
    """``locations/{location}/orchestrators`` (api-version 2019-08-01): the same in the shape of older clients."""
    versions = sorted(set(VERSIONS.values()))
    return {
        "id": f"{azure.subscription_id}/providers/Microsoft.ContainerService/locations/{location}/orchestrators",
        "name": "default",
        "type": "Microsoft.ContainerService/locations/orchestrators",
        "properties": {"orchestrators": [{"orchestratorType": "Kubernetes", "orchestratorVersion": version} for version in versions]},
    }


def skus(azure: Azure, locations: list[str]) -> dict[str, Any]:
    """``Microsoft.Compute/skus``: each size in each region, in three zones."""
    return {
        "value": [
            {
                "resourceType": "virtualMachines",
                "name": name,
                "tier": "Standard",
                "size": name.removeprefix("Standard_"),
                "family": _FAMILY,
                "locations": [location],
                "locationInfo": [{"location": location, "zones": ["1", "2", "3"], "zoneDetails": []}],
                "capabilities": [{"name": "vCPUs", "value": str(cores)}, {"name": "MemoryGB", "value": str(memory)}],
                "restrictions": [],
            }
            for location in locations
            for name, (cores, memory) in SIZES.items()
        ]
    }


def vm_sizes(azure: Azure, location: str) -> dict[str, Any]:
    """``locations/{location}/vmSizes``."""
    return {
        "value": [
            {
                "name": name,
                "numberOfCores": cores,
                "memoryInMB": memory * 1024,
                "osDiskSizeInMB": 1047552,
                "resourceDiskSizeInMB": cores * 38400,
                "maxDataDiskCount": cores * 2,
            }
            for name, (cores, memory) in SIZES.items()
        ]
    }
