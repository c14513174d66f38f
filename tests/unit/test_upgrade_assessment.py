"""What an assessment says of a cluster, in each format, and the inventory that makes it a stamp."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.plan import Fleet
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.page import render
from ansible_collections.dualstack.aks.plugins.plugin_utils._role_variables import specified, typed_value
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import Answer
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.assessment import Assessment, assess, upgrade_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.facts import RunningCluster
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.formats import as_json, console, markdown, page
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.ingresses import ingresses_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.inventory import NoInventory, Wishes, inventory_of, stamp_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.pools import pool_of, work_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.reads import ROUNDS, wanted
from tests.unit.upgrade_samples import (
    CLUSTER_ID,
    GATEWAY_ID,
    GROUP,
    NSG_ID,
    POOL,
    RANGES,
    ROUTES_ID,
    SUBNET_ID,
    SUBSCRIPTION,
    VNET_ID,
    body,
    running,
    vnet,
)

WISHES = Wishes("westeurope", "example")
HAPROXY: dict[str, Any] = {
    "metadata": {"name": "haproxy", "namespace": "edge", "labels": {"app": "haproxy"}},
    "spec": {"type": "LoadBalancer", "clusterIP": "10.0.0.9", "ports": [{"port": 80}, {"port": 443}], "ipFamilies": ["IPv4"]},
    "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}},
}
OPEN = {
    "priority": 100,
    "access": "Allow",
    "direction": "Inbound",
    "protocol": "Tcp",
    "sourceAddressPrefix": "203.0.113.0/24",
    "sourcePortRange": "*",
    "destinationAddressPrefix": "*",
    "destinationPortRange": "443",
}
RULE = {"name": "office", "properties": OPEN}
PEERING = {
    "name": "to-hub",
    "properties": {
        "remoteVirtualNetwork": {"id": f"{GROUP}/Microsoft.Network/virtualNetworks/other"},
        "remoteVirtualNetworkAddressSpace": {"addressPrefixes": ["10.90.0.0/16"]},
        "peeringSyncLevel": "LocalNotInSync",
    },
}


def shop(found: Mapping[str, Any] | None = None, **answers: Any) -> RunningCluster:
    """A cluster in a peered network, with a security group and HAProxy."""
    around = {
        "network": vnet({"networkSecurityGroup": {"id": NSG_ID}}, virtualNetworkPeerings=[PEERING]),
        "group": {"properties": {"securityRules": [RULE]}},
        "addresses": {"value": [{"id": "/other", "properties": {}}, {"id": "/pip", "properties": {"ipAddress": "203.0.113.9"}}]},
        "region": {"value": [{"name": "westeurope", "availabilityZoneMappings": [{"logicalZone": zone} for zone in ("1", "2", "3")]}]},
    }
    return running(found, {"Service": [HAPROXY], "NetworkPolicy": [], "PodDisruptionBudget": []}, **{**around, **answers})


def assessed(cluster: RunningCluster, policies: str = "keep") -> Assessment:
    return assess(upgrade_of(cluster, policies, stamp_of(cluster, WISHES, {}).ranges))


#: cluster -> the verdict
VERDICTS: list[tuple[dict[str, Any], str, bool]] = [
    (body(), "shop becomes dual-stack in one step: all 3 nodes are reimaged once, in about 14 minutes.", True),
    (body("kubenet", "calico"), "shop becomes dual-stack in 4 steps: all 3 nodes are reimaged 4 times, in about 56 minutes.", True),
    (
        body(pools=[{}, {"name": "apps", "count": 6}]),
        "shop becomes dual-stack in one step: all 9 nodes are reimaged once, in 28 to 42 minutes.",
        True,
    ),
    (
        body(properties={"provisioningState": "Updating"}),
        "shop becomes dual-stack in one step after you fix one problem: all 3 nodes are reimaged once, in about 14 minutes.",
        True,
    ),
    (body(families=["IPv4", "IPv6"]), "shop has both families already.", True),
    (body("pod_subnet"), "shop cannot become dual-stack as it is.", False),
    (body(policy="calico", pools=[{}, {"name": "win", "osType": "Windows"}]), "shop cannot become dual-stack as it is.", False),
]


@pytest.mark.parametrize(("cluster", "verdict", "has_chain"), VERDICTS)
def test_verdicts(cluster: dict[str, Any], verdict: str, has_chain: bool) -> None:
    found = assessed(shop(cluster))
    assert (found.verdict, found.has_chain) == (verdict, has_chain)
    assert console(found).startswith(verdict[:40])


def test_what_there_is() -> None:
    found = {label: text for section in assessed(shop(body("node_subnet", "azure"))).sections for label, text in section.rows}
    assert found["network"] == "Azure CNI, pods in the nodes' subnet, data plane azure, Azure network policy manager, IPv4"
    assert found["pod ranges"] == "those of the nodes' subnet"
    assert found["system"] == "System, Linux, 3 × Standard_D4ds_v5, 1.34.9, surge 10% = 1, drain 30 min, soak 0 min, schedule"
    assert found["virtual network hub"] == "10.77.0.0/16"
    assert found["subnet aks"] == "10.77.4.0/22, 1019 IPv4 addresses free, security group aks"
    assert found["security group aks"] == "1 rules, 1 for IPv4 alone"
    assert found["peering to-hub"] == "to other (10.90.0.0/16), out of sync"
    assert found["load balancer edge/haproxy"] == "203.0.113.9, SingleStack"
    assert found["ingress edge/haproxy"] == "HAProxy"


def test_what_is_done_around_the_cluster() -> None:
    network = vnet({"networkSecurityGroup": {"id": NSG_ID}, "routeTable": {"id": ROUTES_ID}}, virtualNetworkPeerings=[PEERING])
    nodes = {"name": "nodes", "properties": {**OPEN, "priority": 110, "sourceAddressPrefix": "10.77.4.0/22"}}
    away = {"name": "away", "properties": {"addressPrefix": "10.77.0.0/16", "nextHopType": "None"}}
    policy = {"metadata": {"namespace": "apps", "name": "shop"}, "spec": {"ingress": [{"from": [{"ipBlock": {"cidr": "10.77.0.0/16"}}]}]}}
    cluster = shop(network=network, group={"properties": {"securityRules": [RULE, nodes]}}, routes={"properties": {"routes": [away]}})
    found = assessed(dataclasses.replace(cluster, objects={"NetworkPolicy": [policy]}))
    assert [f"{item.subject} {item.text}" for item in found.preparations] == [
        "virtual network hub gets an IPv6 prefix",
        "subnet aks gets a /64",
        "peering to-hub is brought in sync on both sides, and is out of sync now",
        "security group aks gets rules for IPv6: nodes-ipv6",
        "route table aks gets routes for IPv6: away-ipv6",
        "NetworkPolicy apps/shop gets IPv6 blocks beside its IPv4 ones",
    ]
    cautions = [(item.rule, item.subject) for item in found.cautions if item.rule != "upgrade_disruption_policy"]
    assert cautions == [("upgrade_rule_families", "security rule aks/office")]
    assert assessed(shop(body(families=["IPv4", "IPv6"]))).preparations == ()


def test_a_network_of_aks_is_extended_by_aks() -> None:
    own = body()
    del own["properties"]["agentPoolProfiles"][0]["vnetSubnetID"]
    found = assess(upgrade_of(running(own, network=None, managed_networks={"value": [vnet()]})))
    assert [f"{item.subject} {item.text}" for item in found.preparations] == [
        "virtual network hub AKS adds an IPv6 prefix to it",
        "subnet aks AKS adds a /64 to it",
    ]


def test_formats_say_the_same() -> None:
    cluster = shop(body("kubenet", "calico", properties={"provisioningState": "Updating"}))
    unread = RunningCluster(cluster.id, {**cluster.answers, "usages": Answer(False, {}, "AuthorizationFailed: no")}, cluster.objects)
    found = assess(upgrade_of(unread, "keep", RANGES))
    texts = {"console": console(found), "markdown": markdown(found), "page": page(found, "2026-11-30T12:00:00Z"), "json": as_json(found)}
    for name, text in texts.items():
        flat = " ".join(text.split())
        for words in ("upgrade_busy", "quotas of the region", "gets an IPv6 prefix", "policy_none", "upgrade_disruption_policy", "nat64"):
            assert words in flat, (name, words)
    assert max(map(len, texts["console"].splitlines())) <= 92
    read = json.loads(texts["json"])
    assert [step["kind"] for step in read["steps"]] == ["policy_none", "overlay", "cilium", "dual_stack"]
    assert read["steps"][0]["work"] == {
        "nodes": 3,
        "surge_nodes": 1,
        "cores": {"cores": 4, "standardDDSv5Family": 4},
        "unknown_sizes": [],
        "least_minutes": 14,
        "most_minutes": 14,
    }
    assert "recorded" in read["basis"] and "recorded" in texts["markdown"]


def test_what_a_name_says_stays_in_its_place() -> None:
    """Names of others are text on the page, and one cell in a table."""
    found = assess(upgrade_of(shop(body(pools=[{"name": "a|b<script>\n"}]))))
    assert "<script>" not in page(found, "") and "a\\|b" in markdown(found) and "| a|b" not in markdown(found)
    with pytest.raises(Exception, match="assessment"):
        render("assessment.html")


#: pool -> surge nodes, rounds
POOLS: list[tuple[dict[str, Any], int, int]] = [
    ({"count": 3, "upgradeSettings": {}}, 1, 3),
    ({"count": 11, "upgradeSettings": {"maxSurge": "10%"}}, 2, 6),
    ({"count": 9, "upgradeSettings": {"maxSurge": "33%"}}, 3, 3),
    ({"count": 9, "upgradeSettings": {"maxSurge": "4"}}, 4, 3),
    ({"count": 4, "upgradeSettings": {"maxSurge": "0", "maxUnavailable": "2"}}, 0, 2),
    ({"count": 4, "upgradeSettings": {"maxSurge": "0", "maxUnavailable": "0"}}, 1, 4),
    ({"count": 0, "upgradeSettings": {"maxSurge": "10%"}}, 0, 0),
]


@pytest.mark.parametrize(("settings", "surge", "rounds"), POOLS)
def test_surge_nodes(settings: dict[str, Any], surge: int, rounds: int) -> None:
    pool = pool_of({**POOL, **settings})
    assert (pool.surge, pool.rounds) == (surge, rounds)


def test_soak_times_count_and_unknown_sizes_are_named() -> None:
    work = work_of([pool_of({**POOL, "vmSize": "Standard_X", "upgradeSettings": {"nodeSoakDurationInMinutes": 10}})], {})
    assert (work.least_minutes, work.unknown_sizes, dict(work.cores)) == (44, ("Standard_X",), {})


def test_reads_follow_from_the_cluster() -> None:
    bodies = {
        "cluster": body(profile={"outboundType": "userAssignedNATGateway"}),
        f"network {VNET_ID.lower()}": vnet(
            {"networkSecurityGroup": {"id": NSG_ID}, "routeTable": {"id": ROUTES_ID}, "natGateway": {"id": GATEWAY_ID}},
            {"id": f"{VNET_ID}/subnets/db", "name": "db", "properties": {"networkSecurityGroup": {"id": "/others"}}},
        ),
    }
    answers: dict[str, Answer] = {}
    rounds = []
    for _ in range(ROUNDS + 1):
        reads = wanted(CLUSTER_ID, answers)
        rounds.append([*reads])
        answers |= {name: Answer(name in bodies, bodies.get(name, {})) for name in reads}
    around = [f"group {NSG_ID}".lower(), f"routes {ROUTES_ID}".lower(), f"gateway {GATEWAY_ID}".lower()]
    assert rounds == [["cluster"], ["usages", "sizes", "region", "locks", "addresses", f"network {VNET_ID}".lower()], around, []]
    assert wanted(CLUSTER_ID, {"cluster": Answer(False)}) == {}


def inventory(
    cluster: RunningCluster, wishes: Wishes = WISHES, register: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], dict[str, Any], str]:
    """The stamp's variables, the register, and the text of the stamp's file."""
    stamp = stamp_of(cluster, wishes, register or {})
    files = inventory_of(cluster, ingresses_of(cluster), wishes, stamp)
    assert list(files) == [f"{wishes.stamp}.yml", "group_vars/regions/addresses.yml"]
    text = files[f"{wishes.stamp}.yml"]
    read = yaml.safe_load(text)["regions"]["hosts"][wishes.stamp]
    return read, yaml.safe_load(files["group_vars/regions/addresses.yml"])["dualstack_register"], text


def test_the_inventory_of_an_ipv4_only_cluster_proposes_what_it_lacks() -> None:
    variables, register, text = inventory(shop())
    assert register["stamps"] == {
        "westeurope": {
            "vnet": {"ipv4": "10.77.0.0/16", "ipv6": "fde9:f6a4:ab3d::/56"},
            "pods": {"ipv4": "10.244.0.0/16", "ipv6": "fde9:f6a4:ab3d:100::/64"},
            "services": {"ipv4": "10.0.0.0/16", "ipv6": "fde9:f6a4:ab3d:200::/108"},
            "aks": {"ipv4": "10.77.4.0/22", "ipv6": "fde9:f6a4:ab3d::/64"},
        }
    }
    assert variables == {
        "dualstack_subscription_id": SUBSCRIPTION.rpartition("/")[2],
        "dualstack_organisation": "example",
        "network_existing_vnet_id": VNET_ID,
        "dualstack_subnets": {"aks": {"ipv4_prefix_length": 22, "purpose": "nodes", "families": ["IPv4", "IPv6"]}},
        "aks_existing_id": CLUSTER_ID,
        "aks_node_subnet_id": SUBNET_ID,
        "aks_kubernetes_version": "1.34",
        "registry_enabled": False,
        "keyvault_enabled": False,
        "network_existing_entrance_ipv4_id": "/pip",
        "aks_entrance_resource_group_ids": [
            "{{ aks_resource_group | dualstack.aks.resource_id('Microsoft.Resources/resourceGroups', subscription_id=aks_subscription_id) }}"
        ],
        "ingress_mode": "nat64",
        "ingress_upstream": "ingress",
        "ingress_upstream_ingress": {"service": "haproxy", "namespace": "edge"},
    }
    assert "http-request set-src req.hdr(x-forwarded-for) if { src 10.244.0.0/16 }" in text
    for name, value in variables.items():
        if name in specified():
            typed_value(name, value)
    # A plan on top of that register has nothing to add to it.
    specification = {"organisation": "example", "stamp": "westeurope", "subnets": variables["dualstack_subnets"]}
    fleet = Fleet(register)
    fleet.plan(specification)
    assert fleet.register()["stamps"] == register["stamps"]


def test_the_inventory_of_a_dual_stack_cluster_has_its_live_ranges() -> None:
    both = {"podCidrs": ["10.244.0.0/16", "fd77:0:0:100::/64"], "serviceCidrs": ["10.0.0.0/16", "fd77:0:0:200::/108"]}
    network = vnet({"addressPrefixes": ["10.77.4.0/22", "fd77:0:0:5::/64"]}, prefixes=["10.77.0.0/16", "fd77::/56"])
    _variables, register, _text = inventory(shop(body(families=["IPv4", "IPv6"], profile=both), network=network))
    assert register["stamps"]["westeurope"] == {
        "vnet": {"ipv4": "10.77.0.0/16", "ipv6": "fd77::/56"},
        "pods": {"ipv4": "10.244.0.0/16", "ipv6": "fd77:0:0:100::/64"},
        "services": {"ipv4": "10.0.0.0/16", "ipv6": "fd77:0:0:200::/108"},
        "aks": {"ipv4": "10.77.4.0/22", "ipv6": "fd77:0:0:5::/64"},
    }


def test_other_stamps_and_other_subnets_are_left_alone() -> None:
    theirs = {"vnet": {"ipv4": "10.200.0.0/20", "ipv6": "fd12:3456:789a::/56"}}
    other = {"id": f"{VNET_ID}/subnets/db", "name": "db", "properties": {"addressPrefixes": ["10.77.8.0/24", "fd77::/64"]}}
    network = vnet({}, other, prefixes=["10.77.0.0/16", "fd77::/56"])
    register = {"stamps": {"northeurope": theirs}, "retired": {"old": {"vnet": {"ipv4": "10.201.0.0/20"}}}}
    _variables, found, _text = inventory(shop(network=network), register=register)
    assert found["stamps"]["northeurope"] == theirs and found["retired"] == register["retired"]
    # The first /64 is the other subnet's.
    assert found["stamps"]["westeurope"]["aks"] == {"ipv4": "10.77.4.0/22", "ipv6": "fd77:0:0:80::/64"}
    assert "db" not in found["stamps"]["westeurope"]


def test_another_stamp_name_another_region() -> None:
    variables, register, _text = inventory(
        shop(region={"value": [{"name": "westeurope", "availabilityZoneMappings": []}]}), Wishes("shop", "example", "2001:db8::/40")
    )
    assert (variables["dualstack_location"], variables["network_zones"]) == ("westeurope", [])
    assert register["stamps"]["shop"]["vnet"]["ipv6"] == "2001:db8::/56"


def test_a_cluster_without_ingress_says_what_to_name() -> None:
    cluster = shop()
    variables, _register, text = inventory(RunningCluster(cluster.id, cluster.answers, {"Service": []}))
    assert not any(name.startswith("ingress_") for name in variables)
    assert "# No ingress was found in the cluster." in text


def test_ports_of_an_ingress() -> None:
    service = {**HAPROXY, "spec": {**HAPROXY["spec"], "ports": [{"name": "http", "port": 8080}]}}
    other = {**HAPROXY, "metadata": {"name": "inner", "namespace": "edge", "labels": {"app": "haproxy"}}}
    cluster = shop()
    variables, _register, text = inventory(RunningCluster(cluster.id, cluster.answers, {"Service": [service, other]}))
    assert variables["ingress_upstream_ingress"] == {"service": "haproxy", "namespace": "edge", "port": 8080, "https_port": 0}
    assert "# Also found: HAProxy, Service edge/inner." in text


#: cluster, register -> why there is no inventory
NONE: list[tuple[RunningCluster, dict[str, Any], str]] = [
    (shop(network=None), {}, "virtual network of shop could not be seen"),
    (shop(network={"id": VNET_ID, "properties": {"subnets": []}}), {}, "subnets of the nodes of shop could not be seen"),
    (
        shop(
            body(pools=[{"vnetSubnetID": f"{VNET_ID}/subnets/pods"}]),
            network=vnet({}, {"id": f"{VNET_ID}/subnets/pods", "name": "pods", "properties": {}}),
        ),
        {},
        "reserves the name pods of the nodes' subnet",
    ),
    (shop(), {"stamps": {"northeurope": {"pods": {"ipv6": "fde9:f6a4:ab3d:100::/64"}}}}, "used by another registered name"),
]


@pytest.mark.parametrize(("cluster", "register", "reason"), NONE)
def test_no_inventory(cluster: RunningCluster, register: dict[str, Any], reason: str) -> None:
    with pytest.raises(NoInventory, match=reason):
        stamp_of(cluster, WISHES, register)


#: A cluster as Azure answered it before an update to dual-stack that the Azure CLI's tests recorded (azure-cli, test_aks_update_dualstack): `az aks
#: create` with one family, in a network that AKS made.
RECORDED: dict[str, Any] = {
    "location": "westus2",
    "identity": {"type": "SystemAssigned"},
    "sku": {"name": "Base", "tier": "Free"},
    "properties": {
        "provisioningState": "Succeeded",
        "powerState": {"code": "Running"},
        "kubernetesVersion": "1.31.1",
        "currentKubernetesVersion": "1.31.1",
        "agentPoolProfiles": [
            {
                "name": "nodepool1",
                "count": 3,
                "vmSize": "Standard_DS2_v2",
                "maxPods": 250,
                "type": "VirtualMachineScaleSets",
                "enableAutoScaling": False,
                "provisioningState": "Succeeded",
                "powerState": {"code": "Running"},
                "orchestratorVersion": "1.31.1",
                "currentOrchestratorVersion": "1.31.1",
                "enableNodePublicIP": False,
                "mode": "System",
                "osType": "Linux",
                "osSKU": "Ubuntu",
                "upgradeSettings": {"maxSurge": "10%"},
            }
        ],
        "servicePrincipalProfile": {"clientId": "msi"},
        "nodeResourceGroup": "MC_clitest000001_cliakstest000002_westus2",
        "networkProfile": {
            "networkPlugin": "azure",
            "networkPluginMode": "overlay",
            "networkPolicy": "none",
            "networkDataplane": "azure",
            "loadBalancerSku": "standard",
            "loadBalancerProfile": {"managedOutboundIPs": {"count": 1}, "backendPoolType": "nodeIPConfiguration"},
            "podCidr": "10.244.0.0/16",
            "serviceCidr": "10.0.0.0/16",
            "dnsServiceIP": "10.0.0.10",
            "outboundType": "loadBalancer",
            "podCidrs": ["10.244.0.0/16"],
            "serviceCidrs": ["10.0.0.0/16"],
            "ipFamilies": ["IPv4"],
        },
        "disableLocalAccounts": False,
        "securityProfile": {},
        "oidcIssuerProfile": {"enabled": False},
    },
}
#: The shape of a public export (`az aks show`) of a kubenet cluster with Calico: what is not set is null.
EXPORTED: dict[str, Any] = {
    "location": "eastus",
    "identity": {"type": "UserAssigned"},
    "sku": {"name": "Basic", "tier": "Free"},
    "properties": {
        "provisioningState": "Succeeded",
        "powerState": {"code": "Running"},
        "kubernetesVersion": "1.30.4",
        "aadProfile": None,
        "addonProfiles": None,
        "agentPoolProfiles": [
            {
                "name": "agentpool",
                "count": 2,
                "vmSize": "Standard_DS2_v2",
                "maxCount": None,
                "enableAutoScaling": None,
                "maxPods": 110,
                "type": "VirtualMachineScaleSets",
                "mode": "System",
                "osType": "Linux",
                "orchestratorVersion": "1.30.4",
                "currentOrchestratorVersion": None,
                "podSubnetId": None,
                "vnetSubnetID": None,
                "powerState": {"code": "Running"},
                "upgradeSettings": None,
            }
        ],
        "nodeProvisioningProfile": None,
        "nodeResourceGroup": "MC_rg_shop_eastus",
        "networkProfile": {
            "dnsServiceIp": "10.0.0.10",
            "ipFamilies": ["IPv4"],
            "loadBalancerProfile": {
                "allocatedOutboundPorts": None,
                "managedOutboundIPs": {"count": 1, "countIPv6": None},
                "outboundIPs": None,
                "outboundIPPrefixes": None,
            },
            "loadBalancerSku": "Standard",
            "natGatewayProfile": None,
            "networkMode": None,
            "networkPlugin": "kubenet",
            "networkPluginMode": None,
            "networkPolicy": "calico",
            "outboundType": "loadBalancer",
            "podCidr": "10.244.0.0/16",
            "podCidrs": ["10.244.0.0/16"],
            "serviceCidr": "10.0.0.0/16",
            "serviceCidrs": ["10.0.0.0/16"],
        },
    },
}
SHAPES = [(RECORDED, ["dual_stack"]), (EXPORTED, ["policy_none", "overlay", "cilium", "dual_stack"])]


@pytest.mark.parametrize(("shape", "kinds"), SHAPES)
def test_clusters_of_others(shape: dict[str, Any], kinds: list[str]) -> None:
    """The right chain, and no violation that is none."""
    managed = {"value": [{"id": VNET_ID, "properties": {"addressSpace": {"addressPrefixes": ["10.224.0.0/12"]}, "subnets": []}}]}
    found = assess(upgrade_of(running(shape, network=None, managed_networks=managed)))
    assert [step.kind for step in found.steps] == kinds
    assert (found.has_chain, found.refusals, found.blockers) == (True, (), ())
    assert [caution.rule for caution in found.cautions] == ["upgrade_disruption_policy"]
    for text in (console(found), markdown(found), page(found, ""), as_json(found)):
        assert kinds[0] in text


def test_the_last_step_sends_what_was_recorded() -> None:
    """The Azure CLI sent both families and one outbound address of IPv6, and no ranges; Azure took it."""
    [step] = upgrade_of(running(RECORDED), ranges=None).steps or ()
    assert dict(step.change) == {"ipFamilies": ["IPv4", "IPv6"], "loadBalancerProfile.managedOutboundIPs.countIPv6": 1}
