"""Rules of clusters: node pools, their room in the plan, the network profile, and what Azure answers of the cluster.

This file is private to the collection.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._addresses.plan import subnets_of
from .._addresses.purposes import purpose_name
from .._addresses.ranges import listed, overlaps, read
from .._azure.agent_pools import DEFAULT_MAX_SURGE, WINDOWS_IMAGES, agent_pool_profile, minor_version
from .._azure.preflight import delegations_of, prefixes_of
from .._leaves import value_at
from .._resource_id import folded
from . import Answer, Chapter, Finding
from .planned import PlannedStamp

_DUAL_STACK = "https://learn.microsoft.com/azure/aks/configure-dual-stack"
_OVERLAY = "https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay"
_CILIUM = "https://learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium"
_POOLS = "https://learn.microsoft.com/azure/aks/create-node-pools"
_RANGES = "https://learn.microsoft.com/azure/aks/api-server-authorized-ip-ranges"
_NAT = "https://learn.microsoft.com/azure/nat-gateway/nat-sku"
_SYSTEM_POOLS = "https://learn.microsoft.com/azure/aks/use-system-pools"
_AGENT_POOLS = "https://learn.microsoft.com/rest/api/aks/agent-pools/create-or-update"
_ENTRA = "https://learn.microsoft.com/azure/aks/enable-authentication-microsoft-entra-id"
_WINDOWS_IMAGES = "https://learn.microsoft.com/azure/aks/upgrade-windows-os"
_EGRESS = "https://learn.microsoft.com/azure/aks/egress-outboundtype"
_BALANCER = "https://learn.microsoft.com/azure/aks/configure-load-balancer-standard"
_FIXED = "https://learn.microsoft.com/rest/api/aks/managed-clusters/create-or-update"
_PREFIXES = "https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-address-prefix"

#: Azure keeps the first four addresses of an IPv4 subnet and the last.
RESERVED_ADDRESSES = 5
MAX_NODES = 5000
MAX_POOL_NODES = 1000

#: the only way from IPv4 to dual-stack, as every rule that meets an IPv4-only cluster says it
CONVERT = "run assess.yml to see what this takes, then upgrade_dual_stack.yml in a maintenance window; this reimages every node and cannot be undone"

CHAPTER = Chapter[PlannedStamp]("aks")
rule = CHAPTER.rule

_FIRST_AND_LAST = ", and starts and ends with a letter or digit"
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
    """An invalid name of the cluster, of its DNS prefix or of its nodes' resource group."""
    for key, (variable, pattern, words) in _CLUSTER_NAMES.items():
        name = case.cluster.get(key)
        if name is not None and not pattern.fullmatch(str(name)):
            yield (
                variable,
                f"{str(name)!r} ({len(str(name))} characters) is not a valid name",
                f"use {words}; it cannot change while the cluster exists",
            )


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
    text = str(pool.get("max_surge") or DEFAULT_MAX_SURGE)
    number = _whole(text.removesuffix("%")) or 0
    return -(-_nodes(pool) * number // 100) if text.endswith("%") else number


def nodes_with_surge(pool: Mapping[str, Any]) -> int:
    """The most nodes that a pool of ``aks_node_pools`` can have, while an upgrade adds some."""
    return _nodes(pool) + _surge(pool)


def _nodes_with_surge(case: PlannedStamp) -> int:
    return sum(map(nodes_with_surge, case.all_pools))


@rule("use a whole number", _POOLS)
def pool_numbers(case: PlannedStamp) -> Iterator[Finding]:
    """A number in a pool that is not a whole number."""
    for pool in case.node_pools:
        for name in ("count", "min_count", "max_count", "max_pods"):
            if pool.get(name) is not None and _whole(pool[name]) is None:
                yield f"aks_node_pools.{pool.get('name')}.{name}", f"{pool[name]!r}"
        if pool.get("max_surge") is not None and _whole(str(pool["max_surge"]).removesuffix("%")) is None:
            yield f"aks_node_pools.{pool.get('name')}.max_surge", f"{pool['max_surge']!r}", "use a number of nodes or a percentage"


@rule(f"use at most {MAX_NODES} nodes in one cluster", _OVERLAY)
def node_count(case: PlannedStamp) -> Iterator[Finding]:
    """More nodes than a cluster can have."""
    nodes = sum(map(_nodes, case.all_pools))
    if nodes > MAX_NODES:
        yield "aks_node_pools", f"the pools may grow to {nodes} nodes"


def _pod_capacity(case: PlannedStamp, family: str, node_length: int) -> Iterator[Finding]:
    """The pod range of a family, of which each node takes a prefix of ``node_length``."""
    text, nodes = case.plan["pods"].get(family), _nodes_with_surge(case)
    room = 2 ** max(0, node_length - read(text, "pods").prefixlen) if text else 0
    if text and nodes > room:
        yield f"{case.stamp}.pods", f"{text} has room for {room} nodes with a /{node_length} each, but the pools may grow to {nodes} nodes with surge"


@rule("register a larger IPv4 pod range, or make the pools smaller", _OVERLAY)
def pod_capacity_ipv4(case: PlannedStamp) -> Iterator[Finding]:
    """An IPv4 pod range without a /24 for each node to which the pools may grow."""
    yield from _pod_capacity(case, "ipv4", 24)


@rule("register a /64 for the IPv6 pods", _OVERLAY)
def pod_capacity_ipv6(case: PlannedStamp) -> Iterator[Finding]:
    """An IPv6 pod range without a /120 for each node to which the pools may grow."""
    yield from _pod_capacity(case, "ipv6", 120)


@rule("make the subnet larger, or the pools smaller", _OVERLAY)
def node_subnet_capacity(case: PlannedStamp) -> Iterator[Finding]:
    """A node subnet with fewer addresses than the pools may need."""
    name = case.node_subnet
    texts, nodes = listed(case.plan["subnets"].get(name, {}).get("ipv4")), _nodes_with_surge(case)
    if texts and nodes > (room := sum(read(text, name).num_addresses - RESERVED_ADDRESSES for text in texts)):
        yield f"{case.stamp}.{name}", f"{', '.join(texts)} has {room} addresses, but the pools may grow to {nodes} nodes with surge"


@rule("set its families to [IPv4, IPv6]", _DUAL_STACK)
def node_subnet_dual_stack(case: PlannedStamp) -> Iterator[Finding]:
    """Nodes in a subnet that is not planned or that lacks a family."""
    name = case.node_subnet
    if case.node_pools and name and case.specification.get("subnets") is not None and name not in case.plan["subnets"]:
        yield f"{case.stamp}.{name}", "the plan has no subnet of this name for the nodes", "use a subnet of dualstack_subnets"
    if case.node_pools and name in case.plan["subnets"] and set(case.plan["subnets"][name]) != {"ipv4", "ipv6"}:
        yield f"{case.stamp}.{name}", "the nodes' subnet does not have both families"


@rule("set aks_node_subnet_id to a subnet with the purpose nodes, or set this subnet's purpose to nodes", _OVERLAY)
def node_subnet_purpose(case: PlannedStamp) -> Iterator[Finding]:
    """Nodes in a subnet with another purpose: its network security group blocks pods."""
    name = case.node_subnet
    subnet = subnets_of(case.specification).get(name)
    purpose = purpose_name(name, subnet) if subnet is not None else "nodes"
    fits = ("nodes", "") if case.cluster.get("existing_vnet_id") else ("nodes",)
    if case.node_pools and purpose not in fits:
        yield f"dualstack_subnets.{name}.purpose", f"{purpose or 'none'}, but the nodes are in this subnet"


@rule("use 10 to 250 pods per node", _OVERLAY)
def pool_max_pods(case: PlannedStamp) -> Iterator[Finding]:
    """A number of pods per node that AKS does not support."""
    numbers = {f"aks_node_pools.{pool.get('name')}.max_pods": pool["max_pods"] for pool in case.node_pools if pool.get("max_pods") is not None}
    if len(numbers) < len(case.node_pools):
        numbers["aks_max_pods"] = case.cluster.get("max_pods")
    for subject, number in numbers.items():
        pods = _whole(number)
        if pods is not None and not 10 <= pods <= 250:
            yield subject, f"{number}"


@rule("use 30 to 2048 GiB, or remove it to get 128 GiB", _AGENT_POOLS)
def pool_disk_size(case: PlannedStamp) -> Iterator[Finding]:
    """A size of the operating system disk that AKS does not support."""
    for pool in case.node_pools:
        size = _whole(pool.get("os_disk_size_gb"))
        if size is not None and not 30 <= size <= 2048:
            yield f"aks_node_pools.{pool.get('name')}.os_disk_size_gb", f"{size}"


@rule("use DCasv5, DCadsv5 or another size", _OVERLAY)
def pool_vm_size(case: PlannedStamp) -> Iterator[Finding]:
    """A VM size that Azure CNI Overlay does not support."""
    for pool in case.node_pools:
        if re.fullmatch(r"standard_dc\d+s_v2", str(pool.get("vm_size") or ""), re.IGNORECASE):
            yield f"aks_node_pools.{pool.get('name')}.vm_size", f"{pool['vm_size']}: Azure CNI Overlay does not support DCsv2"


@rule("use Ubuntu or AzureLinux for Linux, Windows2022 or Windows2025 for Windows", _AGENT_POOLS)
def pool_os_sku(case: PlannedStamp) -> Iterator[Finding]:
    """A node image for another operating system than the pool's."""
    for pool in case.node_pools:
        system, image = str(pool.get("os_type") or "Linux"), pool.get("os_sku")
        if image is not None and (system == "Windows") != str(image).startswith("Windows"):
            yield f"aks_node_pools.{pool.get('name')}.os_sku", f"{image} for {system}"


@rule("remove os_sku, or use another Kubernetes version", _WINDOWS_IMAGES)
def windows_image(case: PlannedStamp) -> Iterator[Finding]:
    """A Windows image that does not support this Kubernetes version."""
    version = str(case.cluster.get("kubernetes_version") or "")
    minor = minor_version(version)
    for pool in case.node_pools:
        image = str(pool.get("os_sku") or "")
        if minor is None or image not in WINDOWS_IMAGES:
            continue
        oldest, newest = WINDOWS_IMAGES[image]
        if minor < oldest or (newest is not None and minor > newest):
            fitting = [name for name, (low, high) in WINDOWS_IMAGES.items() if low <= minor and (high is None or minor <= high)]
            yield (
                f"aks_node_pools.{pool.get('name')}.os_sku",
                f"AKS has no {image} with Kubernetes {version}",
                f"use {' or '.join(fitting)}, or another aks_kubernetes_version",
            )


@rule("set mode: System on at least one Linux pool", _SYSTEM_POOLS)
def system_pool(case: PlannedStamp) -> Iterator[Finding]:
    """A cluster without a System pool, or with one that runs Windows."""
    if "node_pools" in case.cluster and not any(pool.get("mode") == "System" for pool in case.node_pools):
        yield "aks_node_pools", "no pool has mode System"
    for pool in case.node_pools:
        if pool.get("mode") == "System" and pool.get("os_type") == "Windows":
            yield (
                f"aks_node_pools.{pool.get('name')}.mode",
                "System, but AKS runs its own pods only on Linux",
                "set mode to User here, and to System on a Linux pool",
            )


@rule("use a different name for each pool", _POOLS)
def pool_names_unique(case: PlannedStamp) -> Iterator[Finding]:
    """Two pools with the same name."""
    names = [str(pool.get("name")) for pool in case.node_pools]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"aks_node_pools.{name}", f"{names.count(name)} pools have this name"


@rule(f"use 1 to {MAX_POOL_NODES} nodes in a System pool, 0 to {MAX_POOL_NODES} in a User pool", _AGENT_POOLS)
def pool_size(case: PlannedStamp) -> Iterator[Finding]:
    """A number of nodes that a pool does not support."""
    for pool in case.node_pools:
        for name in ("min_count", "count", "max_count"):
            number, lowest = _whole(pool.get(name)), 1 if name == "max_count" or pool.get("mode") == "System" else 0
            if number is not None and not lowest <= number <= MAX_POOL_NODES:
                yield f"aks_node_pools.{pool.get('name')}.{name}", f"{number}"


@rule("use at most 63 characters: AKS puts the name into a node label", _OVERLAY)
def node_subnet_names(case: PlannedStamp) -> Iterator[Finding]:
    """The nodes' subnet in a resource group or virtual network whose name is too long for the node label into which AKS puts it."""
    parts = str(case.cluster.get("node_subnet_id") or "").strip("/").split("/")
    for name in parts[3:4] + parts[7::2]:
        # `name_length` and `subnet_name` report what the stamp makes itself.
        if len(name) > 63 and name not in (case.specification.get("names") or {}).values() and name not in case.plan["subnets"]:
            yield "aks_node_subnet_id", f"{name!r} has {len(name)} characters"


@rule("set network_egress and aks_outbound_type to matching values, or remove aks_outbound_type", _EGRESS)
def egress_types(case: PlannedStamp) -> Iterator[Finding]:
    """A cluster outbound type that does not match network_egress."""
    egress, outbound_type, brought = (case.cluster.get(name) for name in ("egress", "outbound_type", "existing_vnet_id"))
    if egress == "nat_gateway" and brought:
        yield (
            "network_egress",
            "nat_gateway with network_existing_vnet_id: the existing network's subnets are never written, so the gateway would serve none of them",
            "attach a StandardV2 NAT gateway to the nodes' subnet yourself, set network_egress to load_balancer and aks_outbound_type to "
            "userAssignedNATGateway",
        )
    elif egress == "nat_gateway" and outbound_type == "loadBalancer":
        yield "aks_outbound_type", "loadBalancer with network_egress nat_gateway"
    elif egress == "load_balancer" and outbound_type == "userAssignedNATGateway" and not brought:
        yield (
            "aks_outbound_type",
            "userAssignedNATGateway with network_egress load_balancer",
            "set network_egress to nat_gateway, which creates the gateway",
        )


@rule("use 1 to 12 (Windows: 6) lower-case letters and digits, starting with a letter", _POOLS)
def pool_name(case: PlannedStamp) -> Iterator[Finding]:
    """A pool name that AKS refuses."""
    for pool in case.node_pools:
        name, windows = str(pool.get("name", "")), pool.get("os_type") == "Windows"
        if not re.fullmatch(r"[a-z][a-z0-9]{0,11}", name):
            yield f"aks_node_pools.{name}", "it is not a valid pool name"
        elif windows and len(name) > 6:
            yield (
                f"aks_node_pools.{name}",
                f"a Windows pool whose name has {len(name)} characters",
                "use 1 to 6 lower-case letters and digits, starting with a letter",
            )


@rule(
    "use at least two zones to survive the loss of one, or [] if the region has none",
    "https://learn.microsoft.com/azure/aks/availability-zones",
)
def pool_zones(case: PlannedStamp) -> Iterator[Finding]:
    """A pool in a single zone."""
    for pool in case.node_pools:
        if pool.get("zones") and len(set(pool["zones"])) < 2:
            yield f"aks_node_pools.{pool.get('name')}.zones", f"{pool['zones']}"


@rule("set them so that min_count <= count <= max_count", "https://learn.microsoft.com/azure/aks/cluster-autoscaler")
def pool_counts(case: PlannedStamp) -> Iterator[Finding]:
    """Counts that contradict each other."""
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
    """Network policy cilium without the Cilium data plane."""
    if case.cluster.get("network_policy") == "cilium" and case.cluster.get("network_dataplane", "cilium") != "cilium":
        yield "aks_network_dataplane", f"{case.cluster['network_dataplane']} with network policy cilium"


@rule("use Kubernetes 1.29 or newer: older versions have no dual-stack with Cilium", _CILIUM)
def cilium_version(case: PlannedStamp) -> Iterator[Finding]:
    """A Kubernetes version without dual-stack on Cilium."""
    version = str(case.cluster.get("kubernetes_version") or "")
    match = re.match(r"(\d+)\.(\d+)", version)
    if match and case.cluster.get("network_dataplane", "cilium") == "cilium" and (int(match[1]), int(match[2])) < (1, 29):
        yield "aks_kubernetes_version", version


@rule("set aks_network_dataplane to azure and aks_network_policy to none, or remove the Windows pools", _CILIUM)
def cilium_windows(case: PlannedStamp) -> Iterator[Finding]:
    """Windows nodes on the Cilium data plane."""
    for pool in case.all_pools:
        if pool.get("os_type") == "Windows" and case.cluster.get("network_dataplane", "cilium") == "cilium":
            yield f"aks_node_pools.{pool.get('name')}", "Windows with network dataplane cilium"


@rule("set it to StandardV2: a dual-stack cluster needs IPv6 outbound", _NAT)
def nat_gateway_sku(case: PlannedStamp) -> Iterator[Finding]:
    """An IPv4-only NAT gateway."""
    if case.cluster.get("outbound_type") == "userAssignedNATGateway" and case.cluster.get("nat_gateway_sku", "StandardV2") != "StandardV2":
        yield "network_nat_gateway_sku", f"{case.cluster['nat_gateway_sku']} is IPv4-only"


@rule("use up to 200 public IPv4 addresses or prefixes", _RANGES)
def authorized_ranges(case: PlannedStamp) -> Iterator[Finding]:
    """Invalid ranges in the API server's allow-list."""
    ranges = list(case.cluster.get("api_server_authorized_ip_ranges") or [])
    subject = "aks_api_server_authorized_ip_ranges"
    if ranges and case.cluster.get("private"):
        yield subject, "it is set for a private cluster", "leave it empty, or set aks_private_cluster to false"
    if len(ranges) > 200:
        yield subject, f"{len(ranges)} ranges", "use at most 200"
    for text in ranges:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            yield subject, f"{text!r} is not a range", "use IPv4 addresses or prefixes"
            continue
        if network.version == 6:
            yield subject, f"{text} is IPv6", "use IPv4 only: the API server's allow-list does not support IPv6"
        elif network != _EGRESS_ONLY and network.is_private and not any(network.subnet_of(found) for found in _DOCUMENTATION):
            yield subject, f"{text} is private", "use a public address: the API server does not see private ones"


#: AKS takes it for the cluster's own outbound addresses
_EGRESS_ONLY = ipaddress.IPv4Network("0.0.0.0/32")
_DOCUMENTATION = tuple(ipaddress.IPv4Network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))


