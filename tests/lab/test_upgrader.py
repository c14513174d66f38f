"""The collection's upgrade of running clusters against the lab's Azure, as objects: every starting point, refusals, and places to be killed."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import _authentication

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.client import ArmClient
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.credentials import Cloud, Login
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.chain import KINDS
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.inventory import Wishes
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.run import Order, Report, Run, Stopped
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.upgrader import Upgrader
from lab.arm import journal
from lab.arm.azure import merge
from lab.arm.options import READER
from tests.harness import DRAWN
from tests.lab.test_access import grant, revoke_all
from tests.lab.test_requests import CLUSTER, IDENTITY, LOCATION, NETWORK, OPTIONS, SUBSCRIPTION, Client, against
from tests.lab.test_upgrades import CILIUM, KUBENET, NODE_SUBNET, OVERLAY, network
from tests.running import AZ_POOL
from tests.sweep.cases import differences

Body = dict[str, Any]

HUB = f"{NETWORK}/virtualNetworks/hub"
THEIRS = f"{NETWORK}/virtualNetworks/theirs"
NODES = f"{THEIRS}/subnets/nodes"
NSG, ROUTES = f"{NETWORK}/networkSecurityGroups/nodes", f"{NETWORK}/routeTables/nodes"
ROLE = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/4d97b98b-1d4f-4787-a291-c67834d212e7"
OWN = {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}}
WISHES = Wishes("westeurope", "example")
ORDER = Order(CLUSTER, "keep", KINDS, {}, {}, lambda _cluster: WISHES, None, 60)
#: the IPv6 ranges that a register proposes for the stamp
REGISTER = Path("group_vars", "regions", "addresses.yml")


class Killed(BaseException):
    """Ends a run where SIGKILL would."""


class Azure(ArmClient):
    """The collection's own client. ``killed_at`` is the write at whose answer it ends; ``writes`` counts them."""

    def __init__(self, client: Client, endpoint: str, killed_at: int = 0) -> None:
        self._killed_at, self.writes = killed_at, 0

        class Credential:
            def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
                return AccessToken(client.token(), int(time.time()) + 3600)

        super().__init__(Login(Credential(), Cloud("lab", endpoint, "scope", endpoint), OPTIONS.subscription, OPTIONS.tenant))

    def put(self, *arguments: Any, **more: Any) -> Any:
        answer = super().put(*arguments, **more)
        self.writes += 1
        if self.writes == self._killed_at:
            raise Killed
        return answer


