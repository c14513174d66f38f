"""What to read of Azure and of the cluster, given what has been read.

This file is private to the collection.

Everything is found from the cluster: who made what is around it, and under which name, does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._azure.locks import locks_of
from .._resource_id import folded
from .._rules import Answer

#: reads that may each lead to more: the cluster, its networks, and what their subnets name
ROUNDS = 3

#: kind -> API version of what is read in the cluster, of all namespaces; the roles that read them: AKS RBAC Reader for all but the last two,
#: custom resources, which only RBAC Admin and the like see
OBJECTS = {
    "Service": "v1",
    "Ingress": "networking.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PodDisruptionBudget": "policy/v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "Gateway": "gateway.networking.k8s.io/v1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "CiliumNetworkPolicy": "cilium.io/v2",
    "CiliumClusterwideNetworkPolicy": "cilium.io/v2",
}
#: the ConfigMap that keeps a cluster from moving to overlay (learn.microsoft.com/azure/aks/update-azure-cni)
MASQUERADING = "azure-ip-masq-agent-config"

Answers = Mapping[str, Answer]


def wanted(cluster_id: str, answers: Answers) -> dict[str, dict[str, Any]]:
    """Name -> read, as ``azure_resources_info`` takes it, of what is still to be read; empty when nothing is."""
    return {name: read for name, read in _wanted(cluster_id, answers) if name not in answers}


def _wanted(cluster_id: str, answers: Answers) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "cluster", {"id": cluster_id}
    cluster = answers.get("cluster") or Answer(False)
    if not cluster.exists:
        return
    subscription, location = f"/subscriptions/{cluster_id.split('/')[2]}", folded(cluster.body.get("location"))
    properties = cluster.body.get("properties") or {}
    pools = properties.get("agentPoolProfiles") or ()
    compute = f"{subscription}/providers/Microsoft.Compute"
    sizes = sorted({str(pool.get("vmSize")) for pool in pools if pool.get("vmSize")}, key=str.lower)
    yield "usages", {"id": f"{compute}/locations/{location}/usages"}
    yield "sizes", {"id": f"{compute}/skus?$filter=location eq '{location}'", "names": sizes}
    yield "region", {"id": f"{subscription}/locations", "names": [location], "attributes": ["name", "availabilityZoneMappings"]}
    yield "locks", {"id": locks_of(subscription)}
    group = f"{subscription}/resourceGroups/{properties.get('nodeResourceGroup')}/providers/Microsoft.Network"
    yield "addresses", {"id": f"{group}/publicIPAddresses"}
    if any(not pool.get("vnetSubnetID") for pool in pools):
        yield "managed_networks", {"id": f"{group}/virtualNetworks"}
    if folded((properties.get("networkProfile") or {}).get("outboundType")) == "managednatgateway":
        yield "managed_gateways", {"id": f"{group}/natGateways"}
    for identifier in pool_subnets(cluster.body):
        network = identifier.rsplit("/", 2)[0]
        yield f"network {network.lower()}", {"id": network}
    for subnet in node_subnets(answers):
        found = subnet.get("properties") or {}
        for kind, reference in (("group", "networkSecurityGroup"), ("routes", "routeTable"), ("gateway", "natGateway")):
            identifier = str((found.get(reference) or {}).get("id") or "")
            if identifier:
                yield f"{kind} {identifier.lower()}", {"id": identifier}


def pool_subnets(body: Mapping[str, Any]) -> list[str]:
    """Ids of the subnets that pools name, each once, as they are spelled first."""
    found: dict[str, str] = {}
    for pool in (body.get("properties") or {}).get("agentPoolProfiles") or ():
        for name in ("vnetSubnetID", "podSubnetID"):
            if pool.get(name):
                found.setdefault(str(pool[name]).lower(), str(pool[name]))
    return list(found.values())


def networks_of(answers: Answers) -> list[Mapping[str, Any]]:
    """The virtual networks of the nodes: those of the pools' subnets, and the one that AKS made for pools that name none."""
    brought = [answer.body for name, answer in answers.items() if name.startswith("network ") and answer.exists]
    managed = answers.get("managed_networks")
    return brought + list((managed.body.get("value") or ()) if managed else ())


def node_subnets(answers: Answers) -> list[Mapping[str, Any]]:
    """The subnets that pools are in, as the networks have them."""
    named = {identifier.lower() for identifier in pool_subnets(answers["cluster"].body)} if "cluster" in answers else set()
    result: list[Mapping[str, Any]] = []
    for network in networks_of(answers):
        subnets = (network.get("properties") or {}).get("subnets") or ()
        own = [subnet for subnet in subnets if str(subnet.get("id")).lower() in named]
        # Of a network that AKS made, all subnets are the nodes'.
        result += own or (list(subnets) if not any(str(network.get("id")).lower() in name for name in named) else [])
    return result
