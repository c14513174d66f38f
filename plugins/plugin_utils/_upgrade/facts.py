"""A running cluster: what Azure answered of it and of what is around it, and the objects in it.

This file is private to the collection.

An assessment and an upgrade look at the same facts. What could not be read is missing here, and :attr:`RunningCluster.unseen` names it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from .._azure.agent_pools import minor_version
from .._azure.locks import Lock, locks_in
from .._azure.preflight import prefixes_of
from .._leaves import value_at
from .._report.parity import family_of
from .._resource_id import folded
from .._rules import Answer
from .._rules.sizes import Size, size_of
from .networking import Networking, networking_of, profile_of, ranges_of
from .pools import Pool, pool_of
from .reads import Answers, networks_of, node_subnets

Object = Mapping[str, Any]
#: Azure keeps the first four addresses of a subnet and the last.
_RESERVED_ADDRESSES = 5
#: namespaces whose objects AKS makes and looks after
SYSTEM_NAMESPACES = frozenset({"kube-system", "kube-node-lease", "kube-public", "gatekeeper-system", "aks-istio-system", "app-routing-system"})
#: the beginning of a read's name -> what it is, as the end of "could not be seen:"
_PARTS = {
    "usages": "quotas of the region",
    "sizes": "VM sizes of the region",
    "region": "zones of the region",
    "locks": "locks of the subscription",
    "addresses": "public addresses of the node resource group",
    "managed_networks": "the virtual network that AKS made",
    "managed_gateways": "NAT gateways of the node resource group",
    "network": "the virtual network",
    "group": "the network security group",
    "routes": "the route table",
    "gateway": "the NAT gateway",
}


@dataclass(frozen=True)
class Unseen:
    """A part that could not be read, and why."""

    part: str
    reason: str

    def __str__(self) -> str:
        return f"could not be seen: {self.part} ({self.reason})"


@dataclass(frozen=True)
class Subnet:
    """A subnet of nodes as Azure answers it; ``network`` is the id of its virtual network, ``is_managed`` whether AKS made that one."""

    id: str
    network: str
    prefixes: tuple[str, ...]
    used: int
    group_id: str
    routes_id: str
    gateway_id: str
    is_managed: bool

    @property
    def name(self) -> str:
        return self.id.rpartition("/")[2]

    @property
    def has_ipv6(self) -> bool:
        return any(family_of(text) == "ipv6" for text in self.prefixes)

    @property
    def free(self) -> int:
        """IPv4 addresses that are left."""
        own = [ipaddress.ip_network(text) for text in self.prefixes if family_of(text) == "ipv4"]
        return sum(network.num_addresses - _RESERVED_ADDRESSES for network in own) - self.used


@dataclass(frozen=True)
class Peering:
    """A peering of the nodes' network: the other network, and whether both sides know each other's address space."""

    name: str
    network: str
    remote_id: str
    remote_prefixes: tuple[str, ...]
    is_in_sync: bool


@dataclass(frozen=True)
class RunningCluster:
    """``answers`` are those to the reads of :mod:`.reads`; ``objects`` has the objects of each kind that could be read, and ``unreadable`` why the
    others could not."""

    id: str
    answers: Answers
    objects: Mapping[str, Sequence[Object]] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)

    def with_body(self, body: Mapping[str, Any]) -> RunningCluster:
        """The same with another body of the cluster."""
        return replace(self, answers={**self.answers, "cluster": Answer(True, body)})

    @property
    def body(self) -> Mapping[str, Any]:
        return self.answers["cluster"].body

    def at(self, path: str) -> Any:
        """What the cluster has at a dotted path below its properties."""
        return value_at(self.body.get("properties") or {}, path)

    @property
    def name(self) -> str:
        return self.id.rpartition("/")[2]

    @property
    def location(self) -> str:
        return folded(self.body.get("location"))

    @property
    def subscription_id(self) -> str:
        return self.id.split("/")[2]

    @cached_property
    def networking(self) -> Networking:
        return networking_of(self.body)

    @cached_property
    def pools(self) -> tuple[Pool, ...]:
        return tuple(pool_of(found) for found in self.at("agentPoolProfiles") or ())

    @property
    def version(self) -> str:
        return str(self.at("currentKubernetesVersion") or self.at("kubernetesVersion") or "")

    @property
    def oldest_minor(self) -> int | None:
        """The oldest minor version of Kubernetes 1 that runs in it: pools may be older than the control plane."""
        minors = [minor_version(version) for version in (self.version, *(pool.version for pool in self.pools))]
        return min((minor for minor in minors if minor is not None), default=None)

    @property
    def outbound_type(self) -> str:
        return str(profile_of(self.body).get("outboundType") or "loadBalancer")

    @property
    def identity_type(self) -> str:
        """Of the control plane; empty for a service principal."""
        return folded((self.body.get("identity") or {}).get("type") or "")

    @property
    def has_entra(self) -> bool:
        """Whether the API server takes tokens of Entra ID."""
        return bool(self.at("aadProfile"))

    def has_addon(self, name: str) -> bool:
        """Whether an add-on is enabled; names of add-ons have no case."""
        profiles = {folded(key): profile or {} for key, profile in (self.at("addonProfiles") or {}).items()}
        return bool((profiles.get(folded(name)) or {}).get("enabled"))

    @cached_property
    def networks(self) -> list[Mapping[str, Any]]:
        """The virtual networks of the nodes."""
        return networks_of(self.answers)

    @cached_property
    def subnets(self) -> tuple[Subnet, ...]:
        """The subnets of the nodes."""
        return tuple(self._subnet(found) for found in node_subnets(self.answers))

    @property
    def own_subnets(self) -> list[Subnet]:
        """The subnets of the nodes in a network of the user's; AKS looks after those of a network that it made."""
        return [subnet for subnet in self.subnets if not subnet.is_managed]

    @cached_property
    def security_groups(self) -> dict[str, Sequence[Object]]:
        """The network security groups of the user's subnets, as far as they could be read: id -> rules."""
        return self._lists("group", "securityRules", [subnet.group_id for subnet in self.own_subnets])

    @cached_property
    def route_tables(self) -> dict[str, Sequence[Object]]:
        """The route tables of the user's subnets, as far as they could be read: id -> routes."""
        return self._lists("routes", "routes", [subnet.routes_id for subnet in self.own_subnets])

    def _lists(self, kind: str, name: str, identifiers: Iterable[str]) -> dict[str, Sequence[Object]]:
        # Subnets may spell the id of the same resource in different cases.
        found = {identifier: self.answered(kind, identifier) for identifier in {text.lower(): text for text in identifiers}.values()}
        return {key: (answer.body.get("properties") or {}).get(name) or () for key, answer in found.items() if answer and answer.exists}

    def _subnet(self, found: Mapping[str, Any]) -> Subnet:
        properties, identifier = found.get("properties") or {}, str(found.get("id"))

        def reference(name: str) -> str:
            return str((properties.get(name) or {}).get("id") or "")

        network = identifier.rsplit("/", 2)[0]
        return Subnet(
            id=identifier,
            network=network,
            prefixes=tuple(prefixes_of(properties)),
            used=len(properties.get("ipConfigurations") or ()),
            group_id=reference("networkSecurityGroup"),
            routes_id=reference("routeTable"),
            gateway_id=reference("natGateway"),
            is_managed=f"network {network.lower()}" not in self.answers,
        )

    @cached_property
    def peerings(self) -> tuple[Peering, ...]:
        return tuple(self._peerings())

    def _peerings(self) -> Iterator[Peering]:
        for network in self.networks:
            for found in (network.get("properties") or {}).get("virtualNetworkPeerings") or ():
                properties = found.get("properties") or {}
                space = properties.get("remoteVirtualNetworkAddressSpace") or properties.get("remoteAddressSpace") or {}
                yield Peering(
                    name=str(found.get("name")),
                    network=str(network.get("id")),
                    remote_id=str((properties.get("remoteVirtualNetwork") or {}).get("id") or ""),
                    remote_prefixes=tuple(space.get("addressPrefixes") or ()),
                    is_in_sync=folded(properties.get("peeringSyncLevel") or "FullyInSync") == "fullyinsync",
                )

    @cached_property
    def locks(self) -> tuple[Lock, ...]:
        """All locks of the subscription."""
        answer = self.answers.get("locks")
        return tuple(locks_in(answer.body if answer else None))

    @property
    def node_group_id(self) -> str:
        """The resource group of the nodes, which AKS made."""
        return f"/subscriptions/{self.subscription_id}/resourceGroups/{self.at('nodeResourceGroup')}"

    def answered(self, kind: str, identifier: str) -> Answer | None:
        """What Azure answered of a ``group``, ``routes`` or ``gateway``; None for an empty id."""
        return self.answers.get(f"{kind} {identifier.lower()}") if identifier else None

    @cached_property
    def taken(self) -> tuple[str, ...]:
        """Prefixes that pods must not have: those of networks, of their peers, and of Services."""
        own = [text for network in self.networks for text in (network.get("properties") or {}).get("addressSpace", {}).get("addressPrefixes") or ()]
        return (*own, *(text for peering in self.peerings for text in peering.remote_prefixes), *ranges_of(self.body, "service"))

    @cached_property
    def sizes(self) -> dict[str, Size]:
        """VM size in lower case -> what Azure describes of it."""
        answer = self.answers.get("sizes")
        found = (size_of(sku) for sku in (answer.body.get("value") or () if answer else ()))
        return {size.name.lower(): size for size in found}

    @cached_property
    def zones(self) -> tuple[str, ...] | None:
        """The zones of the region; None where they could not be read."""
        answer = self.answers.get("region")
        regions = list(answer.body.get("value") or ()) if answer else []
        return tuple(str(found["logicalZone"]) for found in regions[0].get("availabilityZoneMappings") or ()) if regions else None

    def of_kind(self, kind: str) -> Sequence[Object]:
        """The objects of a kind; none where they could not be read."""
        return self.objects.get(kind) or ()

    def own(self, kind: str) -> list[Object]:
        """The objects of a kind, without those that AKS looks after."""
        return [item for item in self.of_kind(kind) if item["metadata"].get("namespace") not in SYSTEM_NAMESPACES]

    @cached_property
    def unseen(self) -> tuple[Unseen, ...]:
        """What could not be read."""
        return (*self._unseen_in_azure(), *(Unseen(kind, reason) for kind, reason in self.unreadable.items()))

    def _unseen_in_azure(self) -> Iterator[Unseen]:
        for name, answer in self.answers.items():
            kind, _unused, identifier = name.partition(" ")
            if answer.error and kind in _PARTS:
                yield Unseen(f"{_PARTS[kind]}{f' {identifier}' if identifier else ''}", answer.error)


def named(item: Object) -> str:
    """``namespace/name`` of an object."""
    metadata = item["metadata"]
    return f"{metadata.get('namespace')}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])
