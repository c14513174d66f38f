"""What the lab adds to a resource, as Azure did in recorded traffic (``make recordings`` compares all of it)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.arm import schema
from lab.arm.azure import merge
from tests.lab.test_requests import CLUSTER, GROUP, LOCATION, OPTIONS, REGISTRY, VAULT, Client, against

Body = dict[str, Any]

WORKSPACE = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs"
SETTING = f"{VAULT}/providers/Microsoft.Insights/diagnosticSettings/d"
WINDOW = f"{CLUSTER}/maintenanceConfigurations/default"
POOL = f"{CLUSTER}/agentPools/more"


def cluster(**network: Any) -> Body:
    pool = {"name": "system", "mode": "System", "count": 1, "vmSize": "Standard_D4ds_v5"}
    properties = {"dnsPrefix": "aks", "agentPoolProfiles": [pool]} | ({"networkProfile": network} if network else {})
    return LOCATION | {"identity": {"type": "SystemAssigned"}, "properties": properties}


PLAIN_CLUSTER = (CLUSTER, cluster())
#: what -> the writes, and a part of the last one's answer
ANSWERS: dict[str, tuple[list[tuple[str, Body]], Body]] = {
    "a cluster has overlay unless it says otherwise": (
        [PLAIN_CLUSTER],
        {
            "kind": "Base",
            "type": "Microsoft.ContainerService/ManagedClusters",
            "properties": {
                "networkProfile": {
                    "networkPlugin": "azure",
                    "networkPluginMode": "overlay",
                    "networkPolicy": "none",
                    "networkDataplane": "azure",
                    "podCidrs": ["10.244.0.0/16"],
                    "loadBalancerProfile": {"backendPoolType": "nodeIPConfiguration"},
                },
                "autoUpgradeProfile": {"nodeOSUpgradeChannel": "NodeImage"},
                "oidcIssuerProfile": {"enabled": False},
                "nodeProvisioningProfile": {"mode": "Manual", "defaultNodePools": "Auto"},
            },
        },
    ),
    "a cluster keeps its network when a write leaves it out": (
        [(CLUSTER, cluster(networkPlugin="kubenet")), PLAIN_CLUSTER],
        {"properties": {"networkProfile": {"networkPlugin": "kubenet", "podCidr": "10.244.0.0/16"}}},
    ),
    "pods of a cluster without overlay have the nodes' subnet": (
        [(CLUSTER, cluster(networkPlugin="azure"))],
        {
            "properties": {
                "networkProfile": {"networkPluginMode": None, "podCidr": None, "podCidrs": None},
                "windowsProfile": {"enableCSIProxy": True},
            }
        },
    ),
    **{
        f"a node has {most} pods under {network or 'defaults'}": ([(CLUSTER, cluster(**network)), (POOL, {"properties": {"count": 1}})], pool)
        for most, network in ((250, {}), (30, {"networkPlugin": "azure"}), (110, {"networkPlugin": "kubenet"}))
        for pool in ({"properties": {"maxPods": most, "upgradeSettings": {"maxUnavailable": "0"}, "securityProfile": {"sshAccess": "LocalUser"}}},)
    },
    "the image of nodes follows their system": (
        [PLAIN_CLUSTER, (POOL, {"properties": {"count": 1, "osSKU": "AzureLinux"}})],
        {"properties": {"nodeImageVersion": "AKSAzureLinux-V3gen2-202611.10.0"}},
    ),
    "a maintenance window has a zone": (
        [
            PLAIN_CLUSTER,
            (WINDOW, {"properties": {"maintenanceWindow": {"durationHours": 4, "startTime": "00:00", "schedule": {"daily": {"intervalDays": 1}}}}}),
        ],
        {"properties": {"maintenanceWindow": {"utcOffset": "+00:00"}}},
    ),
    "a registry has policies": (
        [(REGISTRY, LOCATION | {"sku": {"name": "Premium"}, "properties": {"policies": {"exportPolicy": {"status": "disabled"}}}})],
        {
            "tags": {},
            "systemData": {"createdBy": OPTIONS.client_object, "lastModifiedByType": "Application"},
            "properties": {
                "dataEndpointHostNames": [],
                "privateEndpointConnections": [],
                "policies": {"exportPolicy": {"status": "disabled"}, "retentionPolicy": {"days": 7, "status": "disabled"}},
            },
        },
    ),
    "a workspace leaves the retired tier": (
        [(WORKSPACE, LOCATION | {"properties": {"sku": {"name": "Standalone"}}})],
        {
            "properties": {
                "sku": {"name": "PerGB2018"},
                "retentionInDays": 30,
                "features": {"enableLogAccessUsingOnlyResourcePermissions": True},
                "workspaceCapping": {"dailyQuotaGb": -1.0},
            }
        },
    ),
    "a diagnostic setting lists what it does not collect": (
        [(SETTING, {"properties": {"workspaceId": WORKSPACE, "logs": [{"categoryGroup": "allLogs", "enabled": True}]}})],
        {
            "location": "westeurope",
            "properties": {"metrics": [{"category": "AllMetrics", "enabled": False, "retentionPolicy": {"days": 0, "enabled": False}}]},
        },
    ),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_what_azure_adds(tmp_path: Path, what: str) -> None:
    writes, expected = ANSWERS[what]

    async def work(client: Client) -> None:
        for path, body in writes:
            await client.put(path, body)
        shown = await client.get(writes[-1][0])
        assert merge(shown, expected) == shown
        # Clients write back what they read.
        served = client.server.azure.kind_of(shown["type"])
        for version in schema.versions(served.type.partition("/")[0])[served.type.lower()]:
            assert schema.check(served.type, version, shown, overlooked=served.overlooked).problems == []

    against(tmp_path, work)


@pytest.mark.parametrize(("change", "state"), [({}, "RegisteringDns"), ({"createMode": "recover"}, "Succeeded")], ids=str)
def test_the_name_of_a_new_vault_is_registered(tmp_path: Path, change: Body, state: str) -> None:
    properties = {"tenantId": OPTIONS.tenant, "sku": {"family": "A", "name": "standard"}}

    async def work(client: Client) -> None:
        path = VAULT.replace("vault1", "vault2")
        made = await client.put(path, LOCATION | {"properties": properties | change})
        assert made["properties"]["provisioningState"] == state
        changed = await client.put(path, LOCATION | {"properties": properties, "tags": {"a": "b"}})
        assert changed["properties"]["provisioningState"] == "Succeeded"
        assert changed["systemData"]["createdAt"] == made["systemData"]["createdAt"]

    against(tmp_path, work)
