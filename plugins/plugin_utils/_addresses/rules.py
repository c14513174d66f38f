"""Every dual-stack rule of Azure that can be known before Azure is asked, one function a rule.

This file is private to the collection.

A rule gets a :class:`Case` (specification, register, plan) and yields :class:`Violation`; it never raises for what a user wrote.
``RULES`` holds them all; their ids appear in messages, tests and documentation.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .allocations import Registrations
from .plan import DEFAULT_POOLS, STAMP_IPV6_LENGTH, STAMP_RANGES, Fleet, StampPlan, Unplaced, families_of, subnets_of
from .ranges import Network, inside, overlaps, read
from .security_rules import PRIORITIES, family_rules, rule_families, unknown_subnets

_DUAL_STACK = "https://learn.microsoft.com/azure/aks/configure-dual-stack"
_OVERLAY = "https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay"
_CNI = "https://learn.microsoft.com/azure/aks/concepts-network-cni-overview"
_IPV6 = "https://learn.microsoft.com/azure/virtual-network/ip-services/ipv6-overview"
_NSG = "https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview"
_LIMITS = "https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits"
_PREFIXES = "https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-address-prefix"
_RANGES = "https://learn.microsoft.com/azure/aks/api-server-authorized-ip-ranges"
_NAT = "https://learn.microsoft.com/azure/nat-gateway/nat-sku"

#: AKS refuses these for pods, services and virtual networks, and whatever contains them.
RESERVED_BY_AKS = tuple(ipaddress.ip_network(text) for text in ("169.254.0.0/16", "192.0.2.0/24", "172.30.0.0/16", "172.31.0.0/16"))
#: Azure refuses these in every address space.
RESERVED_BY_AZURE = tuple(ipaddress.ip_network(text) for text in ("224.0.0.0/4", "255.255.255.255/32", "127.0.0.0/8", "168.63.129.16/32"))
#: StandardV2 NAT gateways are not offered here.
WITHOUT_STANDARD_V2 = ("canadaeast", "indonesiacentral", "israelnorthwest", "qatarcentral", "swedensouth", "westindia")
#: Azure keeps the first four addresses of an IPv4 subnet and the last.
RESERVED_ADDRESSES = 5
MAX_NODES = 5000


@dataclass(frozen=True)
class Violation:
    """A broken rule: which, of what, what was found, and the way out."""

    rule: str
    subject: str
    found: str
    remedy: str
    reference: str


@dataclass(frozen=True)
class Case:
    """What the rules look at."""

    specification: Mapping[str, Any]
    register: Mapping[str, Any]
    plan: dict[str, Any]
    unplaced: list[Unplaced]
    registrations: Registrations

    @property
    def stamp(self) -> str:
        return str(self.specification["stamp"])

    @property
    def cluster(self) -> Mapping[str, Any]:
        """``{name, dns_prefix, node_resource_group, kubernetes_version, network_policy, network_dataplane, outbound_type, nat_gateway_sku, location,
        api_server_authorized_ip_ranges, private, node_pools: [{name, count, max_count, max_pods, max_surge, zones, os_type}],
        node_subnet}``; empty when only addresses are checked."""
        return self.specification.get("cluster") or {}

    @property
    def node_pools(self) -> list[Mapping[str, Any]]:
        return list(self.cluster.get("node_pools") or [])

    def networks(self) -> Iterator[tuple[str, str, Network]]:
        """(subject, name, network) for each range of this stamp."""
        for name in STAMP_RANGES:
            for text in self.plan[name].values():
                yield f"{self.stamp}.{name}", name, read(text, name)
        for name, families in self.plan["subnets"].items():
            for text in families.values():
                yield f"{self.stamp}.{name}", name, read(text, name)


Finding = tuple[str, str, str]
Check = Callable[[Case], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    id: str
    reference: str
    check: Check


RULES: dict[str, Rule] = {}


def rule(identifier: str, reference: str) -> Callable[[Check], Check]:
    """Decorator: the function yields (subject, found, remedy) for each violation of this rule."""

    def register(check: Check) -> Check:
        RULES[identifier] = Rule(identifier, reference, check)
        return check

    return register


def plan_violations(specification: Mapping[str, Any], register: Mapping[str, Any]) -> list[dict[str, str]]:
    """All broken rules of one stamp, in the order of ``RULES``; empty when the plan is good.

    Raises :class:`~.ranges.MalformedSpecification` only for what cannot be read at all.
    """
    fleet = Fleet(register)
    return _violations(_case(fleet.plan(specification), register, fleet.registrations))


def fleet_violations(specifications: Iterable[Mapping[str, Any]], register: Mapping[str, Any]) -> list[dict[str, str]]:
    """All broken rules of many stamps, in their order, for a register that has them all (:func:`~.plan.address_plans`).

    Takes as long for each stamp as for the one before. Raises as :func:`plan_violations` does.
    """
    fleet = Fleet(register)
    registrations = fleet.registrations
    return [violation for plan in map(fleet.plan, specifications) for violation in _violations(_case(plan, register, registrations))]


def _case(plan: StampPlan, register: Mapping[str, Any], registrations: Registrations) -> Case:
    return Case(plan.specification, register, plan.addresses, plan.unplaced, registrations)


def _violations(case: Case) -> list[dict[str, str]]:
    return [
        asdict(Violation(found.id, subject, text, remedy, found.reference)) for found in RULES.values() for subject, text, remedy in found.check(case)
    ]


# Addresses


@rule("unregistered", "https://learn.microsoft.com/azure/architecture/networking/guide/ipv6-ip-planning")
def unregistered(case: Case) -> Iterator[Finding]:
    names = {name: families or {} for name, families in ((case.register.get("stamps") or {}).get(case.stamp) or {}).items()}
    proposed = {**{name: case.plan[name] for name in STAMP_RANGES}, **case.plan["subnets"]}
    for name, families in proposed.items():
        missing = {family: text for family, text in families.items() if family not in names.get(name, {})}
        if missing:
            entry = ", ".join(f'{family}: "{text}"' for family, text in families.items())
            yield (
                f"{case.stamp}.{name}",
                f"not in the register: {', '.join(missing.values())} is only a proposal",
                f"run plan.yml -e plan_write=true, or add to dualstack_register.stamps.{case.stamp} the line `{name}: {{{entry}}}`",
            )


@rule("moved_subnet", _IPV6)
def moved_subnet(case: Case) -> Iterator[Finding]:
    for name, prefixes in (case.specification.get("live_subnets") or {}).items():
        planned = case.plan["subnets"].get(name, {}).values()
        live = {read(text, name) for text in prefixes}
        if planned and live != {read(text, name) for text in planned}:
            yield (
                f"{case.stamp}.{name}",
                f"the live subnet has {', '.join(map(str, sorted(live, key=str)))}, the register {', '.join(planned)}",
                "correct the register (plan.yml -e plan_adopt=true takes over what is live); a registered name never moves",
            )


@rule("no_room", _IPV6)
def no_room(case: Case) -> Iterator[Finding]:
    for name, family, why in case.unplaced:
        yield f"{case.stamp}.{name}", f"no {family} range: {why}", "add a pool, make other ranges smaller, or give up a retired name"


@rule("overlap", _IPV6)
def overlap(case: Case) -> Iterator[Finding]:
    own = list(case.networks())
    vnet = {str(text) for text in case.plan["vnet"].values()}
    for position, (subject, name, network) in enumerate(own):
        for other, other_name, theirs in own[position + 1 :]:
            contained = (str(network) in vnet and name == "vnet" and other_name not in STAMP_RANGES) and inside(theirs, network)
            if overlaps(network, theirs) and not contained:
                yield subject, f"{network} overlaps {theirs} of {other}", "give one of them another prefix in the register"
        for held in case.registrations.overlapping(network):
            retired_subnet = held.retired and held.stamp == case.stamp and name == "vnet" and held.name not in STAMP_RANGES
            itself = (held.stamp, held.name, held.network) == (case.stamp, name, network)
            if (held.stamp != case.stamp or held.retired) and not (retired_subnet or itself):
                yield subject, f"{network} overlaps {held.network} of {held.subject}", "give one of them another prefix in the register"


@rule("subnet_outside_vnet", _IPV6)
def subnet_outside_vnet(case: Case) -> Iterator[Finding]:
    for name, families in case.plan["subnets"].items():
        for family, text in families.items():
            vnet = case.plan["vnet"].get(family)
            if vnet and not inside(read(text, name), read(vnet, "vnet")):
                yield f"{case.stamp}.{name}", f"{text} is not inside the virtual network {vnet}", "register a prefix inside the virtual network"


@rule("subnet_ipv6_length", _IPV6)
def subnet_ipv6_length(case: Case) -> Iterator[Finding]:
    for name, families in case.plan["subnets"].items():
        if "ipv6" in families and read(families["ipv6"], name).prefixlen != 64:
            yield f"{case.stamp}.{name}", f"{families['ipv6']}", "an IPv6 subnet is exactly a /64: register one"


@rule("subnet_families", _IPV6)
def subnet_families(case: Case) -> Iterator[Finding]:
    for name, subnet in subnets_of(case.specification).items():
        if families_of(subnet) not in (["IPv4"], ["IPv4", "IPv6"]):
            yield (
                f"dualstack_subnets.{name}.families",
                f"{families_of(subnet)}",
                "use [IPv4] or [IPv4, IPv6]: every network interface needs an IPv4 address",
            )


@rule("subnet_ipv4_length", _IPV6)
def subnet_ipv4_length(case: Case) -> Iterator[Finding]:
    for name, subnet in subnets_of(case.specification).items():
        if not 2 <= subnet["ipv4_prefix_length"] <= 29:
            yield f"dualstack_subnets.{name}.ipv4_prefix_length", f"/{subnet['ipv4_prefix_length']}", "Azure's IPv4 subnets are /29 or larger"


@rule("subnet_purpose_size", "https://learn.microsoft.com/azure/aks/api-server-vnet-integration")
def subnet_purpose_size(case: Case) -> Iterator[Finding]:
    longest = {"api_server": 28, "application_gateway": 24, "application_gateway_for_containers": 24, "firewall": 26}
    for name, subnet in subnets_of(case.specification).items():
        limit = longest.get(str(subnet.get("purpose")))
        if limit and subnet["ipv4_prefix_length"] > limit:
            yield f"dualstack_subnets.{name}", f"/{subnet['ipv4_prefix_length']} for {subnet['purpose']}", f"use /{limit} or larger"


@rule("subnet_name", "https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules")
def subnet_name(case: Case) -> Iterator[Finding]:
    for name in subnets_of(case.specification):
        if name in STAMP_RANGES:
            yield f"dualstack_subnets.{name}", "the register uses this name for the stamp's own range", "choose another name"
        elif not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9_])?", name):
            yield (
                f"dualstack_subnets.{name}",
                "not 1 to 63 letters, digits, '_', '.' and '-'",
                "rename it: AKS makes a node label of the subnet's name",
            )


@rule("name_length", _OVERLAY)
def name_length(case: Case) -> Iterator[Finding]:
    for what, name in (case.specification.get("names") or {}).items():
        if len(str(name)) > 63:
            yield what, f"{name!r} has {len(str(name))} characters", "63 at most: AKS makes a node label of it"


_FIRST_AND_LAST = ", a letter or digit first and last"
#: what of a cluster -> (role variable, the names that AKS takes, in words)
_CLUSTER_NAMES = {
    "name": (
        "aks_name",
        re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"),
        "1 to 63 letters, digits, hyphens and underscores" + _FIRST_AND_LAST,
    ),
    "dns_prefix": (
        "aks_dns_prefix",
        re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,52}[A-Za-z0-9])?"),
        "1 to 54 letters, digits and hyphens" + _FIRST_AND_LAST,
    ),
    "node_resource_group": ("aks_node_resource_group", re.compile(r"[\w().-]{0,79}[\w()-]"), "1 to 80 characters, and no dot at the end"),
}


@rule("cluster_names", "https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/create-upgrade-delete/aks-common-issues-faq")
def cluster_names(case: Case) -> Iterator[Finding]:
    for key, (variable, pattern, words) in _CLUSTER_NAMES.items():
        name = case.cluster.get(key)
        if name is not None and not pattern.fullmatch(str(name)):
            yield variable, f"{str(name)!r} has {len(str(name))} characters", f"use {words}; AKS keeps it for as long as the cluster is there"


@rule("subnet_count", _LIMITS)
def subnet_count(case: Case) -> Iterator[Finding]:
    if len(subnets_of(case.specification)) > 3000:
        yield "dualstack_subnets", f"{len(subnets_of(case.specification))} subnets", "3,000 at most in one virtual network"


@rule("vnet_ipv6_length", "https://learn.microsoft.com/azure/architecture/networking/guide/ipv6-ip-planning")
def vnet_ipv6_length(case: Case) -> Iterator[Finding]:
    text = case.plan["vnet"].get("ipv6")
    if text and not 48 <= read(text, "vnet").prefixlen <= 64:
        yield f"{case.stamp}.vnet", text, "a virtual network's IPv6 range is a /48 to /64; /56 is usual"


@rule("services_ipv6_length", _DUAL_STACK)
def services_ipv6_length(case: Case) -> Iterator[Finding]:
    text = case.plan["services"].get("ipv6")
    if text and read(text, "services").prefixlen < 108:
        yield f"{case.stamp}.services", text, "an IPv6 service range is a /108 or smaller"


@rule("services_ipv4_length", _CNI)
def services_ipv4_length(case: Case) -> Iterator[Finding]:
    text = case.plan["services"].get("ipv4")
    if text and not 12 < read(text, "services").prefixlen <= 28:
        yield f"{case.stamp}.services", text, "an IPv4 service range is smaller than /12 and large enough for the DNS service: /13 to /28"


@rule("reserved_range", _CNI)
def reserved_range(case: Case) -> Iterator[Finding]:
    for subject, _, network in case.networks():
        for reserved in RESERVED_BY_AKS + RESERVED_BY_AZURE:
            if overlaps(network, reserved):
                yield subject, f"{network} overlaps {reserved}, which Azure keeps to itself", "take another IPv4 pool"


@rule("pod_range_in_vnet", _OVERLAY)
def pod_range_in_vnet(case: Case) -> Iterator[Finding]:
    for name in ("pods", "services"):
        for text in case.plan[name].values():
            for held in case.registrations.overlapping(read(text, name)):
                if held.name == "vnet":
                    yield f"{case.stamp}.{name}", f"{text} overlaps the virtual network {held.network} of {held.stamp}", "take it from another pool"


@rule("ipv6_prefix", "https://www.rfc-editor.org/rfc/rfc4193")
def ipv6_prefix(case: Case) -> Iterator[Finding]:
    own = case.specification.get("ipv6_prefix")
    if not own:
        return
    network = read(own, "dualstack_ipv6_prefix")
    allowed = (ipaddress.ip_network("2000::/3"), ipaddress.ip_network("fc00::/7"))
    if network.prefixlen > STAMP_IPV6_LENGTH:
        yield "dualstack_ipv6_prefix", str(network), f"each stamp takes a /{STAMP_IPV6_LENGTH} of it: give a /{STAMP_IPV6_LENGTH} or shorter"
    if not any(inside(network, space) for space in allowed):
        yield "dualstack_ipv6_prefix", str(network), "use global unicast (2000::/3) or unique local (fc00::/7) space"


@rule("ipv4_pool", "https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq")
def ipv4_pool(case: Case) -> Iterator[Finding]:
    for purpose in case.specification.get("ipv4_pools") or {}:
        if purpose not in DEFAULT_POOLS:
            yield f"dualstack_ipv4_pools.{purpose}", "unknown purpose", f"known are {', '.join(DEFAULT_POOLS)}"
            continue
        if not case.specification["ipv4_pools"][purpose]:
            yield f"dualstack_ipv4_pools.{purpose}", "no prefix", "give at least one"


@rule("dns_service_ip", _CNI)
def dns_service_ip(case: Case) -> Iterator[Finding]:
    text, address = case.plan["services"].get("ipv4"), (case.cluster.get("dns_service_ip") or case.plan["dns_service_ip"])
    if text and address:
        network = read(text, "services")
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            parsed = None
        if parsed is None or parsed not in network or int(parsed) - int(network.network_address) < 2:
            yield f"{case.stamp}.dns_service_ip", f"{address} in {network}", "it lies in the IPv4 service range and is not its first address"


# Capacity, in both families


def _surge(pool: Mapping[str, Any]) -> int:
    """Nodes that an upgrade adds: a number, or a share of the pool rounded up."""
    text = str(pool.get("max_surge") or "10%")
    number = _whole(text.removesuffix("%")) or 0
    return -(-_nodes(pool) * number // 100) if text.endswith("%") else number


def _nodes(pool: Mapping[str, Any]) -> int:
    return _whole(pool.get("max_count")) or _whole(pool.get("count")) or 1


def _whole(value: Any) -> int | None:
    """A whole number, None for what is none: `pool_numbers` says so."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


