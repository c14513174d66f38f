"""Which rules each role applies, to which facts.

This file is private to the collection.

A role's facts are what its task ``validate`` gives: templates that are rendered when a rule first asks for them, so that a variable that cannot be
rendered hides only the rules that need it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from .._azure.preflight import live_subnets
from . import Answer, Violation, aks, dns, entrances, keyvault, network, registry, variables
from .plans import plan_problems

#: name -> what the inventory declares; raises for what cannot be rendered
type Facts = Mapping[str, Any]


class Unanswered(Exception):
    """Azure could not be asked; the message says why."""


class Reader(Protocol):
    """Who asks Azure and the cluster, each question once."""

    @property
    def check_mode(self) -> bool: ...

    def azure(self, reads: Mapping[str, Mapping[str, Any]]) -> dict[str, Answer]:
        """The answers to reads as ``azure_resources_info`` takes them, by handle. Raises :class:`Unanswered`."""

    def services(self, cluster_id: str, namespaces: Sequence[str]) -> list[Mapping[str, Any]] | None:
        """The Services of these namespaces; None where the cluster cannot be asked yet."""

    def warn(self, text: str) -> None:
        """Tell the operator what does not stop the run."""


type Part = Callable[[Facts, Reader], Iterator[Violation]]


def _network_in_azure(facts: Facts, reader: Reader) -> Iterator[Violation]:
    declared = facts["declared"]
    addresses = {identifier: {"id": identifier} for identifiers in declared["egress_address_ids"].values() for identifier in identifiers}
    yield from network.CHAPTER.violations(network.Network(**declared, answers=reader.azure({**facts["reads"], **addresses})))


def _network_plan(facts: Facts, reader: Reader) -> Iterator[Violation]:
    try:
        live = live_subnets(reader.azure({"vnet": facts["reads"]["vnet"]})["vnet"].body)
    except Unanswered:
        # The other part reports it.
        live = {}
    yield from _plan("network", {**facts["specification"], "live_subnets": live}, facts["register"])


def _plan(role: str, specification: Mapping[str, Any], register: Mapping[str, Any]) -> Iterator[Violation]:
    malformed, violations = plan_problems(specification, register)
    yield from variables.CHAPTER.violations(variables.Variables(role, malformed=malformed))
    yield from violations


def _cluster_plan(facts: Facts, _reader: Reader) -> Iterator[Violation]:
    yield from _plan("aks", facts["specification"], facts["register"])


def _cluster_in_azure(facts: Facts, reader: Reader) -> Iterator[Violation]:
    yield from aks.LIVE.violations(aks.Cluster(**facts["declared"], answers=reader.azure(facts["reads"])))


def _registry(facts: Facts, reader: Reader) -> Iterator[Violation]:
    yield from registry.CHAPTER.violations(registry.Registry(**facts["declared"], answers=reader.azure(facts["reads"])))


def _vault(facts: Facts, reader: Reader) -> Iterator[Violation]:
    yield from keyvault.CHAPTER.violations(keyvault.Vault(**facts["declared"], answers=reader.azure(facts["reads"])))


def _zones(facts: Facts, reader: Reader) -> Iterator[Violation]:
    reads = {name: read for name, read in facts["reads"].items() if read["id"]}
    zones = dns.Zones(**facts["declared"], check_mode=reader.check_mode, answers=reader.azure(reads))
    yield from dns.CHAPTER.violations(zones)
    for text in dns.warnings(zones):
        reader.warn(text)


def _entrances(facts: Facts, reader: Reader) -> Iterator[Violation]:
    declaration = facts["declaration"]
    found = entrances.PROXIES.violations(entrances.Proxies(**facts["proxies"])) + entrances.CHAPTER.violations(declaration)
    if not found:
        # What is declared wrongly cannot be rendered.
        found = entrances.MANIFESTS.violations(entrances.Manifests(facts["objects"], str(facts["kubernetes_version"])))
    yield from found
    # A run of other tags comes before the applications, as when a new cluster waits for them, and is not theirs to stop.
    if found or not facts["upstream_namespaces"] or not facts["is_applied"]:
        return
    services = reader.services(facts["cluster_id"], [*facts["upstream_namespaces"], facts["namespace"]])
    if services is not None:
        yield from service_violations(declaration, services, facts["namespace"], facts["own_families"])


def service_violations(
    declaration: Mapping[str, Any], services: Sequence[Mapping[str, Any]], namespace: str, families: Mapping[str, str]
) -> Iterator[Violation]:
    """What the entrances cannot use of a cluster's Services; ``families`` has the family of each entrance by the name of its own Service."""
    yield from entrances.UPSTREAMS_CHAPTER.violations(entrances.Upstreams(declaration, services))
    own = [
        (service, families[service["metadata"]["name"]])
        for service in services
        if service["metadata"]["namespace"] == namespace and service["metadata"]["name"] in families
    ]
    yield from entrances.OWN_SERVICES.violations(entrances.OwnServices(own))


#: role -> its parts; one that cannot be carried out does not keep the others from it
ROLES: dict[str, tuple[Part, ...]] = {
    "network": (_network_in_azure, _network_plan),
    "aks": (_cluster_plan, _cluster_in_azure),
    "registry": (_registry,),
    "keyvault": (_vault,),
    "dns": (_zones,),
    "ingress": (_entrances,),
}
