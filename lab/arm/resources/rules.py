"""What Microsoft.Resources refuses."""

from __future__ import annotations

from ..authorization.kinds import LOCK
from ..azure import Azure
from ..errors import ArmError
from ..rules import delete_rule
from ..store import Resource
from .kinds import GROUP


@delete_rule("group-locked", GROUP, "learn.microsoft.com/azure/azure-resource-manager/management/lock-resources")
def nothing_in_the_group_is_locked(azure: Azure, resource: Resource) -> None:
    for lock in azure.store.of_type(LOCK):
        if lock.key.startswith(resource.key + "/"):
            raise ArmError(409, "ScopeLocked", f"The scope '{resource.id}' cannot perform delete operation because '{lock.id}' is locked.")
