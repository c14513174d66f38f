"""The Azure CLI writes and reads; what it says is compared with what the lab stored, and the other way round."""

from __future__ import annotations

from typing import Any

import pytest

from lab.demo import tour
from tests.harness import Lab

from .conftest import Az

GROUP = "rg-az"


def names(found: list[dict[str, Any]]) -> list[str]:
    return sorted(item["name"] for item in found)


@pytest.fixture(scope="module")
def group(az: Az) -> str:
    """Id of the resource group that all tests write into."""
    made = az("group", "create", "--name", GROUP, "--location", "westeurope", "--tags", "team=net")
    return str(made["id"])


@pytest.fixture(scope="module")
def vnet(az: Az, group: str) -> str:
    prefixes = ("--address-prefixes", "10.1.0.0/16", "fd00:1::/48", "--subnet-prefixes", "10.1.0.0/24", "fd00:1:0:1::/64")
    made = az("network", "vnet", "create", "--resource-group", GROUP, "--name", "vnet", "--subnet-name", "nodes", *prefixes)
    return str(made["newVNet"]["id"])


@pytest.fixture(scope="module")
def identity(az: Az, group: str) -> dict[str, Any]:
    made: dict[str, Any] = az("identity", "create", "--resource-group", GROUP, "--name", "id")
    return made


def test_the_account_is_the_labs(az: Az, lab: Lab) -> None:
    shown = az("account", "show")
    assert (f"/subscriptions/{shown['id']}", shown["environmentName"], shown["user"]["type"]) == (lab.subscription, "Lab", "servicePrincipal")


def test_a_cloud_can_be_registered_by_its_endpoint(az: Az) -> None:
    az("cloud", "register", "--name", "again", "--endpoint-resource-manager", az.environment["AZURE_CLOUD_ENVIRONMENT"])
    known, again = az("cloud", "show", "--name", "Lab"), az("cloud", "show", "--name", "again")
    assert (again["endpoints"], again["suffixes"]) == (known["endpoints"], known["suffixes"])


def test_a_resource_group(az: Az, lab: Lab, group: str) -> None:
    assert group == f"{lab.subscription}/resourceGroups/{GROUP}"
    assert lab.get(group)["tags"] == {"team": "net"}
    assert az("group", "exists", "--name", GROUP) is True
    assert names(az("group", "list", "--tag", "team=net")) == [GROUP]
    assert az.refused("group", "show", "--name", "nosuch") == "ResourceGroupNotFound"


def test_a_dual_stack_network(az: Az, lab: Lab, vnet: str) -> None:
    of = ("--resource-group", GROUP)
    az("network", "vnet", "subnet", "create", *of, "--vnet-name", "vnet", "--name", "spare", "--address-prefixes", "10.1.1.0/24", "fd00:1:0:2::/64")
    stored = lab.get(vnet)["properties"]
    assert {item["name"]: item["properties"]["addressPrefixes"] for item in stored["subnets"]} == {
        "nodes": ["10.1.0.0/24", "fd00:1:0:1::/64"],
        "spare": ["10.1.1.0/24", "fd00:1:0:2::/64"],
    }
    assert az("network", "vnet", "show", "--ids", vnet)["addressSpace"] == stored["addressSpace"]
    assert az.rows("network", "vnet", "subnet", "list", *of, "--vnet-name", "vnet") == ["nodes", "spare"]
    wide = ("--name", "wide", "--address-prefixes", "10.1.2.0/24", "fd00:1:0:4::/62")
    assert az.refused("network", "vnet", "subnet", "create", *of, "--vnet-name", "vnet", *wide) == "NetcfgInvalidIPv6SubnetPrefix"


def test_security_rules(az: Az, lab: Lab, group: str) -> None:
    of = ("--resource-group", GROUP)
    az("network", "nsg", "create", *of, "--name", "nsg")
    rule = ("--priority", "100", "--protocol", "Tcp", "--source-address-prefixes", "Internet", "--destination-port-ranges", "80", "443")
    az("network", "nsg", "rule", "create", *of, "--nsg-name", "nsg", "--name", "web", *rule, "--destination-address-prefixes", "fd00:1:0:1::/64")
    (stored,) = lab.get(f"{group}/providers/Microsoft.Network/networkSecurityGroups/nsg")["properties"]["securityRules"]
    (shown,) = az("network", "nsg", "rule", "list", *of, "--nsg-name", "nsg")
    assert (stored["properties"]["destinationPortRanges"], stored["properties"]["priority"]) == (["80", "443"], 100)
    assert {name: shown[name] for name in stored["properties"]} == stored["properties"]


