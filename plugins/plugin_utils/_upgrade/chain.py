"""The chain of steps from an IPv4-only cluster to a dual-stack one. Each step is one PUT of the cluster, and reimages every node of every pool.

This file is private to the collection.

Sources: learn.microsoft.com/azure/aks/update-azure-cni (what may become what; IPAM mode and data plane never change in one PUT; the move to
overlay needs a cluster without Azure network policy manager or Calico), learn.microsoft.com/azure/aks/configure-dual-stack (what a dual-stack
cluster is), learn.microsoft.com/azure/aks/node-disruption-policy (what reimages nodes). That Azure takes the ranges of pods and Services with their
IPv4 member alone, and draws the IPv6 ones, was recorded in November 2024 by the Azure CLI's test of an update to dual-stack.
"""

from __future__ import annotations

import contextlib
import copy
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .._addresses.plan import DEFAULT_POOLS
from .._addresses.ranges import FreeIPv4, NoRoom, ends, overlaps
from .networking import Networking, networking_of, profile_of, ranges_of
from .settings import POLICIES_TAG

POLICY_NONE, OVERLAY, CILIUM, DUAL_STACK = KINDS = ("policy_none", "overlay", "cilium", "dual_stack")

#: who enforces network policies afterwards: Cilium where an engine does now, Cilium, or nobody (a cluster that has Cilium keeps it)
KEEP, WITH_CILIUM, WITHOUT = POLICIES = ("keep", "cilium", "none")

#: kind -> what a step does, in words
TITLES = {
    POLICY_NONE: "remove the network policy engine",
    OVERLAY: "move pods to an overlay (Azure CNI Overlay)",
    CILIUM: "replace the data plane and the network policy engine with Cilium",
    DUAL_STACK: "add IPv6 to the cluster",
}
#: kind -> why there is no way back; kinds that can be undone are missing
IRREVERSIBLE = {
    OVERLAY: "AKS has no way back from overlay",
    CILIUM: "this collection never removes Cilium: dual-stack network policies need it",
    DUAL_STACK: "AKS has no way back to IPv4 alone",
}
#: pods of an overlay where neither the register nor the cluster has a range for them
_DEFAULT_PODS = "10.244.0.0/16"
#: what AKS refuses for pods (learn.microsoft.com/azure/aks/concepts-network-cni-overview)
_RESERVED = ("169.254.0.0/16", "192.0.2.0/24", "172.30.0.0/16", "172.31.0.0/16")
#: an overlay gives each node a prefix of this length
NODE_LENGTH = 24


@dataclass(frozen=True)
class Ranges:
    """The ranges that a chain gives the cluster; an empty one is left to Azure. ``pods_ipv4`` is for pods that have none of their own yet."""

    pods_ipv4: str = ""
    pods_ipv6: str = ""
    services_ipv6: str = ""


@dataclass(frozen=True)
class Step:
    """One PUT. ``change`` is what it changes of the network profile: dotted path -> value. ``after`` is what the cluster is then.

    ``tags`` are those of the cluster that it sets: a cluster whose engine is gone does not tell by itself that Cilium is to follow.
    """

    kind: str
    change: Mapping[str, Any]
    after: Networking
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return TITLES[self.kind]

    @property
    def irreversible(self) -> str:
        """Why there is no way back; empty where there is one."""
        return IRREVERSIBLE.get(self.kind, "")


def kinds_of(networking: Networking, policies: str = KEEP) -> tuple[str, ...] | None:
    """The steps from here to dual-stack; empty for a cluster that is, None where no chain leads there.

    ``policies`` is one of :data:`POLICIES`: who enforces network policies afterwards. Between two steps a tag of the cluster says it, see
    :func:`policies_of`.
    """
    if networking.is_dual_stack:
        return ()
    if networking.ipam not in ("overlay", "node_subnet", "kubenet"):
        return None
    wants_cilium = networking.dataplane != "cilium" and (policies == WITH_CILIUM or (policies == KEEP and networking.has_engine))
    if networking.ipam == "kubenet":
        # Cilium needs Azure CNI, and the move to Azure CNI a cluster without an engine.
        steps = [*([POLICY_NONE] if networking.has_engine else []), OVERLAY, *([CILIUM] if wants_cilium else [])]
    else:
        first = CILIUM if wants_cilium else POLICY_NONE if networking.has_engine else ""
        steps = [*([first] if first else []), *([OVERLAY] if networking.ipam == "node_subnet" else [])]
    return (*steps, DUAL_STACK)


def policies_of(body: Mapping[str, Any], requested: str) -> str:
    """Who enforces network policies afterwards: as requested, or Cilium if an earlier run removed the engine to replace it."""
    noted = str((body.get("tags") or {}).get(POLICIES_TAG) or "")
    return noted if requested == KEEP and noted in POLICIES else requested


