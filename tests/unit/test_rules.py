"""The rule book as a whole, and the rules that look at more than a plan."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import (
    Answer,
    Chapter,
    Violation,
    aks,
    api_server,
    destroying,
    dns,
    endpoints,
    entrances,
    existing,
    keyvault,
    network,
    once,
    ownership,
    principals,
    text,
    variables,
)
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import registry as registries
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.book import CHAPTERS, RULES
from scripts import rules_page, subnets_page
from tests.unit import test_entrance_rules, test_plan_rules, test_size_rules, test_switching_rules, test_upgrading_rules

THERE, ABSENT = Answer(True, {}), Answer(False)
DIGEST = "@sha256:" + "0" * 64


def usages(**counted: tuple[int, int]) -> Answer:
    """A region's usages: name -> how many are in use, and the limit."""
    return Answer(True, {"value": [{"name": {"value": name}, "currentValue": used, "limit": limit} for name, (used, limit) in counted.items()]})


def address(
    version: str, sku: str = "Standard", allocation: str = "Static", zones: Sequence[str] = ("1", "2", "3"), text: str = "", **users: str
) -> Answer:
    """A public address; ``users`` are the ids of its ``ipConfiguration`` and its ``natGateway``."""
    properties: dict[str, Any] = {"publicIPAllocationMethod": allocation, "publicIPAddressVersion": version, "ipAddress": text}
    found = {"sku": {"name": sku}, "zones": [*zones], "properties": properties | {name: {"id": user} for name, user in users.items()}}
    return Answer(True, found)


def changed(facts: Any, answers: Mapping[str, Answer] | None = None, **changes: Any) -> Any:
    """Other facts of the same kind."""
    if answers:
        changes["answers"] = {**facts.answers, **answers}
    return dataclasses.replace(facts, **changes)


ACCESS = api_server.Access(["203.0.113.0/24"], "userAssignedNATGateway", [], ["/e4"])
CANADA = Answer(True, {"value": [{"name": "canadaeast"}]})
ONE_ZONE = Answer(True, {"value": [{"name": "westeurope", "availabilityZoneMappings": [{"logicalZone": "1"}]}]})
NETWORK = network.Network(
    subscription_id="s",
    location="westeurope",
    providers=["Microsoft.Network"],
    register_providers=False,
    resource_group="rg-aks-westeurope",
    zones=["3", "2", "1"],
    egress="nat_gateway",
    egress_address_count=1,
    nat_gateway_id="/groups/rg/natGateways/ng",
    node_resource_group_id="/groups/rg-nodes",
    existing_vnet_id="",
    existing_entrance_ids={"ipv4": "", "ipv6": ""},
    entrance_ids={"ipv4": "/i4", "ipv6": "/i6"},
    egress_address_ids={"ipv4": ["/e4"], "ipv6": ["/e6"]},
    subnets=["nodes"],
    answers={
        "subscription": THERE,
        "locations": Answer(True, {"value": [{"name": "westeurope", "availabilityZoneMappings": [{"logicalZone": zone} for zone in "123"]}]}),
        "providers": Answer(True, {"value": [{"namespace": "Microsoft.Network", "registrationState": "Registered"}]}),
        "usages": usages(IPv4StandardSkuPublicIpAddresses=(8, 10), IPv6StandardSkuPublicIpAddresses=(8, 10), VirtualNetworks=(50, 50)),
        "vnet": Answer(True, {"properties": {"subnets": [{"name": "nodes", "properties": {"addressPrefix": "10.0.0.0/24"}}]}}),
        **dict.fromkeys(("ipv4", "ipv6", "/e4", "/e6"), ABSENT),
    },
)
CLUSTER = aks.Cluster(
    id="/clusters/aks-a",
    existing_id="",
    location="westeurope",
    kubernetes_version="1.36",
    existing_workspace_id="",
    workspace_id="/workspaces/log-aks-westeurope",
    workspace_retention_days=30,
    api_server_authorized_ip_ranges=["203.0.113.0/24"],
    controller_address="203.0.113.7",
    monitoring=True,
    defender=True,
    outbound_counts={"aks_outbound_ipv4_count": 1, "aks_outbound_ipv6_count": 100},
    maintenance_start_time="23:59",
    maintenance_duration_hours=4,
    image_cleaner_interval_hours=24,
    answers={"cluster": ABSENT, "workspace": ABSENT},
)
DUAL_STACK = Answer(True, {"properties": {"aadProfile": {"managed": True}, "networkProfile": {"ipFamilies": ["IPv4", "IPv6"]}}})
SERVICE_TAGS = Answer(True, {"values": [{"name": "AzureFrontDoor.Backend", "properties": {"addressPrefixes": ["203.0.113.0/24"]}}]})
VERSIONS = Answer(True, {"values": [{"version": "1.35", "patchVersions": {"1.35.4": {}}}, {"version": "1.36"}]})
POOLS = [
    {"name": "system", "mode": "System", "min_count": 2, "max_count": 5, "zones": ["2", "1"]},
    {"name": "apps", "min_count": 3, "max_count": 10, "zones": ["1", "2"], "max_pods": 30},
]
POOL_DEFAULTS = {"subnet_id": "/v/subnets/Nodes", "os_sku": "Ubuntu", "max_pods": 110}
LIVE_POOL = {"vmSize": "standard_d4ds_v5", "osType": "Linux", "vnetSubnetID": "/V/subnets/nodes", "availabilityZones": ["1", "2"]}
LIVE_CLUSTER = aks.LiveCluster(
    fixed={
        "aks_location": ("location", "West Europe"),
        "aks_private_cluster": ("properties.apiServerAccessProfile.enablePrivateCluster", False),
        "pods": ("properties.networkProfile.podCidrs", ["10.128.0.0/16", "fd00:0:0::/64"]),
    },
    network_dataplane="cilium",
    outbound_type="loadBalancer",
    node_pools=POOLS,
    pool_defaults=POOL_DEFAULTS,
    live={
        "location": "westeurope",
        "properties": {
            "networkProfile": {
                "networkDataplane": "cilium",
                "podCidrs": ["10.128.0.0/16", "fd00::/64"],
                "loadBalancerProfile": {"managedOutboundIPs": {"count": 1}},
            },
            "agentPoolProfiles": [
                {"name": "system", "mode": "System", "count": 5, "maxPods": 110, **LIVE_POOL},
                {"name": "apps", "mode": "User", "count": 3, "maxPods": 30, **LIVE_POOL},
            ],
        },
    },
)