def test_addresses_and_egress(az: Az, lab: Lab, group: str) -> None:
    of = ("--resource-group", GROUP)
    zones = ("--sku", "Standard", "--zone", "1", "2", "3")
    for version in ("IPv4", "IPv6"):
        az("network", "public-ip", "create", *of, "--name", version, "--version", version, "--allocation-method", "Static", *zones)
    network = f"{group}/providers/Microsoft.Network"
    listed = {item["name"]: item["ipAddress"] for item in az("network", "public-ip", "list", *of)}
    assert listed == {name: lab.get(f"{network}/publicIPAddresses/{name}")["properties"]["ipAddress"] for name in ("IPv4", "IPv6")}
    az("network", "nat", "gateway", "create", *of, "--name", "nat", "--public-ip-addresses", "IPv4")
    assert lab.get(f"{network}/publicIPAddresses/IPv4")["properties"]["natGateway"]["id"] == f"{network}/natGateways/nat"
    az("network", "route-table", "create", *of, "--name", "routes")
    hop = ("--next-hop-type", "VirtualAppliance", "--next-hop-ip-address", "10.1.9.4")
    az("network", "route-table", "route", "create", *of, "--route-table-name", "routes", "--name", "all", "--address-prefix", "0.0.0.0/0", *hop)
    (route,) = lab.get(f"{network}/routeTables/routes")["properties"]["routes"]
    assert route["properties"]["nextHopIpAddress"] == "10.1.9.4"


def test_dns(az: Az, lab: Lab, group: str, vnet: str) -> None:
    of = ("--resource-group", GROUP)
    network = f"{group}/providers/Microsoft.Network"
    az("network", "dns", "zone", "create", *of, "--name", "lab.example")
    az("network", "dns", "record-set", "aaaa", "add-record", *of, "-z", "lab.example", "--record-set-name", "www", "--ipv6-address", "2001:db8:0::1")
    stored = lab.get(f"{network}/dnsZones/lab.example/AAAA/www", "2018-05-01")
    # Azure answers the text that it was sent.
    assert stored["properties"]["AAAARecords"] == [{"ipv6Address": "2001:db8:0::1"}]
    assert names(az("network", "dns", "record-set", "list", *of, "-z", "lab.example")) == ["@", "@", "www"]
    zone = "privatelink.azurecr.io"
    az("network", "private-dns", "zone", "create", *of, "--name", zone)
    az(
        "network",
        "private-dns",
        "link",
        "vnet",
        "create",
        *of,
        "-z",
        zone,
        "--name",
        "link",
        "--virtual-network",
        "vnet",
        "--registration-enabled",
        "false",
    )
    assert lab.get(f"{network}/privateDnsZones/{zone}/virtualNetworkLinks/link", "2024-06-01")["properties"]["virtualNetwork"]["id"] == vnet
    assert az.rows("network", "private-dns", "zone", "list", *of) == [zone]
    assert names(az("network", "private-dns", "record-set", "list", *of, "-z", zone)) == ["@"]


def test_identities_and_roles(az: Az, lab: Lab, vnet: str, identity: dict[str, Any]) -> None:
    issuer = ("--issuer", "https://oidc.example/1/", "--subject", "system:serviceaccount:a:b", "--audiences", "api://AzureADTokenExchange")
    az("identity", "federated-credential", "create", "--resource-group", GROUP, "--identity-name", "id", "--name", "credential", *issuer)
    credential = lab.get(f"{identity['id']}/federatedIdentityCredentials/credential", "2024-11-30")
    assert credential["properties"]["subject"] == "system:serviceaccount:a:b"
    # az asks Microsoft Graph whose client id this is, and ARM which role has this name.
    role = ("--assignee", identity["clientId"], "--role", "Network Contributor", "--scope", vnet)
    made = az("role", "assignment", "create", *role)
    assert (made["principalId"], lab.get(made["id"], "2022-04-01")["id"]) == (identity["principalId"], made["id"])
    assert az("role", "assignment", "create", *role)["id"] == made["id"]
    (listed,) = az("role", "assignment", "list", "--all", "--assignee", identity["principalId"])
    assert (listed["roleDefinitionName"], listed["principalName"], listed["scope"]) == ("Network Contributor", identity["clientId"], vnet)
    assert az("role", "definition", "list", "--name", "Reader")[0]["name"] == "acdd72a7-3385-48ef-bd42-f606fba81ae7"


