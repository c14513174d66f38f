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
    """A stamp whose ranges are not in the register: a proposal may change when another stamp is planned first."""
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
            f"run plan.yml -e plan_write=true and commit the register, or add to dualstack_register.stamps.{case.stamp} what is proposed: {entries}",
        )


@rule("correct the register (plan.yml -e plan_adopt=true adopts the live ranges); a registered name never moves", _IPV6)
def moved_subnet(case: PlannedStamp) -> Iterator[Finding]:
    """A live subnet without a prefix that the register has for it: Azure does not move a subnet that is in use. Further prefixes stay."""
    for name, prefixes in (case.specification.get("live_subnets") or {}).items():
        planned = prefixes_in(case.plan["subnets"].get(name, {}))
        live = {read(text, name) for text in prefixes}
        if not live.issuperset(read(text, name) for text in planned):
            yield f"{case.stamp}.{name}", f"the live subnet has {', '.join(map(str, sorted(live, key=str)))}, the register {', '.join(planned)}"


@rule("delete the subnet, or move it into the virtual network's range", "https://learn.microsoft.com/azure/virtual-network/manage-virtual-network")
def vnet_prefix_in_use(case: PlannedStamp) -> Iterator[Finding]:
    """A live subnet in a prefix of the virtual network that a registered one replaces, and outside that one. A prefix that overlaps none stays."""
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
    """A range that finds no room in its pool or in its virtual network."""
    for name, family, why in case.unplaced:
        yield f"{case.stamp}.{name}", f"no {family} range: {why}"


@rule("name stamps of the register", _PEERING)
def peered_stamps(case: PlannedStamp) -> Iterator[Finding]:
    """A stamp to peer with that the register does not have."""
    for name in case.peered_stamps:
        if not case.vnet(name):
            yield "network_peered_stamps", f"the register has no virtual network of {name}"


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


@rule("an IPv6 subnet is exactly a /64: register one", _IPV6)
def subnet_ipv6_length(case: PlannedStamp) -> Iterator[Finding]:
    """An IPv6 subnet that is no /64, or a subnet with two of them."""
    for name, families in case.plan["subnets"].items():
        prefixes = listed(families.get("ipv6"))
        if len(prefixes) > 1 or any(read(text, name).prefixlen != 64 for text in prefixes):
            yield f"{case.stamp}.{name}", ", ".join(prefixes)


@rule("use [IPv4] or [IPv4, IPv6]: every network interface needs an IPv4 address", _IPV6)
def subnet_families(case: PlannedStamp) -> Iterator[Finding]:
    """A subnet without IPv4, or with families that Azure does not know."""
    for name, subnet in subnets_of(case.specification).items():
        families = families_of(name, subnet)
        if families not in (["IPv4"], ["IPv4", "IPv6"]):
            yield f"dualstack_subnets.{name}.families", f"{families}"


@rule("Azure's IPv4 subnets are /29 or larger", _IPV6)
def subnet_ipv4_length(case: PlannedStamp) -> Iterator[Finding]:
    """An IPv4 subnet smaller than a /29 or larger than a /2."""
    for name, subnet in subnets_of(case.specification).items():
        if not 2 <= subnet["ipv4_prefix_length"] <= 29:
            yield f"dualstack_subnets.{name}.ipv4_prefix_length", f"/{subnet['ipv4_prefix_length']}"


#: keys of a subnet in the inventory
_SUBNET_KEYS = ("ipv4_prefix_length", "purpose", "families", "delegation")


@rule("declare what the subnet is for", _SERVICES)
def subnet_purpose(case: PlannedStamp) -> Iterator[Finding]:
    """A purpose or key that subnets do not have, or a purpose that Azure binds to another name."""
    for name, subnet in subnets_of(case.specification).items():
        purpose, fixed = purpose_name(name, subnet), fixed_purpose(name)
        wanted = purpose_of(name, subnet).name
        for key in sorted(subnet.keys() - set(_SUBNET_KEYS)):
            yield f"dualstack_subnets.{name}.{key}", "unknown key", f"use {', '.join(_SUBNET_KEYS)}"
        if purpose and purpose not in PURPOSES:
            yield f"dualstack_subnets.{name}.purpose", f"{purpose}", f"use one of {', '.join(PURPOSES)}, or leave it out"
        elif fixed and purpose != fixed:
            yield f"dualstack_subnets.{name}.purpose", f"{purpose}, and Azure keeps the name for {fixed}", "rename it, or leave its purpose out"
        elif wanted and name.lower() != wanted.lower():
            yield f"dualstack_subnets.{name}.purpose", f"{purpose} needs the name {wanted}", f"rename the subnet to {wanted}"


