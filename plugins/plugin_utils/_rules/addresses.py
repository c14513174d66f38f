"""Rules of address plans: what Azure and AKS refuse of ranges, subnets and their sizes.

This file is private to the collection.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._addresses.allocations import STAMP_RANGES
from .._addresses.plan import DEFAULT_POOLS, STAMP_IPV6_LENGTH, subnets_of
from .._addresses.purposes import GENERAL, PURPOSES, delegation_of, families_of, fixed_purpose, purpose_name, purpose_of
from .._addresses.ranges import MalformedSpecification, Network, inside, listed, overlaps, prefixes_in, read
from . import Chapter, Finding
from .planned import PlannedStamp

_DUAL_STACK = "https://learn.microsoft.com/azure/aks/configure-dual-stack"
_OVERLAY = "https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay"
_CNI = "https://learn.microsoft.com/azure/aks/concepts-network-cni-overview"
_IPV6 = "https://learn.microsoft.com/azure/virtual-network/ip-services/ipv6-overview"
_IPV6_PLANNING = "https://learn.microsoft.com/azure/architecture/networking/guide/ipv6-ip-planning"
_LIMITS = "https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits"
_SERVICES = "https://learn.microsoft.com/azure/virtual-network/virtual-network-for-azure-services"
_PEERING = "https://learn.microsoft.com/azure/virtual-network/virtual-network-peering-overview"
_SUBNETS = "https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-subnet"

#: AKS refuses these for pods, services and virtual networks, and whatever contains them.
RESERVED_BY_AKS = tuple(ipaddress.ip_network(text) for text in ("169.254.0.0/16", "192.0.2.0/24", "172.30.0.0/16", "172.31.0.0/16"))
#: Azure refuses these in every address space.
RESERVED_BY_AZURE = tuple(ipaddress.ip_network(text) for text in ("224.0.0.0/4", "255.255.255.255/32", "127.0.0.0/8", "168.63.129.16/32"))

CHAPTER = Chapter[PlannedStamp]("addresses")
rule = CHAPTER.rule


@rule("run plan.yml -e plan_write=true and commit the register", _IPV6_PLANNING)
def unregistered(case: PlannedStamp) -> Iterator[Finding]:
    """A stamp whose ranges are not in the register: its proposed ranges may change when another stamp is planned first."""
    names = {name: families or {} for name, families in ((case.register.get("stamps") or {}).get(case.stamp) or {}).items()}
    proposed = {**{name: case.plan[name] for name in STAMP_RANGES}, **case.plan["subnets"]}
    missing = {name: families for name, families in proposed.items() if any(family not in names.get(name, {}) for family in families)}
    if missing:
        entries = "; ".join(
            f"{name}: {{{', '.join(f'{family}: "{text}"' for family, text in families.items())}}}" for name, families in missing.items()
        )
        yield (
            case.stamp,
            f"the register lacks {', '.join(missing)}",
            f"run plan.yml -e plan_write=true and commit the register, or add to dualstack_register.stamps.{case.stamp}: {entries}",
        )


@rule("correct the register (plan.yml -e plan_adopt=true adopts the live ranges); a registered name never moves", _IPV6)
def moved_subnet(case: PlannedStamp) -> Iterator[Finding]:
    """A live subnet that lacks a prefix from the register: Azure does not move a subnet that is in use. Additional live prefixes are kept."""
    for name, prefixes in (case.specification.get("live_subnets") or {}).items():
        planned = prefixes_in(case.plan["subnets"].get(name, {}))
        live = {read(text, name) for text in prefixes}
        if not live.issuperset(read(text, name) for text in planned):
            yield f"{case.stamp}.{name}", f"the live subnet has {', '.join(map(str, sorted(live, key=str)))}, the register {', '.join(planned)}"


@rule("delete the subnet, or move it into the virtual network's range", "https://learn.microsoft.com/azure/virtual-network/manage-virtual-network")
def vnet_prefix_in_use(case: PlannedStamp) -> Iterator[Finding]:
    """A live subnet in a prefix of the virtual network that a registered prefix replaces, outside that one. Other prefixes are kept."""
    if case.specification.get("existing_vnet_id"):
        return
    spaces = [read(text, "vnet") for text in prefixes_in(case.plan["vnet"])]
    live = [read(text, "vnet") for text in case.specification.get("live_vnet") or ()]
    spaces += [prefix for prefix in live if not any(overlaps(prefix, space) for space in spaces)]
    for name, prefixes in _live_subnets(case):
        outside = [str(prefix) for prefix in prefixes if not any(inside(prefix, space) for space in spaces)]
        if outside:
            yield f"{case.stamp}.{name}", f"the live subnet has {', '.join(outside)}, outside the virtual network's {', '.join(map(str, spaces))}"


@rule("name the live subnet in dualstack_subnets and run plan.yml -e plan_adopt=true, or register another prefix", _SUBNETS)
def live_subnet_overlap(case: PlannedStamp) -> Iterator[Finding]:
    """A new subnet that overlaps a live subnet outside the inventory."""
    made = (case.specification.get("live_subnets") or {}).keys()
    for name, families in case.plan["subnets"].items():
        for network in (read(text, name) for text in prefixes_in(families) if name not in made):
            for other, prefixes in _live_subnets(case):
                if any(overlaps(network, prefix) for prefix in prefixes):
                    yield f"{case.stamp}.{name}", f"{network} overlaps the live subnet {other}"


def _live_subnets(case: PlannedStamp) -> Iterator[tuple[str, list[Network]]]:
    """The live subnets, each with the prefixes that the plan does not have for it."""
    for name, prefixes in (case.specification.get("live_subnets") or {}).items():
        planned = {read(text, name) for text in prefixes_in(case.plan["subnets"].get(name, {}))}
        if others := [network for network in (read(text, name) for text in prefixes) if network not in planned]:
            yield name, others


@rule("add a pool, make other ranges smaller, or remove a retired name from the register", _IPV6)
def no_room(case: PlannedStamp) -> Iterator[Finding]:
    """A range for which its pool or its virtual network has no room."""
    for name, family, why in case.unplaced:
        yield f"{case.stamp}.{name}", f"no {family} range: {why}"


@rule("use names of stamps in the register", _PEERING)
def peered_stamps(case: PlannedStamp) -> Iterator[Finding]:
    """A peered stamp that is not in the register."""
    for name in case.peered_stamps:
        if not case.vnet(name):
            yield "network_peered_stamps", f"the register has no virtual network for {name}"


@rule("register another prefix for one of them", _PEERING)
def overlap(case: PlannedStamp) -> Iterator[Finding]:
    """Two ranges of a stamp that share addresses, or two virtual networks that are peered."""
    own = list(case.networks())
    vnet = set(prefixes_in(case.plan["vnet"]))
    for position, (subject, name, network) in enumerate(own):
        for other, other_name, theirs in own[position + 1 :]:
            contained = (str(network) in vnet and name == "vnet" and other_name not in STAMP_RANGES) and inside(theirs, network)
            if overlaps(network, theirs) and not contained:
                yield subject, f"{network} overlaps {theirs} of {other}"
        for held in case.registrations.overlapping(network):
            retired_subnet = name == "vnet" and held.name not in STAMP_RANGES
            if held.stamp == case.stamp and held.retired and (held.name, held.network) != (name, network) and not retired_subnet:
                yield subject, f"{network} overlaps {held.network} of {held.subject}"
        for whose, theirs in case.reached if name == "vnet" else ():
            if overlaps(network, theirs):
                yield subject, f"{network} overlaps {theirs} of {whose}, which is peered"


@rule("register a prefix inside the virtual network", _IPV6)
def subnet_outside_vnet(case: PlannedStamp) -> Iterator[Finding]:
    """A subnet's prefix outside its virtual network."""
    for name, families in case.plan["subnets"].items():
        for family, prefixes in families.items():
            vnet = listed(case.plan["vnet"].get(family))
            for text in listed(prefixes):
                if vnet and not any(inside(read(text, name), read(space, "vnet")) for space in vnet):
                    yield f"{case.stamp}.{name}", f"{text} is not inside the virtual network {', '.join(vnet)}"


