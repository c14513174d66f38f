"""What virtual networks and subnets refuse."""

from __future__ import annotations

from itertools import combinations, product

from ...azure import Azure
from ...errors import ArmError, InvalidReference
from ...kinds import Write
from ...rules import delete_rule, rule
from ...store import Resource
from ..bodies import NAVIGATION_LINKS, PEERING, SUBNET, VNET, prefixes_of, reference
from ..usage import subnet_users
from .shared import IPV6_OVERVIEW, RESOURCE_NAMES, Network, check_names_are_unique, networks


def _inside(inner: Network, outers: list[Network]) -> bool:
    return any(outer.version == inner.version and inner.subnet_of(outer) for outer in outers)  # type: ignore[arg-type]


@rule("vnet-subnet-names", VNET, RESOURCE_NAMES)
def subnet_names_are_unique(write: Write) -> None:
    check_names_are_unique(write, "subnets")


@rule("vnet-address-space", VNET, IPV6_OVERVIEW)
def vnet_keeps_its_subnets_inside(write: Write) -> None:
    space = networks(write.properties.get("addressSpace", {}).get("addressPrefixes") or [], "addressSpace")
    if not space:
        raise ArmError(400, "InvalidRequestFormat", "A virtual network needs addressSpace.addressPrefixes.", target="addressSpace")
    for one, other in combinations(space, 2):
        if one.overlaps(other):
            raise ArmError(400, "NetcfgInvalidVirtualNetworkSite", f"The address prefixes {one} and {other} overlap.")
    for child in write.properties.get("subnets") or []:
        for prefix in networks(prefixes_of(child.get("properties") or {}), str(child.get("name"))):
            if write.before and not _inside(prefix, space):
                raise ArmError(400, "InUsePrefixCannotBeDeleted", f"{prefix} of subnet {child.get('name')} is in use and cannot be deleted.")


@rule("subnet-inside-vnet", SUBNET, IPV6_OVERVIEW)
def subnet_inside_vnet(write: Write) -> None:
    parent = write.azure.get(write.id.rsplit("/", 2)[0])
    if not prefixes_of(write.properties):
        raise ArmError(400, "InvalidRequestFormat", "A subnet needs addressPrefix or addressPrefixes.", target="addressPrefixes")
    space = networks(parent.properties["addressSpace"]["addressPrefixes"], "addressSpace")
    for prefix in networks(prefixes_of(write.properties), "addressPrefixes"):
        if not _inside(prefix, space):
            raise ArmError(
                400, "NetcfgInvalidSubnet", f"Subnet '{write.id.rsplit('/', 1)[1]}' is not valid in virtual network '{parent.name}': {prefix}."
            )


@rule("subnet-overlap", SUBNET, IPV6_OVERVIEW)
def subnets_do_not_overlap(write: Write) -> None:
    own = networks(prefixes_of(write.properties), "addressPrefixes")
    for other in write.azure.store.children(write.id.rsplit("/", 2)[0], "subnets"):
        if other.key != write.id.lower():
            for theirs in networks(prefixes_of(other.properties), other.id):
                for prefix in own:
                    if prefix.overlaps(theirs):
                        raise ArmError(400, "NetcfgSubnetRangesOverlap", f"Subnet {prefix} overlaps with {theirs} of subnet '{other.name}'.")


@rule("subnet-ipv6-64", SUBNET, IPV6_OVERVIEW)
def ipv6_subnet_is_a_64(write: Write) -> None:
    for prefix in networks(prefixes_of(write.properties), "addressPrefixes"):
        if prefix.version == 6 and prefix.prefixlen != 64:
            raise ArmError(400, "NetcfgInvalidIPv6SubnetPrefix", f"IPv6 subnets must be exactly /64 in size; {prefix} is not.")


@rule("subnet-one-ipv6-prefix", SUBNET, IPV6_OVERVIEW)
def one_ipv6_prefix(write: Write) -> None:
    sixes = [prefix for prefix in networks(prefixes_of(write.properties), "addressPrefixes") if prefix.version == 6]
    if len(sixes) > 1:
        raise ArmError(400, "SubnetWithMultipleIPv6Prefixes", f"A subnet has one IPv6 prefix at most, not {len(sixes)}.")


