"""What the lab's principals may do: a reader, and one whose role assignments change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.arm.authorization.actions import action_of, scope_of
from lab.arm.authorization.roles import BUILT_IN_ROLES
from lab.arm.options import OWNER, READER
from tests.lab.test_requests import CLUSTER, GROUP, LOCATION, OPTIONS, REGISTRY, SUBSCRIPTION, VAULT, VNET, Client, against
from tests.lab.test_upgrades import OVERLAY, network

CLUSTER_USER = "4abbcc35-e782-43d8-92c5-2d3f1bd2253f"
NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
ASSIGNMENTS = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments"


@pytest.mark.parametrize(
    ("method", "path", "action", "scope"),
    [
        ("GET", VNET, "Microsoft.Network/virtualNetworks/read", VNET),
        ("HEAD", GROUP, "Microsoft.Resources/subscriptions/resourceGroups/read", GROUP),
        ("GET", f"{VNET}/subnets", "Microsoft.Network/virtualNetworks/subnets/read", VNET),
        ("PUT", f"{VNET}/subnets/nodes", "Microsoft.Network/virtualNetworks/subnets/write", f"{VNET}/subnets/nodes"),
        ("PATCH", VNET, "Microsoft.Network/virtualNetworks/write", VNET),
        ("DELETE", REGISTRY, "Microsoft.ContainerRegistry/registries/delete", REGISTRY),
        ("POST", f"{REGISTRY}/listCredentials", "Microsoft.ContainerRegistry/registries/listCredentials/action", REGISTRY),
        (
            "PUT",
            f"{VNET}/providers/Microsoft.Authorization/roleAssignments/a",
            "Microsoft.Authorization/roleAssignments/write",
            f"{VNET}/providers/Microsoft.Authorization/roleAssignments/a",
        ),
        ("POST", f"{SUBSCRIPTION}/providers/Microsoft.Network/register", "Microsoft.Network/register/action", SUBSCRIPTION),
        ("POST", f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/checkNameAvailability", "Microsoft.KeyVault/checkNameAvailability/read", SUBSCRIPTION),
        ("GET", f"{SUBSCRIPTION}/providers", "Microsoft.Resources/subscriptions/providers/read", SUBSCRIPTION),
        ("GET", f"{SUBSCRIPTION}/providers/Microsoft.Network", "Microsoft.Resources/subscriptions/providers/read", SUBSCRIPTION),
        ("GET", "/tenants", "", "/tenants"),
    ],
)
def test_actions_of_requests(method: str, path: str, action: str, scope: str) -> None:
    assert (action_of(method, path), scope_of(path)) == (action, scope)


@pytest.mark.parametrize(
    ("role", "action", "allowed"),
    [
        (OWNER, "Microsoft.Authorization/roleAssignments/write", True),
        (CONTRIBUTOR, "Microsoft.Authorization/roleAssignments/WRITE", False),
        (CONTRIBUTOR, "Microsoft.Authorization/roleAssignments/read", True),
        (READER, "microsoft.keyvault/checknameavailability/READ", True),
        (READER, "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action", False),
        (CLUSTER_USER, "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action", True),
        (CLUSTER_USER, "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action", False),
        (NETWORK_CONTRIBUTOR, "Microsoft.ContainerService/managedClusters/read", False),
    ],
)
def test_what_roles_allow(role: str, action: str, allowed: bool) -> None:
    assert BUILT_IN_ROLES[role].allows(action) == allowed


async def grant(client: Client, scope: str, role: str) -> str:
    """Give the reader one more role; the assignment's path."""
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{role}"
    definition = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    await client.put(path, {"properties": {"principalId": OPTIONS.reader_object, "roleDefinitionId": definition}})
    return path


async def revoke_all(client: Client) -> None:
    for found in (await client.get(ASSIGNMENTS))["value"]:
        if found["properties"]["principalId"] == OPTIONS.reader_object:
            await client.call("DELETE", found["id"])