@rule("register exactly one /64 for the subnet", _IPV6)
def subnet_ipv6_length(case: PlannedStamp) -> Iterator[Finding]:
    """An IPv6 subnet that is not a /64, or a subnet with two IPv6 prefixes."""
    for name, families in case.plan["subnets"].items():
        prefixes = listed(families.get("ipv6"))
        if len(prefixes) > 1 or any(read(text, name).prefixlen != 64 for text in prefixes):
            yield f"{case.stamp}.{name}", ", ".join(prefixes)


@rule("use [IPv4] or [IPv4, IPv6]: every network interface needs an IPv4 address", _IPV6)
def subnet_families(case: PlannedStamp) -> Iterator[Finding]:
    """A subnet without IPv4, or with an unknown family."""
    for name, subnet in subnets_of(case.specification).items():
        families = families_of(name, subnet)
        if families not in (["IPv4"], ["IPv4", "IPv6"]):
            yield f"dualstack_subnets.{name}.families", f"{families}"


@rule("use /29 or larger, as Azure requires", _IPV6)
def subnet_ipv4_length(case: PlannedStamp) -> Iterator[Finding]:
    """An IPv4 subnet smaller than a /29 or larger than a /2."""
    for name, subnet in subnets_of(case.specification).items():
        if not 2 <= subnet["ipv4_prefix_length"] <= 29:
            yield f"dualstack_subnets.{name}.ipv4_prefix_length", f"/{subnet['ipv4_prefix_length']}"


