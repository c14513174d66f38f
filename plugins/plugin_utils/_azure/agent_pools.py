"""Node pools: the inventory's names on one side, AKS' on the other.

This file is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

DEFAULT_VM_SIZE = "Standard_D4ds_v5"
#: nodes that an upgrade adds to a pool whose declaration does not say
DEFAULT_MAX_SURGE = "33%"
#: Windows image -> the oldest and the newest minor version of Kubernetes 1 that AKS runs on it; None where no end is announced.
#: github.com/Azure/AKS/issues/4268 and 5904, AKS' release notes of June 2026, learn.microsoft.com/azure/aks/upgrade-windows-os
WINDOWS_IMAGES: dict[str, tuple[int, int | None]] = {"Windows2019": (14, 32), "Windows2022": (23, 36), "Windows2025": (32, None)}


def minor_version(version: str) -> int | None:
    """The minor version of Kubernetes 1; None for what is no version, as for an empty one."""
    match = re.match(r"1\.(\d+)", version)
    return int(match[1]) if match else None


def windows_image(version: str) -> str:
    """The image of a Windows pool that names none: Windows2022, AKS' own default, as long as it runs this Kubernetes version."""
    minor, (_unused, newest) = minor_version(version), WINDOWS_IMAGES["Windows2022"]
    return "Windows2025" if minor is not None and newest is not None and minor > newest else "Windows2022"


def agent_pool_profile(pool: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """A pool of the variable ``aks_node_pools`` as ``agentPoolProfiles`` takes it; ``defaults`` are ``subnet_id``, ``os_sku``, ``max_pods`` and
    ``kubernetes_version``.

    What is left out is AKS' to choose: an ephemeral disk where the VM size has room for it, and no zones in a region without them.
    Source: learn.microsoft.com/rest/api/aks/agent-pools/create-or-update. Raises :class:`KeyError` for a pool without a required key.
    """
    image = windows_image(str(defaults.get("kubernetes_version") or "")) if pool.get("os_type") == "Windows" else defaults["os_sku"]
    chosen = {
        "osDiskType": pool.get("os_disk_type"),
        "osDiskSizeGB": pool.get("os_disk_size_gb"),
        "availabilityZones": pool["zones"] or None,
    }
    return {
        "name": pool["name"],
        "mode": pool.get("mode", "User"),
        "type": "VirtualMachineScaleSets",
        "vmSize": pool.get("vm_size", DEFAULT_VM_SIZE),
        "osType": pool.get("os_type", "Linux"),
        "osSKU": pool.get("os_sku", image),
        "vnetSubnetID": defaults["subnet_id"],
        "maxPods": pool.get("max_pods", defaults["max_pods"]),
        "enableAutoScaling": True,
        "count": pool.get("count", pool["min_count"]),
        "minCount": pool["min_count"],
        "maxCount": pool["max_count"],
        "nodeLabels": pool.get("labels", {}),
        "nodeTaints": pool.get("taints", []),
        "upgradeSettings": {"maxSurge": str(pool.get("max_surge", DEFAULT_MAX_SURGE))},
    } | {name: value for name, value in chosen.items() if value is not None}
