"""What is refused, and what is told, before a running cluster is upgraded to dual-stack."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import Answer, Chapter
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.upgrading import CAUTIONS, CHAPTER, PREFLIGHT, START, Start, Upgrade
from tests.unit.upgrade_samples import (
    CLUSTER_ID,
    GATEWAY_ID,
    GROUP,
    NODES,
    NSG_ID,
    POOL,
    ROUTES_ID,
    SUBNET_ID,
    SUBSCRIPTION,
    VNET_ID,
    body,
    upgrade,
    usages,
    vnet,
)

MOVED = body("node_subnet")
WINDOWS: dict[str, Any] = {"name": "win", "mode": "User", "osType": "Windows"}
NAT = {"outboundType": "userAssignedNATGateway"}
WITH_GATEWAY = vnet({"natGateway": {"id": GATEWAY_ID}})
LINK = {"resourceNavigationLinks": [{"name": "link", "properties": {"link": "/redis"}}]}
LONG = "s" * 64
MASQUERADE = {"ConfigMap": [{"metadata": {"name": "azure-ip-masq-agent-config", "namespace": "kube-system"}}]}
ROUTED = vnet({"routeTable": {"id": ROUTES_ID}})


def budget(pods: int | None = 2, **spec: Any) -> dict[str, Any]:
    """Objects with one PodDisruptionBudget."""
    status = {} if pods is None else {"status": {"expectedPods": pods}}
    return {"PodDisruptionBudget": [{"metadata": {"name": "shop", "namespace": "apps"}, "spec": spec, **status}]}


def workload(replicas: int | None, namespace: str = "apps") -> dict[str, Any]:
    """Objects with one Deployment."""
    spec = {} if replicas is None else {"replicas": replicas}
    return {"Deployment": [{"metadata": {"name": "shop", "namespace": namespace}, "spec": spec}]}


def service(policy: str, kind: str = "LoadBalancer") -> dict[str, Any]:
    """Objects with one Service."""
    spec = {"type": kind, "ipFamilyPolicy": policy, "ipFamilies": ["IPv4"]}
    return {"Service": [{"metadata": {"name": "shop", "namespace": "apps"}, "spec": spec}]}


def policy(**spec: Any) -> dict[str, Any]:
    """Objects with one NetworkPolicy."""
    return {"NetworkPolicy": [{"metadata": {"name": "shop", "namespace": "apps"}, "spec": {"podSelector": {}, **spec}}]}


def cilium_policy(*ingress: dict[str, Any]) -> dict[str, Any]:
    """Objects with one policy of Cilium's."""
    return {"CiliumNetworkPolicy": [{"metadata": {"name": "shop", "namespace": "apps"}, "spec": {"endpointSelector": {}, "ingress": list(ingress)}}]}


def sized(name: str) -> dict[str, Any]:
    return {"name": "old", "mode": "User", "vmSize": name}


def routes(*prefixes: str) -> dict[str, Any]:
    return {"properties": {"routes": [{"name": text, "properties": {"addressPrefix": text}} for text in prefixes]}}


def locked(*scopes: str, level: str = "CanNotDelete") -> dict[str, Any]:
    """The answer with a lock on each of these."""
    return {"value": [{"id": f"{scope}/providers/Microsoft.Authorization/locks/keep", "properties": {"level": level}} for scope in scopes]}


def renamed_subnet() -> Upgrade:
    """The nodes' subnet has a long name, in the cluster and in the network."""
    found = body("node_subnet", pools=[{"vnetSubnetID": SUBNET_ID.replace("/aks", f"/{LONG}")}])
    network = vnet()
    network["properties"]["subnets"][0] |= {"id": SUBNET_ID.replace("/aks", f"/{LONG}"), "name": LONG}
    return upgrade(found, network=network)


def security_rule(name: str, priority: int, source: str, access: str = "Allow") -> dict[str, Any]:
    """A rule for inbound traffic from a prefix."""
    properties = {"priority": priority, "direction": "Inbound", "access": access, "protocol": "*"}
    ports = {"sourcePortRange": "*", "destinationPortRange": "*"}
    return {"name": name, "properties": {**properties, **ports, "sourceAddressPrefix": source, "destinationAddressPrefix": "*"}}


