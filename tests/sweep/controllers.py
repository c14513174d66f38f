"""Two controllers that declare different things of the same resource: the second one's whole run falls between two requests of the first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.graph import Resource
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.types import TypeFacts, known
from lab.arm.store import Store

from .ground import Ground, Result
from .recording import Task

_TAGS: tuple[dict[str, Any], dict[str, Any]] = ({"tags": {"one": "1"}}, {"tags": {"other": "2"}})
_RECORDS: tuple[dict[str, Any], dict[str, Any]] = ({"properties": {"metadata": {"one": "1"}}}, {"properties": {"metadata": {"other": "2"}}})
#: type -> what the one and the other declare; types with tags differ in these
_DECLARED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Microsoft.Network/virtualNetworks/subnets": (
        {"properties": {"defaultOutboundAccess": True}},
        {"properties": {"privateEndpointNetworkPolicies": "Enabled"}},
    ),
    "Microsoft.ContainerService/managedClusters/agentPools": (
        {"properties": {"nodeLabels": {"one": "1"}}},
        {"properties": {"nodeLabels": {"other": "2"}}},
    ),
    "Microsoft.Network/dnsZones/A": _RECORDS,
    "Microsoft.Network/dnsZones/AAAA": _RECORDS,
    "Microsoft.Network/privateDnsZones/A": _RECORDS,
    "Microsoft.Network/privateDnsZones/AAAA": _RECORDS,
}


@dataclass
class Rivals:
    """One resource, and what each of two controllers declares of it."""

    facts: TypeFacts
    identifier: str
    store: Path
    declared: tuple[dict[str, Any], dict[str, Any]]

    def task(self, which: int) -> Task:
        resource = Resource("resource", self.identifier, self.facts, self.declared[which])
        return Task(f"controller {which}", {"resource": resource}, True, "westeurope", self.store)


def rivals(store: Path, group: str) -> Iterator[Rivals]:
    """One pair for each type of resource that is stored, where two declarations can differ without contradicting each other."""
    seen = set()
    for resource in Store(store).resources.values():
        facts = known(resource.type)
        if facts is None or facts.name in seen or group.lower() not in resource.key:
            continue
        if facts.no_tags and facts.name not in _DECLARED:
            continue
        seen.add(facts.name)
        yield Rivals(facts, resource.id, store, _DECLARED.get(facts.name, _TAGS))


def requests_of(ground: Ground, pair: Rivals) -> list[str]:
    """The methods that the first controller sends when nobody disturbs it."""
    ground.begin(pair.store)
    ground.entries()
    result = ground.run(pair.task(0))
    assert result.done, result.printed
    return [str(entry["method"]) for entry in ground.entries()]


def lost_when_interleaved(ground: Ground, pair: Rivals, number: int) -> list[int] | None:
    """Whose declaration is not there at the end, when the second controller runs just before the first one's n-th request.

    None: this time the first one sent fewer (how often it asks for an operation differs).
    """
    ground.begin(pair.store)
    ran: list[Result] = []

    def watch(mine: int, answered: bool) -> None:
        if mine == number and not answered and not ran:
            ran.append(ground.run(pair.task(1)))

    first = ground.run(pair.task(0), watch=watch)
    assert [found.printed for found in (first, *ran) if not found.done] == []
    if not ran:
        return None
    return [which for which in (0, 1) if ground.run(pair.task(which), check=True).changed]
