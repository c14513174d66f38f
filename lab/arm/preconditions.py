"""What Resource Manager requires of a request before the service looks at it: scope and parents exist, no lock, no other operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import errors, ids

if TYPE_CHECKING:
    from .azure import Azure
    from .kinds import Kind

_LOCKS = "Microsoft.Authorization/locks"


def check_scope(azure: Azure, parsed: ids.ResourceId, *, writing: bool = False) -> None:
    """Subscription and resource group exist; for a write the group is not being deleted."""
    if parsed.subscription and parsed.subscription.lower() != azure.options.subscription.lower():
        raise errors.ArmError(404, "SubscriptionNotFound", f"The subscription '{parsed.subscription}' could not be found.")
    if parsed.resource_group:
        group = azure.store.group_of(parsed.scope)
        if group is None:
            raise errors.GroupNotFound(parsed.resource_group)
        if writing and group.properties.get("provisioningState") == "Deleting":
            raise errors.ArmError(409, "ResourceGroupBeingDeleted", f"The resource group '{parsed.resource_group}' is being deleted.")


def check_parents(azure: Azure, parsed: ids.ResourceId) -> None:
    """The parent of a child exists, and the resource that an extension is for."""
    if len(parsed.names) > 1 and not azure.store.get(parsed.parent):
        raise errors.ParentNotFound(parsed.parent)
    if ids.parse(parsed.scope).names and not azure.store.get(parsed.scope):
        raise errors.NotFound(parsed.scope)


def check_locks(azure: Azure, resource: str, *, deleting: bool) -> None:
    """A CanNotDelete lock on the resource or above it stops deletion; ReadOnly stops every write."""
    if not azure.kind_of(ids.parse(resource).type).lockable:
        return
    for lock in azure.store.of_type(_LOCKS):
        scope = ids.parse(lock.id).scope
        level = lock.properties.get("level")
        covers = resource.lower() == scope.lower() or resource.lower().startswith(scope.lower() + "/")
        if covers and (level == "ReadOnly" or (deleting and level == "CanNotDelete")):
            raise errors.ScopeLocked(resource, lock.id)


def check_idle(azure: Azure, served: Kind, parsed: ids.ResourceId) -> None:
    """Azure refuses a write while another one is changing the same resource, its parent or a sibling under it."""
    busy = served.busy_with(parsed).lower()
    for operation in azure.store.operations.values():
        if operation.status == "InProgress":
            other = ids.parse(operation.resource)
            changing = azure.kind_of(other.type)
            if changing.busy_with(other).lower() == busy:
                raise changing.refused_while_busy(operation.resource, operation.id)


def check_references(azure: Azure, served: Kind, user: str, value: Any) -> None:
    """What a body refers to is not being changed, where the type awaits that."""
    if isinstance(value, dict):
        found = azure.store.get(str(value.get("id") or ""))
        if found and found.operation and found.type in served.awaited:
            raise errors.NotProvisioned(found.id, user)
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            check_references(azure, served, user, item)
