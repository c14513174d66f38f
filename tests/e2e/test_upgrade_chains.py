"""upgrade_dual_stack.yml on a cluster of somebody else's, as objects: a chain of three steps, from the check run to the run with nothing to do.

``tests/lab/test_upgrader.py`` has every starting point, and kills the run at every write; ``tests/readers/test_running_cluster.py`` has packets.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.arm.azure import merge
from tests.harness import Lab
from tests.lab.test_upgrader import PRIVATE
from tests.running import NAMESPACE, POLICY, RunningCluster, addresses_of, register_in, versions

ALL = '{"upgrade_acknowledge": ["cilium", "overlay", "dual_stack"]}'
RULE = {"name": "nodes", "properties": {**PRIVATE, "priority": 200, "sourceAddressPrefix": "10.77.4.0/22", "destinationAddressPrefix": "*"}}
BLOCKS = [{"ipBlock": {"cidr": "10.77.0.0/16"}}, {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.77.4.0/22"]}}]


@pytest.fixture(scope="module")
def foreign() -> Iterator[RunningCluster[Lab]]:
    with Lab("--refuse-ipv6-ranges", "--time-scale", "0.002") as lab:
        found = RunningCluster(lab)
        found.make(2, RULE, networkPlugin="azure", networkPolicy="azure")
        found.apply(NAMESPACE, merge(POLICY, {"spec": {"ingress": [{"from": BLOCKS}]}}))
        yield found


@pytest.fixture(scope="module")
def stamps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("upgrade") / "stamps"


def test_check_mode_shows_the_chain_and_writes_nothing(foreign: RunningCluster[Lab], stamps: Path) -> None:
    run = foreign.upgrade(stamps, "-e", ALL, "--check", "--diff")
    assert run.code == 0, run.output
    for words in ("1. cilium: replace", "2. overlay: move", "3. dual_stack: add", "NetworkPolicy apps/web gets IPv6 blocks", "gets a /64"):
        assert words in run.output, run.output
    assert "+properties.networkProfile.networkPluginMode: overlay" in run.output
    assert foreign.lab.our_writes() == [] and not stamps.exists()


def test_each_step_has_to_be_acknowledged(foreign: RunningCluster[Lab], stamps: Path) -> None:
    run = foreign.upgrade(stamps, "-e", "upgrade_acknowledge=dual_stack")
    assert run.code == 2, run.output
    said = " ".join(run.failures["localhost"].split())
    assert "cilium, overlay each reimage every node, but upgrade_acknowledge does not name them [upgrade_unacknowledged]" in said
    assert "upgrade_acknowledge: [overlay, cilium, dual_stack]" in said
    assert foreign.lab.our_writes() == []


def test_three_steps(foreign: RunningCluster[Lab], stamps: Path) -> None:
    run = foreign.upgrade(stamps, "-e", ALL, "-e", json.dumps({"upgrade_pool_settings": {"all": {"maxSurge": "2"}}}))
    assert run.code == 0, run.output
    assert "Azure rejects the IPv6 ranges of the register" in run.output
    found = foreign.body()
    profile = found["properties"]["networkProfile"]
    assert (profile["networkPluginMode"], profile["networkPolicy"], profile["ipFamilies"]) == ("overlay", "cilium", ["IPv4", "IPv6"])
    register = register_in(stamps)
    assert [register["pods"][family] for family in ("ipv4", "ipv6")] == profile["podCidrs"]
    assert [register["services"][family] for family in ("ipv4", "ipv6")] == profile["serviceCidrs"]
    assert found["properties"]["disableLocalAccounts"] and found["tags"] == {"team": "shop"}
    assert {pool["upgradeSettings"]["maxSurge"] for pool in found["properties"]["agentPoolProfiles"]} == {"10%"}
    assert all("dualstack-upgrade-settings" not in (pool.get("tags") or {}) for pool in found["properties"]["agentPoolProfiles"])
    assert ipaddress.ip_network(foreign.rules()["nodes-ipv6"]["sourceAddressPrefix"]) == ipaddress.ip_network(register["aks"]["ipv6"])
    assert foreign.policy_blocks()[2:] == [{"cidr": register["vnet"]["ipv6"]}, {"cidr": "::/0", "except": [register["aks"]["ipv6"]]}]
    for node in foreign.nodes():
        assert versions(addresses_of(node)) == versions(node["spec"]["podCIDRs"]) == [4, 6]
    assert versions(foreign.lab.kubectl("get", "servicecidr", "kubernetes")["spec"]["cidrs"]) == [4, 6]
    assert "is dual-stack: 2 nodes and the pods on them have addresses of both families" in " ".join(run.output.split())


def test_a_second_run_has_nothing_to_do(foreign: RunningCluster[Lab], stamps: Path) -> None:
    since = len(foreign.lab.entries())
    run = foreign.upgrade(stamps)
    assert (run.code, run.changed) == (0, 0), run.output
    assert foreign.lab.our_writes(since) == []


def test_a_network_with_navigation_links_gets_no_ipv6_until_they_are_gone(arm: Lab) -> None:
    arm.put(f"{arm.subscription}/resourceGroups/rg", "2025-03-01", {"location": "westeurope"})
    vnet = f"{arm.subscription}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/legacy"
    subnets = [{"name": "cache", "properties": {"addressPrefix": "10.70.0.0/24"}}]

    def body(*space: str) -> dict[str, Any]:
        return {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": list(space)}, "subnets": subnets}}

    arm.put(vnet, "2025-05-01", body("10.70.0.0/16"))
    cache = f"{vnet}/subnets/cache"
    assert arm.lab("links", "add", cache).output == f"lab: {cache}: Microsoft.Cache/redis\n"
    assert arm.get(cache)["properties"]["resourceNavigationLinks"][0]["properties"]["linkedResourceType"] == "Microsoft.Cache/redis"
    answer = arm.call("PUT", vnet, "2025-05-01", body("10.70.0.0/16", "fd00:70::/48"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "IPv6NotSupportedWithResourceNavigationLinks")
    assert arm.lab("links", "remove", cache).code == 0
    arm.put(vnet, "2025-05-01", body("10.70.0.0/16", "fd00:70::/48"))
    assert arm.lab("links", "add", vnet).output == f"lab: there is no subnet {vnet}\n"
