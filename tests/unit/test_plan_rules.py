from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.plan import address_plan
from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.purposes import PURPOSES
from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.ranges import MalformedSpecification
from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.security_rules import family_rules
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import Violation
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.plans import CHAPTERS, plan_problems, plan_violations

Specification = dict[str, Any]
Register = dict[str, Any]
Case = tuple[Specification, Register]

BARE: Specification = {"organisation": "example", "stamp": "westeurope"}
SPECIFICATION: Specification = {
    **BARE,
    "live_subnets": {},
    "names": {"network_resource_group": "rg-aks-westeurope", "network_vnet_name": "v" * 63},
    "cluster": {
        "name": "aks-example-westeurope",
        "dns_prefix": "d" * 54,
        "node_resource_group": "g" * 80,
        "kubernetes_version": "1.34",
        "network_policy": "cilium",
        "network_dataplane": "cilium",
        "outbound_type": "userAssignedNATGateway",
        "nat_gateway_sku": "StandardV2",
        "egress": "nat_gateway",
        "existing_vnet_id": "",
        "node_subnet_id": f"/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/{'v' * 63}/subnets/nodes",
        "max_pods": 110,
        "api_server_authorized_ip_ranges": ["203.0.113.0/24", "20.1.2.3"],
        "node_pools": [
            {"name": "system", "mode": "System", "count": 3, "zones": ["1", "2", "3"], "max_pods": 250},
            {"name": "work", "min_count": 3, "count": 3, "max_count": 100, "max_surge": "33%", "zones": ["1", "2"], "max_pods": 110},
        ],
    },
    "public_ip_prefixes": {"ipv4": {"version": "IPv4", "length": 28}, "ipv6": {"version": "IPv6", "length": 124}},
    "security_rules": [
        {"name": "pods-to-nodes", "priority": 100, "source": "pods", "destination": "subnet:nodes"},
        {"name": "web", "priority": 4095, "protocol": "Tcp", "source": "Internet", "destination": "*", "destination_ports": ["80", "443"]},
        {"name": "ping", "priority": 102, "protocol": "Icmp", "source": "10.0.0.0/8", "destination": "*", "description": "d" * 140},
    ],
}
REGISTER: Register = address_plan(SPECIFICATION, {})["register"]


def merged(base: Any, changes: Any) -> Any:
    if not (isinstance(base, Mapping) and isinstance(changes, Mapping)):
        return copy.deepcopy(changes)
    return {**base, **{name: merged(base.get(name), value) for name, value in changes.items()}}


def specified(**changes: Any) -> Case:
    """A specification and what is registered for it."""
    specification = merged(SPECIFICATION, changes)
    return specification, address_plan(specification, {})["register"]


def registered(**ranges: Any) -> Case:
    """The good specification with another register."""
    return SPECIFICATION, merged(REGISTER, {"stamps": {"westeurope": ranges}})


def grown(*pools: dict[str, Any]) -> Case:
    """The good specification with pools that the live cluster has."""
    return {**SPECIFICATION, "live_pools": list(pools)}, REGISTER


def shared(*rules: tuple[str, str, int]) -> Case:
    """The good specification with rules (name, direction, priority) in a live group that others may write to."""
    found = [{"name": name, "properties": {"direction": direction, "priority": priority}} for name, direction, priority in rules]
    return {**SPECIFICATION, "live_security_rules": found}, REGISTER


def live(*vnet: str, **subnets: list[str]) -> Case:
    """The good specification with subnets, and prefixes of the virtual network, that are there already."""
    return {**SPECIFICATION, "live_vnet": vnet, "live_subnets": subnets}, REGISTER


def elsewhere(**ranges: Any) -> Case:
    """The good world beside another stamp."""
    return SPECIFICATION, merged(REGISTER, {"stamps": {"northeurope": ranges}})


def peered(**ranges: Any) -> Case:
    """The same, with the networks of both declared as peered, all to all."""
    specification, register = elsewhere(**{"vnet": {"ipv4": "10.1.0.0/20"}, **ranges})
    return {**specification, "peered_stamps": ["westeurope", "northeurope"]}, register


def live_peer(*prefixes: str, **ranges: Any) -> Case:
    """The same, with a peering in Azure: to a network with these prefixes."""
    specification, register = elsewhere(**ranges)
    return {**specification, "live_peers": {"/peer": list(prefixes)}}, register


def cluster(**changes: Any) -> Case:
    return specified(cluster=changes)


def pool(**changes: Any) -> Case:
    return cluster(node_pools=[{"name": "system", "mode": "System", "zones": ["1", "2"], **changes}])


def windows(kubernetes_version: str = "1.34", **changes: Any) -> Case:
    """A Linux System pool and a Windows pool, on the data plane that takes them."""
    pools = [{"name": "system", "mode": "System"}, {"name": "winpwr", "os_type": "Windows", **changes}]
    return cluster(network_policy="none", network_dataplane="azure", kubernetes_version=kubernetes_version, node_pools=pools)


def subnet(name: str = "other", **keys: Any) -> Case:
    nodes = {"ipv4_prefix_length": 22, "families": ["IPv4", "IPv6"]}
    return specified(subnets={"nodes": nodes, name: {"ipv4_prefix_length": 26, **keys}})


def in_use(name: str, services: list[str], **keys: Any) -> Case:
    """A live subnet that something uses, delegated to these services."""
    specification, register = subnet(name, **keys)
    prefixes = [text for text in register["stamps"]["westeurope"][name].values() if isinstance(text, str)]
    return {**specification, "live_subnets": {name: prefixes}, "live_delegations": {name: services}}, register


def other_nodes(purpose: str = "", existing_vnet_id: str = "") -> Case:
    """Nodes in a subnet with a name of the user's."""
    subnets = {"nodes": None, "other": {"ipv4_prefix_length": 24, "families": ["IPv4", "IPv6"]} | ({"purpose": purpose} if purpose else {})}
    found = specified(
        cluster={"node_subnet": "other", "node_pools": [{"name": "a", "mode": "System", "max_count": 9}], "existing_vnet_id": existing_vnet_id}
    )[0]
    found["subnets"] = {name: keys for name, keys in subnets.items() if keys}
    found["security_rules"] = []
    return found, address_plan(found, {})["register"]


def security(*rules: Mapping[str, Any]) -> Case:
    return specified(security_rules=list(rules))


def authorized(*ranges: str, **changes: Any) -> Case:
    return cluster(api_server_authorized_ip_ranges=list(ranges), **changes)