@rule("subnet-references", SUBNET, "learn.microsoft.com/rest/api/virtualnetwork/subnets/create-or-update")
def what_a_subnet_names_exists(write: Write) -> None:
    for name in ("networkSecurityGroup", "routeTable", "natGateway"):
        target = reference(write.properties, name)
        if target and not write.azure.store.get(target):
            raise InvalidReference(target, write.id)


@rule("subnet-prefix-in-use", SUBNET, "learn.microsoft.com/azure/virtual-network/virtual-network-manage-subnet")
def prefix_in_use_stays(write: Write) -> None:
    if write.before is None:
        return
    old = set(networks(prefixes_of(write.old_properties), "addressPrefixes"))
    gone = old - set(networks(prefixes_of(write.properties), "addressPrefixes"))
    for prefix in gone:
        for user in subnet_users(write.azure, write.id, f"IPv{prefix.version}"):
            raise ArmError(400, "InUsePrefixCannotBeDeleted", f"{prefix} cannot be deleted while {user} uses the subnet.")


def _check_links(write: Write, vnet: str, before: list[str], after: list[str]) -> None:
    """The code is assumed."""
    if not any(":" in prefix for prefix in after) or any(":" in prefix for prefix in before):
        return
    for subnet in write.azure.store.children(vnet, "subnets"):
        if subnet.hidden.get(NAVIGATION_LINKS):
            message = f"IPv6 cannot be added to virtual network {vnet}: its subnet {subnet.name} has resource navigation links."
            raise ArmError(400, "IPv6NotSupportedWithResourceNavigationLinks", message)


@rule("vnet-navigation-links", VNET, IPV6_OVERVIEW)
def network_with_navigation_links_gets_no_ipv6(write: Write) -> None:
    before, after = ((found.get("addressSpace") or {}).get("addressPrefixes") or [] for found in (write.old_properties, write.properties))
    if write.before:
        _check_links(write, write.id, before, after)


@rule("subnet-navigation-links", SUBNET, IPV6_OVERVIEW)
def subnet_beside_navigation_links_gets_no_ipv6(write: Write) -> None:
    _check_links(write, write.id.rsplit("/", 2)[0], prefixes_of(write.old_properties), prefixes_of(write.properties))


@rule("peering-remote", PEERING, "learn.microsoft.com/azure/virtual-network/virtual-network-manage-peering#requirements-and-constraints")
def peered_networks_are_disjoint(write: Write) -> None:
    target = reference(write.properties, "remoteVirtualNetwork")
    remote, network = write.azure.store.get(target), write.azure.get(write.id.rsplit("/", 2)[0])
    if remote is None:
        raise InvalidReference(target, write.id)
    ours, theirs = (networks(found.properties["addressSpace"]["addressPrefixes"], found.id) for found in (network, remote))
    for one, other in product(ours, theirs):
        if one.overlaps(other):
            message = f"Cannot create or update peering {write.id}. The address space {one} of {network.id} overlaps with {other} of {remote.id}."
            raise ArmError(400, "VnetAddressSpacesOverlap", message)


@delete_rule("subnet-in-use", SUBNET, "learn.microsoft.com/azure/virtual-network/virtual-network-manage-subnet")
def subnet_in_use(azure: Azure, resource: Resource) -> None:
    for user in subnet_users(azure, resource.id):
        raise ArmError(400, "InUseSubnetCannotBeDeleted", f"Subnet {resource.name} is in use by {user} and cannot be deleted.")


@delete_rule("vnet-in-use", VNET, "learn.microsoft.com/azure/virtual-network/manage-virtual-network")
def vnet_in_use(azure: Azure, resource: Resource) -> None:
    for subnet in azure.store.children(resource.id, "subnets"):
        subnet_in_use(azure, subnet)