#: keys of a subnet in the inventory
_SUBNET_KEYS = ("ipv4_prefix_length", "purpose", "families", "delegation")


@rule("declare the subnet's purpose", _SERVICES)
def subnet_purpose(case: PlannedStamp) -> Iterator[Finding]:
    """An unknown purpose or key of a subnet, or a purpose for which Azure requires another name."""
    for name, subnet in subnets_of(case.specification).items():
        purpose, fixed = purpose_name(name, subnet), fixed_purpose(name)
        wanted = purpose_of(name, subnet).name
        for key in sorted(subnet.keys() - set(_SUBNET_KEYS)):
            yield f"dualstack_subnets.{name}.{key}", "unknown key", f"use {', '.join(_SUBNET_KEYS)}"
        if purpose and purpose not in PURPOSES:
            yield f"dualstack_subnets.{name}.purpose", f"{purpose}", f"use one of {', '.join(PURPOSES)}, or remove it"
        elif fixed and purpose != fixed:
            yield f"dualstack_subnets.{name}.purpose", f"{purpose}, but Azure reserves the name for {fixed}", "rename it, or remove its purpose"
        elif wanted and name.lower() != wanted.lower():
            yield f"dualstack_subnets.{name}.purpose", f"{purpose} needs the name {wanted}", f"rename the subnet to {wanted}"


@rule(
    "delegate the subnet to its service, for example Microsoft.Web/serverFarms",
    "https://learn.microsoft.com/azure/virtual-network/subnet-delegation-overview",
)
def subnet_delegation(case: PlannedStamp) -> Iterator[Finding]:
    """A delegation that is not a service, or that does not fit the subnet's purpose."""
    for name, subnet in subnets_of(case.specification).items():
        delegation, purpose = delegation_of(name, subnet), purpose_name(name, subnet)
        if delegation and not re.fullmatch(r"[A-Za-z][\w.]*\.[\w.]+/[A-Za-z][\w/]*", delegation):
            yield f"dualstack_subnets.{name}.delegation", f"{delegation!r} is not a service"
        if purpose and delegation.lower() != purpose_of(name, subnet).delegation.lower():
            own = purpose_of(name, subnet).delegation
            yield (
                f"dualstack_subnets.{name}.delegation",
                f"{delegation} for a subnet of the purpose {purpose}",
                f"remove it: the subnet is delegated to {own}" if own else "remove it, or use a subnet without this purpose",
            )


@rule("keep the delegation, or use a new subnet", "https://learn.microsoft.com/azure/virtual-network/manage-subnet-delegation")
def delegation_in_use(case: PlannedStamp) -> Iterator[Finding]:
    """A new delegation for a subnet that is in use: Azure changes it only for an empty subnet."""
    for name, subnet in subnets_of(case.specification).items() if not case.specification.get("existing_vnet_id") else ():
        live, wanted = (case.specification.get("live_delegations") or {}).get(name), delegation_of(name, subnet)
        # github.com/Azure/application-gateway-kubernetes-ingress/pull/1703: gateways that run already get their delegation later.
        is_late = live == [] and wanted == PURPOSES["application_gateway"].delegation
        if live is not None and wanted and wanted.lower() not in map(str.lower, live) and not is_late:
            yield f"dualstack_subnets.{name}", f"{wanted}; the live subnet, which is in use, is delegated to {', '.join(live) or 'nothing'}"


