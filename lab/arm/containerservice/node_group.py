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
from ..network.bodies import PUBLIC_IP, reference
from ..resources.subscription import zones_of
from ..store import Resource
from .names import managed_subnet, managed_vnet, node_group_id, nodes_security_group, public_balancer
from .network_profile import is_dual_stack
from .quota import surges_within_quota
from .rollout import roll
from .scale_sets import pools_of_cluster
from .types import CLUSTER


def identity_facts(azure: Azure, identity: str) -> dict[str, str]:
    """The ids by which AKS shows an identity; empty when there is none."""
    found = azure.store.get(identity)
    return {"clientId": found.properties["clientId"], "principalId": found.properties["principalId"]} if found else {}


def node_groups_of(azure: Azure, principal: str) -> list[str]:
    """The node resource groups of the clusters that run as a managed identity: AKS gives it all rights there."""
    groups = []
    for cluster in azure.store.of_type(CLUSTER):
        identity = cluster.body.get("identity") or {}
        given = [identity_facts(azure, name).get("principalId") for name in identity.get("userAssignedIdentities") or {}]
        if principal in (identity.get("principalId"), *given):
            groups.append(node_group_id(azure, cluster))
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


async def converge(azure: Azure, cluster: Resource, *, only: str = "") -> None:
    """Bring the node resource group and the running cluster to the stored body; outdated nodes of one pool ``only``, else of all, are replaced."""
    properties, location = cluster.properties, cluster.body["location"]
    group = node_group_id(azure, cluster)
    if not azure.store.get(group):
        azure.make(group, {"location": location, "managedBy": cluster.id, "tags": {"aks-managed-cluster-name": cluster.name}})
    machines = pools_of_cluster(azure, cluster)
    _make_identities(azure, cluster, group)
    if any(not found.pool.properties.get("vnetSubnetID") for found in machines):
        _make_network(azure, cluster)
    nsg = nodes_security_group(azure, cluster)
    if not azure.store.get(nsg):
        azure.make(nsg, {"location": location, "properties": {"securityRules": []}})
    computed = cluster.hidden["computed"]
    outbound: list[str] = []
    if properties["networkProfile"]["outboundType"] == "loadBalancer":
        outbound = _make_outbound(azure, cluster, group)
        if "networkProfile" not in computed:
            _show_outbound(cluster, outbound)
    for found in machines:
        found.ensure()
    wanted = {found.id.lower() for found in machines}
    for scale_set in [found for found in azure.store.below(group) if found.type == SCALE_SET]:
        if scale_set.key not in wanted:
            await azure.forget(scale_set)
    if (properties.get("oidcIssuerProfile") or {}).get("enabled"):
        issuer = f"https://{location}.oic.prod-aks.azure.com/{azure.options.tenant}/{ids.stable_uuid(cluster.id, 'issuer')}/"
        computed["oidcIssuerProfile"] = {"issuerURL": issuer}
    azure.store.save(cluster)
    if azure.clusters:
        await azure.clusters.converge(cluster)
    rolled = [found for found in machines if not only or found.pool.name.lower() == only.lower()]
    replaced = await roll(azure, cluster, rolled, surges_within_quota(azure, cluster, rolled))
    if azure.store.get(cluster.id) is None:
        # A deletion came first; what is saved now would be there again.
        return
    if outbound:
        # Azure shows new addresses once the nodes use them (recorded).
        _show_outbound(cluster, outbound)
        azure.store.save(cluster)
    if replaced and azure.clusters:
        await azure.clusters.converge(cluster)


def _show_outbound(cluster: Resource, addresses: list[str]) -> None:
    effective = [{"id": address} for address in addresses]
    cluster.hidden["computed"].setdefault("networkProfile", {}).setdefault("loadBalancerProfile", {})["effectiveOutboundIPs"] = effective


def own_kubelet_identity(azure: Azure, cluster: Resource) -> str:
    """Id of the kubelet's identity that AKS makes when none is given."""
    return f"{node_group_id(azure, cluster)}/providers/{IDENTITY}/{cluster.name}-agentpool"


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