@rule("use a length that Azure offers", _PREFIXES)
def public_ip_prefix_length(case: PlannedStamp) -> Iterator[Finding]:
    """A public IP prefix of a size that Azure does not offer."""
    for name, prefix in (case.specification.get("public_ip_prefixes") or {}).items():
        low, high = (124, 127) if prefix.get("version") == "IPv6" else (28, 31)
        length = _whole(prefix.get("length"))
        if length is None or not low <= length <= high:
            yield name, f"/{prefix.get('length')} for {prefix.get('version')}", f"use /{low} to /{high}"


@dataclass(frozen=True)
class Cluster:
    """What is declared of a cluster beside its plan and its pools, and what Azure answered: ``cluster``, ``workspace`` and, where the declared
    version may be new to the cluster, ``versions`` that the region offers."""

    id: str
    existing_id: str
    location: str
    kubernetes_version: str
    existing_workspace_id: str
    workspace_id: str
    workspace_retention_days: int
    api_server_authorized_ip_ranges: Sequence[str]
    controller_address: str
    monitoring: bool
    defender: bool
    outbound_counts: Mapping[str, int]
    maintenance_start_time: str
    maintenance_duration_hours: int
    image_cleaner_interval_hours: int
    answers: Mapping[str, Answer]


LIVE = Chapter[Cluster]("aks")


