"""Clusters that others made become dual-stack: what Azure answered in recorded traffic, and what follows from each change, as objects."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.arm import store
from lab.arm.azure import merge
from lab.arm.containerservice.network_profile import generated_range
from lab.arm.containerservice.quota import falls_back
from lab.arm.containerservice.rollout import surge_of, unavailable_of
from lab.arm.containerservice.rules.changes import is_open
from lab.arm.containerservice.scale_sets import pools_of_cluster
from tests.lab.test_requests import CLUSTER, IDENTITY, LOCATION, NETWORK, SUBSCRIPTION, VNET, Client, against
from tests.running import AZ_CLUSTER, AZ_POOL

Body = dict[str, Any]

POOL = f"{CLUSTER}/agentPools/nodepool1"
OTHER = f"{NETWORK}/virtualNetworks/other"
#: as the provider azurerm sends it, with the singular forms
TERRAFORM: Body = LOCATION | {
    "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
    "sku": {"name": "Base", "tier": "Standard"},
    "tags": {"team": "shop"},
    "properties": {
        "dnsPrefix": "shop",
        "agentPoolProfiles": [AZ_POOL],
        "networkProfile": {
            "networkPlugin": "azure",
            "networkPluginMode": "overlay",
            "podCidr": "10.50.0.0/16",
            "serviceCidr": "10.60.0.0/16",
            "dnsServiceIP": "10.60.0.10",
        },
    },
}


def network(**profile: Any) -> Body:
    """The cluster that az makes, with another network."""
    made: Body = merge(AZ_CLUSTER, {"properties": {"networkProfile": profile}})
    return made


def changed(shown: Body, **profile: Any) -> Body:
    """What a client sends back of what it has read, with changes of the network."""
    body: Body = merge(shown, {"properties": {"networkProfile": profile}})
    return body


async def machines(client: Client) -> list[store.Resource]:
    azure = client.server.azure
    return [machine for found in pools_of_cluster(azure, azure.get(CLUSTER)) for machine in found.all]


async def families(client: Client) -> list[list[str]]:
    """The families of each VM's addresses."""
    nics = [machine.properties["networkProfileConfiguration"]["networkInterfaceConfigurations"][0] for machine in await machines(client)]
    return [[item["properties"]["privateIPAddressVersion"] for item in nic["properties"]["ipConfigurations"]] for nic in nics]


async def outbound(client: Client) -> list[str]:
    found = (await client.get(CLUSTER))["properties"]["networkProfile"]["loadBalancerProfile"]["effectiveOutboundIPs"]
    return [item["id"].rpartition("/")[2] for item in found]


