"""User-assigned identities and federated credentials."""

from __future__ import annotations

import time

from .. import ids
from ..azure import Azure
from ..kinds import Kind, Write, kind
from ..store import Resource

IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
CREDENTIAL = IDENTITY + "/federatedIdentityCredentials"


@kind
class UserAssignedIdentity(Kind):
    type = IDENTITY
    has_provisioning_state = False

    def defaults(self, write: Write) -> None:
        write.body.setdefault("tags", {})

    def accepted(self, write: Write, resource: Resource) -> None:
        azure = write.azure
        # A recreated identity is another principal, and has none of the old one's roles.
        generation = azure.store.facts.get(f"generation/{resource.key}", 0)
        resource.properties.update(
            tenantId=azure.options.tenant,
            principalId=ids.stable_uuid(resource.id, "principal", str(generation)),
            clientId=ids.stable_uuid(resource.id, "client", str(generation)),
            isolationScope=resource.properties.get("isolationScope", "None"),
        )
        resource.hidden.setdefault("born", time.time())

    def deleted(self, azure: Azure, resource: Resource) -> None:
        key = f"generation/{resource.key}"
        azure.store.save_fact(key, azure.store.facts.get(key, 0) + 1)


@kind
class FederatedIdentityCredential(Kind):
    type = CREDENTIAL
    #: writes under one identity are refused while another is under way
    seconds = 1
    has_provisioning_state = False

    def busy_with(self, resource: ids.ResourceId) -> str:
        return resource.parent
