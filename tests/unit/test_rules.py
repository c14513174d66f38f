"""The rule book as a whole, and the rules that look at more than a plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import (
    Answer,
    Chapter,
    Violation,
    aks,
    dns,
    entrances,
    keyvault,
    network,
    once,
    text,
    variables,
)
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import registry as registries
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.book import CHAPTERS, RULES
from tests.unit import test_entrance_rules, test_plan_rules

THERE, ABSENT = Answer(True, {}), Answer(False)
DIGEST = "@sha256:" + "0" * 64


def usages(**counted: tuple[int, int]) -> Answer:
    """A region's usages: name -> how many are in use, and the limit."""
    return Answer(True, {"value": [{"name": {"value": name}, "currentValue": used, "limit": limit} for name, (used, limit) in counted.items()]})


def address(version: str, sku: str = "Standard", allocation: str = "Static") -> Answer:
    return Answer(True, {"sku": {"name": sku}, "properties": {"publicIPAllocationMethod": allocation, "publicIPAddressVersion": version}})


def changed(facts: Any, answers: Mapping[str, Answer] | None = None, **changes: Any) -> Any:
    """Other facts of the same kind."""
    if answers:
        changes["answers"] = {**facts.answers, **answers}
    return dataclasses.replace(facts, **changes)


NETWORK = network.Network(
    subscription_id="s",
    location="westeurope",
    providers=["Microsoft.Network"],
    register_providers=False,
    existing_vnet_id="",
    existing_entrance_ids={"ipv4": "", "ipv6": ""},
    egress_address_ids={"ipv4": ["/e4"], "ipv6": ["/e6"]},
    subnets=["nodes"],
    answers={
        "subscription": THERE,
        "locations": Answer(True, {"value": [{"name": "westeurope"}]}),
        "providers": Answer(True, {"value": [{"namespace": "Microsoft.Network", "registrationState": "Registered"}]}),
        "usages": usages(IPv4StandardSkuPublicIpAddresses=(8, 10), IPv6StandardSkuPublicIpAddresses=(8, 10), VirtualNetworks=(50, 50)),
        "vnet": Answer(True, {"properties": {"subnets": [{"name": "nodes", "properties": {"addressPrefix": "10.0.0.0/24"}}]}}),
        **dict.fromkeys(("ipv4", "ipv6", "/e4", "/e6"), ABSENT),
    },
)
CLUSTER = aks.Cluster(
    id="/clusters/aks-a",
    existing_id="",
    existing_workspace_id="",
    node_pools=[{"name": "a", "min_count": 2, "vm_size": "Standard_D4ds_v5"}, {"name": "b", "min_count": 1}],
    api_server_authorized_ip_ranges=["203.0.113.0/24"],
    controller_address="203.0.113.7",
    monitoring=True,
    defender=True,
    answers={"usages": usages(cores=(88, 100)), "cluster": ABSENT, "workspace": ABSENT},
)
DUAL_STACK = Answer(True, {"properties": {"networkProfile": {"ipFamilies": ["IPv4", "IPv6"]}}})
REGISTRY = registries.Registry("example", "", [f"ghcr.io/nginx/nginx:1{DIGEST}"], {"registry": ABSENT, "name": Answer(True, {"nameAvailable": True})})
TAKEN = Answer(True, {"nameAvailable": False})
VAULT = keyvault.Vault("kv-example", "", "fail", {"vault": ABSENT, "deleted": ABSENT, "name": Answer(True, {"nameAvailable": True})})
ZONES = dns.Zones("/zones/aks.example.org", "/zones/internal.example.org", "/vnets/v", False, {"public": THERE, "private": THERE})
PROXIES = entrances.Proxies(f"nginx{DIGEST}", "", 2, 2, "16m", "8k", "10s", 0, 0, 0, ["10.0.0.0/8", "fd00::1"])
SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "entrance"}, "spec": {"ports": [{"port": 80}]}}


def own_service(*families: str) -> entrances.OwnServices:
    service = {"metadata": {"name": "entrance-ipv6", "namespace": "dualstack-ingress"}, "spec": {"ipFamilies": list(families)}}
    return entrances.OwnServices([(service, "IPv6")])


