"""The inventory that makes a running cluster a stamp: what exists by its id, its live ranges in a register, and the ingress that it runs.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from .._addresses.allocations import STAMP_RANGES
from .._addresses.plan import Fleet
from .._addresses.ranges import MalformedSpecification, Prefixes, listed, network_of, unlisted
from .._azure.agent_pools import minor_version
from .._azure.preflight import live_subnets
from .._report.parity import family_of
from .._resource_id import folded
from .chain import Ranges, overlay_pods
from .facts import RunningCluster
from .files import REGISTER
from .ingresses import Ingress
from .networking import ranges_of

#: what plan.yml writes above the register
_REGISTER_HEAD = """\
# The address register: which name of which stamp holds which prefix. Filled by assess.yml from live ranges; what the cluster lacks is proposed.
# A registered name keeps its prefix. A name that is no longer used stays under retired until you delete its line.
"""


#: the resource group that the stamp makes, where the IPv6 address is
_OWN_GROUP = "{{ aks_resource_group | dualstack.aks.resource_id('Microsoft.Resources/resourceGroups', subscription_id=aks_subscription_id) }}"


class NoInventory(Exception):
    """Why a cluster cannot be a stamp; a sentence with the way out."""


@dataclass(frozen=True)
class Wishes:
    """What nobody can read from a cluster: the stamp's name, and what its IPv6 ranges come from."""

    stamp: str
    organisation: str
    ipv6_prefix: str = ""


@dataclass(frozen=True)
class Stamp:
    """A cluster's ranges as the register has them, and the whole register with them."""

    names: Mapping[str, Mapping[str, Prefixes]]
    register: Mapping[str, Any]

    @property
    def ranges(self) -> Ranges:
        """What a chain gives the cluster."""

        def first(name: str, family: str) -> str:
            return next(iter(self.prefixes(name, family)), "")

        return Ranges(first("pods", "ipv4"), first("pods", "ipv6"), first("services", "ipv6"))

    def prefixes(self, name: str, family: str) -> list[str]:
        """Those of a range or a subnet in one family."""
        names = {key.lower(): families for key, families in self.names.items()}
        return listed(names.get(name.lower(), {}).get(family))


def stamp_of(cluster: RunningCluster, wishes: Wishes, register: Mapping[str, Any]) -> Stamp:
    """The stamp that a cluster is, on top of a register: live ranges as they are, and proposals for what it lacks.

    Raises :class:`NoInventory`, and :class:`~.._addresses.ranges.MalformedSpecification` for a register that cannot be read.
    """
    network = _network(cluster)
    live = live_subnets(network)
    own = _own_subnets(cluster, live)
    nodes = sum(pool.count + pool.surge for pool in cluster.pools)
    pods = ranges_of(cluster.body, "pod") or [text for text in (overlay_pods(cluster.body, nodes, cluster.taken),) if text]
    names: dict[str, dict[str, Prefixes]] = {
        "vnet": _by_family(((network.get("properties") or {}).get("addressSpace") or {}).get("addressPrefixes") or ()),
        "pods": _by_family(pods),
        "services": _by_family(ranges_of(cluster.body, "service")),
        **{name: _by_family(prefixes) for name, prefixes in live.items() if name.lower() not in STAMP_RANGES},
    }
    others = {stamp: ranges for stamp, ranges in (register.get("stamps") or {}).items() if stamp != wishes.stamp}
    specification: dict[str, Any] = {
        "organisation": wishes.organisation,
        "stamp": wishes.stamp,
        "subnets": {
            name: {"ipv4_prefix_length": _length(names[name]), "families": ["IPv4", "IPv6"] if name in own else ["IPv4"], "purpose": ""}
            for name in names
            if name not in STAMP_RANGES
        },
        **({"ipv6_prefix": wishes.ipv6_prefix} if wishes.ipv6_prefix else {}),
    }
    plan = Fleet({**register, "stamps": {**others, wishes.stamp: names}}).plan(specification)
    lacking = [unplaced for unplaced in plan.unplaced if unplaced.name in (*STAMP_RANGES, *own)]
    if lacking:
        raise NoInventory(f"The {lacking[0].name} of {cluster.name} get no {lacking[0].family} range: {lacking[0].reason}. Free one in the register.")
    # Other subnets of the network are not the stamp's.
    entry = {name: {family: unlisted(listed(text)) for family, text in plan.entry[name].items()} for name in (*STAMP_RANGES, *own)}
    return Stamp(entry, {**register, "stamps": dict(sorted({**others, wishes.stamp: entry}.items()))})