@rule("pool_numbers", "https://learn.microsoft.com/azure/aks/create-node-pools")
def pool_numbers(case: Case) -> Iterator[Finding]:
    for pool in case.node_pools:
        for name in ("count", "min_count", "max_count", "max_pods"):
            if pool.get(name) is not None and _whole(pool[name]) is None:
                yield f"aks_node_pools.{pool.get('name')}.{name}", f"{pool[name]!r}", "give a whole number"
        if pool.get("max_surge") is not None and _whole(str(pool["max_surge"]).removesuffix("%")) is None:
            yield f"aks_node_pools.{pool.get('name')}.max_surge", f"{pool['max_surge']!r}", "give a number of nodes or a percentage"


@rule("node_count", _OVERLAY)
def node_count(case: Case) -> Iterator[Finding]:
    nodes = sum(map(_nodes, case.node_pools))
    if nodes > MAX_NODES:
        yield "aks_node_pools", f"the pools may grow to {nodes} nodes", f"{MAX_NODES} at most in one cluster"


@rule("pod_capacity_ipv4", _OVERLAY)
def pod_capacity_ipv4(case: Case) -> Iterator[Finding]:
    text, nodes = case.plan["pods"].get("ipv4"), sum(_nodes(pool) + _surge(pool) for pool in case.node_pools)
    room = 2 ** max(0, 24 - read(text, "pods").prefixlen) if text else 0
    if text and nodes > room:
        yield (
            f"{case.stamp}.pods",
            f"{text} has a /24 for each of {room} nodes; the pools may grow to {nodes} with surge",
            "a larger IPv4 pod range, or smaller pools",
        )


