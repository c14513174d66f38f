"""What a running cluster refuses of changes to its network, which replace all of its nodes."""

from __future__ import annotations

import datetime
import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from ...kinds import Write
from ...rules import rule
from ..network_profile import (
    Profile,
    address_management,
    data_plane,
    generated_range,
    has_overlay,
    has_pod_ranges,
    is_dual_stack,
    policy_engine,
    reimaging_changes,
)
from ..quota import refused_surges, wanted_surges
from ..scale_sets import PoolMachines, pools_of_cluster
from ..types import CLUSTER
from .shared import DUAL_STACK, OVERLAY, network_profile, node_capacity, pools_of, ranges, refusal

_UPDATE_CNI = "learn.microsoft.com/azure/aks/update-azure-cni"
_DISRUPTION = "learn.microsoft.com/azure/aks/node-disruption-policy"
_ROLLING = "learn.microsoft.com/azure/aks/upgrade-aks-node-pools-rolling"


def _old(write: Write) -> Profile:
    """The network profile that a cluster has; empty for a new one."""
    found: Profile = write.old_properties.get("networkProfile") or {}
    return found


def _becomes_dual_stack(write: Write) -> bool:
    return bool(write.before) and is_dual_stack(network_profile(write)) and not is_dual_stack(_old(write))


def _becomes_overlay(write: Write) -> bool:
    return bool(write.before) and has_overlay(network_profile(write)) and not has_overlay(_old(write))


def _replaces_nodes(write: Write) -> bool:
    """Whether nodes are to be replaced, by this change or by one that did not end."""
    if not write.before:
        return False
    outdated = any(found.outdated for found in pools_of_cluster(write.azure, write.before))
    return outdated or bool(reimaging_changes(_old(write), network_profile(write)))


def _minor(version: Any) -> tuple[int, int] | None:
    found = re.match(r"(\d+)\.(\d+)", str(version))
    return (int(found[1]), int(found[2])) if found else None


@rule("aks-families-stay", CLUSTER, DUAL_STACK)
def no_way_back_to_one_family(write: Write) -> None:
    if is_dual_stack(_old(write)) and not is_dual_stack(network_profile(write)):
        raise refusal("PropertyChangeNotAllowed", "A dual-stack cluster cannot become IPv4-only.", "networkProfile.ipFamilies")


@rule("aks-plugin-mode", CLUSTER, "github.com/Azure/AKS/issues/5662")
def mode_overlay_goes_with_azure(write: Write) -> None:
    profile = network_profile(write)
    if has_overlay(profile) and profile.get("networkPlugin") != "azure":
        raise refusal(
            "UnsupportedNetworkPluginModeWithNetworkPlugin",
            f"NetworkPluginMode overlay is not supported with NetworkPlugin {profile.get('networkPlugin')}.",
            "networkProfile.networkPluginMode",
        )


@rule("aks-one-change", CLUSTER, _UPDATE_CNI)
def addresses_and_data_plane_change_one_at_a_time(write: Write) -> None:
    """The code is assumed."""
    old, new = _old(write), network_profile(write)
    if write.before and address_management(old) != address_management(new) and data_plane(old) != data_plane(new):
        raise refusal("BadRequest", "The network plugin mode and the network dataplane cannot be changed in one operation.", "networkProfile")


@rule("aks-overlay-policy", CLUSTER, "github.com/Azure/AKS/issues/4006")
def no_policy_engine_moves_to_overlay(write: Write) -> None:
    if _becomes_overlay(write) and {policy_engine(_old(write)), policy_engine(network_profile(write))} & {"azure", "calico"}:
        raise refusal("ValidationError", "Cannot update cluster to Azure CNI Overlay while using network policies with Azure CNI v1.")


@rule("aks-overlay-version", CLUSTER, _UPDATE_CNI)
def overlay_version(write: Write) -> None:
    """The code is assumed."""
    minor = _minor(write.properties["kubernetesVersion"])
    if minor and minor < (1, 27) and (_becomes_overlay(write) or _becomes_dual_stack(write)):
        raise refusal(
            "KubernetesVersionNotSupported", "Azure CNI Overlay with an existing cluster needs Kubernetes 1.27 or newer.", "kubernetesVersion"
        )


