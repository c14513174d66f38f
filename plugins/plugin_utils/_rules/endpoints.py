"""Rules of private endpoints, of the private zones that their names are in, and of the networks that are linked to those.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .._addresses.purposes import fixed_purpose
from .._azure.preflight import delegations_of
from .._leaves import value_at
from . import Answer, Chapter, Finding


@dataclass(frozen=True)
class Endpoint:
    """What a role declares of its private endpoint, and what Azure answered of what the run does not make: ``subnet``, and ``zone`` where an existing
    one is named; None for what was not read."""

    role: str
    subnet_id: str
    existing_zone_id: str
    zone_name: str
    subnet: Answer | None = None
    zone: Answer | None = None
    #: what the subnet is for and delegated to, where it is one of the stamp's own
    purpose: str = ""
    delegation: str = ""
    #: the cloud that the credentials are for, and the zone's name in each cloud that has one of its own
    cloud: str = ""
    zone_names: Mapping[str, str] = field(default_factory=dict)
    #: the network whose clients are to find the endpoint, and the links of the existing zone
    network_id: str = ""
    links: Answer | None = None


CHAPTER = Chapter[Endpoint]("endpoints")
rule = CHAPTER.rule


@rule("use an existing subnet", "https://learn.microsoft.com/azure/private-link/private-endpoint-overview")
def endpoint_subnet(endpoint: Endpoint) -> Iterator[Finding]:
    """A private endpoint in a subnet that does not exist and that no role creates."""
    if endpoint.subnet and not endpoint.subnet.exists:
        name = endpoint.subnet_id.rpartition("/")[2]
        yield (
            f"{endpoint.role}_subnet_id",
            f"{endpoint.subnet_id} {endpoint.subnet.absence}",
            f"add the subnet {name} to dualstack_subnets, set {endpoint.role}_subnet_id to an existing subnet, or set "
            f"{endpoint.role}_private_endpoint to false",
        )


@rule("use a subnet with the purpose private_endpoints", "https://learn.microsoft.com/azure/virtual-network/subnet-delegation-overview")
def endpoint_subnet_purpose(endpoint: Endpoint) -> Iterator[Finding]:
    """A private endpoint in a subnet that belongs to a service."""
    services = [endpoint.delegation] if endpoint.delegation else delegations_of(endpoint.subnet.body if endpoint.subnet else {})
    purpose = endpoint.purpose or fixed_purpose(endpoint.subnet_id.rpartition("/")[2])
    if services:
        yield f"{endpoint.role}_subnet_id", f"{endpoint.subnet_id} is delegated to {', '.join(services)}"
    elif purpose not in ("", "private_endpoints", "nodes"):
        yield f"{endpoint.role}_subnet_id", f"{endpoint.subnet_id} is for {purpose}"


@rule(
    "correct the id, or leave it empty to create a zone for the stamp",
    "https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration",
)
def private_zone_exists(endpoint: Endpoint) -> Iterator[Finding]:
    """An existing private zone that Azure does not have."""
    if endpoint.zone and not endpoint.zone.exists:
        yield f"{endpoint.role}_existing_private_zone_id", f"{endpoint.existing_zone_id} {endpoint.zone.absence}"


@rule("use a zone with that name: clients resolve the endpoint in it", "https://learn.microsoft.com/azure/private-link/private-endpoint-dns")
def private_zone_name(endpoint: Endpoint) -> Iterator[Finding]:
    """An existing private zone whose name is not the endpoint's."""
    name = endpoint.existing_zone_id.rpartition("/")[2]
    if endpoint.existing_zone_id and name.lower() != endpoint.zone_name:
        yield (
            f"{endpoint.role}_existing_private_zone_id",
            f"{endpoint.existing_zone_id} is the zone {name}, but the endpoint needs {endpoint.zone_name}",
        )


@rule("set dualstack_cloud to the cloud's name", "https://learn.microsoft.com/azure/private-link/private-endpoint-dns")
def private_zone_cloud(endpoint: Endpoint) -> Iterator[Finding]:
    """A private zone with the name of another cloud than that of the credentials."""
    if endpoint.zone_names.get(endpoint.cloud, endpoint.zone_name) != endpoint.zone_name:
        yield f"{endpoint.role}_cloud", f"the private zone would be {endpoint.zone_name}, but the credentials are for {endpoint.cloud}"


def warnings(endpoint: Endpoint) -> Iterator[str]:
    """What nobody refuses: an existing private zone that the network's clients may not ask.

    Source: learn.microsoft.com/azure/dns/private-dns-virtual-network-links.
    """
    if endpoint.links and endpoint.links.exists:
        linked = [str(value_at(found, "properties.virtualNetwork.id")).lower() for found in endpoint.links.body.get("value") or ()]
        if endpoint.network_id.lower() not in linked:
            yield (
                f"{endpoint.role}_existing_private_zone_id: {endpoint.existing_zone_id} is not linked to {endpoint.network_id}: "
                f"clients in the network reach the private endpoint only if its DNS servers resolve names in the zone."
            )


@dataclass(frozen=True)
class Link:
    """The virtual network that a role links to a private zone; ``network`` is what Azure answered, None where the run makes it."""

    role: str
    network_id: str
    network: Answer | None


LINKS = Chapter[Link]("endpoints")


@LINKS.rule("correct the id, or remove it to link the stamp's network", "https://learn.microsoft.com/azure/dns/private-dns-virtual-network-links")
def zone_link(link: Link) -> Iterator[Finding]:
    """A link of a private zone to a virtual network that does not exist and that no role creates."""
    if link.network and not link.network.exists:
        yield f"{link.role}_vnet_id", f"{link.network_id} {link.network.absence}"


def within(subnet_id: str, vnet_id: str, names: Sequence[str]) -> bool:
    """Whether a subnet is one of these of a virtual network; ids have no case."""
    vnet, _unused, name = subnet_id.rpartition("/subnets/")
    return vnet.lower() == vnet_id.lower() and name.lower() in map(str.lower, names)