def test_the_reader_reads_everything(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        reader = client.reader()
        for path in (SUBSCRIPTION, f"{SUBSCRIPTION}/resourceGroups", GROUP, f"{GROUP}/resources", VNET, f"{VNET}/subnets", VAULT, ASSIGNMENTS):
            assert await reader.get(path) == await client.get(path)
        body = {"name": "vault2", "type": "Microsoft.KeyVault/vaults"}
        status, found = await reader.call("POST", f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/checkNameAvailability", body)
        assert (status, found["nameAvailable"]) == (200, True)
        status, found = await reader.call("POST", "/batch", {"requests": [{"httpMethod": "GET", "url": f"{VNET}?api-version=2099-01-01"}]})
        assert (status, found["responses"][0]["content"]["id"]) == (200, VNET)

    against(tmp_path, work)


@pytest.mark.parametrize(
    ("method", "path", "action", "scope"),
    [
        ("PUT", f"{GROUP}2", "Microsoft.Resources/subscriptions/resourceGroups/write", f"{GROUP}2"),
        ("PUT", VNET, "Microsoft.Network/virtualNetworks/write", VNET),
        ("PATCH", VNET, "Microsoft.Network/virtualNetworks/write", VNET),
        ("PUT", f"{VNET}/subnets/nodes", "Microsoft.Network/virtualNetworks/subnets/write", f"{VNET}/subnets/nodes"),
        ("DELETE", VAULT, "Microsoft.KeyVault/vaults/delete", VAULT),
        ("DELETE", f"{VAULT}2", "Microsoft.KeyVault/vaults/delete", f"{VAULT}2"),
        ("POST", f"{REGISTRY}/listCredentials", "Microsoft.ContainerRegistry/registries/listCredentials/action", REGISTRY),
        ("POST", f"{CLUSTER}/listClusterUserCredential", "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action", CLUSTER),
        ("POST", f"{CLUSTER}/listClusterAdminCredential", "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action", CLUSTER),
        ("POST", f"{SUBSCRIPTION}/providers/Microsoft.Network/register", "Microsoft.Network/register/action", SUBSCRIPTION),
    ],
)
def test_the_reader_changes_nothing(tmp_path: Path, method: str, path: str, action: str, scope: str) -> None:
    async def work(client: Client) -> None:
        status, body = await client.reader().call(method, path, LOCATION)
        assert (status, body["error"]["code"]) == (403, "AuthorizationFailed")
        assert body["error"]["message"] == (
            f"The client '{OPTIONS.reader}' with object id '{OPTIONS.reader_object}' does not have authorization to perform action '{action}' over "
            f"scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials."
        )

    against(tmp_path, work)


def test_what_the_reader_may_do_follows_from_its_assignments(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        reader = client.reader()

        async def statuses(*requests: tuple[str, str, Any]) -> list[int]:
            return [(await reader.call(method, path, body))[0] for method, path, body in requests]

        await client.put(CLUSTER, network(**OVERLAY))
        credential = ("POST", f"{CLUSTER}/listClusterUserCredential", None)
        subnet = ("PUT", f"{VNET}/subnets/more", {"properties": {"addressPrefixes": ["10.10.1.0/24"]}})
        assert await statuses(credential, subnet) == [403, 403]
        await grant(client, CLUSTER, CLUSTER_USER)
        path = await grant(client, VNET, NETWORK_CONTRIBUTOR)
        assert await statuses(credential, subnet) == [200, 201]
        await client.call("DELETE", path)
        assert (await statuses(subnet)) == [403]

        await revoke_all(client)
        reads = (SUBSCRIPTION, f"{SUBSCRIPTION}/locations", f"{SUBSCRIPTION}/providers/Microsoft.Network", GROUP, VNET)
        assert await statuses(*(("GET", path, None) for path in reads)) == [200, 200, 200, 403, 403]
        await grant(client, VNET, READER)
        assert await statuses(*(("GET", path, None) for path in reads)) == [200, 200, 200, 403, 200]

    against(tmp_path, work)


def test_permissions_of_the_caller(tmp_path: Path) -> None:
    path = f"{CLUSTER}/providers/Microsoft.Authorization/permissions"

    async def work(client: Client) -> None:
        reader = client.reader()
        await client.put(CLUSTER, network(**OVERLAY))
        assert (await client.get(path))["value"] == [{"actions": ["*"], "notActions": []}]
        assert (await reader.get(path))["value"] == [{"actions": ["*/read"], "notActions": []}]
        await grant(client, CLUSTER, CLUSTER_USER)
        assert ["*/read"] in [found["actions"] for found in (await reader.get(path))["value"]] and len((await reader.get(path))["value"]) == 2

    against(tmp_path, work)
