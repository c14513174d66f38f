"""What Microsoft.Network refuses."""

from __future__ import annotations

import ipaddress
import re
from itertools import combinations

from .. import dns, network
from ..azure import Azure, Write
from ..errors import ArmError, InvalidReference, Malformed
from ..network import reference, references_to, same_id
from ..schema import Problem
from ..store import Resource
from . import delete_rule, rule

_IPV6_OVERVIEW = "learn.microsoft.com/azure/virtual-network/ip-services/ipv6-overview"
_NSG_OVERVIEW = "learn.microsoft.com/azure/virtual-network/network-security-groups-overview"
_LIMITS = "learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits"
_PUBLIC_IP = "learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses"
_PREFIX = "learn.microsoft.com/azure/virtual-network/ip-services/public-ip-address-prefix"
_NAT_SKU = "learn.microsoft.com/azure/nat-gateway/nat-sku"
_BALANCER = "learn.microsoft.com/azure/load-balancer/components"
_BALANCER_API = "learn.microsoft.com/rest/api/load-balancer/load-balancers/create-or-update"
_SECURITY_RULE_API = "learn.microsoft.com/rest/api/virtualnetwork/security-rules/create-or-update"
_NAMES = "learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules"
_CNAME = "learn.microsoft.com/azure/dns/dns-zones-records#cname-records"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(prefixes: list[str], target: str) -> list[Network]:
    try:
        return [ipaddress.ip_network(prefix) for prefix in prefixes]
    except ValueError as error:
        raise ArmError(400, "InvalidCIDRNotation", f"The address prefix in {target} is not valid: {error}.", target=target) from error


def _inside(inner: Network, outers: list[Network]) -> bool:
    return any(outer.version == inner.version and inner.subnet_of(outer) for outer in outers)  # type: ignore[arg-type]


def _names_are_unique(write: Write, *parts: str) -> None:
    for part in parts:
        seen: set[str] = set()
        for item in write.properties.get(part) or []:
            if item["name"].lower() in seen:
                message = f"Resource {write.id} has two child resources with the same name ({item['name']})."
                raise Malformed([Problem("DuplicateResourceName", f"properties.{part}", message)])
            seen.add(item["name"].lower())


@rule("vnet-subnet-names", network.VNET, _NAMES)
def subnet_names_are_unique(write: Write) -> None:
    _names_are_unique(write, "subnets")


@rule("vnet-address-space", network.VNET, _IPV6_OVERVIEW)
def vnet_keeps_its_subnets_inside(write: Write) -> None:
    space = _networks(write.properties.get("addressSpace", {}).get("addressPrefixes") or [], "addressSpace")
    if not space:
        raise ArmError(400, "InvalidRequestFormat", "A virtual network needs addressSpace.addressPrefixes.", target="addressSpace")
    for one, other in combinations(space, 2):
        if one.overlaps(other):
            raise ArmError(400, "NetcfgInvalidVirtualNetworkSite", f"The address prefixes {one} and {other} overlap.")
    for child in write.properties.get("subnets") or []:
        for prefix in _networks(network.prefixes_of(child.get("properties") or {}), str(child.get("name"))):
            if write.before and not _inside(prefix, space):
                raise ArmError(400, "InUsePrefixCannotBeDeleted", f"{prefix} of subnet {child.get('name')} is in use and cannot be deleted.")


@rule("subnet-inside-vnet", network.SUBNET, _IPV6_OVERVIEW)
def subnet_inside_vnet(write: Write) -> None:
    parent = write.azure.get(write.id.rsplit("/", 2)[0])
    if not network.prefixes_of(write.properties):
        raise ArmError(400, "InvalidRequestFormat", "A subnet needs addressPrefix or addressPrefixes.", target="addressPrefixes")
    space = _networks(parent.properties["addressSpace"]["addressPrefixes"], "addressSpace")
    for prefix in _networks(network.prefixes_of(write.properties), "addressPrefixes"):
        if not _inside(prefix, space):
            raise ArmError(
                400, "NetcfgInvalidSubnet", f"Subnet '{write.id.rsplit('/', 1)[1]}' is not valid in virtual network '{parent.name}': {prefix}."
            )


@rule("subnet-overlap", network.SUBNET, _IPV6_OVERVIEW)
def subnets_do_not_overlap(write: Write) -> None:
    own = _networks(network.prefixes_of(write.properties), "addressPrefixes")
    for other in write.azure.store.children(write.id.rsplit("/", 2)[0], "subnets"):
        if other.key != write.id.lower():
            for theirs in _networks(network.prefixes_of(other.properties), other.id):
                for prefix in own:
                    if prefix.overlaps(theirs):
                        raise ArmError(400, "NetcfgSubnetRangesOverlap", f"Subnet {prefix} overlaps with {theirs} of subnet '{other.name}'.")


