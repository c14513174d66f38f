"""Rules of a stamp's network that Azure's answers decide: subscription, region, providers, quotas, and what exists already.

This file is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._azure.preflight import live_subnets
from .._resource_id import folded
from . import Answer, Chapter, Finding

_PROVIDERS = "https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types"
_LIMITS = "https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits"
_ADDRESS = "https://learn.microsoft.com/azure/aks/static-ip"
_ADDRESSES = "https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses"
_NAT = "https://learn.microsoft.com/azure/nat-gateway/nat-sku"
_NAMES = "https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftresources"

#: StandardV2 NAT gateways are not offered here.
WITHOUT_STANDARD_V2 = ("canadaeast", "indonesiacentral", "israelnorthwest", "qatarcentral", "swedensouth", "westindia")


@dataclass(frozen=True)
class Network:
    """What is declared of a stamp's network beside its plan, and what Azure answered: ``subscription``, ``locations``, ``providers``, ``usages`` of
    Microsoft.Network in the region, ``vnet``, the entrances' addresses ``ipv4`` and ``ipv6``, and each of ``egress_address_ids``.

    ``nat_gateway_id`` is the stamp's own gateway; ``node_resource_group_id`` holds the load balancers of its cluster, and is empty where only the
    cluster knows it."""

    subscription_id: str
    location: str
    providers: Sequence[str]
    register_providers: bool
    resource_group: str
    zones: Sequence[str]
    egress: str
    egress_address_count: int
    nat_gateway_id: str
    node_resource_group_id: str
    existing_vnet_id: str
    existing_entrance_ids: Mapping[str, str]
    entrance_ids: Mapping[str, str]
    egress_address_ids: Mapping[str, Sequence[str]]
    subnets: Sequence[str]
    answers: Mapping[str, Answer]

    def values(self, name: str) -> list[Mapping[str, Any]]:
        """The items of a list that Azure answered."""
        return list(self.answers[name].body.get("value") or ())

    @property
    def addresses(self) -> Iterator[PublicAddress]:
        """Every public address that the stamp has or makes, once: entrances before egress."""
        for family, identifier in self.entrance_ids.items():
            existing = bool(self.existing_entrance_ids.get(family))
            variable = f"network_existing_entrance_{family}_id" if existing else f"network_entrance_{family}_name"
            yield PublicAddress(variable, family, identifier, "" if existing else "Standard", self.node_resource_group_id, self.answers[family])
        for family, identifiers in self.egress_address_ids.items():
            for identifier in identifiers:
                yield PublicAddress("network_egress", family, identifier, "StandardV2", self.nat_gateway_id, self.answers[identifier])


@dataclass(frozen=True)
class PublicAddress:
    """One public address: the variable that names it, what it is to be (``sku`` is empty for one that is never written), who may use it
    (a resource, or what lies in it; empty for anybody), and what Azure answered."""

    variable: str
    family: str
    id: str
    sku: str
    user: str
    answer: Answer


CHAPTER = Chapter[Network]("network")
rule = CHAPTER.rule


@rule("correct dualstack_subscription_id, or grant the credentials access to it")
def subscription(network: Network) -> Iterator[Finding]:
    """A subscription that the credentials cannot read."""
    if not network.answers["subscription"].exists:
        yield "network_subscription_id", f"{network.subscription_id} is not a subscription that the credentials can read"


@rule("name the stamp after its region or set dualstack_location", "https://learn.microsoft.com/azure/reliability/regions-list")
def location(network: Network) -> Iterator[Finding]:
    """A region that the subscription does not have."""
    regions = [str(region["name"]) for region in network.values("locations")]
    if network.answers["subscription"].exists and folded(network.location) not in map(folded, regions):
        yield (
            "network_location",
            f"{network.location} is not a region of the subscription",
            f"name the stamp after its region or set dualstack_location; regions are {', '.join(regions)}",
        )


@rule("use zones of the region, or [] if it has none", "https://learn.microsoft.com/azure/reliability/availability-zones-region-support")
def network_zones(network: Network) -> Iterator[Finding]:
    """Zones that the region does not have."""
    for region in network.values("locations"):
        zones = [str(mapping["logicalZone"]) for mapping in region.get("availabilityZoneMappings") or ()]
        missing = sorted(set(network.zones) - set(zones))
        if folded(region["name"]) == folded(network.location) and missing:
            has = f"the zones {', '.join(zones)}" if zones else "no zones"
            found = f"{network.location} has {has}, but {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} declared"
            yield "network_zones", found


@rule("register them (az provider register), or set network_register_providers to true", _PROVIDERS)
def providers(network: Network) -> Iterator[Finding]:
    """Resource providers that are not registered, while the run may not register them."""
    states = {str(provider["namespace"]): provider["registrationState"] for provider in network.values("providers")}
    unregistered = [
        namespace for namespace, state in states.items() if folded(namespace) in map(folded, network.providers) and folded(state) != "registered"
    ]
    if unregistered and not network.register_providers:
        yield "network_providers", f"not registered: {', '.join(unregistered)}"


@rule("request more quota for public addresses in this region", _LIMITS)
def public_address_quota(network: Network) -> Iterator[Finding]:
    """More new public addresses than the subscription's quota in the region allows. Azure counts each family; an older quota counts both."""
    new = {family: sum(not network.answers[name].exists for name in (family, *network.egress_address_ids[family])) for family in ("ipv4", "ipv6")}
    for usage in network.values("usages"):
        match = re.fullmatch(r"(ipv[46])?StandardSkuPublicIpAddresses", usage["name"]["value"], re.IGNORECASE)
        if not match:
            continue
        wanted = new[match[1].lower()] if match[1] else sum(new.values())
        used, limit = int(usage["currentValue"]), int(usage["limit"])
        if wanted and used + wanted > limit:
            yield "network_location", f"{usage['name']['value']}: {wanted} needed, but {used} of {limit} are in use"