def test_the_upgrade_as_it_was_recorded(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        await client.put(CLUSTER, AZ_CLUSTER)
        before = await client.get(CLUSTER)
        profile = before["properties"]["networkProfile"]
        assert (profile["podCidr"], profile["podCidrs"], profile["serviceCidrs"]) == ("10.244.0.0/16", ["10.244.0.0/16"], ["10.0.0.0/16"])
        assert await families(client) == [["IPv4"]] * 3
        balancer = profile["loadBalancerProfile"] | {"managedOutboundIPs": {"count": 1, "countIPv6": 4}}
        status, answer = await client.call("PUT", CLUSTER, changed(before, ipFamilies=["IPv4", "IPv6"], loadBalancerProfile=balancer))
        assert status == 200
        properties = answer["properties"]
        assert properties["provisioningState"] == "Updating"
        (pool,) = properties["agentPoolProfiles"]
        assert pool["provisioningState"] == "Updating"
        pods, services = (ipaddress.ip_network(properties["networkProfile"][name][1]) for name in ("podCidrs", "serviceCidrs"))
        assert (pods.prefixlen, services.prefixlen) == (64, 108)
        assert pods.is_private and services.is_private and pods.supernet(new_prefix=48) != services.supernet(new_prefix=48)
        assert len(properties["networkProfile"]["loadBalancerProfile"]["effectiveOutboundIPs"]) == 1
        await asyncio.gather(*client.server.azure.operations.tasks)
        after = await client.get(CLUSTER)
        assert after["properties"]["provisioningState"] == after["properties"]["agentPoolProfiles"][0]["provisioningState"] == "Succeeded"
        assert [name.endswith("-ipv6") for name in await outbound(client)] == [False, True, True, True, True]
        assert after["properties"]["agentPoolProfiles"][0]["nodeImageVersion"] == pool["nodeImageVersion"]
        assert await families(client) == [["IPv4", "IPv6"]] * 3
        vnet = f"{SUBSCRIPTION}/resourceGroups/MC_rg_aks_westeurope/providers/Microsoft.Network/virtualNetworks"
        (managed,) = (await client.get(vnet))["value"]
        assert len(managed["properties"]["addressSpace"]["addressPrefixes"]) == 2
        # The same again has nothing to do.
        written = await client.put(CLUSTER, changed(after))
        assert written["properties"]["networkProfile"]["podCidrs"] == after["properties"]["networkProfile"]["podCidrs"]
        # With its first members alone it keeps the others.
        written = await client.put(CLUSTER, changed(after, podCidrs=["10.244.0.0/16"], serviceCidrs=["10.0.0.0/16"]))
        assert written["properties"]["networkProfile"]["serviceCidrs"] == after["properties"]["networkProfile"]["serviceCidrs"]
        status, answer = await client.call("PUT", CLUSTER, changed(after, ipFamilies=["IPv4"]))
        assert (status, answer["error"]["code"]) == (400, "PropertyChangeNotAllowed")

    against(tmp_path, work)


def test_surge_nodes_are_gone_and_machines_keep_their_names_and_addresses(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        await client.put(CLUSTER, AZ_CLUSTER)

        async def addresses() -> dict[str, str]:
            found: dict[str, str] = {}
            for machine in await machines(client):
                (nic,) = machine.properties["networkProfileConfiguration"]["networkInterfaceConfigurations"]
                found[machine.properties["osProfile"]["computerName"]] = nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
            return found

        before = await addresses()
        await client.put(CLUSTER, changed(await client.get(CLUSTER), ipFamilies=["IPv4", "IPv6"]))
        assert await addresses() == before
        assert [machine.properties["latestModelApplied"] for machine in await machines(client)] == [True] * 3

    against(tmp_path, work)


def test_a_body_of_terraform_with_a_subnet_of_its_own(tmp_path: Path) -> None:
    nodes = f"{NETWORK}/virtualNetworks/legacy/subnets/nodes"

    async def work(client: Client) -> None:
        space = {"addressPrefixes": ["10.70.0.0/16"]}
        subnets = [{"name": "nodes", "properties": {"addressPrefix": "10.70.0.0/24"}}]
        await client.put(nodes.rpartition("/subnets")[0], LOCATION | {"properties": {"addressSpace": space, "subnets": subnets}})
        principal = (await client.get(IDENTITY))["properties"]["principalId"]
        role = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/4d97b98b-1d4f-4787-a291-c67834d212e7"
        grant = f"{nodes}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-000000000099"
        await client.put(grant, {"properties": {"principalId": principal, "roleDefinitionId": role}})
        body = merge(TERRAFORM, {"properties": {"agentPoolProfiles": [AZ_POOL | {"vnetSubnetID": nodes}]}})
        await client.put(CLUSTER, body)
        shown = await client.get(CLUSTER)
        profile = shown["properties"]["networkProfile"]
        assert (profile["podCidrs"], profile["serviceCidr"], profile["ipFamilies"]) == (["10.50.0.0/16"], "10.60.0.0/16", ["IPv4"])
        status, answer = await client.call("PUT", CLUSTER, changed(shown, ipFamilies=["IPv4", "IPv6"]))
        assert (status, answer["error"]["code"]) == (400, "SubnetNotDualStack")
        vnet = nodes.rpartition("/subnets")[0]
        found = await client.get(vnet)
        await client.put(vnet, merge(found, {"properties": {"addressSpace": {"addressPrefixes": ["10.70.0.0/16", "fd00:70::/48"]}}}))
        await client.put(nodes, {"properties": {"addressPrefixes": ["10.70.0.0/24", "fd00:70::/64"]}})
        ours = {"podCidrs": ["10.50.0.0/16", "fd00:50::/64"], "serviceCidrs": ["10.60.0.0/16", "fd00:60::/108"]}
        await client.put(CLUSTER, changed(shown, ipFamilies=["IPv4", "IPv6"], **ours))
        profile = (await client.get(CLUSTER))["properties"]["networkProfile"]
        assert {name: profile[name] for name in ours} == ours
        assert await families(client) == [["IPv4", "IPv6"]] * 3
        status, answer = await client.call("PUT", nodes, {"properties": {"addressPrefix": "10.70.0.0/24"}})
        assert (status, answer["error"]["code"]) == (400, "InUsePrefixCannotBeDeleted")

    against(tmp_path, work)


OVERLAY, NODE_SUBNET, KUBENET = (
    {"networkPlugin": "azure", "networkPluginMode": "overlay"},
    {"networkPlugin": "azure"},
    {"networkPlugin": "kubenet"},
)
CILIUM, NO_POLICY = {"networkDataplane": "cilium"}, {"networkPolicy": "none"}
TO_OVERLAY = {"networkPlugin": "azure", "networkPluginMode": "overlay", "podCidr": "10.200.0.0/16"}
DUAL = {"ipFamilies": ["IPv4", "IPv6"]}
#: where a cluster starts -> the changes that make it dual-stack, each in a write of its own
CHAINS: dict[str, tuple[Body, list[Body]]] = {
    "overlay": (OVERLAY, [DUAL]),
    "overlay with Calico": (OVERLAY | {"networkPolicy": "calico"}, [CILIUM, DUAL]),
    "overlay with NPM": (OVERLAY | {"networkPolicy": "azure"}, [CILIUM, DUAL]),
    "overlay with NPM, without policies afterwards": (OVERLAY | {"networkPolicy": "azure"}, [NO_POLICY, DUAL]),
    "overlay with Cilium": (OVERLAY | CILIUM | {"networkPolicy": "cilium"}, [DUAL]),
    "node subnet": (NODE_SUBNET, [TO_OVERLAY, DUAL]),
    "node subnet with NPM": (NODE_SUBNET | {"networkPolicy": "azure"}, [CILIUM, TO_OVERLAY, DUAL]),
    "node subnet with Calico": (NODE_SUBNET | {"networkPolicy": "calico"}, [NO_POLICY, TO_OVERLAY, CILIUM, DUAL]),
    "kubenet": (KUBENET, [{"networkPlugin": "azure", "networkPluginMode": "overlay"}, DUAL]),
    "kubenet with Calico": (KUBENET | {"networkPolicy": "calico"}, [NO_POLICY, TO_OVERLAY, CILIUM, DUAL]),
}


@pytest.mark.parametrize("start", CHAINS)
def test_a_chain_ends_with_both_families(tmp_path: Path, start: str) -> None:
    begins, changes = CHAINS[start]
    made = merge(network(**begins), {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}})

    async def work(client: Client) -> None:
        await client.put(CLUSTER, made)
        for change in changes:
            status, answer = await client.call("PUT", CLUSTER, changed(await client.get(CLUSTER), **change))
            assert status == 200, answer
            assert answer["properties"]["agentPoolProfiles"][0]["provisioningState"] == "Updating"
            outdated = {machine.properties["latestModelApplied"] for machine in await machines(client)}
            assert outdated == {False}
            await asyncio.gather(*client.server.azure.operations.tasks)
        properties = (await client.get(CLUSTER))["properties"]
        profile = properties["networkProfile"]
        assert (properties["provisioningState"], profile["ipFamilies"]) == ("Succeeded", ["IPv4", "IPv6"])
        assert profile["networkPolicy"] == ("cilium" if profile["networkDataplane"] == "cilium" else "none")
        assert profile["podCidr"] == ("10.200.0.0/16" if TO_OVERLAY in changes else "10.244.0.0/16")
        assert await families(client) == [["IPv4", "IPv6"]] * 3

    against(tmp_path, work)


def test_a_node_disruption_policy_is_seen_by_previews_only(tmp_path: Path) -> None:
    preview = "2099-01-02-preview"
    block: Body = {"nodeDisruptionProfile": {"nodeDisruptionPolicy": "Block"}}

    async def work(client: Client) -> None:
        await client.put(CLUSTER, AZ_CLUSTER)
        status, answer = await client.call("PUT", CLUSTER, merge(AZ_CLUSTER, {"properties": block}))
        assert (status, answer["error"]["code"]) == (400, "InvalidRequestFormat")
        shown = await client.get(CLUSTER, **{"api-version": preview})
        status, _ = await client.call("PUT", CLUSTER, merge(AZ_CLUSTER, {"properties": block}), **{"api-version": preview})
        assert status == 200
        await asyncio.gather(*client.server.azure.operations.tasks)
        assert "nodeDisruptionProfile" not in (await client.get(CLUSTER))["properties"]
        # A stable version's write leaves it.
        await client.put(CLUSTER, AZ_CLUSTER | {"tags": {"a": "b"}})
        shown = await client.get(CLUSTER, **{"api-version": preview})
        assert shown["properties"]["nodeDisruptionProfile"] == block["nodeDisruptionProfile"]

    against(tmp_path, work)


@given(st.text(string.ascii_lowercase, min_size=1))
def test_ranges_of_azures_choice_are_unique_local_and_canonical(name: str) -> None:
    pods, services = (ipaddress.IPv6Network(generated_range(f"{CLUSTER}{name}", kind)) for kind in ("podCidrs", "serviceCidrs"))
    assert pods.subnet_of(ipaddress.IPv6Network("fd00::/8"))
    assert pods.supernet(new_prefix=48) != services.supernet(new_prefix=48)
    assert str(pods) == generated_range(f"{CLUSTER}{name}", "podCidrs")


WEEKLY = {"durationHours": 4, "startTime": "22:00", "schedule": {"weekly": {"intervalWeeks": 1, "dayOfWeek": "Sunday"}}}
DAILY = {"durationHours": 4, "startTime": "01:00", "utcOffset": "+01:00", "schedule": {"daily": {"intervalDays": 1}}}


@pytest.mark.parametrize(
    ("window", "moment", "expected"),
    [
        (WEEKLY, "2026-11-29T22:00", True),
        (WEEKLY, "2026-11-30T01:59", True),
        (WEEKLY, "2026-11-30T02:00", False),
        (WEEKLY, "2026-11-28T23:00", False),
        (DAILY, "2026-11-28T00:00", True),
        (DAILY, "2026-11-28T04:00", False),
        ({"durationHours": 4, "startTime": "00:00", "schedule": {"relativeMonthly": {"dayOfWeek": "Monday"}}}, "2026-11-30T00:00", False),
    ],
)
def test_when_a_maintenance_window_is_open(window: Body, moment: str, expected: bool) -> None:
    assert is_open(window, datetime.datetime.fromisoformat(f"{moment}+00:00")) is expected


@pytest.mark.parametrize(
    ("settings", "count", "surge", "unavailable"),
    [
        ({}, 3, 1, 0),
        ({"maxSurge": "33%"}, 5, 2, 0),
        ({"maxSurge": "2"}, 1, 2, 0),
        ({"maxSurge": "2"}, 0, 0, 0),
        ({"maxSurge": "0", "maxUnavailable": "50%"}, 3, 0, 1),
        ({"maxSurge": "many"}, 3, 0, 0),
    ],
)
def test_surge_settings(settings: Body, count: int, surge: int, unavailable: int) -> None:
    assert (surge_of(settings, count), unavailable_of(settings, count)) == (surge, unavailable)


@pytest.mark.parametrize(("version", "expected"), [("1.34.2", False), ("1.35", True), ("1.36.3", True), ("next", False)])
def test_from_which_version_an_upgrade_does_with_one_surge_node(version: str, expected: bool) -> None:
    assert falls_back(version) is expected


def test_peerings_are_out_of_sync_until_both_sides_are_synced(tmp_path: Path) -> None:
    there, back = f"{VNET}/virtualNetworkPeerings/there", f"{OTHER}/virtualNetworkPeerings/back"

    async def work(client: Client) -> None:
        await client.put(OTHER, LOCATION | {"properties": {"addressSpace": {"addressPrefixes": ["10.80.0.0/16"]}}})
        for path, remote in ((there, OTHER), (back, VNET)):
            await client.put(path, {"properties": {"remoteVirtualNetwork": {"id": remote}}})

        async def levels() -> list[str]:
            return [(await client.get(path))["properties"]["peeringSyncLevel"] for path in (there, back)]

        async def sync(path: str) -> None:
            status, answer = await client.call("PUT", path, await client.get(path), syncRemoteAddressSpace="true")
            assert status == 200, answer
            await asyncio.gather(*client.server.azure.operations.tasks)

        assert await levels() == ["FullyInSync", "FullyInSync"]
        await client.put(OTHER, LOCATION | {"properties": {"addressSpace": {"addressPrefixes": ["10.80.0.0/16", "fd00:80::/48"]}}})
        assert await levels() == ["RemoteNotInSync", "LocalNotInSync"]
        found = await client.get(VNET)
        await client.put(VNET, merge(found, {"properties": {"addressSpace": {"addressPrefixes": ["10.10.0.0/16", "10.11.0.0/16", "fd00:10::/48"]}}}))
        assert await levels() == ["LocalAndRemoteNotInSync", "LocalAndRemoteNotInSync"]
        # A write without the parameter changes nothing of that.
        await client.put(there, await client.get(there))
        assert (await client.get(there))["properties"]["remoteAddressSpace"] == {"addressPrefixes": ["10.80.0.0/16"]}
        await sync(there)
        assert await levels() == ["LocalNotInSync", "RemoteNotInSync"]
        await sync(back)
        assert await levels() == ["FullyInSync", "FullyInSync"]
        shown = (await client.get(there))["properties"]
        assert shown["remoteAddressSpace"] == shown["remoteVirtualNetworkAddressSpace"] == {"addressPrefixes": ["10.80.0.0/16", "fd00:80::/48"]}

    against(tmp_path, work)


def test_a_write_of_a_pool_resumes_that_pool(tmp_path: Path) -> None:
    """The cluster's own write resumes all; what another pool does not need stays as it was."""

    async def work(client: Client) -> None:
        await client.put(CLUSTER, AZ_CLUSTER)
        await client.put(f"{CLUSTER}/agentPools/more", {"properties": {"count": 1, "vmSize": "Standard_DS2_v2"}})
        azure = client.server.azure
        for found in pools_of_cluster(azure, azure.get(CLUSTER)):
            found.outdate()
        await client.put(POOL, {"properties": {name: value for name, value in AZ_POOL.items() if name != "name"}})
        assert [machine.properties["latestModelApplied"] for machine in await machines(client)] == [True, True, True, False]
        await client.put(CLUSTER, await client.get(CLUSTER))
        assert {machine.properties["latestModelApplied"] for machine in await machines(client)} == {True}
        assert len(await machines(client)) == 4

    against(tmp_path, work)