def grouped(*rules: dict[str, Any], ipam: str = "overlay") -> Upgrade:
    """The nodes' subnet has a security group with these rules."""
    return upgrade(body(ipam), network=vnet({"networkSecurityGroup": {"id": NSG_ID}}), group={"properties": {"securityRules": list(rules)}})


BLOCK = {"ipBlock": {"cidr": "203.0.113.0/24"}}
TWINS = [BLOCK, {"ipBlock": {"cidr": "2001:db8::/32"}}]
MANY = {"count": 3, "upgradeSettings": {"maxSurge": "3"}}
#: the same where AKS falls back to one surge node
NEWER = body(pools=[MANY | {"currentOrchestratorVersion": "1.35.6"}], properties={"currentKubernetesVersion": "1.35.6"})
OLD = {"currentKubernetesVersion": "1.26.6"}
MANAGED_NAT = body(profile={"outboundType": "managedNATGateway"})

#: rule -> its chapter, what breaks it, the subject, words of what is found, and what keeps it
CASES: dict[str, tuple[Chapter[Upgrade], Upgrade, str, str, Upgrade]] = {
    "upgrade_own_plugin": (CHAPTER, upgrade(body("none")), "cluster shop", "is none", upgrade()),
    "upgrade_pod_subnet": (CHAPTER, upgrade(body("pod_subnet")), "pool system", "subnets/pods", upgrade(MOVED)),
    "upgrade_windows_cilium": (
        CHAPTER,
        upgrade(body(policy="calico", pools=[{}, WINDOWS])),
        "pool win",
        "runs Windows",
        upgrade(body(policy="calico", pools=[{}, WINDOWS]), policies="none"),
    ),
    "upgrade_node_auto_provisioning": (
        CHAPTER,
        upgrade(body(policy="azure", properties={"nodeProvisioningProfile": {"mode": "Auto"}})),
        "cluster shop",
        "auto-provisioning is on",
        upgrade(body(properties={"nodeProvisioningProfile": {"mode": "Auto"}})),
    ),
    "upgrade_virtual_nodes": (
        CHAPTER,
        upgrade(body(properties={"addonProfiles": {"ACIConnectorLinux": {"enabled": True}}})),
        "cluster shop",
        "virtual nodes",
        upgrade(body(properties={"addonProfiles": {"aciConnectorLinux": {"enabled": False}, "omsagent": None}})),
    ),
    "upgrade_static_egress_gateway": (
        CHAPTER,
        upgrade(body(pools=[{}, {"name": "out", "mode": "Gateway"}], profile={"staticEgressGatewayProfile": {"enabled": True}})),
        "cluster shop",
        "in out",
        upgrade(body(profile={"staticEgressGatewayProfile": {"enabled": False}})),
    ),
    "upgrade_availability_sets": (
        CHAPTER,
        upgrade(body(pools=[{"type": "AvailabilitySet"}])),
        "pool system",
        "availability set",
        upgrade(),
    ),
    "upgrade_nat_gateway": (
        CHAPTER,
        upgrade(body(profile=NAT), network=WITH_GATEWAY, gateway={"id": GATEWAY_ID, "sku": {"name": "Standard"}}),
        GATEWAY_ID,
        "is Standard, which is IPv4-only",
        upgrade(body(profile=NAT), network=WITH_GATEWAY, gateway={"id": GATEWAY_ID, "sku": {"name": "StandardV2"}}),
    ),
    "upgrade_version": (
        CHAPTER,
        upgrade(body(policy="cilium", pools=[{"currentOrchestratorVersion": "1.28.15"}])),
        "cluster shop",
        "Kubernetes 1.28 runs in it, but dual-stack with Cilium needs 1.29",
        upgrade(body(pools=[{"currentOrchestratorVersion": "1.28.15"}])),
    ),
    "upgrade_navigation_links": (
        CHAPTER,
        upgrade(network=vnet({}, {"id": "/s", "name": "cache", "properties": LINK})),
        "subnet cache",
        "/redis",
        upgrade(network=vnet({}, {"id": "/s", "name": "cache", "properties": LINK}, prefixes=["10.77.0.0/16", "fd77::/56"])),
    ),
    "upgrade_identity": (
        CHAPTER,
        upgrade(body("kubenet", identity={"type": "SystemAssigned"})),
        "cluster shop",
        "systemassigned",
        upgrade(body("node_subnet", identity={"type": "SystemAssigned"})),
    ),
    "upgrade_pool_size": (
        CHAPTER,
        upgrade(body("node_subnet", pools=[{}, sized("Standard_DC2s_v2")])),
        "pool old",
        "DCsv2",
        upgrade(body("node_subnet", pools=[{}, sized("Standard_DC2as_v5")])),
    ),
    "upgrade_subnet_names": (CHAPTER, renamed_subnet(), f"subnet {LONG}", "64 characters", upgrade(MOVED)),
    "upgrade_stopped": (
        PREFLIGHT,
        upgrade(body(properties={"powerState": {"code": "Stopped"}})),
        "cluster shop",
        "stopped",
        upgrade(body(families=["IPv4", "IPv6"], properties={"powerState": {"code": "Stopped"}})),
    ),
    "upgrade_locks": (
        PREFLIGHT,
        upgrade(locks=locked(f"{NODES}/providers/Microsoft.Network/loadBalancers/kubernetes")),
        "lock keep",
        "loadBalancers/kubernetes (CanNotDelete)",
        upgrade(locks=locked(CLUSTER_ID, SUBSCRIPTION + "/resourceGroups/other", NODES + "-2")),
    ),
    "upgrade_busy": (
        PREFLIGHT,
        upgrade(body(properties={"provisioningState": "Updating"})),
        "cluster shop",
        "Updating",
        upgrade(body(properties={"provisioningState": "Failed"})),
    ),
    "upgrade_masquerading": (PREFLIGHT, upgrade(MOVED, MASQUERADE), "cluster shop", "azure-ip-masq-agent-config", upgrade(objects=MASQUERADE)),
    "upgrade_budgets": (
        PREFLIGHT,
        upgrade(objects=budget(minAvailable=2)),
        "PodDisruptionBudget apps/shop",
        "minAvailable is 2 of 2 pods",
        upgrade(objects=budget(minAvailable=1)),
    ),
    "upgrade_core_quota": (
        PREFLIGHT,
        upgrade(usages=usages(98, 100)),
        "cluster shop",
        "4 cores, but 98 of 100 in the region",
        upgrade(usages=usages(96, 100)),
    ),
    "upgrade_surge_limit": (
        PREFLIGHT,
        upgrade(
            body(pools=[{"count": 999, "upgradeSettings": {"maxSurge": "2"}}], profile={"podCidrs": ["10.240.0.0/14"]}),
            network=vnet({"addressPrefix": "10.77.0.0/16"}),
        ),
        "pool system",
        "999 nodes and 2 surge nodes",
        upgrade(body(pools=[{"count": 3, "upgradeSettings": {"maxSurge": "2"}}])),
    ),
    "upgrade_subnet_space": (
        PREFLIGHT,
        upgrade(network=vnet({"addressPrefix": "10.77.4.0/29", "ipConfigurations": [{}, {}, {}]})),
        "subnet aks",
        "surge nodes need 1 IPv4 addresses, but 0 are free",
        upgrade(network=vnet({"addressPrefix": "10.77.4.0/29", "ipConfigurations": [{}, {}]})),
    ),
    "upgrade_pod_range": (
        PREFLIGHT,
        upgrade(body("node_subnet"), pods=""),
        "cluster shop",
        "no private IPv4 range is free",
        upgrade(body("node_subnet")),
    ),
    "upgrade_single_replicas": (CAUTIONS, upgrade(objects=workload(1)), "Deployment apps/shop", "one replica", upgrade(objects=workload(2))),
    "upgrade_prefer_dual_stack": (
        CAUTIONS,
        upgrade(objects=service("PreferDualStack")),
        "Service apps/shop",
        "its type LoadBalancer",
        upgrade(objects=service("SingleStack")),
    ),
    "upgrade_policy_meaning": (
        CAUTIONS,
        upgrade(body(policy="azure"), policy(ingress=[{"from": TWINS, "ports": [{"port": "http"}]}])),
        "NetworkPolicy apps/shop",
        "no longer matches pods and nodes; it names a port",
        upgrade(body(policy="cilium"), policy(ingress=[{"from": TWINS}])),
    ),
    "upgrade_policy_families": (
        CAUTIONS,
        upgrade(objects=policy(ingress=[{"from": [BLOCK]}])),
        "NetworkPolicy apps/shop",
        "ingress 203.0.113.0/24",
        upgrade(objects=policy(ingress=[{"from": TWINS}])),
    ),
    "upgrade_cilium_policy_families": (
        CAUTIONS,
        upgrade(objects=cilium_policy({"fromCIDR": ["192.0.2.0/24"], "fromCIDRSet": [{"cidr": "10.0.0.0/8", "except": ["10.77.0.0/16"]}]})),
        "CiliumNetworkPolicy apps/shop",
        "it names 192.0.2.0/24, 10.0.0.0/8, but no IPv6 prefix in the same rule",
        upgrade(objects=cilium_policy({"fromCIDR": ["192.0.2.0/24", "2001:db8::/32"]}, {"fromEntities": ["world"]})),
    ),
    "upgrade_rule_families": (
        CAUTIONS,
        grouped(security_rule("office", 100, "203.0.113.0/24")),
        "security rule aks/office",
        "no IPv6 counterpart is known for 203.0.113.0/24",
        grouped(security_rule("nodes", 100, "10.77.4.0/22")),
    ),
    "upgrade_denied_pods": (
        CAUTIONS,
        grouped(security_rule("nodes", 100, "10.77.4.0/22"), security_rule("others", 200, "*", "Deny"), ipam="node_subnet"),
        "security rule aks/others",
        "it denies traffic of pods, which get addresses from 10.128.0.0/16",
        grouped(security_rule("all", 100, "10.0.0.0/8"), security_rule("others", 200, "*", "Deny"), ipam="node_subnet"),
    ),
    "upgrade_pod_addresses": (
        CAUTIONS,
        upgrade(body("node_subnet")),
        "cluster shop",
        "addresses of the virtual network, which they lose",
        upgrade(body("kubenet")),
    ),
    "upgrade_unenforced": (
        CAUTIONS,
        upgrade(body("kubenet", "calico"), policy()),
        "cluster shop",
        "1 network policies are not enforced from the first step on, until Cilium runs on all nodes",
        upgrade(body("kubenet", "calico")),
    ),
    "upgrade_disruption_policy": (CAUTIONS, upgrade(), "cluster shop", "unknown", upgrade(body(families=["IPv4", "IPv6"]))),
    "upgrade_outbound_addresses": (
        CAUTIONS,
        upgrade(body(profile={"loadBalancerProfile": {"outboundIPPrefixes": {"publicIPPrefixes": [{"id": "/p"}]}}})),
        "cluster shop",
        "outboundIPPrefixes",
        upgrade(),
    ),
    "upgrade_routes": (
        CAUTIONS,
        upgrade(network=ROUTED, routes=routes("0.0.0.0/0")),
        "subnet aks",
        "none for ::/0",
        upgrade(network=ROUTED, routes=routes("0.0.0.0/0", "::/0")),
    ),
    "upgrade_gateway_ingress": (
        CAUTIONS,
        upgrade(body(properties={"addonProfiles": {"ingressApplicationGateway": {"enabled": True}}})),
        "cluster shop",
        "Application Gateway Ingress Controller",
        upgrade(),
    ),
    "upgrade_node_public_addresses": (
        CAUTIONS,
        upgrade(body(pools=[{"enableNodePublicIP": True}])),
        "pool system",
        "public addresses",
        upgrade(),
    ),
    "upgrade_automatic": (CAUTIONS, upgrade(body(sku={"name": "Automatic"})), "cluster shop", "Automatic", upgrade()),
    "upgrade_surge_quota": (
        CAUTIONS,
        upgrade(
            body(pools=[MANY | {"currentOrchestratorVersion": "1.35.6"}], properties={"currentKubernetesVersion": "1.35.6"}), usages=usages(92, 100)
        ),
        "cluster shop",
        "12 cores, but 92 of 100",
        upgrade(body(pools=[MANY], properties={"currentKubernetesVersion": "1.35.6"}), usages=usages(92, 100)),
    ),
    "upgrade_failed_state": (
        CAUTIONS,
        upgrade(body(pools=[{"provisioningState": "Failed"}])),
        "pool system",
        "Failed",
        upgrade(),
    ),
}
#: a deny in the middle of what has no number free
CROWDED = [security_rule(f"allow-{number}", 100 + number, "*") for number in (0, 2)]
GIVEN = {"203.0.113.0/24": ["2001:db8:1::/48"]}
#: rule -> what breaks it, the subject, words of what is found, and what keeps it
STARTS: dict[str, tuple[Start, str, str, Start]] = {
    "upgrade_unacknowledged": (
        Start(upgrade(body("node_subnet")), ("dual_stack",)),
        "cluster shop",
        "overlay reimages every node, but upgrade_acknowledge does not name it",
        Start(upgrade(body("node_subnet")), ("dual_stack", "overlay")),
    ),
    "upgrade_pool_settings": (
        Start(upgrade(), ("dual_stack",), {"system": {"overrideSettings": {}}}),
        "upgrade_pool_settings.system",
        "overrideSettings cannot be set; settings are maxSurge, ",
        Start(upgrade(), ("dual_stack",), {"system": {"maxSurge": 1}, "all": {"drainTimeoutInMinutes": 5}}),
    ),
    "upgrade_prefixes": (
        Start(dataclasses.replace(upgrade(), given={"203.0.113.0/24": ["203.0.113.0/24"]}), ("dual_stack",)),
        "upgrade_ipv6_prefixes.203.0.113.0/24",
        "is not an IPv6 prefix",
        Start(dataclasses.replace(upgrade(), given=GIVEN), ("dual_stack",)),
    ),
    "upgrade_no_prefix": (
        Start(upgrade(), ("dual_stack",), no_plan="no free /64 is left."),
        "cluster shop",
        "no free /64",
        Start(
            upgrade(network=vnet({"addressPrefixes": ["10.77.4.0/22", "fd77::/64"]}, prefixes=["10.77.0.0/16", "fd77::/56"])),
            ("dual_stack",),
            no_plan="no free /64 is left.",
        ),
    ),
    "upgrade_rule_priority": (
        Start(grouped(*CROWDED, security_rule("deny", 101, "10.77.4.0/22", "Deny")), ("dual_stack",)),
        "security rule aks/deny",
        "no priority is free",
        Start(grouped(*CROWDED, security_rule("allow", 101, "10.77.4.0/22")), ("dual_stack",)),
    ),
}
#: the rules that a case breaks
FAILING = {*CASES, *STARTS}
#: what each upgrade is told, and each that moves pods to an overlay
_ALWAYS = ("upgrade_disruption_policy", "upgrade_pod_addresses")


