"""Who may do what: role assignments as Azure RBAC reads them, for the principals that are not the lab's own client."""

from __future__ import annotations

from .. import errors, ids
from ..authorization.kinds import OWNER
from ..authorization.roles import roles_on
from ..azure import Azure
from ..containerservice.node_group import node_groups_of
from ..kinds import Caller

_READERS = {"acdd72a7-3385-48ef-bd42-f606fba81ae7"}
#: role -> the namespaces that it writes in begin with this
_WRITERS = {
    OWNER: "microsoft.",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "microsoft.",
    "4d97b98b-1d4f-4787-a291-c67834d212e7": "microsoft.network",
}


def check_access(azure: Azure, caller: Caller, path: str, *, writing: bool) -> None:
    """The lab's client owns the subscription; a managed identity may do what its role assignments say, and AKS' own in its node group."""
    if caller.object_id == azure.options.client_object or len(path.split("/")) < 5:
        return
    if not writing and (path.count("/") == 4 or "/locations/" in path):
        # Provider documents, and the operations that the caller itself began.
        return
    if any(path.lower().startswith(group.lower() + "/") for group in node_groups_of(azure, caller.object_id)):
        return
    roles = roles_on(azure, caller.object_id, path)
    namespace = ids.parse(path).namespace.lower()
    if any(namespace.startswith(_WRITERS.get(role, "-")) for role in roles) or (not writing and roles & _READERS):
        return
    raise errors.ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{caller.client_id}' with object id '{caller.object_id}' does not have authorization to perform action over '{path}'.",
    )
