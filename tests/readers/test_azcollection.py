"""azure.azcollection writes and reads; each module reports what the lab stored, and a second run has nothing to change."""

from __future__ import annotations

from typing import Any

import pytest

from lab.arm.options import Options
from tests.harness import Lab

from .conftest import Ansible

GROUP = "rg-ansible"
SCOPE = f"/subscriptions/{Options().subscription}/resourceGroups/{GROUP}"
NODE_GROUP = f"MC_{GROUP}_aks_westeurope"
ROLE = f"/subscriptions/{Options().subscription}/providers/Microsoft.Authorization/roleDefinitions/4d97b98b-1d4f-4787-a291-c67834d212e7"
PRIVATE_ZONE = "privatelink.vaultcore.azure.net"

Task = tuple[str, dict[str, Any]]


def within(module: str, **arguments: Any) -> Task:
    """A task on something in the tests' resource group."""
    return module, {"resource_group": GROUP, **arguments}


def rule(name: str, priority: int, **changes: Any) -> dict[str, Any]:
    return {"name": name, "protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": priority, **changes}


PREFIXES = {"vnet": ["10.1.0.0/16", "fd00:1::/48"], "nodes": ["10.1.0.0/24", "fd00:1:0:1::/64"]}
SIX = {"source_address_prefix": "2001:db8::/32", "destination_address_prefix": "fd00:1:0:1::/64", "destination_port_range": "443"}
VAULT = {
    "vault_name": "vault-ansible1",
    "vault_tenant": Options().tenant,
    "sku": {"name": "standard", "family": "A"},
    "enable_rbac_authorization": True,
    "enable_purge_protection": True,
    "soft_delete_retention_in_days": 7,
}
IDENTITY = {"provider": "ManagedIdentity", "resource_type": "userAssignedIdentities", "resource_name": "id", "api_version": "2024-11-30"}
CLUSTER = {
    "name": "aks",
    "dns_prefix": "aks",
    "location": "westeurope",
    "kubernetes_version": "1.36.3",
    "network_profile": {"network_plugin": "azure", "network_plugin_mode": "Overlay", "load_balancer_sku": "standard"},
    "agent_pool_profiles": [{"name": "system", "count": 2, "vm_size": "Standard_D4ds_v5", "mode": "System", "type": "VirtualMachineScaleSets"}],
}
POOL = {"cluster_name": "aks", "name": "apps", "count": 1, "vm_size": "Standard_D4ds_v5", "mode": "User"}

WRITES: tuple[Task, ...] = (
    ("resourcegroup", {"name": GROUP, "location": "westeurope", "tags": {"team": "net"}}),
    within("virtualnetwork", name="vnet", address_prefixes_cidr=PREFIXES["vnet"]),
    within("publicipaddress", name="ipv4", allocation_method="static", sku="Standard", zones=["1", "2", "3"]),
    within("publicipaddress", name="ipv6", allocation_method="static", sku="Standard", version="ipv6"),
    within("natgateway", name="nat", public_ip_addresses=["ipv4"], sku={"name": "standard"}),
    within("subnet", virtual_network_name="vnet", name="nodes", address_prefixes_cidr=PREFIXES["nodes"], nat_gateway="nat"),
    within("containerregistry", name="registryansible1", sku="Premium"),
    within("keyvault", **VAULT),
    within("dnszone", name="ansible.example"),
    within("dnsrecordset", zone_name="ansible.example", relative_name="www", record_type="AAAA", records=[{"entry": "2001:db8::1"}]),
    within("privatednszone", name=PRIVATE_ZONE),
    within("privatednszonelink", zone_name=PRIVATE_ZONE, name="link", virtual_network="vnet"),
    within("privatednsrecordset", zone_name=PRIVATE_ZONE, relative_name="x", record_type="AAAA", records=[{"entry": "fd00:1::9"}]),
    within("resource", **IDENTITY, idempotency=True, body={"location": "westeurope"}),
    ("lock", {"name": "keep", "managed_resource_id": f"{SCOPE}/providers/Microsoft.Network/virtualNetworks/vnet", "level": "can_not_delete"}),
    within("aks", **CLUSTER),
)