def found(chapter: Chapter[Upgrade], facts: Upgrade) -> list[tuple[str, str, str]]:
    return [(item.rule, item.subject, item.found) for item in chapter.violations(facts) if item.rule not in _ALWAYS]


@pytest.mark.parametrize("identifier", CASES)
def test_broken_and_kept(identifier: str) -> None:
    chapter, broken, subject, words, kept = CASES[identifier]
    violations = [item for item in chapter.violations(broken) if item.rule == identifier or item.rule not in _ALWAYS]
    assert [(item.rule, item.subject) for item in violations] == [(identifier, subject)]
    assert words in violations[0].found
    assert identifier not in [item.rule for item in chapter.violations(kept)]


@pytest.mark.parametrize("identifier", STARTS)
def test_starts(identifier: str) -> None:
    broken, subject, words, kept = STARTS[identifier]
    [violation] = START.violations(broken)
    assert (violation.rule, violation.subject) == (identifier, subject)
    assert words in violation.found
    assert START.violations(kept) == []


def test_the_remedy_names_all_steps_in_their_order() -> None:
    facts = Start(upgrade(body("kubenet", "calico")), ("dual_stack",), {"win": {}})
    unacknowledged, unknown = START.violations(facts)
    assert unacknowledged.found == "policy_none, overlay, cilium each reimage every node, but upgrade_acknowledge does not name them"
    assert unacknowledged.remedy.endswith("upgrade_acknowledge: [policy_none, overlay, cilium, dual_stack]")
    assert unknown.found == "the cluster has no such pool, but system"