#: the ranges of a cluster that was made without any, learn.microsoft.com/azure/aks/configure-dual-stack
AKS_DEFAULTS: dict[str, dict[str, str]] = {
    "vnet": {"ipv4": "10.224.0.0/12", "ipv6": "fd00:1:2::/56"},
    "pods": {"ipv4": "10.244.0.0/16", "ipv6": "fd12:3456:789a::/64"},
    "services": {"ipv4": "10.0.0.0/16", "ipv6": "fd12:3456:789a:1::/108"},
    "nodes": {"ipv4": "10.224.0.0/16", "ipv6": "fd00:1:2::/64"},
}
#: of a Service with a database beside it
LISTENING: dict[str, Any] = {"mode": "nat64", "upstream": "services", "families": ["IPv4", "IPv6"], "streams": [{"name": "sql", "port": 5432}]}
SQL = {"name": "sql", "priority": 300, "protocol": "Tcp", "source": "Internet", "destination_ports": ["80", "443", "5432"]}


def listening(*rules: dict[str, Any], **entrances: Any) -> Case:
    return specified(security_rules=list(rules), entrances={**LISTENING, **entrances})


def listening_elsewhere(*rules: dict[str, Any], **changes: Any) -> Case:
    """Nodes in a subnet that exists already, behind a group with these rules beside one that lets web clients in."""
    found = [{"name": made["name"], "properties": made["properties"]} for item in (SQL, *rules) for made in family_rules(item, {})]
    return specified(entrances=LISTENING, existing_security_groups={"nsg-theirs": found}, existing_vnet_id="/vnets/theirs", **changes)


#: each image at the ends of what AKS runs on it
WINDOWS_FIT = [("Windows2019", "1.32"), ("Windows2022", "1.23"), ("Windows2022", "1.36.3"), ("Windows2025", "1.32"), ("Windows2025", "1.40")]

MANY_PREFIXES = [f"10.{high}.{low}.0/24" for high in range(16) for low in range(251)]

FAILING: dict[str, Case] = {
    "unregistered": (SPECIFICATION, {}),
    "moved_subnet": live(nodes=["10.0.0.0/23", "fde9:f6a4:ab3d::/64"]),
    "vnet_prefix_in_use": live("10.0.0.0/8", AzureBastionSubnet=["10.250.0.0/26"]),
    "live_subnet_overlap": live(bastion=["10.0.3.0/24"]),
    "no_room": (merged(SPECIFICATION, {"ipv4_pools": {"pods": ["10.128.0.0/17"]}}), {}),
    "peered_stamps": ({**SPECIFICATION, "peered_stamps": ["northeurope"]}, REGISTER),
    "overlap": peered(vnet={"ipv4": "10.0.8.0/21"}),
    "subnet_outside_vnet": registered(nodes={"ipv4": "10.9.0.0/22"}),
    "subnet_ipv6_length": registered(nodes={"ipv6": "fde9:f6a4:ab3d::/63"}),
    "subnet_families": subnet(families=["IPv6"]),
    "subnet_ipv4_length": subnet(ipv4_prefix_length=30),
    "subnet_purpose": subnet(purpose="bastions"),
    "subnet_delegation": subnet(delegation="serverFarms"),
    "delegation_in_use": in_use("other", [], delegation="Microsoft.Web/serverFarms"),
    "subnet_purpose_size": subnet("AzureFirewallSubnet", ipv4_prefix_length=27),
    "subnet_purpose_families": subnet("AzureBastionSubnet", families=["IPv4", "IPv6"]),
    "node_subnet_purpose": specified(subnets={"nodes": {"ipv4_prefix_length": 22, "purpose": "application_gateway"}}),
    "subnet_name": subnet("-other"),
    "name_length": specified(names={"network_vnet_name": "v" * 64}),
    "cluster_names": cluster(dns_prefix="d" * 55),
    "subnet_count": (
        {**BARE, "vnet_ipv4_prefix_length": 29, "subnets": {f"s{n}": {"ipv4_prefix_length": 28, "families": ["IPv4"]} for n in range(3001)}},
        {},
    ),
    "vnet_ipv6_length": registered(vnet={"ipv6": "fde9:f6a4:ab00::/47"}),
    "services_ipv6_length": registered(services={"ipv6": "fde9:f6a4:ab3d:200::/107"}),
    "services_ipv4_length": registered(services={"ipv4": "10.192.0.0/12"}),
    "reserved_range": registered(pods={"ipv4": "172.16.0.0/12"}),
    "pod_range_in_vnet": peered(vnet={"ipv4": "10.128.128.0/20"}),
    "ipv6_prefix": specified(ipv6_prefix="fe80::/32"),
    "ipv4_pool": specified(ipv4_pools={"nodes": ["10.0.0.0/8"]}),
    "ipv4_prefix_length": ({**SPECIFICATION, "pods_ipv4_prefix_length": 33}, REGISTER),
    "dns_service_ip": cluster(dns_service_ip="10.192.0.1"),
    "pool_numbers": pool(max_surge="many"),
    "node_count": pool(max_count=5001),
    "pod_capacity_ipv4": pool(max_count=240),
    "pod_capacity_ipv6": registered(pods={"ipv6": "fde9:f6a4:ab3d:100::/114"}),
    "node_subnet_capacity": pool(max_count=1000, max_surge="20"),
    "node_subnet_dual_stack": specified(subnets={"nodes": {"ipv4_prefix_length": 22, "families": ["IPv4"]}}),
    "pool_max_pods": pool(max_pods=251),
    "pool_vm_size": pool(vm_size="Standard_DC4s_v2"),
    "pool_os_sku": pool(os_sku="Windows2022"),
    "pool_disk_size": pool(os_disk_size_gb=29),
    "windows_image": windows(os_sku="Windows2019"),
    "system_pool": pool(mode="User"),
    "pool_names_unique": cluster(node_pools=[{"name": "a", "mode": "System"}, {"name": "a"}]),
    "pool_size": pool(min_count=0),
    "node_subnet_names": cluster(
        node_subnet_id=f"/subscriptions/s/resourceGroups/{'g' * 64}/providers/Microsoft.Network/virtualNetworks/v/subnets/n"
    ),
    "egress_types": cluster(outbound_type="loadBalancer"),
    "pool_name": pool(name="Work"),
    "pool_zones": pool(zones=["1", "1"]),
    "pool_counts": pool(min_count=3, count=2, max_count=5),
    "network_policy": cluster(network_policy="calico"),
    "cilium_dataplane": cluster(network_dataplane="azure"),
    "cilium_version": cluster(kubernetes_version="1.28.9"),
    "cilium_windows": pool(os_type="Windows"),
    "nat_gateway_sku": cluster(nat_gateway_sku="Standard"),
    "authorized_ranges": authorized("2001:db8::/32"),
    "public_ip_prefix_length": specified(public_ip_prefixes={"ipv6": {"length": 123}}),
    "security_rule_names": security({"name": "a", "priority": 100, "source": "subnet:nodse"}),
    "security_rule_name": security({"name": "n" * 76, "priority": 100, "source": "pods"}),
    "security_rule_names_unique": security({"name": "web", "priority": 100}, {"name": "Web", "priority": 101}),
    "security_rule_ports": security({"name": "a", "priority": 100, "destination_ports": ["80,443"]}),
    "security_rule_prefixes": security({"name": "a", "priority": 100, "source": "10.0.0.0/33"}),
    "security_rule_priority_taken": shared(("theirs", "Inbound", 4095)),
    "security_rule_families": security({"name": "a", "priority": 100, "source": "10.0.0.0/8", "destination": "fd00::/8"}),
    "security_rule_priority": security({"name": "a", "priority": 4096, "source": "pods"}),
    "security_rule_protocol": security({"name": "a", "priority": 100, "protocol": "Icmp", "source": "pods"}),
    "security_rule_description": security({"name": "a", "priority": 100, "description": "d" * 141}),
    "security_rule_limits": security({"name": "a", "priority": 100, "source": MANY_PREFIXES}),
    "entrance_port_closed": listening({**SQL, "destination_ports": ["80", "443"]}),
}

