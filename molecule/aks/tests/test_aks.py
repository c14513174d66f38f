"""The role by itself: a dual-stack cluster in a subnet of somebody else."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from tests.harness import Observer
from tests.theirs import Theirs

testinfra_hosts = ["local://"]
CLUSTER = "aks-theirs-westeurope"
NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"


@pytest.fixture(scope="module")
def cluster(guest: Observer) -> dict[str, Any]:
    group = f"{guest.subscription}/resourceGroups/rg-theirs-westeurope"
    return guest.get(f"{group}/providers/Microsoft.ContainerService/managedClusters/{CLUSTER}", "2026-05-01")


def test_it_is_in_their_subnet(theirs: Theirs, cluster: dict[str, Any]) -> None:
    assert {pool["vnetSubnetID"].lower() for pool in cluster["properties"]["agentPoolProfiles"]} == {f"{theirs.vnet}/subnets/nodes".lower()}


def test_nodes_have_both_families(guest: Observer) -> None:
    nodes = guest.kubectl("get", "nodes", cluster=CLUSTER)["items"]
    found = [[ipaddress.ip_network(text).version for text in node["spec"]["podCIDRs"]] for node in nodes]
    assert found == [[4, 6], [4, 6]]


def test_its_identity_may_use_the_addresses_of_entrances(guest: Observer, theirs: Theirs, cluster: dict[str, Any]) -> None:
    [identity] = cluster["identity"]["userAssignedIdentities"].values()
    assigned = guest.get(f"{theirs.group}/providers/Microsoft.Authorization/roleAssignments", "2022-04-01")["value"]
    mine = [item["properties"]["roleDefinitionId"] for item in assigned if item["properties"]["principalId"] == identity["principalId"]]
    assert NETWORK_CONTRIBUTOR in {found.rpartition("/")[2] for found in mine}


def test_nothing_of_theirs_was_written(theirs: Theirs) -> None:
    assert theirs.written_by_us() == []