def chain(body: Mapping[str, Any], policies: str = KEEP, ranges: Ranges | None = None) -> tuple[Step, ...] | None:
    """The steps of a cluster as Azure answers it, as :func:`kinds_of` names them."""
    kinds = kinds_of(networking_of(body), policies_of(body, policies))
    if kinds is None:
        return None
    steps: list[Step] = []
    for kind in kinds:
        change = _change(kind, body, ranges or Ranges())
        body = changed(body, change)
        tags = {POLICIES_TAG: WITH_CILIUM} if kind == POLICY_NONE and CILIUM in kinds else {}
        steps.append(Step(kind, change, networking_of(body), tags))
    return tuple(steps)


def body_after(body: Mapping[str, Any], step: Step) -> dict[str, Any]:
    """What a step sends of a cluster: all that it has, with the change of the step."""
    result = changed(body, step.change)
    if step.tags:
        result["tags"] = {**(result.get("tags") or {}), **step.tags}
    return result


def changed(body: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A cluster's body with the change of a step: all else is as it was."""
    result: dict[str, Any] = copy.deepcopy(dict(body))
    profile = result.setdefault("properties", {}).setdefault("networkProfile", {})
    for path, value in change.items():
        *parents, name = path.split(".")
        place = profile
        for parent in parents:
            # What Azure answers as null is not there.
            place[parent] = place.get(parent) or {}
            place = place[parent]
        place[name] = copy.deepcopy(value)
    return result


def _change(kind: str, body: Mapping[str, Any], ranges: Ranges) -> dict[str, Any]:
    if kind == POLICY_NONE:
        return {"networkPolicy": "none"}
    if kind == CILIUM:
        return {"networkDataplane": "cilium", "networkPolicy": "cilium"}
    if kind == OVERLAY:
        # kubenet keeps its pods' range; pods of the nodes' subnet need one of their own.
        pods = {} if ranges_of(body, "pod") else {"podCidr": ranges.pods_ipv4 or _DEFAULT_PODS}
        return {"networkPlugin": "azure", "networkPluginMode": "overlay", **pods}
    return {"ipFamilies": ["IPv4", "IPv6"], **_both_families(body, ranges), **_outbound(body)}


def _both_families(body: Mapping[str, Any], ranges: Ranges) -> dict[str, Any]:
    """Ranges of both families, where those of IPv6 are given; Azure takes both lists or neither."""
    pods, services = ranges_of(body, "pod"), ranges_of(body, "service")
    if not (pods and services and ranges.pods_ipv6 and ranges.services_ipv6):
        return {}
    return {"podCidrs": [pods[0], ranges.pods_ipv6], "serviceCidrs": [services[0], ranges.services_ipv6]}


def _outbound(body: Mapping[str, Any]) -> dict[str, Any]:
    """One address of IPv6 where AKS itself makes those that nodes leave from (learn.microsoft.com/azure/aks/configure-dual-stack)."""
    profile = profile_of(body)
    kind = str(profile.get("outboundType") or "loadBalancer").lower()
    balancer = profile.get("loadBalancerProfile") or {}
    if kind == "loadbalancer" and not balancer.get("outboundIPs") and not balancer.get("outboundIPPrefixes"):
        return {"loadBalancerProfile.managedOutboundIPs.countIPv6": (balancer.get("managedOutboundIPs") or {}).get("countIPv6") or 1}
    if kind == "managednatgateway":
        return {"natGatewayProfile.managedOutboundIPProfile.countIPv6": 1}
    return {}


def without_ranges(step: Step) -> Step:
    """The same step with the ranges of IPv6 left to Azure, for an Azure that takes none at this moment."""
    return replace(step, change={path: value for path, value in step.change.items() if path not in ("podCidrs", "serviceCidrs")})


def overlay_pods(body: Mapping[str, Any], nodes: int, taken: Iterable[str]) -> str:
    """An IPv4 range for pods of an overlay: the cluster's own one, else one with room for ``nodes`` that touches none of ``taken``.

    Empty where there is no room. ``taken`` are prefixes of either family: networks, peers, Services.
    """
    own = [text for text in ranges_of(body, "pod") if ":" not in text]
    if own:
        return own[0]
    found = [ipaddress.ip_network(text, strict=False) for text in (*taken, *_RESERVED)]
    used = [network for network in found if network.version == 4]
    length = min(16, NODE_LENGTH - (max(nodes, 1) - 1).bit_length())
    default = ipaddress.ip_network(_DEFAULT_PODS)
    if length == default.prefixlen and not any(overlaps(default, network) for network in used):
        return _DEFAULT_PODS
    for pool in (*DEFAULT_POOLS["pods"], "172.16.0.0/12", "192.168.0.0/16"):
        with contextlib.suppress(NoRoom):
            return str(ipaddress.IPv4Network((FreeIPv4([ipaddress.IPv4Network(pool)], map(ends, used)).find(length), length)))
    return ""
