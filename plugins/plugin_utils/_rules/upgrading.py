"""Rules of upgrading a running IPv4-only cluster to dual-stack.

This file is private to the collection.

Three chapters look at the same facts: what prevents any chain of steps, what must be fixed before a step, and what stops nothing but should be
known beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .._report.parity import family_of
from .._resource_id import folded
from .._upgrade.chain import CILIUM, DUAL_STACK, KINDS, NODE_LENGTH, OVERLAY, POLICY_NONE, Step
from .._upgrade.denials import denials
from .._upgrade.facts import RunningCluster, Subnet, named
from .._upgrade.networking import ranges_of
from .._upgrade.pools import MAX_INSTANCES, Pool, cores_of, surge_by_size
from .._upgrade.reads import MASQUERADING
from .._upgrade.settings import ALL, NAMES
from .._upgrade.twins import (
    Counterparts,
    NoPriority,
    blocks_without_counterpart,
    cilium_prefixes_without_ipv6,
    counterparts,
    rule_twins,
    rules_without_counterpart,
)
from .._upgrade.workloads import changes_under_cilium, never_allows, prefers_dual_stack, single_replicas
from . import Answer, Chapter, Finding
from .sizes import exceeded

_AKS = "https://learn.microsoft.com/azure/aks"
_UPDATE = f"{_AKS}/update-azure-cni"
_DUAL_STACK = f"{_AKS}/configure-dual-stack"
_OVERLAY = f"{_AKS}/concepts-network-azure-cni-overlay"
_CILIUM = f"{_AKS}/azure-cni-powered-by-cilium"
_ROLLING = f"{_AKS}/upgrade-aks-node-pools-rolling"
_MIGRATE = f"{_AKS}/migrate-from-npm-to-cilium-network-policy"
_IPV6 = "https://learn.microsoft.com/azure/virtual-network/ip-services/ipv6-overview"
_NAT = "https://learn.microsoft.com/azure/nat-gateway/nat-sku"
_NSG = "https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview"
_SERVICES = "https://kubernetes.io/docs/concepts/services-networking/dual-stack"

#: step -> the oldest minor version of Kubernetes 1 that it needs
_OLDEST_FOR_OVERLAY, _OLDEST_FOR_DUAL_STACK, _OLDEST_FOR_CILIUM = 27, 27, 29
#: From this minor version on, AKS continues with one surge node if it cannot get more.
_FALLS_BACK_TO_ONE = 35


@dataclass(frozen=True)
class Upgrade:
    """A running cluster, and the steps that are to make it dual-stack: None where no chain leads there, empty where it is.

    ``pods`` is the IPv4 range that pods have in the overlay; empty where there is no room for one. ``given`` are the IPv6 prefixes that the user
    names for IPv4 ones.
    """

    cluster: RunningCluster
    steps: tuple[Step, ...] | None
    pods: str = ""
    given: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def counterparts(self) -> Counterparts:
        """Which IPv6 prefixes stand for an IPv4 prefix."""
        return counterparts(self.cluster, self.given)

    @property
    def is_needed(self) -> bool:
        return not self.cluster.networking.is_dual_stack

    def has(self, kind: str) -> bool:
        """Whether a step of this kind is among them."""
        return any(step.kind == kind for step in self.steps or ())

    @property
    def becomes_overlay(self) -> bool:
        return self.has(OVERLAY)

    @property
    def moves_pods(self) -> bool:
        """Whether pods have addresses of the nodes' subnet, and get others."""
        return self.becomes_overlay and self.cluster.networking.ipam == "node_subnet"

    @property
    def node_ranges(self) -> list[str]:
        """The IPv4 ranges of the nodes' subnets."""
        return [prefix for subnet in self.cluster.subnets for prefix in subnet.prefixes if family_of(prefix) == "ipv4"]

    @property
    def ends_with_cilium(self) -> bool:
        return any(step.kind == DUAL_STACK and step.after.dataplane == "cilium" for step in self.steps or ())

    @property
    def pools(self) -> list[Pool]:
        """The pools with nodes."""
        return [pool for pool in self.cluster.pools if not pool.is_stopped]

    @property
    def subject(self) -> str:
        return f"cluster {self.cluster.name}"


CHAPTER = Chapter[Upgrade]("upgrading")
rule = CHAPTER.rule


