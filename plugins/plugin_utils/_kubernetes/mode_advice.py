"""Which ingress mode fits a cluster and its applications, and why the others do not.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .entrances import MODES

EDGES = ("load_balancer", "application_gateway", "front_door")
POLICIES = ("cilium", "azure", "calico", "none")
SYSTEMS = ("Linux", "Windows")

#: what is taken for granted where nothing is said: the seed's starting point, applications on IPv4 that stay as they are
DEFAULTS: dict[str, Any] = {
    "kubernetes_version": "1.36",
    "node_os": ["Linux"],
    "network_policy": "cilium",
    "edge": "load_balancer",
    "services": 1,
    "long_lived_share": 0.0,
    "services_dual_stack": False,
    "application_listens_ipv4": True,
    "application_listens_ipv6": False,
}


class MalformedSituation(ValueError):
    """A situation that cannot be."""


@dataclass
class Advice:
    mode: str
    reasons: list[str] = field(default_factory=list)
    rejected: dict[str, list[str]] = field(default_factory=dict)


def ingress_mode_advice(situation: Mapping[str, Any]) -> Advice:
    """The mode for a situation; every mode that cannot be is rejected with its reasons. Raises :class:`MalformedSituation`.

    The fewest things to look after win: ``native`` needs one Service a function and translates nothing, ``split`` needs two, and
    ``nat64`` and ``nat46`` leave the Services as they are.
    """
    said = _checked(situation)
    rejected = {mode: reasons for mode in MODES if (reasons := _against(mode, said))}
    order = ("native", "split", "nat64", "nat46") if said["services_dual_stack"] else ("nat64", "nat46", "split", "native")
    mode = next(mode for mode in order if mode not in rejected)
    return Advice(mode, _for(mode, said), rejected)


def _against(mode: str, said: Mapping[str, Any]) -> list[str]:
    reasons = []
    if not said["application_listens_ipv4"] and mode != "nat46":
        reasons.append("the application does not listen on IPv4: IPv4 clients need translation")
    if not said["application_listens_ipv6"] and mode != "nat64":
        reasons.append("the application does not listen on IPv6: IPv6 clients need translation")
    if mode == "native":
        # AKS made dual-stack Services whole with 1.27 (learn.microsoft.com/azure/aks/configure-dual-stack).
        if _minor(said["kubernetes_version"]) < (1, 27):
            reasons.append(f"Kubernetes {said['kubernetes_version']} is older than 1.27, the first version with dual-stack Services in AKS")
        if not said["services_dual_stack"]:
            reasons.append("the Services are not dual-stack; the filter service_family_change shows how to change each of them")
    return reasons


def _for(mode: str, said: Mapping[str, Any]) -> list[str]:
    number = said["services"]
    reasons = {
        "nat64": [
            "no Service changes: the IPv6 entrance translates to their IPv4 addresses",
            # Measured: docs/docsite/rst/benchmarks.rst, beside the ordinary IPv4 entrance.
            "translating in the proxy costs hardly more than proxying within one family: 0.97 times the requests, 1.06 times the CPU",
        ],
        "nat46": ["no Service changes: the IPv4 entrance translates to their IPv6 addresses"],
        "split": [
            f"the families stay separate, but each Service needs a second one, {number} in all",
            "the existing Services do not change",
        ],
        "native": ["the families stay separate, with one Service each and without translation"],
    }[mode]
    if mode in ("nat64", "nat46") and said["long_lived_share"] > 0.5:
        # Measured: for 6,400 requests of 32 clients the proxies opened 33 connections to the application (docs/docsite/rst/entrances.rst).
        reasons.append("most connections are kept open, so opening them twice costs little")
    if said["edge"] == "application_gateway":
        # Its frontends are dual-stack since 2024-03, its backends are not:
        # learn.microsoft.com/azure/application-gateway/ipv6-application-gateway-portal
        reasons.append("Application Gateway reaches its backends only over IPv4: it uses only the IPv4 entrance")
    if said["edge"] == "front_door":
        # It answers clients in both families by itself and may use either to its origin.
        reasons.append("Front Door answers both families itself: an IPv6 entrance serves only clients that bypass it")
    if said["network_policy"] in ("azure", "calico"):
        # learn.microsoft.com/azure/aks/azure-cni-overlay, dual-stack limitations
        reasons.append(f"network policy {said['network_policy']} is not supported in a dual-stack cluster: change to cilium or none first")
    if said["network_policy"] == "cilium" and "Windows" in said["node_os"]:
        # learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium, limitations
        reasons.append("Azure CNI powered by Cilium does not support Windows pools: they need network policy none")
    return reasons


def _checked(situation: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(situation) - set(DEFAULTS))
    if unknown:
        raise MalformedSituation(f"unknown keys: {', '.join(unknown)}; known are {', '.join(DEFAULTS)}.")
    said = DEFAULTS | dict(situation)
    for key, allowed in (("network_policy", POLICIES), ("edge", EDGES)):
        if said[key] not in allowed:
            raise MalformedSituation(f"{key} {said[key]!r} is not one of {', '.join(allowed)}.")
    if not said["node_os"] or any(system not in SYSTEMS for system in said["node_os"]):
        raise MalformedSituation(f"node_os {said['node_os']!r} is not a list of {' and '.join(SYSTEMS)}.")
    if isinstance(said["services"], bool) or not isinstance(said["services"], int) or said["services"] < 0:
        raise MalformedSituation(f"services {said['services']!r} is not a number of Services.")
    if not isinstance(said["long_lived_share"], int | float) or not 0 <= said["long_lived_share"] <= 1:
        raise MalformedSituation(f"long_lived_share {said['long_lived_share']!r} is not between 0 and 1.")
    for key in ("services_dual_stack", "application_listens_ipv4", "application_listens_ipv6"):
        if not isinstance(said[key], bool):
            raise MalformedSituation(f"{key} {said[key]!r} is neither true nor false.")
    if not said["application_listens_ipv4"] and not said["application_listens_ipv6"]:
        raise MalformedSituation("application_listens_ipv4 and application_listens_ipv6 are both false: no client can reach the application.")
    _minor(said["kubernetes_version"])
    return said


def _minor(version: Any) -> tuple[int, int]:
    try:
        major, minor = str(version).removeprefix("v").split(".")[:2]
        return int(major), int(minor)
    except ValueError as error:
        raise MalformedSituation(f"kubernetes_version {version!r} is not a version such as 1.36.") from error
