"""Rules of network security groups, for the rules that users write: one in, one a family out.

This file is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._addresses.security_rules import PRIORITIES, closed_by, family_rules, prefix_family, rule_families, rule_prefixes, unknown_subnets
from .._kubernetes.entrances import Port, families_of, listeners_of
from . import Chapter, Finding
from .planned import PlannedStamp

_IPV6 = "https://learn.microsoft.com/azure/virtual-network/ip-services/ipv6-overview"
_NSG = "https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview"
_LIMITS = "https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits"
_RULES = "https://learn.microsoft.com/rest/api/virtualnetwork/security-rules/create-or-update"
_NAMES = "https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftnetwork"

#: how a service tag is written
SERVICE_TAG = re.compile(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9]+)*")

CHAPTER = Chapter[PlannedStamp]("security_groups")
rule = CHAPTER.rule


def _security_rules(case: PlannedStamp) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rules whose names the plan knows; `security_rule_names` reports the others."""
    for item in case.specification.get("security_rules") or []:
        if not unknown_subnets(item, case.plan):
            yield f"network_security_rules.{item.get('name')}", item


@rule("use a subnet of dualstack_subnets", _NSG)
def security_rule_names(case: PlannedStamp) -> Iterator[Finding]:
    """A rule that names an unplanned subnet."""
    for item in case.specification.get("security_rules") or []:
        for name in unknown_subnets(item, case.plan):
            yield f"network_security_rules.{item.get('name')}", f"the plan has no subnet {name!r}"


@rule("use 1 to 80 letters, digits, '_', '.' and '-'; the IPv6 twin adds -ipv6", _NAMES)
def security_rule_name(case: PlannedStamp) -> Iterator[Finding]:
    """A rule name that Azure refuses, with or without the suffix of its IPv6 twin."""
    for subject, item in _security_rules(case):
        for made in family_rules(item, case.plan):
            if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?", made["name"]):
                yield subject, f"{made['name']!r} is not a valid rule name"


@rule("rename one of them; names ignore case", _NAMES)
def security_rule_names_unique(case: PlannedStamp) -> Iterator[Finding]:
    """Two rules with the same name, including IPv6 twins: names are unique in a group and ignore case."""
    seen: dict[str, str] = {}
    for subject, item in _security_rules(case):
        for made in family_rules(item, case.plan):
            if made["name"].lower() in seen:
                twin = f", the IPv6 twin of {item['name']}," if made["name"] != item["name"] else ""
                yield subject, f"the name {made['name']}{twin} is taken by {seen[made['name'].lower()]}"
            seen.setdefault(made["name"].lower(), subject)


@rule('use "80", "8000-8080" or "*"; write several as a list', _RULES)
def security_rule_ports(case: PlannedStamp) -> Iterator[Finding]:
    """Invalid ports, or an empty list."""
    for subject, item in _security_rules(case):
        for side in ("source_ports", "destination_ports"):
            ports = item.get(side, "*")
            if ports == []:
                yield f"{subject}.{side}", "the list is empty", "add ports, or remove the key to allow any port"
            for port in ports if isinstance(ports, list) else [ports]:
                if not _is_port_range(str(port)):
                    yield f"{subject}.{side}", f"{str(port)!r} is not a port or a range of ports"


def _is_port_range(text: str) -> bool:
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text)
    return text == "*" or bool(match and int(match[1]) <= int(match[2] or match[1]) <= 65535)


@rule("use CIDR notation (10.0.0.0/8, fd00::/8), a service tag (Internet), vnet, pods, services or subnet:<name>", _RULES)
def security_rule_prefixes(case: PlannedStamp) -> Iterator[Finding]:
    """An invalid source or destination, or `*` next to others."""
    for subject, item in _security_rules(case):
        for side in ("source", "destination"):
            prefixes = rule_prefixes(item, side, case.plan)
            for text in prefixes:
                if text == "*" and len(prefixes) > 1:
                    yield f"{subject}.{side}", "'*' is listed with other prefixes", "use '*' alone, or list prefixes and service tags only"
                elif text != "*" and not SERVICE_TAG.fullmatch(text) and ("%" in text or not prefix_family(text)):
                    yield f"{subject}.{side}", f"{text!r} is not a prefix, an address or a service tag"


@rule("use another priority, or remove the other rule", _NSG)
def security_rule_priority_taken(case: PlannedStamp) -> Iterator[Finding]:
    """A priority that a live rule outside the inventory already uses: network_security_rules_shared keeps such rules."""
    ours = [(subject, made) for subject, item in _security_rules(case) for made in family_rules(item, case.plan)]
    names = {made["name"].lower() for _unused, made in ours}
    theirs = {_place(found): found["name"] for found in case.specification.get("live_security_rules") or [] if found["name"].lower() not in names}
    for subject, made in ours:
        if _place(made) in theirs:
            direction, priority = _place(made)
            yield subject, f"priority {priority} ({direction}) of {made['name']} is taken by the live rule {theirs[direction, priority]}"


