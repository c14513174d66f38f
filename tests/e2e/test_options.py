"""The choices that the sample stamp does not make: egress by NAT gateway, a private cluster, and what a user brings."""

from __future__ import annotations

from typing import Any

import yaml

from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.purposes import PURPOSES
from tests.harness import WITHOUT_ZONES, Lab, Run

AZURE_ROLES = ("--tags", "network,aks,registry,keyvault")


def _converges(lab: Lab, *words: str) -> Run:
    """A run, and one after it that finds nothing to do; the first of them."""
    run = lab.playbook("site", *AZURE_ROLES, *words)
    assert run.code == 0, run.output
    before = len(lab.entries())
    again = lab.playbook("site", *AZURE_ROLES, *words)
    assert (again.code, again.changed) == (0, 0), again.output
    assert lab.our_writes(before) == []
    return run


def test_nat_gateway_and_private_cluster(arm: Lab) -> None:
    # As -e and INI inventories give values: text means what it spells.
    arm.set(
        network_egress="NAT_gateway",
        network_egress_address_count="2",
        network_zones="1,2,3",
        aks_private_cluster="true",
        aks_monitoring="false",
        aks_defender="no",
        aks_max_pods="120",
        keyvault_private_endpoint="off",
    )
    _converges(arm, *WITHOUT_ZONES)
    gateway = arm.network("natGateways/ng-example-westeurope")
    assert gateway["sku"]["name"] == "StandardV2"
    families = {
        name: {arm.get(item["id"])["properties"]["publicIPAddressVersion"] for item in gateway["properties"][name]}
        for name in ("publicIpAddresses", "publicIpAddressesV6")
    }
    assert families == {"publicIpAddresses": {"IPv4"}, "publicIpAddressesV6": {"IPv6"}}
    assert len(gateway["properties"]["publicIpAddressesV6"]) == 2
    nodes = arm.network("virtualNetworks/vnet-example-westeurope/subnets/nodes")["properties"]
    assert nodes["natGateway"]["id"] == gateway["id"]
    cluster = arm.get(arm.cluster_id, "2026-05-01")["properties"]
    assert cluster["networkProfile"]["outboundType"] == "userAssignedNATGateway"
    assert cluster["apiServerAccessProfile"]["enablePrivateCluster"] is True
    assert {pool["maxPods"] for pool in cluster["agentPoolProfiles"]} == {120}
    assert arm.get(f"{arm.group()}/providers/Microsoft.OperationalInsights/workspaces", "2025-07-01")["value"] == []
    assert len(arm.network("privateEndpoints")["value"]) == 1


def test_a_region_without_zones(arm: Lab) -> None:
    assert arm.playbook("shared").code == 0
    pool = {"name": "system", "mode": "System", "vm_size": "Standard_D2ds_v5", "min_count": 2, "max_count": 3}
    arm.set(dualstack_location="westcentralus", aks_node_pools=[pool | {"zones": ["1", "2"]}])
    refused = arm.playbook("site", "--check")
    assert refused.code == 2
    # What all stamps share stays where the first one made it.
    shared = arm.playbook("shared")
    assert (shared.code, shared.changed) == (0, 0), shared.output
    for words in ("westcentralus has no zones, but 1, 2, 3 are declared", "no zone of westcentralus has Standard_D2ds_v5"):
        assert words in " ".join(refused.output.split())
    arm.set(dualstack_location="westcentralus", aks_node_pools=[pool | {"zones": []}], network_zones=[])
    told = " ".join(_converges(arm).output.split())
    assert "it has no zones, so the loss of one data center may stop all of its nodes" in told
    assert "Standard_D2ds_v5 has room for 75 of 128 GiB, so its nodes get managed disks" in told
    [made] = arm.get(arm.cluster_id, "2026-05-01")["properties"]["agentPoolProfiles"]
    assert (made.get("availabilityZones"), made["osDiskType"], made["upgradeSettings"]["maxSurge"]) == (None, "Managed", "33%")
    assert not arm.network("publicIPAddresses/pip-example-westeurope-ipv6").get("zones")


