"""The smaller services: resource groups, identities, role assignments, locks, registries, vaults, monitoring."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Mapping
from typing import Any

from . import errors, ids
from .azure import Azure, Caller, Kind, Write, kind
from .store import Resource

GROUP = "Microsoft.Resources/resourceGroups"
IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
CREDENTIAL = IDENTITY + "/federatedIdentityCredentials"
ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
LOCK = "Microsoft.Authorization/locks"
REGISTRY = "Microsoft.ContainerRegistry/registries"
VAULT = "Microsoft.KeyVault/vaults"
SECRET = VAULT + "/secrets"
DIAGNOSTIC_SETTING = "Microsoft.Insights/diagnosticSettings"

#: what diagnostic settings can collect (learn.microsoft.com/azure/azure-monitor/reference/logs-index)
DIAGNOSTIC_CATEGORIES = {
    REGISTRY.lower(): ("ContainerRegistryRepositoryEvents", "ContainerRegistryLoginEvents"),
    VAULT.lower(): ("AuditEvent", "AzurePolicyEvaluationDetails"),
    "microsoft.containerservice/managedclusters": (
        "kube-apiserver",
        "kube-audit",
        "kube-audit-admin",
        "kube-controller-manager",
        "kube-scheduler",
        "cluster-autoscaler",
        "cloud-controller-manager",
        "guard",
    ),
    "microsoft.network/networksecuritygroups": ("NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter"),
}
#: resource type -> what private endpoints ask it for, and the zone of its names
_PRIVATE_LINKS = {REGISTRY: ("registry", "privatelink.azurecr.io"), VAULT: ("vault", "privatelink.vaultcore.azure.net")}

#: Built-in roles (learn.microsoft.com/azure/role-based-access-control/built-in-roles) that the roles and the tests use.
BUILT_IN_ROLES = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "4d97b98b-1d4f-4787-a291-c67834d212e7": "Network Contributor",
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
    "8311e382-0749-4cb8-b61a-304f252e45ec": "AcrPush",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    "f1a07417-d97a-45cb-824c-7a7467783830": "Managed Identity Operator",
    "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b": "Azure Kubernetes Service RBAC Cluster Admin",
    "3498e952-d568-435e-9b2c-8d77e338d7f7": "Azure Kubernetes Service RBAC Admin",
    "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb": "Azure Kubernetes Service RBAC Writer",
    "7f6c6a51-bcf8-42ba-9220-52d62157d7db": "Azure Kubernetes Service RBAC Reader",
    "4abbcc35-e782-43d8-92c5-2d3f1bd2253f": "Azure Kubernetes Service Cluster User Role",
    "befefa01-2a29-4197-83a8-272ff33ce314": "DNS Zone Contributor",
    "b12aa53e-6015-4669-85d0-8515ebb3ae7f": "Private DNS Zone Contributor",
}


class _PrivatelyLinked(Kind):
    """What private endpoints can lead to."""

    def view(self, azure: Azure, resource: Resource, name: str, query: Mapping[str, str]) -> Any:
        group, zone = _PRIVATE_LINKS[self.type]
        match name:
            case "privatelinkresources":
                properties = {"groupId": group, "requiredMembers": [group], "requiredZoneNames": [zone]}
                path = f"{resource.id}/privateLinkResources/{group}"
                return {"value": [{"id": path, "name": group, "type": f"{self.type}/privateLinkResources", "properties": properties}]}
            case "privateendpointconnections":
                return {"value": list(self._connections(azure, resource))}
        return None

    def _connections(self, azure: Azure, resource: Resource) -> Iterator[dict[str, Any]]:
        for endpoint in azure.store.of_type("Microsoft.Network/privateEndpoints"):
            for connection in endpoint.properties.get("privateLinkServiceConnections") or []:
                properties = connection["properties"]
                if properties["privateLinkServiceId"].lower() == resource.key and "privateLinkServiceConnectionState" in properties:
                    name = f"{endpoint.name}.{ids.stable_uuid(endpoint.id, 'connection')}"
                    yield {
                        "id": f"{resource.id}/privateEndpointConnections/{name}",
                        "name": name,
                        "type": f"{self.type}/privateEndpointConnections",
                        "properties": {
                            "privateEndpoint": {"id": endpoint.id},
                            "privateLinkServiceConnectionState": properties["privateLinkServiceConnectionState"],
                            "provisioningState": "Succeeded",
                        },
                    }


@kind
class ResourceGroup(Kind):
    type = GROUP
    delete_seconds = 10


@kind
class UserAssignedIdentity(Kind):
    type = IDENTITY
    has_provisioning_state = False

    def accepted(self, write: Write, resource: Resource) -> None:
        azure = write.azure
        # A recreated identity is another principal: what was granted to the old one is void.
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


@kind
class RoleAssignment(Kind):
    type = ASSIGNMENT
    has_provisioning_state = False
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


@kind
class Lock(Kind):
    type = LOCK
    has_provisioning_state = False


@kind
class Registry(_PrivatelyLinked):
    type = REGISTRY
    seconds = 15
    delete_seconds = 10

    def defaults(self, write: Write) -> None:
        properties = write.properties
        write.body.setdefault("properties", properties)
        write.body["sku"]["tier"] = write.body["sku"]["name"]
        for name, value in {
            "adminUserEnabled": False,
            "anonymousPullEnabled": False,
            "dataEndpointEnabled": False,
            "networkRuleBypassOptions": "AzureServices",
            "publicNetworkAccess": "Enabled",
            "zoneRedundancy": "Disabled",
            "encryption": {"status": "disabled"},
        }.items():
            properties.setdefault(name, value)
        if write.body["sku"]["name"] == "Premium":
            properties.setdefault("networkRuleSet", {"defaultAction": "Allow", "ipRules": []})

    def accepted(self, write: Write, resource: Resource) -> None:
        properties = resource.properties
        properties["loginServer"] = f"{resource.name.lower()}.azurecr.io"
        properties["creationDate"] = write.old_properties.get("creationDate") or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        if properties["dataEndpointEnabled"]:
            properties["dataEndpointHostNames"] = [f"{resource.name.lower()}.{resource.body['location']}.data.azurecr.io"]

    def view(self, azure: Azure, resource: Resource, name: str, query: Mapping[str, str]) -> Any:
        if name != "listusages":
            return super().view(azure, resource, name, query)
        size = {"Basic": 10, "Standard": 100, "Premium": 500}[resource.body["sku"]["name"]] * 2**30
        return {"value": [{"name": "Size", "limit": size, "currentValue": 0, "unit": "Bytes"}]}

    def action(self, azure: Azure, resource: Resource, name: str, body: dict[str, Any], caller: Caller) -> Any:
        if name.lower() != "importimage":
            return None
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
        return azure.start_action(resource, 10)


@kind
class Vault(_PrivatelyLinked):
    """Deleting a vault leaves its name taken until it is purged or recovered (soft delete)."""

    type = VAULT
    seconds = 10

    def defaults(self, write: Write) -> None:
        deleted = write.azure.store.deleted_vaults.get(ids.parse(write.id).name.lower())
        if write.before is None and deleted and write.properties.get("createMode") == "recover":
            write.body["properties"] = copy.deepcopy(deleted["body"]["properties"]) | write.properties
        properties = write.properties
        properties.setdefault("enableSoftDelete", True)
        properties.setdefault("softDeleteRetentionInDays", 90)
        properties.setdefault("enableRbacAuthorization", False)
        properties.setdefault("publicNetworkAccess", "Enabled")
        properties.setdefault("accessPolicies", [])

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


@kind
class DiagnosticSetting(Kind):
    type = DIAGNOSTIC_SETTING
    has_provisioning_state = False
    created_status = 200

    def defaults(self, write: Write) -> None:
        write.body.setdefault("properties", {})

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        for part in ("logs", "metrics"):
            for item in body["properties"].get(part) or []:
                item.setdefault("retentionPolicy", {"days": 0, "enabled": False})
        return body


@kind
class Workspace(Kind):
    type = "Microsoft.OperationalInsights/workspaces"
    seconds = 10
    delete_seconds = 5

    def defaults(self, write: Write) -> None:
        write.body.setdefault("properties", {})
        write.properties.setdefault("retentionInDays", 30)
        write.properties.setdefault("sku", {"name": "PerGB2018"})
        write.properties.setdefault("publicNetworkAccessForIngestion", "Enabled")
        write.properties.setdefault("publicNetworkAccessForQuery", "Enabled")

    def view(self, azure: Azure, resource: Resource, name: str, query: Mapping[str, str]) -> Any:
        return [] if name == "intelligencepacks" else None

    def accepted(self, write: Write, resource: Resource) -> None:
        resource.properties["customerId"] = ids.stable_uuid(resource.id, "customer")
