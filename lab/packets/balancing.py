"""Load balancing rules as stored, and the nftables rules that carry them out.

No address is translated where a rule has floating IP, which is every rule of a Service but the IPv6 ones of internal load balancers: a
flow gets the mark of its node, and the mark selects the route.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..arm.azure import Azure
from ..arm.network.bodies import LOAD_BALANCER, PUBLIC_IP, reference, same_id
from ..arm.network.usage import vm_ip_configurations


@dataclass(frozen=True)
class Member:
    """A backend: an address of a node."""

    machine: str
    address: str


@dataclass(frozen=True)
class Probe:
    """How a backend's health is probed (learn.microsoft.com/azure/load-balancer/load-balancer-custom-probe-overview)."""

    protocol: str
    port: int
    path: str
    #: seconds
    interval: float
    threshold: int


@dataclass(frozen=True)
class BalancingRule:
    """One port of one frontend address."""

    address: str
    protocol: str
    frontend_port: int
    backend_port: int
    floating: bool
    client_affinity: bool
    members: tuple[Member, ...] = field(hash=False)
    probe: Probe | None


def balancing_rules(azure: Azure) -> Iterator[BalancingRule]:
    """Every load balancing rule whose frontend has an address."""
    for balancer in azure.store.of_type(LOAD_BALANCER):
        properties = balancer.properties
        frontends = {item["id"].lower(): frontend_address(azure, item["properties"]) for item in properties["frontendIPConfigurations"]}
        probes = {item["id"].lower(): _probe(item["properties"]) for item in properties["probes"]}
        for rule in properties["loadBalancingRules"]:
            facts = rule["properties"]
            address = frontends.get(reference(facts, "frontendIPConfiguration").lower())
            if address:
                yield BalancingRule(
                    address=address,
                    protocol=facts["protocol"].lower(),
                    frontend_port=facts["frontendPort"],
                    backend_port=facts.get("backendPort", facts["frontendPort"]),
                    floating=bool(facts.get("enableFloatingIP")),
                    client_affinity=facts.get("loadDistribution", "Default") != "Default",
                    members=_members(azure, reference(facts, "backendAddressPool"), ipaddress.ip_address(address).version),
                    probe=probes.get(reference(facts, "probe").lower()),
                )


def frontend_address(azure: Azure, frontend: Mapping[str, object]) -> str:
    """The address of a frontend, public or private; empty while it has none."""
    public = azure.store.get(reference(dict(frontend), "publicIPAddress") or "/")
    return str((public.properties.get("ipAddress") if public else frontend.get("privateIPAddress")) or "")


def _probe(properties: Mapping[str, object]) -> Probe:
    return Probe(
        protocol=str(properties["protocol"]).lower(),
        port=int(str(properties["port"])),
        path=str(properties.get("requestPath") or "/"),
        interval=int(str(properties.get("intervalInSeconds") or 15)),
        # probeThreshold counts successes as well as failures; numberOfProbes is its older name.
        threshold=int(str(properties.get("probeThreshold") or properties.get("numberOfProbes") or 1)),
    )


def _members(azure: Azure, pool: str, version: int) -> tuple[Member, ...]:
    found = []
    for machine, properties in _backends(azure, pool):
        address = properties.get("privateIPAddress")
        if address and ipaddress.ip_address(address).version == version:
            found.append(Member(machine, address))
    return tuple(sorted(found, key=lambda member: member.machine))


def _backends(azure: Azure, pool: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(id of its VM, properties) of every IP configuration in a pool."""
    for machine, _, configuration in vm_ip_configurations(azure):
        properties = configuration["properties"]
        if any(same_id(item["id"], pool) for item in properties.get("loadBalancerBackendAddressPools") or []):
            yield machine.id, properties


def outbound_addresses(azure: Azure, subnets: Iterable[str]) -> dict[int, str]:
    """IP version -> the public address that flows from a VNet's nodes leave with: a NAT gateway's, else an outbound rule's."""
    result: dict[int, str] = {}
    inside = {item.lower() for item in subnets}
    for subnet in filter(None, (azure.store.get(item) for item in sorted(inside))):
        gateway = azure.store.get(reference(subnet.properties, "natGateway") or "/")
        if gateway:
            for version, name in ((4, "publicIpAddresses"), (6, "publicIpAddressesV6")):
                for item in gateway.properties.get(name) or []:
                    found = azure.store.get(item["id"])
                    if found and found.properties.get("ipAddress"):
                        result.setdefault(version, found.properties["ipAddress"])
    for balancer in azure.store.of_type(LOAD_BALANCER):
        frontends = {item["id"].lower(): frontend_address(azure, item["properties"]) for item in balancer.properties["frontendIPConfigurations"]}
        for rule in balancer.properties["outboundRules"]:
            pool = reference(rule["properties"], "backendAddressPool")
            if any(reference(properties, "subnet").lower() in inside for _, properties in _backends(azure, pool)):
                for item in rule["properties"].get("frontendIPConfigurations") or []:
                    address = frontends.get(item["id"].lower())
                    if address:
                        result.setdefault(ipaddress.ip_address(address).version, address)
    return result


def public_addresses(azure: Azure) -> set[str]:
    return {found.properties["ipAddress"] for found in azure.store.of_type(PUBLIC_IP) if found.properties.get("ipAddress")}


def nftables(rules: Iterable[tuple[BalancingRule, tuple[Member, ...]]], marks: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """Rules with their healthy members -> (rules of a prerouting chain that marks, rules of one that translates)."""
    marking, translating = [], []
    for rule, healthy in rules:
        family = "ip6" if ":" in rule.address else "ip"
        if rule.protocol == "all":
            # A rule for all ports (high availability ports) of an internal load balancer.
            match, ports = f"{family} daddr {rule.address} meta l4proto {{ tcp, udp }}", "th"
        else:
            match, ports = f"{family} daddr {rule.address} {rule.protocol} dport {rule.frontend_port}", rule.protocol
        flow = f"{family} saddr" if rule.client_affinity else f"{family} saddr . {ports} sport . {family} daddr . {ports} dport"
        if not healthy:
            # Azure does not answer; the client waits.
            marking.append(f"{match} ct state new drop")
        elif rule.floating:
            nodes = ", ".join(f"{number} : {marks[member.machine.lower()]}" for number, member in enumerate(healthy))
            marking.append(f"{match} ct state new ct mark set jhash {flow} mod {len(healthy)} map {{ {nodes} }}")
        else:
            port = "" if rule.protocol == "all" else f" . {rule.backend_port}"
            nodes = ", ".join(f"{number} : {member.address}{port}" for number, member in enumerate(healthy))
            translating.append(f"{match} dnat {family} to jhash {flow} mod {len(healthy)} map {{ {nodes} }}")
        if rule.floating:
            marking.append(f"{match} meta mark set ct mark accept")
    return marking, translating