def live_cluster(**profile: Any) -> aks.LiveCluster:
    """The cluster with another network profile."""
    properties = {**LIVE_CLUSTER.live["properties"], "networkProfile": profile}
    return dataclasses.replace(LIVE_CLUSTER, live={**LIVE_CLUSTER.live, "properties": properties})


def pools(*modes: str, **changes: Any) -> list[dict[str, Any]]:
    """The pools with other modes, or other keys for the first."""
    return [{**pool, "mode": mode} | (changes if pool is POOLS[0] else {}) for pool, mode in zip(POOLS, modes or ("System", "User"), strict=True)]


def nodes(
    outbound_type: str = "loadBalancer", *, planned: bool = False, sku: str = "", routes: Sequence[str] = (), **properties: Any
) -> aks.NodeSubnet:
    """A subnet elsewhere; ``sku`` is that of its NAT gateway, ``routes`` are the prefixes of its route table."""
    properties = {"addressPrefixes": ["10.9.0.0/22", "fd00:9::/64"], **properties}
    properties |= {"natGateway": {"id": "/ng"}} if sku else {}
    gateway = Answer(True, {"sku": {"name": sku}}) if sku else None
    table = Answer(True, {"properties": {"routes": [{"properties": {"addressPrefix": prefix}} for prefix in routes]}}) if routes else None
    ranges = {"pods": ["10.128.0.0/16", "fd00:1::/64"]}
    return aks.NodeSubnet("/v/subnets/n", planned, Answer(True, {"properties": properties}), outbound_type, False, ranges, gateway, table)


ENDPOINT = endpoints.Endpoint("registry", "/v/subnets/endpoints", "", "privatelink.azurecr.io")


def existing_vault(broken: Mapping[str, Any], fit: Mapping[str, Any]) -> tuple[keyvault.Vault, keyvault.Vault]:
    """Two existing vaults with these properties beside Azure RBAC."""
    first, second = (
        changed(VAULT, {"vault": Answer(True, {"properties": {"enableRbacAuthorization": True, **properties}})}, existing_id="/v")
        for properties in (broken, fit)
    )
    return first, second


PRINCIPAL = "00000000-0000-4000-8000-00000000000A"
REGISTRY = registries.Registry(
    "example", "", [f"ghcr.io/nginx/nginx:1{DIGEST}"], True, {"registry": ABSENT, "name": Answer(True, {"nameAvailable": True})}
)
TAKEN = Answer(True, {"nameAvailable": False})
VAULT = keyvault.Vault("kv-example", "", "fail", 90, False, {"vault": ABSENT, "deleted": ABSENT, "name": Answer(True, {"nameAvailable": True})})
CLOSED = Answer(True, {"properties": {"publicNetworkAccess": "Disabled"}})
VNET = existing.Existing(
    "network_existing_vnet_id",
    f"/subscriptions/s/resourceGroups/rg/providers/{existing.TYPES['network_existing_vnet_id']}/v",
    Answer(True, {"location": "westeurope"}),
)
VAULT_OF_90_DAYS = Answer(True, {"properties": {"softDeleteRetentionInDays": 90, "enableRbacAuthorization": True}})
ZONES = dns.Zones(
    public_zone_id="/zones/aks.example.org",
    private_zone_id="/zones/internal.example.org",
    vnet_id="/vnets/v",
    record="www",
    stamp="westeurope",
    ttls={"dns_ttl": 300, "dns_change_ttl": 1},
    addresses={},
    families=["ipv4", "ipv6"],
    take_over=False,
    check_mode=False,
    answers={"public": THERE, "private": THERE, "private_cname": ABSENT},
)


def record(**metadata: str) -> Answer:
    return Answer(True, {"properties": {"metadata": metadata}})


OUR_RECORD = record(**{"managed-by": "dualstack.aks", "dualstack-stamp": "westeurope"})
OWNED = ownership.Names("westeurope", {"network_vnet_name": ["/v"], "network_name_prefix": ["/g"]}, {"/v": ABSENT, "/g": ABSENT})


def live_object(**labels: str) -> ownership.Objects:
    return ownership.Objects([{"kind": "Deployment", "metadata": {"name": "entrance-ipv4", "namespace": "dualstack-ingress", "labels": labels}}])


def diagnostics(*categories: str) -> ownership.Diagnostics:
    """A cluster whose guard and metrics are to go to a workspace, to which another setting sends these categories."""
    logs = [{"category": category, "enabled": category in categories} for category in ("guard", "AllMetrics")]
    settings = {"value": [{"name": "policy", "properties": {"workspaceId": "/w", "logs": logs}}]}
    return ownership.Diagnostics("/w", ["guard", "AllMetrics"], Answer(True, settings))


def zone_group(*zones: str) -> ownership.ZoneGroup:
    configs = [{"name": "x", "properties": {"privateDnsZoneId": zone}} for zone in zones]
    groups = {"value": [{"name": "deployedByPolicy", "properties": {"privateDnsZoneConfigs": configs}}]}
    return ownership.ZoneGroup("registry", "/pe", "/ours", Answer(True, groups))


PROXIES = entrances.Proxies(
    f"nginx{DIGEST}", "", 2, 2, "16m", "8k", "10s", 0, 0, 0, ["10.0.0.0/8", "fd00::1"], ["monitoring"], "250m", "128Mi", "256Mi"
)
SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "entrance"}, "spec": {"ports": [{"port": 80}]}}


