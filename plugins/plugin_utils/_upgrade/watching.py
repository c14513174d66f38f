"""Watching a cluster while its nodes are replaced, and verifying it at the end.

This file is private to the collection.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._azure.errors import ArmFailure
from .._azure.types import version_of
from .._azure.waiting import Wait
from .._kubernetes.cluster import KubernetesFailure
from .._kubernetes.permissions import denial
from .._resource_id import folded
from .facts import Object, RunningCluster
from .progress import blocked, node_problems, pod_problems, progress
from .reading import Closed, connect
from .run import Run, Stopped

#: seconds that pods may take to be there with both addresses
_VERIFY_SECONDS = 300


class Watch:
    """What can be seen of a cluster from inside, as far as its API server may be asked."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def look(self, body: Mapping[str, Any]) -> tuple[list[Object], list[Object], list[Object]] | None:
        """Nodes, pods and budgets; None where they cannot be read now."""
        try:
            with connect(self._run.client, body) as server:
                return list(server.objects("Node")), list(server.objects("Pod")), list(server.objects("PodDisruptionBudget", "policy/v1"))
        except (Closed, KubernetesFailure, ArmFailure):
            return None

    def blocked(self, body: Mapping[str, Any], before: Sequence[str]) -> list[str]:
        """The pods that a budget keeps on nodes that are to be replaced: those of ``before``, or any where it is empty."""
        found = self.look(body)
        if found is None:
            return []
        nodes, pods, budgets = found
        return blocked(pods, budgets, [str(node["metadata"]["name"]) for node in nodes if not before or node["metadata"].get("uid") in before])

    def uids(self, body: Mapping[str, Any]) -> list[str]:
        """Of the nodes that there are."""
        found = self.look(body)
        return [str(node["metadata"].get("uid")) for node in found[0]] if found else []

    def shows(self, body: Mapping[str, Any], what: str, before: Sequence[str], began: float) -> Callable[[float], None]:
        """Shows how far the nodes are; without access to the cluster, the states of its pools."""

        def show(_seconds: float) -> None:
            found = self.look(body)
            if found is not None:
                now = progress(found[0], before, found[1], found[2])
            else:
                try:
                    live = self._run.client.get(self._run.order.cluster_id, version_of(self._run.order.cluster_id)) or {}
                    pools = (live.get("properties") or {}).get("agentPoolProfiles") or ()
                    now = "; ".join(f"{pool.get('name')}: {pool.get('provisioningState')}" for pool in pools)
                except ArmFailure as error:
                    now = str(error)
            self._run.tell(f"{what}, {time.monotonic() - began:.0f} s: {now}")

        return show

    def verify(self, cluster: RunningCluster) -> None:
        """Both families on every node and pod. Raises :class:`Stopped` with what has one alone."""
        problems: list[str] = []
        for _number in Wait(_VERIFY_SECONDS).tries():
            problems = [f"pool {pool.name}: its state is {pool.state}" for pool in cluster.pools if folded(pool.state) != "succeeded"]
            try:
                with connect(self._run.client, cluster.body) as server:
                    nodes, pods = server.objects("Node"), server.objects("Pod")
            except Closed as error:
                self._run.report.verdict = f"{cluster.name} is dual-stack. Its nodes and pods could not be verified: {error}."
                return
            except KubernetesFailure as error:
                if error.status == 403:
                    reason = denial(error, cluster.body)
                    self._run.report.verdict = f"{cluster.name} is dual-stack. Its nodes and pods could not be verified: {reason}."
                    return
                problems.append(str(error))
                continue
            problems += [*node_problems(nodes), *pod_problems(pods)]
            if not problems:
                self._run.report.verdict = f"{cluster.name} is dual-stack: {len(nodes)} nodes and the pods on them have addresses of both families."
                return
        raise Stopped(f"{cluster.name} is dual-stack, but:\n" + "\n".join(f"- {problem}" for problem in problems))
