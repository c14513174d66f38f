"""The types of Microsoft.Network, and how to read what their bodies have in common."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

VNET = "Microsoft.Network/virtualNetworks"
SUBNET = VNET + "/subnets"
PEERING = VNET + "/virtualNetworkPeerings"
NSG = "Microsoft.Network/networkSecurityGroups"
ROUTE_TABLE = "Microsoft.Network/routeTables"
PUBLIC_IP = "Microsoft.Network/publicIPAddresses"
PUBLIC_IP_PREFIX = "Microsoft.Network/publicIPPrefixes"
NAT_GATEWAY = "Microsoft.Network/natGateways"
LOAD_BALANCER = "Microsoft.Network/loadBalancers"
NIC = "Microsoft.Network/networkInterfaces"
PRIVATE_ENDPOINT = "Microsoft.Network/privateEndpoints"
ZONE_GROUP = PRIVATE_ENDPOINT + "/privateDnsZoneGroups"
SCALE_SET_VM = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"
#: what a subnet shows of the services that are in it in a way of their own
NAVIGATION_LINKS = "resourceNavigationLinks"
#: Recorded of these; whether Azure awaits others too is assumed not to be so.
AWAITED = (PUBLIC_IP, SUBNET)
#: the lists of a load balancer's body whose items have ids of their own
BALANCER_PARTS = (
    "frontendIPConfigurations",
    "backendAddressPools",
    "loadBalancingRules",
    "probes",
    "outboundRules",
    "inboundNatRules",
    "inboundNatPools",
)


def reference(properties: dict[str, Any], name: str) -> str:
    """The id that ``properties[name]`` points at, empty when it points nowhere."""
    return str(((properties or {}).get(name) or {}).get("id") or "")


def same_id(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def prefixes_of(properties: dict[str, Any]) -> list[str]:
    """A subnet's prefixes, whichever of the two properties holds them."""
    single = properties.get("addressPrefix")
    return list(properties.get("addressPrefixes") or ([single] if single else []))


def canonical(prefix: str) -> str:
    """RFC 5952 text of an address or prefix; what is neither (a service tag) as it is."""
    for read in (ipaddress.ip_address, ipaddress.ip_network):
        try:
            return str(read(prefix))
        except ValueError:
            continue
    return prefix


def nic_configurations(properties: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The network interfaces in a scale set VM's properties."""
    return (properties.get("networkProfileConfiguration") or {}).get("networkInterfaceConfigurations") or []


def ip_configurations(properties: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The IP configurations of all network interfaces in a scale set VM's properties."""
    return [item for nic in nic_configurations(properties) for item in nic["properties"].get("ipConfigurations") or []]