def test_a_registry(az: Az, lab: Lab, group: str) -> None:
    az("acr", "create", "--resource-group", GROUP, "--name", "registryaz1", "--sku", "Premium")
    assert az("acr", "check-name", "--name", "registryaz1")["nameAvailable"] is False
    assert az("acr", "show", "--name", "registryaz1")["loginServer"] == "registryaz1.azurecr.io"
    image = ("--source", "mcr.microsoft.com/hello:v1", "--image", "hello:v1")
    az("acr", "import", "--name", "registryaz1", *image)
    assert az.refused("acr", "import", "--name", "registryaz1", *image) == "TagAlreadyExists"
    basic = ("--sku", "Basic", "--public-network-enabled", "false")
    assert az.refused("acr", "create", "--resource-group", GROUP, "--name", "registryaz2", *basic) == "FeatureNotSupportedForSku"
    assert lab.get(f"{group}/providers/Microsoft.ContainerRegistry/registries/registryaz2", "2025-11-01") == {}


def test_a_vault_through_its_whole_life(az: Az, lab: Lab, group: str) -> None:
    vault = f"{group}/providers/Microsoft.KeyVault/vaults/vault-az1"
    protection = ("--enable-rbac-authorization", "true", "--enable-purge-protection", "true", "--retention-days", "7")
    az("keyvault", "create", "--resource-group", GROUP, "--name", "vault-az1", *protection)
    before = lab.get(vault, "2025-05-01")["properties"]
    az("keyvault", "delete", "--name", "vault-az1")
    assert lab.get(vault, "2025-05-01") == {}
    assert names(az("keyvault", "list-deleted", "--resource-type", "vault")) == ["vault-az1"]
    assert az.refused("keyvault", "purge", "--name", "vault-az1") == "MethodNotAllowed"
    assert az.refused("keyvault", "create", "--resource-group", GROUP, "--name", "vault-az1") == "ConflictError"
    az("keyvault", "recover", "--name", "vault-az1")
    assert lab.get(vault, "2025-05-01")["properties"] == before


def test_monitoring(az: Az, lab: Lab, group: str) -> None:
    az("monitor", "log-analytics", "workspace", "create", "--resource-group", GROUP, "--name", "logs")
    workspace = f"{group}/providers/Microsoft.OperationalInsights/workspaces/logs"
    az("network", "nsg", "create", "--resource-group", GROUP, "--name", "watched")
    watched = f"{group}/providers/Microsoft.Network/networkSecurityGroups/watched"
    logs = ("--logs", '[{"category": "NetworkSecurityGroupEvent", "enabled": true}]')
    az("monitor", "diagnostic-settings", "create", "--name", "d", "--resource", watched, "--workspace", workspace, *logs)
    stored = lab.get(f"{watched}/providers/Microsoft.Insights/diagnosticSettings/d", "2021-05-01-preview")
    assert stored["properties"]["workspaceId"] == workspace
    assert names(az("monitor", "diagnostic-settings", "categories", "list", "--resource", watched)["value"])[0] == "AllMetrics"


