"""What an upgrade does around a cluster before its nodes get IPv6: the virtual network, its subnets, peerings, and twins of IPv4 rules.

This file is private to the collection.

Sources: learn.microsoft.com/azure/virtual-network/ip-services/add-dual-stack-ipv6-vm-cli (a subnet in use gets a second prefix),
learn.microsoft.com/azure/virtual-network/manage-virtual-network-peering (after a new prefix both sides are brought in sync).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._report.parity import family_of
from .facts import RunningCluster, named
from .twins import Counterparts, NoPriority, policy_twins, route_twins, rule_twins


@dataclass(frozen=True)
class Preparation:
    """One thing to do: of what, and what."""

    subject: str
    text: str


def preparations(cluster: RunningCluster, known: Counterparts) -> list[Preparation]:
    """Everything that has to be there before the cluster becomes dual-stack; nothing for one that is."""
    if cluster.networking.is_dual_stack:
        return []
    everything = known.complete
    return [*_networks(cluster), *_subnets(cluster), *_peerings(cluster), *_groups(cluster, everything), *_inside(cluster, everything)]


def _networks(cluster: RunningCluster) -> Iterator[Preparation]:
    for network in cluster.networks:
        prefixes = ((network.get("properties") or {}).get("addressSpace") or {}).get("addressPrefixes") or ()
        if not any(family_of(text) == "ipv6" for text in prefixes):
            managed = f"network {str(network.get('id')).lower()}" not in cluster.answers
            name = str(network.get("id")).rpartition("/")[2]
            yield Preparation(f"virtual network {name}", "AKS adds an IPv6 prefix to it" if managed else "gets an IPv6 prefix")


def _subnets(cluster: RunningCluster) -> Iterator[Preparation]:
    for subnet in cluster.subnets:
        if not subnet.has_ipv6:
            yield Preparation(f"subnet {subnet.name}", "AKS adds a /64 to it" if subnet.is_managed else "gets a /64")


def _peerings(cluster: RunningCluster) -> Iterator[Preparation]:
    for peering in cluster.peerings:
        now = "" if peering.is_in_sync else ", and is out of sync now"
        yield Preparation(f"peering {peering.name}", f"is brought in sync on both sides{now}")


def _groups(cluster: RunningCluster, known: Counterparts) -> Iterator[Preparation]:
    for identifier, rules in cluster.security_groups.items():
        try:
            twins = rule_twins(rules, known)
        except NoPriority:
            continue
        yield from _gets(f"security group {identifier.rpartition('/')[2]}", "rules", twins)
    for identifier, routes in cluster.route_tables.items():
        yield from _gets(f"route table {identifier.rpartition('/')[2]}", "routes", route_twins(routes, known))


def _gets(subject: str, what: str, twins: Sequence[Mapping[str, Any]]) -> Iterator[Preparation]:
    if twins:
        yield Preparation(subject, f"gets {what} for IPv6: {', '.join(twin['name'] for twin in twins)}")


def _inside(cluster: RunningCluster, known: Counterparts) -> Iterator[Preparation]:
    for twin in policy_twins(cluster.own("NetworkPolicy"), known):
        yield Preparation(f"NetworkPolicy {named(twin)}", "gets IPv6 blocks beside its IPv4 ones")
