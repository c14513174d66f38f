"""Network security groups."""

from __future__ import annotations

import ipaddress
from typing import Any

from ...azure import Azure
from ...kinds import Write, kind
from ...store import Resource
from ..bodies import NSG, SUBNET
from ..usage import references_to
from .base import NetworkKind

#: what a rule lists beside the one value of the singular property
_PLURALS = ("sourcePortRanges", "destinationPortRanges", "sourceAddressPrefixes", "destinationAddressPrefixes")


@kind
class NetworkSecurityGroup(NetworkKind):
    type = NSG
    #: the cloud controller writes rules inline, other clients one by one
    member_lists = ("securityRules",)
    shown_lists = ("defaultSecurityRules",)

    def defaults(self, write: Write) -> None:
        write.properties.setdefault("securityRules", [])

    def accepted(self, write: Write, resource: Resource) -> None:
        super().accepted(write, resource)
        for rule in resource.properties["securityRules"]:
            _complete_rule(resource, rule)

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        properties = body["properties"]
        for rule in properties["securityRules"]:
            rule["properties"] = _spelt_rule(rule["properties"])
        properties["defaultSecurityRules"] = _default_rules(resource)
        subnets = references_to(azure, SUBNET, "networkSecurityGroup", resource.id)
        if subnets:
            properties["subnets"] = [{"id": subnet.id} for subnet in subnets]
        return body

    def render_member(self, name: str, item: dict[str, Any]) -> dict[str, Any]:
        empty: dict[str, list[str]] = {plural: [] for plural in _PLURALS}
        return item | {"properties": empty | item["properties"]}


def _complete_rule(group: Resource, rule: dict[str, Any]) -> None:
    rule["id"] = f"{group.id}/securityRules/{rule['name']}"
    rule["type"] = f"{NSG}/securityRules"
    rule["etag"] = group.body["etag"]
    rule["properties"]["provisioningState"] = "Succeeded"


def _spelt_rule(properties: dict[str, Any]) -> dict[str, Any]:
    """IPv6 prefixes are answered uncompressed.

    Empty lists are left out, although Azure has them in a rule by itself: with them the cloud controller would write on every pass.
    """
    result = {name: value for name, value in properties.items() if value != []}
    for name in ("sourceAddressPrefix", "destinationAddressPrefix"):
        if result.get(name):
            result[name] = _respelt(result[name])
    for name in ("sourceAddressPrefixes", "destinationAddressPrefixes"):
        if result.get(name):
            result[name] = [_respelt(value) for value in result[name]]
    return result


def _respelt(prefix: str) -> str:
    address, slash, length = prefix.partition("/")
    try:
        parsed = ipaddress.IPv6Address(address)
    except ValueError:
        return prefix
    # The cloud controller looks for single addresses by their text.
    return f"{parsed.exploded}{slash}{length}" if slash else str(parsed)


def _default_rules(group: Resource) -> list[dict[str, Any]]:
    rows = [
        ("AllowVnetInBound", "inbound traffic from all VMs in VNET", "VirtualNetwork", "VirtualNetwork", "Allow", 65000, "Inbound"),
        ("AllowAzureLoadBalancerInBound", "inbound traffic from azure load balancer", "AzureLoadBalancer", "*", "Allow", 65001, "Inbound"),
        ("DenyAllInBound", "all inbound traffic", "*", "*", "Deny", 65500, "Inbound"),
        ("AllowVnetOutBound", "outbound traffic from all VMs to all VMs in VNET", "VirtualNetwork", "VirtualNetwork", "Allow", 65000, "Outbound"),
        ("AllowInternetOutBound", "outbound traffic from all VMs to Internet", "*", "Internet", "Allow", 65001, "Outbound"),
        ("DenyAllOutBound", "all outbound traffic", "*", "*", "Deny", 65500, "Outbound"),
    ]
    return [
        {
            "id": f"{group.id}/defaultSecurityRules/{name}",
            "name": name,
            "etag": group.body["etag"],
            "type": f"{NSG}/defaultSecurityRules",
            "properties": {
                "description": f"{access} {traffic}",
                "protocol": "*",
                "sourcePortRange": "*",
                "destinationPortRange": "*",
                "sourceAddressPrefix": source,
                "destinationAddressPrefix": destination,
                "access": access,
                "priority": priority,
                "direction": direction,
                "provisioningState": "Succeeded",
            }
            | {plural: [] for plural in _PLURALS},
        }
        for name, traffic, source, destination, access, priority, direction in rows
    ]