#: module -> what it is asked
READS: dict[str, dict[str, Any]] = {
    "resourcegroup_info": {"name": GROUP, "list_resources": True},
    "virtualnetwork_info": {"resource_group": GROUP, "name": "vnet"},
    "subnet_info": {"resource_group": GROUP, "virtual_network_name": "vnet"},
    "securitygroup_info": {"resource_group": GROUP, "name": "nsg"},
    "publicipaddress_info": {"resource_group": GROUP},
    "loadbalancer_info": {"resource_group": NODE_GROUP, "name": "kubernetes"},
    "aks_info": {"resource_group": GROUP, "name": "aks", "show_kubeconfig": "user"},
    "aksagentpool_info": {"resource_group": GROUP, "cluster_name": "aks"},
    "aksversion_info": {"location": "westeurope"},
    "containerregistry_info": {"resource_group": GROUP, "name": "registryansible1"},
    "keyvault_info": {},
    "dnszone_info": {"resource_group": GROUP},
    "dnsrecordset_info": {"resource_group": GROUP, "zone_name": "ansible.example"},
    "privatednszone_info": {"resource_group": GROUP},
    "privatednsrecordset_info": {"resource_group": GROUP, "zone_name": PRIVATE_ZONE},
    "roleassignment_info": {"scope": f"{SCOPE}/providers/Microsoft.Network/virtualNetworks/vnet", "strict_scope_match": True},
    "privateendpoint_info": {"resource_group": GROUP, "name": "pe"},
    "resource_info": {"resource_group": GROUP, "resource_type": "resources"},
    "subscription_info": {},
}


def names(found: list[dict[str, Any]]) -> list[str]:
    return sorted(item["name"] for item in found)


@pytest.fixture(scope="module")
def world(ansible: Ansible, lab: Lab) -> dict[str, list[bool]]:
    """Module -> whether it reported a change: at the first run, and at the second where there is one."""
    first = [result["changed"] for result in ansible.tasks(*WRITES)]
    principal = lab.get(f"{SCOPE}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id", "2024-11-30")["properties"]["principalId"]
    scope = f"{SCOPE}/providers/Microsoft.Network/virtualNetworks/vnet"
    grant: Task = ("roleassignment", {"scope": scope, "assignee_object_id": principal, "role_definition_id": ROLE})
    connection = {"name": "c", "private_link_service_id": f"{SCOPE}/providers/Microsoft.KeyVault/vaults/vault-ansible1", "group_ids": ["vault"]}
    subnet = {"id": f"{SCOPE}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/nodes"}
    once: tuple[Task, ...] = (
        within("securitygroup", name="nsg", rules=[rule("six", 100, **SIX), rule("ports", 110, destination_port_range=["80", "443"])]),
        within("privateendpoint", name="pe", private_link_service_connections=[connection], subnet=subnet),
        within("aksagentpool", **POOL),
    )
    results = ansible.tasks(*WRITES, grant, grant, *once)
    second = [result["changed"] for result in results]
    changes: dict[str, list[bool]] = {}
    for (module, _), run_1, run_2 in zip(WRITES, first, second, strict=False):
        changes.setdefault(module, []).extend((run_1, run_2))
    changes["roleassignment"] = second[len(WRITES) : len(WRITES) + 2]
    for (module, _), changed in zip(once, second[len(WRITES) + 2 :], strict=True):
        changes[module] = [changed]
    return changes


@pytest.fixture(scope="module")
def read(ansible: Ansible, world: dict[str, list[bool]]) -> dict[str, dict[str, Any]]:
    """Info module -> what it returns of that world."""
    return dict(zip(READS, ansible.tasks(*READS.items()), strict=True))


def test_a_second_run_changes_nothing(world: dict[str, list[bool]]) -> None:
    assert {module for module, changes in world.items() if changes[::2] != [True] * len(changes[::2])} == set()
    assert {module for module, changes in world.items() if any(changes[1::2])} == set()


def test_what_was_written_is_stored(world: dict[str, list[bool]], lab: Lab) -> None:
    network = f"{SCOPE}/providers/Microsoft.Network"
    vnet = lab.get(f"{network}/virtualNetworks/vnet")["properties"]
    (subnet,) = vnet["subnets"]
    assert (vnet["addressSpace"]["addressPrefixes"], subnet["properties"]["addressPrefixes"]) == (PREFIXES["vnet"], PREFIXES["nodes"])
    assert subnet["properties"]["natGateway"]["id"] == f"{network}/natGateways/nat"
    assert lab.get(f"{network}/publicIPAddresses/ipv4")["zones"] == ["1", "2", "3"]
    rules = {item["name"]: item["properties"] for item in lab.get(f"{network}/networkSecurityGroups/nsg")["properties"]["securityRules"]}
    assert (rules["six"]["destinationPortRange"], rules["ports"]["destinationPortRanges"]) == ("443", ["80", "443"])
    vault = lab.get(f"{SCOPE}/providers/Microsoft.KeyVault/vaults/vault-ansible1", "2025-05-01")["properties"]
    assert (vault["enableRbacAuthorization"], vault["enablePurgeProtection"], vault["softDeleteRetentionInDays"]) == (True, True, 7)
    link = lab.get(f"{network}/privateDnsZones/{PRIVATE_ZONE}/virtualNetworkLinks/link", "2024-06-01")["properties"]
    assert link["virtualNetwork"] == {"id": f"{network}/virtualNetworks/vnet"}
    record = lab.get(f"{network}/dnsZones/ansible.example/AAAA/www", "2018-05-01")["properties"]
    assert record["AAAARecords"] == [{"ipv6Address": "2001:db8::1"}]
    lock = lab.get(f"{network}/virtualNetworks/vnet/providers/Microsoft.Authorization/locks/keep", "2020-05-01")
    assert lock["properties"]["level"] == "CanNotDelete"
    cluster = lab.get(f"{SCOPE}/providers/Microsoft.ContainerService/managedClusters/aks", "2026-05-01")["properties"]
    assert {pool["name"]: pool["count"] for pool in cluster["agentPoolProfiles"]} == {"apps": 1, "system": 2}


