"""Managed clusters, agent pools and maintenance configurations."""

from __future__ import annotations

import base64
import copy
import json
import math
import time
import uuid
from collections.abc import Mapping
from typing import Any

from .. import errors, ids
from ..azure import Azure, merge
from ..compute.sizes import known
from ..kinds import Caller, Kind, Write, kind
from ..store import Resource
from .names import node_group_id, node_resource_group
from .network_profile import complete_ranges, data_plane, has_overlay, is_dual_stack, reimaging_changes
from .node_group import converge, first_nodes_reach_the_api_server, identity_facts
from .quota import wanted_surges
from .scale_sets import pools_of_cluster
from .types import CLUSTER, MAINTENANCE, POOL
from .versions import VERSIONS, upgrades_of

_POOL_DEFAULTS: dict[str, Any] = {
    "count": 1,
    "enableAutoScaling": False,
    "enableEncryptionAtHost": False,
    "enableFIPS": False,
    "enableNodePublicIP": False,
    "enableUltraSSD": False,
    "kubeletDiskType": "OS",
    "mode": "User",
    "osDiskSizeGB": 128,
    "osSKU": "Ubuntu",
    "osType": "Linux",
    "scaleDownMode": "Delete",
    "type": "VirtualMachineScaleSets",
}


#: the operating system of a pool -> the image of its nodes
_IMAGES = {"Ubuntu": "AKSUbuntu-2404gen2containerd", "AzureLinux": "AKSAzureLinux-V3gen2"}
#: what AKS adds to a cluster's profiles
_PROFILES: dict[str, Any] = {
    "autoUpgradeProfile": {"nodeOSUpgradeChannel": "NodeImage"},
    "bootstrapProfile": {"artifactSource": "Direct"},
    "metricsProfile": {"costAnalysis": {"enabled": False}},
    "nodeProvisioningProfile": {"mode": "Manual", "defaultNodePools": "Auto"},
    "oidcIssuerProfile": {"enabled": False},
    "securityProfile": {},
    "servicePrincipalProfile": {"clientId": "msi"},
    "storageProfile": {"diskCSIDriver": {"enabled": True}, "fileCSIDriver": {"enabled": True}, "snapshotController": {"enabled": True}},
    "workloadAutoScalerProfile": {},
}
_CONTROL_PLANE_PLUGINS = (
    "azure-monitor-metrics-ccp",
    "gpu-provisioner",
    "karpenter",
    "kubelet-serving-csr-approver",
    "live-patching-controller",
    "static-egress-controller",
)


def _most_pods(network: dict[str, Any]) -> int:
    """The pods of a node in a pool that does not say (learn.microsoft.com/azure/aks/concepts-network-ip-address-planning)."""
    if has_overlay(network):
        return 250
    return 30 if network["networkPlugin"] == "azure" else 110


