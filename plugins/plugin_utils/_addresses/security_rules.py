"""One rule in, one network security rule a family out.

This file is private to the collection.

A rule as users write it::

    {name: web, priority: 200, direction: Inbound, access: Allow, protocol: Tcp, description: …,
     source: [Internet], destination: ["*"], destination_ports: ["80", "443"], source_ports: ["*"]}

``source`` and ``destination`` take prefixes of either family, service tags, ``*``, and the plan's names (``subnet:nodes``, ``pods``,
``vnet``). Service tags and ``*`` cover both families in one Azure rule; prefixes need a rule a family, since Azure refuses a rule that
mixes them (learn.microsoft.com/azure/virtual-network/ip-services/ipv6-overview).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from .ranges import MalformedSpecification, Network, inside, network_of, prefixes_in

PRIORITIES = (100, 4096)
_SIDES = ("source", "destination")


def _terms(rule: Mapping[str, Any], side: str) -> list[str]:
    value = rule.get(side, "*")
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _resolve(term: str, plan: Mapping[str, Any], where: str) -> list[str]:
    """The prefixes that a term means: the plan's for its names, canonical text for prefixes, the term itself for a tag."""
    if term.startswith("subnet:"):
        name = term.removeprefix("subnet:")
        if name not in plan.get("subnets", {}):
            raise MalformedSpecification(f"{where}: the plan has no subnet {name!r}.")
        return prefixes_in(plan["subnets"][name])
    if term in ("vnet", "pods", "services"):
        return prefixes_in(plan[term])
    try:
        return [str(ipaddress.ip_network(term, strict=False))] if "/" in term else [str(ipaddress.ip_address(term))]
    except ValueError:
        return [term]


def prefix_family(prefix: str) -> int:
    """4 or 6; 0 for a service tag and ``*``, which cover both."""
    try:
        return ipaddress.ip_network(prefix).version
    except ValueError:
        return 0


def rule_prefixes(rule: Mapping[str, Any], side: str, plan: Mapping[str, Any]) -> list[str]:
    """What a side matches, in Azure's words: prefixes, addresses, service tags, ``*``. Raises as :func:`family_rules` for an unknown subnet."""
    where = f"network_security_rules.{rule.get('name')}.{side}"
    return [prefix for term in _terms(rule, side) for prefix in _resolve(term, plan, where)]


def rule_families(rule: Mapping[str, Any], side: str, plan: Mapping[str, Any]) -> set[int]:
    """The families that a side's prefixes have; empty when it holds service tags only."""
    return {family for family in map(prefix_family, rule_prefixes(rule, side, plan)) if family}


def _put(properties: dict[str, Any], side: str, what: str, values: list[str]) -> None:
    """One value goes into the singular property, several into the plural: Azure wants one of the two."""
    if len(values) == 1:
        properties[f"{side}{what}"] = values[0]
    else:
        properties[f"{side}{what}{'es' if what.endswith('x') else 's'}"] = values


def unknown_subnets(rule: Mapping[str, Any], plan: Mapping[str, Any]) -> list[str]:
    """The subnets that a rule names and the plan does not have."""
    named = [term.removeprefix("subnet:") for side in _SIDES for term in _terms(rule, side) if term.startswith("subnet:")]
    return [name for name in named if name not in plan.get("subnets", {})]


def family_rules(rule: Mapping[str, Any], plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Azure's security rules for one rule: one when no side names a prefix, else one for each family that both sides have.

    The IPv6 twin is called ``<name>-ipv6`` and takes the next priority. Raises :class:`MalformedSpecification` for a rule without
    name or priority, and for a name that the plan does not have.
    """
    if not rule.get("name") or not isinstance(rule.get("priority"), int):
        raise MalformedSpecification(f"network_security_rules: {dict(rule)!r} needs a name and a priority (a whole number).")
    if not all(rule_prefixes(rule, side, plan) for side in _SIDES):
        # A subnet without a range of its own: a rule about nothing opens nothing.
        return []
    families = [rule_families(rule, side, plan) for side in _SIDES]
    named = [found for found in families if found]
    wanted = sorted(set.intersection(*named)) if named else [0]
    result = []
    for version in wanted:
        properties: dict[str, Any] = {
            "access": rule.get("access", "Allow"),
            "direction": rule.get("direction", "Inbound"),
            "priority": rule["priority"] + (version == 6),
            "protocol": rule.get("protocol", "*"),
        }
        if rule.get("description"):
            properties["description"] = rule["description"]
        for side in _SIDES:
            prefixes = [prefix for prefix in rule_prefixes(rule, side, plan) if prefix_family(prefix) in (0, version)]
            _put(properties, side, "AddressPrefix", prefixes)
            ports = rule.get(f"{side}_ports", "*")
            _put(properties, side, "PortRange", [str(port) for port in ports] if isinstance(ports, list) else [str(ports)])
        result.append({"name": rule["name"] + ("-ipv6" if version == 6 else ""), "properties": properties})
    return result


#: service tags that stand for no client of a public address: the load balancer keeps its clients' addresses
_NO_CLIENTS = ("virtualnetwork", "azureloadbalancer", "gatewaymanager")
_EVERYBODY = ("*", "any", "internet", "0.0.0.0/0", "::/0", "2000::/3")


def closed_by(rules: Iterable[Mapping[str, Any]], own_prefixes: Iterable[str], version: int, protocol: str, port: int) -> str:
    """The security rule that keeps every client from a public address on a port, in one family (4 or 6); empty when somebody is let in.

    ``rules`` are Azure's, of any order and direction; ``own_prefixes`` are the network's, which no public address is in. As Azure does, the
    first rule that fits decides, and without one the group's own last rule, ``DenyAllInBound``.
    """
    own = [network_of(prefix) for prefix in own_prefixes]
    for rule in sorted(rules, key=lambda found: int(found["properties"]["priority"])):
        properties = rule["properties"]
        sources, destinations = (values_of(properties, f"{side}AddressPrefix") for side in _SIDES)
        fits = (
            str(properties["direction"]).lower() == "inbound"
            and str(properties["protocol"]).lower() in ("*", protocol.lower())
            and any(_is_in(port, text) for text in values_of(properties, "destinationPortRange"))
            and any(_of_family(text, version) for text in destinations if text.lower() not in _NO_CLIENTS and not _among(text, own))
        )
        if fits and str(properties["access"]).lower() == "deny":
            if any(text.lower() in _EVERYBODY and _of_family(text, version) for text in sources):
                return str(rule["name"])
        elif fits and any(_of_family(text, version) for text in sources if text.lower() not in _NO_CLIENTS):
            return ""
    return "DenyAllInBound"


def values_of(properties: Mapping[str, Any], name: str) -> list[str]:
    """Both forms of one property of a rule, given its singular: Azure answers an unused singular as an empty text."""
    plural = f"{name}es" if name.endswith("Prefix") else f"{name}s"
    return [str(text) for text in (properties.get(name), *(properties.get(plural) or ())) if text]


def _is_in(port: int, ports: str) -> bool:
    first, _unused, last = ports.partition("-")
    return ports == "*" or (f"{first}{last}".isdecimal() and int(first) <= port <= int(last or first))


def _of_family(text: str, version: int) -> bool:
    """Whether a prefix has the family; tags and ``*`` have both."""
    return prefix_family(text) in (0, version)


def _among(text: str, networks: Iterable[Network]) -> bool:
    return bool(prefix_family(text)) and any(inside(network_of(text), network) for network in networks)
