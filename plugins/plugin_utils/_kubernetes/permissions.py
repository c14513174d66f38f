"""What a cluster refuses to credentials without a role, and the role that allows it.

This file is private to the collection.

Sources: learn.microsoft.com/azure/aks/entra-id-authorization, learn.microsoft.com/azure/role-based-access-control/built-in-roles/containers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .cluster import KubernetesFailure

_DENIED = re.compile(r'cannot (?P<verb>\w+) resource "(?P<resource>[^"/]+)')
#: what the role Azure Kubernetes Service RBAC Reader reads
_READABLE = frozenset(
    {
        *("configmaps", "endpoints", "endpointslices", "events", "ingresses", "limitranges", "namespaces", "networkpolicies"),
        *("controllerrevisions", "cronjobs", "daemonsets", "deployments", "horizontalpodautoscalers", "jobs", "replicasets", "statefulsets"),
        *("persistentvolumeclaims", "poddisruptionbudgets", "pods", "replicationcontrollers", "resourcequotas", "serviceaccounts", "services"),
    }
)


def denial(error: KubernetesFailure, cluster: Mapping[str, Any]) -> str:
    """What the API server refuses, with the role that allows it; any other failure as it is. ``cluster`` is the cluster as Azure answers it."""
    found = _DENIED.search(str(error)) if error.status == 403 else None
    if not found:
        return str(error)
    verb, resource = found["verb"], found["resource"]
    if not ((cluster.get("properties") or {}).get("aadProfile") or {}).get("enableAzureRBAC"):
        return f"the credentials may not {verb} {resource}; a ClusterRole that is bound to them in the cluster must allow it"
    reads = verb in ("get", "list", "watch")
    role = "RBAC Reader" if reads and resource in _READABLE else "RBAC Admin" if reads else "RBAC Cluster Admin"
    return f"the credentials may not {verb} {resource}; the role Azure Kubernetes Service {role} on the cluster allows it"