@LIVE.rule("add the controller's address, so that the run can reach the new API server", _RANGES)
def locked_out(cluster: Cluster) -> Iterator[Finding]:
    """An allow-list of the API server without the controller that runs the playbook."""
    ranges = cluster.api_server_authorized_ip_ranges
    if not (cluster.controller_address and ranges):
        return
    try:
        address = ipaddress.ip_address(cluster.controller_address)
    except ValueError:
        yield "aks_controller_address", f"{cluster.controller_address!r} is not an address", "set it to the public IPv4 address of this controller"
        return
    if not any(address in network for network in networks_of(ranges)):
        yield "aks_api_server_authorized_ip_ranges", f"this controller's address {address} is not in {', '.join(ranges)}"


def networks_of(ranges: Sequence[str]) -> Iterator[ipaddress.IPv4Network | ipaddress.IPv6Network]:
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


@LIVE.rule("enable Microsoft Entra ID (az aks update --enable-aad), and assign the credentials a role in the cluster", _ENTRA)
def existing_cluster_entra(cluster: Cluster) -> Iterator[Finding]:
    """An existing cluster without Microsoft Entra ID: the run logs in with an Entra token."""
    found = cluster.answers["cluster"]
    if cluster.existing_id and found.exists and not ((found.body.get("properties") or {}).get("aadProfile") or {}).get("managed"):
        yield "aks_existing_id", f"{cluster.existing_id} does not use Microsoft Entra ID, but the run logs in with an Entra token"


