"""How a cluster's network works: where pods get their addresses, what forwards packets, who enforces network policies, and the families.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._resource_id import folded

#: engines of network policies that a dual-stack cluster cannot have
ENGINES = ("azure", "calico")


@dataclass(frozen=True)
class Networking:
    """``ipam`` is one of overlay, node_subnet, pod_subnet, kubenet and none, a CNI plugin of the user's own; ``dataplane`` azure or cilium;
    ``policy`` none, azure (Azure network policy manager), calico or cilium."""

    ipam: str
    dataplane: str
    policy: str
    families: tuple[str, ...] = ("ipv4",)

    @property
    def is_dual_stack(self) -> bool:
        return "ipv6" in self.families

    @property
    def has_engine(self) -> bool:
        """Whether network policies are enforced by an engine that a dual-stack cluster cannot have."""
        return self.policy in ENGINES


def profile_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The network profile of a cluster as Azure answers it."""
    return (body.get("properties") or {}).get("networkProfile") or {}


def networking_of(body: Mapping[str, Any]) -> Networking:
    """Of a cluster as Azure answers it."""
    profile = profile_of(body)
    return Networking(
        ipam=_ipam(body),
        dataplane=folded(profile.get("networkDataplane") or "azure"),
        policy=folded(profile.get("networkPolicy") or "none"),
        families=tuple(map(folded, profile.get("ipFamilies") or ("IPv4",))),
    )


def _ipam(body: Mapping[str, Any]) -> str:
    profile = profile_of(body)
    # The default of the API if the property is missing; Azure returns it in full.
    plugin, mode = folded(profile.get("networkPlugin") or "kubenet"), folded(profile.get("networkPluginMode") or "")
    if plugin != "azure":
        return plugin
    if mode == "overlay":
        return "overlay"
    pools = (body.get("properties") or {}).get("agentPoolProfiles") or ()
    return "pod_subnet" if any(pool.get("podSubnetID") for pool in pools) else "node_subnet"


def ranges_of(body: Mapping[str, Any], name: str) -> list[str]:
    """The ranges of ``pod`` or ``service``, IPv4 first; empty where pods have addresses of the nodes' subnet."""
    profile = profile_of(body)
    single = profile.get(f"{name}Cidr")
    return list(profile.get(f"{name}Cidrs") or ([single] if single else []))