def respelled(value: Any) -> Any:
    """Answers of Azure that spell every name, id, region and enumeration in another case."""
    if isinstance(value, Mapping):
        return {name: item if name in ("capabilities", "restrictions") else respelled(item) for name, item in value.items()}
    if isinstance(value, list):
        return [respelled(item) for item in value]
    return value.swapcase() if isinstance(value, str) else value


@pytest.mark.parametrize("identifier", CASES)
def test_azure_may_spell_names_otherwise(identifier: str) -> None:
    chapter, broken, _subject, _words, kept = CASES[identifier]
    for facts, is_broken in ((broken, True), (kept, False)):
        answers = {name: Answer(answer.exists, respelled(answer.body)) for name, answer in facts.cluster.answers.items()}
        spelled = dataclasses.replace(facts, cluster=dataclasses.replace(facts.cluster, answers=answers))
        assert (identifier in [item.rule for item in chapter.violations(spelled)]) == is_broken


#: more ways: chapter, facts -> rule, subject and words of each that is broken
MORE: list[tuple[Chapter[Upgrade], Upgrade, list[tuple[str, str]]]] = [
    (CHAPTER, upgrade(MOVED), []),
    (CHAPTER, upgrade(body("kubenet", "calico")), []),
    (CHAPTER, upgrade(body("kubenet", identity={})), [("upgrade_identity", "a service principal")]),
    (
        CHAPTER,
        upgrade(body("node_subnet", properties=OLD)),
        [("upgrade_version", "the move to overlay needs 1.27")],
    ),
    (CHAPTER, upgrade(body(properties=OLD)), [("upgrade_version", "dual-stack needs 1.27")]),
    (
        CHAPTER,
        upgrade(MANAGED_NAT, managed_gateways={"value": [{"id": f"{GROUP}/g"}]}),
        [("upgrade_nat_gateway", "its SKU is Standard")],
    ),
    (
        CHAPTER,
        upgrade(MANAGED_NAT, managed_gateways={"value": [{"id": "/g", "sku": {"name": "StandardV2"}}]}),
        [],
    ),
    # The load balancer does not go through it.
    (CHAPTER, upgrade(network=WITH_GATEWAY, gateway={"id": GATEWAY_ID, "sku": {"name": "Standard"}}), []),
    (CHAPTER, upgrade(body("pod_subnet", families=["IPv4", "IPv6"], pools=[{"type": "AvailabilitySet"}])), []),
    (PREFLIGHT, upgrade(MOVED), []),
    (PREFLIGHT, upgrade(usages=None, sizes=None, network=None), []),
    (PREFLIGHT, upgrade(objects=budget(maxUnavailable=0)), [("upgrade_budgets", "maxUnavailable is 0")]),
    (PREFLIGHT, upgrade(objects=budget(maxUnavailable="0%", pods=None)), [("upgrade_budgets", "maxUnavailable is 0%")]),
    (PREFLIGHT, upgrade(objects=budget(minAvailable="100%")), [("upgrade_budgets", "minAvailable is 100% of 2 pods")]),
    (PREFLIGHT, upgrade(objects=budget(minAvailable="51%")), [("upgrade_budgets", "minAvailable is 51% of 2 pods")]),
    (PREFLIGHT, upgrade(objects=budget(minAvailable="50%")), []),
    (PREFLIGHT, upgrade(objects=budget(maxUnavailable="1%")), []),
    (PREFLIGHT, upgrade(objects=budget(minAvailable=2, pods=0)), []),
    (PREFLIGHT, upgrade(objects=budget(minAvailable=2, pods=None)), []),
    # Of Kubernetes 1.35 on one surge node for each pool is enough.
    (
        PREFLIGHT,
        upgrade(
            body(pools=[MANY | {"currentOrchestratorVersion": "1.35.6"}], properties={"currentKubernetesVersion": "1.35.6"}), usages=usages(96, 100)
        ),
        [],
    ),
    (PREFLIGHT, upgrade(body(pools=[MANY]), usages=usages(96, 100)), [("upgrade_core_quota", "12 cores, but 96 of 100")]),
    (PREFLIGHT, upgrade(body(pools=[MANY, {"name": "off", "powerState": {"code": "Stopped"}}]), usages=usages(88, 100)), []),
    # Outside an overlay a surge node takes its pods' addresses, too; the new nodes of the move to overlay do not.
    (
        PREFLIGHT,
        upgrade(body("node_subnet", "azure"), network=vnet({"addressPrefix": "10.77.4.0/27"})),
        [("upgrade_subnet_space", "need 31 IPv4 addresses, but 27 are free")],
    ),
    (PREFLIGHT, upgrade(body("node_subnet"), network=vnet({"addressPrefix": "10.77.4.0/27"})), []),
    (
        PREFLIGHT,
        upgrade(body(profile={"podCidrs": ["10.244.0.0/23"]})),
        [("upgrade_pod_range", "10.244.0.0/23 has a /24 for each of 2 nodes, but 4 are needed")],
    ),
    (
        CAUTIONS,
        upgrade(
            objects={
                "CiliumClusterwideNetworkPolicy": [
                    {
                        "metadata": {"name": "all"},
                        "specs": [{"egress": [{"toCIDR": ["0.0.0.0/0"]}]}, {"egressDeny": [{"toCIDRSet": [{"cidr": "::/0"}]}]}],
                    }
                ]
            }
        ),
        [("upgrade_cilium_policy_families", "it names 0.0.0.0/0, but")],
    ),
    (CAUTIONS, upgrade(objects=workload(None)), [("upgrade_single_replicas", "one replica")]),
    (CAUTIONS, upgrade(objects=workload(0)), []),
    (CAUTIONS, upgrade(objects=workload(1, "kube-system")), []),
    (CAUTIONS, upgrade(body("kubenet", "calico"), policy(), policies="none"), [("upgrade_unenforced", "for good")]),
    (
        CAUTIONS,
        upgrade(body(policy="azure"), policy(egress=[{"ports": [{"port": 80, "endPort": 90}]}])),
        [("upgrade_policy_meaning", "from version 1.17; pods it selects no longer reach their own node")],
    ),
]


