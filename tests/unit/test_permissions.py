"""The messages for credentials that lack a role."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.permissions import allows, denial
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes import permissions
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.cluster import KubernetesFailure
from lab.arm.authorization.roles import BUILT_IN_ROLES

SCOPE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/shop"
#: action -> the role that is named
ROLES = [
    ("Microsoft.Network/virtualNetworks/read", "Reader"),
    ("Microsoft.KeyVault/checkNameAvailability/read", "Reader"),
    ("Microsoft.ContainerService/managedClusters/listClusterUserCredential/action", "Azure Kubernetes Service Cluster User Role"),
    ("Microsoft.ContainerService/managedClusters/write", "Azure Kubernetes Service Contributor Role"),
    ("Microsoft.Authorization/roleAssignments/write", "Role Based Access Control Administrator"),
    ("Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write", "Network Contributor"),
    ("Microsoft.Resources/subscriptions/resourceGroups/write", "Contributor"),
]


@pytest.mark.parametrize(("action", "role"), ROLES)
def test_azure_names_no_role(action: str, role: str) -> None:
    message = (
        f"The client 'c' with object id 'o' does not have authorization to perform action '{action}' over scope '{SCOPE}' or the scope is invalid. "
        "If access was recently granted, please refresh your credentials."
    )
    assert denial(message) == f"the principal o lacks {action} on {SCOPE}; the role {role} allows it."
    # Of the roles that the lab knows, the named one does allow it.
    assert all(found.allows(action) for found in BUILT_IN_ROLES.values() if found.name == role)


def test_another_message_stays() -> None:
    assert denial("The access token is invalid.") == "The access token is invalid."


@pytest.mark.parametrize(
    ("permission", "action", "allowed"),
    [
        ({"actions": ["*"], "notActions": []}, "Microsoft.Authorization/roleAssignments/write", True),
        ({"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"]}, "Microsoft.Authorization/roleAssignments/write", False),
        ({"actions": ["*/read"]}, "Microsoft.Authorization/roleAssignments/write", False),
        ({"actions": ["microsoft.authorization/*"]}, "Microsoft.Authorization/roleAssignments/write", True),
        ({}, "Microsoft.Authorization/roleAssignments/write", False),
    ],
)
def test_permissions(permission: dict[str, Any], action: str, allowed: bool) -> None:
    assert allows(permission, action) is allowed


AZURE_RBAC = {"properties": {"aadProfile": {"enableAzureRBAC": True}}}
KUBERNETES_RBAC = {"properties": {"aadProfile": {"managed": True}}}


@pytest.mark.parametrize(
    ("status", "message", "cluster", "words"),
    [
        (
            403,
            'pods is forbidden: User "o" cannot list resource "pods" in API group ""',
            AZURE_RBAC,
            "list pods; the role Azure Kubernetes Service RBAC Reader",
        ),
        (403, 'cannot list resource "nodes" in API group ""', AZURE_RBAC, "list nodes; the role Azure Kubernetes Service RBAC Admin"),
        (403, 'cannot list resource "secrets" in API group ""', AZURE_RBAC, "list secrets; the role Azure Kubernetes Service RBAC Admin"),
        (403, 'cannot patch resource "services" in API group ""', AZURE_RBAC, "patch services; the role Azure Kubernetes Service RBAC Cluster Admin"),
        (403, 'cannot list resource "pods" in API group ""', KUBERNETES_RBAC, "list pods; a ClusterRole that is bound to them"),
    ],
)
def test_what_a_cluster_refuses(status: int, message: str, cluster: dict[str, Any], words: str) -> None:
    assert permissions.denial(KubernetesFailure(status, message), cluster).startswith(f"the credentials may not {words}")


@pytest.mark.parametrize(("status", "message"), [(0, "no route to host"), (403, "forbidden"), (409, 'cannot patch resource "services"')])
def test_another_failure_stays(status: int, message: str) -> None:
    assert permissions.denial(KubernetesFailure(status, message), AZURE_RBAC) == message