@rule("enable dual-stack in that plugin; AKS does not manage it", f"{_AKS}/use-byo-cni")
def upgrade_own_plugin(upgrade: Upgrade) -> Iterator[Finding]:
    """A cluster with your own CNI plugin: AKS does not change how its pods get addresses."""
    if upgrade.is_needed and upgrade.cluster.networking.ipam not in ("overlay", "node_subnet", "pod_subnet", "kubenet"):
        yield upgrade.subject, f"its network plugin is {upgrade.cluster.networking.ipam}"


@rule("build another cluster with Azure CNI Overlay, and move the workloads", _UPDATE)
def upgrade_pod_subnet(upgrade: Upgrade) -> Iterator[Finding]:
    """Pods with addresses from their own subnet: AKS moves only pods of the nodes' subnet and of kubenet to an overlay."""
    for pool in upgrade.cluster.pools if upgrade.is_needed else ():
        if pool.pod_subnet_id:
            yield f"pool {pool.name}", f"its pods are in {pool.pod_subnet_id}"


@rule("remove the Windows pools, or do without network policies (upgrade_network_policies: none)", _CILIUM)
def upgrade_windows_cilium(upgrade: Upgrade) -> Iterator[Finding]:
    """Windows pools in a cluster that gets Cilium, whose data plane does not support Windows."""
    for pool in upgrade.cluster.pools if upgrade.has(CILIUM) else ():
        if pool.is_windows:
            yield f"pool {pool.name}", "it runs Windows, which Cilium does not support"


@rule("switch it off (az aks update --node-provisioning-mode Manual), and back on after the upgrade", f"{_AKS}/node-auto-provisioning")
def upgrade_node_auto_provisioning(upgrade: Upgrade) -> Iterator[Finding]:
    """Node auto-provisioning while the data plane is replaced."""
    if upgrade.has(CILIUM) and folded(upgrade.cluster.at("nodeProvisioningProfile.mode")) == "auto":
        yield upgrade.subject, "node auto-provisioning is on, but a step replaces the data plane"


@rule("disable the add-on (az aks disable-addons --addons virtual-node)", f"{_AKS}/azure-cni-overlay")
def upgrade_virtual_nodes(upgrade: Upgrade) -> Iterator[Finding]:
    """Virtual nodes, which dual-stack clusters do not support."""
    if upgrade.is_needed and upgrade.cluster.has_addon("aciConnectorLinux"):
        yield upgrade.subject, "the add-on for virtual nodes is enabled"


@rule("delete the gateway pools, and disable it (az aks update --disable-static-egress-gateway)", f"{_AKS}/configure-static-egress-gateway")
def upgrade_static_egress_gateway(upgrade: Upgrade) -> Iterator[Finding]:
    """Static Egress Gateway, which dual-stack clusters do not support."""
    if not upgrade.is_needed:
        return
    gateways = [pool.name for pool in upgrade.cluster.pools if folded(pool.mode) == "gateway"]
    if gateways or upgrade.cluster.at("networkProfile.staticEgressGatewayProfile.enabled"):
        yield upgrade.subject, "Static Egress Gateway is enabled" + (f", in {', '.join(gateways)}" if gateways else "")


@rule("add pools of scale sets, move the workloads, and delete the old pools", f"{_AKS}/availability-sets-on-aks")
def upgrade_availability_sets(upgrade: Upgrade) -> Iterator[Finding]:
    """Pools in availability sets, which an overlay does not support."""
    for pool in upgrade.cluster.pools if upgrade.is_needed else ():
        if folded(pool.type) == "availabilityset":
            yield f"pool {pool.name}", "its nodes are in an availability set"


@rule("replace it with a StandardV2 NAT gateway, or change the outbound type (az aks update --outbound-type)", _NAT)
def upgrade_nat_gateway(upgrade: Upgrade) -> Iterator[Finding]:
    """Nodes that use a NAT gateway of the SKU Standard, which supports only IPv4."""
    kind = folded(upgrade.cluster.outbound_type)
    if not upgrade.is_needed or kind not in ("managednatgateway", "userassignednatgateway"):
        return
    for gateway in _gateways(upgrade.cluster):
        sku = str((gateway.get("sku") or {}).get("name") or "Standard")
        if folded(sku) != "standardv2":
            yield str(gateway.get("id")), f"its SKU is {sku}, which is IPv4-only"


