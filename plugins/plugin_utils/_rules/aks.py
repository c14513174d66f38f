"""Rules of clusters: node pools, their room in the plan, the network profile, and what Azure answers of the cluster.

This file is private to the collection.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._addresses.ranges import read
from .._azure.agent_pools import DEFAULT_VM_SIZE
from . import Answer, Chapter, Finding
from .planned import PlannedStamp

_DUAL_STACK = "https://learn.microsoft.com/azure/aks/configure-dual-stack"
_OVERLAY = "https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay"
_CILIUM = "https://learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium"
_POOLS = "https://learn.microsoft.com/azure/aks/create-node-pools"
_RANGES = "https://learn.microsoft.com/azure/aks/api-server-authorized-ip-ranges"
_NAT = "https://learn.microsoft.com/azure/nat-gateway/nat-sku"
_PREFIXES = "https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-address-prefix"

#: StandardV2 NAT gateways are not offered here.
WITHOUT_STANDARD_V2 = ("canadaeast", "indonesiacentral", "israelnorthwest", "qatarcentral", "swedensouth", "westindia")
#: Azure keeps the first four addresses of an IPv4 subnet and the last.
RESERVED_ADDRESSES = 5
MAX_NODES = 5000

#: the only way from IPv4 to dual-stack, as every rule that meets an IPv4-only cluster says it
CONVERT = "convert it on its own in a maintenance window (az aks update --ip-families ipv4,ipv6); that reimages every node, and AKS has no way back"

CHAPTER = Chapter[PlannedStamp]("aks")
rule = CHAPTER.rule

_FIRST_AND_LAST = ", a letter or digit first and last"
#: what of a cluster -> (role variable, the names that AKS takes, in words)
_CLUSTER_NAMES = {
    "name": (
        "aks_name",
        re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"),
        "1 to 63 letters, digits, hyphens and underscores" + _FIRST_AND_LAST,
    ),
    "dns_prefix": (
        "aks_dns_prefix",
        re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,52}[A-Za-z0-9])?"),
        "1 to 54 letters, digits and hyphens" + _FIRST_AND_LAST,
    ),
    "node_resource_group": ("aks_node_resource_group", re.compile(r"[\w().-]{0,79}[\w()-]"), "1 to 80 characters, and no dot at the end"),
}


@rule("use a name that AKS accepts", "https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/create-upgrade-delete/aks-common-issues-faq")
def cluster_names(case: PlannedStamp) -> Iterator[Finding]:
    """A name of the cluster, its DNS prefix or its nodes' resource group that AKS refuses."""
    for key, (variable, pattern, words) in _CLUSTER_NAMES.items():
        name = case.cluster.get(key)
        if name is not None and not pattern.fullmatch(str(name)):
            yield variable, f"{str(name)!r} has {len(str(name))} characters", f"use {words}; it cannot change while the cluster exists"


