"""Reading a running cluster: its Azure resources, and the objects in it.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._azure.aks import ClusterNotReady, kubeconfig
from .._azure.client import ArmClient
from .._azure.reading import read_all, reads_of
from .._kubernetes.cluster import Cluster, KubernetesFailure
from .._kubernetes.permissions import denial
from .._resource_id import folded
from .._rules import Answer
from .facts import Object, RunningCluster
from .reads import MASQUERADING, OBJECTS, ROUNDS, wanted

#: what stands for all kinds where none of them can be read
_EVERYTHING = "everything in the cluster"


class NotReadable(Exception):
    """Something that a run cannot do without; a sentence with the way out."""


class Closed(Exception):
    """Why the API server of a cluster cannot be asked."""


def read_cluster(client: ArmClient, identifier: str) -> RunningCluster:
    """A cluster and what is around it. Raises :class:`NotReadable` where the cluster itself cannot be read."""
    answers: dict[str, Answer] = {}
    for _round in range(ROUNDS):
        reads = wanted(identifier, answers)
        answers |= {name: Answer.of(read) for name, read in read_all(client, reads_of(reads)).items()}
        if not answers["cluster"].exists:
            raise NotReadable(
                f"{identifier} {answers['cluster'].absence}. Check cluster_id, and that the credentials have the role Reader on the cluster."
            )
    objects, unreadable = _objects(client, answers["cluster"].body)
    return RunningCluster(identifier, answers, objects, unreadable)


def connect(client: ArmClient, body: Mapping[str, Any]) -> Cluster:
    """The API server of a cluster as Azure answers it. Raises :class:`Closed`."""
    properties = body.get("properties") or {}
    if not properties.get("aadProfile"):
        raise Closed("it does not use Entra ID, and keys of local accounts are never used")
    if folded((properties.get("powerState") or {}).get("code") or "Running") != "running":
        raise Closed("it is stopped")
    try:
        return Cluster(kubeconfig(client, dict(body)))
    except ClusterNotReady as error:
        raise Closed(str(error).rstrip(".")) from error


def _objects(client: ArmClient, body: Mapping[str, Any]) -> tuple[dict[str, list[Object]], dict[str, str]]:
    """The objects of each kind that can be read, and why the others cannot."""
    objects: dict[str, list[Object]] = {}
    unreadable: dict[str, str] = {}
    absent: list[str] = []
    try:
        with connect(client, body) as cluster:
            for kind, version in {**OBJECTS, "ConfigMap": "v1"}.items():
                place = {"namespace": "kube-system", "field_selector": f"metadata.name={MASQUERADING}"} if kind == "ConfigMap" else {}
                try:
                    objects[kind] = list(cluster.objects(kind, version, **place))
                except KubernetesFailure as error:
                    if error.status == 0:
                        raise Closed(str(error)) from error
                    if _is_absent(cluster, version, error):
                        absent.append(kind)
                    else:
                        unreadable[kind] = denial(error, body)
    except Closed as error:
        return {}, {_EVERYTHING: str(error)}
    if not objects:
        return {}, {_EVERYTHING: unreadable["Service"]}
    return objects | {kind: [] for kind in absent}, unreadable


def _is_absent(cluster: Cluster, api_version: str, error: KubernetesFailure) -> bool:
    """Whether nobody has installed a kind that cannot be listed: the API server refuses the list before it looks whether there is such a kind."""
    try:
        return error.status == 404 or (error.status == 403 and not cluster.serves(api_version))
    except KubernetesFailure:
        return False
