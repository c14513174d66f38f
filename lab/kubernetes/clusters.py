"""A real cluster behind each managedClusters resource."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..arm import ids
from ..arm.containerservice.names import cluster_number, node_resource_group
from ..arm.containerservice.network_profile import pod_ranges
from ..arm.containerservice.scale_sets import machines_of
from ..arm.containerservice.types import CLUSTER
from ..arm.errors import ArmError
from ..arm.network.bodies import ip_configurations, reference
from ..arm.network.usage import is_balanced
from ..arm.store import Resource
from . import drains
from .control_plane import ControlPlane, Entra
from .data_plane import DataPlane

if TYPE_CHECKING:
    from ..arm.http.server import Server
    from ..packets import Datacentre
    from ..state import State

#: AKS RBAC role -> the Kubernetes role it amounts to (learn.microsoft.com/azure/aks/entra-id-authorization)
ACCESS_ROLES = {
    "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b": "cluster-admin",
    "3498e952-d568-435e-9b2c-8d77e338d7f7": "admin",
    "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb": "edit",
    "7f6c6a51-bcf8-42ba-9220-52d62157d7db": "view",
}
#: seconds that the cloud controller gets to take a node out of the load balancers
_LEAVING = 30
_LABEL = "lab.dualstack.aks/role-assignment"
_BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"


class Clusters:
    """All clusters of a lab, by the id of their resource."""

    def __init__(self, server: Server, state: State, datacentre: Datacentre | None = None) -> None:
        self._server, self._state, self._datacentre = server, state, datacentre
        self._running: dict[str, ControlPlane] = {}
        #: where there are packets: the nodes of each cluster
        self._data_planes: dict[str, DataPlane] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def folder(self, cluster: str) -> Path:
        return self._state.clusters / ids.stable_uuid(cluster)[:8]

    def access(self, cluster: str) -> dict[str, str]:
        """Server and CA, as a kubeconfig needs them."""
        running = self._running[cluster.lower()]
        return {"server": running.server, "ca": running.authority_data}

    async def resume(self) -> None:
        """Boot the clusters that ran when the lab stopped."""
        clusters = [found for found in self._server.azure.store.of_type(CLUSTER) if self.folder(found.id).exists()]
        await asyncio.gather(*(self.converge(cluster) for cluster in clusters))

    async def stop(self) -> None:
        """Stop the control planes; the nodes end with the lab."""
        await asyncio.gather(*(data_plane.disconnect() for data_plane in self._data_planes.values()))
        await asyncio.gather(*(running.stop() for running in self._running.values()))
        self._running.clear()

    async def converge(self, cluster: Resource) -> None:
        """Bring a cluster to its stored body: the control plane runs, each VM of its pools is a node, role assignments grant access."""
        async with self._lock_of(cluster):
            running = self._running.get(cluster.key)
            profile = cluster.properties["networkProfile"]
            if running is None:
                data_plane = None
                if self._datacentre:
                    data_plane = DataPlane(
                        self._datacentre, self.folder(cluster.id), self._subnet(cluster), profile["dnsServiceIP"], pod_ranges(profile)
                    )
                running = ControlPlane(
                    cluster.name,
                    self.folder(cluster.id),
                    profile["serviceCidrs"],
                    pod_ranges(profile),
                    self._cloud_configuration(cluster),
                    self._entra(cluster),
                    await data_plane.prepare() if data_plane else None,
                    **_issuer(cluster),
                )
                await running.start()
                self._running[cluster.key] = running
                if data_plane:
                    await data_plane.start(running)
                    self._data_planes[cluster.key] = data_plane
                    if _has_secrets_provider(cluster):
                        await data_plane.serve_secrets(self._server.azure, cluster.id)
            await running.restart(profile["serviceCidrs"], pod_ranges(profile))
            await self._nodes(cluster, running)
            await self._grant(cluster, running, without="")
            await running.start_cloud_controller()

    def _lock_of(self, cluster: Resource) -> asyncio.Lock:
        return self._locks.setdefault(cluster.key, asyncio.Lock())

    async def await_nodes(self, cluster: Resource, names: Sequence[str], timeout: float = 300) -> None:
        """Wait until nodes are Ready. Raises when one is not."""
        running = self._running[cluster.key]

        async def are_ready() -> bool:
            _, listed = await running.call("GET", "/api/v1/nodes")
            ready = {item["metadata"]["name"] for item in listed.get("items") or [] if _is_ready(item)}
            return set(names) <= ready

        if not await drains.until(are_ready, timeout):
            raise ArmError(409, "VMExtensionProvisioningTimeout", f"Nodes did not become ready: {', '.join(names)}.")

    async def drain(self, cluster: Resource, names: Sequence[str], timeout: float) -> dict[str, str]:
        """Cordon nodes and evict their pods: node -> why that did not succeed. Those that are empty leave the load balancers."""
        running, kubelets = self._running[cluster.key], cluster.key in self._data_planes
        outcomes = await asyncio.gather(*(drains.Drain(running, name, kubelets=kubelets).run(timeout) for name in names))
        blocked = {name: why for name, why in zip(names, outcomes, strict=True) if why}
        drained = [name for name in names if name not in blocked]
        for name in drained:
            await drains.exclude(running, name)
        machines = {machine.properties["osProfile"]["computerName"]: machine.id for _, machine in machines_of(self._server.azure, cluster)}

        async def have_left() -> bool:
            return not any(is_balanced(self._server.azure, machines[name]) for name in drained)

        await drains.until(have_left, _LEAVING)
        return blocked

    async def replace(self, cluster: Resource, names: Sequence[str], change: Callable[[], None]) -> None:
        """Take nodes away, ``change`` what is stored of their VMs, and let those join again that still have one."""
        async with self._lock_of(cluster):
            running = self._running[cluster.key]
            if cluster.key in self._data_planes:
                await self._data_planes[cluster.key].remove(names)
            for name in names:
                await running.call("DELETE", f"/api/v1/nodes/{name}")
            change()
            await self._nodes(cluster, running)

    async def uncordon(self, cluster: Resource, name: str) -> None:
        await drains.cordon(self._running[cluster.key], name, False)

    async def quarantine(self, cluster: Resource, name: str) -> None:
        await drains.quarantine(self._running[cluster.key], name)

    async def delete(self, cluster: str) -> None:
        """Stop the cluster and remove all of it."""
        async with self._locks.setdefault(cluster.lower(), asyncio.Lock()):
            await self._delete(cluster)

    async def _delete(self, cluster: str) -> None:
        data_plane = self._data_planes.pop(cluster.lower(), None)
        if data_plane:
            await data_plane.stop()
        running = self._running.pop(cluster.lower(), None)
        if running:
            await running.stop()
        shutil.rmtree(self.folder(cluster), ignore_errors=True)

    def _entra(self, cluster: Resource) -> Entra:
        identities = list((cluster.body.get("identity") or {}).get("userAssignedIdentities") or {})
        kubelet = cluster.hidden["computed"]["identityProfile"]["kubeletidentity"]["resourceId"]
        header = secrets.token_urlsafe(16)
        has_its_own = (cluster.body.get("identity") or {}).get("type") == "SystemAssigned"
        self._server.identities.headers[header] = cluster.id if has_its_own else identities[0] if identities else kubelet
        return Entra(
            endpoint=self._server.endpoint,
            issuer=self._server.entra.issuer,
            certificate_authority=self._state.secrets / "azure" / "ca.pem",
            trust_bundle=self._state.secrets / "trust.pem",
            identity_endpoint=f"http://127.0.0.1:{self._server.identities.port}/msi/token",
            identity_header=header,
        )

    def _cloud_configuration(self, cluster: Resource) -> dict[str, Any]:
        """``azure.json`` as AKS writes it for its cloud controller."""
        azure = self._server.azure
        number = cluster_number(cluster.id)
        subnet = ids.parse(self._subnet(cluster))
        profile = cluster.properties["networkProfile"].get("loadBalancerProfile") or {}
        backend = profile.get("backendPoolType", "NodeIPConfiguration")
        return {
            "cloud": "",
            "resourceManagerEndpoint": self._server.endpoint,
            "tenantId": azure.options.tenant,
            "subscriptionId": azure.options.subscription,
            "resourceGroup": node_resource_group(cluster),
            "location": cluster.body["location"],
            "vmType": "vmss",
            "vnetName": subnet.names[0] if subnet.names else "",
            "vnetResourceGroup": subnet.resource_group,
            "subnetName": subnet.name,
            "securityGroupName": f"aks-agentpool-{number}-nsg",
            "routeTableName": f"aks-agentpool-{number}-routetable",
            "loadBalancerSku": "standard",
            "maximumLoadBalancerRuleCount": 250,
            "useInstanceMetadata": False,
            "useManagedIdentityExtension": True,
            "excludeMasterFromStandardLB": True,
            "loadBalancerBackendPoolConfigurationType": backend[0].lower() + backend[1:],
            "putVMSSVMBatchSize": 0,
            "cloudProviderBackoff": True,
            "cloudProviderBackoffRetries": 6,
            "cloudProviderBackoffDuration": 5,
            "cloudProviderBackoffExponent": 1.5,
            "cloudProviderBackoffJitter": 1,
            "cloudProviderRateLimit": False,
        }

    def _subnet(self, cluster: Resource) -> str:
        """Id of the subnet that the nodes are in: the pools', or the one that AKS made."""
        machines = machines_of(self._server.azure, cluster)
        found = (item["properties"] for _, machine in machines for item in ip_configurations(machine.properties))
        return next((reference(properties, "subnet") for properties in found), "")

    async def _nodes(self, cluster: Resource, running: ControlPlane) -> None:
        """A Node for each VM, with a /24 and a /120 of the pod ranges as AKS' overlay gives them; Ready by its kubelet where it has one."""
        data_plane = self._data_planes.get(cluster.key)
        _, listed = await running.call("GET", "/api/v1/nodes")
        present = {node["metadata"]["name"]: node for node in listed["items"]}
        wanted = {machine.properties["osProfile"]["computerName"]: (pool, machine) for pool, machine in machines_of(self._server.azure, cluster)}
        for name in present.keys() - wanted.keys():
            await running.call("DELETE", f"/api/v1/nodes/{name}")
        taken = {cidr for name, node in present.items() if name in wanted for cidr in node["spec"].get("podCIDRs") or []}
        for name in sorted(wanted.keys() - present.keys()):
            pool, machine = wanted[name]
            cidrs = _free_pod_ranges(pod_ranges(cluster.properties["networkProfile"])[: len(ip_configurations(machine.properties))], taken)
            taken |= set(cidrs)
            await running.apply(f"/api/v1/nodes/{name}", _node(name, cluster, pool, machine, cidrs))
            if data_plane is None:
                # Server-side apply refuses two addresses of one type, which a dual-stack node has.
                await running.merge(f"/api/v1/nodes/{name}/status", _node_status(pool, machine, name))
            present[name] = {"spec": {"podCIDRs": cidrs}}
        if data_plane:
            is_current = all(machine.properties["latestModelApplied"] for _, machine in wanted.values())
            data_plane.enforce_policies(is_current and cluster.properties["networkProfile"].get("networkPolicy") == "cilium")
            data_plane.pod_cidrs = pod_ranges(cluster.properties["networkProfile"])
            await data_plane.converge(
                {name: (machine, present[name]["spec"]["podCIDRs"], pool.properties["maxPods"]) for name, (pool, machine) in wanted.items()}
            )

    async def grant_access(self, without: str = "") -> None:
        """Apply the role assignments to every cluster, without the one that is being deleted."""
        for key, running in list(self._running.items()):
            cluster = self._server.azure.store.get(key)
            if cluster:
                await self._grant(cluster, running, without)

    async def _grant(self, cluster: Resource, running: ControlPlane, without: str) -> None:
        wanted = {}
        for assignment in self._server.azure.store.of_type("Microsoft.Authorization/roleAssignments"):
            role = ACCESS_ROLES.get(str(assignment.properties["roleDefinitionId"]).rsplit("/", 1)[-1].lower())
            scope = ids.parse(assignment.id).scope.lower()
            covers = cluster.key == scope or cluster.key.startswith(scope + "/")
            if role and covers and assignment.id.lower() != without.lower():
                wanted[f"azure-{assignment.name.lower()}"] = (role, assignment.properties["principalId"])
        _, listed = await running.call("GET", f"{_BINDINGS}?labelSelector={_LABEL}")
        for item in listed["items"]:
            if item["metadata"]["name"] not in wanted:
                await running.call("DELETE", f"{_BINDINGS}/{item['metadata']['name']}")
        for name, (role, principal) in wanted.items():
            await running.apply(
                f"{_BINDINGS}/{name}",
                {
                    "apiVersion": "rbac.authorization.k8s.io/v1",
                    "kind": "ClusterRoleBinding",
                    "metadata": {"name": name, "labels": {_LABEL: "true"}},
                    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": principal}],
                },
            )


