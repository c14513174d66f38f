"""Running clusters as Azure answers them, for the tests of assessments and upgrades."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import Answer
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.upgrading import Upgrade
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.chain import Ranges, chain
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.facts import RunningCluster

SUBSCRIPTION = "/subscriptions/00000000-0000-4000-8000-000000000001"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-shop/providers"
NODES = f"{SUBSCRIPTION}/resourceGroups/MC_rg-shop_shop_westeurope"
CLUSTER_ID = f"{GROUP}/Microsoft.ContainerService/managedClusters/shop"
VNET_ID = f"{GROUP}/Microsoft.Network/virtualNetworks/hub"
SUBNET_ID = f"{VNET_ID}/subnets/aks"
NSG_ID = f"{GROUP}/Microsoft.Network/networkSecurityGroups/aks"
ROUTES_ID = f"{GROUP}/Microsoft.Network/routeTables/aks"
GATEWAY_ID = f"{GROUP}/Microsoft.Network/natGateways/aks"
RANGES = Ranges("10.128.0.0/16", "fd12:3456:789a:100::/64", "fd12:3456:789a:200::/108")

#: where pods get their addresses from -> what Azure answers of it
PROFILES: dict[str, dict[str, Any]] = {
    "overlay": {"networkPlugin": "azure", "networkPluginMode": "overlay", "podCidr": "10.244.0.0/16", "podCidrs": ["10.244.0.0/16"]},
    "node_subnet": {"networkPlugin": "azure"},
    "pod_subnet": {"networkPlugin": "azure"},
    "kubenet": {"networkPlugin": "kubenet", "podCidr": "10.244.0.0/16", "podCidrs": ["10.244.0.0/16"]},
    "none": {"networkPlugin": "none"},
}
POOL = {
    "name": "system",
    "mode": "System",
    "osType": "Linux",
    "type": "VirtualMachineScaleSets",
    "vmSize": "Standard_D4ds_v5",
    "count": 3,
    "maxPods": 30,
    "vnetSubnetID": SUBNET_ID,
    "currentOrchestratorVersion": "1.34.9",
    "provisioningState": "Succeeded",
    "powerState": {"code": "Running"},
    "upgradeSettings": {"maxSurge": "10%", "maxUnavailable": "0"},
}
SKUS = {
    "value": [
        {
            "name": "Standard_D4ds_v5",
            "family": "standardDDSv5Family",
            "capabilities": [{"name": "vCPUs", "value": "4"}, {"name": "MemoryGB", "value": "16"}],
        }
    ]
}


def usages(used: int, limit: int) -> dict[str, Any]:
    """vCPUs of the region."""
    return {"value": [{"name": {"value": "cores"}, "currentValue": used, "limit": limit}]}


def body(
    ipam: str = "overlay",
    policy: str = "none",
    *,
    families: Sequence[str] = ("IPv4",),
    pools: Sequence[Mapping[str, Any]] = ({},),
    profile: Mapping[str, Any] | None = None,
    properties: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A cluster; ``pools`` are what its pools have beside :data:`POOL`, ``profile`` and ``properties`` what it has beside the usual."""
    network = PROFILES[ipam] | {
        "networkPolicy": policy,
        "networkDataplane": "cilium" if policy == "cilium" else "azure",
        "ipFamilies": list(families),
        "serviceCidr": "10.0.0.0/16",
        "serviceCidrs": ["10.0.0.0/16"],
        "dnsServiceIP": "10.0.0.10",
        "outboundType": "loadBalancer",
        "loadBalancerProfile": {"managedOutboundIPs": {"count": 1}},
    }
    pod_subnet = {"podSubnetID": f"{VNET_ID}/subnets/pods"} if ipam == "pod_subnet" else {}
    found = {
        "id": CLUSTER_ID,
        "name": "shop",
        "location": "westeurope",
        "identity": {"type": "UserAssigned"},
        "sku": {"name": "Base", "tier": "Standard"},
        "properties": {
            "provisioningState": "Succeeded",
            "powerState": {"code": "Running"},
            "kubernetesVersion": "1.34",
            "currentKubernetesVersion": "1.34.9",
            "nodeResourceGroup": "MC_rg-shop_shop_westeurope",
            "agentPoolProfiles": [POOL | pod_subnet | dict(pool) for pool in pools],
            "networkProfile": network | dict(profile or {}),
            "aadProfile": {"managed": True, "enableAzureRBAC": True},
            **(properties or {}),
        },
        **more,
    }
    return copy.deepcopy(found)


def vnet(*subnets: Mapping[str, Any], prefixes: Sequence[str] = ("10.77.0.0/16",), **properties: Any) -> dict[str, Any]:
    """The network of the nodes, with the subnet ``aks``: what it has beside its prefix; others are added as they are."""
    [own, *others] = subnets or ({},)
    aks = {"id": SUBNET_ID, "name": "aks", "properties": {"addressPrefix": "10.77.4.0/22", **own}}
    return {
        "id": VNET_ID,
        "name": "hub",
        "location": "westeurope",
        "properties": {"addressSpace": {"addressPrefixes": list(prefixes)}, "subnets": [aks, *others], **properties},
    }


def running(
    found: Mapping[str, Any] | None = None, objects: Mapping[str, Sequence[Mapping[str, Any]]] | None = None, **answers: Any
) -> RunningCluster:
    """A cluster and what is around it; ``answers`` are bodies by the kind of read: ``network``, ``group``, ``routes``, ``gateway``, or by name."""
    names = {"network": VNET_ID, "group": NSG_ID, "routes": ROUTES_ID, "gateway": GATEWAY_ID}
    read = {"cluster": found or body(), "network": vnet(), "sizes": SKUS, "usages": usages(12, 100), **answers}
    known = {f"{name} {names[name].lower()}" if name in names else name: Answer(True, value) for name, value in read.items() if value is not None}
    return RunningCluster(CLUSTER_ID, known, objects or {})


def upgrade(
    found: Mapping[str, Any] | None = None,
    objects: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    *,
    policies: str = "keep",
    pods: str = "10.128.0.0/16",
    **answers: Any,
) -> Upgrade:
    """What the rules look at."""
    cluster = running(found, objects, **answers)
    return Upgrade(cluster, chain(cluster.body, policies, RANGES), pods)