@LIVE.rule("correct the id, or leave it empty to create a workspace")
def existing_workspace(cluster: Cluster) -> Iterator[Finding]:
    """An existing Log Analytics workspace that Azure does not have."""
    if cluster.existing_workspace_id and not cluster.answers["workspace"].exists:
        yield "aks_existing_workspace_id", f"{cluster.existing_workspace_id} {cluster.answers['workspace'].absence}"


@LIVE.rule(
    "set aks_monitoring to true, or aks_defender to false", "https://learn.microsoft.com/azure/defender-for-cloud/defender-for-containers-enable"
)
def defender_without_workspace(cluster: Cluster) -> Iterator[Finding]:
    """Microsoft Defender for Containers without a workspace for its reports."""
    if cluster.defender and not cluster.monitoring:
        yield "aks_defender", "Microsoft Defender for Containers needs a workspace, but aks_monitoring is false"


def warnings(cluster: Cluster) -> Iterator[str]:
    """What nobody refuses: an existing cluster whose identity the role cannot give access (learn.microsoft.com/azure/aks/use-managed-identity)."""
    answer = cluster.answers["cluster"]
    if cluster.existing_id and answer.exists and not answer.body.get("identity"):
        yield (
            f"aks_existing_id: {cluster.existing_id} runs as a service principal. Give it Network Contributor on the resource groups of the "
            f"entrances' addresses (az role assignment create), or move the cluster to a managed identity (az aks update --enable-managed-identity)."
        )


