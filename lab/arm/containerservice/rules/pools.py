"""What agent pools refuse, in a cluster's body and on their own."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from ... import ids
from ...azure import Azure
from ...kinds import Write
from ...network.bodies import prefixes_of
from ...rules import delete_rule, rule
from ...store import Resource
from ..network_profile import has_pod_ranges
from ..types import CLUSTER, MAINTENANCE, POOL
from .shared import OVERLAY, network_profile, node_capacity, pools_of, ranges, refusal

_POOLS = "learn.microsoft.com/azure/aks/create-node-pools"
_POOL_API = "learn.microsoft.com/rest/api/aks/agent-pools/create-or-update"
_SYSTEM_POOLS = "learn.microsoft.com/azure/aks/use-system-pools"


@rule("aks-system-pool", CLUSTER, _SYSTEM_POOLS)
def there_is_a_system_pool(write: Write) -> None:
    if not any(pool.get("mode") == "System" for pool in pools_of(write)):
        raise refusal("InvalidParameter", "Must define at least one system pool.", "agentPoolProfiles")


@rule("aks-pool-stays-system", POOL, _SYSTEM_POOLS)
def last_system_pool_keeps_its_mode(write: Write) -> None:
    others = [pool for pool in write.azure.store.children(ids.parse(write.id).parent, "agentPools") if pool.key != write.id.lower()]
    if write.properties["mode"] != "System" and not any(pool.properties.get("mode") == "System" for pool in others):
        raise refusal("InvalidParameter", "Must define at least one system pool.", "agentPoolProfile.mode")


@rule("aks-pool-names", CLUSTER, _POOLS)
def pool_names_are_unique(write: Write) -> None:
    names = [pool["name"].lower() for pool in pools_of(write)]
    for name in names:
        if names.count(name) > 1:
            raise refusal("InvalidParameter", f"agentPoolProfiles has more than one pool with the name {name}.", "agentPoolProfile.name")


@rule("aks-pool-introduced", CLUSTER, _POOL_API)
def pools_come_on_their_own(write: Write) -> None:
    known = {pool.name.lower() for pool in write.azure.store.children(write.id, "agentPools")}
    if write.before and any(pool["name"].lower() not in known for pool in pools_of(write)):
        raise refusal(
            "BadRequest",
            "A new agent pool was introduced. Adding agent pools to an existing cluster is not allowed through managed cluster operations. "
            "For agent pool specific change, please use per agent pool operations: https://aka.ms/agent-pool-rest-api",
            "agentPoolProfiles",
        )


def _check_counts(name: str, pool: dict[str, Any]) -> None:
    lowest = 1 if pool["mode"] == "System" else 0
    for field in ("count", *(("minCount", "maxCount") if pool["enableAutoScaling"] else ())):
        if not lowest <= pool.get(field, -1) <= 1000:
            raise refusal(
                "InvalidParameter",
                f"The value of parameter agentPoolProfile.{field} is invalid: pool {name} of mode {pool['mode']} takes {lowest} to 1000.",
                f"agentPoolProfile.{field}",
            )
    if pool["enableAutoScaling"] and pool["minCount"] > pool["maxCount"]:
        raise refusal("InvalidParameter", f"Pool {name}: minCount {pool['minCount']} is more than maxCount {pool['maxCount']}.", "minCount")
    if pool["enableAutoScaling"] and not pool["minCount"] <= pool["count"] <= pool["maxCount"]:
        raise refusal(
            "InvalidParameter",
            f"agentPoolProfile.count was {pool['count']}. It must be greater or equal to minCount:{pool['minCount']} "
            f"and less than or equal to maxCount:{pool['maxCount']}.",
            "agentPoolProfile.count",
        )


@rule("aks-cluster-pool-counts", CLUSTER, _POOL_API)
def counts_in_the_cluster(write: Write) -> None:
    for pool in pools_of(write):
        _check_counts(pool["name"], pool)


@rule("aks-pool-counts", POOL, _POOL_API)
def counts_of_a_pool(write: Write) -> None:
    _check_counts(ids.parse(write.id).name, write.properties)


@rule("aks-pool-immutable", POOL, _POOL_API)
def pool_keeps_its_machines(write: Write) -> None:
    for name in ("vmSize", "osType", "vnetSubnetID", "maxPods", "availabilityZones", "osDiskType", "osDiskSizeGB"):
        before, after = write.old_properties.get(name), write.properties.get(name)
        if isinstance(after, list):
            before, after = sorted(before or []), sorted(after)
        if write.before and after and str(before).lower() != str(after).lower():
            raise refusal("PropertyChangeNotAllowed", f"Changing property 'agentPoolProfile.{name}' is not allowed.", f"agentPoolProfile.{name}")


#: Windows image -> the oldest and newest minor version of Kubernetes 1 that it is there for
_WINDOWS = {"Windows2019": range(14, 33), "Windows2022": range(23, 37), "Windows2025": range(32, 1000)}


def _check_windows(name: str, pool: dict[str, Any], plane: str, version: str) -> None:
    """Sources: learn.microsoft.com/azure/aks/windows-vs-linux-containers, github.com/jenkins-infra/azure/pull/284 (the name's code),
    github.com/Azure/AKS/releases/tag/2026-06-19 (images). The codes of mode and image are assumed."""
    if len(name) > 6:
        raise refusal("WindowsAgentPoolNameTooLong", "Windows agent pool name can not be longer than 6 characters.", "name")
    if plane == "cilium":
        raise refusal("WindowsNotSupported", f"Pool {name}: Windows does not go with networkDataplane cilium.")
    if pool["mode"] == "System":
        raise refusal("InvalidParameter", f"Windows agent pool {name} cannot be a system pool.", "agentPoolProfile.mode")
    image, minor = pool["osSKU"], re.match(r"1\.(\d+)", version)
    if minor is None or int(minor[1]) not in _WINDOWS.get(image, ()):
        raise refusal("InvalidOSSKU", f"OSSKU {image} of Windows agent pool {name} is not supported with Kubernetes {version}.", "osSKU")


def _check_pool(name: str, pool: dict[str, Any], cluster: dict[str, Any]) -> None:
    """``cluster`` are the properties of the pool's."""
    if pool["osType"] == "Windows":
        _check_windows(name, pool, cluster["networkProfile"].get("networkDataplane", "azure"), cluster["kubernetesVersion"])
    if not re.fullmatch(r"[a-z][a-z0-9]{0,11}", name):
        raise refusal("InvalidParameter", f"The pool name {name} must be 1 to 12 lower-case letters and digits, a letter first.", "name")
    if not 10 <= pool["maxPods"] <= 250:
        raise refusal("InvalidMaxPods", f"Pool {name}: maxPods {pool['maxPods']} is out of range: 10 to 250.", "maxPods")


@rule("aks-cluster-pools", CLUSTER, _POOLS)
def pools_in_the_cluster(write: Write) -> None:
    for pool in pools_of(write):
        _check_pool(pool["name"], pool, write.properties)


@rule("aks-pool", POOL, _POOLS)
def pool_of_its_own(write: Write) -> None:
    cluster = write.azure.get(ids.parse(write.id).parent)
    target = write.properties.get("vnetSubnetID")
    subnet = write.azure.store.get(target) if target else None
    if target and subnet is None:
        raise refusal("InvalidParameter", f"The subnet {target} was not found.", "vnetSubnetID")
    versions = {ipaddress.ip_network(prefix).version for prefix in prefixes_of(subnet.properties)} if subnet else {4, 6}
    if "IPv6" in cluster.properties["networkProfile"]["ipFamilies"] and 6 not in versions:
        raise refusal("SubnetNotDualStack", f"The subnet {target} has no IPv6 prefix; a dual-stack cluster needs one.", "vnetSubnetID")
    _check_pool(ids.parse(write.id).name, write.properties, cluster.properties)


@rule("aks-pool-subnet", POOL, _POOLS)
def subnet_of_a_pool_serves(write: Write) -> None:
    cluster = write.azure.get(ids.parse(write.id).parent)
    subnet = write.azure.store.get(write.properties.get("vnetSubnetID") or "")
    if subnet is None:
        return
    if subnet.properties.get("delegations"):
        raise refusal("SubnetIsDelegated", f"The subnet {subnet.id} of the pool must not be delegated.", "vnetSubnetID")
    profile = cluster.properties["networkProfile"]
    for text in (*(profile.get("podCidrs") or ()), *profile["serviceCidrs"]):
        for prefix in prefixes_of(subnet.properties):
            one, other = ipaddress.ip_network(text), ipaddress.ip_network(prefix)
            if one.version == other.version and one.overlaps(other):
                raise refusal("CidrOverlap", f"{one} overlaps with the node subnet {other}.", "vnetSubnetID")


@rule("aks-pool-capacity", POOL, OVERLAY)
def pods_have_room(write: Write) -> None:
    """Each node takes a /24 of the IPv4 pod range."""
    cluster = write.azure.get(ids.parse(write.id).parent)
    if not has_pod_ranges(cluster.properties["networkProfile"]):
        return
    nodes = sum(
        pool.properties.get("maxCount") or pool.properties["count"]
        for pool in write.azure.store.children(cluster.id, "agentPools")
        if pool.key != write.id.lower()
    )
    nodes += write.properties.get("maxCount") or write.properties["count"]
    room = node_capacity(ipaddress.ip_network(cluster.properties["networkProfile"]["podCidrs"][0]))
    if nodes > room:
        raise refusal("InsufficientPodCidr", f"The pod CIDR has room for {room} nodes; the pools may grow to {nodes}.")


@rule("aks-cluster-capacity", CLUSTER, OVERLAY)
def inline_pools_have_room(write: Write) -> None:
    if not has_pod_ranges(network_profile(write)):
        return
    nodes = sum(pool.get("maxCount") or pool["count"] for pool in pools_of(write))
    room = node_capacity(ranges(write, "podCidrs")[0])
    if nodes > room:
        raise refusal("InsufficientPodCidr", f"The pod CIDR has room for {room} nodes; the pools may grow to {nodes}.")


@rule("aks-maintenance-name", MAINTENANCE, "learn.microsoft.com/azure/aks/planned-maintenance")
def maintenance_names(write: Write) -> None:
    known = ("default", "aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule")
    if ids.parse(write.id).name.lower() not in {name.lower() for name in known}:
        raise refusal("InvalidParameter", f"A maintenance configuration is called {', '.join(known)}.")


@delete_rule("aks-last-system-pool", POOL, _SYSTEM_POOLS)
def last_system_pool_stays(azure: Azure, resource: Resource) -> None:
    cluster = ids.parse(resource.id).parent
    others = [pool for pool in azure.store.children(cluster, "agentPools") if pool.key != resource.key and pool.properties.get("mode") == "System"]
    if resource.properties.get("mode") == "System" and not others:
        raise refusal("OperationNotAllowed", f"{resource.name} is the last System pool of the cluster and cannot be deleted.")
