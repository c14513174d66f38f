"""Registries."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from .. import errors, ids
from ..azure import Azure, merge
from ..kinds import Caller, Write, kind
from ..network.private_links import PrivatelyLinked
from ..store import Operation, Resource

REGISTRY = "Microsoft.ContainerRegistry/registries"


@kind
class Registry(PrivatelyLinked):
    type = REGISTRY
    private_link_group = "registry"
    private_link_domain = "azurecr.io"
    private_link_zone = "privatelink.azurecr.io"
    delete_seconds = 10
    created_status = 200
    has_system_data = True
    #: Azure answers with these whatever the api-version, and takes them back
    overlooked = frozenset(
        f"properties.{name}" for name in ("anonymousPullEnabled", "policies.azureADAuthenticationAsArmPolicy", "policies.softDeletePolicy")
    )

    def private_link_members(self, resource: Resource) -> dict[str, str]:
        name, region = resource.name.lower(), resource.body["location"]
        return {f"registry_data_{region}": f"{name}.{region}.data", "registry": name}

    def defaults(self, write: Write) -> None:
        properties = write.properties
        write.body.setdefault("tags", {})
        write.body["sku"]["tier"] = write.body["sku"]["name"]
        for name, value in {
            "adminUserEnabled": False,
            "anonymousPullEnabled": False,
            "dataEndpointEnabled": False,
            "networkRuleBypassOptions": "AzureServices",
            "publicNetworkAccess": "Enabled",
            "zoneRedundancy": "Disabled",
            "encryption": {"status": "disabled"},
            "dataEndpointHostNames": [],
        }.items():
            properties.setdefault(name, value)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.0000000+00:00", time.gmtime())
        policies = {
            "quarantinePolicy": {"status": "disabled"},
            "trustPolicy": {"type": "Notary", "status": "disabled"},
            "retentionPolicy": {"days": 7, "lastUpdatedTime": stamp, "status": "disabled"},
            "exportPolicy": {"status": "enabled"},
            "azureADAuthenticationAsArmPolicy": {"status": "enabled"},
            "softDeletePolicy": {"retentionDays": 7, "lastUpdatedTime": stamp, "status": "disabled"},
        }
        properties["policies"] = merge(policies, properties.get("policies") or {})
        if write.body["sku"]["name"] == "Premium":
            properties.setdefault("networkRuleSet", {"defaultAction": "Allow", "ipRules": []})

    def accepted(self, write: Write, resource: Resource) -> None:
        properties = resource.properties
        properties["loginServer"] = f"{resource.name.lower()}.azurecr.io"
        properties["creationDate"] = write.old_properties.get("creationDate") or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        if properties["dataEndpointEnabled"]:
            properties["dataEndpointHostNames"] = [f"{resource.name.lower()}.{resource.body['location']}.data.azurecr.io"]

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        body["properties"]["privateEndpointConnections"] = list(self.private_endpoint_connections(azure, resource))
        return body

    def view(self, azure: Azure, resource: Resource, name: str, query: Mapping[str, str]) -> Any:
        if name != "listusages":
            return super().view(azure, resource, name, query)
        size = {"Basic": 10, "Standard": 100, "Premium": 500}[resource.body["sku"]["name"]] * 2**30
        return {"value": [{"name": "Size", "limit": size, "currentValue": 0, "unit": "Bytes"}]}

    def action(self, azure: Azure, resource: Resource, name: str, body: dict[str, Any], caller: Caller) -> Any:
        match name.lower():
            case "importimage":
                return self._import(azure, resource, body)
            case "listcredentials":
                return _credentials(resource)
        return None

    def _import(self, azure: Azure, resource: Resource, body: dict[str, Any]) -> Operation:
        source = body.get("source")
        if not isinstance(source, dict) or not source.get("sourceImage") or not (source.get("registryUri") or source.get("resourceId")):
            raise errors.ArmError(400, "InvalidParameters", "source needs sourceImage, and registryUri or resourceId.")
        repository, _, digest = str(source["sourceImage"]).partition("@")
        images = resource.hidden.setdefault("images", {})
        targets = (body.get("targetTags") or []) + [f"{name}@{digest}" for name in body.get("untaggedTargetRepositories") or []]
        for target in targets or [repository]:
            if body.get("mode", "NoForce") == "NoForce" and target in images:
                raise errors.ArmError(409, "TagAlreadyExists", f"Tag {target} already exists in target registry. Specify 'Force' to overwrite.")
            images[target] = digest or ids.stable_uuid(str(source))
        azure.store.save(resource)
        return azure.operations.begin_action(resource, 10)


def _credentials(resource: Resource) -> dict[str, Any]:
    """The administrator's name and its two passwords."""
    if not resource.properties["adminUserEnabled"]:
        message = f"Cannot perform credential operations for {resource.id} as admin user is disabled. Kindly enable admin user as per docs."
        raise errors.ArmError(400, "UnAuthorizedForCredentialOperations", message)
    passwords = [{"name": name, "value": ids.stable_uuid(resource.id, name)} for name in ("password", "password2")]
    return {"username": resource.name, "passwords": passwords}
