"""Azure's built-in roles, what they allow, and which of them a principal has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .. import ids
from ..azure import Azure
from ..options import OWNER, READER
from .kinds import ASSIGNMENT


@dataclass(frozen=True)
class Role:
    """A built-in role, and its actions on resources; what it allows on data is not among them."""

    name: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        """Whether one of ``actions`` covers it, and none of ``not_actions``; case means nothing."""
        return _covers(self.actions, action) and not _covers(self.not_actions, action)


def _covers(patterns: Iterable[str], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


_AUTHORIZATION, _GROUPS = "Microsoft.Authorization/*/read", "Microsoft.Resources/subscriptions/resourceGroups/read"
_SUBSCRIPTION = ("Microsoft.Resources/subscriptions/operationresults/read", "Microsoft.Resources/subscriptions/read", _GROUPS)
_CREDENTIAL = "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action"

#: Built-in roles (learn.microsoft.com/azure/role-based-access-control/built-in-roles) that the roles and the tests use. Actions on services that
#: the lab does not have, such as Microsoft.Support, are left out.
BUILT_IN_ROLES = {
    OWNER: Role("Owner", ("*",)),
    "b24988ac-6180-42a0-ab88-20f7382dd24c": Role("Contributor", ("*",), ("Microsoft.Authorization/*/delete", "Microsoft.Authorization/*/write")),
    READER: Role("Reader", ("*/read",)),
    "4d97b98b-1d4f-4787-a291-c67834d212e7": Role("Network Contributor", (_AUTHORIZATION, "Microsoft.Network/*", _GROUPS)),
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": Role("AcrPull", ("Microsoft.ContainerRegistry/registries/pull/read",)),
    "8311e382-0749-4cb8-b61a-304f252e45ec": Role(
        "AcrPush", ("Microsoft.ContainerRegistry/registries/pull/read", "Microsoft.ContainerRegistry/registries/push/write")
    ),
    "4633458b-17de-408a-b874-0445c86b69e6": Role("Key Vault Secrets User", ()),
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": Role(
        "Key Vault Secrets Officer",
        (
            _AUTHORIZATION,
            _GROUPS,
            "Microsoft.KeyVault/checkNameAvailability/read",
            "Microsoft.KeyVault/deletedVaults/read",
            "Microsoft.KeyVault/locations/*/read",
            "Microsoft.KeyVault/vaults/*/read",
            "Microsoft.KeyVault/operations/read",
        ),
    ),
    "f1a07417-d97a-45cb-824c-7a7467783830": Role(
        "Managed Identity Operator",
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
            _AUTHORIZATION,
            _GROUPS,
        ),
    ),
    "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b": Role("Azure Kubernetes Service RBAC Cluster Admin", (_AUTHORIZATION, *_SUBSCRIPTION, _CREDENTIAL)),
    "3498e952-d568-435e-9b2c-8d77e338d7f7": Role("Azure Kubernetes Service RBAC Admin", (_AUTHORIZATION, *_SUBSCRIPTION, _CREDENTIAL)),
    "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb": Role("Azure Kubernetes Service RBAC Writer", (_AUTHORIZATION, *_SUBSCRIPTION)),
    "7f6c6a51-bcf8-42ba-9220-52d62157d7db": Role("Azure Kubernetes Service RBAC Reader", (_AUTHORIZATION, *_SUBSCRIPTION)),
    "4abbcc35-e782-43d8-92c5-2d3f1bd2253f": Role(
        "Azure Kubernetes Service Cluster User Role", (_CREDENTIAL, "Microsoft.ContainerService/managedClusters/read")
    ),
    "befefa01-2a29-4197-83a8-272ff33ce314": Role("DNS Zone Contributor", (_AUTHORIZATION, "Microsoft.Network/dnsZones/*", _GROUPS)),
    "b12aa53e-6015-4669-85d0-8515ebb3ae7f": Role(
        "Private DNS Zone Contributor",
        (
            "Microsoft.Network/privateDnsZones/*",
            "Microsoft.Network/privateDnsOperationResults/*",
            "Microsoft.Network/privateDnsOperationStatuses/*",
            "Microsoft.Network/virtualNetworks/read",
            "Microsoft.Network/virtualNetworks/join/action",
            _AUTHORIZATION,
        ),
    ),
}


def roles_on(azure: Azure, principal: str, path: str) -> set[str]:
    """Ids of the roles that a principal's assignments on ``path``, and above it, give it."""
    roles = set()
    for assignment in azure.store.of_type(ASSIGNMENT):
        scope = ids.parse(assignment.id).scope.lower()
        covers = path.lower() == scope or path.lower().startswith(scope + "/")
        if covers and assignment.properties.get("principalId") == principal:
            roles.add(str(assignment.properties.get("roleDefinitionId", "")).rsplit("/", 1)[-1].lower())
    return roles


def may(azure: Azure, principal: str, action: str, path: str) -> bool:
    """Whether a principal's role assignments allow it an action on ``path``."""
    return any(role in BUILT_IN_ROLES and BUILT_IN_ROLES[role].allows(action) for role in roles_on(azure, principal, path))