def test_network_facts(read: dict[str, dict[str, Any]], lab: Lab) -> None:
    (vnet,) = read["virtualnetwork_info"]["virtualnetworks"]
    (subnet,) = read["subnet_info"]["subnets"]
    assert (vnet["address_prefixes"], subnet["address_prefixes_cidr"]) == (PREFIXES["vnet"], PREFIXES["nodes"])
    (group,) = read["securitygroup_info"]["securitygroups"]
    assert (names(group["rules"]), len(group["default_rules"])) == (["ports", "six"], 6)
    addresses = {item["name"]: item["ip_address"] for item in read["publicipaddress_info"]["publicipaddresses"]}
    stored = {name: lab.get(f"{SCOPE}/providers/Microsoft.Network/publicIPAddresses/{name}") for name in ("ipv4", "ipv6")}
    assert addresses == {name: found["properties"]["ipAddress"] for name, found in stored.items()}
    (endpoint,) = read["privateendpoint_info"]["privateendpoints"]
    assert endpoint["private_link_service_connections"][0]["group_ids"] == ["vault"]


def test_dns_facts(read: dict[str, dict[str, Any]]) -> None:
    assert names(read["dnszone_info"]["dnszones"]) == ["ansible.example"]
    assert names(read["privatednszone_info"]["privatednszones"]) == [PRIVATE_ZONE]
    public, private = (read[f"{kind}_info"]["dnsrecordsets"] for kind in ("dnsrecordset", "privatednsrecordset"))
    assert sorted(found["record_type"] for found in public) == ["AAAA", "NS", "SOA"]
    assert sorted(found["record_type"] for found in private) == ["AAAA", "SOA"]


def test_cluster_facts(read: dict[str, dict[str, Any]]) -> None:
    (cluster,) = read["aks_info"]["aks"]
    assert (cluster["name"], cluster["provisioning_state"], bool(cluster["kube_config"])) == ("aks", "Succeeded", True)
    assert {pool["name"]: pool["count"] for pool in read["aksagentpool_info"]["aks_agent_pools"]} == {"apps": 1, "system": 2}
    assert read["aksversion_info"]["azure_aks_versions"] == ["1.36.3"]
    (balancer,) = read["loadbalancer_info"]["loadbalancers"]
    assert names(balancer["backend_address_pools"]) == ["aksOutboundBackendPool", "kubernetes"]


def test_other_facts(read: dict[str, dict[str, Any]], lab: Lab) -> None:
    (group,) = read["resourcegroup_info"]["resourcegroups"]
    assert names(group["resources"]) == names(read["resource_info"]["response"])
    assert "aks" in names(group["resources"])
    assert read["containerregistry_info"]["registries"][0]["login_server"] == "registryansible1.azurecr.io"
    assert names(read["keyvault_info"]["keyvaults"]) == ["vault-ansible1"]
    (assignment,) = read["roleassignment_info"]["roleassignments"]
    assert assignment["role_definition_id"] == ROLE
    assert [found["fqid"] for found in read["subscription_info"]["subscriptions"]] == [lab.subscription]


def test_nodes_are_hosts_of_the_dynamic_inventory(ansible: Ansible, world: dict[str, list[bool]]) -> None:
    source = {"plugin": "azure.azcollection.azure_rm", "auth_source": "env", "include_vmss_resource_groups": [NODE_GROUP], "plain_host_names": True}
    hosts = ansible.inventory(source)["_meta"]["hostvars"]
    assert len(hosts) == 3
    for facts in hosts.values():
        assert facts["private_ipv4_addresses"][0]["__ansible_unsafe"].startswith("10.224.0.")
        assert facts["powerstate"]["__ansible_unsafe"] == "running"
