"""What Microsoft.Authorization refuses."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

from .. import ids
from ..azure import Azure
from ..errors import ArmError
from ..kinds import Write
from ..managedidentity.kinds import IDENTITY
from ..rules import rule
from .kinds import ASSIGNMENT

#: seconds until the directory knows a principal that was made
_REPLICATION = 15
_GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_RECORDED = "azure-service-operator 2.18.0, Test_Authorization_RoleAssignment_OnResourceGroup_CRUD"


def _principals(azure: Azure) -> Iterator[str]:
    """The principals that the directory knows: the lab's own, and managed identities some time after they were made."""
    yield from (principal.object_id for principal in azure.options.principals)
    for found in list(azure.store.resources.values()):
        if time.time() >= found.hidden.get("born", 0) + _REPLICATION * azure.options.time_scale:
            yield found.properties.get("principalId", "") if found.type == IDENTITY else (found.body.get("identity") or {}).get("principalId", "")


@rule("role-assignment-principal-id", ASSIGNMENT, _RECORDED)
def principal_is_a_guid(write: Write) -> None:
    principal = write.properties.get("principalId", "")
    if not re.fullmatch(_GUID, principal):
        raise ArmError(400, "InvalidPrincipalId", f"The Principal ID '{principal}' is not valid. Principal ID must be a GUID.")


@rule("role-assignment-principal", ASSIGNMENT, "learn.microsoft.com/azure/role-based-access-control/troubleshooting")
def principal_is_known(write: Write) -> None:
    """With ``principalType`` given, Azure does not look the principal up."""
    principal = write.properties.get("principalId")
    if not write.properties.get("principalType") and principal not in set(_principals(write.azure)):
        message = f"Principal {principal} does not exist in the directory {write.azure.options.tenant}. Check that you have the correct principal ID."
        raise ArmError(400, "PrincipalNotFound", message)


@rule("role-assignment-immutable", ASSIGNMENT, "learn.microsoft.com/azure/role-based-access-control/role-assignments")
def assignment_is_immutable(write: Write) -> None:
    for name in ("principalId", "roleDefinitionId"):
        before, after = write.old_properties.get(name, ""), write.properties.get(name, "")
        if write.before and before.lower() != after.lower():
            raise ArmError(
                400, "RoleAssignmentUpdateNotPermitted", f"Tenant ID, application ID, principal ID, and scope are not allowed to be updated: {name}."
            )


@rule("role-assignment-unique", ASSIGNMENT, "learn.microsoft.com/azure/role-based-access-control/troubleshooting")
def assignment_is_unique(write: Write) -> None:
    scope = ids.parse(write.id).scope.lower()
    for other in write.azure.store.of_type(ASSIGNMENT):
        same = all(str(other.properties.get(name)).lower() == str(write.properties.get(name)).lower() for name in ("principalId", "roleDefinitionId"))
        if other.key != write.id.lower() and ids.parse(other.id).scope.lower() == scope and same:
            raise ArmError(
                409, "RoleAssignmentExists", f"The role assignment already exists. The ID of the existing role assignment is {other.name}."
            )


@rule("role-assignment-name", ASSIGNMENT, "learn.microsoft.com/rest/api/authorization/role-assignments/create")
def assignment_name_is_a_guid(write: Write) -> None:
    name = ids.parse(write.id).name
    if not re.fullmatch(_GUID, name):
        raise ArmError(400, "InvalidRoleAssignmentId", f"The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.")