def families_of(cluster: Answer) -> list[str]:
    """The families of a cluster as Azure answers it; one that names none has IPv4."""
    return list(((cluster.body.get("properties") or {}).get("networkProfile") or {}).get("ipFamilies") or ["IPv4"])


@LIVE.rule(CONVERT, _DUAL_STACK)
def ipv4_only_cluster(cluster: Cluster) -> Iterator[Finding]:
    """A running IPv4-only cluster: adding IPv6 would reimage its nodes."""
    if cluster.answers["cluster"].exists and "ipv6" not in map(folded, families_of(cluster.answers["cluster"])):
        yield cluster.id.rsplit("/", 1)[-1], "the cluster is IPv4-only; adding IPv6 would reimage its nodes"


@LIVE.rule("use a version that the region offers", "https://learn.microsoft.com/azure/aks/supported-kubernetes-versions")
def kubernetes_version(cluster: Cluster) -> Iterator[Finding]:
    """A Kubernetes version that AKS does not offer in the region."""
    versions = cluster.answers["versions"].body.get("values") or [] if "versions" in cluster.answers else []
    minors = [str(found["version"]) for found in versions]
    if minors and cluster.kubernetes_version not in {*minors, *(patch for found in versions for patch in found.get("patchVersions") or {})}:
        yield (
            "aks_kubernetes_version",
            f"AKS does not offer {cluster.kubernetes_version} in {cluster.location}",
            f"use {', '.join(minors)}, or an exact version of one of them",
        )