@rule("subnet-ipv6-64", network.SUBNET, _IPV6_OVERVIEW)
def ipv6_subnet_is_a_64(write: Write) -> None:
    for prefix in _networks(network.prefixes_of(write.properties), "addressPrefixes"):
        if prefix.version == 6 and prefix.prefixlen != 64:
            raise ArmError(400, "NetcfgInvalidIPv6SubnetPrefix", f"IPv6 subnets must be exactly /64 in size; {prefix} is not.")


@rule("subnet-one-ipv6-prefix", network.SUBNET, _IPV6_OVERVIEW)
def one_ipv6_prefix(write: Write) -> None:
    sixes = [prefix for prefix in _networks(network.prefixes_of(write.properties), "addressPrefixes") if prefix.version == 6]
    if len(sixes) > 1:
        raise ArmError(400, "SubnetWithMultipleIPv6Prefixes", f"A subnet has one IPv6 prefix at most, not {len(sixes)}.")


@rule("subnet-references", network.SUBNET, "learn.microsoft.com/rest/api/virtualnetwork/subnets/create-or-update")
def what_a_subnet_names_exists(write: Write) -> None:
    for name in ("networkSecurityGroup", "routeTable", "natGateway"):
        target = reference(write.properties, name)
        if target and not write.azure.store.get(target):
            raise InvalidReference(target, write.id)


@rule("subnet-prefix-in-use", network.SUBNET, "learn.microsoft.com/azure/virtual-network/virtual-network-manage-subnet")
def prefix_in_use_stays(write: Write) -> None:
    if write.before is None:
        return
    old = set(_networks(network.prefixes_of(write.old_properties), "addressPrefixes"))
    gone = old - set(_networks(network.prefixes_of(write.properties), "addressPrefixes"))
    users = list(network.subnet_users(write.azure, write.id))
    if gone and users:
        raise ArmError(400, "InUsePrefixCannotBeDeleted", f"{', '.join(map(str, gone))} cannot be deleted while {users[0]} uses the subnet.")


@delete_rule("subnet-in-use", network.SUBNET, "learn.microsoft.com/azure/virtual-network/virtual-network-manage-subnet")
def subnet_in_use(azure: Azure, resource: Resource) -> None:
    for user in network.subnet_users(azure, resource.id):
        raise ArmError(400, "InUseSubnetCannotBeDeleted", f"Subnet {resource.name} is in use by {user} and cannot be deleted.")


@delete_rule("vnet-in-use", network.VNET, "learn.microsoft.com/azure/virtual-network/manage-virtual-network")
def vnet_in_use(azure: Azure, resource: Resource) -> None:
    for subnet in azure.store.children(resource.id, "subnets"):
        subnet_in_use(azure, subnet)


@delete_rule("nsg-in-use", network.NSG, _NSG_OVERVIEW)
def nsg_in_use(azure: Azure, resource: Resource) -> None:
    for subnet in references_to(azure, network.SUBNET, "networkSecurityGroup", resource.id):
        raise ArmError(400, "InUseNetworkSecurityGroupCannotBeDeleted", f"{resource.id} cannot be deleted: it is in use by {subnet.id}.")


@delete_rule("route-table-in-use", network.ROUTE_TABLE, "learn.microsoft.com/azure/virtual-network/manage-route-table")
def route_table_in_use(azure: Azure, resource: Resource) -> None:
    for subnet in references_to(azure, network.SUBNET, "routeTable", resource.id):
        raise ArmError(400, "InUseRouteTableCannotBeDeleted", f"{resource.id} cannot be deleted: it is in use by {subnet.id}.")


def _rule_prefixes(properties: dict[str, object], side: str) -> list[str]:
    many = properties.get(f"{side}AddressPrefixes")
    single = properties.get(f"{side}AddressPrefix")
    return [str(item) for item in many] if isinstance(many, list) and many else [str(single)] if single else []


def _version(prefix: str) -> int | None:
    try:
        return ipaddress.ip_network(prefix, strict=False).version
    except ValueError:
        return None


@rule("nsg-names", network.NSG, _NAMES)
def security_rule_names_are_unique(write: Write) -> None:
    _names_are_unique(write, "securityRules")


@rule("nsg-protocol", network.NSG, _SECURITY_RULE_API)
def protocol_is_known(write: Write) -> None:
    """Microsoft's types leave these open; the service does not, and has no ICMPv6."""
    known = {"protocol": ("tcp", "udp", "icmp", "esp", "ah", "*"), "access": ("allow", "deny"), "direction": ("inbound", "outbound")}
    for item in write.properties["securityRules"]:
        for name, values in known.items():
            if item["properties"][name].lower() not in values:
                code = f"SecurityRuleInvalid{name.capitalize()}"
                raise ArmError(400, code, f"Security rule {item['name']} has the {name} {item['properties'][name]}, which is none.", target=name)