# More ways to break a rule: (id, case, part of the subject)
ALSO_FAILING: dict[str, tuple[str, Case, str]] = {
    "unregistered: one family of one range": (
        "unregistered",
        (SPECIFICATION, {"stamps": {"westeurope": {**REGISTER["stamps"]["westeurope"], "pods": {"ipv4": "10.128.0.0/16"}}}}),
        "westeurope",
    ),
    "moved_subnet: a family is missing": ("moved_subnet", live(nodes=["10.0.0.0/22"]), "westeurope.nodes"),
    "vnet_prefix_in_use: IPv6": ("vnet_prefix_in_use", live(theirs=["10.0.15.0/24", "fd00:9::/64"]), "westeurope.theirs"),
    "live_subnet_overlap: IPv6": ("live_subnet_overlap", live(theirs=["fde9:f6a4:ab3d::/64"]), "westeurope.nodes"),
    "pod_capacity_ipv4: of others' pools": ("pod_capacity_ipv4", grown({"name": "batch", "count": 1, "maxCount": 110}), "westeurope.pods"),
    "pod_capacity_ipv4: of others' pools that do not scale": ("pod_capacity_ipv4", grown({"name": "batch", "count": 110}), "westeurope.pods"),
    "node_count: others' pools": ("node_count", grown({"name": "batch", "count": 4900}), "aks_node_pools"),
    "no_room: IPv4 of a subnet": ("no_room", subnet(ipv4_prefix_length=19), "westeurope.other"),
    "no_room: IPv4 of the virtual network": ("no_room", specified(ipv4_pools={"vnet": ["10.0.0.0/21"]}), "westeurope.vnet"),
    "no_room: IPv6": (
        "no_room",
        (
            merged(SPECIFICATION, {"ipv6_prefix": "2001:db8:7::/48"}),
            {"stamps": {"northeurope": {"vnet": {"ipv6": "2001:db8:7::/56"}}}},
        ),
        "westeurope.vnet",
    ),
    "overlap: IPv6 of a peered stamp": ("overlap", peered(vnet={"ipv6": "fde9:f6a4:ab3d::/48"}), "westeurope.vnet"),
    "overlap: one prefix of several": ("overlap", peered(vnet={"ipv4": ["10.1.0.0/20", "10.0.15.0/24"]}), "westeurope.vnet"),
    "overlap: a network that is peered in Azure": ("overlap", live_peer("10.0.0.0/16"), "westeurope.vnet"),
    "overlap: a stamp that is peered in Azure": ("overlap", live_peer("10.0.0.0/16", vnet={"ipv4": "10.0.0.0/16"}), "westeurope.vnet"),
    "overlap: within the stamp": ("overlap", registered(services={"ipv4": "10.128.128.0/20"}), "westeurope.pods"),
    "overlap: two subnets": ("overlap", registered(endpoints={"ipv4": "10.0.3.0/26"}), "westeurope.nodes"),
    "overlap: retired subnet of this stamp": (
        "overlap",
        (SPECIFICATION, {**REGISTER, "retired": {"westeurope": {"old": {"ipv4": "10.0.1.0/24"}}}}),
        "westeurope.nodes",
    ),
    "subnet_outside_vnet: IPv6": ("subnet_outside_vnet", registered(nodes={"ipv6": "fde9:f6a4:ab3d:300::/64"}), "westeurope.nodes"),
    "subnet_ipv4_length: none of IPv4": ("subnet_ipv4_length", subnet(ipv4_prefix_length=1), "other"),
    "subnet_ipv4_length: of IPv6": (
        "subnet_ipv4_length",
        (merged(SPECIFICATION, {"subnets": {"other": {"ipv4_prefix_length": 64}}}), REGISTER),
        "other",
    ),
    "subnet_families: IPv6 first": ("subnet_families", subnet(families=["IPv6", "IPv4"]), "other"),
    "subnet_families: unknown": ("subnet_families", subnet(families=["ipv4"]), "other"),
    "subnet_purpose: a name that Azure keeps": (
        "subnet_purpose",
        subnet("gatewaysubnet", purpose="nodes"),
        "dualstack_subnets.gatewaysubnet.purpose",
    ),
    "subnet_purpose: one that needs another name": ("subnet_purpose", subnet(purpose="firewall"), "dualstack_subnets.other.purpose"),
    "subnet_purpose: an unknown key": ("subnet_purpose", subnet(delegations=["Microsoft.Web/serverFarms"]), "dualstack_subnets.other.delegations"),
    "subnet_delegation: nodes": ("subnet_delegation", subnet(purpose="nodes", delegation="Microsoft.Web/serverFarms"), "dualstack_subnets.other"),
    "subnet_delegation: another than its purpose's": (
        "subnet_delegation",
        subnet(purpose="api_server", delegation="Microsoft.Web/serverFarms"),
        "dualstack_subnets.other.delegation",
    ),
    "subnet_delegation: a name that Azure keeps": (
        "subnet_delegation",
        subnet("AzureBastionSubnet", delegation="Microsoft.Network/bastionHosts"),
        "dualstack_subnets.AzureBastionSubnet.delegation",
    ),
    "delegation_in_use: to another service": (
        "delegation_in_use",
        in_use("other", ["Microsoft.Web/serverFarms"], purpose="container_instances"),
        "dualstack_subnets.other",
    ),
    "subnet_purpose_size: as it is registered": (
        "subnet_purpose_size",
        (
            subnet("AzureBastionSubnet")[0],
            merged(subnet("AzureBastionSubnet")[1], {"stamps": {"westeurope": {"AzureBastionSubnet": {"ipv4": "10.0.15.0/27"}}}}),
        ),
        "dualstack_subnets.AzureBastionSubnet",
    ),
    "subnet_purpose_size: by its delegation": (
        "subnet_purpose_size",
        subnet(delegation="microsoft.servicenetworking/trafficcontrollers", ipv4_prefix_length=23),
        "dualstack_subnets.other",
    ),
    "subnet_purpose_families: as it is registered": (
        "subnet_purpose_families",
        (
            subnet("RouteServerSubnet")[0],
            merged(subnet("RouteServerSubnet")[1], {"stamps": {"westeurope": {"RouteServerSubnet": {"ipv6": "fde9:f6a4:ab3d:7::/64"}}}}),
        ),
        "dualstack_subnets.RouteServerSubnet",
    ),
    "node_subnet_purpose: none": ("node_subnet_purpose", other_nodes(), "dualstack_subnets.other.purpose"),
    "node_subnet_purpose: a network that is brought": (
        "node_subnet_purpose",
        other_nodes(purpose="container_instances", existing_vnet_id="/v"),
        "dualstack_subnets.other.purpose",
    ),
    "subnet_name: the stamp's own": ("subnet_name", subnet("pods"), "pods"),
    "subnet_name: too long": ("subnet_name", subnet("n" * 64), "n" * 64),
    "subnet_name: ends with a dot": ("subnet_name", subnet("other."), "other."),
    "cluster_names: the cluster's": ("cluster_names", cluster(name="aks-"), "aks_name"),
    "cluster_names: the DNS prefix": ("cluster_names", cluster(dns_prefix="aks_example"), "aks_dns_prefix"),
    "cluster_names: the nodes' group": ("cluster_names", cluster(node_resource_group="g" * 81), "aks_node_resource_group"),
    "vnet_ipv6_length: longer than a subnet": ("vnet_ipv6_length", registered(vnet={"ipv6": "fde9:f6a4:ab3d::/65"}), "westeurope.vnet"),
    "services_ipv4_length: too small": ("services_ipv4_length", registered(services={"ipv4": "10.192.0.0/29"}), "westeurope.services"),
    "services_ipv4_length: one address": (
        "services_ipv4_length",
        (merged(SPECIFICATION, {"services_ipv4_prefix_length": 32}), {}),
        "westeurope.services",
    ),
    "reserved_range: Azure's": ("reserved_range", registered(pods={"ipv4": "168.63.0.0/16"}), "westeurope.pods"),
    "reserved_range: inside one of AKS": ("reserved_range", registered(services={"ipv4": "172.30.16.0/20"}), "westeurope.services"),
    "pod_range_in_vnet: services": ("pod_range_in_vnet", peered(vnet={"ipv4": "10.192.0.0/20"}), "westeurope.services"),
    "pod_range_in_vnet: a network that is peered in Azure": ("pod_range_in_vnet", live_peer("10.128.0.0/9"), "westeurope.pods"),
    "pod_range_in_vnet: a prefix that somebody added": (
        "pod_range_in_vnet",
        ({**SPECIFICATION, "live_vnet": ["10.0.0.0/20", "10.128.0.0/16", "fde9:f6a4:ab3d::/56"]}, REGISTER),
        "westeurope.pods",
    ),
    "pod_range_in_vnet: one prefix of several": (
        "pod_range_in_vnet",
        registered(vnet={"ipv4": ["10.0.0.0/20", "10.192.0.0/24"]}),
        "westeurope.services",
    ),
    "subnet_outside_vnet: one prefix of several": (
        "subnet_outside_vnet",
        registered(endpoints={"ipv4": ["10.0.4.0/26", "10.9.0.0/26"]}),
        "westeurope.endpoints",
    ),
    "subnet_ipv6_length: two of them": (
        "subnet_ipv6_length",
        registered(nodes={"ipv6": ["fde9:f6a4:ab3d::/64", "fde9:f6a4:ab3d:1::/64"]}),
        "westeurope.nodes",
    ),
    "live_subnet_overlap: a prefix was added to a subnet of ours": (
        "live_subnet_overlap",
        live(nodes=["10.0.0.0/22", "fde9:f6a4:ab3d::/64", REGISTER["stamps"]["westeurope"]["endpoints"]["ipv4"]]),
        "westeurope.endpoints",
    ),
    "pod_range_in_vnet: IPv6": ("pod_range_in_vnet", registered(pods={"ipv6": "fde9:f6a4:ab3d:80::/64"}), "westeurope.pods"),
    "ipv6_prefix: too long": ("ipv6_prefix", (merged(SPECIFICATION, {"ipv6_prefix": "2001:db8::/49"}), REGISTER), "dualstack_ipv6_prefix"),
    "ipv4_pool: no prefix": ("ipv4_pool", specified(ipv4_pools={"pods": []}), "dualstack_ipv4_pools.pods"),
    "ipv4_pool: no prefix in CIDR notation": (
        "ipv4_pool",
        (merged(SPECIFICATION, {"ipv4_pools": {"pods": ["10.0.0.0/99"]}}), REGISTER),
        "dualstack_ipv4_pools.pods",
    ),
    "dns_service_ip: outside": ("dns_service_ip", cluster(dns_service_ip="10.0.0.10"), "westeurope.dns_service_ip"),
    "dns_service_ip: IPv6": ("dns_service_ip", cluster(dns_service_ip="fde9:f6a4:ab3d:200::a"), "westeurope.dns_service_ip"),
    "dns_service_ip: no address": ("dns_service_ip", cluster(dns_service_ip="ten"), "westeurope.dns_service_ip"),
    "node_subnet_dual_stack: another subnet": ("node_subnet_dual_stack", cluster(node_subnet="endpoints"), "westeurope.endpoints"),
    "node_subnet_dual_stack: no such subnet": (
        "node_subnet_dual_stack",
        specified(subnets={"other": {"ipv4_prefix_length": 24}}),
        "westeurope.nodes",
    ),
    "pool_max_pods: too few": ("pool_max_pods", pool(max_pods=9), "aks_node_pools.system.max_pods"),
    "pool_max_pods: none": ("pool_max_pods", pool(max_pods=0), "aks_node_pools.system.max_pods"),
    "pool_max_pods: the role's own": ("pool_max_pods", cluster(max_pods=5, node_pools=[{"name": "a", "mode": "System"}]), "aks_max_pods"),
    "pool_vm_size: in lower case": ("pool_vm_size", pool(vm_size="standard_dc2s_v2"), "aks_node_pools.system.vm_size"),
    "windows_image: not any more": ("windows_image", windows("1.37.1", os_sku="Windows2022"), "aks_node_pools.winpwr.os_sku"),
    "windows_image: not yet": ("windows_image", windows("1.31", os_sku="Windows2025"), "aks_node_pools.winpwr.os_sku"),
    "system_pool: Windows": ("system_pool", windows(mode="System"), "aks_node_pools.winpwr.mode"),
    "cilium_windows: a pool that others made": (
        "cilium_windows",
        grown({"name": "theirs", "count": 1, "osType": "Windows"}),
        "aks_node_pools.theirs",
    ),
    "pod_capacity_ipv4: the surge that the role sends": ("pod_capacity_ipv4", pool(max_count=193), "westeurope.pods"),
    "pool_disk_size: too large": ("pool_disk_size", pool(os_disk_size_gb=2049), "aks_node_pools.system.os_disk_size_gb"),
    "pool_os_sku: Linux for Windows": ("pool_os_sku", pool(os_type="Windows", os_sku="Ubuntu"), "aks_node_pools.system.os_sku"),
    "system_pool: no pool": ("system_pool", cluster(node_pools=[]), "aks_node_pools"),
    "system_pool: no mode": ("system_pool", cluster(node_pools=[{"name": "a"}]), "aks_node_pools"),
    "pool_size: too many": ("pool_size", pool(max_count=1001), "aks_node_pools.system.max_count"),
    "pool_size: fewer than none": ("pool_size", pool(mode="User", min_count=-1), "aks_node_pools.system.min_count"),
    "pool_size: an autoscaler that ends at none": ("pool_size", pool(mode="User", max_count=0), "aks_node_pools.system.max_count"),
    "pool_size: count": ("pool_size", pool(count=0), "aks_node_pools.system.count"),
    "node_subnet_names: the virtual network": (
        "node_subnet_names",
        cluster(node_subnet_id=f"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/{'v' * 64}/subnets/n"),
        "aks_node_subnet_id",
    ),
    "egress_types: nobody makes the gateway": ("egress_types", cluster(egress="load_balancer"), "aks_outbound_type"),
    "egress_types: subnets that are never written": ("egress_types", cluster(existing_vnet_id="/v"), "network_egress"),
    "cilium_version: without network policy": ("cilium_version", cluster(kubernetes_version="1.28", network_policy="none"), "aks_kubernetes_version"),
    "pool_name: none": ("pool_name", cluster(node_pools=[{"count": 1}]), "aks_node_pools"),
    "pool_name: a digit first": ("pool_name", pool(name="1a"), "1a"),
    "pool_name: 13 characters": ("pool_name", pool(name="abcdefghijklm"), "abcdefghijklm"),
    "pool_name: Windows, 7 characters": ("pool_name", pool(name="windows", os_type="Windows"), "windows"),
    "pool_zones: one": ("pool_zones", pool(zones=["3"]), "aks_node_pools.system.zones"),
    "pool_counts: minimum above maximum": ("pool_counts", pool(min_count=5, max_count=3), "aks_node_pools.system"),
    "pool_counts: no node": ("pool_counts", pool(min_count=1, count=0, max_count=3), "aks_node_pools.system"),
    "network_policy: azure": ("network_policy", cluster(network_policy="azure"), "aks_network_policy"),
    "authorized_ranges: private cluster": ("authorized_ranges", authorized("203.0.113.0/24", private=True), "aks_api_server_authorized_ip_ranges"),
    "authorized_ranges: 201": (
        "authorized_ranges",
        authorized(*(f"20.0.0.{number}" for number in range(201))),
        "aks_api_server_authorized_ip_ranges",
    ),
    "authorized_ranges: no range": ("authorized_ranges", authorized("office"), "aks_api_server_authorized_ip_ranges"),
    "authorized_ranges: private": ("authorized_ranges", authorized("10.0.0.0/8"), "aks_api_server_authorized_ip_ranges"),
    "public_ip_prefix_length: IPv4": ("public_ip_prefix_length", specified(public_ip_prefixes={"ipv4": {"length": 27}}), "ipv4"),
    "entrance_port_closed: by a rule of the user": (
        "entrance_port_closed",
        listening(SQL, {"name": "no-sql", "priority": 200, "access": "Deny", "destination_ports": "5432"}),
        "ingress_streams[0]",
    ),
    "entrance_port_closed: UDP": (
        "entrance_port_closed",
        listening(SQL, streams=[{"name": "dns", "port": 443, "protocol": "UDP"}]),
        "ingress_streams[0]",
    ),
    "entrance_port_closed: to IPv6 clients": ("entrance_port_closed", listening({**SQL, "source": "198.51.100.0/24"}), "ingress_routes"),
    "entrance_port_closed: TLS": (
        "entrance_port_closed",
        listening({**SQL, "destination_ports": ["80", "5432"]}, tls=[{"hosts": ["a.example.org"]}]),
        "ingress_tls[0]",
    ),
    "entrance_port_closed: a running ingress": (
        "entrance_port_closed",
        listening({**SQL, "destination_ports": ["80", "5432"]}, upstream="ingress", upstream_ingress={}),
        "ingress_upstream_ingress",
    ),
    "entrance_port_closed: a network that exists already": (
        "entrance_port_closed",
        listening_elsewhere({**SQL, "name": "no-sql", "priority": 200, "access": "Deny", "destination_ports": "5432"}),
        "ingress_streams[0]",
    ),
    "security_rule_families: plan's names": (
        "security_rule_families",
        security({"name": "a", "priority": 100, "source": "fd00::/8", "destination": "subnet:endpoints"}),
        "network_security_rules.a",
    ),
    "security_rule_name: a hyphen last": ("security_rule_name", security({"name": "web-", "priority": 100}), "network_security_rules.web-"),
    "security_rule_names_unique: a twin": (
        "security_rule_names_unique",
        security({"name": "web", "priority": 100, "source": "pods"}, {"name": "web-IPv6", "priority": 110}),
        "network_security_rules.web-IPv6",
    ),
    **{
        f"security_rule_ports: {ports!r}": (
            "security_rule_ports",
            security({"name": "a", "priority": 100, "source_ports": ports}),
            "network_security_rules.a.source_ports",
        )
        for ports in ([], None, "", "443-80", "http", 70000, -1, "80-", "80-90-100", ["80", "65536"])
    },
    **{
        f"security_rule_prefixes: {prefixes!r}": (
            "security_rule_prefixes",
            security({"name": "a", "priority": 100, "destination": prefixes}),
            "network_security_rules.a.destination",
        )
        for prefixes in ("10.0.0", "10.0.0.0/8,10.1.0.0/16", "Virtual Network", "fe80::1%eth0", "", ["*", "10.0.0.0/8"], ["pods", "*"])
    },
    "security_rule_priority_taken: by a twin": ("security_rule_priority_taken", shared(("theirs", "inbound", 101)), "pods-to-nodes"),
    "security_rule_priority: too low": ("security_rule_priority", security({"name": "a", "priority": 99}), "network_security_rules.a"),
    "security_rule_priority: taken by a twin": (
        "security_rule_priority",
        security({"name": "a", "priority": 100, "source": "pods"}, {"name": "b", "priority": 101}),
        "network_security_rules.b",
    ),
    "security_rule_protocol: unknown": (
        "security_rule_protocol",
        security({"name": "a", "priority": 100, "protocol": "Icmpv6"}),
        "network_security_rules.a",
    ),
    "security_rule_limits: too many rules": (
        "security_rule_limits",
        security(*({"name": f"r{number}", "priority": 100 + number} for number in range(1001))),
        "network_security_rules",
    ),
}

