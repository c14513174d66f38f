"""What is told while nodes are replaced, what blocks a drain, and what a node or a pod lacks at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.progress import blocked, node_problems, pod_problems, progress, selects


def node(name: str = "aks-apps-0", *, uid: str = "old", pool: str = "apps", draining: bool = False, **more: Any) -> dict[str, Any]:
    addresses = [{"type": "InternalIP", "address": text} for text in more.get("addresses", ["10.77.4.4", "fd77::4"])]
    return {
        "metadata": {"name": name, "uid": uid, "labels": {"kubernetes.azure.com/agentpool": pool, **more.get("labels", {})}},
        "spec": {"podCIDRs": more.get("ranges", ["10.244.0.0/24", "fd77:0:0:100::/120"]), **({"unschedulable": True} if draining else {})},
        "status": {"addresses": [{"type": "Hostname", "address": name}, *addresses]},
    }


def pod(name: str = "web", node_name: str = "aks-apps-0", *, owner: str = "ReplicaSet", ready: bool = True, **more: Any) -> dict[str, Any]:
    addresses = [{"ip": text} for text in more.pop("addresses", ["10.244.0.4", "fd77:0:0:100::4"])]
    return {
        "metadata": {"name": name, "namespace": "apps", "labels": {"app": "web"}, "ownerReferences": [{"kind": owner}], **more.pop("metadata", {})},
        "spec": {"nodeName": node_name, **more},
        "status": {"phase": "Running", "podIPs": addresses, "conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def budget(allowed: int = 0, namespace: str = "apps", **selector: Any) -> dict[str, Any]:
    found = selector or {"matchLabels": {"app": "web"}}
    return {"metadata": {"name": "web", "namespace": namespace}, "spec": {"selector": found}, "status": {"disruptionsAllowed": allowed}}


KEPT = ["pod apps/web on aks-apps-0 by PodDisruptionBudget apps/web"]
#: pods, budgets -> which are kept
BLOCKED: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    (pod(), budget(), KEPT),
    (pod(), budget(allowed=1), []),
    (pod(), budget(namespace="other"), []),
    (pod(), budget(matchLabels={"app": "other"}), []),
    (pod(owner="DaemonSet"), budget(), []),
    (pod(node_name="aks-apps-1"), budget(), []),
    (pod(metadata={"annotations": {"kubernetes.io/config.mirror": "x"}}), budget(), []),
]


@pytest.mark.parametrize(("found", "limit", "expected"), BLOCKED)
def test_what_blocks_a_drain(found: dict[str, Any], limit: dict[str, Any], expected: list[str]) -> None:
    assert blocked([found], [limit], ["aks-apps-0"]) == expected


#: selector, labels -> whether it matches
SELECTORS: list[tuple[Any, dict[str, str], bool]] = [
    (None, {"app": "web"}, False),
    ({}, {}, True),
    ({"matchLabels": {"app": "web"}}, {"app": "web", "tier": "front"}, True),
    ({"matchLabels": {"app": "web"}}, {}, False),
    ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "shop"]}]}, {"app": "shop"}, True),
    ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, {}, True),
    ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, {}, False),
    ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, {"app": "web"}, False),
]


@pytest.mark.parametrize(("selector", "labels", "expected"), SELECTORS)
def test_selectors(selector: Any, labels: dict[str, str], expected: bool) -> None:
    assert selects(selector, labels) == expected


def test_progress() -> None:
    nodes = [node(draining=True), node("aks-apps-1", uid="new"), node("aks-system-0", pool="system")]
    assert progress(nodes, ["old"], [pod(), pod("logs", owner="DaemonSet")], [budget()]) == (
        "apps: 1 of 2 nodes are new; system: 0 of 1 nodes are new; "
        "aks-apps-0 is draining, 1 pods left (apps/web is kept by PodDisruptionBudget apps/web)"
    )
    assert progress([node(draining=True)], ["old"], [], []) == "apps: 0 of 1 nodes are new; aks-apps-0 is drained"


#: node -> what it lacks
NODES: list[tuple[dict[str, Any], list[str]]] = [
    (node(), []),
    (node(addresses=["10.77.4.4"]), ["its internal addresses are 10.77.4.4, not one of each family"]),
    (node(addresses=[]), ["its internal addresses are missing"]),
    (node(ranges=["10.244.0.0/24"]), ["its pod ranges are 10.244.0.0/24, not one of each family"]),
    (node(labels={"kubernetes.azure.com/upgrade-status": "Quarantined"}), ["it is in quarantine"]),
]


@pytest.mark.parametrize(("found", "expected"), NODES)
def test_nodes(found: dict[str, Any], expected: Sequence[str]) -> None:
    problems = list(node_problems([found]))
    assert len(problems) == len(expected)
    assert all(problem.startswith("node aks-apps-0: ") and words in problem for problem, words in zip(problems, expected, strict=True))


#: pod -> whether something is wrong with it
PODS: list[tuple[dict[str, Any], bool]] = [
    (pod(), False),
    (pod(addresses=["10.244.0.4"]), True),
    (pod(addresses=[]), True),
    (pod(addresses=["10.244.0.4"], ready=False), False),
    (pod(addresses=["10.77.4.4"], hostNetwork=True), False),
    (pod(addresses=["10.244.0.4"], metadata={"deletionTimestamp": "2026-11-30T12:00:00Z"}), False),
]


@pytest.mark.parametrize(("found", "is_wrong"), PODS)
def test_pods(found: dict[str, Any], is_wrong: bool) -> None:
    assert bool(list(pod_problems([found]))) == is_wrong