@rule("nsg-address-prefixes", network.NSG, _SECURITY_RULE_API)
def address_prefixes_are_ranges_or_tags(write: Write) -> None:
    for item in write.properties["securityRules"]:
        for side in ("source", "destination"):
            prefixes = _rule_prefixes(item["properties"], side)
            for prefix in prefixes:
                alone = prefix == "*" and len(prefixes) == 1
                if not alone and not _version(prefix) and not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9]+)*", prefix):
                    raise ArmError(
                        400, "SecurityRuleInvalidAddressPrefix", f"Security rule {item['name']} has invalid Address prefix. Value provided: {prefix}"
                    )


@rule("nsg-port-ranges", network.NSG, _SECURITY_RULE_API)
def port_ranges_are_ports(write: Write) -> None:
    for item in write.properties["securityRules"]:
        for side in ("source", "destination"):
            for ports in item["properties"].get(f"{side}PortRanges") or [item["properties"].get(f"{side}PortRange") or "*"]:
                low, _, high = ports.partition("-")
                fits = re.fullmatch(r"\d{1,5}(-\d{1,5})?", ports) and int(low) <= int(high or low) <= 65535
                if ports != "*" and not fits:
                    raise ArmError(
                        400,
                        "SecurityRuleInvalidPortRange",
                        f"Security rule has invalid Port range. Value provided: {ports}. "
                        "Value should be an integer OR integer range with '-' delimiter. Valid range 0-65535.",
                    )


@rule("nsg-one-family", network.NSG, _IPV6_OVERVIEW)
def rule_has_one_family(write: Write) -> None:
    for item in write.properties["securityRules"]:
        found = {_version(prefix) for side in ("source", "destination") for prefix in _rule_prefixes(item["properties"], side)} - {None}
        if len(found) > 1:
            raise ArmError(
                400, "SecurityRuleAddressFamilyMismatch", f"Security rule {item['name']} mixes IPv4 and IPv6 address prefixes.", target=item["name"]
            )


@rule("nsg-priority", network.NSG, _NSG_OVERVIEW)
def priorities_are_unique(write: Write) -> None:
    seen: dict[tuple[str, int], str] = {}
    for item in write.properties["securityRules"]:
        priority = item["properties"].get("priority") or 0
        if not 100 <= priority <= 4096:
            raise ArmError(400, "SecurityRuleInvalidPriority", f"Security rule {item['name']} has priority {priority}; allowed are 100 to 4096.")
        place = (item["properties"]["direction"].lower(), priority)
        if place in seen:
            raise ArmError(
                400, "SecurityRuleConflict", f"Security rule {item['name']} conflicts with rule {seen[place]}: both are {place[0]} {place[1]}."
            )
        seen[place] = item["name"]


@rule("nsg-singular-or-plural", network.NSG, _SECURITY_RULE_API)
def singular_or_plural(write: Write) -> None:
    pairs = [
        (f"{side}{what}", f"{side}{what}{ending}")
        for side in ("source", "destination")
        for what, ending in (("AddressPrefix", "es"), ("PortRange", "s"))
    ]
    for item in write.properties["securityRules"]:
        for one, many in pairs:
            if item["properties"].get(one) and item["properties"].get(many):
                raise ArmError(400, "SecurityRuleParameterConflict", f"Security rule {item['name']} has both {one} and {many}; use one of them.")
            if not item["properties"].get(one) and not item["properties"].get(many):
                raise ArmError(400, "SecurityRuleParameterMissing", f"Security rule {item['name']} has neither {one} nor {many}.")


@rule("nsg-no-icmpv6", network.NSG, _IPV6_OVERVIEW)
def icmp_is_ipv4(write: Write) -> None:
    for item in write.properties["securityRules"]:
        prefixes = [prefix for side in ("source", "destination") for prefix in _rule_prefixes(item["properties"], side)]
        if item["properties"]["protocol"].lower() in ("icmp", "icmpv6") and any(_version(prefix) == 6 for prefix in prefixes):
            raise ArmError(400, "SecurityRuleInvalidProtocol", f"Security rule {item['name']}: ICMPv6 is not supported in network security groups.")


@rule("nsg-limits", network.NSG, _LIMITS)
def nsg_limits(write: Write) -> None:
    rules = write.properties["securityRules"]
    if len(rules) > 1000:
        raise ArmError(400, "MaxSecurityRulesPerNetworkSecurityGroup", f"A network security group holds 1000 rules at most, not {len(rules)}.")
    for item in rules:
        for side in ("source", "destination"):
            if len(_rule_prefixes(item["properties"], side)) > 4000:
                raise ArmError(400, "MaxAddressPrefixesPerSecurityRule", f"Security rule {item['name']} has more than 4000 {side} prefixes.")