@rule(
    "delegate the subnet to the service that it is for, as Microsoft.Web/serverFarms",
    "https://learn.microsoft.com/azure/virtual-network/subnet-delegation-overview",
)
def subnet_delegation(case: PlannedStamp) -> Iterator[Finding]:
    """A delegation that is no service, or that the subnet's purpose does not have."""
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
    """Another delegation of a subnet that something uses: Azure changes it only for an empty subnet."""
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


@rule("give the subnet the size that Azure demands", _SERVICES)
def subnet_purpose_size(case: PlannedStamp) -> Iterator[Finding]:
    """A new subnet too small or too large for the service that it is for."""
    for name, subnet in _new_subnets(case):
        purpose, texts = purpose_of(name, subnet), listed(case.plan["subnets"].get(name, {}).get("ipv4"))
        for length in {subnet["ipv4_prefix_length"], *(read(text, name).prefixlen for text in texts)}:
            is_subnet = GENERAL.shortest <= length <= GENERAL.longest
            if is_subnet and not purpose.shortest <= length <= purpose.longest:
                size = f"/{purpose.longest}" if purpose.shortest == purpose.longest else f"/{purpose.longest} or larger"
                yield f"dualstack_subnets.{name}", f"/{length} for {purpose_name(name, subnet)}", f"use {size} (see {purpose.source})"


@rule("set its families to [IPv4], and remove its IPv6 prefix from the register", _SERVICES)
def subnet_purpose_families(case: PlannedStamp) -> Iterator[Finding]:
    """IPv6 in a new subnet for a service that has none."""
    for name, subnet in _new_subnets(case):
        has_ipv6 = "IPv6" in families_of(name, subnet) or "ipv6" in case.plan["subnets"].get(name, {})
        if has_ipv6 and not purpose_of(name, subnet).ipv6:
            yield f"dualstack_subnets.{name}", f"IPv6 for {purpose_name(name, subnet)}, which has IPv4 only"


@rule("rename it", "https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules")
def subnet_name(case: PlannedStamp) -> Iterator[Finding]:
    """A subnet's name that Azure or a node label cannot have, or that the register uses for the stamp's own ranges."""
    for name in subnets_of(case.specification):
        if name in STAMP_RANGES:
            yield f"dualstack_subnets.{name}", "the register uses this name for the stamp's own range", "choose another name"
        elif not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9_])?", name):
            yield (
                f"dualstack_subnets.{name}",
                "not 1 to 63 letters, digits, '_', '.' and '-'",
                "rename it: AKS makes a node label of the subnet's name",
            )


@rule("63 characters at most: AKS makes a node label of it", _OVERLAY)
def name_length(case: PlannedStamp) -> Iterator[Finding]:
    """A name of a virtual network or resource group that is too long for the node label that AKS makes of it."""
    for what, name in (case.specification.get("names") or {}).items():
        if len(str(name)) > 63:
            yield what, f"{name!r} has {len(str(name))} characters"


@rule("3,000 at most in one virtual network", _LIMITS)
def subnet_count(case: PlannedStamp) -> Iterator[Finding]:
    """More subnets than a virtual network can have."""
    if len(subnets_of(case.specification)) > 3000:
        yield "dualstack_subnets", f"{len(subnets_of(case.specification))} subnets"


@rule("a virtual network's IPv6 range is a /48 to /64; /56 is usual", _IPV6_PLANNING)
def vnet_ipv6_length(case: PlannedStamp) -> Iterator[Finding]:
    """A virtual network whose IPv6 range has another size."""
    for text in listed(case.plan["vnet"].get("ipv6")):
        if not 48 <= read(text, "vnet").prefixlen <= 64:
            yield f"{case.stamp}.vnet", text


@rule("an IPv6 service range is a /108 or smaller", _DUAL_STACK)
def services_ipv6_length(case: PlannedStamp) -> Iterator[Finding]:
    """An IPv6 service range larger than AKS takes."""
    text = case.plan["services"].get("ipv6")
    if text and read(text, "services").prefixlen < 108:
        yield f"{case.stamp}.services", text


@rule("an IPv4 service range is smaller than /12 and large enough for the DNS service: /13 to /28", _CNI)
def services_ipv4_length(case: PlannedStamp) -> Iterator[Finding]:
    """An IPv4 service range that AKS refuses for its size."""
    text = case.plan["services"].get("ipv4")
    if text and not 12 < read(text, "services").prefixlen <= 28:
        yield f"{case.stamp}.services", text


