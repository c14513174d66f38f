"""What the smaller services refuse."""

from __future__ import annotations

import ipaddress
import re

from .. import ids, services
from ..azure import Azure, Write
from ..errors import ArmError
from ..store import Resource
from . import delete_rule, rule

_VAULT = "learn.microsoft.com/azure/key-vault/general/soft-delete-overview"
_REGISTRY = "learn.microsoft.com/azure/container-registry/container-registry-access-selected-networks"


def _only_ipv4(entries: list[dict[str, str]], what: str) -> None:
    for entry in entries:
        try:
            found = ipaddress.ip_network(entry["value"], strict=False)
        except ValueError:
            found = None
        if found is None or found.version != 4:
            raise ArmError(
                400, "InvalidIpRule", f"{what}: {entry['value']!r} is not an IPv4 address or CIDR; only IPv4 is allowed.", target="ipRules"
            )


@rule("vault-ip-rules", services.VAULT, "learn.microsoft.com/azure/key-vault/general/network-security")
def vault_ip_rules_are_ipv4(write: Write) -> None:
    _only_ipv4((write.properties.get("networkAcls") or {}).get("ipRules") or [], "networkAcls.ipRules")


@rule("vault-name", services.VAULT, "learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates")
def vault_name(write: Write) -> None:
    name = ids.parse(write.id).name
    if not re.fullmatch(r"[a-zA-Z](?:[a-zA-Z0-9]|-(?!-)){1,22}[a-zA-Z0-9]", name):
        raise ArmError(400, "VaultNameNotValid", f"The vault name '{name}' must be 3 to 24 letters, digits and single hyphens, a letter first.")


@rule("vault-soft-deleted", services.VAULT, _VAULT)
def soft_deleted_name_is_taken(write: Write) -> None:
    name = ids.parse(write.id).name
    deleted = write.azure.store.deleted_vaults.get(name.lower())
    if write.before is None and deleted and write.properties.get("createMode") != "recover":
        raise ArmError(409, "ConflictError", f"A vault with the same name '{name}' already exists in deleted state. You need to recover or purge it.")


@rule("vault-purge-protection", services.VAULT, _VAULT)
def purge_protection_stays(write: Write) -> None:
    if write.properties.get("enablePurgeProtection") is False:
        raise ArmError(400, "BadRequest", 'The property "enablePurgeProtection" cannot be set to false. Enabling it is irreversible.')
    if write.old_properties.get("enablePurgeProtection") and not write.properties.get("enablePurgeProtection"):
        write.properties["enablePurgeProtection"] = True


@rule("vault-retention", services.VAULT, _VAULT)
def retention(write: Write) -> None:
    days = write.properties["softDeleteRetentionInDays"]
    if not 7 <= days <= 90:
        raise ArmError(400, "BadRequest", f"softDeleteRetentionInDays {days} is out of range: 7 to 90.")
    if write.before and days != write.old_properties["softDeleteRetentionInDays"]:
        raise ArmError(400, "BadRequest", "softDeleteRetentionInDays has been set already and it can't be modified.")


@rule("registry-ip-rules", services.REGISTRY, _REGISTRY)
def registry_ip_rules_are_ipv4(write: Write) -> None:
    _only_ipv4((write.properties.get("networkRuleSet") or {}).get("ipRules") or [], "networkRuleSet.ipRules")


@rule("registry-premium", services.REGISTRY, "learn.microsoft.com/azure/container-registry/container-registry-skus")
def premium_features(write: Write) -> None:
    properties = write.properties
    used = {
        "publicNetworkAccess": properties["publicNetworkAccess"] == "Disabled",
        "zoneRedundancy": properties["zoneRedundancy"] == "Enabled",
        "dataEndpointEnabled": properties["dataEndpointEnabled"],
    }
    for name, wanted in used.items():
        if wanted and write.body["sku"]["name"] != "Premium":
            raise ArmError(400, "FeatureNotSupportedForSku", f"{name} needs a registry of SKU Premium.", target=name)


@rule("registry-name", services.REGISTRY, "learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules")
def registry_name(write: Write) -> None:
    name = ids.parse(write.id).name
    if not re.fullmatch(r"[a-zA-Z0-9]{5,50}", name):
        raise ArmError(400, "InvalidRegistryName", f"The registry name '{name}' must be 5 to 50 letters and digits.")


@rule("role-assignment-principal", services.ASSIGNMENT, "learn.microsoft.com/azure/role-based-access-control/troubleshooting")
def principal_is_known(write: Write) -> None:
    """With ``principalType`` given, Azure does not look the principal up."""
    principal = write.properties.get("principalId")
    known = {found.properties["principalId"] for found in write.azure.store.of_type(services.IDENTITY)} | {write.azure.options.client_object}
    if not write.properties.get("principalType") and principal not in known:
        raise ArmError(400, "PrincipalNotFound", f"Principal {principal} does not exist in the directory {write.azure.options.tenant}.")


@rule("role-assignment-immutable", services.ASSIGNMENT, "learn.microsoft.com/azure/role-based-access-control/role-assignments")
def assignment_is_immutable(write: Write) -> None:
    for name in ("principalId", "roleDefinitionId"):
        before, after = write.old_properties.get(name, ""), write.properties.get(name, "")
        if write.before and before.lower() != after.lower():
            raise ArmError(
                400, "RoleAssignmentUpdateNotPermitted", f"Tenant ID, application ID, principal ID, and scope are not allowed to be updated: {name}."
            )


@rule("role-assignment-unique", services.ASSIGNMENT, "learn.microsoft.com/azure/role-based-access-control/troubleshooting")
def assignment_is_unique(write: Write) -> None:
    scope = ids.parse(write.id).scope.lower()
    for other in write.azure.store.of_type(services.ASSIGNMENT):
        same = all(str(other.properties.get(name)).lower() == str(write.properties.get(name)).lower() for name in ("principalId", "roleDefinitionId"))
        if other.key != write.id.lower() and ids.parse(other.id).scope.lower() == scope and same:
            raise ArmError(
                409, "RoleAssignmentExists", f"The role assignment already exists. The ID of the existing role assignment is {other.name}."
            )


@rule("role-assignment-name", services.ASSIGNMENT, "learn.microsoft.com/rest/api/authorization/role-assignments/create")
def assignment_name_is_a_guid(write: Write) -> None:
    name = ids.parse(write.id).name
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", name):
        raise ArmError(400, "InvalidRoleAssignmentId", f"The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.")


@rule("federated-credential-unique", services.CREDENTIAL, "learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations")
def issuer_and_subject_are_unique(write: Write) -> None:
    siblings = write.azure.store.children(ids.parse(write.id).parent, "federatedIdentityCredentials")
    for other in siblings:
        same = all(other.properties.get(name) == write.properties.get(name) for name in ("issuer", "subject"))
        if other.key != write.id.lower() and same:
            raise ArmError(409, "Conflict", f"Issuer and subject combination already exists for this managed identity: {other.name}.")
    if write.before is None and len(siblings) >= 20:
        raise ArmError(400, "TooManyFederatedIdentityCredentials", "An identity has 20 federated identity credentials at most.")


@delete_rule("group-locked", services.GROUP, "learn.microsoft.com/azure/azure-resource-manager/management/lock-resources")
def nothing_in_the_group_is_locked(azure: Azure, resource: Resource) -> None:
    for lock in azure.store.of_type(services.LOCK):
        if lock.key.startswith(resource.key + "/"):
            raise ArmError(409, "ScopeLocked", f"The scope '{resource.id}' cannot perform delete operation because '{lock.id}' is locked.")