def with_pool_defaults(pool: dict[str, Any], network: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """``network`` is the cluster's profile, ``before`` what is stored of the pool.

    Under the autoscaler a pool that exists grows to a minimum that was raised.
    """
    # az sends empty strings for options that are not given.
    given = {name: value for name, value in pool.items() if value != ""}
    windows = {"osSKU": "Windows2022"} if given.get("osType") == "Windows" else {}
    result = _POOL_DEFAULTS | {"maxPods": _most_pods(network)} | windows | given
    if "osDiskType" not in given:
        # An ephemeral disk where the size has room for it (learn.microsoft.com/azure/aks/concepts-storage; recorded of DS2_v2 and B4ms).
        size = known(result.get("vmSize") or "")
        fits = size is not None and 0 < result["osDiskSizeGB"] * 2**30 <= size.ephemeral_bytes()
        result["osDiskType"] = (before or {}).get("osDiskType") or ("Ephemeral" if fits else "Managed")
    exists = before is not None
    result["upgradeSettings"] = {"maxSurge": "10%", "maxUnavailable": "0"} | (pool.get("upgradeSettings") or {})
    result["securityProfile"] = {"sshAccess": "LocalUser", "enableVTPM": False, "enableSecureBoot": False} | (pool.get("securityProfile") or {})
    if result["enableAutoScaling"] and (exists or "count" not in pool):
        result["count"] = max(result["count"], result.get("minCount") or 0)
    return result


@kind
class ManagedCluster(Kind):
    """A PUT boots a cluster: AKS answers 201 with provisioningState Creating, and continues."""

    type = CLUSTER
    seconds = 240
    delete_interrupts = True
    delete_seconds = 120
    has_etag = True
    honours_if_match = True
    previewed = ("nodeDisruptionProfile",)

    def defaults(self, write: Write) -> None:
        properties = write.properties
        old = write.old_properties.get("networkProfile") or {}
        network = properties.setdefault("networkProfile", copy.deepcopy(old))
        if "networkPlugin" not in network:
            network.setdefault("networkPluginMode", "overlay")
        if network.setdefault("networkPlugin", "azure") == "azure":
            network.setdefault("networkPolicy", "none")
            network.setdefault("networkDataplane", "azure")
            if old and data_plane(network) == "cilium" != data_plane(old):
                # It replaces the policy engine, whatever the body says of that (recorded).
                network["networkPolicy"] = "cilium"
            if not has_overlay(network):
                properties.setdefault("windowsProfile", {"adminUsername": "azureuser", "enableCSIProxy": True})
        network.setdefault("ipFamilies", ["IPv4"])
        dual = is_dual_stack(network)
        network.setdefault("outboundType", "loadBalancer")
        network.setdefault("loadBalancerSku", "standard")
        complete_ranges(write.id, network, old)
        network.setdefault("dnsServiceIP", old.get("dnsServiceIP") or "10.0.0.10")
        if network["outboundType"] == "loadBalancer":
            profile = network.setdefault("loadBalancerProfile", {})
            profile.setdefault("backendPoolType", "NodeIPConfiguration")
            if not profile.get("outboundIPs") and not profile.get("outboundIPPrefixes"):
                managed = profile.setdefault("managedOutboundIPs", {})
                managed.setdefault("count", 1)
                if dual:
                    managed.setdefault("countIPv6", 1)
        write.body.setdefault("sku", copy.deepcopy(write.before.body["sku"]) if write.before else {}).setdefault("name", "Base")
        write.body["sku"].setdefault("tier", "Free")
        for name, profile in _PROFILES.items():
            properties[name] = merge(profile, properties.get(name) or {})
        properties.setdefault("enableRBAC", True)
        properties.setdefault("supportPlan", "KubernetesOfficial")
        properties.setdefault("disableLocalAccounts", False)
        if not properties.get("kubernetesVersion"):
            properties["kubernetesVersion"] = write.old_properties.get("kubernetesVersion") or "1.36"
        if write.before:
            properties.setdefault("nodeResourceGroup", write.old_properties["nodeResourceGroup"])
        if "agentPoolProfiles" not in properties and write.before:
            pools = write.azure.store.children(write.id, "agentPools")
            properties["agentPoolProfiles"] = [{"name": pool.name} | copy.deepcopy(pool.properties) for pool in pools]
        stored = {pool.name.lower(): pool.properties for pool in write.azure.store.children(write.id, "agentPools")}
        properties["agentPoolProfiles"] = [
            with_pool_defaults(pool, network, stored.get(pool["name"].lower())) for pool in properties.get("agentPoolProfiles") or []
        ]

    def accepted(self, write: Write, resource: Resource) -> None:
        properties = resource.properties
        if properties.get("nodeDisruptionProfile"):
            # Stable versions neither name nor show it.
            resource.hidden["nodeDisruptionProfile"] = properties.pop("nodeDisruptionProfile")
        pools = properties.pop("agentPoolProfiles")
        resource.hidden["pools"] = [pool["name"] for pool in pools]
        for pool in pools:
            path = f"{resource.id}/agentPools/{pool['name']}"
            old = write.azure.store.get(path)
            body = {
                "etag": f'W/"{uuid.uuid4()}"',
                "properties": {name: value for name, value in pool.items() if name != "name"}
                | {"provisioningState": "Creating" if not old else "Updating"},
            }
            write.azure.store.save(Resource(old.id if old else path, POOL, body, hidden=dict(old.hidden) if old else {}))
        properties.setdefault("nodeResourceGroup", node_resource_group(resource))
        properties["servicePrincipalProfile"].pop("secret", None)
        identity = resource.body.get("identity") or {}
        if identity.get("type") == "SystemAssigned":
            identity |= {"principalId": ids.stable_uuid(resource.id, "principal"), "tenantId": write.azure.options.tenant}
        computed = resource.hidden.setdefault("computed", {})
        if not computed:
            prefix = properties.get("dnsPrefix") or properties.get("fqdnSubdomain") or resource.name
            host = f"{prefix}-{ids.stable_uuid(resource.id, 'fqdn')[:8]}.hcp.{resource.body['location']}.azmk8s.io"
            computed["fqdn"] = host
            computed["azurePortalFQDN"] = host.replace(".hcp.", ".portal.hcp.")
            computed["resourceUID"] = ids.stable_uuid(resource.id, "uid").replace("-", "")[:24]
            computed["maxAgentPools"] = 100
        if write.before and reimaging_changes(write.old_properties["networkProfile"], properties["networkProfile"]):
            for machines in pools_of_cluster(write.azure, resource):
                machines.outdate()

    def seconds_of(self, write: Write) -> float:
        """Replacing nodes takes 14 minutes for three with one surge node (recorded); real ones take their own time."""
        if not write.before or write.azure.clusters:
            return self.seconds
        outdated = bool(reimaging_changes(write.old_properties["networkProfile"], write.properties["networkProfile"]))
        pools = pools_of_cluster(write.azure, write.before)
        surges = wanted_surges(pools)
        rounds = [math.ceil(len(found.all if outdated else found.outdated) / max(1, surges[found.pool.name])) for found in pools]
        return 60 + 260 * max(rounds) if any(rounds) else self.seconds

    async def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> None:
        resource.hidden["computed"].pop("status", None)
        if before is None:
            first_nodes_reach_the_api_server(azure, resource)
        await converge(azure, resource)

    def failed(self, azure: Azure, resource: Resource, error: dict[str, Any]) -> None:
        resource.hidden["computed"]["status"] = {"provisioningError": error}
        for pool in azure.store.children(resource.id, "agentPools"):
            if pool.properties["provisioningState"] in ("Creating", "Updating"):
                pool.properties["provisioningState"] = "Failed"
                azure.store.save(pool)

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        body["properties"] = merge(body["properties"], resource.hidden["computed"])
        properties = body["properties"]
        properties["currentKubernetesVersion"] = VERSIONS.get(properties["kubernetesVersion"], properties["kubernetesVersion"])
        properties["powerState"] = {"code": "Running"}
        network = properties["networkProfile"]
        network["serviceCidr"] = network["serviceCidrs"][0]
        if "podCidrs" in network:
            network["podCidr"] = network["podCidrs"][0]
        balancer = network.get("loadBalancerProfile", {})
        if "backendPoolType" in balancer:
            balancer["backendPoolType"] = balancer["backendPoolType"][0].lower() + balancer["backendPoolType"][1:]
        pools = []
        for pool in azure.store.children(resource.id, "agentPools"):
            shown = azure.render(pool)["properties"]
            pools.append({"name": pool.name} | shown)
        properties["agentPoolProfiles"] = sorted(pools, key=lambda pool: pool["name"])
        identity = body.get("identity") or {}
        if identity.get("type") == "UserAssigned":
            identity["userAssignedIdentities"] = {
                _lower_group(name): identity_facts(azure, name) for name in identity.get("userAssignedIdentities") or {}
            }
        # AKS spells id and type its own way.
        body |= {"id": _lower_group(resource.id), "type": "Microsoft.ContainerService/ManagedClusters", "kind": "Base"}
        body["eTag"] = body.pop("etag")
        return body

    def complete(self, azure: Azure, resource: Resource, body: dict[str, Any], api_version: str) -> None:
        """Previews show which parts of the control plane are switched over."""
        if api_version.endswith("-preview"):
            properties = body["properties"]
            properties["networkProfile"].setdefault("podLinkLocalAccess", "IMDS")
            if "nodeDisruptionProfile" in resource.hidden:
                properties["nodeDisruptionProfile"] = copy.deepcopy(resource.hidden["nodeDisruptionProfile"])
            properties["storageProfile"]["diskCSIDriver"].setdefault("version", "v1")
            properties["controlPlanePluginProfiles"] = {name: {"enableV2": True} for name in _CONTROL_PLANE_PLUGINS}

    def action(self, azure: Azure, resource: Resource, name: str, body: dict[str, Any], caller: Caller) -> Any:
        if name.lower() == "listclusteradmincredential":
            if resource.properties.get("disableLocalAccounts"):
                raise errors.ArmError(
                    400, "BadRequest", "Getting static credential is not allowed because this cluster is set to disable local accounts."
                )
            raise errors.ArmError(400, "BadRequest", "The lab hands out no static credentials: use Microsoft Entra ID.")
        user = _USERS.get(name.lower())
        if user:
            if resource.properties["provisioningState"] == "Creating":
                raise errors.ArmError(
                    409, "OperationNotAllowed", f"The cluster {resource.name} is not there yet: its provisioning state is Creating."
                )
            return {"kubeconfigs": [{"name": user, "value": base64.b64encode(_kubeconfig(azure, resource, user).encode()).decode()}]}
        return None

    def view(self, azure: Azure, resource: Resource, name: str, query: Mapping[str, str]) -> Any:
        shown = azure.render(resource)
        match name:
            case "upgradeprofiles/default":
                pools = [
                    {
                        "name": pool["name"],
                        "osType": pool["osType"],
                        "kubernetesVersion": pool["currentOrchestratorVersion"],
                        "upgrades": upgrades_of(pool["currentOrchestratorVersion"]),
                    }
                    for pool in shown["properties"]["agentPoolProfiles"]
                ]
                version = shown["properties"]["currentKubernetesVersion"]
                properties = {
                    "controlPlaneProfile": {"osType": "Linux", "kubernetesVersion": version, "upgrades": upgrades_of(version)},
                    "agentPoolProfiles": pools,
                }
                path = f"{shown['id']}/upgradeprofiles/default"
                return {"id": path, "name": "default", "type": f"{CLUSTER}/upgradeProfiles", "properties": properties}
            case "availableagentpoolversions":
                versions = [{"default": True, "kubernetesVersion": version} for version in sorted(set(VERSIONS.values()))]
                path = f"{shown['id']}/availableAgentPoolVersions/default"
                kind_name = f"{CLUSTER}/availableAgentPoolVersions"
                return {"id": path, "name": "default", "type": kind_name, "properties": {"agentPoolVersions": versions}}
        return None

    async def deleted(self, azure: Azure, resource: Resource) -> None:
        if azure.clusters:
            await azure.clusters.delete(resource.id)
        group = azure.store.get(node_group_id(azure, resource))
        if group:
            await azure.forget(group)


def _lower_group(resource: str) -> str:
    return resource.replace("/resourceGroups/", "/resourcegroups/")


#: the actions that give a kubeconfig, and the user that it is for
_USERS = {"listclusterusercredential": "clusterUser", "listclustermonitoringusercredential": "clusterMonitoringUser"}


def _kubeconfig(azure: Azure, resource: Resource, user: str) -> str:
    """What ``listClusterUserCredential`` gives for a cluster with Entra: the server, its CA, and kubelogin for the token."""
    full_name = f"{user}_{ids.parse(resource.id).resource_group}_{resource.name}"
    access = azure.clusters.access(resource.id) if azure.clusters else {"server": f"https://{resource.hidden['computed']['fqdn']}:443", "ca": ""}
    server_application = "6dae42f8-4368-4678-94ff-3960e28e3630"
    arguments = ["get-token", "--login", "devicecode", "--server-id", server_application, "--tenant-id", azure.options.tenant]
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": resource.name, "cluster": {"server": access["server"], "certificate-authority-data": access["ca"]}}],
        "users": [
            {
                "name": full_name,
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1beta1",
                        "command": "kubelogin",
                        "args": arguments,
                        "provideClusterInfo": False,
                    }
                },
            }
        ],
        "contexts": [
            {
                "name": resource.name,
                "context": {"cluster": resource.name, "user": full_name},
            }
        ],
        "current-context": resource.name,
    }
    return json.dumps(document)


