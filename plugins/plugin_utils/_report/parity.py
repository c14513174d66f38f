"""Rules that one family has and the other has not.

This file is private to the collection.

A security rule is IPv4's or IPv6's by the prefixes of its sides; ``*``, service tags and application security groups stand for both
families (learn.microsoft.com/azure/virtual-network/ip-services/ipv6-overview), so a rule without prefixes needs no twin. The evaluation
ends at the first rule that matches (learn.microsoft.com/azure/virtual-network/network-security-groups-overview), so a twin counts
only where it stands in the same order to rules of the opposite access.
"""

from __future__ import annotations

import ipaddress
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .._addresses.security_rules import values_of

FAMILIES = ("ipv4", "ipv6")


class Lack(NamedTuple):
    """Something that ``family`` lacks."""

    family: str
    text: str


def family_of(text: Any) -> str:
    """The family of an address or prefix; empty for anything else."""
    try:
        return f"ipv{ipaddress.ip_network(str(text), strict=False).version}"
    except ValueError:
        return ""


def other(family: str) -> str:
    return "ipv6" if family == "ipv4" else "ipv4"


@dataclass(frozen=True)
class SecurityRule:
    """What two rules must share to be twins, and what sets them apart."""

    name: str
    priority: int
    access: str
    direction: str
    shape: tuple[Any, ...]
    families: frozenset[str]
    destinations: frozenset[str]

    @property
    def made_by_cluster(self) -> bool:
        """The cloud controller names what it opens for a Service this way."""
        return self.name.lower().startswith("k8s-azure-lb_")

    def before(self, rule: SecurityRule) -> bool:
        return self.priority < rule.priority


def security_rule(rule: Mapping[str, Any]) -> SecurityRule:
    """A rule as Azure returns it."""
    properties = rule.get("properties") or {}
    families, destinations = set(FAMILIES), frozenset[str]()
    sides: list[tuple[bool, frozenset[str], frozenset[str]]] = []
    for side in ("source", "destination"):
        terms = [text.lower() for text in values_of(properties, f"{side}AddressPrefix")]
        groups = [str(group.get("id")).lower() for group in properties.get(f"{side}ApplicationSecurityGroups") or []]
        prefixes = [term for term in terms if family_of(term)]
        families &= {family_of(prefix) for prefix in prefixes} or set(FAMILIES)
        ports = [text.lower() for text in values_of(properties, f"{side}PortRange")]
        sides.append((bool(prefixes), frozenset({*terms, *groups} - {*prefixes}), frozenset(ports)))
        destinations = frozenset(prefixes)
    direction, access = str(properties.get("direction")).lower(), str(properties.get("access")).lower()
    return SecurityRule(
        name=str(rule.get("name")),
        priority=int(properties.get("priority") or 0),
        access=access,
        direction=direction,
        shape=(direction, access, str(properties.get("protocol")).lower(), *sides),
        families=frozenset(families),
        destinations=destinations,
    )


def security_rules_without_twin(rules: Iterable[Mapping[str, Any]], entrances: Iterable[str] | None = None) -> list[Lack]:
    """What the families of one network security group do not share.

    With ``entrances`` given, of the rules that the cluster opens for its Services only those for these addresses count: another
    Service may well have one family alone.
    """
    addresses = None if entrances is None else frozenset(str(address).lower() for address in entrances)
    known = sorted(map(security_rule, rules), key=lambda rule: rule.priority)
    counted = [rule for rule in known if addresses is None or not rule.made_by_cluster or rule.destinations & addresses]
    both = [rule for rule in counted if len(rule.families) == 2]
    alone = {family: [rule for rule in counted if rule.families == {family}] for family in FAMILIES}
    pairs: list[tuple[SecurityRule, SecurityRule]] = []
    lacks: list[Lack] = []
    left = list(alone["ipv6"])
    for rule in alone["ipv4"]:
        twin = next((candidate for candidate in left if candidate.shape == rule.shape), None)
        if twin is None:
            lacks.append(Lack("ipv6", rule.name))
        else:
            left.remove(twin)
            pairs.append((rule, twin))
    lacks += [Lack("ipv4", rule.name) for rule in left]
    return lacks + list(_disordered(pairs, both))


def _disordered(pairs: Sequence[tuple[SecurityRule, SecurityRule]], both: Sequence[SecurityRule]) -> Iterator[Lack]:
    """Twins that the other family meets on the other side of a rule that decides the opposite."""
    for four, six in pairs:
        for rule in both:
            if _opposed(four, rule) and four.before(rule) != six.before(rule):
                yield Lack("ipv6", f"{six.name} (not on the same side of {rule.name} as {four.name})")
    for (four, six), (later_four, later_six) in itertools.combinations(pairs, 2):
        if _opposed(four, later_four) and four.before(later_four) != six.before(later_six):
            yield Lack("ipv6", f"{six.name} (not on the same side of {later_six.name} as {four.name} of {later_four.name})")


def _opposed(rule: SecurityRule, against: SecurityRule) -> bool:
    return rule.direction == against.direction and rule.access != against.access


class Block(NamedTuple):
    """An ipBlock of a NetworkPolicy, and the pods, direction and ports that it is for."""

    policy: str
    pods: str
    direction: str
    ports: frozenset[str]
    cidr: str


def policy_blocks(policies: Iterable[Mapping[str, Any]]) -> list[Block]:
    """The ipBlocks of NetworkPolicies."""
    return [block for policy in policies for block in _blocks(policy)]


def policy_blocks_without_twin(blocks: Sequence[Block]) -> list[Lack]:
    """The ipBlocks whose pods, direction and ports have no block of the other family, in their own policy or another: policies add up."""
    grouped: dict[tuple[Any, ...], list[Block]] = {}
    for block in blocks:
        grouped.setdefault((block.pods, block.direction, block.ports), []).append(block)
    return [
        Lack(other(family_of(block.cidr)), f"{block.policy} {block.direction} {block.cidr}")
        for group in grouped.values()
        for block in group
        if other(family_of(block.cidr)) not in [family_of(item.cidr) for item in group]
    ]


def _blocks(policy: Mapping[str, Any]) -> Iterator[Block]:
    specification, metadata = policy.get("spec") or {}, policy.get("metadata") or {}
    pods = json.dumps([metadata.get("namespace"), specification.get("podSelector") or {}], sort_keys=True)
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for rule in specification.get(direction) or []:
            ports = frozenset(str(sorted(port.items())) for port in rule.get("ports") or [])
            for peer in rule.get(side) or []:
                if peer.get("ipBlock"):
                    yield Block(f"{metadata.get('namespace')}/{metadata.get('name')}", pods, direction, ports, peer["ipBlock"]["cidr"])