#: rule -> its chapter, facts that break it, and facts just inside it
CASES: dict[str, tuple[Chapter[Any], Any, Any]] = {
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
    "core_quota": (
        aks.LIVE,
        changed(CLUSTER, {"usages": usages(cores=(89, 100))}),
        changed(CLUSTER, {"usages": usages(cores=(100, 100)), "cluster": DUAL_STACK}),
    ),
    "locked_out": (aks.LIVE, changed(CLUSTER, controller_address="203.0.114.7"), changed(CLUSTER, controller_address="")),
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
    "existing_vault": (keyvault.CHAPTER, changed(VAULT, existing_id="/v"), changed(VAULT, {"vault": THERE}, existing_id="/v")),
    "public_zone": (dns.CHAPTER, changed(ZONES, {"public": ABSENT}), changed(ZONES, {"public": ABSENT}, check_mode=True)),
    "private_zone": (dns.CHAPTER, changed(ZONES, {"private": ABSENT}), changed(ZONES, {"private": ABSENT}, check_mode=True)),
    "ingress_image": (entrances.PROXIES, changed(PROXIES, image="nginx:1"), PROXIES),
    "ingress_replicas": (entrances.PROXIES, changed(PROXIES, min_replicas=1), PROXIES),
    "ingress_size": (entrances.PROXIES, changed(PROXIES, max_body_size="16 MB"), PROXIES),
    "ingress_client_timeout": (entrances.PROXIES, changed(PROXIES, client_timeout="0s"), PROXIES),
    "ingress_limits": (entrances.PROXIES, changed(PROXIES, request_burst=-1), PROXIES),
    "ingress_metrics_sources": (entrances.PROXIES, changed(PROXIES, metrics_sources=["10.0.0.0/33"]), PROXIES),
    "manifest": (
        entrances.MANIFESTS,
        entrances.Manifests([{**SERVICE, "spec": {"ports": [{"port": "many"}]}}], "1.36"),
        entrances.Manifests([SERVICE], "v1.99.1"),
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


def test_every_rule_has_a_failing_and_a_passing_case() -> None:
    """Cases of plans and of declarations pass or fail as a whole: their passing cases break no rule at all."""
    assert sorted(RULES) == sorted({*CASES, *test_plan_rules.FAILING, *test_entrance_rules.FAILING})


def test_every_rule_is_explained() -> None:
    for rule in RULES.values():
        assert rule.refuses.endswith((".", "it.")), rule.id
        assert rule.remedy, rule.id
        assert not rule.reference or rule.reference.startswith("https://"), rule.id


def test_ids_are_unique() -> None:
    identifiers = [rule.id for chapter in CHAPTERS for rule in chapter.rules]
    assert sorted(identifiers) == sorted(set(identifiers))


#: more ways to break a rule: its chapter, the facts, and what is found
FOUND: list[tuple[Chapter[Any], Any, str]] = [
    (network.CHAPTER, changed(NETWORK, {"usages": usages(StandardSkuPublicIpAddresses=(7, 10))}), "4 wanted, 7 of 10 in use"),
    (network.CHAPTER, changed(NETWORK, {"vnet": Answer(False, {}, "AuthorizationFailed: no")}, existing_vnet_id="/v"), "/v cannot be read (Auth"),
    (network.CHAPTER, changed(NETWORK, {"ipv4": address("IPv4", "Basic")}, existing_entrance_ids={"ipv4": "/a", "ipv6": ""}), "SKU Standard"),
    (network.CHAPTER, changed(NETWORK, {"ipv4": address("IPv4", allocation="Dynamic")}, existing_entrance_ids={"ipv4": "/a"}), "static IPv4"),
    (aks.LIVE, changed(CLUSTER, {"usages": usages(cores=(90, 100))}), "the pools start with 12 cores, and 90 of 100 are in use"),
    (aks.LIVE, changed(CLUSTER, controller_address="here"), "'here' is not an address"),
    (registries.CHAPTER, changed(REGISTRY, name="abcd"), "abcd"),
    (keyvault.CHAPTER, changed(VAULT, name="1kv"), "1kv"),
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


def test_a_private_zone_above_the_public_one_is_worth_a_warning() -> None:
    assert list(dns.warnings(ZONES)) == []
    [warning] = dns.warnings(changed(ZONES, private_zone_id="/zones/example.org"))
    assert "answers for names of the public zone aks.example.org in v" in warning
    [warning] = dns.warnings(changed(ZONES, {"public": ABSENT}, check_mode=True))
    assert "The public zone does not exist yet" in warning


def test_one_problem_is_one_line() -> None:
    first, second = Violation("r", "s", "f", "do x", "https://y"), Violation("r", "s", "g", "do z")
    assert once([[first, second], [second, Violation("r", "t", "f", "do x")]]) == [first, second, Violation("r", "t", "f", "do x")]
    assert text([first, second]) == "- s: f [r]. Remedy: do x. See https://y\n- s: g [r]. Remedy: do z."