@rule("pod_capacity_ipv6", _OVERLAY)
def pod_capacity_ipv6(case: Case) -> Iterator[Finding]:
    text, nodes = case.plan["pods"].get("ipv6"), sum(_nodes(pool) + _surge(pool) for pool in case.node_pools)
    room = 2 ** max(0, 120 - read(text, "pods").prefixlen) if text else 0
    if text and nodes > room:
        yield (
            f"{case.stamp}.pods",
            f"{text} has a /120 for each of {room} nodes; the pools may grow to {nodes} with surge",
            "a larger IPv6 pod range: /64",
        )


@rule("node_subnet_capacity", _OVERLAY)
def node_subnet_capacity(case: Case) -> Iterator[Finding]:
    name = case.cluster.get("node_subnet", "nodes")
    text = case.plan["subnets"].get(name, {}).get("ipv4")
    nodes = sum(_nodes(pool) + _surge(pool) for pool in case.node_pools)
    if text and nodes > read(text, name).num_addresses - RESERVED_ADDRESSES:
        room = read(text, name).num_addresses - RESERVED_ADDRESSES
        yield (
            f"{case.stamp}.{name}",
            f"{text} has {room} addresses; the pools may grow to {nodes} nodes with surge",
            "a larger subnet, or smaller pools",
        )


