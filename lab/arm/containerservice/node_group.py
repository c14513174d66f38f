"""The node resource group: what AKS makes for a cluster, and keeps as the stored body says."""

from __future__ import annotations

import copy
import ipaddress
from typing import Any

from .. import ids
from ..azure import Azure
from ..compute.kinds import SCALE_SET
from ..errors import ArmError
from ..managedidentity.kinds import IDENTITY
from ..network.bodies import LOAD_BALANCER, NSG, PUBLIC_IP, VNET, reference
from ..network.usage import free_private_address
from ..resources.subscription import zones_of
from ..store import Resource
from .types import CLUSTER


def cluster_number(cluster: str) -> str:
    """The eight digits that AKS puts into the names of a cluster's resources."""
    return f"{int(ids.stable_uuid(cluster, 'number')[:8], 16) % 100000000:08}"


def node_resource_group(cluster: Resource) -> str:
    """Name of the node resource group: the body's, or ``MC_<group>_<cluster>_<location>``."""
    given = cluster.properties.get("nodeResourceGroup")
    return str(given or f"MC_{ids.parse(cluster.id).resource_group}_{cluster.name}_{cluster.body['location']}")


def group_id(azure: Azure, name: str) -> str:
    """Id of a resource group."""
    return f"{azure.subscription_id}/resourceGroups/{name}"


def identity_facts(azure: Azure, identity: str) -> dict[str, str]:
    """The ids by which AKS shows an identity; empty when there is none."""
    found = azure.store.get(identity)
    return {"clientId": found.properties["clientId"], "principalId": found.properties["principalId"]} if found else {}


def node_groups_of(azure: Azure, principal: str) -> list[str]:
    """The node resource groups of the clusters that run as a managed identity: AKS gives it all rights there."""
    groups = []
    for cluster in azure.store.of_type(CLUSTER):
        identities = [identity_facts(azure, name) for name in (cluster.body.get("identity") or {}).get("userAssignedIdentities") or {}]
        if any(facts.get("principalId") == principal for facts in identities):
            groups.append(group_id(azure, node_resource_group(cluster)))
    return groups


def first_nodes_reach_the_api_server(azure: Azure, cluster: Resource) -> None:
    """A cluster whose allow-list lacks the addresses of its nodes' NAT gateway fails when the first of them boots.

    learn.microsoft.com/troubleshoot/azure/azure-kubernetes/error-codes/vmextensionerror-k8sapiserverconnfail
    """
    texts = (cluster.properties.get("apiServerAccessProfile") or {}).get("authorizedIPRanges") or []
    if not texts or cluster.properties["networkProfile"]["outboundType"] != "userAssignedNATGateway":
        return
    allowed = [ipaddress.ip_network(text, strict=False) for text in texts]
    for pool in azure.store.children(cluster.id, "agentPools"):
        subnet = azure.store.get(pool.properties.get("vnetSubnetID") or "")
        gateway = azure.store.get(reference(subnet.properties, "natGateway")) if subnet else None
        for found in gateway.properties.get("publicIpAddresses") or [] if gateway else []:
            address = azure.store.get(found["id"])
            if address and not any(ipaddress.ip_address(address.properties["ipAddress"]) in network for network in allowed):
                raise ArmError(
                    400,
                    "VMExtensionError_K8SAPIServerConnFail",
                    f"Nodes of pool {pool.name} cannot reach the API server (exit code 51): its authorized IP ranges do not have "
                    f"{address.properties['ipAddress']}.",
                )