def _new_subnets(case: PlannedStamp) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The subnets that the run creates. A role that does not read the network leaves them to the one that does."""
    if case.specification.get("existing_vnet_id") or (case.cluster and "live_subnets" not in case.specification):
        return
    live = [name.lower() for name in case.specification.get("live_subnets") or {}]
    for name, subnet in subnets_of(case.specification).items():
        if name.lower() not in live:
            yield name, subnet


@rule("use the size that Azure requires for this service", _SERVICES)
def subnet_purpose_size(case: PlannedStamp) -> Iterator[Finding]:
    """A new subnet that is too small or too large for its service."""
    for name, subnet in _new_subnets(case):
        purpose, texts = purpose_of(name, subnet), listed(case.plan["subnets"].get(name, {}).get("ipv4"))
        for length in {subnet["ipv4_prefix_length"], *(read(text, name).prefixlen for text in texts)}:
            is_subnet = GENERAL.shortest <= length <= GENERAL.longest
            if is_subnet and not purpose.shortest <= length <= purpose.longest:
                size = f"/{purpose.longest}" if purpose.shortest == purpose.longest else f"/{purpose.longest} or larger"
                yield f"dualstack_subnets.{name}", f"/{length} for {purpose_name(name, subnet)}", f"use {size} (see {purpose.source})"


@rule("set its families to [IPv4], and remove its IPv6 prefix from the register", _SERVICES)
def subnet_purpose_families(case: PlannedStamp) -> Iterator[Finding]:
    """IPv6 in a new subnet for an IPv4-only service."""
    for name, subnet in _new_subnets(case):
        has_ipv6 = "IPv6" in families_of(name, subnet) or "ipv6" in case.plan["subnets"].get(name, {})
        if has_ipv6 and not purpose_of(name, subnet).ipv6:
            yield f"dualstack_subnets.{name}", f"IPv6 for {purpose_name(name, subnet)}, which supports only IPv4"


@rule("rename it", "https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules")
def subnet_name(case: PlannedStamp) -> Iterator[Finding]:
    """A subnet name that Azure or Kubernetes refuses, or that the register uses for the stamp's own ranges."""
    for name in subnets_of(case.specification):
        if name in STAMP_RANGES:
            yield f"dualstack_subnets.{name}", "the register uses this name for the stamp's own range", "choose another name"
        elif not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9_])?", name):
            yield (
                f"dualstack_subnets.{name}",
                "it is not 1 to 63 letters, digits, '_', '.' and '-'",
                "rename it: AKS puts the subnet's name into a node label",
            )


@rule("use at most 63 characters: AKS puts the name into a node label", _OVERLAY)
def name_length(case: PlannedStamp) -> Iterator[Finding]:
    """A name of a virtual network or resource group that is too long for the node label into which AKS puts it."""
    for what, name in (case.specification.get("names") or {}).items():
        if len(str(name)) > 63:
            yield what, f"{name!r} has {len(str(name))} characters"


@rule("declare at most 3,000 subnets in one virtual network", _LIMITS)
def subnet_count(case: PlannedStamp) -> Iterator[Finding]:
    """More subnets than a virtual network can have."""
    if len(subnets_of(case.specification)) > 3000:
        yield "dualstack_subnets", f"{len(subnets_of(case.specification))} subnets"


@rule("register a /48 to /64 for the virtual network; /56 is usual", _IPV6_PLANNING)
def vnet_ipv6_length(case: PlannedStamp) -> Iterator[Finding]:
    """A virtual network whose IPv6 range is too small or too large."""
    for text in listed(case.plan["vnet"].get("ipv6")):
        if not 48 <= read(text, "vnet").prefixlen <= 64:
            yield f"{case.stamp}.vnet", text


@rule("register a /108 or smaller for the IPv6 services", _DUAL_STACK)
def services_ipv6_length(case: PlannedStamp) -> Iterator[Finding]:
    """An IPv6 service range that is too large for AKS."""
    text = case.plan["services"].get("ipv6")
    if text and read(text, "services").prefixlen < 108:
        yield f"{case.stamp}.services", text


@rule("register a /13 to /28 for the IPv4 services: smaller than a /12, with room for the DNS service", _CNI)
def services_ipv4_length(case: PlannedStamp) -> Iterator[Finding]:
    """An IPv4 service range of a size that AKS refuses."""
    text = case.plan["services"].get("ipv4")
    if text and not 12 < read(text, "services").prefixlen <= 28:
        yield f"{case.stamp}.services", text


@rule("use another IPv4 pool", _CNI)
def reserved_range(case: PlannedStamp) -> Iterator[Finding]:
    """A range that Azure or AKS reserves."""
    for subject, _unused, network in case.networks():
        for reserved in RESERVED_BY_AKS + RESERVED_BY_AZURE:
            if overlaps(network, reserved):
                yield subject, f"{network} overlaps {reserved}, which Azure reserves"


@rule("take it from another pool", _OVERLAY)
def pod_range_in_vnet(case: PlannedStamp) -> Iterator[Finding]:
    """A pod or service range that overlaps the stamp's virtual network or one that is peered with it: its addresses would be ambiguous there."""
    own = [read(text, "vnet") for text in dict.fromkeys([*prefixes_in(case.plan["vnet"]), *(case.specification.get("live_vnet") or ())])]
    for name in ("pods", "services"):
        for network in (read(text, name) for text in prefixes_in(case.plan[name])):
            for whose, theirs in [*((f"{case.stamp}.vnet", found) for found in own), *case.reached]:
                if overlaps(network, theirs):
                    yield f"{case.stamp}.{name}", f"{network} overlaps the virtual network {theirs} of {whose}"


