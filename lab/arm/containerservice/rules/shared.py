"""What the rules of clusters and of pools have in common."""

from __future__ import annotations

import ipaddress
from typing import Any

from ...errors import ArmError
from ...kinds import Write

DUAL_STACK = "learn.microsoft.com/azure/aks/configure-dual-stack"
OVERLAY = "learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay"


def refusal(code: str, message: str, target: str = "") -> ArmError:
    """The error that AKS answers a bad request with."""
    return ArmError(400, code, message, target=target)


def network_profile(write: Write) -> dict[str, Any]:
    found: dict[str, Any] = write.properties["networkProfile"]
    return found


def is_dual_stack(write: Write) -> bool:
    return "IPv6" in network_profile(write)["ipFamilies"]


def pools_of(write: Write) -> list[dict[str, Any]]:
    """The pools in a cluster's body."""
    return list(write.properties["agentPoolProfiles"])


def ranges(write: Write, name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """A list of CIDRs in a cluster's network profile; a malformed one is refused."""
    try:
        return [ipaddress.ip_network(text) for text in network_profile(write).get(name) or []]
    except ValueError as error:
        raise refusal("InvalidCIDRNotation", f"networkProfile.{name}: {error}.", name) from error


def node_capacity(pods: ipaddress.IPv4Network | ipaddress.IPv6Network) -> int:
    """Nodes that fit into the IPv4 pod range; no cluster has more than 5000."""
    return min(5000, 1 << max(0, 24 - pods.prefixlen))
