"""The action of Azure RBAC that a request needs.

Source: learn.microsoft.com/azure/role-based-access-control/resource-provider-operations.
"""

from __future__ import annotations

from .. import ids

_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}
#: POSTs whose action Azure calls a read
_READING_POSTS = {"checknameavailability"}


def action_of(method: str, path: str) -> str:
    """``Microsoft.Network/virtualNetworks/read``, as the path spells the type; empty for what needs none, such as tokens."""
    parts = path.strip("/").split("/")
    if parts[0].lower() != "subscriptions":
        return ""
    lower = [part.lower() for part in parts]
    if "providers" not in lower:
        kind = ["Microsoft.Resources", "subscriptions", *parts[2::2]]
    else:
        last = len(parts) - lower[::-1].index("providers")
        kind = [parts[last], *parts[last + 1 :: 2]] if len(parts) > last + 1 else ["Microsoft.Resources", "subscriptions", "providers"]
    verb = "read" if kind[-1].lower() in _READING_POSTS else _VERBS.get(method, "action")
    return "/".join([*kind, verb])


def scope_of(path: str) -> str:
    """What the action is on: the resource, or what a collection or an action belongs to."""
    parsed = ids.parse(path)
    return parsed.text if parsed.names else parsed.scope
