"""What the lab answers to requests as other clients word them: spelling, filters, views, batches, tags, Microsoft Graph."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from lab.arm import journal
from lab.arm.http.server import Server
from lab.arm.options import Options
from lab.arm.store import Store

OPTIONS = Options(time_scale=1e-6)
SUBSCRIPTION = f"/subscriptions/{OPTIONS.subscription}"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
VNET = f"{NETWORK}/virtualNetworks/v"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/vault1"
REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/registry1"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks"
LOCATION = {"location": "westeurope"}
SECRETS = {"client": "correct horse", "reader": "battery staple"}

Body = dict[str, Any]


class Client:
    """Requests to one server, as its own client or as another of its principals."""

    def __init__(self, server: Server, http: TestClient[web.Request, web.Application], principal: str = "client") -> None:
        self.server, self.http = server, http
        [self._principal] = [found for found in OPTIONS.principals if found.name == principal]

    def reader(self) -> Client:
        """The same server, asked by the principal that may only read."""
        return Client(self.server, self.http, "reader")

    def token(self, audience: str = "") -> str:
        own = self._principal
        form = {"grant_type": "client_credentials", "client_id": own.client_id, "client_secret": SECRETS[own.name]}
        answer = self.server.entra.client_token(form | {"scope": f"{self.server.endpoint}/{audience}.default"})
        return str(answer["access_token"])

    async def call(self, method: str, path: str, body: Any = None, *, audience: str = "", **query: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token(audience)}"}
        query = {"api-version": "2099-01-01"} | query
        # a path of two slashes at its start reads as a host when it stands alone
        url = f"{self.http.make_url('')}{path}"
        answer = await self.http.session.request(method, url, params=query, json=body, headers=headers)
        return answer.status, await answer.json() if await answer.read() else None

    async def get(self, path: str, **query: str) -> Any:
        status, body = await self.call("GET", path, **query)
        assert status == 200, body
        return body

    async def put(self, path: str, body: Body) -> Any:
        """Write, and wait for what that starts."""
        status, answer = await self.call("PUT", path, body)
        assert status in (200, 201, 202), answer
        await asyncio.gather(*self.server.azure.operations.tasks)
        return answer

    async def names(self, path: str, **query: str) -> list[str]:
        return sorted(item["name"] for item in (await self.get(path, **query))["value"])


def against(folder: Path, work: Callable[[Client], Awaitable[None]]) -> None:
    """Run ``work`` on a server with one resource group, a virtual network, a vault, a registry and an identity."""

    async def run() -> None:
        (folder / "secrets").mkdir(exist_ok=True)
        server = Server(Store(), OPTIONS, folder, 8443, SECRETS)
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", server.handle)
        async with TestClient(TestServer(application)) as http:
            client = Client(server, http)
            await client.put(GROUP, LOCATION | {"tags": {"Team": "net"}})
            subnets = [{"name": "nodes", "properties": {"addressPrefixes": ["10.10.0.0/24", "fd00:10::/64"]}}]
            space = {"addressPrefixes": ["10.10.0.0/16", "fd00:10::/48"]}
            await client.put(VNET, LOCATION | {"tags": {"team": "net"}, "properties": {"addressSpace": space, "subnets": subnets}})
            vault = {"tenantId": OPTIONS.tenant, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}
            await client.put(VAULT, LOCATION | {"properties": vault})
            await client.put(REGISTRY, LOCATION | {"sku": {"name": "Premium"}})
            await client.put(IDENTITY, LOCATION)
            await work(client)
            await server.azure.operations.stop()
            server.journal.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (GROUP.replace("resourceGroups/rg", "resourcegroups/other"), f"{SUBSCRIPTION}/resourceGroups/other"),
        (f"{GROUP.upper()}/providers/microsoft.network/ROUTETABLES/Mine", f"{NETWORK}/routeTables/Mine"),
        (f"/{NETWORK.lower()}/routetables/mine", f"{NETWORK}/routeTables/mine"),
    ],
)
def test_ids_come_back_as_azure_spells_them(tmp_path: Path, written: str, read: str) -> None:
    async def work(client: Client) -> None:
        assert (await client.put(written, LOCATION))["id"] == read

    against(tmp_path, work)


def test_a_child_and_an_extension_are_spelt_like_what_they_belong_to(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        lower = VNET.lower()
        child = await client.put(f"{lower}/SUBNETS/spare", {"properties": {"addressPrefix": "10.10.1.0/24"}})
        lock = await client.put(f"{lower}/providers/microsoft.authorization/LOCKS/keep", {"properties": {"level": "CanNotDelete"}})
        assert (child["id"], lock["id"]) == (f"{VNET}/subnets/spare", f"{VNET}/providers/Microsoft.Authorization/locks/keep")

    against(tmp_path, work)


def test_the_journal_names_the_rule_that_refuses(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        for prefix in ("fd00:10:0:2::/64", "fd00:10:0:4::/63"):
            await client.call("PUT", f"{VNET}/subnets/spare", {"properties": {"addressPrefixes": ["10.10.1.0/24", prefix]}})
            await asyncio.gather(*client.server.azure.operations.tasks)
        *_, accepted, refused = (entry for entry in journal.read(tmp_path / "journal.jsonl") if entry["method"] == "PUT")
        assert "rule" not in accepted
        assert (refused["error"], refused["rule"]) == ("NetcfgInvalidIPv6SubnetPrefix", "subnet-ipv6-64")

    against(tmp_path, work)


def test_the_metadata_of_a_cloud_follow_their_version(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        older, newer = [await client.get("/metadata/endpoints", **{"api-version": version}) for version in ("2019-05-01", "2022-09-01")]
        assert older == [newer]
        assert newer["resourceManager"] == client.server.endpoint

    against(tmp_path, work)


def test_a_client_in_go_logs_in(tmp_path: Path) -> None:
    """The form is what azidentity 1.15 sends for a client secret."""

    async def work(client: Client) -> None:
        secret = SECRETS["client"].replace(" ", "+")
        form = (
            f"client_id={OPTIONS.client}&client_secret={secret}&grant_type=client_credentials"
            "&scope=https%3A%2F%2Flocalhost%3A8443%2F.default+openid+offline_access+profile"
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        answer = await client.http.post(f"/{OPTIONS.tenant}/oauth2/v2.0/token", data=form, headers=headers)
        token = (await answer.json())["access_token"]
        found = await client.http.get(GROUP, params={"api-version": "2021-04-01"}, headers={"Authorization": f"Bearer {token}"})
        assert found.status == 200

    against(tmp_path, work)


@pytest.mark.parametrize(
    ("method", "path", "named"),
    [
        ("GET", f"{GROUP}/providers/Microsoft.Storage/storageAccounts", "storageAccounts"),
        ("GET", f"{GROUP}/providers/Microsoft.Storage/storageAccounts/a", "storageAccounts"),
        ("PUT", f"{GROUP}/providers/Microsoft.Storage/storageAccounts/a", "storageAccounts"),
        ("POST", f"{GROUP}/providers/Microsoft.Storage/storageAccounts/a/listKeys", "storageAccounts/listKeys"),
        ("POST", f"{SUBSCRIPTION}/providers/Microsoft.Storage/checkNameAvailability", "checkNameAvailability"),
        ("POST", f"{SUBSCRIPTION}/providers/Microsoft.Network/checkDnsNameAvailability", "checkDnsNameAvailability"),
    ],
)
def test_what_the_lab_does_not_serve_is_named(tmp_path: Path, method: str, path: str, named: str) -> None:
    async def work(client: Client) -> None:
        status, body = await client.call(method, path, {})
        assert (status, body["error"]["code"]) == (404, "InvalidResourceType")
        assert f"'{named}' could not be found in the namespace" in body["error"]["message"]

    against(tmp_path, work)


@pytest.mark.parametrize(
    ("path", "text", "names"),
    [
        (f"{SUBSCRIPTION}/resources", "", ["id", "registry1", "v", "vault1"]),
        (f"{GROUP}/resources", "resourceType eq 'microsoft.network/virtualnetworks'", ["v"]),
        (f"{SUBSCRIPTION}/resources", "name eq 'VAULT1' and location eq 'westeurope'", ["vault1"]),
        (f"{SUBSCRIPTION}/resources", "tagname eq 'TEAM' and tagvalue eq 'net'", ["v"]),
        (f"{SUBSCRIPTION}/resources", "tagName eq 'team' and tagValue eq 'NET'", []),
        (f"{SUBSCRIPTION}/resourcegroups", "tagName eq 'team'", ["rg"]),
        (f"{SUBSCRIPTION}/resourcegroups", "tagName eq 'other'", []),
    ],
)
def test_filters_of_the_generic_lists(tmp_path: Path, path: str, text: str, names: list[str]) -> None:
    async def work(client: Client) -> None:
        assert await client.names(path, **{"$filter": text} if text else {}) == names

    against(tmp_path, work)


def test_resources_of_a_group_that_is_not_there(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        status, body = await client.call("GET", f"{SUBSCRIPTION}/resourceGroups/nosuch/resources")
        assert (status, body["error"]["code"]) == (404, "ResourceGroupNotFound")

    against(tmp_path, work)


def test_a_batch_answers_each_request_as_if_it_had_come_alone(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        urls = {"there": f"{client.server.endpoint}{VNET}?api-version=2025-05-01", "missing": f"{NETWORK}/routeTables/nosuch?api-version=2025-05-01"}
        body = {"requests": [{"httpMethod": "GET", "name": name, "url": url} for name, url in urls.items()]}
        status, answer = await client.call("POST", "/batch", body)
        found = {item["name"]: item for item in answer["responses"]}
        assert (status, found["there"]["httpStatusCode"], found["missing"]["httpStatusCode"]) == (200, 200, 404)
        assert found["there"]["content"] == await client.get(VNET)
        assert found["missing"]["content"]["error"]["code"] == "ResourceNotFound"
        status, answer = await client.call("POST", "/batch", {"requests": [{"httpMethod": "DELETE", "name": "no", "url": urls["there"]}]})
        assert (status, answer["error"]["code"]) == (400, "InvalidRequestContent")

    against(tmp_path, work)


def test_tags_as_a_resource_of_their_own(tmp_path: Path) -> None:
    path = f"{VNET}/providers/Microsoft.Resources/tags/default"

    async def work(client: Client) -> None:
        for method, body, wanted in (
            ("GET", None, {"team": "net"}),
            ("PATCH", {"operation": "Merge", "properties": {"tags": {"a": "1"}}}, {"team": "net", "a": "1"}),
            ("PATCH", {"operation": "Delete", "properties": {"tags": {"a": "1"}}}, {"team": "net"}),
            ("PATCH", {"operation": "Replace", "properties": {"tags": {"b": "2"}}}, {"b": "2"}),
            ("PUT", {"properties": {"tags": {"c": "3"}}}, {"c": "3"}),
        ):
            status, answer = await client.call(method, path, body)
            assert (status, answer["properties"]["tags"], (await client.get(VNET))["tags"]) == (200, wanted, wanted)
        assert await client.call("DELETE", path) == (200, None)
        assert (await client.get(VNET))["tags"] == {}
        status, answer = await client.call("PATCH", path, {"operation": "Other"})
        assert (status, answer["error"]["code"]) == (400, "InvalidRequestContent")
        await client.put(f"{GROUP}/providers/Microsoft.Authorization/locks/keep", {"properties": {"level": "ReadOnly"}})
        status, answer = await client.call("PUT", path, {"properties": {"tags": {}}})
        assert (status, answer["error"]["code"]) == (409, "ScopeLocked")

    against(tmp_path, work)


def test_all_record_sets_of_a_zone(tmp_path: Path) -> None:
    public, private = f"{NETWORK}/dnsZones/lab.example", f"{NETWORK}/privateDnsZones/lab.internal"

    async def work(client: Client) -> None:
        await client.put(public, {"location": "global"})
        await client.put(f"{public}/MX/@", {"properties": {"TTL": 60, "MXRecords": [{"preference": 10, "exchange": "mail.lab.example"}]}})
        await client.put(private, {"location": "global"})
        link = {"location": "global", "properties": {"virtualNetwork": {"id": VNET, "properties": {}}, "registrationEnabled": True}}
        await client.put(f"{private}/virtualNetworkLinks/l", link)
        await client.put(f"{private}/SRV/s", {"properties": {"ttl": 60, "srvRecords": [{"priority": 1, "weight": 1, "port": 80, "target": "t"}]}})
        for path, types in (
            (f"{public}/recordsets", ["MX", "NS", "SOA"]),
            (f"{public}/all", ["MX", "NS", "SOA"]),
            (f"{private}/ALL", ["SOA", "SRV"]),
        ):
            assert sorted(item["type"].rpartition("/")[2] for item in (await client.get(path))["value"]) == types
        shown = (await client.get(private))["properties"]
        assert (shown["numberOfVirtualNetworkLinksWithRegistration"], shown["maxNumberOfVirtualNetworkLinksWithRegistration"]) == (1, 100)
        assert (await client.get(f"{private}/virtualNetworkLinks/l"))["properties"]["virtualNetwork"] == {"id": VNET}

    against(tmp_path, work)


def test_a_role_assignment_is_shown_once_more_when_it_goes(tmp_path: Path) -> None:
    path = f"{VNET}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-9000-000000000001"
    role = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"

    async def work(client: Client) -> None:
        made = await client.put(path, {"properties": {"roleDefinitionId": role, "principalId": OPTIONS.client_object}})
        assert await client.call("DELETE", path) == (200, made)
        assert await client.call("DELETE", path) == (204, None)

    against(tmp_path, work)


def test_diagnostic_settings_and_their_categories(tmp_path: Path) -> None:
    base = f"{VAULT}/providers/Microsoft.Insights"

    async def work(client: Client) -> None:
        assert "AuditEvent" in await client.names(f"{base}/diagnosticSettingsCategories")
        body = {"properties": {"workspaceId": VNET, "logs": [{"category": "AuditEvent", "enabled": True}]}}
        status, _ = await client.call("PUT", f"{base}/diagnosticSettings/d", body)
        assert status == 200
        assert await client.names(f"{base}/diagnosticSettings") == ["d"]

    against(tmp_path, work)


def test_what_private_endpoints_can_lead_to(tmp_path: Path) -> None:
    connection = {"name": "c", "properties": {"privateLinkServiceId": REGISTRY, "groupIds": ["registry"]}}
    body = LOCATION | {"properties": {"subnet": {"id": f"{VNET}/subnets/nodes"}, "privateLinkServiceConnections": [connection]}}

    async def work(client: Client) -> None:
        for resource, group, members in ((REGISTRY, "registry", ["registry_data_westeurope", "registry"]), (VAULT, "vault", ["default"])):
            (shown,) = (await client.get(f"{resource}/privateLinkResources"))["value"]
            assert (shown["name"], shown["properties"]["requiredMembers"]) == (group, members)
            assert await client.names(f"{resource}/privateEndpointConnections") == []
        await client.put(f"{NETWORK}/privateEndpoints/pe", body)
        (found,) = (await client.get(f"{REGISTRY}/privateEndpointConnections"))["value"]
        assert found["properties"]["privateEndpoint"]["id"] == f"{NETWORK}/privateEndpoints/pe"
        assert found["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved"
        assert [item["name"] for item in (await client.get(f"{REGISTRY}/listUsages"))["value"]] == ["Size"]

    against(tmp_path, work)


def test_the_names_of_a_private_endpoint_move_into_its_zones(tmp_path: Path) -> None:
    """A registry has two names, each with an address of its own (learn.microsoft.com/azure/container-registry/container-registry-private-link)."""
    connection = {"name": "c", "properties": {"privateLinkServiceId": REGISTRY, "groupIds": ["registry"]}}
    body = LOCATION | {"properties": {"subnet": {"id": f"{VNET}/subnets/nodes"}, "privateLinkServiceConnections": [connection]}}
    endpoint, zone = f"{NETWORK}/privateEndpoints/pe", f"{NETWORK}/privateDnsZones/privatelink.azurecr.io"
    addresses = {"registry1.westeurope.data": "10.10.0.4", "registry1": "10.10.0.5"}

    async def work(client: Client) -> None:
        await client.put(endpoint, body)
        shown = (await client.get(endpoint))["properties"]
        assert shown["customDnsConfigs"] == [{"fqdn": f"{name}.azurecr.io", "ipAddresses": [address]} for name, address in addresses.items()]
        interface = await client.get(shown["networkInterfaces"][0]["id"])
        assert [item["properties"]["privateIPAddress"] for item in interface["properties"]["ipConfigurations"]] == list(addresses.values())
        assert len((await client.get(f"{VNET}/subnets/nodes"))["properties"]["ipConfigurations"]) == 2

        await client.put(zone, {"location": "global"})
        group = f"{endpoint}/privateDnsZoneGroups/default"
        await client.put(group, {"properties": {"privateDnsZoneConfigs": [{"name": "acr", "properties": {"privateDnsZoneId": zone}}]}})
        (configuration,) = (await client.get(group))["properties"]["privateDnsZoneConfigs"]
        assert configuration["id"] == f"{group}/privateDnsZoneConfigs/acr"
        assert configuration["properties"]["recordSets"] == [
            {
                "recordType": "A",
                "recordSetName": name,
                "fqdn": f"{name}.privatelink.azurecr.io",
                "ttl": 10,
                "provisioningState": "Succeeded",
                "ipAddresses": [address],
            }
            for name, address in addresses.items()
        ]
        assert (await client.get(endpoint))["properties"]["customDnsConfigs"] == []
        for name, address in addresses.items():
            assert (await client.get(f"{zone}/A/{name}"))["properties"]["aRecords"] == [{"ipv4Address": address}]
        await client.call("DELETE", group)
        await asyncio.gather(*client.server.azure.operations.tasks)
        assert await client.names(f"{zone}/A") == []

    against(tmp_path, work)


def test_the_passwords_of_a_registry(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        status, body = await client.call("POST", f"{REGISTRY}/listCredentials")
        assert (status, body["error"]["code"]) == (400, "UnAuthorizedForCredentialOperations")
        await client.put(REGISTRY, LOCATION | {"sku": {"name": "Premium"}, "properties": {"adminUserEnabled": True}})
        status, body = await client.call("POST", f"{REGISTRY}/listCredentials")
        assert (status, body["username"], [item["name"] for item in body["passwords"]]) == (200, "registry1", ["password", "password2"])
        assert len({item["value"] for item in body["passwords"]}) == 2

    against(tmp_path, work)


def test_what_belongs_to_a_workspace(tmp_path: Path) -> None:
    workspace = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs"

    async def work(client: Client) -> None:
        await client.put(workspace, LOCATION)
        assert await client.get(f"{workspace}/managementGroups") == {"value": []}
        assert [item["name"]["value"] for item in (await client.get(f"{workspace}/usages"))["value"]] == ["DataAnalyzed"]
        status, keys = await client.call("POST", f"{workspace}/sharedKeys")
        assert (status, set(keys)) == (200, {"primarySharedKey", "secondarySharedKey"})

    against(tmp_path, work)


def test_the_principals_have_their_roles_by_assignments(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        path = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments"
        roles = {}
        for found in (await client.get(path))["value"]:
            assert found["properties"]["scope"] == SUBSCRIPTION
            role = await client.get(found["properties"]["roleDefinitionId"])
            roles[found["properties"]["principalId"]] = role["properties"]["roleName"]
        assert roles == {OPTIONS.client_object: "Owner", OPTIONS.reader_object: "Reader"}

    against(tmp_path, work)


@pytest.mark.parametrize("ports", [{"destinationPortRange": 80}, {"destinationPortRanges": [80, "443"]}], ids=str)
def test_ports_may_be_numbers(tmp_path: Path, ports: Body) -> None:
    """They come back as text (azure.azcollection, tests/integration/targets/azure_rm_securitygroup)."""
    properties = {"access": "Allow", "direction": "Inbound", "priority": 100, "protocol": "Tcp", "sourcePortRange": "*"}
    rule = {"name": "web", "properties": properties | {"sourceAddressPrefix": "*", "destinationAddressPrefix": "*"} | ports}

    async def work(client: Client) -> None:
        await client.put(f"{NETWORK}/networkSecurityGroups/n", LOCATION | {"properties": {"securityRules": [rule]}})
        shown = (await client.get(f"{NETWORK}/networkSecurityGroups/n/securityRules/web"))["properties"]
        (name, value), *_ = ports.items()
        assert shown[name] == ([str(port) for port in value] if isinstance(value, list) else str(value))

    against(tmp_path, work)


def test_a_vault_is_deleted_at_once_and_recovered_as_it_was(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        assert await client.call("DELETE", VAULT) == (200, None)
        assert await client.names(f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/deletedVaults") == ["vault1"]
        bare = {"tenantId": OPTIONS.tenant, "sku": {"family": "A", "name": "standard"}, "createMode": "recover"}
        await client.put(VAULT, LOCATION | {"properties": bare})
        assert (await client.get(VAULT))["properties"]["enableRbacAuthorization"] is True
        assert await client.names(f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/deletedManagedHSMs") == []

    against(tmp_path, work)


@pytest.mark.parametrize(("address", "available"), [("10.10.0.9", True), ("fd00:10::9", True), ("10.10.0.1", False)])
def test_free_addresses_of_a_virtual_network(tmp_path: Path, address: str, available: bool) -> None:
    async def work(client: Client) -> None:
        found = await client.get(f"{VNET}/CheckIPAddressAvailability", ipAddress=address)
        assert found["available"] is available
        assert available or found["availableIPAddresses"][0] == "10.10.0.4"
        status, body = await client.call("GET", f"{VNET}/CheckIPAddressAvailability", ipAddress="192.0.2.1")
        assert (status, body["error"]["code"]) == (400, "PrivateIPAddressNotInAnySubnet")

    against(tmp_path, work)


def test_a_cluster_without_a_subnet_gets_a_network_and_its_nodes_addresses(tmp_path: Path) -> None:
    pool = {"name": "system", "mode": "System", "count": 1, "vmSize": "Standard_D4ds_v5", "orchestratorVersion": "", "availabilityZones": ["1"]}
    profile = {"networkPlugin": "azure", "networkPluginMode": "overlay", "ipFamilies": ["IPv4", "IPv6"]}
    properties = {"dnsPrefix": "aks", "kubernetesVersion": "", "agentPoolProfiles": [pool], "networkProfile": profile}
    body = LOCATION | {"identity": {"type": "SystemAssigned"}, "properties": properties}

    async def work(client: Client) -> None:
        await client.put(CLUSTER, body)
        shown = await client.get(CLUSTER)
        assert shown["properties"]["currentKubernetesVersion"] == "1.36.3"
        (made,) = shown["properties"]["agentPoolProfiles"]
        assert (made["currentOrchestratorVersion"], made["eTag"][:3]) == ("1.36.3", 'W/"')
        group = f"{SUBSCRIPTION}/resourceGroups/MC_rg_aks_westeurope/providers"
        (network,) = (await client.get(f"{group}/Microsoft.Network/virtualNetworks"))["value"]
        assert [item["name"] for item in network["properties"]["subnets"]] == ["aks-subnet"]
        (scale_set,) = await client.names(f"{group}/Microsoft.Compute/virtualMachineScaleSets")
        machine = f"{group}/Microsoft.Compute/virtualMachineScaleSets/{scale_set}/virtualMachines/0"
        assert (await client.get(f"{machine}/instanceView"))["statuses"][1]["code"] == "PowerState/running"
        (nic,) = (await client.get(f"{machine}/networkInterfaces"))["value"]
        addresses = [item["properties"]["privateIPAddress"] for item in nic["properties"]["ipConfigurations"]]
        assert (addresses[0], addresses[1][-3:]) == ("10.224.0.4", "::4")
        assert await client.get(nic["id"]) == nic
        for path in (CLUSTER, f"{CLUSTER}/agentPools/system"):
            found = (await client.get(f"{path}/upgradeProfiles/default"))["properties"]
            assert (found.get("controlPlaneProfile") or found)["kubernetesVersion"] == "1.36.3"
        kubelet = shown["properties"]["identityProfile"]
        # what a client reads and writes back is no demand on the cluster's identity
        await client.put(CLUSTER, body | {"properties": properties | {"identityProfile": kubelet}})

    against(tmp_path, work)


@pytest.mark.parametrize(("allowed", "state"), [("{address}/32", "Succeeded"), ("203.0.113.7", "Failed")])
def test_nodes_that_come_from_outside_the_allow_list_fail_the_cluster(tmp_path: Path, allowed: str, state: str) -> None:
    address, gateway = f"{NETWORK}/publicIPAddresses/egress", f"{NETWORK}/natGateways/ng"

    async def work(client: Client) -> None:
        standard = LOCATION | {"sku": {"name": "StandardV2"}}
        await client.put(address, standard | {"properties": {"publicIPAllocationMethod": "Static"}})
        await client.put(gateway, standard | {"properties": {"publicIpAddresses": [{"id": address}]}})
        prefixes = ["10.10.0.0/24", "fd00:10::/64"]
        await client.put(f"{VNET}/subnets/nodes", {"properties": {"addressPrefixes": prefixes, "natGateway": {"id": gateway}}})
        principal = (await client.get(IDENTITY))["properties"]["principalId"]
        role = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/4d97b98b-1d4f-4787-a291-c67834d212e7"
        assignment = f"{VNET}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-000000000099"
        await client.put(assignment, {"properties": {"principalId": principal, "roleDefinitionId": role}})
        text = (await client.get(address))["properties"]["ipAddress"]
        pool = {"name": "system", "mode": "System", "count": 1, "vmSize": "Standard_D4ds_v5", "vnetSubnetID": f"{VNET}/subnets/nodes"}
        network = {"networkPlugin": "azure", "networkPluginMode": "overlay", "outboundType": "userAssignedNATGateway"}
        access = {"authorizedIPRanges": [allowed.format(address=text)]}
        properties = {"dnsPrefix": "aks", "agentPoolProfiles": [pool], "networkProfile": network, "apiServerAccessProfile": access}
        await client.put(
            CLUSTER, LOCATION | {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}, "properties": properties}
        )
        shown = (await client.get(CLUSTER))["properties"]
        assert shown["provisioningState"] == state
        assert ("K8SAPIServerConnFail" in str(shown.get("status"))) == (state == "Failed")

    against(tmp_path, work)


def test_the_kubeconfigs_and_the_service_principal_of_a_cluster(tmp_path: Path) -> None:
    pool = {"name": "system", "mode": "System", "count": 1, "vmSize": "Standard_D4ds_v5"}
    principal = {"clientId": OPTIONS.client, "secret": "correct horse"}
    properties = {"dnsPrefix": "aks", "agentPoolProfiles": [pool], "servicePrincipalProfile": principal}

    async def work(client: Client) -> None:
        await client.put(CLUSTER, LOCATION | {"properties": properties})
        assert (await client.get(CLUSTER))["properties"]["servicePrincipalProfile"] == {"clientId": OPTIONS.client}
        for action, user in (("listClusterUserCredential", "clusterUser"), ("listClusterMonitoringUserCredential", "clusterMonitoringUser")):
            status, body = await client.call("POST", f"{CLUSTER}/{action}")
            assert (status, [item["name"] for item in body["kubeconfigs"]]) == (200, [user])

    against(tmp_path, work)


def test_what_a_region_offers(tmp_path: Path) -> None:
    service, machines = (f"{SUBSCRIPTION}/providers/Microsoft.{name}" for name in ("ContainerService", "Compute"))

    async def work(client: Client) -> None:
        (version,) = (await client.get(f"{service}/locations/westeurope/kubernetesVersions"))["values"]
        assert (version["version"], list(version["patchVersions"])) == ("1.36", ["1.36.3"])
        older = await client.get(f"{service}/locations/westeurope/orchestrators")
        assert [item["orchestratorVersion"] for item in older["properties"]["orchestrators"]] == ["1.36.3"]
        sizes = await client.names(f"{machines}/locations/westeurope/vmSizes")
        assert "Standard_D4ds_v5" in sizes
        assert await client.names(f"{machines}/skus", **{"$filter": "location eq 'westeurope'"}) == sizes

    against(tmp_path, work)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("servicePrincipalNames/any(c:c eq '{application}')", ["id"]),
        ("appId eq '{application}'", ["id"]),
        ("startswith(displayName,'L')", ["lab", "lab-reader"]),
        ("displayName eq 'nobody'", []),
        ("", ["id", "lab", "lab-reader"]),
    ],
)
def test_service_principals_of_microsoft_graph(tmp_path: Path, text: str, names: list[str]) -> None:
    async def work(client: Client) -> None:
        facts = (await client.get(IDENTITY))["properties"]
        path, audience = "/msgraph/v1.0/servicePrincipals", "msgraph//"
        query = {"$filter": text.format(application=facts["clientId"])} if text else {}
        status, answer = await client.call("GET", path, audience=audience, **query)
        assert (status, sorted(found["displayName"] for found in answer["value"])) == (200, names)
        body = {"ids": [facts["principalId"].upper()], "types": ["servicePrincipal"]}
        status, answer = await client.call("POST", "/msgraph/v1.0/directoryObjects/getByIds", body, audience=audience)
        assert [found["appId"] for found in answer["value"]] == [facts["clientId"]]
        status, answer = await client.call("GET", f"{path}/{facts['principalId']}", audience=audience)
        assert (status, answer["displayName"]) == (200, "id")
        for where, query, refused in (
            (path, {}, (401, "InvalidAuthenticationToken")),
            (f"{path}/nobody", {}, (404, "Request_ResourceNotFound")),
            (path, {"$filter": "endswith(displayName,'x')"}, (400, "Request_UnsupportedQuery")),
        ):
            status, answer = await client.call("GET", where, audience="" if refused[0] == 401 else audience, **query)
            assert (status, answer["error"]["code"]) == refused

    against(tmp_path, work)


def test_service_tags(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        found = await client.get(f"{GROUP.partition('/resourceGroups')[0]}/providers/Microsoft.Network/locations/westeurope/serviceTags")
        prefixes = {item["name"]: item["properties"]["addressPrefixes"] for item in found["values"]}
        assert prefixes["AzureFrontDoor.Backend"] == ["192.0.2.11/32", "2001:db8:c::11/128"]

    against(tmp_path, work)