# Good worlds, many of them just inside a limit
PASSING: dict[str, Case] = {
    "good": (SPECIFICATION, REGISTER),
    "addresses only": (BARE, REGISTER),
    "beside another stamp": (
        SPECIFICATION,
        address_plan({**SPECIFICATION, "stamp": "northeurope"}, REGISTER)["register"],
    ),
    "a prefix of others, with a subnet in it": live("10.0.0.0/20", "10.250.0.0/24", AzureBastionSubnet=["10.250.0.0/26"]),
    "a prefix of others on a subnet of ours": live(nodes=["10.0.0.0/22", "fde9:f6a4:ab3d::/64", "10.0.15.0/24"]),
    "live subnets, spelt otherwise": live(nodes=["FDE9:F6A4:AB3D:0:0:0:0:0/64", "10.0.0.0/22"], theirs=["10.0.15.0/24"]),
    "subnets fill the virtual network": specified(
        subnets={"nodes": {"ipv4_prefix_length": 21}, "other": {"ipv4_prefix_length": 21, "families": ["IPv4"]}}
    ),
    "the smallest subnet": subnet(ipv4_prefix_length=29, families=["IPv4"]),
    "the smallest of each purpose": specified(
        subnets={
            "nodes": {"ipv4_prefix_length": 22, "purpose": "nodes"},
            **{
                row.name or purpose: {"ipv4_prefix_length": row.longest, "purpose": purpose}
                for purpose, row in PURPOSES.items()
                if purpose != "nodes"
            },
        }
    ),
    "each purpose by Azure's names and delegations": specified(
        subnets={
            "nodes": {"ipv4_prefix_length": 22},
            **{
                row.name or purpose: {"ipv4_prefix_length": row.longest} | ({"delegation": row.delegation} if row.delegation else {})
                for purpose, row in PURPOSES.items()
                if purpose != "nodes"
            },
            "databases": {"ipv4_prefix_length": 28, "delegation": "Microsoft.DBforPostgreSQL/flexibleServers"},
        }
    ),
    "a live subnet of another size, with IPv6": (
        {**subnet("AzureBastionSubnet", ipv4_prefix_length=27, families=["IPv4", "IPv6"])[0], "live_subnets": {"azurebastionsubnet": []}},
        subnet("AzureBastionSubnet", ipv4_prefix_length=27, families=["IPv4", "IPv6"])[1],
    ),
    "a role that does not read the network": (
        {name: value for name, value in subnet("AzureBastionSubnet", ipv4_prefix_length=27)[0].items() if name != "live_subnets"},
        subnet("AzureBastionSubnet", ipv4_prefix_length=27)[1],
    ),
    "a live delegation, in another case": in_use("other", ["microsoft.web/serverfarms"], delegation="Microsoft.Web/serverFarms"),
    "a delegation for an application gateway that runs": in_use("other", [], purpose="application_gateway"),
    "a subnet of a network that is brought": (
        {**subnet("AzureBastionSubnet", ipv4_prefix_length=27)[0], "existing_vnet_id": "/v"},
        subnet("AzureBastionSubnet", ipv4_prefix_length=27)[1],
    ),
    "nodes in a subnet that declares it": other_nodes(purpose="nodes"),
    "subnet names": specified(
        subnets={name: {"ipv4_prefix_length": 24} for name in ("a", "a.b-c_", "n" * 63, "0")} | {"nodes": {"ipv4_prefix_length": 24}}
    ),
    "retired subnet of this stamp beside the others": (SPECIFICATION, {**REGISTER, "retired": {"westeurope": {"old": {"ipv4": "10.0.5.0/24"}}}}),
    "retired range of another stamp": (SPECIFICATION, {**REGISTER, "retired": {"northeurope": {"vnet": {"ipv4": "10.0.0.0/20"}}}}),
    "AKS' default ranges, of two clusters": (
        merged(SPECIFICATION, {"cluster": {"dns_service_ip": "10.0.0.10"}, "subnets": {"nodes": {"ipv4_prefix_length": 22}}}),
        {"stamps": {"westeurope": AKS_DEFAULTS, "northeurope": AKS_DEFAULTS}},
    ),
    "networks that do not reach each other": elsewhere(
        vnet={"ipv4": "10.0.0.0/8", "ipv6": "fde9:f6a4:ab3d::/48"}, pods={"ipv4": "10.0.0.0/16"}, services={"ipv4": "10.0.0.0/16"}
    ),
    "peered, with pods and services in common": peered(pods={"ipv4": "10.128.0.0/16"}, services={"ipv4": "10.192.0.0/16"}),
    "peered in Azure": live_peer("10.1.0.0/16", "2001:db8:1::/56", vnet={"ipv4": "10.1.0.0/20"}),
    "a network and a subnet with two prefixes": (
        {**SPECIFICATION, "live_subnets": {"nodes": ["10.9.0.0/24", "fde9:f6a4:ab3d::/64", "10.0.0.0/22"]}},
        merged(
            REGISTER,
            {"stamps": {"westeurope": {"vnet": {"ipv4": ["10.0.0.0/20", "10.9.0.0/16"]}, "nodes": {"ipv4": ["10.0.0.0/22", "10.9.0.0/24"]}}}},
        ),
    ),
    "IPv4 neighbours": elsewhere(vnet={"ipv4": "10.0.16.0/20"}, pods={"ipv4": "10.129.0.0/16"}),
    "the longest IPv6 virtual network": (
        {**SPECIFICATION, "subnets": {"nodes": {"ipv4_prefix_length": 22}}},
        merged(
            {"stamps": {"westeurope": {name: REGISTER["stamps"]["westeurope"][name] for name in ("vnet", "pods", "services", "nodes")}}},
            {"stamps": {"westeurope": {"vnet": {"ipv6": "fde9:f6a4:ab3d::/64"}}}},
        ),
    ),
    "the largest IPv4 service range": registered(services={"ipv4": "10.200.0.0/13"}),
    "the smallest IPv4 service range": registered(services={"ipv4": "10.192.0.0/28"}),
    "a smaller IPv6 service range": registered(services={"ipv6": "fde9:f6a4:ab3d:200::/112"}),
    "next to a reserved range": registered(services={"ipv4": "172.29.240.0/20"}),
    "own global prefix": specified(ipv6_prefix="2001:db8::/32"),
    "own unique local prefix": specified(ipv6_prefix="fc12:3456:789a::/48"),
    "ports that clients reach": listening(SQL),
    "IPv4 clients alone, without IPv6": listening({**SQL, "source": "198.51.100.0/24"}, families=["IPv4"]),
    "TLS that nothing listens for": listening({**SQL, "destination_ports": ["80", "5432"]}),
    "another network's group that lets clients in": listening_elsewhere(),
    "a network whose groups were not read": specified(entrances=LISTENING, existing_vnet_id="/vnets/theirs", security_rules=[]),
    "DNS service at the second address": cluster(dns_service_ip="10.192.0.2"),
    "as many nodes as there are pod ranges": pool(max_count=232, max_surge="24"),
    "as many nodes as the subnet has addresses": (
        merged(pool(max_count=1000, max_surge="19")[0], {"pods_ipv4_prefix_length": 13}),
        merged(REGISTER, {"stamps": {"westeurope": {"pods": {"ipv4": "10.136.0.0/13"}}}}),
    ),
    "as many nodes as AKS takes": (
        merged(
            specified(
                cluster={"node_pools": [{"name": f"pool{number}", "mode": "System", "max_count": 1000, "max_surge": 1} for number in range(5)]}
            )[0],
            {"subnets": {"nodes": {"ipv4_prefix_length": 19}}},
        ),
        {
            "stamps": {
                "westeurope": {
                    **REGISTER["stamps"]["westeurope"],
                    "vnet": {"ipv4": "10.0.0.0/18", "ipv6": "fde9:f6a4:ab3d::/56"},
                    "nodes": {"ipv4": "10.0.32.0/19", "ipv6": "fde9:f6a4:ab3d::/64"},
                    "pods": {"ipv4": "10.160.0.0/11", "ipv6": "fde9:f6a4:ab3d:100::/64"},
                }
            }
        },
    ),
    "the nodes' subnet in another case": cluster(node_subnet="NODES"),
    "zones left open": pool(zones=None),
    "pods at the limits": cluster(node_pools=[{"name": "a", "mode": "System", "max_pods": 10}, {"name": "b", "max_pods": 250}, {"name": "c"}]),
    "a role's number of pods that no pool takes": cluster(max_pods=5, node_pools=[{"name": "a", "mode": "System", "max_pods": 10}]),
    "pool names": cluster(node_pools=[{"name": "a", "mode": "System"}, {"name": "abcdefghijkl"}, {"name": "a1"}]),
    "Windows without Cilium": windows(),
    **{f"{image} with {version}": windows(version, os_sku=image) for image, version in WINDOWS_FIT},
    "a region without zones": pool(zones=[]),
    "the smallest disk": pool(os_disk_size_gb=30),
    "the largest disk": pool(os_disk_size_gb=2048),
    "as many nodes as there are pod ranges with the surge that the role sends": pool(max_count=192),
    "pools at the limits": cluster(
        node_pools=[
            {"name": "system", "mode": "System", "min_count": 1, "max_count": 100, "os_sku": "AzureLinux", "vm_size": "Standard_DC4as_v5"},
            {"name": "apps", "min_count": 0, "count": 0, "max_count": 1},
        ]
    ),
    "live pools that are declared": grown({"name": "work", "count": 900}, {"name": "batch", "count": 1, "upgradeSettings": {"maxSurge": "1"}}),
    "nodes in another network": cluster(node_subnet=""),
    "no pools to check": specified(cluster={"node_pools": [{"name": "a", "mode": "System"}], "node_subnet_id": None}),
    "the load balancer": cluster(egress="load_balancer", outbound_type="loadBalancer"),
    "a route table": cluster(egress="load_balancer", outbound_type="userDefinedRouting"),
    "a gateway of a network that is brought": cluster(egress="load_balancer", existing_vnet_id="/v"),
    "no role for the network": cluster(egress=""),
    "ports": security(
        {"name": "a", "priority": 100, "source_ports": ["0", "65535", "1-65535"], "destination_ports": 443},
        {"name": "b", "priority": 110, "source_ports": "*"},
    ),
    "prefixes": security(
        {"name": "a", "priority": 100, "source": ["10.0.0.1", "fd00::1", "fd00::/8", "Storage.WestEurope"], "destination": ["vnet", "Internet"]},
        {"name": "n" * 75, "priority": 110, "source": "services"},
    ),
    "rules of others beside ours": shared(("theirs", "Inbound", 300), ("theirs-out", "Outbound", 100), ("WEB", "Inbound", 4095)),
    "other subnets in a network that is brought": ({**live(theirs=["10.250.0.0/26"])[0], "existing_vnet_id": "/v"}, REGISTER),
    "no scaling": pool(count=7),
    "scaling without a count": pool(min_count=3, max_count=3),
    "no network policy": cluster(network_policy="none", network_dataplane="azure"),
    "the first version with Cilium": cluster(kubernetes_version="1.29"),
    "an old version without Cilium": cluster(kubernetes_version="1.28", network_policy="none", network_dataplane="azure"),
    "the cluster's own outbound addresses in the allow-list": authorized("0.0.0.0/32"),
    "IPv4 NAT gateway not used": cluster(egress="load_balancer", outbound_type="loadBalancer", nat_gateway_sku="Standard"),
    "200 authorized ranges": authorized(*(f"20.0.0.{number}" for number in range(200))),
    "private cluster": authorized(private=True),
    "public IP prefixes": specified(public_ip_prefixes={"ipv4": {"length": 31}, "ipv6": {"length": 127}}),
    "the same priority in both directions": security({"name": "a", "priority": 100}, {"name": "b", "priority": 100, "direction": "Outbound"}),
    "priorities at the limits": security({"name": "a", "priority": 100, "source": "pods"}, {"name": "b", "priority": 4096}),
    "Icmp between IPv4 prefixes": security({"name": "a", "priority": 100, "protocol": "Icmp", "source": "10.0.0.0/8"}),
    "4,000 prefixes": security({"name": "a", "priority": 100, "source": MANY_PREFIXES[:4000]}),
}


