from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.types import Patterns, declared_versions, known, version_of

ROOT = Path(__file__).parents[2]
COMPILED = ROOT / "plugins" / "plugin_utils" / "_azure" / "types.json"
BY_HAND: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "scripts" / "types.yml").read_text())


def test_every_type_is_compiled() -> None:
    compiled = json.loads(COMPILED.read_text())
    assert list(compiled) == sorted(BY_HAND)
    for name, facts in BY_HAND.items():
        assert {key: compiled[name][key] for key in facts} == facts


@pytest.mark.parametrize("name", BY_HAND)
def test_known(name: str) -> None:
    facts, found = BY_HAND[name], known(name.upper())
    assert found is not None
    assert (found.name, found.api_version) == (name, facts["api_version"])
    assert (found.serial, found.if_match, found.no_tags) == tuple(facts.get(key, False) for key in ("serial", "if_match", "no_tags"))
    assert found.create_only == tuple(facts.get("create_only", ()))
    assert found.unique == tuple(facts.get("unique", ()))
    assert found.plurals == facts.get("plurals", {})
    assert found.list_keys == {path.lower(): keys for path, keys in facts.get("list_keys", {}).items()}
    assert found.void_items == {path.lower(): values for path, values in facts.get("void_items", {}).items()}
    for name in ("caseless", "scopeless", "versions"):
        assert all(path in getattr(found, name) for path in facts.get(name, ()))
    assert all(path in found.immutable for path in facts.get("immutable", ()))
    assert all(path in found.ordered for path in facts.get("ordered", ()))


def test_unknown() -> None:
    assert known("Example.Test/things") is None


IDENTITY = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
# (type, set of facts, path, whether it is in the set)
FACTS: list[tuple[str, str, str, bool]] = [
    ("Microsoft.Network/virtualNetworks/subnets", "read_only", "properties.provisioningState", True),
    ("Microsoft.Network/virtualNetworks/subnets", "read_only", "properties.addressPrefix", False),
    ("Microsoft.Network/networkSecurityGroups", "read_only", "properties.defaultSecurityRules", True),
    ("Microsoft.Network/networkSecurityGroups", "enumerations", "properties.securityRules[].properties.protocol", True),
    ("Microsoft.Network/networkSecurityGroups", "enumerations", "properties.securityRules[].properties.description", False),
    ("Microsoft.ContainerService/managedClusters", "enumerations", "properties.networkProfile.ipFamilies[]", True),
    ("Microsoft.ContainerService/managedClusters", "immutable", "PROPERTIES.NETWORKPROFILE.PODCIDRS", True),
    ("Microsoft.ContainerService/managedClusters", "read_only", f"identity.userAssignedIdentities.{IDENTITY}.clientId", True),
    ("Microsoft.ContainerService/managedClusters", "read_only", f"identity.userAssignedIdentities.{IDENTITY}", False),
]


@pytest.mark.parametrize(("name", "fact", "path", "expected"), FACTS, ids=str)
def test_facts(name: str, fact: str, path: str, expected: bool) -> None:
    found = known(name)
    assert found is not None
    assert (path in getattr(found, fact)) is expected


