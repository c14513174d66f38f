"""The role by itself: a closed vault with a private endpoint in a network of somebody else, whose secrets their identity reads."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import Observer
from tests.theirs import Theirs

testinfra_hosts = ["local://"]
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"


@pytest.fixture(scope="module")
def vault(guest: Observer) -> dict[str, Any]:
    group = f"{guest.subscription}/resourceGroups/rg-theirs-westeurope"
    [found] = guest.get(f"{group}/providers/Microsoft.KeyVault/vaults", "2026-02-01")["value"]
    assert isinstance(found, dict)
    return found


def test_it_is_closed_and_cannot_be_purged(vault: dict[str, Any]) -> None:
    properties = vault["properties"]
    assert (properties["publicNetworkAccess"], properties["enableRbacAuthorization"], properties["enablePurgeProtection"]) == ("Disabled", True, True)


def test_its_endpoint_has_a_name_in_their_network(guest: Observer, theirs: Theirs) -> None:
    group = f"{guest.subscription}/resourceGroups/rg-theirs-westeurope/providers/Microsoft.Network"
    zone = f"{group}/privateDnsZones/privatelink.vaultcore.azure.net"
    links = guest.get(f"{zone}/virtualNetworkLinks", "2024-06-01")["value"]
    assert [link["properties"]["virtualNetwork"]["id"].lower() for link in links] == [theirs.vnet.lower()]
    assert guest.get(f"{zone}/A", "2024-06-01")["value"]


def test_their_identity_reads_its_secrets(guest: Observer, theirs: Theirs, vault: dict[str, Any]) -> None:
    assigned = guest.get(f"{vault['id']}/providers/Microsoft.Authorization/roleAssignments", "2022-04-01")["value"]
    readers = {item["properties"]["principalId"] for item in assigned if item["properties"]["roleDefinitionId"].endswith(SECRETS_USER)}
    assert readers == {guest.get(theirs.kubelets, "2024-11-30")["properties"]["principalId"]}


def test_nothing_of_theirs_was_written(theirs: Theirs) -> None:
    assert theirs.written_by_us() == []
