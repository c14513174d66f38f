"""What the rules of plans look at: a stamp's specification, the register, and the plan that follows from them.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._addresses.allocations import Registrations
from .._addresses.plan import STAMP_RANGES, Fleet, StampPlan, Unplaced
from .._addresses.ranges import Network, read


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
        """``{name, dns_prefix, node_resource_group, kubernetes_version, network_policy, network_dataplane, outbound_type, nat_gateway_sku, location,
        api_server_authorized_ip_ranges, private, node_pools: [{name, count, max_count, max_pods, max_surge, zones, os_type}],
        node_subnet}``; empty when only addresses are checked."""
        return self.specification.get("cluster") or {}

    @property
    def node_pools(self) -> list[Mapping[str, Any]]:
        return list(self.cluster.get("node_pools") or [])

    def networks(self) -> Iterator[tuple[str, str, Network]]:
        """(subject, name, network) for each range of this stamp."""
        for name in STAMP_RANGES:
            for text in self.plan[name].values():
                yield f"{self.stamp}.{name}", name, read(text, name)
        for name, families in self.plan["subnets"].items():
            for text in families.values():
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
