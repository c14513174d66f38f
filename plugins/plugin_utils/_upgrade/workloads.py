"""What applications notice of new nodes, IPv6 and another network policy engine.

This file is private to the collection.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Object = Mapping[str, Any]


def never_allows(budget: Object) -> str:
    """Why a PodDisruptionBudget never lets a pod be evicted, however healthy all are; empty for one that does.

    Source: kubernetes.io/docs/tasks/run-application/configure-pdb (shares are rounded up).
    """
    spec, expected = budget.get("spec") or {}, (budget.get("status") or {}).get("expectedPods")
    if expected == 0:
        return ""
    for name, is_broken in (("maxUnavailable", _allows_none), ("minAvailable", _demands_all)):
        value = spec.get(name)
        if value is not None and is_broken(value, expected):
            return f"{name} is {value}" + (f" of {expected} pods" if expected is not None and name == "minAvailable" else "")
    return ""


def _allows_none(value: Any, _expected: int | None) -> bool:
    return str(value).removesuffix("%") == "0"


def _demands_all(value: Any, expected: int | None) -> bool:
    text = str(value)
    if text == "100%":
        return True
    if expected is None or not text.removesuffix("%").isdigit():
        return False
    wanted = math.ceil(expected * int(text[:-1]) / 100) if text.endswith("%") else int(text)
    return wanted >= expected


def single_replicas(workloads: Iterable[Object]) -> Iterator[Object]:
    """Deployments and StatefulSets of one pod: while it moves, nobody answers."""
    return (item for item in workloads if (item.get("spec") or {}).get("replicas", 1) == 1)


def prefers_dual_stack(service: Object) -> bool:
    """Whether a Service takes IPv6 by itself as soon as its cluster has it."""
    spec = service.get("spec") or {}
    return spec.get("ipFamilyPolicy") == "PreferDualStack" and len(spec.get("ipFamilies") or ("IPv4",)) == 1


def changes_under_cilium(policy: Object) -> list[str]:
    """What of a NetworkPolicy means something else, or may not work, once Cilium enforces it.

    Source: learn.microsoft.com/azure/aks/migrate-from-npm-to-cilium-network-policy.
    """
    spec = policy.get("spec") or {}
    found: list[str] = []
    rules = [(rule, side) for direction, side in (("ingress", "from"), ("egress", "to")) for rule in spec.get(direction) or ()]
    if any(peer.get("ipBlock") for rule, side in rules for peer in rule.get(side) or ()):
        found.append("its ipBlock no longer matches pods and nodes")
    ports = [port for rule, _unused in rules for port in rule.get("ports") or ()]
    if any(isinstance(port.get("port"), str) for port in ports):
        found.append("it names a port")
    if any(port.get("endPort") for port in ports):
        found.append("it has a range of ports (endPort), which Cilium supports from version 1.17")
    if spec.get("egress") or "Egress" in (spec.get("policyTypes") or ()):
        found.append("pods it selects no longer reach their own node without a rule")
    return found
