"""What Azure refuses to credentials without a role: the action, its scope, and the role that allows it.

This file is private to the collection.

Source: learn.microsoft.com/azure/role-based-access-control/built-in-roles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

CLUSTER_USER = "Azure Kubernetes Service Cluster User Role"
_DENIED = re.compile(
    r"with object id '(?P<principal>[^']+)' does not have authorization to perform action '(?P<action>[^']+)' over scope '(?P<scope>[^']+)'"
)
#: pattern of an action, in lower case -> the built-in role that allows it and little else; the first that fits counts
_ROLES = (
    ("*/read", "Reader"),
    ("microsoft.containerservice/managedclusters/listclusterusercredential/action", CLUSTER_USER),
    ("microsoft.authorization/roleassignments/*", "Role Based Access Control Administrator"),
    ("microsoft.network/*", "Network Contributor"),
    ("microsoft.containerservice/managedclusters/*", "Azure Kubernetes Service Contributor Role"),
    ("*", "Contributor"),
)


def allows(permission: Mapping[str, Any], action: str) -> bool:
    """Whether ``actions`` of a permission, as Azure lists it, cover an action and its ``notActions`` do not."""
    included, excluded = (
        any(fnmatchcase(action.lower(), str(pattern).lower()) for pattern in permission.get(name) or ()) for name in ("actions", "notActions")
    )
    return included and not excluded


def denial(message: str) -> str:
    """Azure's message of an authorization that failed, with the role that allows the action; any other message as it is."""
    found = _DENIED.search(message)
    if not found:
        return message
    role = next(role for pattern, role in _ROLES if fnmatchcase(found["action"].lower(), pattern))
    return f"the principal {found['principal']} lacks {found['action']} on {found['scope']}; the role {role} allows it."
