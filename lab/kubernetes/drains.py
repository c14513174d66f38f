"""Draining nodes through the eviction API, with the events that AKS' upgrader writes."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ..packets.policies import selects
from .control_plane import ControlPlane

#: seconds between two attempts
_PAUSE = 0.5
#: seconds that pods get to end once they are evicted
_ENDING = 90
#: what AKS labels a node with that could not be drained
QUARANTINE = {"kubernetes.azure.com/upgrade-status": "Quarantined"}
_UNREACHABLE = {"node.kubernetes.io/exclude-from-external-load-balancers": "true"}

Object = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Refusal:
    """An eviction that budgets refuse. ``unready`` counts their pods that are not ready; once these are, the eviction may be allowed."""

    message: str
    unready: int


class Drain:
    """The drain of one node. ``kubelets`` is whether anything runs on it, and ends the containers of evicted pods."""

    def __init__(self, control_plane: ControlPlane, node: str, *, kubelets: bool) -> None:
        self._control_plane, self._node, self._kubelets = control_plane, node, kubelets
        self._reported: set[str] = set()

    async def run(self, timeout: float) -> str:
        """Evict all pods; empty when they are gone, else why one is still there.

        ``timeout`` counts from the last pod that left, and applies while a budget refuses an eviction although all its pods are ready. The time
        scale does not shorten the time that pods take to end, or to become ready on another node.
        """
        await cordon(self._control_plane, self._node, True)
        await self._event("Normal", f"Draining node: {self._node}")
        left, last = await self._pods(), time.monotonic()
        while left:
            refused = [refusal for refusal in [await self._evict(pod) for pod in left] if refusal]
            final = [refusal for refusal in refused if not (self._kubelets and refusal.unready)]
            await asyncio.sleep(_PAUSE)
            remaining = await self._pods()
            if len(remaining) < len(left):
                last = time.monotonic()
            elif time.monotonic() - last > (timeout if final else max(timeout, _ENDING)):
                ending = f"Drain node {self._node} failed when waiting for pod {_name(left[0])} to terminate."
                return next((refusal.message for refusal in final or refused), ending)
            left = remaining
        return ""

    async def _pods(self) -> list[Object]:
        """Those that a drain evicts: no DaemonSet's, no mirror of a file on the node."""
        _, listed = await self._control_plane.call("GET", f"/api/v1/pods?fieldSelector=spec.nodeName={self._node}")
        return [pod for pod in listed.get("items") or [] if not _stays(pod)]

    async def _evict(self, pod: Object) -> Refusal | None:
        """Why a pod cannot be evicted now, in AKS' words; nothing when it can."""
        metadata = pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        if metadata.get("deletionTimestamp"):
            if not self._kubelets:
                await self._control_plane.call("DELETE", path, {"gracePeriodSeconds": 0})
            return None
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {key: metadata[key] for key in ("name", "namespace")}}
        status, answer = await self._control_plane.call("POST", f"{path}/eviction", eviction)
        if status != 429:
            return None
        if metadata["name"] not in self._reported:
            self._reported.add(metadata["name"])
            await self._event("Warning", f"Eviction blocked by Too many Requests (usually a pdb): {metadata['name']}")
        budgets = await self._blocking_budgets(pod)
        if not budgets:
            # The budget changed after the refusal; the next attempt may succeed.
            return None
        unready = sum(_unready(budget) for budget in budgets)
        names = ", ".join(budget["metadata"]["name"] for budget in budgets)
        # learn.microsoft.com/troubleshoot/azure/azure-kubernetes/error-code-poddrainfailure
        message = (
            f"Drain node {self._node} failed when evicting pod {metadata['name']} failed with Too Many Requests error. This is often caused by a "
            f"restrictive Pod Disruption Budget (PDB) policy. See https://aka.ms/aks/debugdrainfailures. Original error: {answer['message']}. "
            f"PDB debug info: {_name(pod)} blocked by pdb {names} with {unready} unready pods."
        )
        return Refusal(message, unready)

    async def _blocking_budgets(self, pod: Object) -> list[Object]:
        """The budgets of a pod that allow no disruption."""
        _, listed = await self._control_plane.call("GET", f"/apis/policy/v1/namespaces/{pod['metadata']['namespace']}/poddisruptionbudgets")
        blocking = [budget for budget in listed["items"] if not budget.get("status", {}).get("disruptionsAllowed")]
        return [budget for budget in blocking if selects(budget["spec"].get("selector") or {}, pod)]

    async def _event(self, kind: str, message: str) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{self._node}.", "namespace": "default"},
            "involvedObject": {"apiVersion": "v1", "kind": "Node", "name": self._node, "uid": self._node},
            "reason": "Drain",
            "message": message,
            "type": kind,
            "source": {"component": "upgrader"},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        await self._control_plane.call("POST", "/api/v1/namespaces/default/events", event)


def _name(pod: Object) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _stays(pod: Object) -> bool:
    owners = {owner["kind"] for owner in pod["metadata"].get("ownerReferences") or []}
    is_mirror = "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {})
    return bool(owners & {"DaemonSet", "Node"}) or is_mirror


def _unready(budget: Object) -> int:
    """Pods of a budget that are not ready, including pods just evicted that the budget still counts as healthy."""
    status = budget.get("status") or {}
    expected, healthy = int(status.get("expectedPods", 0)), int(status.get("currentHealthy", 0))
    return max(0, expected - healthy) + len(status.get("disruptedPods") or {})


async def cordon(control_plane: ControlPlane, node: str, closed: bool) -> None:
    await control_plane.merge(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": closed or None}})


async def quarantine(control_plane: ControlPlane, node: str) -> None:
    """Leave a node cordoned, and label it as AKS does."""
    await control_plane.merge(f"/api/v1/nodes/{node}", {"metadata": {"labels": QUARANTINE}})


async def exclude(control_plane: ControlPlane, node: str) -> None:
    """Let the cloud controller take a node out of load balancers."""
    await control_plane.merge(f"/api/v1/nodes/{node}", {"metadata": {"labels": _UNREACHABLE}})


async def until(reached: Callable[[], Awaitable[bool]], timeout: float) -> bool:
    """Whether something came about in so many seconds."""
    deadline = time.monotonic() + timeout
    while not await reached():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_PAUSE)
    return True