def _whole(value: Any) -> int | None:
    """A whole number, None for anything else: `pool_numbers` reports it."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _nodes(pool: Mapping[str, Any]) -> int:
    return _whole(pool.get("max_count")) or _whole(pool.get("count")) or 1


def _surge(pool: Mapping[str, Any]) -> int:
    """Nodes that an upgrade adds: a number, or a share of the pool rounded up."""
    text = str(pool.get("max_surge") or "10%")
    number = _whole(text.removesuffix("%")) or 0
    return -(-_nodes(pool) * number // 100) if text.endswith("%") else number


def _nodes_with_surge(case: PlannedStamp) -> int:
    return sum(_nodes(pool) + _surge(pool) for pool in case.node_pools)


@rule("give a whole number", _POOLS)
def pool_numbers(case: PlannedStamp) -> Iterator[Finding]:
    """A count of a pool that is no whole number."""
    for pool in case.node_pools:
        for name in ("count", "min_count", "max_count", "max_pods"):
            if pool.get(name) is not None and _whole(pool[name]) is None:
                yield f"aks_node_pools.{pool.get('name')}.{name}", f"{pool[name]!r}"
        if pool.get("max_surge") is not None and _whole(str(pool["max_surge"]).removesuffix("%")) is None:
            yield f"aks_node_pools.{pool.get('name')}.max_surge", f"{pool['max_surge']!r}", "give a number of nodes or a percentage"


@rule(f"{MAX_NODES} at most in one cluster", _OVERLAY)
def node_count(case: PlannedStamp) -> Iterator[Finding]:
    """More nodes than a cluster can have."""
    nodes = sum(map(_nodes, case.node_pools))
    if nodes > MAX_NODES:
        yield "aks_node_pools", f"the pools may grow to {nodes} nodes"


@rule("register a larger IPv4 pod range, or make the pools smaller", _OVERLAY)
def pod_capacity_ipv4(case: PlannedStamp) -> Iterator[Finding]:
    """An IPv4 pod range with too few /24s for the nodes that the pools may grow to."""
    text, nodes = case.plan["pods"].get("ipv4"), _nodes_with_surge(case)
    room = 2 ** max(0, 24 - read(text, "pods").prefixlen) if text else 0
    if text and nodes > room:
        yield f"{case.stamp}.pods", f"{text} has a /24 for each of {room} nodes; the pools may grow to {nodes} with surge"


@rule("register a larger IPv6 pod range: /64", _OVERLAY)
def pod_capacity_ipv6(case: PlannedStamp) -> Iterator[Finding]:
    """An IPv6 pod range with too few /120s for the nodes that the pools may grow to."""
    text, nodes = case.plan["pods"].get("ipv6"), _nodes_with_surge(case)
    room = 2 ** max(0, 120 - read(text, "pods").prefixlen) if text else 0
    if text and nodes > room:
        yield f"{case.stamp}.pods", f"{text} has a /120 for each of {room} nodes; the pools may grow to {nodes} with surge"


@rule("make the subnet larger, or the pools smaller", _OVERLAY)
def node_subnet_capacity(case: PlannedStamp) -> Iterator[Finding]:
    """A nodes' subnet with fewer addresses than the pools may need."""
    name = case.cluster.get("node_subnet", "nodes")
    text, nodes = case.plan["subnets"].get(name, {}).get("ipv4"), _nodes_with_surge(case)
    if text and nodes > (room := read(text, name).num_addresses - RESERVED_ADDRESSES):
        yield f"{case.stamp}.{name}", f"{text} has {room} addresses; the pools may grow to {nodes} nodes with surge"


@rule("set its families to [IPv4, IPv6]", _DUAL_STACK)
def node_subnet_dual_stack(case: PlannedStamp) -> Iterator[Finding]:
    """Nodes in a subnet that is not planned, or that lacks a family."""
    name = case.cluster.get("node_subnet", "nodes")
    if case.node_pools and "subnets" in case.specification and name not in case.plan["subnets"]:
        yield f"{case.stamp}.{name}", "the plan has no subnet of this name for the nodes", "name one of dualstack_subnets"
    if case.node_pools and name in case.plan["subnets"] and set(case.plan["subnets"][name]) != {"ipv4", "ipv6"}:
        yield f"{case.stamp}.{name}", "the nodes' subnet does not have both families"


@rule("give 10 to 250 pods a node", _OVERLAY)
def pool_max_pods(case: PlannedStamp) -> Iterator[Finding]:
    """A number of pods that a node cannot have."""
    for pool in case.node_pools:
        pods = _whole(pool.get("max_pods"))
        if pods is not None and not 10 <= pods <= 250:
            yield f"aks_node_pools.{pool.get('name')}.max_pods", f"{pool['max_pods']}"


@rule("use 1 to 12 (Windows: 6) lower-case letters and digits, a letter first", _POOLS)
def pool_name(case: PlannedStamp) -> Iterator[Finding]:
    """A pool's name that AKS refuses."""
    for pool in case.node_pools:
        name, windows = str(pool.get("name", "")), pool.get("os_type") == "Windows"
        if not re.fullmatch(r"[a-z][a-z0-9]{0,11}", name) or (windows and len(name) > 6):
            yield f"aks_node_pools.{name}", "not a pool name"


@rule("use two zones at least, so that the loss of one is survived", "https://learn.microsoft.com/azure/aks/availability-zones")
def pool_zones(case: PlannedStamp) -> Iterator[Finding]:
    """A pool in a single zone."""
    for pool in case.node_pools:
        if pool.get("zones") is not None and len(set(pool["zones"])) < 2:
            yield f"aks_node_pools.{pool.get('name')}.zones", f"{pool['zones']}"


@rule("min_count <= count <= max_count", "https://learn.microsoft.com/azure/aks/cluster-autoscaler")
def pool_counts(case: PlannedStamp) -> Iterator[Finding]:
    """Counts that the cluster autoscaler cannot keep."""
    for pool in case.node_pools:
        low, count, high = (_whole(pool.get(name)) for name in ("min_count", "count", "max_count"))
        if low is not None and high is not None and not low <= (low if count is None else count) <= high:
            yield f"aks_node_pools.{pool.get('name')}", f"min_count {low}, count {pool.get('count')}, max_count {high}"


