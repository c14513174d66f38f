"""What a drain waits for, and what it reports when it gives up, against a scripted API server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from lab.kubernetes import drains

Body = dict[str, Any]

#: what a budget says of its two pods
STUCK, STARTING = {"expectedPods": 2, "currentHealthy": 2}, {"expectedPods": 2, "currentHealthy": 1}
EVICTED_NOW = STUCK | {"disruptedPods": {"other": "2026-01-01T00:00:00Z"}}
ALLOWED = STUCK | {"disruptionsAllowed": 1}


class Pods:
    """Pods of one node, each with a budget of its name, whose status is ``says(name, evictions tried)``."""

    def __init__(self, says: dict[str, Callable[[int], Body]]) -> None:
        self._says, self._left, self._tried = says, set(says), dict.fromkeys(says, 0)

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        match method, path.rsplit("/", 1)[-1]:
            case "GET", "poddisruptionbudgets":
                return 200, {"items": [self._budget(name) for name in self._says]}
            case "GET", _:
                labelled = [{"metadata": {"name": name, "namespace": "apps", "labels": {"app": name}}} for name in sorted(self._left)]
                return 200, {"items": labelled}
            case "POST", "eviction":
                name = body["metadata"]["name"]
                self._tried[name] += 1
                if not self._budget(name)["status"].get("disruptionsAllowed"):
                    return 429, {"message": "Cannot evict pod as it would violate the pod's disruption budget."}
                self._left.remove(name)
        return 201, {}

    async def merge(self, path: str, body: Body) -> None:
        """Nothing of a node is read here."""

    def _budget(self, name: str) -> Body:
        selector = {"matchExpressions": [{"key": "app", "operator": "In", "values": [name]}]}
        return {"metadata": {"name": name}, "spec": {"selector": selector}, "status": self._says[name](self._tried[name])}


def after(tries: int, first: Body) -> Callable[[int], Body]:
    return lambda tried: ALLOWED if tried > tries else first


def always(status: Body) -> Callable[[int], Body]:
    return lambda tried: status


@pytest.mark.parametrize(
    ("says", "kubelets", "expected"),
    [
        ({"web": always(ALLOWED)}, True, ""),
        # The other pod is starting on another node, or was just evicted: both take longer than the scaled timeout.
        ({"proxy": after(9, STARTING)}, True, ""),
        ({"proxy": after(9, EVICTED_NOW)}, True, ""),
        ({"web": always(STUCK)}, True, "apps/web blocked by pdb web with 0 unready pods."),
        ({"proxy": always(STARTING)}, True, "apps/proxy blocked by pdb proxy with 1 unready pods."),
        # Names the budget whose pods are all ready, not the first one.
        ({"proxy": always(STARTING), "web": always(STUCK)}, True, "apps/web blocked by pdb web with 0 unready pods."),
        # Where nothing runs, nothing becomes ready.
        ({"proxy": after(9, STARTING)}, False, "apps/proxy blocked by pdb proxy with 1 unready pods."),
    ],
)
def test_a_drain_waits_for_pods_that_become_ready(says: dict[str, Callable[[int], Body]], kubelets: bool, expected: str) -> None:
    pods: Any = Pods(says)
    with mock.patch.multiple(drains, _PAUSE=0.01, _ENDING=0.5):
        said = asyncio.run(drains.Drain(pods, "node", kubelets=kubelets).run(0.03))
    assert said.endswith(expected) and bool(said) == bool(expected)