@LIVE.rule("use 1 to 100", _BALANCER)
def outbound_counts(cluster: Cluster) -> Iterator[Finding]:
    """A number of outbound addresses that AKS does not support."""
    for variable, count in cluster.outbound_counts.items():
        if not 1 <= count <= 100:
            yield variable, f"{count}"


@LIVE.rule("use 4 to 24 hours", "https://learn.microsoft.com/azure/aks/planned-maintenance")
def maintenance_window(cluster: Cluster) -> Iterator[Finding]:
    """A maintenance window that AKS refuses."""
    if not 4 <= cluster.maintenance_duration_hours <= 24:
        yield "aks_maintenance_duration_hours", f"{cluster.maintenance_duration_hours}"
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", cluster.maintenance_start_time):
        # YAML reads 10:30 without quotes as 630, a number to the base of 60.
        yield "aks_maintenance_start_time", f"{cluster.maintenance_start_time!r} is not a time of day", 'write HH:MM in quotes, for example "10:30"'


@LIVE.rule("use 24 to 2,160 hours", "https://learn.microsoft.com/azure/aks/image-cleaner")
def image_cleaner_interval(cluster: Cluster) -> Iterator[Finding]:
    """An interval that the image cleaner does not support."""
    if not 24 <= cluster.image_cleaner_interval_hours <= 2160:
        yield "aks_image_cleaner_interval_hours", f"{cluster.image_cleaner_interval_hours}"


@LIVE.rule("use 30 to 730 days", "https://learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure")
def workspace_retention(cluster: Cluster) -> Iterator[Finding]:
    """A retention that Log Analytics workspaces do not support."""
    if cluster.monitoring and not cluster.existing_workspace_id and not 30 <= cluster.workspace_retention_days <= 730:
        yield "aks_workspace_retention_days", f"{cluster.workspace_retention_days}"


@LIVE.rule(
    "use another aks_name_prefix or another stamp name, so that the name has 4 to 63 letters, digits and hyphens" + _FIRST_AND_LAST,
    "https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftoperationalinsights",
)
def workspace_name(cluster: Cluster) -> Iterator[Finding]:
    """A Log Analytics workspace name that Azure refuses."""
    name = cluster.workspace_id.rpartition("/")[2]
    if cluster.monitoring and not cluster.existing_workspace_id and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]", name):
        yield "aks_workspace_id", f"{name!r} is not a valid workspace name"


@dataclass(frozen=True)
class LiveCluster:
    """What is declared of a cluster that exists, and ``live``, as Azure answers it. ``fixed`` has the values that are fixed at creation: variable ->
    path in the live cluster, and the declared value."""

    fixed: Mapping[str, tuple[str, Any]]
    network_dataplane: str
    outbound_type: str
    node_pools: Sequence[Mapping[str, Any]]
    pool_defaults: Mapping[str, Any]
    live: Mapping[str, Any]

    def at(self, path: str) -> Any:
        """The live value at a dotted path, None where there is none."""
        return value_at(self.live, path)

    @property
    def pools(self) -> dict[str, Mapping[str, Any]]:
        """The live pools by name, in lower case."""
        return {folded(pool["name"]): pool for pool in self.at("properties.agentPoolProfiles") or ()}


CHANGES = Chapter[LiveCluster]("aks")


@CHANGES.rule("declare the live value, or build another cluster", _FIXED)
def cluster_fixed(cluster: LiveCluster) -> Iterator[Finding]:
    """A change to a property of the live cluster that is fixed at creation."""
    for variable, (path, declared) in cluster.fixed.items():
        live = cluster.at(path)
        if live is not None and _comparable(live) != _comparable(declared):
            yield variable, f"the cluster has {_words(live)}, which is fixed at creation; declared: {_words(declared)}"
    if folded(cluster.at("properties.networkProfile.networkDataplane")) == "cilium" and cluster.network_dataplane != "cilium":
        yield "aks_network_dataplane", f"{cluster.network_dataplane}: the cluster uses cilium, and AKS cannot change this back"


