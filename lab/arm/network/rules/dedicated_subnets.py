"""What subnets refuse for what they are for: those whose name Azure keeps for a service, and those that are delegated to one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...errors import ArmError
from ...kinds import Write
from ...rules import rule
from ..bodies import NSG, PRIVATE_ENDPOINT, SUBNET, reference
from ..usage import references_to, subnet_users
from .security_groups import rule_ports, rule_prefixes

_DELEGATION = "learn.microsoft.com/azure/virtual-network/subnet-delegation-overview"

#: names of subnets that take no network security group -> the code; those of firewalls and route servers are assumed
_WITHOUT_SECURITY_GROUP = {
    "gatewaysubnet": "NetworkSecurityGroupCannotBeAttachedToGatewaySubnet",
    "azurefirewallsubnet": "NetworkSecurityGroupCannotBeAttachedToAzureFirewallSubnet",
    "azurefirewallmanagementsubnet": "NetworkSecurityGroupCannotBeAttachedToAzureFirewallManagementSubnet",
    "routeserversubnet": "NetworkSecurityGroupCannotBeAttachedToRouteServerSubnet",
}
#: the same of route tables; that of route servers is assumed
_WITHOUT_ROUTE_TABLE = {
    "azurebastionsubnet": "RouteTableCannotBeAttachedForAzureBastionSubnet",
    "routeserversubnet": "RouteTableCannotBeAttachedForRouteServerSubnet",
}
_APPLICATION_GATEWAYS = "Microsoft.Network/applicationGateways"
_ANY = {"*"}


def _services(properties: Mapping[str, Any]) -> list[str]:
    return [str((item.get("properties") or {}).get("serviceName") or "") for item in properties.get("delegations") or []]


@rule("subnet-without-nsg", SUBNET, "github.com/Azure-Terraform/terraform-azurerm-virtual-network/issues/18")
def some_subnets_take_no_security_group(write: Write) -> None:
    name, group = write.id.rpartition("/")[2], reference(write.properties, "networkSecurityGroup")
    code = _WITHOUT_SECURITY_GROUP.get(name.lower())
    if code and group:
        raise ArmError(400, code, f"The network security group {group.rpartition('/')[2]} can not be associated to the {name}.")


@rule("subnet-without-route-table", SUBNET, "blog.cloudtrooper.net/2022/09/17/azure-bastion-routing-in-virtual-wan")
def some_subnets_take_no_route_table(write: Write) -> None:
    name, table = write.id.rpartition("/")[2], reference(write.properties, "routeTable")
    code = _WITHOUT_ROUTE_TABLE.get(name.lower())
    if code and table:
        raise ArmError(400, code, f"Route Table {table.rpartition('/')[2]} cannot be attached to the subnet {name}.")


@rule("subnet-without-nat-gateway", SUBNET, "learn.microsoft.com/azure/nat-gateway/nat-gateway-resource#subnets")
def gateway_subnet_takes_no_nat_gateway(write: Write) -> None:
    if write.id.rpartition("/")[2].lower() == "gatewaysubnet" and reference(write.properties, "natGateway"):
        raise ArmError(400, "NatGatewayCannotBeAttachedToGatewaySubnet", "A NAT gateway cannot be associated with the GatewaySubnet.")


@rule("subnet-delegation-service", SUBNET, "github.com/crossplane-contrib/provider-upjet-azure/issues/342")
def delegation_is_to_a_service(write: Write) -> None:
    for service in _services(write.properties):
        if not re.fullmatch(r"\w+(\.\w+)+/\w+(/\w+)*", service):
            raise ArmError(400, "InvalidServiceNameOnDelegation", f"The service name {service} specified on delegation of {write.id} is not valid.")


@rule("subnet-one-delegation", SUBNET, "github.com/MicrosoftDocs/azure-docs/issues/28698")
def one_delegation(write: Write) -> None:
    if len(_services(write.properties)) > 1:
        raise ArmError(400, "SubnetHasMultipleDelegations", f"Subnet {write.id} can be delegated to one service only.")


@rule("subnet-delegation-in-use", SUBNET, "github.com/MicrosoftDocs/azure-docs/issues/39112")
def delegations_of_a_used_subnet_stay(write: Write) -> None:
    before, now = (sorted(service.lower() for service in _services(found)) for found in (write.old_properties, write.properties))
    for user in subnet_users(write.azure, write.id) if write.before is not None and before != now else ():
        message = f"Delegations of subnet {write.id} cannot be changed from {before} to {now} because it is being used by the resource {user}."
        raise ArmError(400, "SubnetDelegationsCannotChangeWhenSubnetUsedByResource", message)


@rule("private-endpoint-delegated-subnet", PRIVATE_ENDPOINT, "github.com/MicrosoftDocs/azure-docs/issues/47048")
def no_endpoint_in_a_delegated_subnet(write: Write) -> None:
    subnet = write.azure.store.get(reference(write.properties, "subnet"))
    services = _services(subnet.properties) if subnet else []
    if services and write.before is None:
        message = f"Private endpoint {write.id} cannot be created in a subnet that is delegated to {services[0]}."
        raise ArmError(400, "PrivateEndpointCreationNotAllowedAsSubnetIsDelegated", message)


def _allows(rules: list[dict[str, Any]], direction: str, port: int, *, source: set[str] = _ANY, destination: set[str] = _ANY) -> bool:
    """Whether a rule of a group itself, not a default one, allows TCP on a port from and to one of these."""
    for properties in (item["properties"] for item in rules if item["properties"]["protocol"].lower() in ("tcp", "*")):
        meant = (properties["direction"].lower(), properties["access"].lower()) == (direction, "allow")
        sources, destinations = rule_prefixes(properties, "source"), rule_prefixes(properties, "destination")
        if meant and {*source, "*"} & {*sources} and {*destination, "*"} & {*destinations} and _holds(rule_ports(properties, "destination"), port):
            return True
    return False


def _holds(ranges: list[str], port: int) -> bool:
    ends = [(low, high or low) for low, _, high in (ports.partition("-") for ports in ranges if ports != "*")]
    return "*" in ranges or any(int(low) <= port <= int(high) for low, high in ends)


def _check_group(rules: list[dict[str, Any]], group: str, subnet: str, properties: Mapping[str, Any]) -> None:
    """The rules that a service needs of the group of its subnet. The lab has no Application Gateways: the delegation stands for them."""
    name = subnet.rpartition("/")[2]
    is_for_gateways = _APPLICATION_GATEWAYS.lower() in map(str.lower, _services(properties))
    if name.lower() == "azurebastionsubnet" and not (
        _allows(rules, "inbound", 443, source={"GatewayManager"})
        and _allows(rules, "outbound", 443, destination={"AzureCloud"})
        and all(_allows(rules, "outbound", port, destination={"VirtualNetwork"}) for port in (22, 3389))
    ):
        message = f"Network security group {group.rpartition('/')[2]} does not have necessary rules for Azure Bastion Subnet {name}."
        raise ArmError(400, "NetworkSecurityGroupNotCompliantForAzureBastionSubnet", message)
    if is_for_gateways and not all(_allows(rules, "inbound", port, source={"GatewayManager", "Internet"}) for port in (65200, 65535)):
        message = f"Network security group {group} blocks incoming internet traffic on ports 65200 - 65535 to subnet {subnet}."
        raise ArmError(400, "ApplicationGatewaySubnetInboundTrafficBlockedByNetworkSecurityGroup", message)


@rule("subnet-nsg-of-service", SUBNET, "learn.microsoft.com/azure/bastion/bastion-nsg#apply")
def group_of_a_subnet_has_what_its_service_needs(write: Write) -> None:
    group = write.azure.store.get(reference(write.properties, "networkSecurityGroup"))
    if group:
        _check_group(group.properties["securityRules"], group.id, write.id, write.properties)


@rule("nsg-of-service", NSG, "learn.microsoft.com/azure/application-gateway/configuration-infrastructure#network-security-groups")
def group_keeps_what_services_need(write: Write) -> None:
    for subnet in references_to(write.azure, SUBNET, "networkSecurityGroup", write.id):
        _check_group(write.properties["securityRules"], write.id, subnet.id, subnet.properties)
