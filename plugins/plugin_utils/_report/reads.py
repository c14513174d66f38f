"""What else to read of Azure, given what has been read.

This file is private to the collection.

Everything is found from the cluster, not from names: a stamp may live in a network and behind a gateway that others made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Answers = Mapping[str, Mapping[str, Any]]


def properties_of(answers: Answers, name: str) -> dict[str, Any]:
    """The properties in an answer of ``azure_resources_info``; empty when it was not read or is not there."""
    return dict(((answers.get(name) or {}).get("body") or {}).get("properties") or {})


def pool_subnets(answers: Answers) -> list[str]:
    """Ids of the subnets of the cluster's nodes, in lower case."""
    pools = properties_of(answers, "cluster").get("agentPoolProfiles") or []
    return sorted({str(pool["vnetSubnetID"]).lower() for pool in pools if pool.get("vnetSubnetID")})


def outbound_type(answers: Answers) -> str:
    return str((properties_of(answers, "cluster").get("networkProfile") or {}).get("outboundType") or "loadBalancer")


def subnets(answers: Answers) -> Iterator[dict[str, Any]]:
    """The subnets of the networks that the cluster's nodes are in."""
    for name in answers:
        if name.startswith("network "):
            yield from properties_of(answers, name).get("subnets") or []


def outbound_addresses(answers: Answers) -> list[str]:
    """Ids of the addresses, or ranges of them, that the nodes leave by."""
    kind = outbound_type(answers)
    if kind == "loadBalancer":
        return _of_load_balancer(properties_of(answers, "load_balancer"))
    if kind == "managedNATGateway":
        profile = (properties_of(answers, "cluster").get("networkProfile") or {}).get("natGatewayProfile") or {}
        return [found["id"] for found in profile.get("effectiveOutboundIPs") or []]
    gateways = [properties_of(answers, name) for name in answers if name.startswith("gateway ")]
    lists = ("publicIpAddresses", "publicIpAddressesV6", "publicIpPrefixes", "publicIpPrefixesV6")
    return [found["id"] for gateway in gateways for name in lists for found in gateway.get(name) or []]


def _of_load_balancer(balancer: Mapping[str, Any]) -> list[str]:
    frontends = {str(frontend["id"]).lower(): frontend["properties"] for frontend in balancer.get("frontendIPConfigurations") or []}
    used = [str(reference["id"]).lower() for rule in balancer.get("outboundRules") or [] for reference in _frontends_of(rule)]
    found = [frontends[name].get(kind) for name in used if name in frontends for kind in ("publicIPAddress", "publicIPPrefix")]
    return [reference["id"] for reference in found if reference]


def _frontends_of(rule: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(rule["properties"].get("frontendIPConfigurations") or [])


def reads(answers: Answers) -> dict[str, dict[str, str]]:
    """Name -> id of what is still to be read; empty when nothing is."""
    return {name: {"id": identifier} for name, identifier in _wanted(answers) if name not in answers}


def _wanted(answers: Answers) -> Iterator[tuple[str, str]]:
    cluster = answers.get("cluster") or {}
    if not cluster.get("exists"):
        return
    subscription = str(cluster["id"]).split("/")[2]
    node_group = f"/subscriptions/{subscription}/resourceGroups/{properties_of(answers, 'cluster').get('nodeResourceGroup')}"
    yield "node_groups", f"{node_group}/providers/Microsoft.Network/networkSecurityGroups"
    if outbound_type(answers) == "loadBalancer":
        yield "load_balancer", f"{node_group}/providers/Microsoft.Network/loadBalancers/kubernetes"
    for identifier in pool_subnets(answers):
        network = identifier.rpartition("/subnets/")[0]
        yield f"network {network}", network
    for subnet in subnets(answers):
        properties = subnet.get("properties") or {}
        if group := properties.get("networkSecurityGroup"):
            yield f"group {str(group['id']).lower()}", str(group["id"])
        if (gateway := properties.get("natGateway")) and str(subnet["id"]).lower() in pool_subnets(answers):
            yield f"gateway {str(gateway['id']).lower()}", str(gateway["id"])
    for identifier in outbound_addresses(answers):
        yield f"outbound {identifier.lower()}", identifier