def test_a_cluster(az: Az, lab: Lab, vnet: str, identity: dict[str, Any]) -> None:
    of = ("--resource-group", GROUP, "--name", "aks")
    subnet = f"{vnet}/subnets/nodes"
    az("role", "assignment", "create", "--assignee", identity["clientId"], "--role", "Network Contributor", "--scope", vnet)
    (minor,) = az("aks", "get-versions", "--location", "westeurope")["values"]
    network = ("--network-plugin", "azure", "--network-plugin-mode", "overlay", "--network-dataplane", "cilium", "--ip-families", "IPv4,IPv6")
    ranges = ("--pod-cidrs", "10.244.0.0/16,fd12:3456:789a::/64", "--service-cidrs", "10.0.0.0/16,fd12:3456:789a:1::/108")
    access = ("--assign-identity", identity["id"], "--enable-oidc-issuer", "--enable-workload-identity", "--no-ssh-key")
    nodes = ("--node-count", "2", "--zones", "1", "2", "3", "--vnet-subnet-id", subnet, "--load-balancer-managed-outbound-ipv6-count", "1")
    az("aks", "create", *of, *network, *ranges, *access, *nodes, "--kubernetes-version", minor["version"], "--yes")
    cluster = f"{lab.subscription}/resourceGroups/{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks"
    stored = lab.get(cluster, "2026-05-01")["properties"]
    shown = az("aks", "show", *of)
    assert stored["networkProfile"]["ipFamilies"] == ["IPv4", "IPv6"] == shown["networkProfile"]["ipFamilies"]
    assert shown["networkProfile"]["podCidrs"] == stored["networkProfile"]["podCidrs"] == ["10.244.0.0/16", "fd12:3456:789a::/64"]
    assert shown["oidcIssuerProfile"]["enabled"] is stored["oidcIssuerProfile"]["enabled"] is True
    assert len(shown["networkProfile"]["loadBalancerProfile"]["effectiveOutboundIPs"]) == 2

    pools = ("--resource-group", GROUP, "--cluster-name", "aks")
    az("aks", "nodepool", "add", *pools, "--name", "apps", "--node-count", "1", "--vnet-subnet-id", subnet)
    az("aks", "nodepool", "scale", *pools, "--name", "apps", "--node-count", "3")
    assert lab.get(f"{cluster}/agentPools/apps", "2026-05-01")["properties"]["count"] == 3
    assert {pool["name"]: pool["count"] for pool in az("aks", "nodepool", "list", *pools)} == {"apps": 3, "nodepool1": 2}
    az("aks", "update", *of, "--auto-upgrade-channel", "patch")
    after = lab.get(cluster, "2026-05-01")["properties"]
    assert (after["autoUpgradeProfile"]["upgradeChannel"], after["networkProfile"]) == ("patch", stored["networkProfile"])
    az("aks", "maintenanceconfiguration", "add", *pools, "--name", "default", "--weekday", "Monday", "--start-hour", "1")
    assert names(az("aks", "maintenanceconfiguration", "list", *pools)) == ["default"]
    az("aks", "get-credentials", *of, "--file", "kubeconfig")
    assert stored["fqdn"] in (lab.folder / "kubeconfig").read_text()
    (balancer,) = az("network", "lb", "list", "--resource-group", f"MC_{GROUP}_aks_westeurope")
    assert [rule["name"] for rule in balancer["outboundRules"]] == ["aksOutboundRule", "aksOutboundRule-IPv6"]


def test_clusters_with_ipv4_alone_become_dual_stack(az: Az, lab: Lab, identity: dict[str, Any]) -> None:
    """Every command as Microsoft's pages have it; what az sends of the ranges is its own affair."""

    def profile(name: str) -> dict[str, Any]:
        path = f"{lab.subscription}/resourceGroups/{GROUP}/providers/Microsoft.ContainerService/managedClusters/{name}"
        found: dict[str, Any] = lab.get(path, "2026-05-01")["properties"]["networkProfile"]
        return found

    overlay, kubenet = ("--resource-group", GROUP, "--name", "overlay"), ("--resource-group", GROUP, "--name", "kubenet")
    az("aks", "create", *overlay, "--node-count", "2", "--no-ssh-key", "--network-plugin", "azure", "--network-policy", "azure", "--yes")
    assert profile("overlay")["ipFamilies"] == ["IPv4"]
    mode = ("--network-plugin-mode", "overlay", "--pod-cidr", "10.250.0.0/16")
    assert "Cannot update cluster to Azure CNI Overlay" in az.complaint("aks", "update", *overlay, *mode)
    az("aks", "update", *overlay, "--network-dataplane", "cilium")
    assert (profile("overlay")["networkDataplane"], profile("overlay")["networkPolicy"]) == ("cilium", "cilium")
    az("aks", "update", *overlay, *mode)
    az("aks", "update", *overlay, "--ip-families", "ipv4,ipv6", "--load-balancer-managed-outbound-ipv6-count", "1")
    found = profile("overlay")
    assert (found["ipFamilies"], found["podCidrs"][0], len(found["podCidrs"])) == (["IPv4", "IPv6"], "10.250.0.0/16", 2)
    assert len(found["loadBalancerProfile"]["effectiveOutboundIPs"]) == 2

    az("aks", "create", *kubenet, "--node-count", "1", "--no-ssh-key", "--network-plugin", "kubenet", "--assign-identity", identity["id"], "--yes")
    az("aks", "update", *kubenet, "--network-plugin", "azure", "--network-plugin-mode", "overlay")
    assert profile("kubenet")["podCidrs"] == ["10.244.0.0/16"]
    az("aks", "update", *kubenet, "--ip-families", "ipv4,ipv6")
    assert len(profile("kubenet")["serviceCidrs"]) == 2


