"""What there is to say of a running cluster before it gets IPv6.

This file is private to the collection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .._kubernetes.mode_advice import Advice, ingress_mode_advice
from .._report.parity import security_rules_without_twin
from .._resource_id import folded
from .._rules import Violation
from .._rules.upgrading import CAUTIONS, CHAPTER, PREFLIGHT, Upgrade
from .chain import KEEP, Ranges, chain, overlay_pods
from .facts import SYSTEM_NAMESPACES, RunningCluster
from .ingresses import Ingress, ingresses_of, load_balancers
from .networking import Networking, profile_of, ranges_of
from .pools import BASIS, Pool, Work, work_of
from .preparations import Preparation, preparations

#: where pods get their addresses, in words
_IPAM = {
    "overlay": "Azure CNI Overlay",
    "node_subnet": "Azure CNI, pods in the nodes' subnet",
    "pod_subnet": "Azure CNI, pods in a subnet of their own",
    "kubenet": "kubenet",
    "none": "a plugin of your own",
}
_POLICY = {"none": "no network policies", "azure": "Azure network policy manager", "calico": "Calico", "cilium": "Cilium"}
#: the families as people write them
_FAMILY = {"ipv4": "IPv4", "ipv6": "IPv6"}


@dataclass(frozen=True)
class Section:
    """A part of what there is: rows of a label and a text."""

    title: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PlannedStep:
    """A step of the chain, and what it costs."""

    kind: str
    title: str
    change: Mapping[str, Any]
    irreversible: str
    pools: tuple[str, ...]
    work: Work


@dataclass(frozen=True)
class Assessment:
    """All of it. ``has_chain`` is false where no chain of steps leads to dual-stack, or rules forbid its steps."""

    cluster_id: str
    name: str
    is_dual_stack: bool
    has_chain: bool
    sections: tuple[Section, ...]
    unseen: tuple[str, ...]
    refusals: tuple[Violation, ...]
    blockers: tuple[Violation, ...]
    cautions: tuple[Violation, ...]
    preparations: tuple[Preparation, ...]
    steps: tuple[PlannedStep, ...]
    additions: tuple[str, ...]
    advice: Advice
    ingresses: tuple[Ingress, ...] = field(default=())

    @property
    def verdict(self) -> str:
        """The assessment in a sentence."""
        if self.is_dual_stack:
            return f"{self.name} has both families already."
        if not self.has_chain:
            return f"{self.name} cannot become dual-stack as it is."
        least, most = (sum(getattr(step.work, name) for step in self.steps) for name in ("least_minutes", "most_minutes"))
        is_one = len(self.steps) == 1
        steps, times = ("one step", "once") if is_one else (f"{len(self.steps)} steps", f"{len(self.steps)} times")
        nodes = self.steps[0].work.nodes
        number = len(self.blockers)
        first = " after you fix one problem" if number == 1 else f" after you fix {number} problems" if number else ""
        return f"{self.name} becomes dual-stack in {steps}{first}: all {nodes} nodes are reimaged {times}, in {_minutes(least, most)}."

    def as_dict(self) -> dict[str, Any]:
        """Of plain values, as JSON has them."""
        found: dict[str, Any] = _plain(asdict(self))
        return found | {"verdict": self.verdict, "basis": BASIS}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _minutes(least: int, most: int) -> str:
    return f"about {least} minutes" if least == most else f"{least} to {most} minutes"


def upgrade_of(
    cluster: RunningCluster, policies: str = KEEP, ranges: Ranges | None = None, prefixes: Mapping[str, Sequence[str]] | None = None
) -> Upgrade:
    """What the rules look at: the cluster and its chain, with ``ranges`` for what it lacks, and ``prefixes`` as counterparts of IPv4 ones."""
    nodes = sum(pool.count + pool.surge for pool in cluster.pools)
    pods = (ranges.pods_ipv4 if ranges else "") or overlay_pods(cluster.body, nodes, cluster.taken)
    given = ranges or Ranges(pods)
    return Upgrade(cluster, chain(cluster.body, policies, given), pods, prefixes or {})


def assess(upgrade: Upgrade) -> Assessment:
    """Of a cluster, judged by the rule book."""
    cluster = upgrade.cluster
    refusals, ingresses = CHAPTER.violations(upgrade), ingresses_of(cluster)
    has_chain = upgrade.steps is not None and not refusals
    pools = [pool for pool in cluster.pools if not pool.is_stopped]
    return Assessment(
        cluster_id=cluster.id,
        name=cluster.name,
        is_dual_stack=cluster.networking.is_dual_stack,
        has_chain=has_chain,
        sections=tuple(_sections(cluster, ingresses)),
        unseen=tuple(map(str, cluster.unseen)),
        refusals=tuple(refusals),
        blockers=tuple(PREFLIGHT.violations(upgrade)),
        cautions=tuple(CAUTIONS.violations(upgrade)),
        preparations=tuple(preparations(cluster, upgrade.counterparts)) if has_chain else (),
        steps=tuple(
            PlannedStep(
                step.kind, step.title, dict(step.change), step.irreversible, tuple(pool.name for pool in pools), work_of(pools, cluster.sizes)
            )
            for step in upgrade.steps or ()
        ),
        additions=tuple(_additions(cluster, ingresses)) if has_chain else (),
        advice=_advice(cluster, upgrade),
        ingresses=tuple(ingresses),
    )


def _sections(cluster: RunningCluster, ingresses: Sequence[Ingress]) -> Iterator[Section]:
    yield Section("Cluster", tuple(_cluster(cluster)))
    yield Section("Pools", tuple((pool.name, _pool(pool)) for pool in cluster.pools))
    yield Section("Network", tuple(_network(cluster)))
    if "Service" in cluster.objects:
        yield Section("In the cluster", tuple(_inside(cluster, ingresses)))


def _cluster(cluster: RunningCluster) -> Iterator[tuple[str, str]]:
    networking, tier = cluster.networking, cluster.body.get("sku") or {}
    yield "Kubernetes", f"{cluster.version} in {cluster.location}, {tier.get('name', 'Base')} {tier.get('tier', 'Free')}"
    yield "network", describe(networking)
    for name in ("pod", "service"):
        ranges = ranges_of(cluster.body, name)
        yield f"{name} ranges", ", ".join(ranges) if ranges else "those of the nodes' subnet"
    yield "outbound", _outbound(cluster)
    yield "identity", cluster.identity_type or "service principal"
    yield "state", f"{cluster.at('provisioningState') or 'unknown'}, {(cluster.at('powerState') or {}).get('code') or 'Running'}"


def describe(networking: Networking) -> str:
    """Plugin, data plane, policy engine and families in words."""
    families = " and ".join(_FAMILY.get(family, family) for family in networking.families)
    policy, ipam = _POLICY.get(networking.policy, networking.policy), _IPAM.get(networking.ipam, networking.ipam)
    return f"{ipam}, data plane {networking.dataplane}, {policy}, {families}"


def _outbound(cluster: RunningCluster) -> str:
    profile = profile_of(cluster.body).get("loadBalancerProfile") or {}
    effective = len(profile.get("effectiveOutboundIPs") or ())
    return cluster.outbound_type + (f", {effective} addresses" if effective else "")


def _pool(pool: Pool) -> str:
    size = f"{pool.count} × {pool.vm_size}" + (f" (up to {pool.max_count})" if pool.max_count != pool.count else "")
    away = f", {pool.unavailable} unavailable" if pool.unavailable else ""
    settings = (
        f"surge {pool.max_surge} = {pool.surge}{away}, drain {pool.drain_minutes} min, soak {pool.soak_minutes} min, {pool.undrainable.lower()}"
    )
    return f"{pool.mode}, {pool.os_type}, {size}, {pool.version}, {settings}" + (", stopped" if pool.is_stopped else "")


def _network(cluster: RunningCluster) -> Iterator[tuple[str, str]]:
    for network in cluster.networks:
        prefixes = ((network.get("properties") or {}).get("addressSpace") or {}).get("addressPrefixes") or ()
        yield f"virtual network {str(network.get('id')).rpartition('/')[2]}", ", ".join(prefixes)
    for subnet in cluster.subnets:
        parts = [", ".join(subnet.prefixes), f"{subnet.free} IPv4 addresses free"]
        for kind, identifier in (("security group", subnet.group_id), ("route table", subnet.routes_id), ("NAT gateway", subnet.gateway_id)):
            parts += [f"{kind} {identifier.rpartition('/')[2]}"] if identifier else []
        yield f"subnet {subnet.name}", ", ".join(parts)
        group = cluster.answered("group", subnet.group_id)
        if group and group.exists:
            yield f"security group {subnet.group_id.rpartition('/')[2]}", _group(group.body)
    for peering in cluster.peerings:
        where, state = peering.remote_id.rpartition("/")[2], "in sync" if peering.is_in_sync else "out of sync"
        yield f"peering {peering.name}", f"to {where} ({', '.join(peering.remote_prefixes) or 'prefixes unknown'}), {state}"


def _group(body: Mapping[str, Any]) -> str:
    rules = (body.get("properties") or {}).get("securityRules") or ()
    alone = [lack for lack in security_rules_without_twin(rules) if lack.family == "ipv6"]
    return f"{len(rules)} rules, {len(alone)} for IPv4 alone"


def _inside(cluster: RunningCluster, ingresses: Sequence[Ingress]) -> Iterator[tuple[str, str]]:
    services = cluster.of_kind("Service")
    policies = Counter(str((item.get("spec") or {}).get("ipFamilyPolicy") or "none") for item in services)
    yield "Services", f"{len(services)}: " + ", ".join(f"{number} {name}" for name, number in sorted(policies.items()))
    for name, policy, addresses in load_balancers(cluster):
        yield f"load balancer {name}", f"{', '.join(addresses) or 'no address yet'}, {policy}"
    for ingress in ingresses:
        gateway = f"Gateway {ingress.gateway}, " if ingress.gateway else ""
        hosts = f", serves {', '.join(ingress.hosts)}" if ingress.hosts else ""
        yield f"ingress {ingress.namespace}/{ingress.service}", f"{gateway}{ingress.title}{hosts}"
    if "NetworkPolicy" in cluster.objects:
        own = cluster.own("NetworkPolicy")
        yield "network policies", f"{len(own)}" + (f", in {len({item['metadata']['namespace'] for item in own})} namespaces" if own else "")
    if "PodDisruptionBudget" in cluster.objects:
        yield "disruption budgets", f"{len(cluster.of_kind('PodDisruptionBudget'))}"


def _additions(cluster: RunningCluster, ingresses: Sequence[Ingress]) -> Iterator[str]:
    """What IPv6 adds to what there is."""
    if not cluster.networking.is_dual_stack:
        yield "an IPv6 address of its subnet for each node, and one of the cluster's own range for each pod"
        if folded(cluster.outbound_type) == "loadbalancer":
            yield "one public IPv6 address for outbound traffic, and one outbound rule of the load balancer"
    ports = len({port for ingress in ingresses[:1] for port in (ingress.port, ingress.https_port) if port}) or 2
    yield f"one public IPv6 address for the entrance, and {ports} rules of the load balancer, one for each port"
    yield "two small pods of the entrance: 250m CPU and 128 MiB each"
    yield "AAAA records of the names that clients use"
    yield "no cost for public IPv6 addresses; Azure bills the sixth and each further rule of a load balancer"


def _advice(cluster: RunningCluster, upgrade: Upgrade) -> Advice:
    """The ingress mode for what the cluster is afterwards, with its applications as they are."""
    after = upgrade.steps[-1].after if upgrade.steps else cluster.networking
    services = [item for item in cluster.of_kind("Service") if item["metadata"].get("namespace") not in SYSTEM_NAMESPACES]
    return ingress_mode_advice(
        {
            "kubernetes_version": cluster.version or "1.36",
            "node_os": sorted({"Windows" if pool.is_windows else "Linux" for pool in cluster.pools}) or ["Linux"],
            "network_policy": after.policy if after.policy in ("cilium", "azure", "calico") else "none",
            "edge": "application_gateway" if cluster.has_addon("ingressApplicationGateway") else "load_balancer",
            "services": len(services),
        }
    )
