"""Rules of the way from the nodes to an API server with an allow-list.

This file is private to the collection.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from . import Answer, Chapter, Finding
from .aks import networks_of

_RANGES = "https://learn.microsoft.com/azure/aks/api-server-authorized-ip-ranges"


@dataclass(frozen=True)
class Access:
    """An allow-list, and where the nodes come from: ``gateway`` has, by id, the public addresses and prefixes of the NAT gateway that the nodes'
    subnet has now, and ``address_ids`` are those that the role adds to the list."""

    allowed: Sequence[str]
    outbound_type: str
    egress_ranges: Sequence[str]
    address_ids: Sequence[str]
    gateway: Mapping[str, Answer] = field(default_factory=dict)


CHAPTER = Chapter[Access]("aks")
rule = CHAPTER.rule


def _ipv4_networks(texts: Sequence[str]) -> list[ipaddress.IPv4Network]:
    """The allow-list has IPv4 only."""
    return [network for network in networks_of(texts) if isinstance(network, ipaddress.IPv4Network)]


@rule("add the addresses to aks_api_server_authorized_ip_ranges, or the ids of the gateway's addresses to aks_egress_ipv4_address_ids", _RANGES)
def nodes_locked_out(access: Access) -> Iterator[Finding]:
    """A NAT gateway whose addresses are not in the API server's allow-list: the nodes reach the API server through the gateway."""
    if access.outbound_type != "userAssignedNATGateway":
        return
    allowed, added = _ipv4_networks(access.allowed), {identifier.lower() for identifier in access.address_ids}
    missing = []
    for identifier, answer in access.gateway.items():
        properties = answer.body.get("properties") or {}
        text = str(properties.get("ipAddress") or properties.get("ipPrefix") or "")
        if identifier.lower() not in added and any(not any(own.subnet_of(other) for other in allowed) for own in _ipv4_networks([text])):
            missing.append(text)
    if missing:
        yield "aks_api_server_authorized_ip_ranges", f"it lacks {', '.join(missing)}, from which the nodes connect through their NAT gateway"
    elif not access.gateway and not added:
        yield (
            "aks_egress_ipv4_address_ids",
            "the nodes connect through a NAT gateway whose addresses are unknown",
            "list the ids of its public IPv4 addresses, or set network_egress to nat_gateway, which creates them",
        )


@rule("set it to the public IPv4 ranges of the firewall or appliance to which the default route leads", _RANGES)
def egress_unknown(access: Access) -> Iterator[Finding]:
    """User-defined routing with an allow-list for the API server: Azure does not report from which addresses the nodes connect."""
    if access.outbound_type == "userDefinedRouting" and not access.egress_ranges:
        yield "aks_egress_ipv4_ranges", "empty, but the nodes reach the API server through the route table's next hop"


@rule("use public IPv4 addresses or prefixes", _RANGES)
def egress_ranges(access: Access) -> Iterator[Finding]:
    """Egress ranges that the API server's allow-list does not support."""
    for text in access.egress_ranges:
        if not _ipv4_networks([text]):
            yield "aks_egress_ipv4_ranges", f"{text!r} is not an IPv4 range"