def _place(rule_of_azure: Mapping[str, Any]) -> tuple[str, int]:
    properties = rule_of_azure["properties"]
    return str(properties["direction"]).capitalize(), int(properties["priority"])


@rule("use prefixes of the same family on both sides", _IPV6)
def security_rule_families(case: PlannedStamp) -> Iterator[Finding]:
    """A rule whose source and destination have different families: Azure refuses it."""
    for subject, item in _security_rules(case):
        sources, destinations = rule_families(item, "source", case.plan), rule_families(item, "destination", case.plan)
        if sources and destinations and not sources & destinations:
            yield subject, "source and destination share no family"


@rule("use a unique priority in each direction, and leave the next number for the IPv6 twin", _NSG)
def security_rule_priority(case: PlannedStamp) -> Iterator[Finding]:
    """A priority out of range, or one that two rules of a direction share, including IPv6 twins."""
    seen: dict[tuple[str, int], str] = {}
    for subject, item in _security_rules(case):
        for made in family_rules(item, case.plan):
            priority = made["properties"]["priority"]
            if not PRIORITIES[0] <= priority <= PRIORITIES[1]:
                yield (
                    subject,
                    f"priority {priority} of {made['name']}",
                    f"use {PRIORITIES[0]} to {PRIORITIES[1]}; the IPv6 twin takes the next number",
                )
            place = (made["properties"]["direction"], priority)
            if place in seen:
                yield subject, f"priority {priority} of {made['name']} is also used by {seen[place]}"
            seen.setdefault(place, made["name"])


@rule("use Tcp, Udp, Icmp, Esp, Ah or *; network security groups do not support ICMPv6", _IPV6)
def security_rule_protocol(case: PlannedStamp) -> Iterator[Finding]:
    """A protocol that network security groups do not support, or not for IPv6."""
    for subject, item in _security_rules(case):
        protocol = str(item.get("protocol", "*"))
        if protocol not in ("Tcp", "Udp", "Icmp", "Esp", "Ah", "*"):
            yield subject, f"protocol {protocol}"
        elif protocol == "Icmp" and 6 in rule_families(item, "source", case.plan) | rule_families(item, "destination", case.plan):
            yield subject, "Icmp with IPv6 prefixes", "use protocol *: network security groups do not support ICMPv6"


@rule("shorten it", _NSG)
def security_rule_description(case: PlannedStamp) -> Iterator[Finding]:
    """A description longer than 140 characters."""
    for subject, item in _security_rules(case):
        if len(str(item.get("description") or "")) > 140:
            yield subject, "its description is longer than 140 characters"


@rule("use at most 1,000 rules in a network security group, and at most 4,000 prefixes on one side of a rule", _LIMITS)
def security_rule_limits(case: PlannedStamp) -> Iterator[Finding]:
    """More rules or prefixes than a network security group can hold."""
    made = [found for _unused, item in _security_rules(case) for found in family_rules(item, case.plan)]
    if len(made) > 1000:
        yield "network_security_rules", f"{len(made)} rules, one per family"
    for found in made:
        for side in ("source", "destination"):
            if len(found["properties"].get(f"{side}AddressPrefixes") or []) > 4000:
                yield f"network_security_rules.{found['name']}", f"more than 4,000 {side} prefixes", "split the rule"


@rule("change or remove that rule, or allow clients in a rule of network_security_rules with a higher priority", _NSG)
def entrance_port_closed(case: PlannedStamp) -> Iterator[Finding]:
    """A port of an entrance that the nodes' network security group closes to every client of a family."""
    entrances = case.specification.get("entrances") or {}
    if not entrances:
        return
    families = [family for family in families_of(entrances["mode"], entrances["upstream"]) if family in entrances["families"]]
    subjects: dict[Port, str] = {}
    for listener in listeners_of(entrances):
        subjects.setdefault(listener.port, listener.subject)
    own = [str(network) for _unused, _unused, network in case.networks()]
    existing = case.specification.get("existing_security_groups") or {}
    planned = {} if case.specification.get("existing_vnet_id") else {"the nodes' network security group": _planned_rules(case)}
    for group, rules in (planned | existing).items():
        remedy = f"let clients in by a rule in {group}, which no role writes"
        for port, subject in subjects.items():
            closing: dict[str, list[str]] = {}
            for family in families:
                closing.setdefault(closed_by(rules, own, int(family[-1]), port.protocol, port.port), []).append(family)
            for name, closed in closing.items():
                if name:
                    clients = f"every {' and '.join(closed)} client"
                    found = f"the rule {name} of {group} closes {port.protocol} port {port.port} to {clients}"
                    yield (subject, found, remedy) if group in existing else (subject, found)


def _planned_rules(case: PlannedStamp) -> list[Mapping[str, Any]]:
    """The rules that the nodes' group will have: ours, and those that others may keep in it."""
    ours = [made for _unused, item in _security_rules(case) for made in family_rules(item, case.plan)]
    names = {made["name"].lower() for made in ours}
    return ours + [found for found in case.specification.get("live_security_rules") or [] if found["name"].lower() not in names]