def own_service(*families: str) -> entrances.OwnServices:
    service = {"metadata": {"name": "entrance-ipv6", "namespace": "dualstack-ingress"}, "spec": {"ipFamilies": list(families)}}
    return entrances.OwnServices([(service, "IPv6")])


#: rule -> its chapter, facts that break it, and facts just inside it
CASES: dict[str, tuple[Chapter[Any], Any, Any]] = {
    **test_size_rules.CASES,
    "resource_not_ours": (
        ownership.CHAPTER,
        changed(OWNED, {"/v": Answer(True, {"tags": {"owner": "them"}})}),
        changed(OWNED, {"/v": Answer(True, {"tags": {"Managed-By": "dualstack.aks", "dualstack-stamp": "westeurope"}})}),
    ),
    "diagnostics_taken": (ownership.DIAGNOSTICS, diagnostics("guard"), diagnostics("guard", "AllMetrics")),
    "zone_group_taken": (ownership.ZONE_GROUPS, zone_group("/hub"), zone_group("/hub", "/ours")),
    "object_not_ours": (ownership.OBJECTS, live_object(owner="them"), live_object(**{"app.kubernetes.io/managed-by": "dualstack.aks"})),
    "record_not_ours": (
        dns.CHAPTER,
        changed(ZONES, {"private_aaaa": record()}),
        changed(ZONES, {"private_a": OUR_RECORD, "private_aaaa": OUR_RECORD}),
    ),
    "specification": (variables.CHAPTER, variables.Variables("aks", [("aks_max_pods", "too many")]), variables.Variables("aks")),
    "malformed_value": (variables.CHAPTER, variables.Variables("aks", malformed=["aks_x: wrong."]), variables.Variables("aks")),
    "unusable_value": (variables.CHAPTER, variables.Variables("aks", unusable=["'x' is undefined"]), variables.Variables("aks")),
    "azure_unanswered": (variables.CHAPTER, variables.Variables("aks", unanswered=["no route"]), variables.Variables("aks")),
    "subscription": (network.CHAPTER, changed(NETWORK, {"subscription": ABSENT}), NETWORK),
    "location": (network.CHAPTER, changed(NETWORK, location="westerneurope"), NETWORK),
    "providers": (
        network.CHAPTER,
        changed(NETWORK, {"providers": Answer(True, {"value": [{"namespace": "Microsoft.Network", "registrationState": "NotRegistered"}]})}),
        changed(
            NETWORK,
            {"providers": Answer(True, {"value": [{"namespace": "Microsoft.Network", "registrationState": "NotRegistered"}]})},
            register_providers=True,
        ),
    ),
    "public_address_quota": (
        network.CHAPTER,
        changed(NETWORK, {"usages": usages(IPv6StandardSkuPublicIpAddresses=(9, 10))}),
        changed(NETWORK, {"usages": usages(StandardSkuPublicIpAddresses=(6, 10)), "/unrelated": ABSENT}),
    ),
    "existing_vnet": (network.CHAPTER, changed(NETWORK, {"vnet": ABSENT}, existing_vnet_id="/v"), changed(NETWORK, existing_vnet_id="/v")),
    "existing_subnets": (
        network.CHAPTER,
        changed(NETWORK, existing_vnet_id="/v", subnets=["nodes", "endpoints"]),
        changed(NETWORK, subnets=["nodes", "endpoints"]),
    ),
    "existing_entrance_address": (
        network.CHAPTER,
        changed(NETWORK, {"ipv6": address("IPv4")}, existing_entrance_ids={"ipv4": "", "ipv6": "/a"}),
        changed(NETWORK, {"ipv6": address("IPv6")}, existing_entrance_ids={"ipv4": "", "ipv6": "/a"}),
    ),
    "resource_group_name": (network.CHAPTER, changed(NETWORK, resource_group="rg."), changed(NETWORK, resource_group="g" * 90)),
    "nat_gateway_region": (
        network.CHAPTER,
        changed(NETWORK, {"locations": CANADA}, zones=[], location="canadaeast"),
        changed(NETWORK, {"locations": CANADA}, zones=[], location="canadaeast", egress="load_balancer"),
    ),
    "egress_address_count": (network.CHAPTER, changed(NETWORK, egress_address_count=17), changed(NETWORK, egress_address_count=16)),
    "entrance_names": (network.CHAPTER, changed(NETWORK, entrance_ids={"ipv4": "/i4", "ipv6": "/I4"}), NETWORK),
    "address_fixed": (
        network.CHAPTER,
        changed(NETWORK, {"ipv4": address("IPv4", zones=["1"])}),
        changed(NETWORK, {"ipv4": address("IPv4"), "/e6": address("IPv6", "StandardV2")}),
    ),
    "address_in_use": (
        network.CHAPTER,
        changed(NETWORK, {"ipv4": address("IPv4", ipConfiguration="/groups/rg-nodes-2/loadBalancers/lb/x")}),
        changed(
            NETWORK,
            {
                "ipv4": address("IPv4", ipConfiguration="/groups/RG-nodes/loadBalancers/kubernetes/x"),
                "ipv6": address("IPv6", ipConfiguration="/groups/theirs/applicationGateways/agw/x"),
                "/e4": address("IPv4", "StandardV2", natGateway="/groups/rg/natGateways/NG"),
            },
        ),
    ),
    "kubernetes_version": (
        aks.LIVE,
        changed(CLUSTER, {"versions": VERSIONS}, kubernetes_version="1.99"),
        changed(CLUSTER, {"versions": VERSIONS}, kubernetes_version="1.35.4"),
    ),
    "outbound_counts": (aks.LIVE, changed(CLUSTER, outbound_counts={"aks_outbound_ipv6_count": 0}), CLUSTER),
    "maintenance_window": (aks.LIVE, changed(CLUSTER, maintenance_start_time="630"), changed(CLUSTER, maintenance_duration_hours=24)),
    "image_cleaner_interval": (
        aks.LIVE,
        changed(CLUSTER, image_cleaner_interval_hours=23),
        changed(CLUSTER, image_cleaner_interval_hours=2160),
    ),
    "workspace_retention": (
        aks.LIVE,
        changed(CLUSTER, workspace_retention_days=29),
        changed(CLUSTER, workspace_retention_days=29, monitoring=False, defender=False),
    ),
    "workspace_name": (
        aks.LIVE,
        changed(CLUSTER, workspace_id="/workspaces/log_a"),
        changed(CLUSTER, {"workspace": THERE}, workspace_id="/workspaces/w", existing_workspace_id="/workspaces/w"),
    ),
    "cluster_fixed": (aks.CHANGES, changed(LIVE_CLUSTER, fixed={"aks_location": ("location", "northeurope")}), LIVE_CLUSTER),
    "cluster_data_plane": (
        aks.CHANGES,
        live_cluster(networkDataplane="azure"),
        changed(live_cluster(networkDataplane="azure"), network_dataplane="azure"),
    ),
    "pool_fixed": (
        aks.CHANGES,
        changed(LIVE_CLUSTER, node_pools=pools(vm_size="Standard_D8ds_v5")),
        changed(LIVE_CLUSTER, node_pools=[*POOLS, {**POOLS[1], "name": "new", "max_pods": 250}]),
    ),
    "pool_below_count": (
        aks.CHANGES,
        changed(LIVE_CLUSTER, node_pools=pools(max_count=4)),
        changed(LIVE_CLUSTER, node_pools=pools(max_count=5)),
    ),
    "last_system_pool": (
        aks.CHANGES,
        changed(LIVE_CLUSTER, node_pools=pools("User", "System")),
        changed(LIVE_CLUSTER, node_pools=pools("System", "System")),
    ),
    "outbound_addresses": (
        aks.CHANGES,
        live_cluster(loadBalancerProfile={"outboundIPs": {"publicIPs": [{"id": "/p"}]}}),
        changed(live_cluster(loadBalancerProfile={"outboundIPs": {"publicIPs": [{"id": "/p"}]}}), outbound_type="userDefinedRouting"),
    ),
    "node_subnet_exists": (aks.NODES, changed(nodes(), subnet=ABSENT), changed(nodes(planned=True), subnet=ABSENT)),
    "node_subnet_delegated": (
        aks.NODES,
        nodes(planned=True, delegations=[{"name": "api", "properties": {"serviceName": "Microsoft.ContainerService/managedClusters"}}]),
        nodes(delegations=[]),
    ),
    "node_subnet_overlap": (
        aks.NODES,
        nodes(addressPrefixes=["10.128.8.0/22", "fd00:9::/64"]),
        nodes(planned=True, addressPrefixes=["10.128.8.0/22", "fd00:9::/64"]),
    ),
    "node_subnet_gateway": (
        aks.NODES,
        nodes("userAssignedNATGateway", sku="Standard"),
        nodes("userAssignedNATGateway", sku="StandardV2"),
    ),
    "default_route": (
        aks.NODES,
        nodes("userDefinedRouting", routes=["192.168.0.0/16"]),
        nodes("userDefinedRouting", routes=["192.168.0.0/16", "0.0.0.0/0"]),
    ),
    "endpoint_subnet": (endpoints.CHAPTER, changed(ENDPOINT, subnet=ABSENT), ENDPOINT),
    "endpoint_subnet_purpose": (
        endpoints.CHAPTER,
        changed(
            ENDPOINT,
            subnet=Answer(True, {"properties": {"delegations": [{"name": "d", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}]}}),
        ),
        changed(ENDPOINT, subnet=THERE, purpose="private_endpoints"),
    ),
    "private_zone_exists": (
        endpoints.CHAPTER,
        changed(ENDPOINT, existing_zone_id="/z/privatelink.azurecr.io", zone=ABSENT),
        changed(ENDPOINT, zone=THERE),
    ),
    "zone_link": (endpoints.LINKS, endpoints.Link("dns", "/v", ABSENT), endpoints.Link("dns", "/v", THERE)),
    "identity_exists": (
        principals.IDENTITIES,
        principals.Identity("keyvault_secret_user_identity_ids", "/i", ABSENT),
        principals.Identity("keyvault_secret_user_identity_ids", "/i", THERE),
    ),
    "principal_ids": (
        principals.CHAPTER,
        principals.Principals("aks_admin_principal_ids", ["alice@example.org"]),
        principals.Principals("aks_admin_principal_ids", [PRINCIPAL]),
    ),
    "network_zones": (
        network.CHAPTER,
        changed(NETWORK, {"locations": Answer(True, {"value": [{"name": "westeurope"}]})}),
        changed(NETWORK, {"locations": Answer(True, {"value": [{"name": "westeurope"}]})}, zones=[]),
    ),
    "nodes_locked_out": (
        api_server.CHAPTER,
        changed(ACCESS, gateway={"/e4": address("IPv4", text="203.0.113.4")}, allowed=["198.51.100.0/24"], address_ids=["/other"]),
        changed(ACCESS, gateway={"/E4": address("IPv4", text="203.0.113.4")}, allowed=["198.51.100.0/24"]),
    ),
    "egress_unknown": (
        api_server.CHAPTER,
        changed(ACCESS, outbound_type="userDefinedRouting"),
        changed(ACCESS, outbound_type="userDefinedRouting", egress_ranges=["203.0.113.4"]),
    ),
    "egress_ranges": (api_server.CHAPTER, changed(ACCESS, egress_ranges=["2001:db8::/64"]), changed(ACCESS, egress_ranges=["203.0.113.0/28"])),
    "locked_out": (aks.LIVE, changed(CLUSTER, controller_address="203.0.114.7"), changed(CLUSTER, controller_address="")),
    "existing_cluster_entra": (
        aks.LIVE,
        changed(CLUSTER, {"cluster": Answer(True, {"properties": {**DUAL_STACK.body["properties"], "aadProfile": None}})}, existing_id="/c"),
        changed(CLUSTER, {"cluster": DUAL_STACK}, existing_id="/c"),
    ),
    "existing_type": (existing.CHAPTER, changed(VNET, variable="aks_existing_id"), changed(VNET, id=VNET.id.upper())),
    "existing_state": (
        existing.CHAPTER,
        changed(VNET, answer=Answer(True, {"properties": {"provisioningState": "Failed"}})),
        changed(VNET, answer=Answer(True, {"properties": {"provisioningState": "Updating"}})),
    ),
    "existing_region": (existing.CHAPTER, changed(VNET, region="northeurope"), changed(VNET, region="West Europe")),
    "existing_vault_access": (keyvault.CHAPTER, *existing_vault({"enableRbacAuthorization": False}, {"enableRbacAuthorization": True})),
    "existing_vault_reachable": (
        keyvault.CHAPTER,
        *existing_vault({"publicNetworkAccess": "Disabled"}, {"publicNetworkAccess": "Disabled", "privateEndpointConnections": [{}]}),
    ),
    "existing_registry_sku": (
        registries.CHAPTER,
        changed(REGISTRY, {"registry": Answer(True, {"sku": {"name": "Basic"}})}, existing_id="/r", images=[]),
        changed(REGISTRY, {"registry": Answer(True, {"sku": {"name": "Basic"}})}, existing_id="/r", images=[], private_endpoint=False),
    ),
    "existing_registry_reachable": (
        registries.CHAPTER,
        changed(REGISTRY, {"registry": CLOSED}, existing_id="/r", images=[], private_endpoint=False),
        changed(REGISTRY, {"registry": CLOSED}, existing_id="/r", images=[]),
    ),
    "private_zone_cloud": (
        endpoints.CHAPTER,
        changed(ENDPOINT, cloud="AzureChinaCloud", zone_names={"AzureChinaCloud": "privatelink.azurecr.cn"}),
        changed(ENDPOINT, cloud="Lab", zone_names={"AzureChinaCloud": "privatelink.azurecr.cn"}),
    ),
    "private_zone_name": (
        endpoints.CHAPTER,
        changed(ENDPOINT, existing_zone_id="/zones/privatelink.example", zone=THERE),
        changed(ENDPOINT, existing_zone_id="/zones/PrivateLink.azurecr.io", zone=THERE),
    ),
    "existing_cluster": (aks.LIVE, changed(CLUSTER, existing_id="/c"), changed(CLUSTER, {"cluster": DUAL_STACK}, existing_id="/c")),
    "existing_workspace": (
        aks.LIVE,
        changed(CLUSTER, existing_workspace_id="/w"),
        changed(CLUSTER, {"workspace": THERE}, existing_workspace_id="/w"),
    ),
    "defender_without_workspace": (aks.LIVE, changed(CLUSTER, monitoring=False), changed(CLUSTER, monitoring=False, defender=False)),
    "ipv4_only_cluster": (aks.LIVE, changed(CLUSTER, {"cluster": THERE}), changed(CLUSTER, {"cluster": DUAL_STACK})),
    "registry_name": (registries.CHAPTER, changed(REGISTRY, name="a-registry"), REGISTRY),
    "registry_name_taken": (registries.CHAPTER, changed(REGISTRY, {"name": TAKEN}), changed(REGISTRY, {"name": TAKEN, "registry": THERE})),
    "existing_registry": (
        registries.CHAPTER,
        changed(REGISTRY, existing_id="/r", images=[]),
        changed(REGISTRY, {"registry": THERE}, existing_id="/r", images=[]),
    ),
    "registry_images": (registries.CHAPTER, changed(REGISTRY, images=["ghcr.io/nginx/nginx:1"]), REGISTRY),
    "images_into_existing_registry": (registries.CHAPTER, changed(REGISTRY, {"registry": THERE}, existing_id="/r"), REGISTRY),
    "vault_name": (keyvault.CHAPTER, changed(VAULT, name="kv--example"), changed(VAULT, name="kv1")),
    "vault_deleted": (keyvault.CHAPTER, changed(VAULT, {"deleted": THERE}), changed(VAULT, {"deleted": THERE}, on_deleted="recover")),
    "vault_name_taken": (keyvault.CHAPTER, changed(VAULT, {"name": TAKEN}), changed(VAULT, {"name": TAKEN, "vault": THERE})),
    "existing_vault": (keyvault.CHAPTER, changed(VAULT, existing_id="/v"), changed(VAULT, {"vault": VAULT_OF_90_DAYS}, existing_id="/v")),
    "vault_retention": (keyvault.CHAPTER, changed(VAULT, retention_days=91), changed(VAULT, retention_days=7)),
    "vault_retention_fixed": (
        keyvault.CHAPTER,
        changed(VAULT, {"vault": VAULT_OF_90_DAYS}, retention_days=30),
        changed(VAULT, {"vault": VAULT_OF_90_DAYS}, retention_days=30, existing_id="/v"),
    ),
    "dns_addresses": (
        dns.CHAPTER,
        changed(ZONES, addresses={"ipv4": "2001:db8::1"}),
        changed(ZONES, addresses={"ipv4": "203.0.113.1", "ipv6": "2001:db8::1"}),
    ),
    "dns_record": (dns.CHAPTER, changed(ZONES, record=""), changed(ZONES, record="*.api")),
    "dns_ttl": (dns.CHAPTER, changed(ZONES, ttls={"dns_ttl": 0}), ZONES),
    "record_is_cname": (
        dns.CHAPTER,
        changed(ZONES, {"private_cname": Answer(True, {"properties": {"cnameRecord": {"cname": "cdn.example.net"}}})}),
        ZONES,
    ),
    "public_zone": (dns.CHAPTER, changed(ZONES, {"public": ABSENT}), changed(ZONES, {"public": ABSENT}, check_mode=True)),
    "private_zone": (dns.CHAPTER, changed(ZONES, {"private": ABSENT}), changed(ZONES, {"private": ABSENT}, check_mode=True)),
    "ingress_image": (entrances.PROXIES, changed(PROXIES, image="nginx:1"), PROXIES),
    "ingress_replicas": (entrances.PROXIES, changed(PROXIES, min_replicas=1), PROXIES),
    "ingress_size": (entrances.PROXIES, changed(PROXIES, max_body_size="16 MB"), PROXIES),
    "ingress_client_timeout": (entrances.PROXIES, changed(PROXIES, client_timeout="0s"), PROXIES),
    "ingress_limits": (entrances.PROXIES, changed(PROXIES, request_burst=-1), PROXIES),
    "ingress_metrics_namespaces": (entrances.PROXIES, changed(PROXIES, metrics_namespaces=["Monitoring"]), PROXIES),
    "ingress_quantity": (entrances.PROXIES, changed(PROXIES, memory_limit="256 MB"), changed(PROXIES, memory_limit="1Gi")),
    "ingress_memory": (entrances.PROXIES, changed(PROXIES, cpu_request="25"), changed(PROXIES, cpu_request="24")),
    "ingress_metrics_sources": (entrances.PROXIES, changed(PROXIES, metrics_sources=["10.0.0.0/33"]), PROXIES),
    "ingress_service_tag": (
        entrances.SERVICE_TAGS,
        entrances.ServiceTags(["AzureFrontdoor"], SERVICE_TAGS),
        entrances.ServiceTags(["azurefrontdoor.backend"], SERVICE_TAGS),
    ),
    "cluster_access": (
        entrances.CLUSTER_ACCESS,
        entrances.ClusterAccess("/subscriptions/s/shop", "the credentials may not list services"),
        entrances.ClusterAccess("/subscriptions/s/shop", ""),
    ),
    "manifest": (
        entrances.MANIFESTS,
        entrances.Manifests([{**SERVICE, "spec": {"ports": [{"port": "many"}]}}], "1.36"),
        entrances.Manifests([SERVICE], "v1.99.1"),
    ),
    "destroy_unconfirmed": (destroying.CHAPTER, destroying.Deletion("westeurope", ""), destroying.Deletion("westeurope", "westeurope")),
    "ipv6_entrance_alone": (
        entrances.FIRST_ENTRANCES,
        entrances.FirstEntrances(["IPv6"], "userAssignedNATGateway", False),
        entrances.FirstEntrances(["IPv6"], "userAssignedNATGateway", True),
    ),
    "service_family_of_entrance": (entrances.OWN_SERVICES, own_service("IPv4"), own_service("IPv6", "IPv4")),
}