def _gateways(cluster: RunningCluster) -> list[dict[str, Any]]:
    """The NAT gateways that nodes use, as far as they could be read."""
    managed = cluster.answers.get("managed_gateways")
    found = {str(item.get("id")).lower(): dict(item) for item in (managed.body.get("value") or () if managed else ())}
    for subnet in cluster.subnets:
        answer = cluster.answered("gateway", subnet.gateway_id)
        if answer and answer.exists:
            found[subnet.gateway_id.lower()] = dict(answer.body)
    return list(found.values())


@rule("upgrade Kubernetes first, control plane and pools (az aks upgrade)", _UPDATE)
def upgrade_version(upgrade: Upgrade) -> Iterator[Finding]:
    """A Kubernetes version, of the control plane or of a pool, that is too old for a step."""
    minor = upgrade.cluster.oldest_minor
    needs = {
        "the move to overlay": _OLDEST_FOR_OVERLAY if upgrade.becomes_overlay else 0,
        "dual-stack": _OLDEST_FOR_DUAL_STACK if upgrade.has(DUAL_STACK) else 0,
        "dual-stack with Cilium": _OLDEST_FOR_CILIUM if upgrade.has(DUAL_STACK) and upgrade.ends_with_cilium else 0,
    }
    what = max(needs, key=lambda name: needs[name])
    if minor is not None and minor < needs[what]:
        yield upgrade.subject, f"Kubernetes 1.{minor} runs in it, but {what} needs 1.{needs[what]}"


@rule("delete what the link belongs to, or move it to another virtual network", _IPV6)
def upgrade_navigation_links(upgrade: Upgrade) -> Iterator[Finding]:
    """Resource navigation links in the nodes' virtual network: Azure does not add IPv6 to a network with such a link."""
    for network in upgrade.cluster.networks if upgrade.is_needed else ():
        properties = network.get("properties") or {}
        prefixes = (properties.get("addressSpace") or {}).get("addressPrefixes") or ()
        if any(family_of(text) == "ipv6" for text in prefixes):
            continue
        for subnet in properties.get("subnets") or ():
            links = (subnet.get("properties") or {}).get("resourceNavigationLinks") or ()
            if links:
                linked = [str((link.get("properties") or {}).get("link") or link.get("name")) for link in links]
                yield f"subnet {subnet.get('name')}", f"it has resource navigation links: {', '.join(linked)}"


@rule("give the cluster a user-assigned identity (az aks update --enable-managed-identity --assign-identity)", _UPDATE)
def upgrade_identity(upgrade: Upgrade) -> Iterator[Finding]:
    """A kubenet cluster without a user-assigned identity: the move to an overlay detaches the route table from the subnet, which requires one."""
    if upgrade.cluster.networking.ipam == "kubenet" and upgrade.becomes_overlay and upgrade.cluster.identity_type != "userassigned":
        yield upgrade.subject, f"its identity is {upgrade.cluster.identity_type or 'a service principal'}"


@rule("add a pool of DCasv5, DCadsv5 or another size, move the workloads, and delete this pool", _OVERLAY)
def upgrade_pool_size(upgrade: Upgrade) -> Iterator[Finding]:
    """A VM size that an overlay does not support."""
    for pool in upgrade.cluster.pools if upgrade.becomes_overlay else ():
        if re.fullmatch(r"standard_dc\d+s_v2", folded(pool.vm_size)):
            yield f"pool {pool.name}", f"its size is {pool.vm_size}: Azure CNI Overlay does not support DCsv2"


@rule("move the pools to a subnet with shorter names: AKS makes a node label of each", _OVERLAY)
def upgrade_subnet_names(upgrade: Upgrade) -> Iterator[Finding]:
    """A subnet of nodes in an overlay with a name of more than 63 characters, its own, its network's or its resource group's."""
    for subnet in upgrade.cluster.subnets if upgrade.becomes_overlay else ():
        segments = subnet.id.strip("/").split("/")
        for name in segments[3:4] + segments[7::2]:
            if len(name) > 63:
                yield f"subnet {subnet.name}", f"{name!r} has {len(name)} characters"