@CHANGES.rule(
    "declare the live values (aks_network_dataplane azure, aks_network_policy none), or replace the nodes yourself first: az aks update "
    "--network-dataplane cilium",
    _CILIUM,
)
def cluster_data_plane(cluster: LiveCluster) -> Iterator[Finding]:
    """A live cluster without Cilium that is declared with it: AKS would replace the nodes of all pools in one operation."""
    live = cluster.at("properties.networkProfile.networkDataplane")
    if live is not None and folded(live) != "cilium" == cluster.network_dataplane:
        yield "aks_network_dataplane", f"cilium: the cluster uses {live}, and this change replaces the nodes of all pools"


def _comparable(value: Any) -> Any:
    """Ranges and addresses by value, text without case and, as regions are written in two ways, without spaces."""
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    try:
        return ipaddress.ip_network(value) if isinstance(value, str) else value
    except ValueError:
        return folded(value)


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@CHANGES.rule("declare the live values; or add a pool with another name, move the workloads, and delete this pool", _AGENT_POOLS)
def pool_fixed(cluster: LiveCluster) -> Iterator[Finding]:
    """A change to a property of a live pool that is fixed at creation."""
    for pool in cluster.node_pools:
        live = cluster.pools.get(folded(pool["name"]))
        declared = agent_pool_profile(pool, cluster.pool_defaults)
        changes = [
            f"{name} is {_words(live[name])} and declared {_words(declared[name])}"
            for name in _fixed_of(declared)
            if live and live.get(name) is not None and _unordered(live[name]) != _unordered(declared[name])
        ]
        if changes:
            yield f"aks_node_pools.{pool['name']}", f"fixed at creation: {'; '.join(changes)}"


def _fixed_of(declared: Mapping[str, Any]) -> list[str]:
    """What of a declared pool is fixed at creation: of Windows the image too; of the disk what is declared."""
    names = ["vmSize", "osType", "vnetSubnetID", "maxPods", "availabilityZones", "osDiskType", "osDiskSizeGB"]
    return [name for name in [*names, *(["osSKU"] if declared["osType"] == "Windows" else [])] if name in declared]


def _unordered(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, list) else str(value).lower()


@CHANGES.rule("scale the workloads down first, or raise max_count", "https://learn.microsoft.com/azure/aks/cluster-autoscaler")
def pool_below_count(cluster: LiveCluster) -> Iterator[Finding]:
    """A max_count below the pool's current number of nodes."""
    for pool in cluster.node_pools:
        count, highest = cluster.pools.get(folded(pool["name"]), {}).get("count"), _whole(pool.get("max_count"))
        if count is not None and highest is not None and count > highest:
            yield f"aks_node_pools.{pool['name']}.max_count", f"{highest}, but the pool has {count} nodes"


@CHANGES.rule("add the new System pool in one run, and change the old pool's mode in the next", _SYSTEM_POOLS)
def last_system_pool(cluster: LiveCluster) -> Iterator[Finding]:
    """A new mode for the last live System pool: pools are written one by one, and AKS always needs a System pool."""
    live = {name for name, pool in cluster.pools.items() if folded(pool.get("mode")) == "system"}
    leaving = {folded(pool["name"]) for pool in cluster.node_pools if pool.get("mode", "User") != "System"} & live
    if live and leaving == live and any(pool.get("mode") == "System" for pool in cluster.node_pools):
        yield "aks_node_pools", f"only {', '.join(sorted(leaving))} is a live System pool, but its new mode is User"


@CHANGES.rule("remove them from the cluster (az aks update --load-balancer-managed-outbound-ip-count 1), or use another aks_outbound_type", _BALANCER)
def outbound_addresses(cluster: LiveCluster) -> Iterator[Finding]:
    """Outbound addresses or prefixes on the live cluster's load balancer: AKS cannot combine them with managed addresses."""
    profile = cluster.at("properties.networkProfile.loadBalancerProfile") or {}
    others = [name for name in ("outboundIPs", "outboundIPPrefixes") if profile.get(name)]
    if cluster.outbound_type == "loadBalancer" and others:
        yield "aks_outbound_type", f"the cluster's load balancer uses {' and '.join(others)}"


