"""site.yml against the lab: what it stored, and that a second run stores nothing."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

from tests.e2e.conftest import OURS, Lab


def test_a_second_run_changes_nothing(stamp: Lab) -> None:
    before = len(stamp.entries())
    written = _last_written_by_us(stamp)
    run = stamp.playbook("site")
    assert run.code == 0, run.output
    assert run.changed == 0, run.output
    assert stamp.our_writes(before) == []
    assert _last_written_by_us(stamp) == written


def _last_written_by_us(stamp: Lab) -> dict[str, str]:
    """When our field manager last changed each object; controllers move resourceVersions by themselves."""
    kinds = "namespaces,configmaps,deployments,services,horizontalpodautoscalers,poddisruptionbudgets,networkpolicies"
    found = stamp.kubectl("get", kinds, "--all-namespaces", "--selector", "app.kubernetes.io/managed-by=dualstack.aks", "--show-managed-fields")
    return {
        f"{item['kind']}/{item['metadata']['name']}": field["time"]
        for item in found["items"]
        for field in item["metadata"]["managedFields"]
        if field["manager"] == "dualstack.aks"
    }


def test_our_bodies_fit_the_stored_types(stamp: Lab) -> None:
    ours = [entry for entry in stamp.entries() if entry["client"].startswith(OURS) and entry["method"] == "PUT"]
    assert ours
    assert [entry for entry in ours if entry.get("ignored")] == []
    assert {entry["schema"] for entry in ours if entry["status"] < 300} == {"stored"}


def test_the_cluster_follows_the_baseline(stamp: Lab) -> None:
    cluster = stamp.get(stamp.cluster_id, "2026-05-01")
    properties = cluster["properties"]
    assert cluster["identity"]["type"] == "UserAssigned"
    assert properties["identityProfile"]["kubeletidentity"]["resourceId"].endswith("id-aks-example-westeurope-kubelet")
    assert properties["oidcIssuerProfile"]["enabled"] is True
    assert properties["securityProfile"]["workloadIdentity"]["enabled"] is True
    assert properties["securityProfile"]["imageCleaner"] == {"enabled": True, "intervalHours": 120}
    assert (properties["aadProfile"]["managed"], properties["aadProfile"]["enableAzureRBAC"]) == (True, True)
    assert properties["disableLocalAccounts"] is True
    assert properties["addonProfiles"]["azurepolicy"]["enabled"] is True
    assert properties["addonProfiles"]["azureKeyvaultSecretsProvider"]["config"]["enableSecretRotation"] == "true"
    assert properties["autoUpgradeProfile"] == {"upgradeChannel": "patch", "nodeOSUpgradeChannel": "NodeImage"}
    assert properties["apiServerAccessProfile"]["disableRunCommand"] is True
    assert cluster["sku"] == {"name": "Base", "tier": "Standard"}
    for pool in properties["agentPoolProfiles"]:
        assert sorted(pool["availabilityZones"]) == ["1", "2", "3"]
        assert (pool["enableAutoScaling"], pool["osSKU"], pool["upgradeSettings"]["maxSurge"]) == (True, "Ubuntu", "33%")
    system = next(pool for pool in properties["agentPoolProfiles"] if pool["mode"] == "System")
    assert system["nodeTaints"] == ["CriticalAddonsOnly=true:NoSchedule"]
    windows = [
        f"{stamp.cluster_id}/maintenanceConfigurations/{name}" for name in ("aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule")
    ]
    assert all(stamp.get(path, "2026-05-01") for path in windows)


def test_both_families_everywhere(stamp: Lab) -> None:
    profile = stamp.get(stamp.cluster_id, "2026-05-01")["properties"]["networkProfile"]
    assert profile["ipFamilies"] == ["IPv4", "IPv6"]
    assert (profile["networkPluginMode"], profile["networkDataplane"], profile["networkPolicy"]) == ("overlay", "cilium", "cilium")
    for name in ("podCidrs", "serviceCidrs"):
        assert [ipaddress.ip_network(text).version for text in profile[name]] == [4, 6]
    assert profile["loadBalancerProfile"]["managedOutboundIPs"] == {"count": 1, "countIPv6": 1}
    outbound = [stamp.get(item["id"]) for item in profile["loadBalancerProfile"]["effectiveOutboundIPs"]]
    assert sorted(address["properties"]["publicIPAddressVersion"] for address in outbound) == ["IPv4", "IPv6"]
    nodes = stamp.network("virtualNetworks/vnet-example-westeurope/subnets/nodes")
    assert sorted(ipaddress.ip_network(text).version for text in nodes["properties"]["addressPrefixes"]) == [4, 6]
    for node in stamp.kubectl("get", "nodes")["items"]:
        assert [ipaddress.ip_network(text).version for text in node["spec"]["podCIDRs"]] == [4, 6]


def test_an_entrance_a_family(stamp: Lab) -> None:
    services = {item["metadata"]["name"]: item for item in stamp.kubectl("get", "services", "--namespace", "dualstack-ingress")["items"]}
    for family in ("IPv4", "IPv6"):
        service = services[f"entrance-{family.lower()}"]
        assert service["spec"]["ipFamilies"] == [family]
        assert service["spec"]["externalTrafficPolicy"] == "Local"
        address = stamp.network(f"publicIPAddresses/pip-example-westeurope-{family.lower()}")["properties"]["ipAddress"]
        assert [item["ip"] for item in service["status"]["loadBalancer"]["ingress"]] == [address]


def test_the_cloud_controller_made_the_rules(stamp: Lab) -> None:
    writers = {entry["client"].partition("/")[0] for entry in stamp.entries() if entry["method"] == "PUT" and "/loadBalancers/" in entry["path"]}
    assert writers == {"kubernetes-cloudprovider"}
    nodes = f"{stamp.subscription}/resourceGroups/rg-example-westeurope-nodes/providers/Microsoft.Network"
    rules = stamp.get(f"{nodes}/loadBalancers/kubernetes")["properties"]["loadBalancingRules"]
    assert sorted(rule["properties"]["frontendPort"] for rule in rules) == [80, 80]
    listed = stamp.get(f"{nodes}/networkSecurityGroups")["value"]
    names = [rule["name"] for group in listed for rule in group["properties"]["securityRules"]]
    assert {name.split("_")[2] for name in names} == {"IPv4", "IPv6"}


def test_names_hold_the_entrances_addresses(stamp: Lab) -> None:
    shared = f"{stamp.subscription}/resourceGroups/rg-example-shared/providers/Microsoft.Network"
    addresses = [stamp.network(f"publicIPAddresses/pip-example-westeurope-{family}")["properties"]["ipAddress"] for family in ("ipv4", "ipv6")]
    public = [stamp.get(f"{shared}/dnsZones/aks.example.org/{kind}/www.westeurope", "2018-05-01")["properties"] for kind in ("A", "AAAA")]
    private = [
        stamp.get(f"{shared}/privateDnsZones/internal.example.org/{kind}/www.westeurope", "2024-06-01")["properties"] for kind in ("A", "AAAA")
    ]
    assert [public[0]["ARecords"][0]["ipv4Address"], public[1]["AAAARecords"][0]["ipv6Address"]] == addresses
    assert [private[0]["aRecords"][0]["ipv4Address"], private[1]["aaaaRecords"][0]["ipv6Address"]] == addresses


def test_the_registry_and_the_vault_are_closed(stamp: Lab) -> None:
    registry = stamp.get(f"{stamp.group()}/providers/Microsoft.ContainerRegistry/registries", "2025-11-01")["value"][0]
    vault = stamp.get(f"{stamp.group()}/providers/Microsoft.KeyVault/vaults", "2026-02-01")["value"][0]
    assert (registry["sku"]["name"], registry["properties"]["adminUserEnabled"]) == ("Premium", False)
    assert registry["properties"]["zoneRedundancy"] == "Enabled"
    assert (vault["properties"]["enableRbacAuthorization"], vault["properties"]["enablePurgeProtection"]) == (True, True)
    assert {registry["properties"]["publicNetworkAccess"], vault["properties"]["publicNetworkAccess"]} == {"Disabled"}
    endpoints = stamp.get(f"{stamp.group()}/providers/Microsoft.Network/privateEndpoints")["value"]
    assert len(endpoints) == 2
    kubelet = stamp.get(f"{stamp.group()}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-aks-example-westeurope-kubelet", "2024-11-30")
    assignments = stamp.get(f"{registry['id']}/providers/Microsoft.Authorization/roleAssignments", "2022-04-01")["value"]
    pullers = [
        item["properties"]["principalId"]
        for item in assignments
        if item["properties"]["roleDefinitionId"].endswith("7f951dda-4ed3-4680-a7ca-43fe172d538d")
    ]
    assert pullers == [kubelet["properties"]["principalId"]]


def test_check_mode_after_a_run(stamp: Lab) -> None:
    before = len(stamp.entries())
    run = stamp.playbook("site", "--check", "--diff")
    assert run.code == 0, run.output
    assert run.changed == 0, run.output
    assert stamp.our_writes(before) == []


def test_foreign_things_stay_and_ours_that_were_dropped_go(stamp: Lab) -> None:
    group_path = f"{stamp.group()}/providers/Microsoft.Network/networkSecurityGroups/nsg-example-westeurope-nodes"
    vnet_path = f"{stamp.group()}/providers/Microsoft.Network/virtualNetworks/vnet-example-westeurope"
    group = stamp.get(group_path)
    group["properties"]["securityRules"].append(_foreign_rule())
    group["tags"]["costs"] = "4711"
    _done(stamp.call("PUT", group_path, "2025-05-01", group))
    _done(stamp.call("PUT", f"{vnet_path}/subnets/theirs", "2025-05-01", {"properties": {"addressPrefixes": ["10.0.24.0/24"]}}))
    stamp.set(
        network_security_rules_shared=True,
        network_security_rules=[{"name": "ours", "priority": 300, "source": ["198.51.100.0/24", "2001:db8:1::/48"], "protocol": "Tcp"}],
    )
    added = stamp.playbook("site", "--tags", "network")
    assert added.code == 0, added.output
    names = {rule["name"] for rule in stamp.get(group_path)["properties"]["securityRules"]}
    assert {"theirs", "ours", "ours-ipv6"} <= names
    assert stamp.get(group_path)["tags"]["costs"] == "4711"
    assert stamp.get(f"{vnet_path}/subnets/theirs")
    again = stamp.playbook("site", "--tags", "network")
    assert again.changed == 0, again.output
    stamp.set()
    dropped = stamp.playbook("site", "--tags", "network", "--diff")
    assert dropped.code == 0, dropped.output
    assert "-properties.securityRules[ours-ipv6]:" in dropped.output
    left = {rule["name"] for rule in stamp.get(group_path)["properties"]["securityRules"]}
    assert not left & {"theirs", "ours", "ours-ipv6"}


def _foreign_rule() -> dict[str, Any]:
    properties = {
        "access": "Allow",
        "direction": "Inbound",
        "priority": 4000,
        "protocol": "Tcp",
        "sourceAddressPrefix": "198.51.100.7",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "22",
    }
    return {"name": "theirs", "properties": properties}


def _done(answer: Any) -> None:
    assert answer.status_code < 300, answer.text


def test_no_secret_leaves(stamp: Lab) -> None:
    run = stamp.playbook("site", "-vvv")
    assert run.code == 0, run.output[-2000:]
    secret = stamp.environment["AZURE_SECRET"]
    # A JSON Web Token begins with {"alg" or {"typ", in base64.
    assert secret not in run.output
    assert "eyJhbGci" not in run.output
    assert "eyJ0eXAi" not in run.output
    kept_apart = ("secrets", "pki")
    for path in stamp.folder.rglob("*"):
        if path.is_file() and not set(path.relative_to(stamp.folder).parts) & set(kept_apart):
            content = path.read_bytes()
            assert secret.encode() not in content, path
            assert b"eyJhbGci" not in content or path.suffix == ".log" or "etcd" in path.parts, path


def test_home_holds_no_token(stamp: Lab) -> None:
    temporary = Path.home() / ".ansible" / "tmp"
    for path in temporary.rglob("*") if temporary.exists() else ():
        if path.is_file():
            assert b"eyJhbGci" not in path.read_bytes(), path