@rule("aks-overlay-pod-subnet", CLUSTER, _UPDATE_CNI)
def overlay_has_no_pod_subnets(write: Write) -> None:
    """The code is assumed."""
    for pool in pools_of(write):
        if has_overlay(network_profile(write)) and pool.get("podSubnetID"):
            raise refusal(
                "InvalidParameter", f"Pool {pool['name']}: podSubnetID does not go with networkPluginMode overlay.", "agentPoolProfiles.podSubnetID"
            )


@rule("aks-overlay-identity", CLUSTER, _UPDATE_CNI)
def kubenet_leaves_its_route_table_with_an_identity_of_yours(write: Write) -> None:
    """The code is assumed."""
    identity = (write.body.get("identity") or write.before.body.get("identity") or {}) if write.before else {}
    if _becomes_overlay(write) and _old(write).get("networkPlugin") == "kubenet" and identity.get("type") != "UserAssigned":
        raise refusal("InvalidParameter", "Updating from kubenet to Azure CNI Overlay needs a user-assigned managed identity.", "identity")


@rule("aks-overlay-pod-range", CLUSTER, _UPDATE_CNI)
def overlay_range_is_outside_the_network(write: Write) -> None:
    """The code of a missing range is assumed."""
    if not _becomes_overlay(write):
        return
    if not has_pod_ranges(_old(write)) and not _names_pod_ranges(write):
        raise refusal("InvalidParameter", "networkProfile.podCidr is required to update to Azure CNI Overlay.", "networkProfile.podCidr")
    for pool in pools_of(write):
        subnet = pool.get("vnetSubnetID") or ""
        vnet = write.azure.store.get(subnet.rsplit("/", 2)[0]) if subnet else None
        for text in vnet.properties["addressSpace"]["addressPrefixes"] if vnet else ():
            other = ipaddress.ip_network(text)
            for found in ranges(write, "podCidrs"):
                if found.version == other.version and found.overlaps(other):
                    raise refusal("CidrOverlap", f"{found} overlaps with the virtual network's {other}.", "networkProfile.podCidr")


def _names_pod_ranges(write: Write) -> bool:
    sent = write.sent.get("networkProfile") or {}
    return bool(sent.get("podCidr") or sent.get("podCidrs"))


@rule("aks-data-plane-provisioning", CLUSTER, _UPDATE_CNI)
def data_plane_stays_while_nodes_are_provisioned(write: Write) -> None:
    """The code is assumed."""
    is_on = (write.properties.get("nodeProvisioningProfile") or {}).get("mode") == "Auto"
    if write.before and is_on and data_plane(_old(write)) != data_plane(network_profile(write)):
        raise refusal("BadRequest", "The network dataplane cannot be changed while node auto-provisioning is on.", "nodeProvisioningProfile.mode")


@rule("aks-virtual-nodes", CLUSTER, DUAL_STACK)
def dual_stack_has_no_virtual_nodes(write: Write) -> None:
    """The code is assumed."""
    add_on = (write.properties.get("addonProfiles") or {}).get("aciConnectorLinux") or {}
    if is_dual_stack(network_profile(write)) and add_on.get("enabled"):
        raise refusal("DualStackNotSupported", "Virtual nodes (add-on aciConnectorLinux) do not go with dual-stack networking.", "addonProfiles")


@rule("aks-static-egress", CLUSTER, "learn.microsoft.com/azure/aks/configure-static-egress-gateway")
def dual_stack_has_no_static_egress_gateway(write: Write) -> None:
    """The code is assumed."""
    if is_dual_stack(network_profile(write)) and (network_profile(write).get("staticEgressGatewayProfile") or {}).get("enabled"):
        raise refusal("DualStackNotSupported", "The static egress gateway does not go with dual-stack networking.", "networkProfile")


@rule("aks-upgrade-ranges", CLUSTER, DUAL_STACK)
def ipv6_ranges_of_a_running_cluster(write: Write) -> None:
    """Whether Azure takes ranges of the client's is not known: ``up --refuse-ipv6-ranges`` decides. The code is assumed."""
    if write.azure.options.takes_ipv6_ranges or not _becomes_dual_stack(write):
        return
    for name in ("podCidrs", "serviceCidrs"):
        found = ranges(write, name)
        if len(found) > 1 and str(found[1]) != generated_range(write.id, name):
            raise refusal("PropertyChangeNotAllowed", f"Changing property 'networkProfile.{name}' is not allowed.", f"networkProfile.{name}")