@rule("nsg-description", network.NSG, _SECURITY_RULE_API)
def description_length(write: Write) -> None:
    for item in write.properties["securityRules"]:
        if len(item["properties"].get("description") or "") > 140:
            raise ArmError(400, "InvalidSecurityRuleDescription", f"The description of security rule {item['name']} is longer than 140 characters.")


@rule("route-names", network.ROUTE_TABLE, _NAMES)
def route_names_are_unique(write: Write) -> None:
    _names_are_unique(write, "routes")


@rule("route-one-family", network.ROUTE_TABLE, "learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview")
def next_hop_has_the_prefix_family(write: Write) -> None:
    for route in write.properties["routes"]:
        hop = route["properties"].get("nextHopIpAddress")
        prefix = _version(route["properties"].get("addressPrefix", ""))
        if hop and prefix and _version(hop) != prefix:
            raise ArmError(400, "InvalidRouteNextHop", f"Route {route['name']}: the next hop {hop} is not of the prefix's family.")


@rule("public-ip-static", network.PUBLIC_IP, _PUBLIC_IP)
def standard_is_static(write: Write) -> None:
    if write.properties["publicIPAllocationMethod"] != "Static" and write.body["sku"]["name"] != "Basic":
        raise ArmError(
            400, "StandardSkuPublicIPAddressesMustBeStatic", f"{write.id}: public addresses of SKU {write.body['sku']['name']} must be Static."
        )


@rule("public-ip-basic-retired", network.PUBLIC_IP, _PUBLIC_IP)
def basic_is_retired(write: Write) -> None:
    if write.body["sku"]["name"] == "Basic":
        raise ArmError(400, "BasicSkuPublicIpAddressIsNotAllowed", "Public addresses of SKU Basic were retired on 2025-09-30.")


@rule("public-ip-immutable", network.PUBLIC_IP, _PUBLIC_IP)
def version_sku_and_zones_stay(write: Write) -> None:
    if write.before is None:
        return
    old = write.before.body
    for what, before, after in (
        ("publicIPAddressVersion", write.old_properties["publicIPAddressVersion"], write.properties["publicIPAddressVersion"]),
        ("sku", old["sku"]["name"], write.body["sku"]["name"]),
        ("zones", sorted(old.get("zones") or []), sorted(write.body.get("zones") or [])),
    ):
        if before != after:
            raise ArmError(400, "PublicIPPropertyCannotBeChanged", f"{what} of {write.id} is fixed at creation: {before}, not {after}.", target=what)


@rule("public-ip-quota", network.PUBLIC_IP, _LIMITS)
def a_region_has_a_limit(write: Write) -> None:
    usage = network.address_usage(write.body)
    limit = write.azure.quota(usage)
    if write.before is None and network.usages(write.azure, write.body["location"])[usage] >= limit:
        raise ArmError(400, "PublicIPCountLimitReached", f"Cannot create more than {limit} public IP addresses for this subscription in this region.")


@rule("public-ip-in-prefix", network.PUBLIC_IP, _PREFIX)
def prefix_has_the_address_family(write: Write) -> None:
    target = reference(write.properties, "publicIPPrefix")
    prefix = write.azure.store.get(target) if target else None
    if target and prefix is None:
        raise InvalidReference(target, write.id)
    if prefix and prefix.properties["publicIPAddressVersion"] != write.properties["publicIPAddressVersion"]:
        raise ArmError(400, "PublicIpAndPublicIpPrefixVersionMismatch", f"{write.id} and its prefix {prefix.id} are of different IP versions.")


@delete_rule("public-ip-in-use", network.PUBLIC_IP, _PUBLIC_IP)
def public_ip_in_use(azure: Azure, resource: Resource) -> None:
    gateway = network.public_ip_gateway(azure, resource.id)
    user = network.public_ip_user(azure, resource.id) or (gateway.id if gateway else "")
    if user:
        raise ArmError(
            400, "PublicIPAddressCannotBeDeleted", f"Public IP address {resource.id} can not be deleted since it is still allocated to {user}."
        )


@rule("public-ip-prefix-length", network.PUBLIC_IP_PREFIX, _PREFIX)
def prefix_length(write: Write) -> None:
    length, version = write.properties["prefixLength"], write.properties["publicIPAddressVersion"]
    low, high = (124, 127) if version == "IPv6" else (21, 31)
    if not low <= length <= high:
        raise ArmError(400, "PublicIpPrefixLengthOutOfRange", f"prefixLength {length} of {version} is out of range: {low} to {high}.")