def test_plan_takes_over_what_is_live(arm: Lab) -> None:
    """And the network grows by subnets that are not for nodes, each as Azure accepts it."""
    services = {row.name or purpose: {"ipv4_prefix_length": row.longest, "purpose": purpose} for purpose, row in PURPOSES.items()}
    services |= {"nodes": {"ipv4_prefix_length": 22}, "web": {"ipv4_prefix_length": 26, "delegation": "Microsoft.Web/serverFarms"}}
    services["endpoints"] = services.pop("private_endpoints")
    arm.set(dualstack_subnets=services, network_egress="nat_gateway")
    arm.put(arm.group(), "2024-11-01", {"location": "westeurope"})
    subnet = {"name": "nodes", "properties": {"addressPrefixes": ["10.77.4.0/22", "fd77:0:0:5::/64", "10.78.0.0/24"]}}
    properties = {"addressSpace": {"addressPrefixes": ["10.77.0.0/20", "10.78.0.0/16", "fd77::/56"]}, "subnets": [subnet]}
    network = f"{arm.group()}/providers/Microsoft.Network/virtualNetworks/vnet-example-westeurope"
    tags = {"managed-by": "dualstack.aks", "dualstack-stamp": "westeurope"}
    arm.put(network, "2025-05-01", {"location": "westeurope", "tags": tags, "properties": properties})
    register = arm.register
    stamps = yaml.safe_load(register.read_text())["dualstack_register"]["stamps"]
    register.write_text(yaml.safe_dump({"dualstack_register": {"stamps": {"northeurope": stamps["northeurope"]}}}))
    before = register.read_text()
    refused = arm.playbook("plan", "-e", "plan_adopt=true", "-e", '{"dualstack_peered_stamps": ["nowhere"]}')
    assert (refused.code, register.read_text()) == (2, before)
    assert "the register has no virtual network for nowhere" in refused.output
    run = arm.playbook("plan", "-e", "plan_adopt=true")
    assert run.code == 0, run.output
    adopted = yaml.safe_load(register.read_text())["dualstack_register"]["stamps"]
    assert adopted["northeurope"] == stamps["northeurope"]
    assert adopted["westeurope"]["vnet"] == {"ipv4": ["10.77.0.0/20", "10.78.0.0/16"], "ipv6": "fd77::/56"}
    assert adopted["westeurope"]["nodes"] == {"ipv4": ["10.77.4.0/22", "10.78.0.0/24"], "ipv6": "fd77:0:0:5::/64"}
    assert adopted["westeurope"]["pods"]["ipv6"] == "fde9:f6a4:ab3d:100::/64"
    run = arm.playbook("site", "--tags", "network", *WITHOUT_ZONES)
    assert run.code == 0, run.output
    written = arm.get(network)["properties"]
    assert written["addressSpace"]["addressPrefixes"] == ["10.77.0.0/20", "10.78.0.0/16", "fd77::/56"]
    subnets = {found["name"]: found["properties"] for found in written["subnets"]}
    assert sorted(subnets["nodes"]["addressPrefixes"]) == sorted(["10.77.4.0/22", "10.78.0.0/24", "fd77:0:0:5::/64"])
    assert subnets.keys() == services.keys()
    names = [row.name for row in PURPOSES.values() if not row.security_group]
    assert [name for name, found in subnets.items() if "networkSecurityGroup" not in found] == [name for name in subnets if name in names]
    assert {name for name, found in subnets.items() if "natGateway" in found} == {"nodes", "container_instances"}
    delegated = {name: found["delegations"][0]["properties"]["serviceName"] for name, found in subnets.items() if found["delegations"]}
    assert delegated == {purpose: row.delegation for purpose, row in PURPOSES.items() if row.delegation} | {"web": "Microsoft.Web/serverFarms"}
    rules = arm.network("networkSecurityGroups/nsg-example-westeurope-application_gateway")["properties"]["securityRules"]
    assert [rule["properties"]["destinationPortRange"] for rule in rules if rule["name"] == "gateway-manager"] == ["65200-65535"]
    again = arm.playbook("site", "--tags", "network", *WITHOUT_ZONES)
    assert (again.code, again.changed) == (0, 0), again.output


def test_cluster_registry_and_vault_of_others(arm: Lab) -> None:
    theirs = _platform(arm)
    before = _written(arm, theirs)
    kubelet = f"{arm.subscription}/resourceGroups/rg-theirs/providers/Microsoft.ManagedIdentity/userAssignedIdentities/kubelets"
    arm.set(
        aks_existing_id=theirs["cluster"][0],
        registry_existing_id=theirs["registry"][0],
        keyvault_existing_id=theirs["vault"][0],
        registry_puller_identity_id=kubelet,
        keyvault_secret_user_identity_ids=[kubelet],
        registry_images=[],
    )
    _converges(arm, *WITHOUT_ZONES)
    assert _written(arm, theirs) == before
    principal = arm.get(*theirs["cluster"])["identity"]["principalId"]
    granted = arm.get(f"{arm.group()}/providers/Microsoft.Authorization/roleAssignments?$filter=principalId eq '{principal}'", "2022-04-01")["value"]
    assert [item["properties"]["roleDefinitionId"].rpartition("/")[2] for item in granted] == ["4d97b98b-1d4f-4787-a291-c67834d212e7"]
    for name in ("registry", "vault"):
        identifier, _ = theirs[name]
        found = arm.get(f"{identifier}/providers/Microsoft.Authorization/roleAssignments", "2022-04-01")["value"]
        assert arm.get(kubelet, "2024-11-30")["properties"]["principalId"] in {item["properties"]["principalId"] for item in found}