@rule("node_subnet_dual_stack", _DUAL_STACK)
def node_subnet_dual_stack(case: Case) -> Iterator[Finding]:
    name = case.cluster.get("node_subnet", "nodes")
    if case.node_pools and "subnets" in case.specification and name not in case.plan["subnets"]:
        yield f"{case.stamp}.{name}", "the plan has no subnet of this name for the nodes", "name one of dualstack_subnets"
    if case.node_pools and name in case.plan["subnets"] and set(case.plan["subnets"][name]) != {"ipv4", "ipv6"}:
        yield f"{case.stamp}.{name}", "the nodes' subnet does not have both families", "set its families to [IPv4, IPv6]"


@rule("pool_max_pods", _OVERLAY)
def pool_max_pods(case: Case) -> Iterator[Finding]:
    for pool in case.node_pools:
        pods = _whole(pool.get("max_pods"))
        if pods is not None and not 10 <= pods <= 250:
            yield f"aks_node_pools.{pool.get('name')}.max_pods", f"{pool['max_pods']}", "10 to 250 pods a node"


@rule("pool_name", "https://learn.microsoft.com/azure/aks/create-node-pools")
def pool_name(case: Case) -> Iterator[Finding]:
    for pool in case.node_pools:
        name, windows = str(pool.get("name", "")), pool.get("os_type") == "Windows"
        if not re.fullmatch(r"[a-z][a-z0-9]{0,11}", name) or (windows and len(name) > 6):
            yield f"aks_node_pools.{name}", "not a pool name", "1 to 12 (Windows: 6) lower-case letters and digits, a letter first"