def _is_ready(node: Mapping[str, Any]) -> bool:
    conditions = node.get("status", {}).get("conditions") or []
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _issuer(cluster: Resource) -> dict[str, str]:
    """The issuer of service accounts' tokens, where AKS publishes one."""
    found = (cluster.hidden["computed"].get("oidcIssuerProfile") or {}).get("issuerURL")
    return {"issuer": found} if found else {}


def _has_secrets_provider(cluster: Resource) -> bool:
    return bool((cluster.properties.get("addonProfiles") or {}).get("azureKeyvaultSecretsProvider", {}).get("enabled"))


def _free_pod_ranges(ranges: Iterable[str], taken: set[str]) -> list[str]:
    """The first free /24 and /120 of a cluster's pod ranges."""
    result = []
    for text in ranges:
        parent = ipaddress.ip_network(text)
        length = 24 if parent.version == 4 else 120
        result.append(next(str(found) for found in parent.subnets(new_prefix=length) if str(found) not in taken))
    return result


def _node(name: str, cluster: Resource, pool: Resource, machine: Resource, cidrs: list[str]) -> dict[str, Any]:
    location = cluster.body["location"]
    size = machine.body["sku"]["name"]
    zone = (machine.body.get("zones") or ["0"])[0]
    labels = {
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "node.kubernetes.io/instance-type": size,
        "topology.kubernetes.io/region": location,
        "topology.kubernetes.io/zone": f"{location}-{zone}" if zone != "0" else "0",
        "kubernetes.azure.com/agentpool": pool.name,
        "kubernetes.azure.com/mode": pool.properties["mode"].lower(),
        "kubernetes.azure.com/cluster": node_resource_group(cluster),
        "kubernetes.azure.com/os-sku": pool.properties["osSKU"],
    }
    if cluster.properties["networkProfile"].get("networkDataplane") == "cilium":
        labels["kubernetes.azure.com/ebpf-dataplane"] = "cilium"
    taints = []
    for text in pool.properties.get("nodeTaints") or []:
        pair, _, effect = text.partition(":")
        key, _, value = pair.partition("=")
        taints.append({"key": key, "value": value, "effect": effect})
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels | (pool.properties.get("nodeLabels") or {})},
        "spec": {"providerID": f"azure://{machine.id}", "podCIDR": cidrs[0], "podCIDRs": cidrs, **({"taints": taints} if taints else {})},
    }


def _node_status(pool: Resource, machine: Resource, name: str) -> dict[str, Any]:
    addresses = [{"type": "Hostname", "address": name}]
    found = (configuration["properties"].get("privateIPAddress") for configuration in ip_configurations(machine.properties))
    addresses += [{"type": "InternalIP", "address": address} for address in found if address]
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    room = {"cpu": "4", "memory": "16Gi", "pods": str(pool.properties["maxPods"]), "ephemeral-storage": "128Gi"}
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "the lab keeps it ready",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }
    return {
        "status": {"addresses": addresses, "capacity": room, "allocatable": room, "conditions": [ready]},
    }