#: what must be fixed before a step; the chain exists anyway
PREFLIGHT = Chapter[Upgrade]("upgrading")


@PREFLIGHT.rule("start it (az aks start)", f"{_AKS}/start-stop-cluster")
def upgrade_stopped(upgrade: Upgrade) -> Iterator[Finding]:
    """A stopped cluster: its nodes cannot be reimaged."""
    if upgrade.steps and folded(upgrade.cluster.at("powerState.code") or "Running") != "running":
        yield upgrade.subject, "it is stopped"


@PREFLIGHT.rule("remove it until the upgrade has ended (az lock delete)", "https://github.com/Azure/AKS/issues/3291")
def upgrade_locks(upgrade: Upgrade) -> Iterator[Finding]:
    """A lock on the nodes' resource group, on anything in it or on the subscription, or a read-only lock on the cluster or its virtual network:
    AKS replaces no node in a locked group, and Azure refuses a write to what is read-only."""
    written = [upgrade.cluster.id, *(str(network.get("id")) for network in upgrade.cluster.networks)]
    group = upgrade.cluster.node_group_id
    for lock in upgrade.cluster.locks if upgrade.steps else ():
        if lock.covers(group) or f"{lock.scope.lower()}/".startswith(f"{group.lower()}/") or (lock.is_read_only and any(map(lock.covers, written))):
            yield f"lock {lock.name}", f"it is on {lock.scope} ({lock.level})"


@PREFLIGHT.rule("run again when that has ended (az aks wait --updated)", f"{_AKS}/upgrade-aks-cluster")
def upgrade_busy(upgrade: Upgrade) -> Iterator[Finding]:
    """A cluster or a pool that another operation is changing."""
    states = {upgrade.subject: str(upgrade.cluster.at("provisioningState") or "Succeeded")}
    states |= {f"pool {pool.name}": pool.state for pool in upgrade.pools}
    for subject, state in states.items() if upgrade.steps else ():
        if folded(state) not in ("succeeded", "failed", "canceled"):
            yield subject, f"it is in the state {state}"


@PREFLIGHT.rule(f"delete the ConfigMap kube-system/{MASQUERADING} if nobody needs it; otherwise move its ranges elsewhere first", _UPDATE)
def upgrade_masquerading(upgrade: Upgrade) -> Iterator[Finding]:
    """A custom configuration of the masquerading agent: in an overlay, pods do not reach the ranges that it excludes."""
    if upgrade.becomes_overlay and any(item["metadata"]["name"] == MASQUERADING for item in upgrade.cluster.of_kind("ConfigMap")):
        yield upgrade.subject, f"the ConfigMap kube-system/{MASQUERADING} exists"


@PREFLIGHT.rule("allow an eviction: add replicas, or change the budget during the upgrade", _ROLLING)
def upgrade_budgets(upgrade: Upgrade) -> Iterator[Finding]:
    """A PodDisruptionBudget that never allows an eviction: nodes cannot be drained, and the upgrade stops when the drain times out."""
    for budget in upgrade.cluster.of_kind("PodDisruptionBudget") if upgrade.steps else ():
        reason = never_allows(budget)
        if reason:
            yield f"PodDisruptionBudget {named(budget)}", f"it never allows an eviction: {reason}"


@PREFLIGHT.rule(
    "request more quota in this region, or set a smaller maxSurge for some pools", "https://learn.microsoft.com/azure/quotas/per-vm-quota-requests"
)
def upgrade_core_quota(upgrade: Upgrade) -> Iterator[Finding]:
    """Too few vCPUs for the surge nodes of all pools, which one operation adds; from Kubernetes 1.35 on, for one node per pool."""
    if upgrade.steps:
        for found in _exceeded(upgrade, falls_back=True):
            yield upgrade.subject, f"surge nodes of all pools need {found}"


def _exceeded(upgrade: Upgrade, *, falls_back: bool) -> list[str]:
    """What quotas lack; with ``falls_back`` only what cannot do with one surge node for each pool."""
    usages, minor = upgrade.cluster.answers.get("usages") or Answer(False), upgrade.cluster.oldest_minor or 0
    surge = surge_by_size(upgrade.pools)
    if falls_back and minor >= _FALLS_BACK_TO_ONE:
        surge = {size: sum(min(1, pool.surge) for pool in upgrade.pools if pool.vm_size == size) for size in surge}
    return list(exceeded(usages, cores_of(surge, upgrade.cluster.sizes)))