def test_a_peering_is_synced(az: Az, lab: Lab, group: str) -> None:
    for name, prefix in (("one", "10.91.0.0/16"), ("two", "10.92.0.0/16")):
        az("network", "vnet", "create", "--resource-group", GROUP, "--name", name, "--address-prefixes", prefix)
    for name, remote in (("one", "two"), ("two", "one")):
        of = ("--resource-group", GROUP, "--vnet-name", name, "--name", remote)
        az("network", "vnet", "peering", "create", *of, "--remote-vnet", remote, "--allow-vnet-access")
    az("network", "vnet", "update", "--resource-group", GROUP, "--name", "two", "--address-prefixes", "10.92.0.0/16", "fd00:92::/48")
    peering = f"{group}/providers/Microsoft.Network/virtualNetworks/one/virtualNetworkPeerings/two"
    assert lab.get(peering)["properties"]["peeringSyncLevel"] == "RemoteNotInSync"
    az("network", "vnet", "peering", "sync", "--resource-group", GROUP, "--vnet-name", "one", "--name", "two")
    assert lab.get(peering)["properties"]["peeringSyncLevel"] == "FullyInSync"


def test_generic_commands(az: Az, lab: Lab, vnet: str) -> None:
    assert "vnet" in names(az("resource", "list", "--resource-group", GROUP, "--resource-type", "Microsoft.Network/virtualNetworks"))
    assert az("resource", "show", "--ids", vnet)["properties"]["addressSpace"] == lab.get(vnet)["properties"]["addressSpace"]
    assert az("rest", "--method", "get", "--url", f"{vnet}?api-version=2025-05-01") == lab.get(vnet)
    az("tag", "update", "--resource-id", vnet, "--operation", "Merge", "--tags", "a=b")
    assert lab.get(vnet)["tags"] == {"a": "b"}
    assert az("provider", "show", "--namespace", "Microsoft.ContainerService")["registrationState"] == "Registered"
    assert {item["name"]["value"] for item in az("vm", "list-usage", "--location", "westeurope")} >= {"cores", "standardDDSv5Family"}
    assert az("vm", "list-skus", "--location", "westeurope", "--size", "Standard_D4ds_v5")[0]["locationInfo"][0]["zones"] == ["1", "2", "3"]


def test_a_locked_group_stays_until_the_lock_is_gone(az: Az, lab: Lab) -> None:
    of = ("--resource-group", "rg-locked")
    az("group", "create", "--name", "rg-locked", "--location", "westeurope")
    az("lock", "create", *of, "--name", "keep", "--lock-type", "CanNotDelete")
    assert names(az("lock", "list", *of)) == ["keep"]
    assert az.refused("group", "delete", "--name", "rg-locked", "--yes") == "ScopeLocked"
    az("lock", "delete", *of, "--name", "keep")
    az("group", "delete", "--name", "rg-locked", "--yes")
    assert lab.get(f"{lab.subscription}/resourceGroups/rg-locked") == {}


def test_the_commands_of_the_demonstration(az: Az, lab: Lab, group: str) -> None:
    """What ``make demo`` prints of az, run as it is printed: the shell's own environment leads to the lab, and no secret is printed."""
    az("network", "public-ip", "create", "--resource-group", GROUP, "--name", "pip-tour", "--version", "IPv6", "--sku", "Standard")
    commands = next(step.az_commands for step in tour.steps() if step.az_commands)
    run = lab.shell(*commands)
    assert run.code == 0, run.output
    assert "pip-tour" in run.output and lab.state.client_secret not in run.output
