"""What the rules of plans look at: a stamp's specification, the register, and the plan that follows from them.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._addresses.allocations import STAMP_RANGES, Registrations
from .._addresses.plan import Fleet, StampPlan, Unplaced
from .._addresses.ranges import Network, inside, prefixes_in, read
from .._resource_id import folded


@dataclass(frozen=True)
class PlannedStamp:
    """One stamp, planned."""

    specification: Mapping[str, Any]
    register: Mapping[str, Any]
    plan: dict[str, Any]
    unplaced: list[Unplaced]
    registrations: Registrations

    @property
    def stamp(self) -> str:
        return str(self.specification["stamp"])

    @property
    def cluster(self) -> Mapping[str, Any]:
        """``{name, dns_prefix, node_resource_group, kubernetes_version, network_policy, network_dataplane, outbound_type, nat_gateway_sku,
        api_server_authorized_ip_ranges, private, max_pods, node_pools: [{name, mode, count, max_count, max_pods, max_surge, zones, os_type}],
        node_subnet, node_subnet_id, egress, existing_vnet_id}``; empty when only addresses are checked."""
        return self.specification.get("cluster") or {}

    @property
    def node_subnet(self) -> str:
        """The nodes' subnet as the plan spells it; ids have no case. As it is declared where the plan does not have it."""
        name = str(self.cluster.get("node_subnet", "nodes"))
        return next((known for known in self.plan["subnets"] if known.lower() == name.lower()), name)

    def vnet(self, stamp: str) -> list[Network]:
        """The prefixes of a stamp's virtual network in the register; empty for a stamp that is not there."""
        names = (self.register.get("stamps") or {}).get(stamp) or {}
        return [read(text, f"{stamp}.vnet") for text in prefixes_in(names.get("vnet") or {})]

    @property
    def live_peers(self) -> dict[str, list[Network]]:
        """The virtual networks that this one is peered with in Azure, and their prefixes."""
        return {peer: [read(text, peer) for text in texts] for peer, texts in (self.specification.get("live_peers") or {}).items()}

    @property
    def peered_stamps(self) -> list[str]:
        """The stamps whose networks this one reaches: as declared, and those in whose prefixes a live peer's are."""
        declared = [str(name) for name in self.specification.get("peered_stamps") or ()]
        found = {
            held.stamp
            for prefixes in self.live_peers.values()
            for prefix in prefixes
            for held in self.registrations.overlapping(prefix)
            if held.name == "vnet" and not held.retired and all(any(inside(network, peer) for peer in prefixes) for network in self.vnet(held.stamp))
        }
        return [name for name in dict.fromkeys([*declared, *sorted(found)]) if name != self.stamp]

    @property
    def reached(self) -> list[tuple[str, Network]]:
        """The networks that are peered with this one, as (whose, prefix)."""
        registered = [(f"{name}.vnet", network) for name in self.peered_stamps for network in self.vnet(name)]
        known = {network for _unused, network in registered}
        return registered + [(peer, prefix) for peer, prefixes in self.live_peers.items() for prefix in prefixes if prefix not in known]

    @property
    def node_pools(self) -> list[Mapping[str, Any]]:
        return list(self.cluster.get("node_pools") or [])

    @property
    def all_pools(self) -> list[Mapping[str, Any]]:
        """The declared pools and, in the same form, other pools of the live cluster: ``live_pools`` as Azure answers them."""
        declared = {folded(pool.get("name")) for pool in self.node_pools}
        others = [
            {
                "name": pool["name"],
                "count": pool.get("count"),
                "max_count": pool.get("maxCount"),
                # AKS' own figure, where the pool does not say
                "max_surge": (pool.get("upgradeSettings") or {}).get("maxSurge") or "10%",
                "os_type": pool.get("osType"),
            }
            for pool in self.specification.get("live_pools") or []
            if folded(pool["name"]) not in declared
        ]
        return self.node_pools + others

    def networks(self) -> Iterator[tuple[str, str, Network]]:
        """(subject, name, network) for each range of this stamp."""
        for name in STAMP_RANGES:
            for text in prefixes_in(self.plan[name]):
                yield f"{self.stamp}.{name}", name, read(text, name)
        for name, families in self.plan["subnets"].items():
            for text in prefixes_in(families):
                yield f"{self.stamp}.{name}", name, read(text, name)


def planned(specification: Mapping[str, Any], register: Mapping[str, Any]) -> PlannedStamp:
    """One stamp on top of the register. Raises :class:`~.._addresses.ranges.MalformedSpecification` only for what cannot be read at all."""
    fleet = Fleet(register)
    return _planned(fleet.plan(specification), register, fleet.registrations)


def planned_fleet(specifications: Iterable[Mapping[str, Any]], register: Mapping[str, Any]) -> Iterator[PlannedStamp]:
    """Many stamps, for a register that has them all (:func:`~.._addresses.plan.address_plans`).

    Takes as long for each stamp as for the one before. Raises as :func:`planned` does.
    """
    fleet = Fleet(register)
    registrations = fleet.registrations
    return (_planned(plan, register, registrations) for plan in map(fleet.plan, specifications))


def _planned(plan: StampPlan, register: Mapping[str, Any], registrations: Registrations) -> PlannedStamp:
    return PlannedStamp(plan.specification, register, plan.addresses, plan.unplaced, registrations)
