"""A managed cluster once nothing is changing it, and access to its API server.

This file is private to the collection.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import yaml

from .client import ArmClient, failure_of, state_of
from .errors import ArmFailure, TimedOut
from .types import version_of

#: application id of the AKS server in every tenant (learn.microsoft.com/azure/aks/kubelogin-authentication)
_AKS_SERVER = "6dae42f8-4368-4678-94ff-3960e28e3630"


class ClusterNotReady(Exception):
    """A cluster that is missing, failed or still changing; the message names it and the way out."""


class NoAccess(ClusterNotReady):
    """The credentials may not learn the address of the cluster's API server."""


def ready_cluster(client: ArmClient, identifier: str, timeout: float, progress: Callable[[float], None], *, expected: bool) -> dict[str, Any] | None:
    """The cluster once no operation changes it, waiting ``timeout`` seconds; ``progress`` is called with the seconds waited.

    Unless ``expected``, None stands for a cluster that is missing or being created. Raises :class:`ClusterNotReady`.
    """
    try:
        cluster = client.get(identifier, version_of(identifier))
        if not expected and (cluster is None or state_of(cluster) == "Creating"):
            return None
        if cluster is None:
            raise ClusterNotReady(f"{identifier} does not exist. Run the role aks first.")
        cluster = client.settle(identifier, version_of(identifier), cluster, timeout, progress)
    except ArmFailure as error:
        raise ClusterNotReady(f"{identifier}: {error.code}: {error.message}") from error
    except TimedOut as error:
        raise ClusterNotReady(f"{identifier} is not ready after {timeout:.0f} s. Run again: the run waits for the same operation.") from error
    if cluster is None or state_of(cluster) == "Failed":
        reason = failure_of(cluster) if cluster else ""
        raise ClusterNotReady(f"{identifier} failed to provision{reason}. Run the role aks again: it writes a failed cluster again.")
    return cluster


def kubeconfig(client: ArmClient, cluster: dict[str, Any]) -> dict[str, Any]:
    """Server and CA from AKS, and a token of the client's own credentials: never a client key. Raises :class:`ClusterNotReady`."""
    try:
        answer = client.post(f"{cluster['id']}/listClusterUserCredential", version_of(cluster["id"]))
    except ArmFailure as error:
        if error.status == 403:
            raise NoAccess(str(error)) from error
        raise ClusterNotReady(f"{cluster['id']}: {error.code}: {error.message}") from error
    given = yaml.safe_load(base64.b64decode(answer["kubeconfigs"][0]["value"]))
    name = given["clusters"][0]["name"]
    token = client.login.credential.get_token(f"{_AKS_SERVER}/.default").token
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": given["clusters"][0]["cluster"]}],
        "users": [{"name": "entra", "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "entra"}}],
        "current-context": name,
    }