@PREFLIGHT.rule("set a smaller maxSurge, or scale the pool down first", _ROLLING)
def upgrade_surge_limit(upgrade: Upgrade) -> Iterator[Finding]:
    """A pool that exceeds the limit of a scale set with its surge nodes."""
    for pool in upgrade.pools if upgrade.steps else ():
        if pool.count + pool.surge > MAX_INSTANCES:
            yield f"pool {pool.name}", f"{pool.count} nodes and {pool.surge} surge nodes are more than {MAX_INSTANCES}"


@PREFLIGHT.rule("set a smaller maxSurge, or free addresses of the subnet", f"{_AKS}/concepts-network-ip-address-planning")
def upgrade_subnet_space(upgrade: Upgrade) -> Iterator[Finding]:
    """A node subnet with too few free IPv4 addresses for the surge nodes. Without an overlay, each of them also needs addresses for its pods."""
    first = upgrade.steps[0] if upgrade.steps else None
    in_subnet = upgrade.cluster.networking.ipam == "node_subnet" and first is not None and first.kind != OVERLAY
    for subnet in upgrade.cluster.subnets if first else ():
        wanted = sum(pool.surge * (1 + (pool.max_pods if in_subnet else 0)) for pool in upgrade.pools if _is_in(pool, subnet))
        if wanted > subnet.free:
            yield f"subnet {subnet.name}", f"surge nodes need {wanted} IPv4 addresses, but {max(0, subnet.free)} are free"


def _is_in(pool: Pool, subnet: Subnet) -> bool:
    return pool.subnet_id.lower() == subnet.id.lower() if pool.subnet_id else subnet.is_managed


@PREFLIGHT.rule("expand the cluster's pod range (az aks update --pod-cidr), or scale the pools down first", f"{_AKS}/azure-cni-overlay-pod-expand")
def upgrade_pod_range(upgrade: Upgrade) -> Iterator[Finding]:
    """An IPv4 pod range with too few /24s for all nodes and surge nodes, or no free range for pods."""
    if not upgrade.steps:
        return
    own = [text for text in ranges_of(upgrade.cluster.body, "pod") if family_of(text) == "ipv4"]
    text = own[0] if own else upgrade.pods
    nodes = sum(pool.count + pool.surge for pool in upgrade.pools)
    if not text:
        yield (
            upgrade.subject,
            f"no private IPv4 range is free for the pods of {nodes} nodes",
            "register a pod range that no reachable network uses",
        )
        return
    room = 2 ** max(0, NODE_LENGTH - int(text.rpartition("/")[2]))
    if nodes > room:
        yield upgrade.subject, f"its pod range {text} has a /{NODE_LENGTH} for each of {room} nodes, but {nodes} are needed with surge nodes"


#: what stops nothing but should be known before the first step
CAUTIONS = Chapter[Upgrade]("upgrading_cautions", stops=False)


@CAUTIONS.rule("add a replica during the upgrade, or accept that it is unavailable while its pod moves", _ROLLING)
def upgrade_single_replicas(upgrade: Upgrade) -> Iterator[Finding]:
    """An application with one pod: it is unavailable while the pod moves to a new node, once per step."""
    for kind in ("Deployment", "StatefulSet") if upgrade.steps else ():
        for item in single_replicas(upgrade.cluster.own(kind)):
            yield f"{kind} {named(item)}", "it has one replica"


@CAUTIONS.rule("set its ipFamilyPolicy to SingleStack to keep it IPv4-only, or decide that it should have IPv6", _SERVICES)
def upgrade_prefer_dual_stack(upgrade: Upgrade) -> Iterator[Finding]:
    """A Service that gets IPv6 by itself: its next update after the upgrade adds an IPv6 cluster IP and, for a load balancer, a public address."""
    for service in upgrade.cluster.of_kind("Service") if upgrade.has(DUAL_STACK) else ():
        if prefers_dual_stack(service):
            kind = str((service.get("spec") or {}).get("type") or "ClusterIP")
            yield f"Service {named(service)}", f"its ipFamilyPolicy is PreferDualStack, its type {kind}"


