"""The cluster's stored body against the security baseline (learn.microsoft.com/azure/architecture/reference-architectures/containers/aks)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.harness import Observer

testinfra_hosts = ["local://"]

ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
CLUSTER_ADMIN = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"
Body = dict[str, Any]


@pytest.fixture(scope="module")
def cluster(stamp: Observer) -> Body:
    return stamp.get(stamp.cluster_id, "2026-05-01")


#: topic -> what must hold of the cluster's properties
BASELINE: dict[str, Callable[[Body], bool]] = {
    "kubelet identity": lambda found: found["identityProfile"]["kubeletidentity"]["resourceId"].endswith("id-aks-example-westeurope-kubelet"),
    "workload identity": lambda found: found["securityProfile"]["workloadIdentity"]["enabled"] and found["oidcIssuerProfile"]["enabled"],
    "issuer": lambda found: found["oidcIssuerProfile"]["issuerURL"].startswith("https://"),
    "Entra and Azure RBAC": lambda found: found["aadProfile"]["managed"] and found["aadProfile"]["enableAzureRBAC"],
    "no local accounts": lambda found: found["disableLocalAccounts"],
    "network policy": lambda found: (found["networkProfile"]["networkPolicy"], found["networkProfile"]["networkDataplane"]) == ("cilium", "cilium"),
    "node image": lambda found: {pool["osSKU"] for pool in found["agentPoolProfiles"]} == {"Ubuntu"},
    "API server ranges": lambda found: found["apiServerAccessProfile"]["authorizedIPRanges"] == ["198.51.100.0/24"],
    "no run command": lambda found: found["apiServerAccessProfile"]["disableRunCommand"],
    "egress in both families": lambda found: found["networkProfile"]["loadBalancerProfile"]["managedOutboundIPs"] == {"count": 1, "countIPv6": 1},
    "policy": lambda found: found["addonProfiles"]["azurepolicy"]["enabled"] and found["addonProfiles"]["azurepolicy"]["config"]["version"] == "v2",
    "secrets": lambda found: found["addonProfiles"]["azureKeyvaultSecretsProvider"]["config"]["enableSecretRotation"] == "true",
    "image cleaner": lambda found: found["securityProfile"]["imageCleaner"] == {"enabled": True, "intervalHours": 120},
    "Defender": lambda found: found["securityProfile"]["defender"]["securityMonitoring"]["enabled"],
    "upgrades": lambda found: found["autoUpgradeProfile"] == {"upgradeChannel": "patch", "nodeOSUpgradeChannel": "NodeImage"},
    "zones": lambda found: all(sorted(pool["availabilityZones"]) == ["1", "2", "3"] for pool in found["agentPoolProfiles"]),
    "system pool": lambda found: (
        [pool["nodeTaints"] for pool in found["agentPoolProfiles"] if pool["mode"] == "System"] == [["CriticalAddonsOnly=true:NoSchedule"]]
    ),
    "ephemeral disks": lambda found: {pool["osDiskType"] for pool in found["agentPoolProfiles"]} == {"Ephemeral"},
    "surge": lambda found: {pool["upgradeSettings"]["maxSurge"] for pool in found["agentPoolProfiles"]} == {"33%"},
    "autoscaler": lambda found: all(pool["enableAutoScaling"] for pool in found["agentPoolProfiles"]),
}


@pytest.mark.parametrize("topic", BASELINE)
def test_baseline(cluster: Body, topic: str) -> None:
    assert BASELINE[topic](cluster["properties"]), cluster["properties"]


def test_identity_and_tier(cluster: Body) -> None:
    assert [name.rsplit("/", 1)[1] for name in cluster["identity"]["userAssignedIdentities"]] == ["id-aks-example-westeurope"]
    assert (cluster["identity"]["type"], cluster["sku"]) == ("UserAssigned", {"name": "Base", "tier": "Standard"})


@pytest.mark.parametrize("name", ["aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"])
def test_maintenance_windows(stamp: Observer, name: str) -> None:
    window = stamp.get(f"{stamp.cluster_id}/maintenanceConfigurations/{name}", "2026-05-01")["properties"]["maintenanceWindow"]
    assert (window["schedule"]["weekly"]["dayOfWeek"], window["durationHours"]) == ("Sunday", 4)


def test_logs_of_the_control_plane(stamp: Observer, cluster: Body) -> None:
    setting = stamp.get(f"{stamp.cluster_id}/providers/Microsoft.Insights/diagnosticSettings/dualstack-aks", "2021-05-01-preview")
    workspace = setting["properties"]["workspaceId"]
    assert workspace.lower() == cluster["properties"]["securityProfile"]["defender"]["logAnalyticsWorkspaceResourceId"].lower()
    assert stamp.get(workspace, "2025-07-01")["properties"]["retentionInDays"] == 30


def test_who_administers_and_who_pulls(stamp: Observer) -> None:
    assignments = stamp.get(f"{stamp.cluster_id}/providers/Microsoft.Authorization/roleAssignments", "2022-04-01")["value"]
    on_cluster = [item for item in assignments if item["properties"]["scope"].lower() == stamp.cluster_id.lower()]
    assert [item["properties"]["roleDefinitionId"].rsplit("/", 1)[1] for item in on_cluster] == [CLUSTER_ADMIN]
    kubelet = stamp.get(f"{stamp.group()}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-aks-example-westeurope-kubelet", "2024-11-30")
    registry = stamp.get(f"{stamp.group()}/providers/Microsoft.ContainerRegistry/registries", "2025-11-01")["value"][0]
    on_registry = stamp.get(f"{registry['id']}/providers/Microsoft.Authorization/roleAssignments", "2022-04-01")["value"]
    pullers = [item["properties"]["principalId"] for item in on_registry if item["properties"]["roleDefinitionId"].endswith(ACR_PULL)]
    assert pullers == [kubelet["properties"]["principalId"]]