@rule("use cilium (with aks_network_dataplane cilium) or none", _DUAL_STACK)
def network_policy(case: PlannedStamp) -> Iterator[Finding]:
    """A network policy engine that AKS does not support with dual-stack."""
    policy = case.cluster.get("network_policy")
    if policy in ("azure", "calico"):
        yield "aks_network_policy", f"{policy} is not supported with dual-stack"


@rule("set aks_network_dataplane to cilium", _CILIUM)
def cilium_dataplane(case: PlannedStamp) -> Iterator[Finding]:
    """Network policy cilium on another data plane."""
    if case.cluster.get("network_policy") == "cilium" and case.cluster.get("network_dataplane", "cilium") != "cilium":
        yield "aks_network_dataplane", f"{case.cluster['network_dataplane']} with network policy cilium"


@rule("use Kubernetes 1.29 or newer: older versions have no dual-stack with Cilium", _CILIUM)
def cilium_version(case: PlannedStamp) -> Iterator[Finding]:
    """A Kubernetes version without dual-stack on Cilium."""
    version = str(case.cluster.get("kubernetes_version") or "")
    match = re.match(r"(\d+)\.(\d+)", version)
    if match and case.cluster.get("network_policy") == "cilium" and (int(match[1]), int(match[2])) < (1, 29):
        yield "aks_kubernetes_version", version


@rule("use no Windows pools with Cilium", _CILIUM)
def cilium_windows(case: PlannedStamp) -> Iterator[Finding]:
    """Windows nodes on the Cilium data plane."""
    for pool in case.node_pools:
        if pool.get("os_type") == "Windows" and case.cluster.get("network_dataplane", "cilium") == "cilium":
            yield f"aks_node_pools.{pool.get('name')}", "Windows with network dataplane cilium"


@rule("a dual-stack cluster needs StandardV2", _NAT)
def nat_gateway_sku(case: PlannedStamp) -> Iterator[Finding]:
    """A NAT gateway that has IPv4 only."""
    if case.cluster.get("outbound_type") == "userAssignedNATGateway" and case.cluster.get("nat_gateway_sku", "StandardV2") != "StandardV2":
        yield "network_nat_gateway_sku", f"{case.cluster['nat_gateway_sku']} is IPv4-only"


@rule("use network_egress load_balancer there", _NAT)
def nat_gateway_region(case: PlannedStamp) -> Iterator[Finding]:
    """A region that does not offer StandardV2 NAT gateways."""
    location = str(case.cluster.get("location") or "").replace(" ", "").lower()
    if case.cluster.get("outbound_type") == "userAssignedNATGateway" and location in WITHOUT_STANDARD_V2:
        yield "network_egress", f"no StandardV2 NAT gateway in {location}"


@rule("give up to 200 public IPv4 addresses or prefixes", _RANGES)
def authorized_ranges(case: PlannedStamp) -> Iterator[Finding]:
    """Ranges that the API server's allow-list does not take."""
    ranges = list(case.cluster.get("api_server_authorized_ip_ranges") or [])
    subject = "aks_api_server_authorized_ip_ranges"
    if ranges and case.cluster.get("private"):
        yield subject, "set for a private cluster", "leave it empty, or set aks_private_cluster to false"
    if len(ranges) > 200:
        yield subject, f"{len(ranges)} ranges", "200 at most"
    for text in ranges:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            yield subject, f"{text!r} is not a range", "give IPv4 addresses or prefixes"
            continue
        if network.version == 6:
            yield subject, f"{text} is IPv6", "the API server's allow-list takes IPv4 only"
        elif network.is_private and not any(network.subnet_of(found) for found in _DOCUMENTATION):
            yield subject, f"{text} is private", "the API server sees public addresses only"


_DOCUMENTATION = tuple(ipaddress.IPv4Network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))


@rule("give a length that Azure offers", _PREFIXES)
def public_ip_prefix_length(case: PlannedStamp) -> Iterator[Finding]:
    """A public IP prefix of a size that Azure does not offer."""
    for name, prefix in (case.specification.get("public_ip_prefixes") or {}).items():
        low, high = (124, 127) if prefix.get("version") == "IPv6" else (28, 31)
        length = _whole(prefix.get("length"))
        if length is None or not low <= length <= high:
            yield name, f"/{prefix.get('length')} for {prefix.get('version')}", f"/{low} to /{high}"