@CAUTIONS.rule("check what it means under Cilium, and add selectors or CiliumNetworkPolicies where it should match pods or nodes", _MIGRATE)
def upgrade_policy_meaning(upgrade: Upgrade) -> Iterator[Finding]:
    """A NetworkPolicy whose meaning changes when Cilium enforces it."""
    for policy in upgrade.cluster.own("NetworkPolicy") if upgrade.has(CILIUM) else ():
        changes = changes_under_cilium(policy)
        if changes:
            yield f"NetworkPolicy {named(policy)}", "; ".join(changes)


@CAUTIONS.rule(
    "name their IPv6 counterparts in upgrade_ipv6_prefixes, or add IPv6 prefixes to the same rule",
    "https://kubernetes.io/docs/concepts/services-networking/network-policies",
)
def upgrade_policy_families(upgrade: Upgrade) -> Iterator[Finding]:
    """A NetworkPolicy that allows only IPv4 prefixes, one of them without a known IPv6 counterpart: it denies IPv6 there."""
    if upgrade.has(DUAL_STACK):
        for text in blocks_without_counterpart(upgrade.cluster.own("NetworkPolicy"), upgrade.counterparts):
            name, _unused, block = text.partition(" ")
            yield f"NetworkPolicy {name}", f"it allows {block}, but no IPv6 prefix"


@CAUTIONS.rule("add IPv6 prefixes to the same rule", "https://docs.cilium.io/en/stable/security/policy/language")
def upgrade_cilium_policy_families(upgrade: Upgrade) -> Iterator[Finding]:
    """A rule of a CiliumNetworkPolicy that names only IPv4 prefixes: it allows or denies nothing over IPv6. The upgrade does not change it."""
    for kind in ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy") if upgrade.has(DUAL_STACK) else ():
        for policy in upgrade.cluster.own(kind):
            prefixes = cilium_prefixes_without_ipv6(policy)
            if prefixes:
                yield f"{kind} {named(policy)}", f"it names {', '.join(prefixes)}, but no IPv6 prefix in the same rule"


@CAUTIONS.rule("name their IPv6 counterparts in upgrade_ipv6_prefixes, or add a rule for IPv6 yourself", _IPV6)
def upgrade_rule_families(upgrade: Upgrade) -> Iterator[Finding]:
    """A security rule for IPv4 prefixes without a known IPv6 counterpart: it allows or denies nothing over IPv6."""
    for identifier, rules in upgrade.cluster.security_groups.items() if upgrade.has(DUAL_STACK) else ():
        for name, prefixes in rules_without_counterpart(rules, upgrade.counterparts):
            yield f"security rule {identifier.rpartition('/')[2]}/{name}", f"no IPv6 counterpart is known for {', '.join(prefixes)}"


@CAUTIONS.rule("allow traffic from nodes to pods, and between pods, with a smaller priority number", _OVERLAY)
def upgrade_denied_pods(upgrade: Upgrade) -> Iterator[Finding]:
    """A security rule that denies traffic of pods: in an overlay their addresses are not those of the nodes' subnet."""
    for identifier, rules in upgrade.cluster.security_groups.items() if upgrade.moves_pods and upgrade.pods else ():
        for name in denials(rules, upgrade.pods, upgrade.node_ranges):
            yield f"security rule {identifier.rpartition('/')[2]}/{name}", f"it denies traffic of pods, which get addresses from {upgrade.pods}"


@CAUTIONS.rule("let clients use Services, and let firewalls and databases admit the addresses of nodes", _OVERLAY)
def upgrade_pod_addresses(upgrade: Upgrade) -> Iterator[Finding]:
    """Pods that give up addresses of the network: nothing outside the cluster reaches an overlay's pods directly, or sees their addresses."""
    if upgrade.moves_pods:
        yield upgrade.subject, "its pods have addresses of the virtual network, which they lose"


@CAUTIONS.rule("keep this time short, or isolate namespaces by other means", f"{_AKS}/use-network-policies")
def upgrade_unenforced(upgrade: Upgrade) -> Iterator[Finding]:
    """Network policies that are not enforced after the removal of their engine, until Cilium runs on all nodes."""
    policies = upgrade.cluster.own("NetworkPolicy")
    if upgrade.has(POLICY_NONE) and policies:
        until = "until Cilium runs on all nodes" if upgrade.has(CILIUM) else "for good"
        yield upgrade.subject, f"{len(policies)} network policies are not enforced from the first step on, {until}"