def stamp_or_reason(cluster: RunningCluster, wishes: Wishes, register: Mapping[str, Any]) -> tuple[Stamp | None, str]:
    """The stamp that the cluster is, or why it cannot be one."""
    try:
        return stamp_of(cluster, wishes, register), ""
    except (NoInventory, MalformedSpecification) as error:
        return None, str(error)


def _network(cluster: RunningCluster) -> Mapping[str, Any]:
    networks = cluster.networks
    if not networks:
        raise NoInventory(f"The virtual network of {cluster.name} could not be seen. Grant the credentials Reader on it.")
    if len(networks) > 1:
        raise NoInventory(f"The node resource group of {cluster.name} holds {len(networks)} virtual networks: a stamp has one.")
    return networks[0]


def _own_subnets(cluster: RunningCluster, live: Mapping[str, Sequence[str]]) -> list[str]:
    """The names of the nodes' subnets, as the network spells them."""
    wanted = {subnet.name.lower() for subnet in cluster.subnets}
    own = [name for name in live if name.lower() in wanted]
    taken = [name for name in own if name.lower() in STAMP_RANGES]
    if taken:
        raise NoInventory(f"The register reserves the name {taken[0]} of the nodes' subnet. Move the pools to a subnet with another name.")
    if not own:
        raise NoInventory(f"The subnets of the nodes of {cluster.name} could not be seen. Grant the credentials Reader on the virtual network.")
    return own


def _by_family(prefixes: Sequence[str]) -> dict[str, Prefixes]:
    found = {family: [str(network_of(text)) for text in prefixes if family_of(text) == family] for family in ("ipv4", "ipv6")}
    return {family: unlisted(texts) for family, texts in found.items() if texts}


def _length(families: Mapping[str, Prefixes]) -> int:
    texts = listed(families.get("ipv4") or [])
    return min((network_of(text).prefixlen for text in texts), default=24)


def inventory_of(cluster: RunningCluster, ingresses: Sequence[Ingress], wishes: Wishes, stamp: Stamp) -> dict[str, str]:
    """File below the inventory's folder -> its text: the stamp, and the register."""
    register = yaml.safe_dump({"dualstack_register": {"stamps": {}, **stamp.register}}, sort_keys=False)
    return {f"{wishes.stamp}.yml": _host_file(cluster, ingresses, wishes, stamp), REGISTER: _REGISTER_HEAD + register}


def _host_file(cluster: RunningCluster, ingresses: Sequence[Ingress], wishes: Wishes, stamp: Stamp) -> str:
    lines = [
        f"# The cluster {cluster.name} as a stamp. Its Azure resource, its network and its ingress are read and checked, never written.",
        f"#   ansible-playbook -i {wishes.stamp}.yml dualstack.aks.site --check",
        "regions:",
        "  hosts:",
        f"    {wishes.stamp}:",
    ]
    for comment, variables in _blocks(cluster, ingresses, wishes, stamp):
        lines += [f"      # {line}" for line in comment]
        lines += [f"      {line}" for line in yaml.safe_dump(variables, sort_keys=False, width=200).splitlines()] if variables else []
    return "\n".join(lines) + "\n"