@rule("use another IPv4 pool", _CNI)
def reserved_range(case: PlannedStamp) -> Iterator[Finding]:
    """A range that Azure or AKS keeps for itself."""
    for subject, _unused, network in case.networks():
        for reserved in RESERVED_BY_AKS + RESERVED_BY_AZURE:
            if overlaps(network, reserved):
                yield subject, f"{network} overlaps {reserved}, which Azure reserves"


@rule("take it from another pool", _OVERLAY)
def pod_range_in_vnet(case: PlannedStamp) -> Iterator[Finding]:
    """A pod or service range inside the stamp's virtual network, or one that is peered with it: its addresses would be ambiguous there."""
    own = [read(text, "vnet") for text in dict.fromkeys([*prefixes_in(case.plan["vnet"]), *(case.specification.get("live_vnet") or ())])]
    for name in ("pods", "services"):
        for network in (read(text, name) for text in prefixes_in(case.plan[name])):
            for whose, theirs in [*((f"{case.stamp}.vnet", found) for found in own), *case.reached]:
                if overlaps(network, theirs):
                    yield f"{case.stamp}.{name}", f"{network} overlaps the virtual network {theirs} of {whose}"


@rule("use global unicast (2000::/3) or unique local (fc00::/7) space", "https://www.rfc-editor.org/rfc/rfc4193")
def ipv6_prefix(case: PlannedStamp) -> Iterator[Finding]:
    """IPv6 space that is too small for a stamp, or that is not for hosts."""
    own = case.specification.get("ipv6_prefix")
    if not own:
        return
    network = read(own, "dualstack_ipv6_prefix")
    allowed = (ipaddress.ip_network("2000::/3"), ipaddress.ip_network("fc00::/7"))
    if network.prefixlen > STAMP_IPV6_LENGTH:
        yield "dualstack_ipv6_prefix", str(network), f"each stamp takes a /{STAMP_IPV6_LENGTH} of it: give a /{STAMP_IPV6_LENGTH} or shorter"
    if not any(inside(network, space) for space in allowed):
        yield "dualstack_ipv6_prefix", str(network)


def _is_ipv4_prefix(text: object) -> bool:
    try:
        return read(text, "dualstack_ipv4_pools").version == 4
    except MalformedSpecification:
        return False


@rule("give at least one prefix for a known purpose", "https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq")
def ipv4_pool(case: PlannedStamp) -> Iterator[Finding]:
    """A pool for a purpose that nothing is taken for, a pool without a prefix, or one with something else."""
    for purpose in case.specification.get("ipv4_pools") or {}:
        if purpose not in DEFAULT_POOLS:
            yield f"dualstack_ipv4_pools.{purpose}", "unknown purpose", f"use one of {', '.join(DEFAULT_POOLS)}"
        elif not case.specification["ipv4_pools"][purpose]:
            yield f"dualstack_ipv4_pools.{purpose}", "no prefix", "give at least one"
        for text in case.specification["ipv4_pools"][purpose] or ():
            if not _is_ipv4_prefix(text):
                yield f"dualstack_ipv4_pools.{purpose}", f"{text!r} is not an IPv4 prefix in CIDR notation", "correct it, as 10.0.0.0/9"


@rule("give a whole number from 1 to 32", _CNI)
def ipv4_prefix_length(case: PlannedStamp) -> Iterator[Finding]:
    """A length that no IPv4 range has, also where the range is registered already and the length is not used."""
    for name in STAMP_RANGES:
        length = case.specification.get(f"{name}_ipv4_prefix_length", 32)
        if isinstance(length, bool) or not isinstance(length, int) or not 1 <= length <= 32:
            yield f"network_{name}_ipv4_prefix_length", f"{length!r}"


@rule("give an address in the IPv4 service range that is not its first", _CNI)
def dns_service_ip(case: PlannedStamp) -> Iterator[Finding]:
    """An address of the cluster's DNS service that AKS refuses."""
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
                    f"no cluster reaches an address that its own Services have."
                )
    own = case.vnet(case.stamp)
    for network in own:
        for held in case.registrations.overlapping(network):
            others = held.name == "vnet" and not held.retired and held.stamp not in (case.stamp, *case.peered_stamps)
            # Stamps with all prefixes in common are in one network.
            if others and set(case.vnet(held.stamp)) != set(own):
                yield f"{case.stamp}.vnet: {network} overlaps {held.network} of {held.subject}: the two networks cannot be peered."