def assert_explained(violation: Violation) -> None:
    assert [key for key, value in asdict(violation).items() if not value.strip()] == []
    assert violation.reference.startswith("https://")


def test_every_rule_has_a_case() -> None:
    assert sorted(FAILING) == sorted(rule.id for chapter in CHAPTERS for rule in chapter.rules)


@pytest.mark.parametrize("identifier", FAILING)
def test_failing(identifier: str) -> None:
    found = [violation for violation in plan_violations(*FAILING[identifier]) if violation.rule == identifier]
    assert found
    for violation in found:
        assert_explained(violation)


@pytest.mark.parametrize("name", ALSO_FAILING)
def test_also_failing(name: str) -> None:
    identifier, case, subject = ALSO_FAILING[name]
    found = [violation for violation in plan_violations(*case) if violation.rule == identifier]
    assert [violation for violation in found if subject in violation.subject]
    for violation in found:
        assert_explained(violation)


@pytest.mark.parametrize("name", PASSING)
def test_passing(name: str) -> None:
    assert plan_violations(*PASSING[name]) == []


# (case, what the warning says)
WARNINGS: dict[str, tuple[Case, list[str]]] = {
    "Services of stamps that are declared as peered": (
        peered(services={"ipv4": "10.192.0.0/16"}),
        ["westeurope.services: 10.192.0.0/20 overlaps 10.192.0.0/16 of northeurope.services"],
    ),
    "Services of stamps that are peered in Azure": (
        live_peer("10.1.0.0/16", vnet={"ipv4": "10.1.0.0/20"}, services={"ipv4": "10.192.0.0/16"}),
        ["westeurope.services: 10.192.0.0/20 overlaps 10.192.0.0/16 of northeurope.services"],
    ),
    "Services of stamps that are not": (elsewhere(vnet={"ipv4": "10.1.0.0/20"}, services={"ipv4": "10.192.0.0/16"}), []),
    "Services of another network that is peered in Azure": (
        live_peer("10.2.0.0/16", vnet={"ipv4": "10.1.0.0/20"}, services={"ipv4": "10.192.0.0/16"}),
        [],
    ),
    "networks that can never be peered": (
        elsewhere(vnet={"ipv4": "10.0.0.0/16", "ipv6": "2001:db8::/56"}),
        ["westeurope.vnet: 10.0.0.0/20 overlaps 10.0.0.0/16 of northeurope.vnet: the two networks cannot be peered"],
    ),
    "stamps in one network": (elsewhere(vnet=REGISTER["stamps"]["westeurope"]["vnet"]), []),
    "peered networks that overlap, which is refused": (peered(vnet={"ipv4": "10.0.0.0/16"}), []),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_warnings(name: str) -> None:
    (specification, register), expected = WARNINGS[name]
    _, _, found = plan_problems(specification, register)
    assert [text for text in expected if not any(line.startswith(text) for line in found)] == []
    assert len(found) == len(expected)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_every_purpose(purpose: str) -> None:
    """One step beyond its sizes is refused, and its security rules break no rule."""
    row = PURPOSES[purpose]
    lengths = {row.longest + 1: False, row.shortest - 1: False, row.longest: True, row.shortest: True}
    for length, is_accepted in lengths.items():
        specification = merged(SPECIFICATION, {"subnets": {row.name or "other": {"ipv4_prefix_length": length, "purpose": purpose}}})
        broken = {violation.rule for violation in plan_violations(specification, REGISTER)}
        assert ("subnet_purpose_size" not in broken and "subnet_ipv4_length" not in broken) is is_accepted
    rules, register = security(*row.security_rules)
    assert [found for found in plan_violations(rules, register) if found.rule.startswith("security_")] == []


def test_several_at_once() -> None:
    specification = merged(
        SPECIFICATION,
        {
            "subnets": {"nodes": {"ipv4_prefix_length": 30, "families": ["IPv6"]}},
            "cluster": {"network_policy": "calico", "node_pools": [{"name": "Work", "mode": "System", "zones": ["1"], "max_pods": 5}]},
            "security_rules": [{"name": "a", "priority": 50, "protocol": "Gre"}],
        },
    )
    found = [violation.rule for violation in plan_violations(specification, {})]
    expected = [
        "unregistered",
        "subnet_families",
        "subnet_ipv4_length",
        "node_subnet_dual_stack",
        "pool_max_pods",
        "pool_name",
        "pool_zones",
        "network_policy",
        "security_rule_priority",
        "security_rule_protocol",
    ]
    assert list(dict.fromkeys(found)) == expected


def test_one_violation_for_each_subject() -> None:
    found = plan_violations(*cluster(node_pools=[{"name": "A", "mode": "System"}, {"name": "b"}, {"name": "C"}]))
    assert [(violation.rule, violation.subject) for violation in found] == [
        ("pool_name", "aks_node_pools.A"),
        ("pool_name", "aks_node_pools.C"),
    ]


def test_the_remedy_of_unregistered_is_what_plan_registers() -> None:
    """One problem is one line, whatever it is made of."""
    [violation] = [violation for violation in plan_violations(SPECIFICATION, {}) if violation.rule == "unregistered"]
    assert violation.subject == "westeurope"
    for name, families in REGISTER["stamps"]["westeurope"].items():
        assert name in violation.found
        assert all(text in violation.remedy for text in families.values())


def test_a_name_that_comes_back_is_only_unregistered() -> None:
    stamp = dict(REGISTER["stamps"]["westeurope"])
    register = {"stamps": {"westeurope": stamp}, "retired": {"westeurope": {"nodes": stamp.pop("nodes")}}}
    found = plan_violations(SPECIFICATION, register)
    assert [(violation.rule, violation.found) for violation in found] == [("unregistered", "the register lacks nodes")]


# What cannot be read at all: either a message that names it, or a violation; never another exception.
UNREADABLE: dict[str, tuple[Specification, str]] = {
    "surge": (pool(max_surge="many")[0], "many"),
    "surge of a share": (pool(max_surge="x%")[0], "x%"),
    "max_pods": (pool(max_pods="many")[0], "many"),
    "max_count": (pool(max_count="many")[0], "many"),
    "dns_service_ip": (cluster(dns_service_ip="10.192.0.300")[0], "10.192.0.300"),
    "length of a public prefix": (specified(public_ip_prefixes={"ipv4": {"length": "small"}})[0], "small"),
    "IPv6 prefix": (merged(SPECIFICATION, {"ipv6_prefix": "fd00"}), "fd00"),
    "security rule without priority": (merged(SPECIFICATION, {"security_rules": [{"name": "lonely"}]}), "lonely"),
    "security rule with an unknown subnet": (
        merged(SPECIFICATION, {"security_rules": [{"name": "a", "priority": 100, "source": "subnet:missing"}]}),
        "missing",
    ),
    "subnet length": (merged(SPECIFICATION, {"subnets": {"nodes": {"ipv4_prefix_length": "large"}}}), "nodes"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable(name: str) -> None:
    specification, word = UNREADABLE[name]
    try:
        found = str(plan_violations(specification, REGISTER))
    except MalformedSpecification as error:
        found = str(error)
    assert word in found
