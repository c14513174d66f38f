"""Who may do what: role assignments as Azure RBAC reads them, for the principals that are not the lab's own client."""

from __future__ import annotations

import re

from .. import errors
from ..authorization.actions import action_of, scope_of
from ..authorization.roles import may
from ..azure import Azure
from ..containerservice.node_group import node_groups_of
from ..kinds import Caller

#: what any principal may read: subscriptions, their regions and providers, and the operations that it began itself
_OPEN = re.compile(r"/subscriptions(/[^/]+(/locations|/providers(/[^/]+)?)?)?|/.*/locations/[^/]+/operation.*", re.IGNORECASE)


def check_access(azure: Azure, caller: Caller, method: str, path: str) -> None:
    """The lab's client owns the subscription; others may do what their role assignments say, and AKS' identities all in their node group."""
    action = action_of(method, path)
    if not action or caller.object_id == azure.options.client_object:
        return
    if method in ("GET", "HEAD") and _OPEN.fullmatch(path):
        return
    if any(path.lower().startswith(group.lower() + "/") for group in node_groups_of(azure, caller.object_id)):
        return
    if may(azure, caller.object_id, action, path):
        return
    raise errors.ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{caller.client_id}' with object id '{caller.object_id}' does not have authorization to perform action '{action}' over scope "
        f"'{scope_of(path)}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
    )
