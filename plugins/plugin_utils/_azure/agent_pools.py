"""Node pools: the inventory's names on one side, AKS' on the other.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEFAULT_VM_SIZE = "Standard_D4ds_v5"


def agent_pool_profile(pool: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """A pool of the variable ``aks_node_pools`` as ``agentPoolProfiles`` takes it; ``defaults`` are ``subnet_id``, ``os_sku`` and ``max_pods``.

    Source: learn.microsoft.com/rest/api/aks/agent-pools/create-or-update. Raises :class:`KeyError` for a pool without a required key.
    """
    return {
        "name": pool["name"],
        "mode": pool.get("mode", "User"),
        "type": "VirtualMachineScaleSets",
        "vmSize": pool.get("vm_size", DEFAULT_VM_SIZE),
        "osType": pool.get("os_type", "Linux"),
        "osSKU": pool.get("os_sku", defaults["os_sku"]),
        "osDiskType": pool.get("os_disk_type", "Ephemeral"),
        "vnetSubnetID": defaults["subnet_id"],
        "availabilityZones": pool["zones"],
        "maxPods": pool.get("max_pods", defaults["max_pods"]),
        "enableAutoScaling": True,
        "count": pool.get("count", pool["min_count"]),
        "minCount": pool["min_count"],
        "maxCount": pool["max_count"],
        "nodeLabels": pool.get("labels", {}),
        "nodeTaints": pool.get("taints", []),
        "upgradeSettings": {"maxSurge": str(pool.get("max_surge", "33%"))},
    }