def _blocks(cluster: RunningCluster, ingresses: Sequence[Ingress], wishes: Wishes, stamp: Stamp) -> list[tuple[list[str], dict[str, Any]]]:
    """Comments, and the variables below them."""
    own = [name for name in stamp.names if name not in STAMP_RANGES]
    subnets = {name: {"ipv4_prefix_length": _length(stamp.names[name]), "purpose": "nodes", "families": ["IPv4", "IPv6"]} for name in own}
    first = cluster.subnets[0]
    where = {"dualstack_subscription_id": cluster.subscription_id, "dualstack_organisation": wishes.organisation}
    if folded(wishes.stamp) != cluster.location:
        where["dualstack_location"] = cluster.location
    network: dict[str, Any] = {"network_existing_vnet_id": first.network, "dualstack_subnets": subnets}
    if cluster.zones is not None and set(cluster.zones) != {"1", "2", "3"}:
        network["network_zones"] = list(cluster.zones)
    minor = minor_version(cluster.version)
    aks = {"aks_existing_id": cluster.id, "aks_node_subnet_id": first.id}
    if minor is not None:
        aks["aks_kubernetes_version"] = f"1.{minor}"
    return [
        ([], where),
        ([], network),
        ([], aks),
        (
            ["No registry and no vault are created: the cluster has its own."],
            {"registry_enabled": False, "keyvault_enabled": False},
        ),
        *_ingress_blocks(cluster, ingresses, stamp),
    ]


def _ingress_blocks(cluster: RunningCluster, ingresses: Sequence[Ingress], stamp: Stamp) -> list[tuple[list[str], dict[str, Any]]]:
    if not ingresses:
        none = [
            "No ingress was found in the cluster. Set ingress_upstream: ingress and ingress_upstream_ingress, or list the Services",
            "in ingress_routes; then the stamp gets an entrance in each family.",
        ]
        return [(none, {})]
    chosen, *others = ingresses
    upstream: dict[str, Any] = {"service": chosen.service, "namespace": chosen.namespace}
    if chosen.port not in (0, 80):
        upstream["port"] = chosen.port
    if chosen.https_port != 443:
        upstream["https_port"] = chosen.https_port
    variables: dict[str, Any] = {"ingress_mode": "nat64", "ingress_upstream": "ingress", "ingress_upstream_ingress": upstream}
    address = _address_id(cluster, chosen)
    blocks: list[tuple[list[str], dict[str, Any]]] = []
    if address:
        blocks.append((["The existing address of the ingress. It does not change."], {"network_existing_entrance_ipv4_id": address}))
        # The node resource group, where that address is, is the cluster's own.
        blocks.append((["The cluster's identity needs a role only where the IPv6 address is."], {"aks_entrance_resource_group_ids": [_OWN_GROUP]}))
    pods = stamp.ranges.pods_ipv4
    comment = [
        f"The running ingress: {chosen.title}{f', Gateway {chosen.gateway}' if chosen.gateway else ''}.",
        "Only the IPv6 entrance is created, in front of it.",
        *(["Its Service has no port for plain HTTP. Add one: the entrance needs it."] if not chosen.port else []),
        "To get the client's address, it must trust the entrance's pods, and nobody else:",
        *(f"  {line}" for line in chosen.setting(pods)),
        *(f"Also found: {item.title}, Service {item.namespace}/{item.service}." for item in others),
    ]
    return [*blocks, (comment, variables)]


def _address_id(cluster: RunningCluster, ingress: Ingress) -> str:
    """The id of the public IPv4 address that an ingress has; empty where it is not in the node resource group."""
    answer = cluster.answers.get("addresses")
    wanted = {text for text in ingress.addresses if family_of(text) == "ipv4"}
    for found in (answer.body.get("value") or ()) if answer and ingress.is_load_balancer else ():
        if (found.get("properties") or {}).get("ipAddress") in wanted:
            return str(found["id"])
    return ""