@rule("use global unicast (2000::/3) or unique local (fc00::/7) space", "https://www.rfc-editor.org/rfc/rfc4193")
def ipv6_prefix(case: PlannedStamp) -> Iterator[Finding]:
    """IPv6 space that is too small for a stamp, or that hosts cannot use."""
    own = case.specification.get("ipv6_prefix")
    if not own:
        return
    network = read(own, "dualstack_ipv6_prefix")
    allowed = (ipaddress.ip_network("2000::/3"), ipaddress.ip_network("fc00::/7"))
    if network.prefixlen > STAMP_IPV6_LENGTH:
        yield "dualstack_ipv6_prefix", str(network), f"use a /{STAMP_IPV6_LENGTH} or shorter: each stamp takes a /{STAMP_IPV6_LENGTH} of it"
    if not any(inside(network, space) for space in allowed):
        yield "dualstack_ipv6_prefix", str(network)


def _is_ipv4_prefix(text: object) -> bool:
    try:
        return read(text, "dualstack_ipv4_pools").version == 4
    except MalformedSpecification:
        return False


@rule(
    "use the purposes vnet, pods and services, each with at least one IPv4 prefix",
    "https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq",
)
def ipv4_pool(case: PlannedStamp) -> Iterator[Finding]:
    """A pool for an unknown purpose, without a prefix, or with a value that is not an IPv4 prefix."""
    for purpose in case.specification.get("ipv4_pools") or {}:
        if purpose not in DEFAULT_POOLS:
            yield f"dualstack_ipv4_pools.{purpose}", "unknown purpose", f"use one of {', '.join(DEFAULT_POOLS)}"
        elif not case.specification["ipv4_pools"][purpose]:
            yield f"dualstack_ipv4_pools.{purpose}", "no prefix", "add at least one prefix"
        for text in case.specification["ipv4_pools"][purpose] or ():
            if not _is_ipv4_prefix(text):
                yield f"dualstack_ipv4_pools.{purpose}", f"{text!r} is not an IPv4 prefix in CIDR notation", "correct it, for example 10.0.0.0/9"


@rule("use a whole number from 1 to 32", _CNI)
def ipv4_prefix_length(case: PlannedStamp) -> Iterator[Finding]:
    """A length that no IPv4 range has, even if the range is already registered and the length is not used."""
    for name in STAMP_RANGES:
        length = case.specification.get(f"{name}_ipv4_prefix_length", 32)
        if isinstance(length, bool) or not isinstance(length, int) or not 1 <= length <= 32:
            yield f"network_{name}_ipv4_prefix_length", f"{length!r}"


@rule("use an address in the IPv4 service range that is not the first", _CNI)
def dns_service_ip(case: PlannedStamp) -> Iterator[Finding]:
    """An address for the cluster's DNS service that AKS refuses."""
    text, address = case.plan["services"].get("ipv4"), (case.cluster.get("dns_service_ip") or case.plan["dns_service_ip"])
    if text and address:
        network = read(text, "services")
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            parsed = None
        if parsed is None or parsed not in network or int(parsed) - int(network.network_address) < 2:
            yield f"{case.stamp}.dns_service_ip", f"{address} in {network}"


def warnings(case: PlannedStamp) -> Iterator[str]:
    """What nobody refuses and an operator should know: Services that clusters of peered stamps both have, networks that cannot be peered."""
    services = [read(text, "services") for text in prefixes_in(case.plan["services"])]
    for network in services:
        for held in case.registrations.overlapping(network):
            if held.name == "services" and not held.retired and held.stamp in case.peered_stamps:
                yield (
                    f"{case.stamp}.services: {network} overlaps {held.network} of {held.subject}, and their networks are peered: "
                    f"a cluster cannot reach addresses that its own Services also have."
                )
    own = case.vnet(case.stamp)
    for network in own:
        for held in case.registrations.overlapping(network):
            others = held.name == "vnet" and not held.retired and held.stamp not in (case.stamp, *case.peered_stamps)
            # Stamps with all prefixes in common are in one network.
            if others and set(case.vnet(held.stamp)) != set(own):
                yield f"{case.stamp}.vnet: {network} overlaps {held.network} of {held.subject}: the two networks cannot be peered."
