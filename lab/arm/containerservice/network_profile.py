"""A cluster's network profile: its ranges in all spellings that Azure takes, and which changes of it replace every node."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from .. import ids

#: list of ranges -> its IPv4 member's own property, and the default of that
_RANGES = {"podCidrs": ("podCidr", "10.244.0.0/16"), "serviceCidrs": ("serviceCidr", "10.0.0.0/16")}
_LENGTHS = {"podCidrs": 64, "serviceCidrs": 108}

type Profile = Mapping[str, Any]


def has_overlay(profile: Profile) -> bool:
    return profile.get("networkPluginMode") == "overlay"


def has_pod_ranges(profile: Profile) -> bool:
    """Pods of Azure CNI without overlay have addresses of the nodes' subnet."""
    return profile.get("networkPlugin") != "azure" or has_overlay(profile)


def is_dual_stack(profile: Profile) -> bool:
    return "IPv6" in (profile.get("ipFamilies") or ())


def pod_ranges(profile: Profile) -> list[str]:
    """Where the lab's nodes take their pods' ranges from, also without overlay, which it has as objects only."""
    return list(profile.get("podCidrs") or [_RANGES["podCidrs"][1]])


def data_plane(profile: Profile) -> str:
    return str(profile.get("networkDataplane") or "azure")


def address_management(profile: Profile) -> tuple[str, str]:
    """How pods get their addresses: plugin and mode."""
    return str(profile.get("networkPlugin") or ""), str(profile.get("networkPluginMode") or "")


def policy_engine(profile: Profile) -> str:
    return str(profile.get("networkPolicy") or "none")


def reimaging_changes(old: Profile, new: Profile) -> list[str]:
    """The properties whose change makes AKS replace all nodes of all pools (learn.microsoft.com/azure/aks/node-disruption-policy)."""
    facts = {
        "ipFamilies": is_dual_stack,
        "networkPluginMode": address_management,
        "networkDataplane": data_plane,
        "networkPolicy": policy_engine,
    }
    return [name for name, fact in facts.items() if fact(old) != fact(new)]


def generated_range(cluster: str, name: str) -> str:
    """The IPv6 range that AKS chooses when none is given: unique local, and no two of them share a /48 (recorded)."""
    digits = ids.stable_uuid(cluster, "range", name).replace("-", "")
    return str(ipaddress.ip_network(f"fd{digits[:2]}:{digits[2:6]}:{digits[6:10]}:{digits[10:14]}::/{_LENGTHS[name]}"))


def complete_ranges(cluster: str, profile: dict[str, Any], old: Profile) -> None:
    """Fill in the ranges that a body leaves out, and keep the lists only: Azure shows the IPv4 members beside them.

    A cluster that becomes dual-stack may send its IPv4 members alone (recorded of ``az aks update --ip-families``).
    """
    for name, (single_name, default) in _RANGES.items():
        single, given = profile.pop(single_name, None), profile.pop(name, None)
        known = list(old.get(name) or [])
        if single and given == known:
            # az changes the one, and sends the other as it has read it.
            given = [single, *known[1:]]
        found = list(given or ([single] if single else known or [default]))
        if is_dual_stack(profile) and len(found) == 1 and (old or not given):
            found += known[1:] or [generated_range(cluster, name)]
        if name != "podCidrs" or has_pod_ranges(profile):
            profile[name] = found