@CAUTIONS.rule("find out whether one is set, and allow disruptions during the upgrade", f"{_AKS}/node-disruption-policy")
def upgrade_disruption_policy(upgrade: Upgrade) -> Iterator[Finding]:
    """A node disruption policy may refuse the reimage; stable API versions do not show it."""
    if upgrade.steps:
        yield upgrade.subject, "whether it has a node disruption policy is unknown"


@CAUTIONS.rule("add an IPv6 address or prefix to them", f"{_AKS}/configure-load-balancer-standard")
def upgrade_outbound_addresses(upgrade: Upgrade) -> Iterator[Finding]:
    """Your own outbound addresses: without an IPv6 address among them, pods cannot reach the internet over IPv6."""
    profile = upgrade.cluster.at("networkProfile.loadBalancerProfile") or {}
    names = [name for name in ("outboundIPs", "outboundIPPrefixes") if profile.get(name)]
    if upgrade.has(DUAL_STACK) and names:
        yield upgrade.subject, f"its load balancer uses {' and '.join(names)}"


@CAUTIONS.rule("add a route for ::/0, to an appliance with IPv6 or to None", f"{_AKS}/egress-udr")
def upgrade_routes(upgrade: Upgrade) -> Iterator[Finding]:
    """A default route for IPv4 only: IPv6 traffic takes another way out, or none."""
    for subnet in upgrade.cluster.subnets if upgrade.has(DUAL_STACK) else ():
        answer = upgrade.cluster.answered("routes", subnet.routes_id)
        routes = [route.get("properties") or {} for route in ((answer.body.get("properties") or {}).get("routes") or ())] if answer else []
        prefixes = {str(route.get("addressPrefix")) for route in routes}
        if "0.0.0.0/0" in prefixes and "::/0" not in prefixes:
            yield f"subnet {subnet.name}", f"{subnet.routes_id.rpartition('/')[2]} has a route for 0.0.0.0/0 but none for ::/0"


@CAUTIONS.rule("use the load balancer for IPv6, or Front Door, or an Application Gateway with dual-stack frontends", f"{_AKS}/azure-cni-overlay")
def upgrade_gateway_ingress(upgrade: Upgrade) -> Iterator[Finding]:
    """Application Gateway Ingress Controller, which does not support IPv6."""
    if upgrade.has(DUAL_STACK) and upgrade.cluster.has_addon("ingressApplicationGateway"):
        yield upgrade.subject, "the add-on for Application Gateway Ingress Controller is enabled"


@CAUTIONS.rule("check that the nodes' security group allows only the intended traffic over IPv6", _DUAL_STACK)
def upgrade_node_public_addresses(upgrade: Upgrade) -> Iterator[Finding]:
    """Nodes with public addresses: in a dual-stack cluster they also get a public IPv6 address."""
    for pool in upgrade.pools if upgrade.has(DUAL_STACK) else ():
        if pool.has_public_addresses:
            yield f"pool {pool.name}", "its nodes have public addresses"


@CAUTIONS.rule("try it on another Automatic cluster first", "https://github.com/Azure/AKS/issues/4867")
def upgrade_automatic(upgrade: Upgrade) -> Iterator[Finding]:
    """AKS Automatic: users report that Azure refuses to add IPv6 to an existing cluster, although the documentation allows it."""
    if upgrade.steps and folded((upgrade.cluster.body.get("sku") or {}).get("name")) == "automatic":
        yield upgrade.subject, "it is an Automatic cluster"


@CAUTIONS.rule("expect a longer upgrade, or request more quota", _ROLLING)
def upgrade_surge_quota(upgrade: Upgrade) -> Iterator[Finding]:
    """Too few vCPUs for all surge nodes: AKS continues with one per pool."""
    if upgrade.steps and not _exceeded(upgrade, falls_back=True):
        for found in _exceeded(upgrade, falls_back=False):
            yield upgrade.subject, f"surge nodes of all pools need {found}"


