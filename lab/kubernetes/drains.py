"""Draining nodes through the eviction API, with the events that AKS' upgrader writes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .control_plane import ControlPlane

#: seconds between two attempts
_PAUSE = 0.5
#: seconds that pods get to end once they are evicted
_ENDING = 90
#: what AKS labels a node with that could not be drained
QUARANTINE = {"kubernetes.azure.com/upgrade-status": "Quarantined"}
_UNREACHABLE = {"node.kubernetes.io/exclude-from-external-load-balancers": "true"}

Object = Mapping[str, Any]


class Drain:
    """The drain of one node. ``kubelets`` is whether anything runs on it, and ends the containers of evicted pods."""

    def __init__(self, control_plane: ControlPlane, node: str, *, kubelets: bool) -> None:
        self._control_plane, self._node, self._kubelets = control_plane, node, kubelets
        self._reported: set[str] = set()

    async def run(self, timeout: float) -> str:
        """Evict all pods; empty when they are gone, else why one is still there.

        ``timeout`` counts from the last pod that left, while an eviction is refused: pods take their own time to end, whatever the time scale.
        """
        await cordon(self._control_plane, self._node, True)
        await self._event("Normal", f"Draining node: {self._node}")
        left, last = await self._pods(), time.monotonic()
        while left:
            refused = [why for why in [await self._evict(pod) for pod in left] if why]
            await asyncio.sleep(_PAUSE)
            remaining = await self._pods()
            if len(remaining) < len(left):
                last = time.monotonic()
            elif time.monotonic() - last > (timeout if refused else max(timeout, _ENDING)):
                return next(iter(refused), f"Drain node {self._node} failed when waiting for pod {_name(left[0])} to terminate.")
            left = remaining
        return ""

    async def _pods(self) -> list[Object]:
        """Those that a drain evicts: no DaemonSet's, no mirror of a file on the node."""
        _, listed = await self._control_plane.call("GET", f"/api/v1/pods?fieldSelector=spec.nodeName={self._node}")
        return [pod for pod in listed.get("items") or [] if not _stays(pod)]

    async def _evict(self, pod: Object) -> str:
        """Why a pod cannot be evicted now, in AKS' words; empty when it can."""
        metadata = pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        if metadata.get("deletionTimestamp"):
            if not self._kubelets:
                await self._control_plane.call("DELETE", path, {"gracePeriodSeconds": 0})
            return ""
        names = {"name": metadata["name"], "namespace": metadata["namespace"]}
        status, answer = await self._control_plane.call(
            "POST", f"{path}/eviction", {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": names}
        )
        if status != 429:
            return ""
        if metadata["name"] not in self._reported:
            self._reported.add(metadata["name"])
            await self._event("Warning", f"Eviction blocked by Too many Requests (usually a pdb): {metadata['name']}")
        # learn.microsoft.com/troubleshoot/azure/azure-kubernetes/error-code-poddrainfailure
        budgets = await blocking_budgets(self._control_plane, pod)
        return (
            f"Drain node {self._node} failed when evicting pod {metadata['name']} failed with Too Many Requests error. This is often caused by a "
            f"restrictive Pod Disruption Budget (PDB) policy. See https://aka.ms/aks/debugdrainfailures. Original error: {answer['message']}. "
            f"PDB debug info: {_name(pod)} blocked by pdb {', '.join(budgets)} with 0 unready pods."
        )

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


async def blocking_budgets(control_plane: ControlPlane, pod: Object) -> list[str]:
    """The budgets of a pod that allow no disruption."""
    namespace, labels = pod["metadata"]["namespace"], pod["metadata"].get("labels") or {}
    _, listed = await control_plane.call("GET", f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets")
    found = []
    for budget in listed.get("items") or []:
        wanted = (budget["spec"].get("selector") or {}).get("matchLabels") or {}
        if wanted.items() <= labels.items() and not budget.get("status", {}).get("disruptionsAllowed"):
            found.append(budget["metadata"]["name"])
    return found


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
