"""Network policies of one cluster: each node enforces what the API server stores, a fraction of a second after it changed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from ..packets.following import follow
from ..packets.namespaces import Namespace
from ..packets.policies import Cluster, ruleset
from ..packets.virtual_network import Attached
from .control_plane import ControlPlane

#: where the API server keeps what the rules are made of
_POLICIES, _NAMESPACES, _PODS = "/apis/networking.k8s.io/v1/networkpolicies", "/api/v1/namespaces", "/api/v1/pods"


class NetworkPolicies:
    """Stands in for AKS' Cilium, which enforces policies where the cluster has ``networkPolicy: cilium``."""

    def __init__(self, pod_cidrs: Sequence[str]) -> None:
        self.pod_cidrs = pod_cidrs
        self._nodes: dict[str, Attached] = {}
        self._enforced = False
        self._applied: dict[Namespace, str] = {}
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        #: collection -> uid -> object
        self._stored: dict[str, dict[str, Any]] = {path: {} for path in (_POLICIES, _NAMESPACES, _PODS)}

    def start(self, control_plane: ControlPlane) -> None:
        watches = (control_plane.watch(path, objects, self._changed.set) for path, objects in self._stored.items())
        self._tasks = [asyncio.create_task(work) for work in (*watches, follow(self._changed, self._apply))]

    def enforce(self, enforced: bool) -> None:
        """Whether the cluster has an engine for policies."""
        self._enforced = enforced
        self._changed.set()

    def add(self, name: str, node: Attached) -> None:
        self._nodes[name] = node
        self._changed.set()

    def remove(self, name: str) -> None:
        self._applied.pop(self._nodes.pop(name).namespace, None)

    async def _apply(self) -> None:
        inside = [*self.pod_cidrs, *(address for node in self._nodes.values() for address in node.addresses)]
        policies, namespaces, pods = ([*objects.values()] for objects in self._stored.values())
        cluster = Cluster(policies if self._enforced else [], namespaces, pods, inside)
        wanted = {node.namespace: ruleset(cluster, name) for name, node in self._nodes.items()}
        changed = {namespace: text for namespace, text in wanted.items() if self._applied.get(namespace) != text}
        await asyncio.gather(*(namespace.run("nft", "-f", "-", given=text) for namespace, text in changed.items()))
        self._applied |= changed

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
