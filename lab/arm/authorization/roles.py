"""Azure's built-in roles, and which of them a principal has."""

from __future__ import annotations

from .. import ids
from ..azure import Azure
from .kinds import ASSIGNMENT, OWNER

#: Built-in roles (learn.microsoft.com/azure/role-based-access-control/built-in-roles) that the roles and the tests use.
BUILT_IN_ROLES = {
    OWNER: "Owner",
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


def roles_on(azure: Azure, principal: str, path: str) -> set[str]:
    """Ids of the roles that a principal's assignments on ``path``, and above it, give it."""
    roles = set()
    for assignment in azure.store.of_type(ASSIGNMENT):
        scope = ids.parse(assignment.id).scope.lower()
        covers = path.lower() == scope or path.lower().startswith(scope + "/")
        if covers and assignment.properties.get("principalId") == principal:
            roles.add(str(assignment.properties.get("roleDefinitionId", "")).rsplit("/", 1)[-1].lower())
    return roles