@rule("pool_zones", "https://learn.microsoft.com/azure/aks/availability-zones")
def pool_zones(case: Case) -> Iterator[Finding]:
    for pool in case.node_pools:
        if pool.get("zones") is not None and len(set(pool["zones"])) < 2:
            yield f"aks_node_pools.{pool.get('name')}.zones", f"{pool['zones']}", "two zones at least, so that the loss of one is survived"


@rule("pool_counts", "https://learn.microsoft.com/azure/aks/cluster-autoscaler")
def pool_counts(case: Case) -> Iterator[Finding]:
    for pool in case.node_pools:
        low, count, high = (_whole(pool.get(name)) for name in ("min_count", "count", "max_count"))
        if low is not None and high is not None and not low <= (low if count is None else count) <= high:
            yield (
                f"aks_node_pools.{pool.get('name')}",
                f"min_count {low}, count {pool.get('count')}, max_count {high}",
                "min_count <= count <= max_count",
            )


# The cluster


@rule("network_policy", _DUAL_STACK)
def network_policy(case: Case) -> Iterator[Finding]:
    policy = case.cluster.get("network_policy")
    if policy in ("azure", "calico"):
        yield "aks_network_policy", f"{policy} is not supported with dual-stack", "use cilium (with aks_network_dataplane cilium) or none"