@pytest.mark.parametrize(("chapter", "facts", "expected"), MORE)
def test_more(chapter: Chapter[Upgrade], facts: Upgrade, expected: list[tuple[str, str]]) -> None:
    broken = found(chapter, facts)
    assert [rule for rule, *_rest in broken] == [rule for rule, _words in expected]
    assert [words for (*_rest, text), (_rule, words) in zip(broken, expected, strict=True) if words not in text] == []


def test_what_could_not_be_read_is_named() -> None:
    facts = upgrade(network=vnet({"networkSecurityGroup": {"id": NSG_ID}}))
    answers = {**facts.cluster.answers, "usages": Answer(False, {}, "AuthorizationFailed: no"), f"group {NSG_ID.lower()}": Answer(False, {}, "Auth")}
    cluster = dataclasses.replace(facts.cluster, answers=answers, unreadable={"Gateway": "forbidden"})
    assert [str(item) for item in cluster.unseen] == [
        "could not be seen: quotas of the region (AuthorizationFailed: no)",
        f"could not be seen: the network security group {NSG_ID.lower()} (Auth)",
        "could not be seen: Gateway (forbidden)",
    ]


def test_a_pool_in_a_network_of_aks() -> None:
    """It names no subnet; the node resource group has the one that AKS made."""
    pool = {name: value for name, value in POOL.items() if name != "vnetSubnetID"}
    own = body()
    own["properties"]["agentPoolProfiles"] = [pool]
    group = "/subscriptions/s/resourceGroups/MC_rg/providers/Microsoft.Network/virtualNetworks/aks-vnet-1"
    subnet = {
        "id": f"{group}/subnets/aks-subnet",
        "name": "aks-subnet",
        "properties": {"addressPrefix": "10.224.0.0/29", "ipConfigurations": [{}] * 3},
    }
    managed = {"value": [{"id": group, "properties": {"addressSpace": {"addressPrefixes": ["10.224.0.0/12"]}, "subnets": [subnet]}}]}
    facts = upgrade(own, network=None, managed_networks=managed)
    assert [(item.name, item.is_managed) for item in facts.cluster.subnets] == [("aks-subnet", True)]
    assert found(PREFLIGHT, facts) == [("upgrade_subnet_space", "subnet aks-subnet", "surge nodes need 1 IPv4 addresses, but 0 are free")]


@pytest.mark.parametrize(
    ("scope", "level", "is_found"),
    [
        (NODES, "CanNotDelete", True),
        (NODES.lower(), "ReadOnly", True),
        (SUBSCRIPTION, "CanNotDelete", True),
        (SUBSCRIPTION.rpartition("-")[0], "CanNotDelete", False),
        (CLUSTER_ID, "ReadOnly", True),
        (CLUSTER_ID.partition("/providers/")[0], "ReadOnly", True),
        (f"{VNET_ID}/subnets/db", "ReadOnly", False),
        (VNET_ID, "CanNotDelete", False),
        (VNET_ID, "ReadOnly", True),
    ],
)
def test_locks(scope: str, level: str, is_found: bool) -> None:
    found = [violation.rule for violation in PREFLIGHT.violations(upgrade(locks=locked(scope, level=level)))]
    assert ("upgrade_locks" in found) is is_found