@kind
class AgentPool(Kind):
    type = POOL
    seconds = 90
    delete_seconds = 60
    has_etag = True
    honours_if_match = True

    def busy_with(self, resource: ids.ResourceId) -> str:
        return resource.parent

    def defaults(self, write: Write) -> None:
        network = write.azure.get(ids.parse(write.id).parent).properties["networkProfile"]
        write.body["properties"] = with_pool_defaults(write.properties, network, write.before.properties if write.before else None)

    async def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> None:
        await converge(azure, azure.get(ids.parse(resource.id).parent), only=resource.name)

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        cluster = azure.store.get(ids.parse(resource.id).parent)
        properties = body["properties"]
        if cluster:
            properties.setdefault("orchestratorVersion", cluster.properties["kubernetesVersion"])
        properties["currentOrchestratorVersion"] = VERSIONS.get(properties.get("orchestratorVersion", ""), properties.get("orchestratorVersion"))
        properties["powerState"] = {"code": "Running"}
        properties["nodeImageVersion"] = f"{_IMAGES.get(properties['osSKU'], _IMAGES['Ubuntu'])}-202611.10.0"
        properties["eTag"] = body.pop("etag", "")
        return body

    def view(self, azure: Azure, resource: Resource, name: str, query: Mapping[str, str]) -> Any:
        if name != "upgradeprofiles/default":
            return None
        shown = azure.render(resource)["properties"]
        version = shown["currentOrchestratorVersion"]
        properties = {
            "kubernetesVersion": version,
            "osType": shown["osType"],
            "upgrades": upgrades_of(version),
            "latestNodeImageVersion": shown["nodeImageVersion"],
        }
        return {"id": f"{resource.id}/upgradeProfiles/default", "name": "default", "type": f"{POOL}/upgradeProfiles", "properties": properties}

    async def deleted(self, azure: Azure, resource: Resource) -> None:
        cluster = azure.store.get(ids.parse(resource.id).parent)
        if cluster and cluster.operation == "":
            azure.store.remove(resource.id)
            await converge(azure, cluster, only=resource.name)


@kind
class MaintenanceConfiguration(Kind):
    type = MAINTENANCE
    has_provisioning_state = False
    created_status = 200

    def defaults(self, write: Write) -> None:
        window = write.properties.get("maintenanceWindow")
        if window:
            before = write.old_properties.get("maintenanceWindow", {})
            window.setdefault("utcOffset", "+00:00")
            window.setdefault("startDate", before.get("startDate") or time.strftime("%Y-%m-%d", time.gmtime()))