@rule("cilium_dataplane", "https://learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium")
def cilium_dataplane(case: Case) -> Iterator[Finding]:
    if case.cluster.get("network_policy") == "cilium" and case.cluster.get("network_dataplane", "cilium") != "cilium":
        yield "aks_network_dataplane", f"{case.cluster['network_dataplane']} with network policy cilium", "set aks_network_dataplane to cilium"


@rule("cilium_version", "https://learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium")
def cilium_version(case: Case) -> Iterator[Finding]:
    version = str(case.cluster.get("kubernetes_version") or "")
    match = re.match(r"(\d+)\.(\d+)", version)
    if match and case.cluster.get("network_policy") == "cilium" and (int(match[1]), int(match[2])) < (1, 29):
        yield "aks_kubernetes_version", version, "dual-stack with Cilium needs Kubernetes 1.29 or newer"


@rule("cilium_windows", "https://learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium")
def cilium_windows(case: Case) -> Iterator[Finding]:
    for pool in case.node_pools:
        if pool.get("os_type") == "Windows" and case.cluster.get("network_dataplane", "cilium") == "cilium":
            yield f"aks_node_pools.{pool.get('name')}", "Windows with network dataplane cilium", "no Windows pools with Cilium"


@rule("nat_gateway_sku", _NAT)
def nat_gateway_sku(case: Case) -> Iterator[Finding]:
    if case.cluster.get("outbound_type") == "userAssignedNATGateway" and case.cluster.get("nat_gateway_sku", "StandardV2") != "StandardV2":
        yield "network_nat_gateway_sku", f"{case.cluster['nat_gateway_sku']} is IPv4-only", "a dual-stack cluster needs StandardV2"


@rule("nat_gateway_region", _NAT)
def nat_gateway_region(case: Case) -> Iterator[Finding]:
    location = str(case.cluster.get("location") or "").replace(" ", "").lower()
    if case.cluster.get("outbound_type") == "userAssignedNATGateway" and location in WITHOUT_STANDARD_V2:
        yield "network_egress", f"no StandardV2 NAT gateway in {location}", "use network_egress load_balancer there"


@rule("authorized_ranges", _RANGES)
def authorized_ranges(case: Case) -> Iterator[Finding]:
    ranges = list(case.cluster.get("api_server_authorized_ip_ranges") or [])
    subject = "aks_api_server_authorized_ip_ranges"
    if ranges and case.cluster.get("private"):
        yield subject, "set for a private cluster", "leave it empty, or set aks_private_cluster to false"
    if len(ranges) > 200:
        yield subject, f"{len(ranges)} ranges", "200 at most"
    for text in ranges:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            yield subject, f"{text!r} is no range", "give IPv4 addresses or prefixes"
            continue
        if network.version == 6:
            yield subject, f"{text} is IPv6", "the API server's allow-list takes IPv4 only"
        elif network.is_private and not any(network.subnet_of(found) for found in _DOCUMENTATION):
            yield subject, f"{text} is private", "the API server sees public addresses only"