@dataclass(frozen=True)
class Cluster:
    """What is declared of a cluster beside its plan, and what Azure answered: ``usages`` of Microsoft.Compute in the region, ``cluster`` and
    ``workspace``."""

    id: str
    existing_id: str
    existing_workspace_id: str
    node_pools: Sequence[Mapping[str, Any]]
    api_server_authorized_ip_ranges: Sequence[str]
    controller_address: str
    monitoring: bool
    defender: bool
    answers: Mapping[str, Answer]

    @property
    def cores(self) -> int:
        """vCPUs of the pools at their smallest, from the digits of each VM size."""
        sizes = ((str(pool.get("vm_size") or DEFAULT_VM_SIZE), _whole(pool.get("min_count")) or 0) for pool in self.node_pools)
        return sum(int(digits[0]) * count for size, count in sizes if (digits := re.search(r"[0-9]+", size)))


LIVE = Chapter[Cluster]("aks")


@LIVE.rule("request more quota in this region, or use smaller or fewer nodes", "https://learn.microsoft.com/azure/quotas/per-vm-quota-requests")
def core_quota(cluster: Cluster) -> Iterator[Finding]:
    """A new cluster whose smallest pools need more vCPUs than the subscription has left in the region."""
    if cluster.answers["cluster"].exists:
        return
    for usage in cluster.answers["usages"].body.get("value") or ():
        used, limit = int(usage["currentValue"]), int(usage["limit"])
        if usage["name"]["value"] == "cores" and cluster.cores and used + cluster.cores > limit:
            yield "aks_node_pools", f"the pools start with {cluster.cores} cores, and {used} of {limit} are in use"


@LIVE.rule("add the controller's address, or the run cannot reach the API server that it has just made", _RANGES)
def locked_out(cluster: Cluster) -> Iterator[Finding]:
    """An allow-list of the API server without the controller that runs the playbook."""
    ranges = cluster.api_server_authorized_ip_ranges
    if not (cluster.controller_address and ranges):
        return
    try:
        address = ipaddress.ip_address(cluster.controller_address)
    except ValueError:
        yield "aks_controller_address", f"{cluster.controller_address!r} is not an address", "give the public IPv4 address of this controller"
        return
    if not any(address in network for network in _networks(ranges)):
        yield "aks_api_server_authorized_ip_ranges", f"{address}, this controller, is in none of {', '.join(ranges)}"


def _networks(ranges: Sequence[str]) -> Iterator[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Those that can be read: `authorized_ranges` reports the others."""
    for text in ranges:
        try:
            yield ipaddress.ip_network(text, strict=False)
        except ValueError:
            continue


@LIVE.rule("correct the id, or leave it empty to create a cluster")
def existing_cluster(cluster: Cluster) -> Iterator[Finding]:
    """An existing cluster that Azure does not have."""
    if cluster.existing_id and not cluster.answers["cluster"].exists:
        yield "aks_existing_id", f"{cluster.existing_id} {cluster.answers['cluster'].absence}"


@LIVE.rule("correct the id, or leave it empty to create a workspace")
def existing_workspace(cluster: Cluster) -> Iterator[Finding]:
    """An existing Log Analytics workspace that Azure does not have."""
    if cluster.existing_workspace_id and not cluster.answers["workspace"].exists:
        yield "aks_existing_workspace_id", f"{cluster.existing_workspace_id} {cluster.answers['workspace'].absence}"


@LIVE.rule(
    "set aks_monitoring to true, or aks_defender to false", "https://learn.microsoft.com/azure/defender-for-cloud/defender-for-containers-enable"
)
def defender_without_workspace(cluster: Cluster) -> Iterator[Finding]:
    """Microsoft Defender for Containers without the workspace that it reports to."""
    if cluster.defender and not cluster.monitoring:
        yield "aks_defender", "Microsoft Defender for Containers reports to a workspace, and aks_monitoring is false"


def families_of(cluster: Answer) -> list[str]:
    """The families of a cluster as Azure answers it; one that names none has IPv4."""
    return list(((cluster.body.get("properties") or {}).get("networkProfile") or {}).get("ipFamilies") or ["IPv4"])


@LIVE.rule(CONVERT, _DUAL_STACK)
def ipv4_only_cluster(cluster: Cluster) -> Iterator[Finding]:
    """A running IPv4-only cluster: to declare IPv6 for it would reimage its nodes."""
    if cluster.answers["cluster"].exists and "IPv6" not in families_of(cluster.answers["cluster"]):
        yield cluster.id.rsplit("/", 1)[-1], "the cluster is IPv4-only, and a run would reimage its nodes"