async def converge(azure: Azure, cluster: Resource) -> None:
    """Bring the node resource group and the running cluster to the stored body."""
    properties, location = cluster.properties, cluster.body["location"]
    group = group_id(azure, node_resource_group(cluster))
    number = cluster_number(cluster.id)
    if not azure.store.get(group):
        azure.make(group, {"location": location, "managedBy": cluster.id, "tags": {"aks-managed-cluster-name": cluster.name}})
    pools = azure.store.children(cluster.id, "agentPools")
    _make_identities(azure, cluster, group)
    subnet = _make_network(azure, cluster, group) if any(not pool.properties.get("vnetSubnetID") for pool in pools) else ""
    nsg = f"{group}/providers/{NSG}/aks-agentpool-{number}-nsg"
    if not azure.store.get(nsg):
        azure.make(nsg, {"location": location, "properties": {"securityRules": []}})
    balancer = f"{group}/providers/{LOAD_BALANCER}/kubernetes"
    if properties["networkProfile"]["outboundType"] == "loadBalancer":
        _make_outbound(azure, cluster, group, balancer)
    for pool in pools:
        _make_scale_set(azure, cluster, pool, group, balancer, nsg, pool.properties.get("vnetSubnetID") or subnet)
        pool.properties["provisioningState"] = "Succeeded"
        azure.store.save(pool)
    wanted = {scale_set_name(pool.name, number).lower() for pool in pools}
    for scale_set in [found for found in azure.store.below(group) if found.type == SCALE_SET]:
        if scale_set.name.lower() not in wanted:
            await azure.forget(scale_set)
    computed = cluster.hidden["computed"]
    if (properties.get("oidcIssuerProfile") or {}).get("enabled"):
        issuer = f"https://{location}.oic.prod-aks.azure.com/{azure.options.tenant}/{ids.stable_uuid(cluster.id, 'issuer')}/"
        computed["oidcIssuerProfile"] = {"issuerURL": issuer}
    azure.store.save(cluster)
    if azure.clusters:
        await azure.clusters.converge(cluster)


def own_kubelet_identity(azure: Azure, cluster: Resource) -> str:
    """Id of the kubelet's identity that AKS makes when none is given."""
    return f"{group_id(azure, node_resource_group(cluster))}/providers/{IDENTITY}/{cluster.name}-agentpool"


def _make_identities(azure: Azure, cluster: Resource, group: str) -> None:
    """The kubelet's identity and one for each add-on that has one."""
    computed, location = cluster.hidden["computed"], cluster.body["location"]

    def facts(identity: str) -> dict[str, str]:
        found = azure.get(identity)
        return {"resourceId": found.id, "clientId": found.properties["clientId"], "objectId": found.properties["principalId"]}

    given = ((cluster.properties.get("identityProfile") or {}).get("kubeletidentity") or {}).get("resourceId")
    kubelet = given or own_kubelet_identity(azure, cluster)
    if not azure.store.get(kubelet):
        azure.make(kubelet, {"location": location})
    computed["identityProfile"] = {"kubeletidentity": facts(kubelet)}
    names = {"azureKeyvaultSecretsProvider": "azurekeyvaultsecretsprovider", "azurepolicy": "azurepolicy", "omsagent": "omsagent"}
    for addon, profile in (cluster.properties.get("addonProfiles") or {}).items():
        if profile.get("enabled") and addon in names:
            identity = f"{group}/providers/{IDENTITY}/{names[addon]}-{cluster.name}"
            if not azure.store.get(identity):
                azure.make(identity, {"location": location})
            computed.setdefault("addonProfiles", {})[addon] = {"identity": facts(identity)}


def _make_network(azure: Azure, cluster: Resource, group: str) -> str:
    """The virtual network that AKS makes when pools name no subnet; the id of its subnet."""
    vnet = f"{group}/providers/{VNET}/aks-vnet-{cluster_number(cluster.id)}"
    subnet = f"{vnet}/subnets/aks-subnet"
    if not azure.store.get(vnet):
        dual = "IPv6" in cluster.properties["networkProfile"]["ipFamilies"]
        unique = ids.stable_uuid(cluster.id, "vnet").replace("-", "")
        prefix = f"fd{unique[:2]}:{unique[2:6]}:{unique[6:10]}::"
        space = ["10.224.0.0/12", f"{prefix}/56"][: 1 + dual]
        azure.make(vnet, {"location": cluster.body["location"], "properties": {"addressSpace": {"addressPrefixes": space}}})
        azure.make(subnet, {"properties": {"addressPrefixes": ["10.224.0.0/16", f"{prefix}/64"][: 1 + dual]}})
    return subnet


