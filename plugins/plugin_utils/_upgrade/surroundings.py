"""What an upgrade does around a cluster before its nodes get IPv6: the virtual network, its subnets, peerings, and twins of IPv4 rules.

This file is private to the collection.

Sources: learn.microsoft.com/azure/virtual-network/ip-services/add-dual-stack-ipv6-vm-cli (a subnet in use gets a second prefix),
learn.microsoft.com/azure/virtual-network/manage-virtual-network-peering (after a new prefix both sides are brought in sync).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
    """The user's own security groups and route tables; AKS looks after those of a network that it made."""
    own = [subnet for subnet in cluster.subnets if not subnet.is_managed]
    for identifier in dict.fromkeys(subnet.group_id for subnet in own if subnet.group_id):
        answer = cluster.answered("group", identifier)
        rules = (answer.body.get("properties") or {}).get("securityRules") or () if answer else ()
        try:
            names = [twin["name"] for twin in rule_twins(rules, known)]
        except NoPriority:
            continue
        if names:
            yield Preparation(f"security group {identifier.rpartition('/')[2]}", f"gets rules for IPv6: {', '.join(names)}")
    for identifier in dict.fromkeys(subnet.routes_id for subnet in own if subnet.routes_id):
        answer = cluster.answered("routes", identifier)
        routes = (answer.body.get("properties") or {}).get("routes") or () if answer else ()
        names = [twin["name"] for twin in route_twins(routes, known)]
        if names:
            yield Preparation(f"route table {identifier.rpartition('/')[2]}", f"gets routes for IPv6: {', '.join(names)}")


def _inside(cluster: RunningCluster, known: Counterparts) -> Iterator[Preparation]:
    for twin in policy_twins(cluster.own("NetworkPolicy"), known):
        yield Preparation(f"NetworkPolicy {named(twin)}", "gets IPv6 blocks beside its IPv4 ones")