_DOCUMENTATION = tuple(ipaddress.IPv4Network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))


@rule("public_ip_prefix_length", _PREFIXES)
def public_ip_prefix_length(case: Case) -> Iterator[Finding]:
    for name, prefix in (case.specification.get("public_ip_prefixes") or {}).items():
        low, high = (124, 127) if prefix.get("version") == "IPv6" else (28, 31)
        length = _whole(prefix.get("length"))
        if length is None or not low <= length <= high:
            yield name, f"/{prefix.get('length')} for {prefix.get('version')}", f"/{low} to /{high}"


# Security rules


def _security_rules(case: Case) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rules whose names the plan knows; `security_rule_names` reports the others."""
    for item in case.specification.get("security_rules") or []:
        if not unknown_subnets(item, case.plan):
            yield f"network_security_rules.{item.get('name')}", item


@rule("security_rule_names", _NSG)
def security_rule_names(case: Case) -> Iterator[Finding]:
    for item in case.specification.get("security_rules") or []:
        for name in unknown_subnets(item, case.plan):
            yield f"network_security_rules.{item.get('name')}", f"the plan has no subnet {name!r}", "name one of dualstack_subnets"


@rule("security_rule_families", _IPV6)
def security_rule_families(case: Case) -> Iterator[Finding]:
    for subject, item in _security_rules(case):
        sources, destinations = rule_families(item, "source", case.plan), rule_families(item, "destination", case.plan)
        if sources and destinations and not sources & destinations:
            yield subject, "source and destination share no family", "a rule holds one family: give both sides prefixes of the same one"


@rule("security_rule_priority", _NSG)
def security_rule_priority(case: Case) -> Iterator[Finding]:
    seen: dict[tuple[str, int], str] = {}
    for subject, item in _security_rules(case):
        for made in family_rules(item, case.plan):
            priority = made["properties"]["priority"]
            if not PRIORITIES[0] <= priority <= PRIORITIES[1]:
                yield subject, f"priority {priority} of {made['name']}", f"{PRIORITIES[0]} to {PRIORITIES[1]}; the IPv6 twin takes the next number"
            place = (made["properties"]["direction"], priority)
            if place in seen:
                yield (
                    subject,
                    f"priority {priority} of {made['name']} is {seen[place]}'s too",
                    "priorities are unique in a direction; leave room for the IPv6 twin",
                )
            seen.setdefault(place, made["name"])


@rule("security_rule_protocol", _IPV6)
def security_rule_protocol(case: Case) -> Iterator[Finding]:
    for subject, item in _security_rules(case):
        protocol = str(item.get("protocol", "*"))
        if protocol not in ("Tcp", "Udp", "Icmp", "Esp", "Ah", "*"):
            yield subject, f"protocol {protocol}", "Tcp, Udp, Icmp, Esp, Ah or *; network security groups do not know ICMPv6"
        elif protocol == "Icmp" and 6 in rule_families(item, "source", case.plan) | rule_families(item, "destination", case.plan):
            yield subject, "Icmp with IPv6 prefixes", "network security groups do not know ICMPv6: use protocol *"


@rule("security_rule_description", _NSG)
def security_rule_description(case: Case) -> Iterator[Finding]:
    for subject, item in _security_rules(case):
        if len(str(item.get("description") or "")) > 140:
            yield subject, "its description is longer than 140 characters", "shorten it"


@rule("security_rule_limits", _LIMITS)
def security_rule_limits(case: Case) -> Iterator[Finding]:
    made = [found for _, item in _security_rules(case) for found in family_rules(item, case.plan)]
    if len(made) > 1000:
        yield "network_security_rules", f"{len(made)} rules, one a family", "1,000 at most in a network security group"
    for found in made:
        for side in ("source", "destination"):
            if len(found["properties"].get(f"{side}AddressPrefixes") or []) > 4000:
                yield f"network_security_rules.{found['name']}", f"more than 4,000 {side} prefixes", "split the rule"