@rule("correct the id, or leave it empty to create a virtual network")
def existing_vnet(network: Network) -> Iterator[Finding]:
    """An existing virtual network that Azure does not have."""
    if network.existing_vnet_id and not network.answers["vnet"].exists:
        yield "network_existing_vnet_id", f"{network.existing_vnet_id} {network.answers['vnet'].absence}"


@rule("create them, or list existing subnets in dualstack_subnets; an existing virtual network is never written")
def existing_subnets(network: Network) -> Iterator[Finding]:
    """An existing virtual network that lacks declared subnets."""
    live = live_subnets(network.answers["vnet"].body, network.subnets)
    missing = [name for name in network.subnets if name not in live]
    if network.existing_vnet_id and network.answers["vnet"].exists and missing:
        yield "network_existing_vnet_id", f"the virtual network lacks the subnets {', '.join(missing)}"


@rule("correct the id, or leave it empty to create an address", _ADDRESS)
def existing_entrance_address(network: Network) -> Iterator[Finding]:
    """An existing public address that a load balancer of AKS cannot use."""
    for family, identifier in network.existing_entrance_ids.items():
        version = family.replace("ip", "IP")
        if identifier and not _fits(network.answers[family], version):
            yield (
                f"network_existing_entrance_{family}_id",
                f"{identifier} does not exist, or is not a static {version} address of the SKU Standard",
            )


def _fits(address: Answer, version: str) -> bool:
    properties = address.body.get("properties") or {}
    return (
        folded((address.body.get("sku") or {}).get("name")) == "standard"
        and folded(properties.get("publicIPAllocationMethod")) == "static"
        and folded(properties.get("publicIPAddressVersion")) == folded(version)
    )


@rule("use 1 to 90 letters, digits, '_', '.', '-', '(' and ')', and no dot at the end", _NAMES)
def resource_group_name(network: Network) -> Iterator[Finding]:
    """A name of the stamp's resource group that Azure refuses."""
    if not re.fullmatch(r"[\w.()-]{0,89}[\w()-]", network.resource_group):
        yield "network_resource_group", f"{network.resource_group!r}"


@rule("set network_egress to load_balancer", _NAT)
def nat_gateway_region(network: Network) -> Iterator[Finding]:
    """A region that does not offer StandardV2 NAT gateways."""
    location = folded(network.location)
    if network.egress == "nat_gateway" and location in WITHOUT_STANDARD_V2:
        yield "network_egress", f"no StandardV2 NAT gateway in {location}"


@rule("use 1 to 16 public addresses in each family", _NAT)
def egress_address_count(network: Network) -> Iterator[Finding]:
    """An invalid number of public addresses for a NAT gateway."""
    if network.egress == "nat_gateway" and not 1 <= network.egress_address_count <= 16:
        yield "network_egress_address_count", f"{network.egress_address_count}"


@rule("use a different name for each public address", _ADDRESSES)
def entrance_names(network: Network) -> Iterator[Finding]:
    """Two variables that name the same public address."""
    seen: dict[str, str] = {}
    for address in network.addresses:
        if address.id.lower() in seen:
            yield address.variable, f"{seen[address.id.lower()]} also names {address.id}"
        seen.setdefault(address.id.lower(), address.variable)


@rule("declare the live values, or use another name for the address", _ADDRESSES)
def address_fixed(network: Network) -> Iterator[Finding]:
    """A live public address whose family, SKU or zones differ from the declared ones: all are fixed at creation."""
    seen = set[str]()
    for address in network.addresses:
        if not address.sku or not address.answer.exists or address.id.lower() in seen:
            # `existing_entrance_address` and `entrance_names` look at the others.
            continue
        seen.add(address.id.lower())
        body, version = address.answer.body, address.family.replace("ip", "IP")
        found = {
            "the family": ((body.get("properties") or {}).get("publicIPAddressVersion"), version),
            "the SKU": ((body.get("sku") or {}).get("name"), address.sku),
            "the zones": (", ".join(sorted(body.get("zones") or [])), ", ".join(sorted(network.zones))),
        }
        for what, (live, declared) in found.items():
            if live is not None and folded(live) != folded(declared):
                yield address.variable, f"{address.id} has {what} {live or '(none)'}; declared: {declared or '(none)'}"


@rule("release the address, or use another one", _ADDRESSES)
def address_in_use(network: Network) -> Iterator[Finding]:
    """A public address that another load balancer or NAT gateway uses."""
    for address in network.addresses:
        properties = address.answer.body.get("properties") or {}
        for user in ((properties.get(name) or {}).get("id", "") for name in ("ipConfiguration", "natGateway")):
            theirs = address.user and not f"{user}/".lower().startswith(f"{address.user}/".lower())
            if theirs and re.search("/(loadBalancers|natGateways)/", user, re.IGNORECASE):
                yield address.variable, f"{address.id} is in use by {user}"
