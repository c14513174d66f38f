"""What a subnet is for, and what Azure demands of it then.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Purpose:
    """One row of the table: what a subnet of this purpose must be, may have and gets.

    ``name``: the only name that Azure accepts. ``longest`` and ``shortest``: lengths of its IPv4 prefix, the smallest and the largest subnet.
    ``ipv6``: whether what runs in it has IPv6. ``delegation``: the service that it is delegated to. ``security_group`` and ``route_table``: whether
    Azure accepts one. ``security_rules`` are written as users write theirs; ``nat_gateway``: whether it goes out through the stamp's NAT gateway.
    ``source`` is Azure's page.
    """

    source: str
    name: str = ""
    longest: int = 29
    shortest: int = 2
    ipv6: bool = True
    delegation: str = ""
    security_group: bool = True
    security_rules: tuple[Mapping[str, Any], ...] = ()
    route_table: bool = True
    nat_gateway: bool = False


_LEARN = "https://learn.microsoft.com/azure/"


def _rule(priority: int, name: str, source: str, ports: list[str], destination: str = "*", **more: str) -> dict[str, Any]:
    return {"name": name, "priority": priority, "protocol": "Tcp", "source": source, "destination": destination, "destination_ports": ports, **more}


#: learn.microsoft.com/azure/application-gateway/configuration-infrastructure#network-security-groups; clients reach the listeners of HTTP and TLS
_APPLICATION_GATEWAY_RULES = (
    _rule(100, "gateway-manager", "GatewayManager", ["65200-65535"]),
    _rule(110, "load-balancer-probes", "AzureLoadBalancer", ["*"], protocol="*"),
    _rule(120, "clients", "Internet", ["80", "443"]),
)
#: learn.microsoft.com/azure/bastion/bastion-nsg#apply: Azure looks for each of them, whatever the default rules allow
_BASTION_RULES = (
    _rule(100, "clients", "Internet", ["443"]),
    _rule(110, "gateway-manager", "GatewayManager", ["443"]),
    _rule(120, "load-balancer-probes", "AzureLoadBalancer", ["443"]),
    _rule(130, "hosts", "VirtualNetwork", ["8080", "5701"], "VirtualNetwork", protocol="*"),
    _rule(100, "ssh-and-rdp", "*", ["22", "3389"], "VirtualNetwork", protocol="*", direction="Outbound"),
    _rule(110, "azure", "*", ["443"], "AzureCloud", direction="Outbound"),
    _rule(120, "hosts-out", "VirtualNetwork", ["8080", "5701"], "VirtualNetwork", protocol="*", direction="Outbound"),
    _rule(130, "sessions", "*", ["80"], "Internet", protocol="*", direction="Outbound"),
)

PURPOSES: dict[str, Purpose] = {
    "nodes": Purpose(f"{_LEARN}aks/configure-dual-stack", nat_gateway=True),
    "private_endpoints": Purpose(f"{_LEARN}private-link/private-endpoint-overview"),
    "api_server": Purpose(f"{_LEARN}aks/api-server-vnet-integration", longest=28, delegation="Microsoft.ContainerService/managedClusters"),
    "application_gateway": Purpose(
        f"{_LEARN}application-gateway/configuration-infrastructure",
        delegation="Microsoft.Network/applicationGateways",
        security_rules=_APPLICATION_GATEWAY_RULES,
    ),
    "application_gateway_for_containers": Purpose(
        f"{_LEARN}application-gateway/for-containers/container-networking",
        longest=24,
        shortest=24,
        ipv6=False,
        delegation="Microsoft.ServiceNetworking/trafficControllers",
    ),
    "container_instances": Purpose(
        f"{_LEARN}container-instances/container-instances-virtual-network-concepts",
        ipv6=False,
        delegation="Microsoft.ContainerInstance/containerGroups",
        nat_gateway=True,
    ),
    "virtual_network_gateway": Purpose(
        f"{_LEARN}vpn-gateway/vpn-gateway-about-vpn-gateway-settings#gwsub", name="GatewaySubnet", security_group=False
    ),
    "firewall": Purpose(f"{_LEARN}firewall/firewall-faq", name="AzureFirewallSubnet", longest=26, security_group=False),
    "firewall_management": Purpose(
        f"{_LEARN}firewall/management-nic", name="AzureFirewallManagementSubnet", longest=26, ipv6=False, security_group=False
    ),
    "bastion": Purpose(
        f"{_LEARN}bastion/configuration-settings#subnet",
        name="AzureBastionSubnet",
        longest=26,
        ipv6=False,
        security_rules=_BASTION_RULES,
        route_table=False,
    ),
    "route_server": Purpose(
        f"{_LEARN}route-server/route-server-faq", name="RouteServerSubnet", longest=27, ipv6=False, security_group=False, route_table=False
    ),
}
#: of subnets that declare nothing
GENERAL = Purpose(f"{_LEARN}virtual-network/virtual-network-manage-subnet")

#: names that say what a subnet is for: Azure's, and those of the stamp's default subnets
_BY_NAME = {found.name.lower(): purpose for purpose, found in PURPOSES.items() if found.name} | {"nodes": "nodes", "endpoints": "private_endpoints"}
_BY_DELEGATION = {found.delegation.lower(): purpose for purpose, found in PURPOSES.items() if found.delegation}


def purpose_name(name: str, subnet: Mapping[str, Any]) -> str:
    """What a subnet is for: as it declares, else as its delegation or its name says; empty when nothing says it."""
    delegation = _BY_DELEGATION.get(str(subnet.get("delegation") or "").lower())
    return str(subnet.get("purpose") or delegation or _BY_NAME.get(name.lower(), ""))


def purpose_of(name: str, subnet: Mapping[str, Any]) -> Purpose:
    """The row of a subnet; that of a general one for a purpose that the table does not have."""
    return PURPOSES.get(purpose_name(name, subnet), GENERAL)


def fixed_purpose(name: str) -> str:
    """The purpose that Azure gives to a name; empty for a name that anybody may use."""
    purpose = _BY_NAME.get(name.lower(), "")
    return purpose if purpose and PURPOSES[purpose].name else ""


def delegation_of(name: str, subnet: Mapping[str, Any]) -> str:
    """The service that a subnet is delegated to; empty without."""
    return str(subnet.get("delegation") or purpose_of(name, subnet).delegation)


def families_of(name: str, subnet: Mapping[str, Any]) -> list[str]:
    """The families of a subnet: as it declares, else both, or IPv4 where what runs in it has no IPv6."""
    return list(subnet.get("families") or (["IPv4", "IPv6"] if purpose_of(name, subnet).ipv6 else ["IPv4"]))