@pytest.fixture(autouse=True)
def plain_http(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server in this process has no certificate."""
    monkeypatch.setattr(_authentication, "_enforce_https", lambda _request: None)
    yield


async def upgrade(client: Client, order: Order = ORDER, killed_at: int = 0) -> tuple[Report, list[str], int]:
    """A run: what came of it, what it showed, and how often it wrote."""
    endpoint = str(client.http.make_url("")).rstrip("/")
    client.server.endpoint = client.server.entra.endpoint = endpoint
    shown: list[str] = []
    azure = Azure(client, endpoint, killed_at)
    with azure:
        report = await asyncio.to_thread(Upgrader(Run(azure, order, shown.append)).run)
        return report, shown, azure.writes


def written(folder: Path, since: int = 0) -> list[str]:
    """What our client wrote, and Azure accepted."""
    entries = list(journal.read(folder / "journal.jsonl"))[since:]
    ours = [entry for entry in entries if entry["client"].startswith("dualstack.aks/") and journal.is_write(entry)]
    return [f"{entry['method']} {entry['path']}" for entry in ours if entry["status"] < 300]


async def shape(client: Client) -> tuple[str, str, str, list[str]]:
    """Mode, data plane, policy engine and families."""
    profile = (await client.get(CLUSTER))["properties"]["networkProfile"]
    return profile.get("networkPluginMode", ""), profile["networkDataplane"], profile["networkPolicy"], profile["ipFamilies"]


#: where a cluster starts -> the steps, and the engine afterwards
CHAINS: dict[str, tuple[Body, list[str], str]] = {
    "overlay": (OVERLAY, ["dual_stack"], "none"),
    "overlay with Calico": (OVERLAY | {"networkPolicy": "calico"}, ["cilium", "dual_stack"], "cilium"),
    "overlay with NPM": (OVERLAY | {"networkPolicy": "azure"}, ["cilium", "dual_stack"], "cilium"),
    "overlay with Cilium": (OVERLAY | CILIUM | {"networkPolicy": "cilium"}, ["dual_stack"], "cilium"),
    "node subnet": (NODE_SUBNET, ["overlay", "dual_stack"], "none"),
    "node subnet with Calico": (NODE_SUBNET | {"networkPolicy": "calico"}, ["cilium", "overlay", "dual_stack"], "cilium"),
    "node subnet with NPM": (NODE_SUBNET | {"networkPolicy": "azure"}, ["cilium", "overlay", "dual_stack"], "cilium"),
    "kubenet": (KUBENET, ["overlay", "dual_stack"], "none"),
    "kubenet with Calico": (KUBENET | {"networkPolicy": "calico"}, ["policy_none", "overlay", "cilium", "dual_stack"], "cilium"),
    "kubenet with NPM": (KUBENET | {"networkPolicy": "azure"}, ["policy_none", "overlay", "cilium", "dual_stack"], "cilium"),
}


@pytest.mark.parametrize("start", CHAINS)
def test_chains(tmp_path: Path, start: str) -> None:
    profile, steps, engine = CHAINS[start]

    async def work(client: Client) -> None:
        await client.put(CLUSTER, merge(network(**profile), OWN))
        # Whoever stops after a step is continued, with the same end.
        for killed_at in range(1, len(steps) + 1) if len(steps) > 3 else ():
            with pytest.raises(Killed):
                await upgrade(client, killed_at=1)
            assert killed_at
        report, _shown, _writes = await upgrade(client)
        assert report.steps == ([] if len(steps) > 3 else steps)
        assert await shape(client) == ("overlay", "cilium" if engine == "cilium" else "azure", engine, ["IPv4", "IPv6"])
        assert (await client.get(CLUSTER)).get("tags", {}) == {}
        since = len(list(journal.read(tmp_path / "journal.jsonl")))
        again, _shown, _writes = await upgrade(client)
        assert (again.writes, again.steps, written(tmp_path, since)) == ([], [], [])

    against(tmp_path, work)


SETTINGS = {"all": {"maxSurge": "2", "drainTimeoutInMinutes": 10}}
PRIVATE = {"direction": "Inbound", "access": "Allow", "protocol": "*", "sourcePortRange": "*", "destinationPortRange": "*"}
RULES = [
    {"name": "nodes", "properties": {**PRIVATE, "priority": 200, "sourceAddressPrefix": "10.77.4.0/22", "destinationAddressPrefix": "*"}},
    {"name": "pods", "properties": {**PRIVATE, "priority": 210, "sourceAddressPrefixes": ["10.244.0.0/16"], "destinationAddressPrefix": "*"}},
    {"name": "office", "properties": {**PRIVATE, "priority": 220, "sourceAddressPrefix": "203.0.113.0/24", "destinationAddressPrefix": "*"}},
]
#: names that speak of secrets, whose values are none
TAGS = {"team": "shop", "token": "none", "rotate-secrets": "monthly"}
ADDONS = {"azureKeyvaultSecretsProvider": {"enabled": True, "config": {"enableSecretRotation": "true", "rotationPollInterval": "2m"}}}


async def theirs(client: Client, *, proposes: Mapping[str, Any] | None = None) -> None:
    """A cluster in a network of its owner's, with a security group, a route table, a service beside it, and a peering with a hub."""
    await client.put(NSG, LOCATION | {"tags": TAGS, "properties": {"securityRules": RULES}})
    route = {"name": "spoke", "properties": {"addressPrefix": "10.77.0.0/16", "nextHopType": "VnetLocal"}}
    await client.put(ROUTES, LOCATION | {"tags": TAGS, "properties": {"routes": [route]}})
    around = {"networkSecurityGroup": {"id": NSG}, "routeTable": {"id": ROUTES}, "serviceEndpoints": [{"service": "Microsoft.Storage"}]}
    subnets = [
        {"name": "nodes", "properties": {"addressPrefix": "10.77.4.0/22", **around}},
        {"name": "beside", "properties": {"addressPrefix": "10.77.8.0/24", "networkSecurityGroup": {"id": NSG}}},
    ]
    await client.put(THEIRS, LOCATION | {"tags": TAGS, "properties": {"addressSpace": {"addressPrefixes": ["10.77.0.0/16"]}, "subnets": subnets}})
    await client.put(HUB, LOCATION | {"properties": {"addressSpace": {"addressPrefixes": ["10.90.0.0/16"]}}})
    for name, here, there in (("hub", THEIRS, HUB), ("spoke", HUB, THEIRS)):
        await client.put(
            f"{here}/virtualNetworkPeerings/{name}", {"properties": {"remoteVirtualNetwork": {"id": there}, "allowForwardedTraffic": True}}
        )
    principal = (await client.get(IDENTITY))["properties"]["principalId"]
    grant = f"{NODES}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-000000000099"
    await client.put(grant, {"properties": {"principalId": principal, "roleDefinitionId": ROLE}})
    pool = AZ_POOL | {"vnetSubnetID": NODES, "tags": TAGS, "upgradeSettings": {"maxSurge": "1"}}
    pools = [pool, pool | {"name": "apps", "count": 2, "mode": "User", "nodeLabels": TAGS, "nodeTaints": ["a=b:NoSchedule"]}]
    cluster = merge(network(**OVERLAY), OWN | {"tags": TAGS, "properties": {"agentPoolProfiles": pools, "addonProfiles": ADDONS}})
    await client.put(CLUSTER, merge(cluster, proposes or {}))


def state(client: Client) -> dict[str, Any]:
    """Everything as Azure answers it, without what it draws."""
    azure = client.server.azure

    def lasting(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: lasting(item) for name, item in value.items() if name not in DRAWN}
        return [lasting(item) for item in value] if isinstance(value, list) else value

    return {key: lasting(azure.render(found)) for key, found in azure.store.resources.items()}


def test_a_network_of_its_owners(tmp_path: Path) -> None:
    """What is written, in which order, and that nothing else changes."""

    async def work(client: Client) -> None:
        await theirs(client)
        before = state(client)
        folder = tmp_path / "stamps"
        report, shown, _writes = await upgrade(client, replace(ORDER, folder=folder, settings=SETTINGS))
        after = state(client)
        register = yaml.safe_load((folder / REGISTER).read_text())["dualstack_register"]["stamps"]["westeurope"]
        names = [write.rpartition("/providers/")[2].partition("/")[2] for write in written(tmp_path)]
        # The engine writes what does not depend on each other at the same time.
        names[5:7] = sorted(names[5:7])
        assert names == [
            "virtualNetworks/theirs",
            "virtualNetworks/theirs/subnets/nodes",
            "virtualNetworks/theirs/virtualNetworkPeerings/hub",
            "virtualNetworks/hub/virtualNetworkPeerings/spoke",
            "managedClusters/aks",
            "networkSecurityGroups/nodes",
            "routeTables/nodes",
            "managedClusters/aks",
            "networkSecurityGroups/nodes",
            "managedClusters/aks",
        ]
        (subnet,) = [found for key, found in after.items() if key.endswith("/subnets/nodes") and "/theirs/" in key]
        assert subnet["properties"]["addressPrefixes"] == ["10.77.4.0/22", register["nodes"]["ipv6"]]
        assert subnet["properties"]["serviceEndpoints"][0]["service"] == "Microsoft.Storage"
        profile = after[CLUSTER.lower()]["properties"]["networkProfile"]
        for name in ("pods", "services"):
            assert profile[f"{name[:-1]}Cidrs"] == report.ranges[name] == [register[name]["ipv4"], register[name]["ipv6"]]
        rules = {rule["name"]: rule["properties"] for rule in after[NSG.lower()]["properties"]["securityRules"]}
        assert rules.keys() == {"nodes", "pods", "office", "nodes-ipv6", "pods-ipv6"}
        assert (rules["pods-ipv6"]["priority"], source_of(rules["pods-ipv6"])) == (211, register["pods"]["ipv6"])
        assert (await client.get(f"{THEIRS}/virtualNetworkPeerings/hub"))["properties"]["peeringSyncLevel"] == "FullyInSync"
        assert any("security rule nodes/office" in line for line in shown)
        assert set(changes(before[CLUSTER.lower()], after[CLUSTER.lower()])) == {
            "networkProfile.ipFamilies",
            "networkProfile.podCidrs",
            "networkProfile.serviceCidrs",
            "networkProfile.loadBalancerProfile.managedOutboundIPs.countIPv6",
            "networkProfile.loadBalancerProfile.effectiveOutboundIPs",
        }
        for key in (THEIRS, NSG, ROUTES):
            assert after[key.lower()]["tags"] == before[key.lower()]["tags"] == TAGS
        again, _shown, _writes = await upgrade(client, replace(ORDER, folder=folder, settings=SETTINGS))
        assert (again.writes, again.files, state(client)) == ([], [], after)

    against(tmp_path, work)


def source_of(rule: Body) -> str:
    """Azure writes addresses out in full."""
    return str(ipaddress.ip_network(rule["sourceAddressPrefix"]))


def changes(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Where two bodies differ, below their properties."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before.keys() | after.keys():
            yield from changes(before.get(name), after.get(name), f"{path}.{name}".lstrip("."))
    elif before != after:
        yield path.removeprefix("properties.")


@pytest.mark.parametrize("takes_ranges", [True, False])
def test_killed_at_every_write(tmp_path: Path, takes_ranges: bool) -> None:
    """One further run ends where an undisturbed one does."""
    outcomes: dict[int, dict[str, Any]] = {}

    def disturbed(killed_at: int) -> int:
        folder = tmp_path / str(killed_at)
        order, writes = replace(ORDER, folder=folder / "stamps", settings=SETTINGS), [0]

        async def work(client: Client) -> None:
            client.server.azure.options = replace(client.server.azure.options, takes_ipv6_ranges=takes_ranges)
            await theirs(client)
            if killed_at:
                with pytest.raises(Killed):
                    await upgrade(client, order, killed_at)
            _report, _shown, writes[0] = await upgrade(client, order)
            outcomes[killed_at] = state(client) | {"register": (folder / "stamps" / REGISTER).read_text()}

        folder.mkdir()
        against(folder, work)
        return writes[0]

    for number in range(1, disturbed(0) + 1):
        disturbed(number)
        assert (number, differences(outcomes[0], outcomes[number])) == (number, "")
    assert len(outcomes) > 9


def test_what_azure_chose_is_adopted_and_has_twins_at_once(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        client.server.azure.options = replace(client.server.azure.options, takes_ipv6_ranges=False)
        await theirs(client)
        report, shown, _writes = await upgrade(client, replace(ORDER, folder=tmp_path / "stamps"))
        chosen = (await client.get(CLUSTER))["properties"]["networkProfile"]["podCidrs"][1]
        register = yaml.safe_load((tmp_path / "stamps" / REGISTER).read_text())["dualstack_register"]["stamps"]["westeurope"]
        assert register["pods"]["ipv6"] == chosen == report.ranges["pods"][1]
        rules = {rule["name"]: rule["properties"] for rule in (await client.get(NSG))["properties"]["securityRules"]}
        assert source_of(rules["pods-ipv6"]) == chosen
        assert any("rejects the IPv6 ranges of the register" in line for line in shown)

    against(tmp_path, work)


@pytest.mark.parametrize("start", CHAINS)
def test_nothing_is_written_in_check_mode_or_without_acknowledgement(tmp_path: Path, start: str) -> None:
    profile, steps, _engine = CHAINS[start]

    async def work(client: Client) -> None:
        await client.put(CLUSTER, merge(network(**profile), OWN))
        report, _shown, _writes = await upgrade(client, replace(ORDER, check=True))
        assert [write.rpartition(" ")[2] for write in report.writes] == steps
        assert all(f"{number}. {kind}: " in report.table for number, kind in enumerate(steps, 1))
        with pytest.raises(Stopped, match=r"(?s)Nothing was written\. 1 rules.*\[upgrade_unacknowledged\]") as stopped:
            await upgrade(client, replace(ORDER, acknowledged=()))
        assert f"upgrade_acknowledge: [{', '.join(kind for kind in KINDS if kind in steps)}]" in str(stopped.value)
        assert written(tmp_path) == []

    against(tmp_path, work)


def test_check_mode_of_who_may_only_read(tmp_path: Path) -> None:
    """It shows the whole chain, and names what it could not read. With Reader on the subscription that is nothing in Azure."""

    async def work(client: Client) -> None:
        await theirs(client)
        reader, check = client.reader(), replace(ORDER, check=True)
        known, _shown, _writes = await upgrade(client, check)
        report, _shown, _writes = await upgrade(reader, check)
        assert (report.table, report.writes, report.unseen) == (known.table, known.writes, known.unseen)

        await revoke_all(client)
        for scope in (CLUSTER, THEIRS, ROUTES):
            await grant(client, scope, READER)
        report, _shown, _writes = await upgrade(reader, check)
        assert "1. dual_stack: " in report.table and report.writes[-1] == "would send dual_stack"
        reasons = {text.partition(" (")[0]: text for text in report.unseen}
        assert list(reasons) == [
            "quotas of the region",
            "VM sizes of the region",
            "locks of the subscription",
            "public addresses of the node resource group",
            f"the network security group {NSG.lower()}",
            "everything in the cluster",
        ]
        assert f"lacks Microsoft.Network/networkSecurityGroups/read on {NSG}; the role Reader allows it" in reasons[list(reasons)[4]]
        # Without the network nobody knows which prefixes it needs.
        await client.call("DELETE", f"{THEIRS}/providers/Microsoft.Authorization/roleAssignments/{READER}")
        with pytest.raises(Stopped, match=r"could not be seen. Grant the credentials Reader on it. \[upgrade_no_prefix\]"):
            await upgrade(reader, check)
        await grant(client, THEIRS, READER)
        with pytest.raises(Stopped, match=r"lacks Microsoft.Network/virtualNetworks/write on .* the role Network Contributor allows it"):
            await upgrade(reader)
        assert written(tmp_path) == []

    against(tmp_path, work)


WINDOWS = {"name": "win", "mode": "User", "osType": "Windows", "count": 1}
#: what a cluster has -> the rule that refuses it
REFUSED: list[tuple[Body, list[Body], str]] = [
    (OVERLAY | {"networkPolicy": "calico"}, [AZ_POOL, AZ_POOL | WINDOWS], "upgrade_windows_cilium"),
    (KUBENET, [AZ_POOL], "upgrade_identity"),
    ({"networkPlugin": "none"}, [AZ_POOL], "upgrade_own_plugin"),
    (OVERLAY, [AZ_POOL | {"name": "old", "mode": "User", "upgradeSettings": {"maxSurge": "999"}}, AZ_POOL], "upgrade_surge_limit"),
]


@pytest.mark.parametrize(("profile", "pools", "rule"), REFUSED)
def test_refused(tmp_path: Path, profile: Body, pools: list[Body], rule: str) -> None:
    async def work(client: Client) -> None:
        await client.put(CLUSTER, merge(network(**profile), {"properties": {"agentPoolProfiles": pools}}))
        with pytest.raises(Stopped, match=rf"\[{rule}\]"):
            await upgrade(client)
        assert written(tmp_path) == []

    against(tmp_path, work)


def test_a_lock_on_something_of_the_nodes_is_named(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        await client.put(CLUSTER, network(**OVERLAY))
        group = (await client.get(CLUSTER))["properties"]["nodeResourceGroup"]
        balancer = f"{CLUSTER.partition('/resourceGroups/')[0]}/resourceGroups/{group}/providers/Microsoft.Network/loadBalancers/kubernetes"
        await client.put(f"{balancer}/providers/Microsoft.Authorization/locks/keep", {"properties": {"level": "CanNotDelete"}})
        with pytest.raises(Stopped, match=r"lock keep: it is on .*/loadBalancers/kubernetes \(CanNotDelete\) \[upgrade_locks\]"):
            await upgrade(client)
        assert written(tmp_path) == []

    against(tmp_path, work)


def test_a_node_disruption_policy_refuses_and_is_named(tmp_path: Path) -> None:
    preview = "2099-01-02-preview"

    async def work(client: Client) -> None:
        await client.put(CLUSTER, network(**OVERLAY))
        body = (
            network(
                **OVERLAY,
            )
            | {}
        )
        body = merge(body, {"properties": {"nodeDisruptionProfile": {"nodeDisruptionPolicy": "Block"}}})
        await client.call("PUT", CLUSTER, body, **{"api-version": preview})
        await asyncio.gather(*client.server.azure.operations.tasks)
        with pytest.raises(Stopped, match=r"Azure refuses dual_stack: OperationNotAllowed.*Remedy: allow disruptions until the upgrade has ended"):
            await upgrade(client)

    against(tmp_path, work)