def _make_outbound(azure: Azure, cluster: Resource, group: str, balancer: str) -> None:
    """The public load balancer with its outbound rule, and the managed outbound addresses of each family."""
    profile = cluster.properties["networkProfile"].get("loadBalancerProfile") or {}
    addresses: list[str] = [item["id"] for item in (profile.get("outboundIPs") or {}).get("publicIPs") or []]
    managed = profile.get("managedOutboundIPs") or {}
    if not addresses:
        for version, suffix, count in (("IPv4", "", managed.get("count", 0)), ("IPv6", "-ipv6", managed.get("countIPv6", 0))):
            for number in range(count):
                name = ids.stable_uuid(cluster.id, "outbound", version, str(number)) + suffix
                address = f"{group}/providers/{PUBLIC_IP}/{name}"
                if not azure.store.get(address):
                    azure.make(
                        address,
                        {
                            "location": cluster.body["location"],
                            "sku": {"name": "Standard"},
                            "zones": zones_of(cluster.body["location"]),
                            "tags": {"aks-managed-cluster-name": cluster.name, "aks-managed-type": "aks-slb-managed-outbound-ip"},
                            "properties": {"publicIPAddressVersion": version, "publicIPAllocationMethod": "Static"},
                        },
                    )
                addresses.append(address)
    effective = [{"id": address} for address in addresses]
    cluster.hidden["computed"].setdefault("networkProfile", {}).setdefault("loadBalancerProfile", {})["effectiveOutboundIPs"] = effective
    existing = azure.store.get(balancer)
    if existing is None:
        frontends = [{"name": ids.parse(address).name, "properties": {"publicIPAddress": {"id": address}}} for address in addresses]
        pools = [{"name": "aksOutboundBackendPool", "properties": {}}, {"name": "kubernetes", "properties": {}}]
        by_version: dict[str, list[str]] = {}
        for address in addresses:
            found = azure.store.get(address)
            by_version.setdefault(found.properties["publicIPAddressVersion"] if found else "IPv4", []).append(ids.parse(address).name)
        if "IPv6" in by_version:
            pools.append({"name": "aksOutboundBackendPool-IPv6", "properties": {}})
        rules = [
            {
                "name": "aksOutboundRule" + ("-IPv6" if version == "IPv6" else ""),
                "properties": {
                    "allocatedOutboundPorts": profile.get("allocatedOutboundPorts", 0),
                    "protocol": "All",
                    "enableTcpReset": True,
                    "idleTimeoutInMinutes": profile.get("idleTimeoutInMinutes", 30),
                    "backendAddressPool": {"id": f"{balancer}/backendAddressPools/aksOutboundBackendPool" + ("-IPv6" if version == "IPv6" else "")},
                    "frontendIPConfigurations": [{"id": f"{balancer}/frontendIPConfigurations/{name}"} for name in names],
                },
            }
            for version, names in by_version.items()
        ]
        azure.make(
            balancer,
            {
                "location": cluster.body["location"],
                "sku": {"name": "Standard"},
                "tags": {"aks-managed-cluster-name": cluster.name},
                "properties": {"frontendIPConfigurations": frontends, "backendAddressPools": pools, "outboundRules": rules},
            },
        )


def scale_set_name(pool: str, number: str) -> str:
    """The scale set of a pool; ``number`` is its cluster's."""
    return f"aks-{pool}-{number}-vmss"


