"""The role by itself: a closed registry with a private endpoint in a network of somebody else, from which their kubelets pull."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import Observer
from tests.theirs import Theirs

testinfra_hosts = ["local://"]
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"


@pytest.fixture(scope="module")
def registry(guest: Observer) -> dict[str, Any]:
    group = f"{guest.subscription}/resourceGroups/rg-theirs-westeurope"
    [found] = guest.get(f"{group}/providers/Microsoft.ContainerRegistry/registries", "2025-11-01")["value"]
    assert isinstance(found, dict)
    return found


def test_it_is_closed(registry: dict[str, Any]) -> None:
    assert (registry["sku"]["name"], registry["properties"]["publicNetworkAccess"]) == ("Premium", "Disabled")


def test_its_endpoint_is_in_their_subnet(guest: Observer, theirs: Theirs, registry: dict[str, Any]) -> None:
    group = f"{guest.subscription}/resourceGroups/rg-theirs-westeurope"
    endpoints = [item["properties"] for item in guest.get(f"{group}/providers/Microsoft.Network/privateEndpoints")["value"]]
    served = {
        connection["properties"]["privateLinkServiceId"].lower(): item["subnet"]["id"].lower()
        for item in endpoints
        for connection in item["privateLinkServiceConnections"]
    }
    assert served[registry["id"].lower()] == f"{theirs.vnet}/subnets/endpoints".lower()


def test_their_kubelets_may_pull(guest: Observer, theirs: Theirs, registry: dict[str, Any]) -> None:
    assigned = guest.get(f"{registry['id']}/providers/Microsoft.Authorization/roleAssignments", "2022-04-01")["value"]
    pullers = {item["properties"]["principalId"] for item in assigned if item["properties"]["roleDefinitionId"].endswith(ACR_PULL)}
    assert pullers == {guest.get(theirs.kubelets, "2024-11-30")["properties"]["principalId"]}


def test_nothing_of_theirs_was_written(theirs: Theirs) -> None:
    assert theirs.written_by_us() == []