def _make_network(azure: Azure, cluster: Resource) -> None:
    """The virtual network that AKS makes when pools name no subnet; AKS extends it itself when the cluster becomes dual-stack (recorded)."""
    vnet, subnet = managed_vnet(azure, cluster), managed_subnet(azure, cluster)
    unique = ids.stable_uuid(cluster.id, "vnet").replace("-", "")
    prefix = f"fd{unique[:2]}:{unique[2:6]}:{unique[6:10]}::"
    number = 1 + is_dual_stack(cluster.properties["networkProfile"])
    space, prefixes = ["10.224.0.0/12", f"{prefix}/56"][:number], ["10.224.0.0/16", f"{prefix}/64"][:number]
    found = azure.store.get(vnet)
    if found is None:
        azure.make(vnet, {"location": cluster.body["location"], "properties": {"addressSpace": {"addressPrefixes": space}}})
        azure.make(subnet, {"properties": {"addressPrefixes": prefixes}})
    elif len(found.properties["addressSpace"]["addressPrefixes"]) < number:
        found.properties["addressSpace"]["addressPrefixes"] = space
        azure.store.save(found)
        inside = azure.get(subnet)
        inside.properties["addressPrefixes"] = prefixes
        azure.store.save(inside)


def _make_outbound(azure: Azure, cluster: Resource, group: str) -> list[str]:
    """The public load balancer with its outbound rules, and the managed outbound addresses of each family: ids of all addresses."""
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
    by_version: dict[str, list[str]] = {}
    for address in addresses:
        found = azure.store.get(address)
        by_version.setdefault(found.properties["publicIPAddressVersion"] if found else "IPv4", []).append(address)
    _make_balancer(azure, cluster, profile, by_version)
    return addresses


def _make_balancer(azure: Azure, cluster: Resource, profile: dict[str, Any], by_version: dict[str, list[str]]) -> None:
    """Make the public load balancer, or add to it what a family needs that the cluster did not have."""
    balancer = public_balancer(azure, cluster)
    suffixes = {"IPv4": "", "IPv6": "-IPv6"}
    frontends = [
        {"name": ids.parse(address).name, "properties": {"publicIPAddress": {"id": address}}} for found in by_version.values() for address in found
    ]
    pools = [{"name": f"aksOutboundBackendPool{suffixes[version]}", "properties": {}} for version in by_version]
    rules = [
        {
            "name": f"aksOutboundRule{suffixes[version]}",
            "properties": {
                "allocatedOutboundPorts": profile.get("allocatedOutboundPorts", 0),
                "protocol": "All",
                "enableTcpReset": True,
                "idleTimeoutInMinutes": profile.get("idleTimeoutInMinutes", 30),
                "backendAddressPool": {"id": f"{balancer}/backendAddressPools/aksOutboundBackendPool{suffixes[version]}"},
                "frontendIPConfigurations": [{"id": f"{balancer}/frontendIPConfigurations/{ids.parse(address).name}"} for address in found],
            },
        }
        for version, found in by_version.items()
    ]
    existing = azure.store.get(balancer)
    if existing is None:
        properties = {
            "frontendIPConfigurations": frontends,
            "backendAddressPools": [*pools, {"name": "kubernetes", "properties": {}}],
            "outboundRules": rules,
        }
        tags = {"aks-managed-cluster-name": cluster.name}
        azure.make(balancer, {"location": cluster.body["location"], "sku": {"name": "Standard"}, "tags": tags, "properties": properties})
        return
    properties = copy.deepcopy(existing.properties)
    if {rule["name"] for rule in rules} <= {rule["name"] for rule in properties["outboundRules"]}:
        return
    for name, wanted in (("frontendIPConfigurations", frontends), ("backendAddressPools", pools), ("outboundRules", rules)):
        present = {item["name"] for item in properties[name]}
        properties[name] += [item for item in wanted if item["name"] not in present]
    azure.make(balancer, {**existing.body, "properties": properties})