@rule("aks-upgrade-quota", CLUSTER, _ROLLING)
def quota_has_surge_nodes(write: Write) -> None:
    if not write.before or not _replaces_nodes(write):
        return
    for name, (wanted, left) in refused_surges(write.azure, write.body | {"location": write.before.body["location"]}, _machines(write)).items():
        where = f"regional vcpu quota left for location {write.before.body['location']}" if name == "cores" else f"vcpu quota left for family {name}"
        raise refusal("ErrCode_InsufficientVCPUQuota", f"Insufficient {where}: {left} left, {wanted} requested for surge nodes.")


@rule("aks-upgrade-capacity", CLUSTER, OVERLAY)
def surge_nodes_have_pod_ranges(write: Write) -> None:
    if not write.before or not has_pod_ranges(network_profile(write)) or not _replaces_nodes(write):
        return
    machines = _machines(write)
    nodes = sum(found.pool.properties["count"] for found in machines) + sum(wanted_surges(machines).values())
    room = node_capacity(ranges(write, "podCidrs")[0])
    if nodes > room:
        raise refusal("InsufficientPodCidr", f"The pod CIDR has room for {room} nodes; with surge nodes there would be {nodes}.")


def _machines(write: Write) -> list[PoolMachines]:
    """The scale sets of a cluster, with the settings and counts that the write gives its pools."""
    assert write.before is not None
    sent = {pool["name"].lower(): pool for pool in pools_of(write)}
    found = pools_of_cluster(write.azure, write.before)
    for machines in found:
        machines.pool = machines.pool.with_properties(sent.get(machines.pool.name.lower(), {}))
    return found


@rule("aks-node-disruption", CLUSTER, _DISRUPTION)
def node_disruption_policy_allows_it(write: Write) -> None:
    """The code is assumed."""
    if not write.before or not reimaging_changes(_old(write), network_profile(write)):
        return
    given = write.properties.get("nodeDisruptionProfile") or write.before.hidden.get("nodeDisruptionProfile") or {}
    policy = given.get("nodeDisruptionPolicy", "Allow")
    window = write.azure.store.get(f"{write.id}/maintenanceConfigurations/aksManagedNodeOSUpgradeSchedule")
    outside = policy == "AllowDuringMaintenanceWindow" and window and not is_open(window.properties.get("maintenanceWindow") or {}, _now())
    if policy == "Block" or outside:
        raise refusal(
            "OperationNotAllowed",
            f"The operation reimages nodes, which the node disruption policy {policy} of the cluster does not allow now.",
            "nodeDisruptionProfile.nodeDisruptionPolicy",
        )


@rule("aks-node-group-locked", CLUSTER, "github.com/Azure/AKS/issues/3291")
def group_of_nodes_is_not_locked(write: Write) -> None:
    """Any lock on the group or on something in it; the message is a user's report of a pool that was to be scaled, the code is assumed."""
    if not _replaces_nodes(write):
        return
    group = write.properties["nodeResourceGroup"]
    prefix = f"/subscriptions/{write.azure.options.subscription}/resourcegroups/{group}/".lower()
    if any(f"{lock.id}".lower().startswith(prefix) for lock in write.azure.store.of_type("Microsoft.Authorization/locks")):
        subscription = write.azure.options.subscription
        message = f"Resource group '{group}' under subscription: '{subscription}' is locked, please remove lock and retry."
        raise refusal("ScopeLocked", message, "nodeResourceGroup")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def is_open(window: Mapping[str, Any], moment: datetime.datetime) -> bool:
    """Whether a maintenance window with a daily or weekly schedule is open; others are closed in the lab."""
    offset = datetime.datetime.strptime(window.get("utcOffset") or "+00:00", "%z").utcoffset() or datetime.timedelta()
    hour, _, minute = str(window.get("startTime") or "00:00").partition(":")
    schedule = window.get("schedule") or {}
    day = (schedule.get("weekly") or {}).get("dayOfWeek")
    if not day and "daily" not in schedule:
        return False
    local = moment + offset
    for back in range(2):
        begins = (local - datetime.timedelta(days=back)).replace(hour=int(hour), minute=int(minute or 0), second=0, microsecond=0)
        meant = not day or begins.strftime("%A").lower() == day.lower()
        if meant and begins <= local < begins + datetime.timedelta(hours=int(window.get("durationHours") or 4)):
            return True
    return False