SUBSCRIPTION = "/subscriptions/00000000-0000-4000-8000-000000000001"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks"
# (id, action, type in types.yml)
VERSIONS: list[tuple[str, str, str]] = [
    (SUBSCRIPTION, "", "Microsoft.Resources/subscriptions"),
    (f"{SUBSCRIPTION}/locations", "", "Microsoft.Resources/subscriptions/locations"),
    (f"{SUBSCRIPTION}/providers", "", "Microsoft.Resources/providers"),
    (f"{SUBSCRIPTION}/providers/Microsoft.Network", "", "Microsoft.Resources/providers"),
    (f"{SUBSCRIPTION}/providers/Microsoft.Network/locations/westeurope/usages", "", "Microsoft.Network/locations/usages"),
    (f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/westeurope/usages", "", "Microsoft.Compute/locations/usages"),
    (f"{SUBSCRIPTION}/providers/Microsoft.Compute/skus", "", "Microsoft.Compute/skus"),
    (f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv", "", "Microsoft.KeyVault/locations/deletedVaults"),
    (
        f"{SUBSCRIPTION}/providers/Microsoft.ContainerService/locations/westeurope/kubernetesVersions",
        "",
        "Microsoft.ContainerService/locations/kubernetesVersions",
    ),
    (f"{GROUP}/providers/Microsoft.Network/dnsZones/example.org/CNAME/www", "", "Microsoft.Network/dnsZones/CNAME"),
    (f"{SUBSCRIPTION}/providers/Microsoft.KeyVault", "checkNameAvailability", "Microsoft.KeyVault/checkNameAvailability"),
    (f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/", "CHECKNAMEAVAILABILITY", "Microsoft.KeyVault/checkNameAvailability"),
    (f"{SUBSCRIPTION}/providers/Microsoft.ContainerRegistry", "checkNameAvailability", "Microsoft.ContainerRegistry/checkNameAvailability"),
    (f"{SUBSCRIPTION}/resourceGroups", "", "Microsoft.Resources/resourceGroups"),
    (GROUP, "", "Microsoft.Resources/resourceGroups"),
    (f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups", "", "Microsoft.Network/networkSecurityGroups"),
    (f"{GROUP}/providers/Microsoft.Network/dnsZones/example.org/AAAA/www", "", "Microsoft.Network/dnsZones/AAAA"),
    (CLUSTER, "listClusterUserCredential", "Microsoft.ContainerService/managedClusters"),
    (f"{CLUSTER.lower()}/agentpools", "", "Microsoft.ContainerService/managedClusters/agentPools"),
]


@pytest.mark.parametrize(("identifier", "action", "resource_type"), VERSIONS)
def test_version(identifier: str, action: str, resource_type: str) -> None:
    assert version_of(identifier, action) == BY_HAND[resource_type]["api_version"]


# (id, action, what the message says)
NO_VERSION: list[tuple[str, str, str]] = [
    (f"{SUBSCRIPTION}/tagNames", "", "Microsoft.Resources/subscriptions/tagNames"),
    (f"{SUBSCRIPTION}/providers/Microsoft.Storage", "checkNameAvailability", "Microsoft.Storage/checkNameAvailability"),
    (f"{SUBSCRIPTION}/providers/Microsoft.Storage/locations/westeurope/usages", "", "Microsoft.Storage/locations/usages"),
    (f"{GROUP}/providers/Microsoft.Network", "", "ends before the name of a resource"),
]


@pytest.mark.parametrize(("identifier", "action", "words"), NO_VERSION)
def test_no_version(identifier: str, action: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        version_of(identifier, action)


def test_no_other_file_names_a_version() -> None:
    dated = re.compile(r"""["'=](20\d\d-\d\d-\d\d)(-preview)?\b""")
    assert [str(path) for path in (ROOT / "plugins").rglob("*.py") if dated.search(path.read_text())] == []


# (patterns, path, whether it is one of them, whether it is covered)
PATTERNS: list[tuple[list[str], str, bool, bool]] = [
    ([], "a", False, False),
    (["a.b"], "a.b", True, True),
    (["a.b"], "A.B", True, True),
    (["a.b"], "a", False, False),
    (["a.b"], "a.b.c", False, True),
    (["a.b"], "a.bc", False, False),
    (["a[].b"], "a[].b", True, True),
    (["a[].b"], "a.b", False, False),
    (["a.{}.b"], "a.x.b", True, True),
    (["a.{}.b"], "a.x.b.c", False, True),
    (["a.{}.b"], "a.b", False, False),
    (["a+.b"], "aa.b", False, False),
]


@pytest.mark.parametrize(("patterns", "path", "named", "covered"), PATTERNS, ids=str)
def test_patterns(patterns: list[str], path: str, named: bool, covered: bool) -> None:
    assert (path in Patterns(patterns)) is named
    assert Patterns(patterns).covers(path) is covered


CLUSTERS = "Microsoft.ContainerService/managedClusters"
ABSENT = "is not a resource type that the collection uses"


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ({}, {}),
        ({CLUSTERS: "2025-10-01"}, {CLUSTERS.lower(): "2025-10-01"}),
        ({"microsoft.network/virtualnetworks": datetime.date(2024, 5, 1)}, {"microsoft.network/virtualnetworks": "2024-05-01"}),
        ({"Microsoft.ContainerRegistry/registries": "2023-11-01-preview"}, {"microsoft.containerregistry/registries": "2023-11-01-preview"}),
    ],
    ids=str,
)
def test_declared_versions(declared: dict[str, Any], found: dict[str, str]) -> None:
    assert declared_versions(declared) == found


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"Example.Test/things": "2025-10-01"}, [f"'Example.Test/things' {ABSENT}"]),
        ({"Microsoft.Network": "2025-10-01"}, [f"'Microsoft.Network' {ABSENT}"]),
        ({CLUSTERS: "latest"}, ["'latest' of Microsoft.ContainerService/managedClusters is not an API version: YYYY-MM-DD, or YYYY-MM-DD-preview"]),
        ({CLUSTERS: None, "a": "b"}, [f"'a' {ABSENT}", "None of ", "'b' of a"]),
    ],
    ids=str,
)
def test_declared_versions_that_are_refused(declared: dict[str, Any], said: list[str]) -> None:
    with pytest.raises(ValueError) as refused:
        declared_versions(declared)
    assert all(text in str(refused.value) for text in said)


def test_the_page_of_the_engine_says_which_writes_are_safe() -> None:
    rows = [
        f"   {name}, {'yes' if facts.get('if_match') else 'no'}, {'yes' if facts.get('serial') else 'no'}"
        for name, facts in json.loads(COMPILED.read_text()).items()
        if facts.get("resource", True)
    ]
    page = ROOT / "docs" / "docsite" / "rst" / "engine.rst"
    assert [line for line in page.read_text().splitlines() if line.startswith("   Microsoft.")] == rows
