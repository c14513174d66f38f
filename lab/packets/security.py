"""Network security groups as nftables chains: the rules of a subnet's group and of a NIC's, each by priority, for each family.

The default rules are Azure's (learn.microsoft.com/azure/virtual-network/network-security-groups-overview).
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..arm.azure import Azure
from ..arm.network.bodies import nic_configurations, reference
from ..arm.network.service_tags import prefixes_of

#: where the load balancer's probes come from
PROBE_IPV4, PROBE_IPV6 = "168.63.129.16", "fe80::1234:5678:9abc"
_FAMILIES = (("ip", 4), ("ip6", 6))


def chains(azure: Azure, groups: Iterable[str], space: Sequence[str]) -> list[str]:
    """Two chains for each group, ``in_<n>`` and ``out_<n>``, whose verdict is `return` for what is allowed and `drop` for the rest."""
    result = []
    for number, group in enumerate(groups):
        shown = azure.render(azure.get(group))["properties"]
        rules = [rule["properties"] for rule in (*shown["securityRules"], *shown["defaultSecurityRules"])]
        for direction, name in (("Inbound", "in"), ("Outbound", "out")):
            ordered = sorted((rule for rule in rules if rule["direction"].lower() == direction.lower()), key=lambda rule: int(rule["priority"]))
            lines = [line for rule in ordered for line in _rule(rule, space)]
            result.append(_chain(f"{name}_{number}", lines))
    return result


def _chain(name: str, lines: Iterable[str]) -> str:
    return f"chain {name} {{\n" + "".join(f"  {line}\n" for line in lines) + "}"


def _rule(rule: Mapping[str, Any], space: Sequence[str]) -> Iterable[str]:
    protocol = rule["protocol"].lower()
    sources, destinations = _values(rule, "sourceAddressPrefix"), _values(rule, "destinationAddressPrefix")
    ranges = [(side, _values(rule, name)) for side, name in (("sport", "sourcePortRange"), ("dport", "destinationPortRange"))]
    verdict = "return" if rule["access"].lower() == "allow" else "drop"
    for family, version in _FAMILIES:
        if protocol == "icmp" and version == 6:
            # ICMPv6 is not supported in network security groups: only a rule for any protocol means it.
            continue
        words = []
        ports = [f"th {side} {{ {', '.join(values)} }}" for side, values in ranges if "*" not in values]
        if protocol != "*":
            words.append(f"meta l4proto {protocol}")
        elif ports:
            words.append("meta l4proto { tcp, udp }")
        if protocol in ("tcp", "udp", "*"):
            words += ports
        sides = (_sides(family, version, "saddr", sources, space), _sides(family, version, "daddr", destinations, space))
        for source, destination in itertools.product(*sides):
            yield " ".join((f"meta nfproto {'ipv4' if version == 4 else 'ipv6'}", *filter(None, (source, destination)), *words, verdict))


def _values(rule: Mapping[str, Any], name: str) -> list[str]:
    """A property of a rule, singular or plural."""
    found = rule.get(f"{name}es" if name.endswith("Prefix") else f"{name}s") or []
    return list(found) or [rule[name]] if rule.get(name) or found else ["*"]


def _sides(family: str, version: int, side: str, values: Sequence[str], space: Sequence[str]) -> list[str]:
    """The matches for one family, of which one suffices; an empty one matches anything, none means that nothing of this family matches."""
    wanted, excluded = [], []
    for value in values:
        match value.lower():
            case "*" | "any":
                return [""]
            case "virtualnetwork":
                wanted += [item for item in space if ipaddress.ip_network(item).version == version]
            case "azureloadbalancer":
                wanted.append(PROBE_IPV4 if version == 4 else PROBE_IPV6)
            case "internet":
                excluded += [item for item in (*space, PROBE_IPV4, PROBE_IPV6) if ipaddress.ip_network(item).version == version]
            case _:
                networks = [ipaddress.ip_network(text, strict=False) for text in (prefixes_of(value) if _is_tag(value) else [value])]
                wanted += [str(network) for network in networks if network.version == version]
    result = []
    if wanted:
        result.append(f"{family} {side} {{ {', '.join(merged(wanted))} }}")
    if excluded:
        result.append(f"{family} {side} != {{ {', '.join(excluded)} }}")
    return result


def _is_tag(text: str) -> bool:
    return text[:1].isalpha() and ":" not in text


def merged(prefixes: Iterable[str]) -> list[str]:
    """Prefixes of either family without overlaps, which nftables refuses in a set; IPv4's first."""
    networks = [ipaddress.ip_network(item) for item in prefixes]
    ipv4 = ipaddress.collapse_addresses(found for found in networks if isinstance(found, ipaddress.IPv4Network))
    ipv6 = ipaddress.collapse_addresses(found for found in networks if isinstance(found, ipaddress.IPv6Network))
    return [*map(str, ipv4), *map(str, ipv6)]


def groups_of(azure: Azure, machine: str) -> list[str]:
    """The security groups in front of a VM, in the order that inbound flows meet them: the subnet's, the NIC's."""
    found = azure.get(machine)
    result = []
    for nic in nic_configurations(found.properties):
        for configuration in nic["properties"]["ipConfigurations"]:
            subnet = azure.store.get(reference(configuration["properties"], "subnet"))
            result.append(reference(subnet.properties, "networkSecurityGroup") if subnet else "")
        result.append(reference(nic["properties"], "networkSecurityGroup"))
    return [group for group in dict.fromkeys(item.lower() for item in result) if group and azure.store.get(group)]