def _make_scale_set(azure: Azure, cluster: Resource, pool: Resource, group: str, balancer: str, nsg: str, subnet: str) -> None:
    number = cluster_number(cluster.id)
    name = scale_set_name(pool.name, number)
    path = f"{group}/providers/{SCALE_SET}/{name}"
    zones = pool.properties.get("availabilityZones") or []
    families = cluster.properties["networkProfile"]["ipFamilies"]
    count = pool.properties["count"]
    has_balancer = azure.store.get(balancer) is not None

    def nic(addresses: dict[str, str]) -> dict[str, Any]:
        configurations = []
        for family in families:
            properties: dict[str, Any] = {"primary": family == "IPv4", "privateIPAddressVersion": family, "subnet": {"id": subnet}}
            if has_balancer and family == "IPv4":
                properties["loadBalancerBackendAddressPools"] = [
                    {"id": f"{balancer}/backendAddressPools/aksOutboundBackendPool"},
                    {"id": f"{balancer}/backendAddressPools/kubernetes"},
                ]
            elif has_balancer and any(item["name"].endswith("IPv6") for item in azure.get(balancer).properties["outboundRules"]):
                properties["loadBalancerBackendAddressPools"] = [{"id": f"{balancer}/backendAddressPools/aksOutboundBackendPool-IPv6"}]
            if family in addresses:
                properties["privateIPAddress"] = addresses[family]
            configurations.append({"name": "ipconfig1" if family == "IPv4" else "ipconfig1-v6", "properties": properties})
        return {
            "name": name,
            "properties": {
                "primary": True,
                "enableAcceleratedNetworking": True,
                "enableIPForwarding": True,
                "dnsSettings": {"dnsServers": []},
                "networkSecurityGroup": {"id": nsg},
                "ipConfigurations": configurations,
            },
        }

    tags = {"aks-managed-poolName": pool.name, "aks-managed-cluster-name": cluster.name}
    found = azure.store.get(path)
    if found is None:
        azure.make(
            path,
            {
                "location": cluster.body["location"],
                "tags": tags,
                "zones": zones,
                "sku": {"name": pool.properties.get("vmSize", "Standard_D4ds_v5"), "tier": "Standard", "capacity": count},
                "properties": {
                    "orchestrationMode": "Uniform",
                    "overprovision": False,
                    "singlePlacementGroup": False,
                    "uniqueId": ids.stable_uuid(path),
                    "upgradePolicy": {"mode": "Manual"},
                    "virtualMachineProfile": {
                        "osProfile": {"computerNamePrefix": name, "adminUsername": "azureuser"},
                        "storageProfile": {"osDisk": {"osType": "Linux", "createOption": "FromImage"}},
                        "networkProfile": {"networkInterfaceConfigurations": [nic({})]},
                    },
                },
            },
        )
    else:
        found.body["sku"]["capacity"] = count
        azure.store.save(found)
    machines = {machine.body["instanceId"]: machine for machine in azure.store.children(path, "virtualMachines")}
    for instance in range(count):
        if str(instance) not in machines:
            addresses = {family: free_private_address(azure, subnet, family) for family in families}
            zone = zones[instance % len(zones)] if zones else ""
            azure.make(f"{path}/virtualMachines/{instance}", _machine(name, path, instance, zone, pool, cluster, nic(addresses)))
    for instance, machine in machines.items():
        if int(instance) >= count:
            azure.store.remove(machine.id)


def _machine(scale_set: str, path: str, instance: int, zone: str, pool: Resource, cluster: Resource, nic: dict[str, Any]) -> dict[str, Any]:
    statuses = [
        {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded"},
        {"code": "PowerState/running", "level": "Info", "displayStatus": "VM running"},
    ]
    size = pool.properties.get("vmSize", "Standard_D4ds_v5")
    return {
        "name": f"{scale_set}_{instance}",
        "location": cluster.body["location"],
        "instanceId": str(instance),
        "sku": {"name": size, "tier": "Standard"},
        "tags": {"aks-managed-poolName": pool.name},
        **({"zones": [zone]} if zone else {}),
        "properties": {
            "latestModelApplied": True,
            "vmId": ids.stable_uuid(path, str(instance)),
            "hardwareProfile": {"vmSize": size},
            "osProfile": {
                "computerName": f"{scale_set}{_base36(instance)}",
                "adminUsername": "azureuser",
                "linuxConfiguration": {"disablePasswordAuthentication": True},
            },
            "storageProfile": {"osDisk": {"osType": "Linux", "name": f"{scale_set}_{instance}_os", "createOption": "FromImage"}},
            "networkProfile": {
                "networkInterfaces": [{"id": f"{path}/virtualMachines/{instance}/networkInterfaces/{scale_set}", "properties": {"primary": True}}]
            },
            "networkProfileConfiguration": {"networkInterfaceConfigurations": [copy.deepcopy(nic)]},
            "instanceView": {"statuses": statuses},
        },
    }


def _base36(number: int) -> str:
    """Scale sets number their computers in six digits of base 36."""
    digits = ""
    for _ in range(6):
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits


def machines_of(azure: Azure, cluster: Resource) -> list[tuple[Resource, Resource]]:
    """(pool, VM) for every node of a cluster."""
    group = group_id(azure, node_resource_group(cluster))
    number = cluster_number(cluster.id)
    result = []
    for pool in azure.store.children(cluster.id, "agentPools"):
        path = f"{group}/providers/{SCALE_SET}/{scale_set_name(pool.name, number)}"
        result += [(pool, machine) for machine in azure.store.children(path, "virtualMachines")]
    return result
