"""Somebody else's cluster after the upgrade: its nodes, and the register of the stamp that it has become."""

from __future__ import annotations

import pytest

from lab.state import State
from tests.harness import Observer
from tests.running import RunningCluster, addresses_of, register_in, versions

testinfra_hosts = ["local://"]


@pytest.fixture(scope="module")
def running() -> RunningCluster[Observer]:
    return RunningCluster(Observer(State.default()))


def test_nodes_have_both_families(running: RunningCluster[Observer]) -> None:
    for node in running.nodes():
        assert versions(addresses_of(node)) == versions(node["spec"]["podCIDRs"]) == [4, 6]


def test_the_register_has_the_ranges_that_azure_stores(running: RunningCluster[Observer]) -> None:
    profile = running.body()["properties"]["networkProfile"]
    register = register_in(running.lab.state.folder / "stamps")
    for name, stored in (("pods", profile["podCidrs"]), ("services", profile["serviceCidrs"])):
        assert [register[name]["ipv4"], register[name]["ipv6"]] == stored
