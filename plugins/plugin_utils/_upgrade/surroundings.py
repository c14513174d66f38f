"""What an upgrade writes around a cluster: its owner's network, the peerings, and IPv6 twins of what IPv4 is allowed and refused.

This file is private to the collection.

Source: learn.microsoft.com/azure/virtual-network/manage-virtual-network-peering (after a new prefix both sides are brought in sync).
"""

from __future__ import annotations

from collections.abc import Sequence

from .._azure.comparison import Comparison
from .._azure.errors import ArmFailure, StatusUnknown, remedy_for
from .._azure.types import facts_of, version_of
from .._azure.waiting import Wait, repeat
from .._kubernetes.cluster import Cluster, KubernetesFailure
from .._leaves import value_at
from .._resource_id import folded
from .facts import RunningCluster, named
from .inventory import Stamp
from .reading import Closed, connect, read_cluster
from .run import Body, Run, Stopped
from .twins import Counterparts, NoPriority, counterparts, policy_twins, route_twins, rule_twins

#: seconds that an API server may take to answer again after it has got a second range
_RESTART_SECONDS = 120
#: what a peering's answer has beyond what may be sent
_PEERING_ANSWERS = (
    "localAddressSpace",
    "localVirtualNetworkAddressSpace",
    "remoteAddressSpace",
    "remoteVirtualNetworkAddressSpace",
    "peeringState",
    "peeringSyncLevel",
    "routeServiceVips",
)