@rule("public-ip-prefix-immutable", network.PUBLIC_IP_PREFIX, _PREFIX)
def prefix_is_not_resized(write: Write) -> None:
    if write.before and write.old_properties["prefixLength"] != write.properties["prefixLength"]:
        raise ArmError(400, "PublicIpPrefixCannotBeResized", f"The prefixLength of {write.id} is fixed at creation.")


@delete_rule("public-ip-prefix-in-use", network.PUBLIC_IP_PREFIX, _PREFIX)
def prefix_in_use(azure: Azure, resource: Resource) -> None:
    for user in network.public_ip_prefix_users(azure, resource.id):
        raise ArmError(400, "PublicIpPrefixCannotBeDeleted", f"Public IP prefix {resource.id} can not be deleted since it is in use by {user}.")


@rule("nat-gateway-ipv6", network.NAT_GATEWAY, _NAT_SKU)
def only_standard_v2_has_ipv6(write: Write) -> None:
    sixes = write.properties.get("publicIpAddressesV6") or write.properties.get("publicIpPrefixesV6")
    if sixes and (write.body.get("sku") or {}).get("name") != "StandardV2":
        raise ArmError(400, "NatGatewayIPv6NotSupported", "IPv6 addresses need a NAT gateway of SKU StandardV2.")


@rule("nat-gateway-addresses", network.NAT_GATEWAY, _NAT_SKU)
def gateway_addresses(write: Write) -> None:
    sku = (write.body.get("sku") or {}).get("name")
    for name, version in (("publicIpAddresses", "IPv4"), ("publicIpAddressesV6", "IPv6")):
        found = write.properties.get(name) or []
        if len(found) > 16:
            raise ArmError(400, "NatGatewayTooManyAddresses", f"{name}: 16 addresses at most, not {len(found)}.")
        for item in found:
            address = write.azure.store.get(item["id"])
            if address is None:
                raise InvalidReference(item["id"], write.id)
            if address.properties["publicIPAddressVersion"] != version:
                raise ArmError(400, "NatGatewayAddressVersionMismatch", f"{item['id']} in {name} is not {version}.")
            if address.body["sku"]["name"] != sku:
                raise ArmError(400, "NatGatewayAddressSkuMismatch", f"{item['id']} has SKU {address.body['sku']['name']}; the gateway needs {sku}.")


@rule("nat-gateway-prefixes", network.NAT_GATEWAY, _NAT_SKU)
def gateway_prefixes(write: Write) -> None:
    for name, version in (("publicIpPrefixes", "IPv4"), ("publicIpPrefixesV6", "IPv6")):
        for item in write.properties.get(name) or []:
            prefix = write.azure.store.get(item["id"])
            if prefix is None:
                raise InvalidReference(item["id"], write.id)
            if prefix.properties["publicIPAddressVersion"] != version:
                raise ArmError(400, "NatGatewayAddressVersionMismatch", f"{item['id']} in {name} is not {version}.")


@rule("nat-gateway-address-in-use", network.NAT_GATEWAY, _PUBLIC_IP)
def gateway_address_is_free(write: Write) -> None:
    for name in ("publicIpAddresses", "publicIpAddressesV6"):
        for item in write.properties.get(name) or []:
            _is_free(write, item["id"], write.id)


def _is_free(write: Write, address: str, user: str) -> None:
    """An address belongs to one frontend or one NAT gateway; what the written resource itself holds it may keep."""
    gateway = network.public_ip_gateway(write.azure, address)
    for owner in (network.public_ip_user(write.azure, address), gateway.id if gateway else ""):
        if owner and not f"{owner}/".lower().startswith(f"{write.id}/".lower()):
            message = f"Resource {user} is referencing public IP address {address} that is already allocated to resource {owner}."
            raise ArmError(400, "PublicIPAddressInUse", message)


@rule("nat-gateway-region", network.NAT_GATEWAY, _NAT_SKU)
def standard_v2_regions(write: Write) -> None:
    without = {"canadaeast", "indonesiacentral", "israelnorthwest", "qatarcentral", "swedensouth", "westindia"}
    location = write.body.get("location", "").replace(" ", "").lower()
    if (write.body.get("sku") or {}).get("name") == "StandardV2" and location in without:
        raise ArmError(400, "SkuNotSupportedInRegion", f"NAT gateways of SKU StandardV2 are not available in {location}.")


@delete_rule("nat-gateway-in-use", network.NAT_GATEWAY, _NAT_SKU)
def nat_gateway_in_use(azure: Azure, resource: Resource) -> None:
    for subnet in references_to(azure, network.SUBNET, "natGateway", resource.id):
        raise ArmError(400, "InUseNatGatewayCannotBeDeleted", f"{resource.id} cannot be deleted: it is in use by {subnet.id}.")


@rule("load-balancer-names", network.LOAD_BALANCER, _NAMES)
def names_in_a_balancer_are_unique(write: Write) -> None:
    _names_are_unique(write, *network.BALANCER_PARTS)


