"""Vaults and their secrets."""

from __future__ import annotations

import copy
import time
from typing import Any

from .. import ids
from ..azure import Azure
from ..kinds import Kind, Write, kind
from ..network.private_links import PrivatelyLinked
from ..store import Resource

VAULT = "Microsoft.KeyVault/vaults"
SECRET = VAULT + "/secrets"


@kind
class Vault(PrivatelyLinked):
    """Deleting a vault leaves its name taken until it is purged or recovered (soft delete)."""

    type = VAULT
    private_link_group = "vault"
    private_link_domain = "vault.azure.net"
    private_link_zone = "privatelink.vaultcore.azure.net"
    seconds = 10
    creating = "RegisteringDns"
    created_status = 200
    has_system_data = True

    def seconds_of(self, write: Write) -> float:
        """Only a name that is new has to be registered."""
        return 0 if write.before or write.properties.get("createMode") == "recover" else self.seconds

    def private_link_members(self, resource: Resource) -> dict[str, str]:
        return {"default": resource.name.lower()}

    def defaults(self, write: Write) -> None:
        deleted = write.azure.store.deleted_vaults.get(ids.parse(write.id).name.lower())
        if write.before is None and deleted and write.properties.get("createMode") == "recover":
            write.body["properties"] = copy.deepcopy(deleted["body"]["properties"]) | write.properties
        properties = write.properties
        # No vault is without it any more.
        properties["enableSoftDelete"] = True
        properties.setdefault("softDeleteRetentionInDays", 90)
        properties.setdefault("enableRbacAuthorization", False)
        properties.setdefault("publicNetworkAccess", "Enabled")
        properties.setdefault("accessPolicies", [])
        properties.setdefault("enabledForDeployment", False)
        write.body.setdefault("tags", {})

    def accepted(self, write: Write, resource: Resource) -> None:
        properties = resource.properties
        mode = properties.pop("createMode", "default")
        name = resource.name.lower()
        deleted = write.azure.store.deleted_vaults.get(name)
        if write.before is None and deleted and mode == "recover":
            resource.hidden = copy.deepcopy(deleted["hidden"])
            for child in deleted["children"]:
                write.azure.store.save(Resource(**child))
            write.azure.store.save_deleted_vault(name, None)
        resource.properties["vaultUri"] = f"https://{name}.vault.azure.net/"

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        connections = list(self.private_endpoint_connections(azure, resource))
        if connections:
            body["properties"]["privateEndpointConnections"] = connections
        return body

    def leaving(self, azure: Azure, resource: Resource) -> None:
        children = [
            {"id": child.id, "type": child.type, "body": child.body, "hidden": child.hidden} for child in azure.store.children(resource.id, "secrets")
        ]
        days = resource.properties["softDeleteRetentionInDays"] * 86400
        azure.store.save_deleted_vault(
            resource.name,
            {
                "id": resource.id,
                "location": resource.body["location"],
                "body": {key: value for key, value in resource.body.items() if key != "id"},
                "hidden": resource.hidden,
                "children": children,
                "deleted": time.time(),
                "purge": time.time() + days,
            },
        )


@kind
class Secret(Kind):
    """A vault's secret through ARM: its value is never shown."""

    type = SECRET
    has_provisioning_state = False

    def accepted(self, write: Write, resource: Resource) -> None:
        value = resource.properties.pop("value", None)
        if value is not None:
            resource.hidden["value"] = value
        version = ids.stable_uuid(resource.id, str(value)).replace("-", "")
        uri = f"https://{ids.parse(resource.id).names[0].lower()}.vault.azure.net/secrets/{resource.name}"
        resource.properties.update(secretUri=uri, secretUriWithVersion=f"{uri}/{version}")