def rules_broken(chapter: Chapter[Any], facts: Any) -> list[str]:
    return [violation.rule for violation in chapter.violations(facts)]


@pytest.mark.parametrize("identifier", CASES)
def test_broken_and_kept(identifier: str) -> None:
    chapter, broken, kept = CASES[identifier]
    assert rules_broken(chapter, broken) == [identifier]
    assert rules_broken(chapter, kept) == []


def respelled(value: Any, *, answered: bool = False) -> Any:
    """Facts whose answers of Azure spell every name, id, region and enumeration in another case."""
    if isinstance(value, Answer):
        return dataclasses.replace(value, body=respelled(value.body, answered=True))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            field.name: respelled(getattr(value, field.name), answered=field.name == "live") for field in dataclasses.fields(value) if field.init
        }
        return dataclasses.replace(value, **fields)
    if isinstance(value, Mapping):
        return {
            name: item if name in ("metadata", "tags", "capabilities", "restrictions") else respelled(item, answered=answered)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [respelled(item, answered=answered) for item in value]
    return value.swapcase() if answered and isinstance(value, str) else value


@pytest.mark.parametrize("identifier", CASES)
def test_azure_may_spell_names_otherwise(identifier: str) -> None:
    chapter, broken, kept = CASES[identifier]
    assert rules_broken(chapter, respelled(broken)) == [identifier]
    assert rules_broken(chapter, respelled(kept)) == []


def test_every_rule_has_a_failing_and_a_passing_case() -> None:
    """Cases of plans and of declarations pass or fail as a whole: their passing cases break no rule at all."""
    elsewhere = {*test_plan_rules.FAILING, *test_entrance_rules.FAILING, *test_switching_rules.FAILING, *test_upgrading_rules.FAILING}
    assert sorted(RULES) == sorted({*CASES, *elsewhere})


#: rules that no page of Azure's, Kubernetes' or nginx' is the reason of: what is declared contradicts itself, or does not exist
OUR_OWN = {
    "specification",
    "malformed_value",
    "unusable_value",
    "azure_unanswered",
    "subscription",
    "existing_type",
    "identity_exists",
    "existing_vnet",
    "existing_subnets",
    "existing_cluster",
    "existing_workspace",
    "existing_registry",
    "images_into_existing_registry",
    "existing_vault",
    "record_not_ours",
    "public_zone",
    "private_zone",
    "ingress_image",
    "ingress_replicas",
    "ingress_limits",
    "ingress_metrics_namespaces",
    "ingress_metrics_sources",
    "ingress_unused",
    "ingress_upstream",
    "ingress_timeout_of_route",
    "ingress_trusted_proxies",
    "ingress_port",
    "ingress_probe",
    "ingress_certificate",
    "ingress_redirect",
    "ingress_passthrough",
    "ingress_stream_port",
    "toggle_wish",
    "toggle_cluster",
    "toggle_address",
    "toggle_probe",
    "destroy_unconfirmed",
    "upgrade_prefixes",
}


def test_every_rule_names_its_source_or_is_our_own() -> None:
    assert {rule.id for rule in RULES.values() if not rule.reference} == OUR_OWN


def test_every_rule_is_explained() -> None:
    for rule in RULES.values():
        assert rule.refuses.endswith((".", "it.")), rule.id
        assert rule.remedy, rule.id
        assert not rule.reference or rule.reference.startswith("https://"), rule.id


def test_every_existing_id_is_checked() -> None:
    """Of all roles' variables that name a resource that exists already."""
    specifications = (
        yaml.safe_load(path.read_text())["argument_specs"]["main"]["options"] for path in Path("roles").glob("*/meta/argument_specs.yml")
    )
    names = {name for options in specifications for name in options if re.search(r"_existing_.*id$", name)}
    assert names == set(existing.TYPES)


def test_the_page_lists_every_rule() -> None:
    """It is written by ``make docs``."""
    assert rules_page.TARGET.read_text() == rules_page.page()
    assert subnets_page.TARGET.read_text() == subnets_page.page()
    assert [identifier for identifier in RULES if f"   * - ``{identifier}``\n" not in rules_page.page()] == []


def test_ids_are_unique() -> None:
    identifiers = [rule.id for chapter in CHAPTERS for rule in chapter.rules]
    assert sorted(identifiers) == sorted(set(identifiers))


def cluster_in(**properties: Any) -> existing.Existing:
    """An existing cluster with these properties."""
    identifier = f"/subscriptions/s/resourceGroups/rg/providers/{existing.TYPES['aks_existing_id']}/c"
    return existing.Existing("aks_existing_id", identifier, Answer(True, {"properties": properties}))


CLUSTER_STATES: list[tuple[dict[str, Any], str]] = [
    ({"provisioningState": "Succeeded", "powerState": {"code": "Stopped"}}, "/c is stopped"),
    ({"provisioningState": "Upgrading", "powerState": {"code": "Running"}}, "/c is in the state Upgrading"),
    ({"provisioningState": "Failed"}, "/c is in the state Failed"),
    ({"provisioningState": "Deleting"}, "/c is in the state Deleting"),
]


#: more ways to break a rule: its chapter, the facts, and what is found
FOUND: list[tuple[Chapter[Any], Any, str]] = [
    (network.CHAPTER, changed(NETWORK, {"usages": usages(StandardSkuPublicIpAddresses=(7, 10))}), "4 needed, but 7 of 10 are in use"),
    (network.CHAPTER, changed(NETWORK, {"locations": ONE_ZONE}), "westeurope has the zones 1, but 2, 3 are declared"),
    (network.CHAPTER, changed(NETWORK, {"vnet": Answer(False, {}, "AuthorizationFailed: no")}, existing_vnet_id="/v"), "/v cannot be read (Auth"),
    (network.CHAPTER, changed(NETWORK, {"ipv4": address("IPv4", "Basic")}, existing_entrance_ids={"ipv4": "/a", "ipv6": ""}), "SKU Standard"),
    (network.CHAPTER, changed(NETWORK, {"ipv4": address("IPv4", allocation="Dynamic")}, existing_entrance_ids={"ipv4": "/a"}), "static IPv4"),
    (aks.LIVE, changed(CLUSTER, controller_address="here"), "'here' is not an address"),
    (aks.LIVE, changed(CLUSTER, {"versions": VERSIONS}, kubernetes_version="1.35.5"), "AKS does not offer 1.35.5 in westeurope"),
    (aks.LIVE, changed(CLUSTER, maintenance_duration_hours=3), "3"),
    (
        aks.CHANGES,
        changed(LIVE_CLUSTER, fixed={"p": ("properties.networkProfile.podCidrs", ["10.0.0.0/16", "fd00::/64"])}),
        "has 10.128.0.0/16, fd00",
    ),
    (aks.CHANGES, changed(LIVE_CLUSTER, network_dataplane="azure"), "AKS cannot change this back"),
    (aks.CHANGES, changed(LIVE_CLUSTER, pool_defaults={**POOL_DEFAULTS, "max_pods": 50}), "maxPods is 110 and declared 50"),
    (aks.NODES, nodes(addressPrefixes=None, addressPrefix="10.9.0.0/22"), "has no IPv6 prefix"),
    (aks.NODES, nodes("userAssignedNATGateway"), "has no NAT gateway"),
    (aks.NODES, nodes(sku="StandardV2"), "breaks the load balancer's outbound IPv6"),
    (aks.NODES, nodes("userDefinedRouting"), "has no route table"),
    (aks.NODES, changed(nodes("userDefinedRouting", planned=True), subnet=ABSENT), "has no route table"),
    (network.CHAPTER, changed(NETWORK, {"ipv4": address("IPv6")}), "has the family IPv6; declared: IPv4"),
    (network.CHAPTER, changed(NETWORK, {"/e4": address("IPv4")}), "has the SKU Standard; declared: StandardV2"),
    (network.CHAPTER, changed(NETWORK, {"/e4": address("IPv4", "StandardV2", natGateway="/groups/rg/natGateways/theirs")}), "natGateways/theirs"),
    (
        network.CHAPTER,
        changed(
            NETWORK,
            {"ipv4": address("IPv4", ipConfiguration="/groups/rg/loadBalancers/theirs/x")},
            existing_entrance_ids={"ipv4": "/i4", "ipv6": ""},
        ),
        "loadBalancers/theirs",
    ),
    (
        network.CHAPTER,
        changed(NETWORK, {"ipv4": address("IPv4")}, entrance_ids={"ipv4": "/i4", "ipv6": "/i4"}),
        "network_entrance_ipv4_name also names /i4",
    ),
    (dns.CHAPTER, changed(ZONES, addresses={"ipv6": "www.example.org"}), "'www.example.org' is not an IPv6 address"),
    (
        dns.CHAPTER,
        changed(ZONES, {"public_cname": Answer(True, {"properties": {"CNAMERecord": {"cname": "c"}}})}),
        "www.westeurope in aks.example.org",
    ),
    (dns.CHAPTER, changed(ZONES, record="a@b"), "'a@b'"),
    (
        ownership.CHAPTER,
        changed(OWNED, {"/g": Answer(True, {})}),
        "/g exists, but its tags lack managed-by=dualstack.aks and dualstack-stamp=westeurope",
    ),
    (ownership.OBJECTS, ownership.Objects([{"kind": "Namespace", "metadata": {"name": "n"}}]), "Namespace n exists without the label"),
    (
        dns.CHAPTER,
        changed(ZONES, {"public_a": record(owner="them")}),
        "www.westeurope in aks.example.org has A records whose metadata lack managed-by",
    ),
    (
        dns.CHAPTER,
        changed(ZONES, {"public_aaaa": record(**{"managed-by": "dualstack.aks", "dualstack-stamp": "northeurope"})}),
        "dualstack-stamp=westeurope",
    ),
    (entrances.FIRST_ENTRANCES, entrances.FirstEntrances(["IPv6"], "userDefinedRouting", False), "with userDefinedRouting"),
    *((existing.CHAPTER, cluster_in(**properties), words) for properties, words in CLUSTER_STATES),
    (registries.CHAPTER, changed(REGISTRY, name="abcd"), "abcd"),
    (keyvault.CHAPTER, changed(VAULT, name="1kv"), "1kv"),
    (entrances.PROXIES, changed(PROXIES, memory_limit="79Mi", memory_request="1Mi"), "79Mi, but 2 workers need 80Mi"),
    (entrances.PROXIES, changed(PROXIES, memory_request="300M"), "300M, but the limit is 256Mi"),
    (entrances.PROXIES, changed(PROXIES, cpu_request="much"), "'much' is not a valid quantity"),
    (entrances.SERVICE_TAGS, entrances.ServiceTags(["A"], Answer(False, {}, "AuthorizationFailed: no")), "the list cannot be read (Auth"),
    (entrances.MANIFESTS, entrances.Manifests([{**SERVICE, "spec": {"ports": [{"port": "many"}]}}], "1.36"), "'many' is not of type 'integer'"),
    (entrances.MANIFESTS, entrances.Manifests([{**SERVICE, "spec": {"ipFamily": "IPv6"}}], "1.36"), "'ipFamily' was unexpected"),
    (entrances.MANIFESTS, entrances.Manifests([{**SERVICE, "kind": "Sevrice"}], "1.36"), "Couldn't find schema for kind Sevrice"),
    (entrances.MANIFESTS, entrances.Manifests([{"kind": "Service", "metadata": {"name": "entrance"}}], "1.36"), "'apiVersion' is missing"),
    (entrances.MANIFESTS, entrances.Manifests([SERVICE], "newest"), "'newest' is not a Kubernetes version"),
]


@pytest.mark.parametrize(("chapter", "facts", "words"), FOUND)
def test_found(chapter: Chapter[Any], facts: Any, words: str) -> None:
    [violation] = chapter.violations(facts)
    assert words in violation.found


def test_what_follows_from_a_value_that_does_not_fit_is_not_reported_too() -> None:
    found = variables.Variables("aks", [("aks_max_pods", "too many")], unusable=["it follows from it"])
    assert rules_broken(variables.CHAPTER, found) == ["specification"]


@pytest.mark.parametrize("changes", [{"take_over": True}, {"families": ["ipv6"]}])
def test_records_of_others_that_are_handed_over_or_not_touched(changes: Mapping[str, Any]) -> None:
    assert rules_broken(dns.CHAPTER, changed(ZONES, {"public_a": record(), "public_aaaa": OUR_RECORD}, **changes)) == []


def test_a_private_zone_above_the_public_one_is_worth_a_warning() -> None:
    assert list(dns.warnings(ZONES)) == []
    [warning] = dns.warnings(changed(ZONES, private_zone_id="/zones/example.org"))
    assert "answers for names of the public zone aks.example.org in v" in warning
    [warning] = dns.warnings(changed(ZONES, {"public": ABSENT}, check_mode=True))
    assert "Not created yet: the public zone" in warning


PRIVATE_NAMES = "clients in the network reach the private endpoint only if its DNS servers resolve names in the zone."
LINKS = Answer(True, {"value": [{"properties": {"virtualNetwork": {"id": "/V/one"}}}]})


@pytest.mark.parametrize(
    ("links", "network", "warned"),
    [(None, "/v/two", False), (ABSENT, "/v/two", False), (LINKS, "/v/ONE", False), (LINKS, "/v/two", True), (THERE, "/v/two", True)],
    ids=str,
)
def test_an_existing_private_zone_without_a_link_is_worth_a_warning(links: Answer | None, network: str, warned: bool) -> None:
    found = list(endpoints.warnings(changed(ENDPOINT, existing_zone_id="/zones/z", network_id=network, links=links)))
    assert found == ([f"registry_existing_private_zone_id: /zones/z is not linked to {network}: {PRIVATE_NAMES}"] if warned else [])


@pytest.mark.parametrize(
    ("existing_id", "body", "warned"),
    [
        ("/c", {"properties": {"servicePrincipalProfile": {"clientId": "x"}}}, True),
        ("/c", {"identity": {"type": "SystemAssigned"}}, False),
        ("", {"properties": {}}, False),
    ],
    ids=str,
)
def test_a_service_principal_is_worth_a_warning(existing_id: str, body: dict[str, Any], warned: bool) -> None:
    found = list(aks.warnings(changed(CLUSTER, {"cluster": Answer(True, body)}, existing_id=existing_id)))
    assert ["/c runs as a service principal" in text for text in found] == ([True] if warned else [])


def test_one_problem_is_one_line() -> None:
    first, second = Violation("r", "s", "f", "do x", "https://y"), Violation("r", "s", "g", "do z")
    assert once([[first, second], [second, Violation("r", "t", "f", "do x")]]) == [first, second, Violation("r", "t", "f", "do x")]
    assert text([first, second]) == "- s: f [r]. Remedy: do x. See https://y\n- s: g [r]. Remedy: do z."