@rule("load-balancer-references", network.LOAD_BALANCER, _BALANCER)
def what_a_balancer_names_exists(write: Write) -> None:
    parts = {
        part: {f"{write.id}/{part}/{item['name']}".lower() for item in write.properties[part]}
        for part in ("frontendIPConfigurations", "backendAddressPools", "probes")
    }
    for owner in ("loadBalancingRules", "outboundRules", "inboundNatRules"):
        for item in write.properties[owner]:
            for part, one, many in (
                ("frontendIPConfigurations", "frontendIPConfiguration", "frontendIPConfigurations"),
                ("backendAddressPools", "backendAddressPool", "backendAddressPools"),
                ("probes", "probe", ""),
            ):
                targets = [reference(item["properties"], one), *(found["id"] for found in item["properties"].get(many) or [])]
                for target in targets:
                    if target and target.lower() not in parts[part]:
                        raise InvalidReference(target, f"{write.id}/{owner}/{item['name']}")
    for item in write.properties["frontendIPConfigurations"]:
        for name in ("publicIPAddress", "publicIPPrefix", "subnet"):
            target = reference(item["properties"], name)
            if target and not write.azure.store.get(target):
                raise InvalidReference(target, f"{write.id}/frontendIPConfigurations/{item['name']}")


@rule("load-balancer-rule-frontend", network.LOAD_BALANCER, _BALANCER_API)
def rule_has_a_frontend(write: Write) -> None:
    for item in write.properties["loadBalancingRules"]:
        if not reference(item["properties"], "frontendIPConfiguration"):
            target = f"{write.id}/loadBalancingRules/{item['name']}"
            raise ArmError(400, "LoadBalancingRuleMustHaveFrontendIPConfiguration", f"Load balancing rule {target} has no frontend IP configuration.")


@rule("load-balancer-frontend-place", network.LOAD_BALANCER, _BALANCER_API)
def frontend_has_a_place(write: Write) -> None:
    for item in write.properties["frontendIPConfigurations"]:
        if not any(reference(item["properties"], name) for name in ("publicIPAddress", "publicIPPrefix", "subnet")):
            target = f"{write.id}/frontendIPConfigurations/{item['name']}"
            message = f"Frontend IP Configuration {target} must reference either a Subnet or a Public IP Address."
            raise ArmError(400, "FrontendIPConfigHasNoSubnetOrPublicIP", message)


@rule("load-balancer-sku", network.LOAD_BALANCER, _PUBLIC_IP)
def frontend_address_has_the_sku(write: Write) -> None:
    """Addresses of SKU StandardV2 are for NAT gateways of that SKU."""
    for item in write.properties["frontendIPConfigurations"]:
        public = write.azure.store.get(reference(item["properties"], "publicIPAddress"))
        if public and public.body["sku"]["name"] != write.body["sku"]["name"]:
            raise ArmError(
                400,
                "DifferentSkuLoadBalancersAndPublicIPAddressNotAllowed",
                f"Different sku load balancers and public IP addresses are not allowed: {write.id} and {public.id}.",
            )


@rule("load-balancer-private-address", network.LOAD_BALANCER, "learn.microsoft.com/azure/virtual-network/ip-services/private-ip-addresses")
def private_address_is_the_subnets(write: Write) -> None:
    for item in write.properties["frontendIPConfigurations"]:
        text, subnet = item["properties"].get("privateIPAddress"), write.azure.store.get(reference(item["properties"], "subnet"))
        if not text or subnet is None or item["properties"].get("privateIPAllocationMethod") == "Dynamic":
            continue
        try:
            address = ipaddress.ip_address(text)
        except ValueError as error:
            raise ArmError(400, "InvalidIPAddress", f"The private address of frontend {item['name']} is not valid: {error}.") from error
        prefixes = _networks(network.prefixes_of(subnet.properties), subnet.id)
        home = next((prefix for prefix in prefixes if address in prefix), None)
        if home is None:
            raise ArmError(
                400, "PrivateIPAddressNotInSubnet", f"Private static IP address {text} does not belong to the range of subnet prefix {subnet.id}."
            )
        if address in [home[number] for number in range(4)] or (home.version == 4 and address == home.broadcast_address):
            raise ArmError(
                400, "PrivateIPAddressInReservedRange", f"Private static IP address {text} falls within reserved IP range of subnet prefix {home}."
            )


@rule("public-ip-one-frontend", network.LOAD_BALANCER, _BALANCER)
def public_ip_has_one_frontend(write: Write) -> None:
    used = [reference(item["properties"], "publicIPAddress").lower() for item in write.properties["frontendIPConfigurations"]]
    for target in {target for target in used if target}:
        if used.count(target) > 1:
            message = f"Public ip address {target} is referenced by multiple ipconfigs in resource {write.id}."
            raise ArmError(400, "PublicIPReferencedByMultipleIPConfigs", message)


