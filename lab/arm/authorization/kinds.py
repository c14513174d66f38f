"""Role assignments and locks."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from .. import ids
from ..azure import Azure
from ..kinds import Kind, Write, kind
from ..store import Resource

ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
LOCK = "Microsoft.Authorization/locks"


class _ScopedKind(Kind):
    """What holds at a scope and below it: lists have those of the scopes above and below too."""

    has_provisioning_state = False
    needs_group = False

    def listed(self, azure: Azure, scope: str, query: Mapping[str, str]) -> list[Resource]:
        result = []
        text = query.get("$filter", "")
        principal = re.search(r"principalId eq '([^']+)'", text)
        for found in azure.store.of_type(self.type):
            at = ids.parse(found.id).scope.lower()
            related = scope.lower().startswith(at) or (at.startswith(scope.lower()) and "atscope()" not in text.lower())
            if related and (not principal or found.properties.get("principalId") == principal[1]):
                result.append(found)
        return result


@kind
class RoleAssignment(_ScopedKind):
    type = ASSIGNMENT
    shows_deleted = True

    def accepted(self, write: Write, resource: Resource) -> None:
        properties = resource.properties
        properties["scope"] = ids.parse(resource.id).scope
        properties.setdefault("principalType", "ServicePrincipal")
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.0000000Z", time.gmtime())
        properties.update(createdOn=stamp, updatedOn=stamp, createdBy=write.caller.object_id, updatedBy=write.caller.object_id)

    def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> Any:
        return azure.clusters.grant_access() if azure.clusters else None

    def deleted(self, azure: Azure, resource: Resource) -> Any:
        return azure.clusters.grant_access(without=resource.id) if azure.clusters else None


def grant_roles(azure: Azure) -> None:
    """Each service principal of the lab has its role on the subscription, by an assignment as any other."""
    for principal in azure.options.principals:
        azure.make(
            f"{azure.subscription_id}/providers/{ASSIGNMENT}/{ids.stable_uuid(azure.subscription_id, principal.role)}",
            {
                "properties": {
                    "roleDefinitionId": f"{azure.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/{principal.role}",
                    "principalId": principal.object_id,
                }
            },
        )


@kind
class Lock(_ScopedKind):
    type = LOCK
    lockable = False