@CAUTIONS.rule("check why (az aks show); the next write resumes the operation", f"{_AKS}/upgrade-aks-cluster")
def upgrade_failed_state(upgrade: Upgrade) -> Iterator[Finding]:
    """A cluster or a pool whose last operation failed: the next write resumes it."""
    states = {upgrade.subject: str(upgrade.cluster.at("provisioningState") or "Succeeded")}
    states |= {f"pool {pool.name}": pool.state for pool in upgrade.pools}
    for subject, state in states.items() if upgrade.steps else ():
        if folded(state) in ("failed", "canceled"):
            yield subject, f"it is in the state {state}"


@dataclass(frozen=True)
class Start:
    """An upgrade that is to begin, or to go on. ``settings`` are those of pools while it lasts; ``no_plan`` is why a network gets no IPv6 prefix."""

    upgrade: Upgrade
    acknowledged: tuple[str, ...]
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    no_plan: str = ""


#: what the user has to say before an upgrade begins
START = Chapter[Start]("upgrading")


@START.rule("name the steps that you have read about in upgrade_acknowledge", f"{_AKS}/node-disruption-policy")
def upgrade_unacknowledged(start: Start) -> Iterator[Finding]:
    """A step that upgrade_acknowledge does not name. Each step reimages every node."""
    kinds = [step.kind for step in start.upgrade.steps or ()]
    lacking = [kind for kind in kinds if kind not in start.acknowledged]
    if lacking:
        named_kinds = ", ".join(kind for kind in KINDS if kind in (*start.acknowledged, *lacking))
        yield (
            start.upgrade.subject,
            f"{', '.join(lacking)} reimages every node, but upgrade_acknowledge does not name it"
            if len(lacking) == 1
            else f"{', '.join(lacking)} each reimage every node, but upgrade_acknowledge does not name them",
            f"read about them in the list of steps, then set upgrade_acknowledge: [{named_kinds}]",
        )


@START.rule("correct upgrade_pool_settings", _ROLLING)
def upgrade_pool_settings(start: Start) -> Iterator[Finding]:
    """Upgrade settings for a pool that does not exist, or that AKS does not have. Overriding budgets is not offered."""
    pools = [pool.name for pool in start.upgrade.cluster.pools]
    for name, settings in start.settings.items():
        if name != ALL and name not in pools:
            yield f"upgrade_pool_settings.{name}", f"the cluster has no such pool, but {', '.join(pools)}"
        unknown = [key for key in settings if key not in NAMES]
        if unknown:
            yield f"upgrade_pool_settings.{name}", f"{', '.join(unknown)} cannot be set; settings are {', '.join(NAMES)}"


@START.rule("write IPv4 prefixes as keys, and lists of IPv6 prefixes as their values")
def upgrade_prefixes(start: Start) -> Iterator[Finding]:
    """Counterparts that are no prefixes of the two families."""
    for ipv4, twins in start.upgrade.given.items():
        if family_of(ipv4) != "ipv4":
            yield f"upgrade_ipv6_prefixes.{ipv4}", "it is not an IPv4 prefix"
        wrong = [str(twin) for twin in twins if family_of(twin) != "ipv6"]
        if wrong:
            yield f"upgrade_ipv6_prefixes.{ipv4}", f"{', '.join(wrong)} is not an IPv6 prefix"


@START.rule("run assess.yml with assess_inventory_dir to see what the register proposes", _IPV6)
def upgrade_no_prefix(start: Start) -> Iterator[Finding]:
    """A virtual network of your own that needs an IPv6 prefix, for which the register has no room."""
    needs = [subnet for subnet in start.upgrade.cluster.own_subnets if not subnet.has_ipv6]
    if start.upgrade.has(DUAL_STACK) and start.no_plan and (needs or not start.upgrade.cluster.subnets):
        yield start.upgrade.subject, start.no_plan


@START.rule("spread the priorities of the rules, so that a number is free beside it", _NSG)
def upgrade_rule_priority(start: Start) -> Iterator[Finding]:
    """A security rule whose IPv6 twin has no free priority between the rules of the opposite access around it."""
    for identifier, rules in start.upgrade.cluster.security_groups.items() if start.upgrade.has(DUAL_STACK) else ():
        try:
            rule_twins(rules, start.upgrade.counterparts.complete)
        except NoPriority as error:
            yield f"security rule {identifier.rpartition('/')[2]}/{error}", "no priority is free for its IPv6 twin"