@rule("load-balancer-address-in-use", network.LOAD_BALANCER, _PUBLIC_IP)
def frontend_address_is_free(write: Write) -> None:
    for item in write.properties["frontendIPConfigurations"]:
        target = reference(item["properties"], "publicIPAddress")
        if target:
            _is_free(write, target, f"{write.id}/frontendIPConfigurations/{item['name']}")


@rule("load-balancer-one-rule-a-port", network.LOAD_BALANCER, _BALANCER)
def one_rule_a_port(write: Write) -> None:
    seen: dict[tuple[str, str, int], str] = {}
    for item in write.properties["loadBalancingRules"]:
        properties = item["properties"]
        place = (reference(properties, "frontendIPConfiguration").lower(), properties["protocol"].lower(), properties["frontendPort"])
        if place in seen:
            raise ArmError(
                400, "RulesUseSameFrontendPortProtocolAndIPConfig", f"Rules {seen[place]} and {item['name']} share frontend, protocol and port."
            )
        seen[place] = item["name"]


@rule("load-balancer-ipv4-frontend", network.LOAD_BALANCER, "github.com/kubernetes-sigs/cloud-provider-azure/issues/1831")
def ipv6_frontend_needs_an_ipv4_one(write: Write) -> None:
    versions = set()
    for item in write.properties["frontendIPConfigurations"]:
        public = write.azure.store.get(reference(item["properties"], "publicIPAddress"))
        versions.add(public.properties["publicIPAddressVersion"] if public else item["properties"].get("privateIPAddressVersion", "IPv4"))
    if versions == {"IPv6"}:
        raise ArmError(
            400, "AtleastOneIpV4RequiredForIpV6LbFrontendIpConfiguration", f"{write.id} has an IPv6 frontend and needs at least one IPv4 frontend."
        )


@rule("load-balancer-pool-in-use", network.LOAD_BALANCER, _BALANCER)
def pool_in_use_stays(write: Write) -> None:
    names = {item["name"].lower() for item in write.properties["backendAddressPools"]}
    for pool in write.old_properties.get("backendAddressPools") or []:
        if pool["name"].lower() not in names and network.pool_members(write.azure, pool["id"]):
            raise ArmError(400, "InUseBackendAddressPoolCannotBeDeleted", f"Backend address pool {pool['id']} is in use.")


@delete_rule("load-balancer-in-use", network.LOAD_BALANCER, _BALANCER)
def balancer_in_use(azure: Azure, resource: Resource) -> None:
    if any(network.pool_members(azure, pool["id"]) for pool in resource.properties["backendAddressPools"]):
        raise ArmError(
            400, "LoadBalancerInUseByVirtualMachineScaleSet", f"Cannot delete load balancer {resource.id}: its child resources are in use."
        )


@rule("private-endpoint-ipv4", network.PRIVATE_ENDPOINT, "learn.microsoft.com/azure/container-registry/container-registry-ipv6-dual-stack")
def private_endpoints_are_ipv4(write: Write) -> None:
    for connection in write.properties.get("privateLinkServiceConnections") or []:
        target = connection["properties"].get("privateLinkServiceId", "").lower()
        if write.properties["ipVersionType"] != "IPv4" and ("/registries/" in target or "/vaults/" in target):
            raise ArmError(400, "PrivateEndpointIpVersionNotSupported", f"{target} serves private endpoints over IPv4 only.")


@rule("private-endpoint-references", network.PRIVATE_ENDPOINT, "learn.microsoft.com/azure/private-link/private-endpoint-overview")
def what_an_endpoint_names_exists(write: Write) -> None:
    subnet = reference(write.properties, "subnet")
    if not write.azure.store.get(subnet):
        raise InvalidReference(subnet, write.id)
    for connection in write.properties.get("privateLinkServiceConnections") or []:
        target = connection["properties"].get("privateLinkServiceId", "")
        if not write.azure.store.get(target):
            raise InvalidReference(target, write.id)


@rule("private-endpoint-zone-group", network.ZONE_GROUP, "learn.microsoft.com/azure/private-link/private-endpoint-dns-integration")
def zones_of_a_group_exist(write: Write) -> None:
    for item in write.properties.get("privateDnsZoneConfigs") or []:
        zone = item["properties"].get("privateDnsZoneId", "")
        if not write.azure.store.get(zone):
            raise InvalidReference(zone, write.id)


