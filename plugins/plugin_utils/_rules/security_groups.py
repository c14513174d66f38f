"""Rules of network security groups, for the rules that users write: one in, one a family out.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._addresses.security_rules import PRIORITIES, family_rules, rule_families, unknown_subnets
from . import Chapter, Finding
from .planned import PlannedStamp

_IPV6 = "https://learn.microsoft.com/azure/virtual-network/ip-services/ipv6-overview"
_NSG = "https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview"
_LIMITS = "https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits"

CHAPTER = Chapter[PlannedStamp]("security_groups")
rule = CHAPTER.rule


def _security_rules(case: PlannedStamp) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rules whose names the plan knows; `security_rule_names` reports the others."""
    for item in case.specification.get("security_rules") or []:
        if not unknown_subnets(item, case.plan):
            yield f"network_security_rules.{item.get('name')}", item


@rule("name one of dualstack_subnets", _NSG)
def security_rule_names(case: PlannedStamp) -> Iterator[Finding]:
    """A rule that names a subnet that is not planned."""
    for item in case.specification.get("security_rules") or []:
        for name in unknown_subnets(item, case.plan):
            yield f"network_security_rules.{item.get('name')}", f"the plan has no subnet {name!r}"


@rule("a rule holds one family: give both sides prefixes of the same one", _IPV6)
def security_rule_families(case: PlannedStamp) -> Iterator[Finding]:
    """A rule from one family to the other: Azure refuses it."""
    for subject, item in _security_rules(case):
        sources, destinations = rule_families(item, "source", case.plan), rule_families(item, "destination", case.plan)
        if sources and destinations and not sources & destinations:
            yield subject, "source and destination share no family"


@rule("priorities are unique in a direction; leave room for the IPv6 twin", _NSG)
def security_rule_priority(case: PlannedStamp) -> Iterator[Finding]:
    """A priority out of range, or one that two rules of a direction share, twins included."""
    seen: dict[tuple[str, int], str] = {}
    for subject, item in _security_rules(case):
        for made in family_rules(item, case.plan):
            priority = made["properties"]["priority"]
            if not PRIORITIES[0] <= priority <= PRIORITIES[1]:
                yield subject, f"priority {priority} of {made['name']}", f"{PRIORITIES[0]} to {PRIORITIES[1]}; the IPv6 twin takes the next number"
            place = (made["properties"]["direction"], priority)
            if place in seen:
                yield subject, f"priority {priority} of {made['name']} is {seen[place]}'s too"
            seen.setdefault(place, made["name"])


@rule("use Tcp, Udp, Icmp, Esp, Ah or *; network security groups do not know ICMPv6", _IPV6)
def security_rule_protocol(case: PlannedStamp) -> Iterator[Finding]:
    """A protocol that network security groups do not have, or not for IPv6."""
    for subject, item in _security_rules(case):
        protocol = str(item.get("protocol", "*"))
        if protocol not in ("Tcp", "Udp", "Icmp", "Esp", "Ah", "*"):
            yield subject, f"protocol {protocol}"
        elif protocol == "Icmp" and 6 in rule_families(item, "source", case.plan) | rule_families(item, "destination", case.plan):
            yield subject, "Icmp with IPv6 prefixes", "network security groups do not know ICMPv6: use protocol *"


@rule("shorten it", _NSG)
def security_rule_description(case: PlannedStamp) -> Iterator[Finding]:
    """A description longer than 140 characters."""
    for subject, item in _security_rules(case):
        if len(str(item.get("description") or "")) > 140:
            yield subject, "its description is longer than 140 characters"


@rule("1,000 rules at most in a network security group, 4,000 prefixes at most on one side of a rule", _LIMITS)
def security_rule_limits(case: PlannedStamp) -> Iterator[Finding]:
    """More rules or prefixes than a network security group can hold."""
    made = [found for _, item in _security_rules(case) for found in family_rules(item, case.plan)]
    if len(made) > 1000:
        yield "network_security_rules", f"{len(made)} rules, one a family"
    for found in made:
        for side in ("source", "destination"):
            if len(found["properties"].get(f"{side}AddressPrefixes") or []) > 4000:
                yield f"network_security_rules.{found['name']}", f"more than 4,000 {side} prefixes", "split the rule"