class Surroundings:
    """All but the cluster's own resource."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def prepare(self, cluster: RunningCluster, stamp: Stamp | None) -> None:
        """Give the user's own network IPv6, before any node has it."""
        if not cluster.networking.is_dual_stack:
            self._run.reconcile(self.networks(cluster, stamp))
            self.sync_peerings(read_cluster(self._run.client, self._run.order.cluster_id))

    def networks(self, cluster: RunningCluster, stamp: Stamp | None) -> dict[str, Body]:
        """The network and the subnets of the nodes with a prefix of IPv6. AKS itself extends a network that it made."""
        own = [subnet for subnet in cluster.own_subnets if not subnet.has_ipv6]
        if stamp is None or not own or cluster.networking.is_dual_stack:
            return {}
        [network] = cluster.networks
        space = (network.get("properties") or {}).get("addressSpace") or {}
        prefixes = {"addressPrefixes": _with(space.get("addressPrefixes") or (), stamp.prefixes("vnet", "ipv6"))}
        declared: dict[str, Body] = {"vnet": {"id": str(network["id"]), "body": {"properties": {"addressSpace": prefixes}}}}
        for subnet in own:
            texts = _with(subnet.prefixes, stamp.prefixes(subnet.name, "ipv6"))
            declared[f"subnet_{subnet.name}"] = {"id": subnet.id, "body": {"properties": {"addressPrefixes": texts}}, "depends_on": ["vnet"]}
        return declared

    def twins(self, cluster: RunningCluster, known_ranges: Counterparts) -> dict[str, Body]:
        """The security groups and route tables of the user's, with rules and routes for IPv6. Raises :class:`Stopped`."""
        declared: dict[str, Body] = {}
        for identifier, rules in cluster.security_groups.items():
            try:
                declared |= _adding(identifier, "securityRules", rule_twins(rules, known_ranges))
            except NoPriority as error:
                raise Stopped(f"{identifier}: no priority is free for the IPv6 twin of {error}. Spread the priorities, and run again.") from error
        for identifier, routes in cluster.route_tables.items():
            declared |= _adding(identifier, "routes", route_twins(routes, known_ranges))
        return declared

    def write_twins(self, cluster: RunningCluster) -> None:
        """What IPv4 is allowed and refused, also for IPv6, as far as the prefixes are known."""
        found = counterparts(cluster, self._run.order.prefixes)
        self._run.reconcile(self.twins(cluster, found))
        self._write_policies(cluster, found)

    def _write_policies(self, cluster: RunningCluster, known_ranges: Counterparts) -> None:
        """NetworkPolicies with blocks of IPv6. An API server that starts again is awaited; one that may not be asked is named elsewhere."""
        failure: KubernetesFailure | None = None
        for _number in Wait(_RESTART_SECONDS).tries():
            try:
                with connect(self._run.client, cluster.body) as server:
                    self._replace_policies(server, known_ranges)
                return
            except Closed:
                return
            except KubernetesFailure as error:
                if error.status in (403, 404):
                    role = "Azure Kubernetes Service RBAC Writer"
                    raise Stopped(f"NetworkPolicies of {cluster.name} cannot be changed: {error}. Grant the role {role}, and run again.") from error
                failure = error
        raise Stopped(f"NetworkPolicies of {cluster.name} cannot be changed: {failure}. Run again.")

    def _replace_policies(self, server: Cluster, known_ranges: Counterparts) -> None:
        try:
            policies = server.objects("NetworkPolicy", "networking.k8s.io/v1")
        except KubernetesFailure as error:
            if error.status == 403:
                # Who may not read them has been told so.
                return
            raise
        for twin in policy_twins(RunningCluster("", {}, {"NetworkPolicy": policies}).own("NetworkPolicy"), known_ranges):
            server.replace(twin)
            self._run.wrote(f"NetworkPolicy {named(twin)}")

    def sync_peerings(self, cluster: RunningCluster) -> None:
        """Let both sides of each peering learn the address space of the other. Raises :class:`Stopped`."""
        for peering in cluster.peerings:
            if peering.is_in_sync or f"network {peering.network.lower()}" not in cluster.answers:
                continue
            sides = [f"{peering.network}/virtualNetworkPeerings/{peering.name}", *self._returning(peering.remote_id, peering.network)]
            for identifier in sides:
                self._sync(identifier)

    def _returning(self, remote: str, network: str) -> list[str]:
        """The peerings of another network back to this one."""
        collection = f"{remote}/virtualNetworkPeerings"
        try:
            found = (self._run.client.get(collection, version_of(f"{collection}/x")) or {}).get("value") or ()
        except ArmFailure as error:
            raise Stopped(
                f"{collection} cannot be read ({error}), so that side of the peering cannot be brought in sync. Grant the credentials Network "
                "Contributor on it, and run again."
            ) from error
        return [f"{collection}/{item['name']}" for item in found if folded(value_at(item, "properties.remoteVirtualNetwork.id")) == network.lower()]

    def _sync(self, identifier: str) -> None:
        version = version_of(identifier)

        def attempt(_number: int) -> None:
            live = self._run.client.get(identifier, version)
            properties = (live or {}).get("properties") or {}
            if live is None or folded(properties.get("peeringSyncLevel") or "FullyInSync") == "fullyinsync":
                return
            if folded(properties.get("peeringState")) != "connected":
                self._run.tell(f"{identifier} is {properties.get('peeringState')}, so it cannot be brought in sync.")
                return
            body = Comparison(facts_of(identifier)).body({}, live)
            body["properties"] = {name: value for name, value in body["properties"].items() if name not in _PEERING_ANSWERS}
            answer = self._run.client.put(f"{identifier}?syncRemoteAddressSpace=true", version, body)
            self._run.client.wait(answer, self._run.order.timeout, lambda seconds: self._run.tell(f"waiting for {identifier}: {seconds:.0f} s"))
            self._run.wrote(f"peering {identifier}")

        try:
            repeat(attempt, self._run.order.timeout, self._run.tell)
        except StatusUnknown:
            return
        except ArmFailure as error:
            raise Stopped(f"{identifier} cannot be brought in sync: {error}. Remedy: {remedy_for(error.code)}. Then run again.") from error


def _adding(identifier: str, name: str, twins: Sequence[Body]) -> dict[str, Body]:
    """The declaration that adds these to a list of somebody else's resource; none without them. Names may repeat in other groups, ids do not."""
    return {identifier: {"id": identifier, "body": {"properties": {name: twins}}, "shared": [f"properties.{name}"]}} if twins else {}


def _with(prefixes: Sequence[str], more: Sequence[str]) -> list[str]:
    """Prefixes, and those of ``more`` that are not among them."""
    return [*prefixes, *(prefix for prefix in more if prefix not in prefixes)]
