"""What goes on while nodes are replaced, and what is wrong once they are.

This file is private to the collection.

Sources: learn.microsoft.com/azure/aks/upgrade-aks-node-pools-rolling (a node is cordoned, drained and replaced; the label of nodes in quarantine),
kubernetes.io/docs/concepts/workloads/pods/disruptions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._report.parity import family_of
from .._resource_id import folded
from .facts import named

Object = Mapping[str, Any]
_BOTH = ["ipv4", "ipv6"]
_POOL = "kubernetes.azure.com/agentpool"
_STATUS = "kubernetes.azure.com/upgrade-status"


def is_draining(node: Object) -> bool:
    """Whether a node takes no more pods."""
    return bool((node.get("spec") or {}).get("unschedulable"))


def _labels(item: Object) -> Mapping[str, str]:
    return item["metadata"].get("labels") or {}


def _stays(pod: Object) -> bool:
    """Whether a drain leaves a pod: that of a DaemonSet, a mirror of a file on the node, and one that has ended."""
    owners = {owner.get("kind") for owner in pod["metadata"].get("ownerReferences") or ()}
    is_mirror = "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {})
    return bool(owners & {"DaemonSet", "Node"}) or is_mirror or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def selects(selector: Object | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector of a budget matches; an empty one matches every pod, a missing one none (policy/v1)."""
    if selector is None:
        return False
    if any(labels.get(name) != value for name, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_matches(expression, labels) for expression in selector.get("matchExpressions") or ())


def _matches(expression: Object, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
    return value is None


def blocking_budgets(pod: Object, budgets: Iterable[Object]) -> list[str]:
    """The budgets that do not let a pod be evicted now."""
    namespace = pod["metadata"].get("namespace")
    return [
        named(budget)
        for budget in budgets
        if budget["metadata"].get("namespace") == namespace
        and selects((budget.get("spec") or {}).get("selector"), _labels(pod))
        and not (budget.get("status") or {}).get("disruptionsAllowed")
    ]


def blocked(pods: Iterable[Object], budgets: Sequence[Object], nodes: Iterable[str]) -> list[str]:
    """The pods on these nodes that a budget keeps there, and the budget."""
    wanted = set(nodes)
    return [
        f"pod {named(pod)} on {pod['spec']['nodeName']} by PodDisruptionBudget {', '.join(names)}"
        for pod in pods
        if (pod.get("spec") or {}).get("nodeName") in wanted and not _stays(pod) and (names := blocking_budgets(pod, budgets))
    ]


def progress(nodes: Sequence[Object], before: Iterable[str], pods: Sequence[Object], budgets: Sequence[Object]) -> str:
    """How far each pool is, which nodes are being drained, and what is still on them. ``before`` are the uids of the nodes to be replaced."""
    old = set(before)
    pools = Counter(_labels(node).get(_POOL, "?") for node in nodes)
    new = Counter(_labels(node).get(_POOL, "?") for node in nodes if node["metadata"].get("uid") not in old)
    texts = [f"{pool}: {new[pool]} of {count} nodes are new" for pool, count in sorted(pools.items())]
    draining = (node["metadata"]["name"] for node in nodes if is_draining(node))
    texts += [f"{name} {_drain(name, pods, budgets)}" for name in draining]
    return "; ".join(texts)


def _drain(node: str, pods: Iterable[Object], budgets: Sequence[Object]) -> str:
    left = [pod for pod in pods if (pod.get("spec") or {}).get("nodeName") == node and not _stays(pod)]
    if not left:
        return "is drained"
    kept = [f"{named(pod)} is kept by PodDisruptionBudget {', '.join(names)}" for pod in left if (names := blocking_budgets(pod, budgets))]
    return f"is draining, {len(left)} pods left" + (f" ({', '.join(kept)})" if kept else "")


def families(texts: Iterable[Any]) -> list[str]:
    """The families of addresses or prefixes, sorted."""
    return sorted(map(family_of, texts))


def node_problems(nodes: Iterable[Object]) -> Iterator[str]:
    """What keeps nodes from having both families."""
    for node in nodes:
        name, spec = node["metadata"]["name"], node.get("spec") or {}
        addresses = [item["address"] for item in (node.get("status") or {}).get("addresses") or () if item.get("type") == "InternalIP"]
        if families(addresses) != _BOTH:
            yield f"node {name}: its internal addresses are {', '.join(addresses) or 'missing'}, not one of each family"
        ranges = spec.get("podCIDRs") or []
        if families(ranges) != _BOTH:
            yield f"node {name}: its pod ranges are {', '.join(ranges) or 'missing'}, not one of each family"
        if folded(_labels(node).get(_STATUS)) == "quarantined":
            yield f"node {name}: it is in quarantine, since it could not be drained"


def pod_problems(pods: Iterable[Object]) -> Iterator[str]:
    """Ready pods without an address of each family. Those in the network of their node have the node's."""
    for pod in pods:
        status = pod.get("status") or {}
        is_ready = any(item.get("type") == "Ready" and item.get("status") == "True" for item in status.get("conditions") or ())
        if not is_ready or (pod.get("spec") or {}).get("hostNetwork") or pod["metadata"].get("deletionTimestamp"):
            continue
        addresses = [item.get("ip") for item in status.get("podIPs") or ()]
        if families(addresses) != _BOTH:
            yield f"pod {named(pod)}: its addresses are {', '.join(map(str, addresses)) or 'missing'}, not one of each family"