def test_resources_of_others_that_do_not_fit_are_refused_together(arm: Lab) -> None:
    theirs = _platform(arm)
    group = theirs["vault"][0].partition("/providers/")[0]
    vault, cluster = arm.get(*theirs["vault"]), _cluster(["IPv4", "IPv6"])
    arm.put(*theirs["vault"], {"location": "westeurope", "properties": vault["properties"] | {"enableRbacAuthorization": False}})
    arm.put(f"{group}/providers/Microsoft.ContainerRegistry/registries/basic123", "2025-11-01", {"location": "westeurope", "sku": {"name": "Basic"}})
    cluster["properties"].pop("aadProfile")
    arm.put(f"{group}/providers/Microsoft.ContainerService/managedClusters/local", "2026-05-01", cluster)
    address = f"{group}/providers/Microsoft.Network/publicIPAddresses/elsewhere"
    properties = {"publicIPAddressVersion": "IPv6", "publicIPAllocationMethod": "Static"}
    arm.put(address, "2025-05-01", {"location": "northeurope", "sku": {"name": "Standard"}, "properties": properties})
    arm.set(
        aks_existing_id=f"{group}/providers/Microsoft.ContainerService/managedClusters/local",
        registry_existing_id=f"{group}/providers/Microsoft.ContainerRegistry/registries/basic123",
        registry_existing_private_zone_id=theirs["vault"][0],
        keyvault_existing_id=theirs["vault"][0],
        keyvault_secret_user_identity_ids=[f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/nobody"],
        network_existing_vnet_id=f"{group}/providers/Microsoft.Network/virtualNetworks/nobody",
        # In another region, and of the other family.
        network_existing_entrance_ipv4_id=address,
        network_existing_entrance_ipv6_id=address,
    )
    run = arm.playbook("site", "--check")
    assert run.code == 2
    rules = (
        "existing_cluster_entra",
        "existing_registry_sku",
        "existing_type",
        "private_zone_name",
        "existing_vault_access",
        "identity_exists",
        "existing_region",
    )
    for rule in rules:
        assert f"[{rule}]" in run.output, run.output
    for text in ("virtualNetworks/nobody does not exist", "not a static IPv4 address", "exists already and is never written"):
        assert text in " ".join(run.output.split()), run.output
    assert arm.our_writes() == []


def test_an_ipv4_only_cluster_is_refused(arm: Lab) -> None:
    arm.put(arm.group(), "2025-04-01", {"location": "westeurope"})
    arm.put(arm.cluster_id, "2026-05-01", _cluster(["IPv4"]))
    run = arm.playbook("site", "--check")
    assert run.code == 2
    assert "the cluster is IPv4-only" in " ".join(run.output.split())
    assert arm.our_writes() == []


def _written(lab: Lab, resources: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """What others wrote; Azure itself shows a private endpoint at what it leads to."""
    found = {identifier: lab.get(identifier, version) for identifier, version in resources.values()}
    for body in found.values():
        body["properties"].pop("privateEndpointConnections", None)
    return found


def _platform(lab: Lab) -> dict[str, tuple[str, str]]:
    """What another client made: name -> id and api-version."""
    group = f"{lab.subscription}/resourceGroups/rg-theirs"
    found = {
        "cluster": (f"{group}/providers/Microsoft.ContainerService/managedClusters/theirs", "2026-05-01"),
        "registry": (f"{group}/providers/Microsoft.ContainerRegistry/registries/theirs123", "2025-11-01"),
        "vault": (f"{group}/providers/Microsoft.KeyVault/vaults/theirs123", "2026-02-01"),
    }
    tenant = lab.environment["AZURE_TENANT"]
    lab.put(group, "2025-04-01", {"location": "westeurope"})
    lab.put(*found["cluster"], _cluster(["IPv4", "IPv6"]))
    lab.put(*found["registry"], {"location": "westeurope", "sku": {"name": "Premium"}})
    properties = {"tenantId": tenant, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True, "accessPolicies": []}
    lab.put(*found["vault"], {"location": "westeurope", "properties": properties})
    lab.put(f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/kubelets", "2024-11-30", {"location": "westeurope"})
    return found


def _cluster(families: list[str]) -> dict[str, Any]:
    pool = {"name": "system", "mode": "System", "count": 1, "vmSize": "Standard_D4ds_v5"}
    network = {"networkPlugin": "azure", "networkPluginMode": "overlay", "ipFamilies": families}
    return {
        "location": "westeurope",
        "identity": {"type": "SystemAssigned"},
        "properties": {"dnsPrefix": "theirs", "agentPoolProfiles": [pool], "networkProfile": network, "aadProfile": {"managed": True}},
    }
