"""Which security rules of its subnets deny traffic of a cluster's pods once these are in an overlay.

This file is private to the collection.

Source: learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay (traffic between pods is not encapsulated; rules that deny it must leave
traffic from nodes to pods, and between pods, on all ports).
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from .._addresses.security_rules import values_of
from .._report.parity import family_of
from .._resource_id import folded

_DIRECTIONS = ("inbound", "outbound")
_ANY = "0.0.0.0/0"


def denials(rules: Sequence[Mapping[str, Any]], pods: str, nodes: Sequence[str]) -> list[str]:
    """Names of the rules of one group that deny traffic from the IPv4 ranges ``nodes``, or from ``pods``, to ``pods``.

    A tag or an application security group is not compared: whether it contains a pod, Azure does not say.
    """
    found: dict[str, None] = {}
    ordered = sorted(rules, key=lambda rule: int((rule.get("properties") or {}).get("priority") or 0))
    for direction, source in itertools.product(_DIRECTIONS, [*nodes, pods]):
        for rule in ordered:
            properties = rule.get("properties") or {}
            if folded(properties.get("direction")) != direction or not all(_touches(properties, *pair) for pair in _sides(source, pods)):
                continue
            if folded(properties.get("access")) == "deny":
                found[str(rule.get("name"))] = None
            elif _is_for_everything(properties) and all(_contains(properties, *pair) for pair in _sides(source, pods)):
                break
    return list(found)


def _sides(source: str, destination: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("source", source), ("destination", destination)


def _prefixes(properties: Mapping[str, Any], side: str) -> list[ipaddress.IPv4Network]:
    texts = [_ANY if term == "*" else term for term in values_of(properties, f"{side}AddressPrefix")]
    return [ipaddress.IPv4Network(text, strict=False) for text in texts if family_of(text) == "ipv4"]


def _touches(properties: Mapping[str, Any], side: str, text: str) -> bool:
    return any(prefix.overlaps(ipaddress.IPv4Network(text)) for prefix in _prefixes(properties, side))


def _contains(properties: Mapping[str, Any], side: str, text: str) -> bool:
    return any(ipaddress.IPv4Network(text).subnet_of(prefix) for prefix in _prefixes(properties, side))


def _is_for_everything(properties: Mapping[str, Any]) -> bool:
    """Of all protocols and ports."""
    if properties.get("protocol") != "*":
        return False
    return all({"*", "0-65535"} & {*values_of(properties, f"{side}PortRange")} for side in ("source", "destination"))