def _cname_alone(write: Write) -> None:
    zone, kind, name = write.id.rsplit("/", 2)
    if name == "@":
        raise ArmError(400, "BadRequest", f"A CNAME record set cannot be made at the apex of the zone {zone}.")
    if any(write.azure.store.get(f"{zone}/{other}/{name}") for other in dns.RECORD_TYPES if not same_id(other, kind)):
        message = "The CNAME record could not be created because another record with the same name already exists in this zone."
        raise ArmError(409, "Conflict", message)


def _beside_no_cname(write: Write) -> None:
    zone, _, name = write.id.rsplit("/", 2)
    if write.azure.store.get(f"{zone}/CNAME/{name}"):
        raise ArmError(409, "Conflict", "The record could not be created because a CNAME record with the same name already exists in this zone.")


def _cname_rules() -> None:
    """A CNAME stands alone, in the zones of both providers: one rule for each of their record types."""
    for prefix, zone in (("dns", dns.PUBLIC_ZONE), ("private-dns", dns.PRIVATE_ZONE)):
        rule(f"{prefix}-cname-alone", f"{zone}/CNAME", _CNAME)(_cname_alone)
        for record in ("A", "AAAA", "TXT"):
            rule(f"{prefix}-{record.lower()}-beside-cname", f"{zone}/{record}", _CNAME)(_beside_no_cname)


_cname_rules()


def _alias_of(write: Write, version: str, records: str) -> None:
    target = reference(write.properties, "targetResource")
    if target and write.properties.get(records):
        raise ArmError(400, "BadRequest", f"The record set has both {records} and a target resource: it can have one of the two.", target=records)
    found = write.azure.store.get(target) if target else None
    if target and found is None:
        raise InvalidReference(target, write.id)
    if found and same_id(found.type, network.PUBLIC_IP) and found.properties["publicIPAddressVersion"] != version:
        raise ArmError(400, "AliasRecordTypeMismatch", f"{target} is not an {version} address: it cannot be the target of this alias record set.")


@rule("dns-alias-a", "Microsoft.Network/dnsZones/A", "learn.microsoft.com/azure/dns/dns-alias")
def alias_a_is_ipv4(write: Write) -> None:
    _alias_of(write, "IPv4", "ARecords")


@rule("dns-alias-aaaa", "Microsoft.Network/dnsZones/AAAA", "learn.microsoft.com/azure/dns/dns-alias")
def alias_aaaa_is_ipv6(write: Write) -> None:
    _alias_of(write, "IPv6", "AAAARecords")


def _addresses_are(write: Write, list_name: str, field: str, version: int) -> None:
    for record in write.properties.get(list_name) or []:
        try:
            found = ipaddress.ip_address(record.get(field))
        except ValueError:
            found = None
        if found is None or found.version != version:
            raise ArmError(400, "BadRequest", f"{record.get(field)!r} is not an IPv{version} address.", target=list_name)


@rule("dns-aaaa-address", "Microsoft.Network/dnsZones/AAAA", "RFC 3596")
def aaaa_holds_ipv6(write: Write) -> None:
    _addresses_are(write, "AAAARecords", "ipv6Address", 6)


@rule("private-dns-aaaa-address", "Microsoft.Network/privateDnsZones/AAAA", "RFC 3596")
def private_aaaa_holds_ipv6(write: Write) -> None:
    _addresses_are(write, "aaaaRecords", "ipv6Address", 6)


@rule("dns-a-address", "Microsoft.Network/dnsZones/A", "RFC 1035")
def a_holds_ipv4(write: Write) -> None:
    _addresses_are(write, "ARecords", "ipv4Address", 4)


@rule("private-dns-a-address", "Microsoft.Network/privateDnsZones/A", "RFC 1035")
def private_a_holds_ipv4(write: Write) -> None:
    _addresses_are(write, "aRecords", "ipv4Address", 4)


@rule("private-dns-link", "Microsoft.Network/privateDnsZones/virtualNetworkLinks", "learn.microsoft.com/azure/dns/private-dns-virtual-network-links")
def link_names_a_vnet_once(write: Write) -> None:
    target = reference(write.properties, "virtualNetwork")
    if not write.azure.store.get(target):
        raise InvalidReference(target, write.id)
    for other in write.azure.store.children(write.id.rsplit("/", 2)[0], "virtualNetworkLinks"):
        if other.key != write.id.lower() and same_id(reference(other.properties, "virtualNetwork"), target):
            raise ArmError(409, "Conflict", f"The virtual network {target} is already linked to this zone by '{other.name}'.")


@delete_rule("private-dns-zone-linked", "Microsoft.Network/privateDnsZones", "learn.microsoft.com/azure/dns/private-dns-privatednszone")
def zone_with_links_stays(azure: Azure, resource: Resource) -> None:
    for link in azure.store.children(resource.id, "virtualNetworkLinks"):
        raise ArmError(409, "CannotDeleteResource", f"Can not delete {resource.id}: it has the virtual network link {link.name}.")