@dataclass(frozen=True)
class NodeSubnet:
    """The subnet of the nodes: what is declared of it and of its egress, and what Azure answered of the subnet, of its NAT gateway and of its route
    table; None for what was not read.

    ``is_planned``: it is one of the stamp's own subnets, whose prefixes other rules look at. ``gets_gateway``: the run attaches a NAT gateway.
    ``ranges`` are those of pods and services. ``outbound_type`` is empty where only the subnet is looked at.
    """

    id: str
    is_planned: bool
    subnet: Answer
    outbound_type: str = ""
    gets_gateway: bool = False
    ranges: Mapping[str, Sequence[str]] = field(default_factory=dict)
    gateway: Answer | None = None
    route_table: Answer | None = None

    @property
    def properties(self) -> Mapping[str, Any]:
        return self.subnet.body.get("properties") or {}

    @property
    def prefixes(self) -> list[str]:
        return prefixes_of(self.properties)

    def reference(self, name: str) -> str:
        """The id of the NAT gateway or route table that the subnet has; empty without."""
        return str((self.properties.get(name) or {}).get("id") or "")


NODES = Chapter[NodeSubnet]("aks")


@NODES.rule("correct the id, or remove aks_node_subnet_id to use the subnet nodes of dualstack_subnets", _DUAL_STACK)
def node_subnet_exists(nodes: NodeSubnet) -> Iterator[Finding]:
    """A node subnet that does not exist and that no role creates, or that has only IPv4."""
    if nodes.is_planned:
        return
    if not nodes.subnet.exists:
        yield "aks_node_subnet_id", f"{nodes.id} {nodes.subnet.absence}"
    elif not any(":" in text for text in nodes.prefixes):
        yield "aks_node_subnet_id", f"{nodes.id} has no IPv6 prefix", "add an IPv6 /64 to it, which a dual-stack cluster needs"


@NODES.rule("use a subnet without a delegation for the nodes", "https://learn.microsoft.com/azure/virtual-network/subnet-delegation-overview")
def node_subnet_delegated(nodes: NodeSubnet) -> Iterator[Finding]:
    """Nodes in a subnet that is delegated to another service."""
    services = delegations_of(nodes.subnet.body)
    if services:
        yield "aks_node_subnet_id", f"{nodes.id} is delegated to {', '.join(services)}"


@NODES.rule("use another subnet, or register another range", _OVERLAY)
def node_subnet_overlap(nodes: NodeSubnet) -> Iterator[Finding]:
    """Nodes in a subnet outside the plan that overlaps the pods or Services."""
    for name, texts in nodes.ranges.items():
        for text in texts if not nodes.is_planned else ():
            for prefix in nodes.prefixes:
                if overlaps(read(text, name), read(prefix, "aks_node_subnet_id")):
                    yield "aks_node_subnet_id", f"{prefix} of {nodes.id} overlaps the {name} {text}"


@NODES.rule("attach a StandardV2 NAT gateway to it, or set network_egress to nat_gateway", _NAT)
def node_subnet_gateway(nodes: NodeSubnet) -> Iterator[Finding]:
    """A NAT gateway of the nodes' subnet that does not fit the cluster's outbound type: it is missing, it has only IPv4, or it is a StandardV2
    gateway that breaks the load balancer's outbound IPv6."""
    gateway_id, sku = nodes.reference("natGateway"), ((nodes.gateway.body if nodes.gateway else {}).get("sku") or {}).get("name") or ""
    if nodes.outbound_type == "userAssignedNATGateway" and nodes.subnet.exists and not nodes.gets_gateway and folded(sku) != "standardv2":
        found = f"{gateway_id} of the nodes' subnet has the SKU {sku}, which is IPv4-only" if gateway_id else "the nodes' subnet has no NAT gateway"
        yield "aks_outbound_type", f"userAssignedNATGateway, but {found}"
    if nodes.outbound_type == "loadBalancer" and folded(sku) == "standardv2":
        yield (
            "network_egress",
            f"the nodes' subnet has the NAT gateway {gateway_id}, which breaks the load balancer's outbound IPv6",
            "keep network_egress nat_gateway, or detach the gateway first (az network vnet subnet update --remove natGateway)",
        )


@NODES.rule(
    "use an existing network (network_existing_vnet_id) whose node subnet has a route table with 0.0.0.0/0 and ::/0",
    "https://learn.microsoft.com/azure/aks/egress-udr",
)
def default_route(nodes: NodeSubnet) -> Iterator[Finding]:
    """User-defined routing without a default route."""
    routes = ((nodes.route_table.body if nodes.route_table else {}).get("properties") or {}).get("routes") or ()
    defaults = [found for found in routes if (found.get("properties") or {}).get("addressPrefix") == "0.0.0.0/0"]
    if nodes.outbound_type == "userDefinedRouting" and not defaults and (nodes.is_planned or nodes.subnet.exists):
        table_id = nodes.reference("routeTable")
        found = f"{table_id} has no route for 0.0.0.0/0" if table_id else "the nodes' subnet has no route table"
        yield "aks_outbound_type", f"userDefinedRouting, but {found}"
