from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.comparison import Comparison, Difference
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.types import Patterns, TypeFacts, known

Body = dict[str, Any]

NSG = "Microsoft.Network/networkSecurityGroups"
SUBNET = "Microsoft.Network/virtualNetworks/subnets"
CLUSTER = "Microsoft.ContainerService/managedClusters"
VAULT = "Microsoft.KeyVault/vaults"
AAAA = "Microsoft.Network/privateDnsZones/AAAA"
DIAGNOSTICS = "Microsoft.Insights/diagnosticSettings"
ROLE = "Microsoft.Authorization/roleAssignments"
PUBLIC_IP = "Microsoft.Network/publicIPAddresses"
VNET = "Microsoft.Network/virtualNetworks"
IDENTITY = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
#: as Ansible reads them: each carries tags
PLAYBOOK: Body = DataLoader().load("{whole: 3, number: 1.5, text: text, truth: true, nothing: null, items: [1, a]}")


def comparison(resource_type: str, **options: Any) -> Comparison:
    facts = known(resource_type)
    assert facts is not None
    return Comparison(facts, **options)


def properties(**values: Any) -> Body:
    return {"properties": values}


def security(**values: Any) -> Body:
    """A network security group with one rule."""
    return properties(securityRules=[{"name": "web", "properties": values}])


# name: (type, declared, live)
EQUAL: dict[str, tuple[str, Body, Body]] = {
    "nothing declared": (VNET, {}, properties(a=1)),
    "a part of what is there": (VNET, properties(a={"b": 1}), properties(a={"b": 1, "c": 2}, d=3)),
    "envelope": (VNET, {"name": "a", "ID": "/x", "etag": "1", "type": "t", "systemData": {}}, {"name": "b"}),
    "IPv6 address": (AAAA, properties(x="2001:DB8:0:0::1"), properties(x="2001:db8::1")),
    "IPv6 prefix": (VNET, properties(x="FD00:0:0::/48"), properties(x="fd00::/48")),
    "IPv6 in a list": (
        VNET,
        properties(addressSpace={"addressPrefixes": ["FD00::0/48"]}),
        properties(addressSpace={"addressPrefixes": ["fd00::/48"]}),
    ),
    "IPv6 prefix of an address": (VNET, properties(x="FD00:0::1/64"), properties(x="fd00::1/64")),
    "a patch of the minor version": (CLUSTER, properties(kubernetesVersion="1.36"), properties(kubernetesVersion="1.36.5")),
    "an address and the prefix of it alone": (
        CLUSTER,
        properties(apiServerAccessProfile={"authorizedIPRanges": ["198.51.100.7", "2001:db8::1/128"]}),
        properties(apiServerAccessProfile={"authorizedIPRanges": ["198.51.100.7/32", "2001:db8::1"]}),
    ),
    "id in another case": (
        SUBNET,
        properties(x={"id": "/subscriptions/s/resourceGroups/RG"}),
        properties(x={"id": "/subscriptions/s/resourcegroups/rg"}),
    ),
    "GUID in another case": (
        VAULT,
        properties(tenantId="6A2E9DAD-4B4C-4E1A-9C58-5B0D3C6F7E10"),
        properties(tenantId="6a2e9dad-4b4c-4e1a-9c58-5b0d3c6f7e10"),
    ),
    "id with a slash at its end": (SUBNET, properties(x="/subscriptions/s/"), properties(x="/subscriptions/s")),
    "ids in a list": (VNET, properties(x=["/A/b", "/c"]), properties(x=["/C", "/a/B"])),
    "id as a key": (
        CLUSTER,
        {"identity": {"userAssignedIdentities": {IDENTITY.upper(): {}}}},
        {"identity": {"userAssignedIdentities": {IDENTITY: {"clientId": "x"}}}},
    ),
    "tag in another case": (VNET, {"tags": {"managed-by": "a", "b": None}}, {"tags": {"Managed-By": "a"}}),
    "add-on and its setting in another case": (
        CLUSTER,
        properties(addonProfiles={"azurepolicy": {"enabled": True, "config": {"version": "v2"}}}),
        properties(addonProfiles={"azurePolicy": {"enabled": True, "config": {"Version": "v2"}}}),
    ),
    "location spelled for people": (VNET, {"location": "West Europe"}, {"location": "westeurope"}),
    "location below properties": (VNET, properties(location="westeurope"), properties(location="West Europe")),
    "enumeration in another case": (NSG, security(access="allow", protocol="TCP"), security(access="Allow", protocol="Tcp")),
    "role of another subscription": (
        ROLE,
        properties(roleDefinitionId="/subscriptions/a/providers/Microsoft.Authorization/roleDefinitions/r"),
        properties(roleDefinitionId="/subscriptions/B/providers/Microsoft.Authorization/roleDefinitions/R"),
    ),
    "role without a subscription": (
        ROLE,
        properties(roleDefinitionId="/subscriptions/a/providers/Microsoft.Authorization/roleDefinitions/r"),
        properties(roleDefinitionId="/providers/Microsoft.Authorization/roleDefinitions/r"),
    ),
    "what is no enumeration in the schemas": (VAULT, properties(publicNetworkAccess="Disabled"), properties(publicNetworkAccess="disabled")),
    "enumerations in a list": (
        VAULT,
        properties(accessPolicies=[{"permissions": {"keys": ["GET", "list"]}}]),
        properties(accessPolicies=[{"permissions": {"keys": ["List", "get"]}}]),
    ),
    "scalars in another order": (PUBLIC_IP, {"zones": ["3", "1", "2"]}, {"zones": ["1", "2", "3"]}),
    "scalars twice": (PUBLIC_IP, {"zones": ["1", "1"]}, {"zones": ["1"]}),
    "ordered scalars": (
        CLUSTER,
        properties(networkProfile={"ipFamilies": ["IPv4", "IPv6"]}),
        properties(networkProfile={"ipFamilies": ["ipv4", "ipv6"]}),
    ),
    "ordered prefixes": (
        CLUSTER,
        properties(networkProfile={"podCidrs": ["10.0.0.0/8", "FD00::/64"]}),
        properties(networkProfile={"podCidrs": ["10.0.0.0/8", "fd00::/64"]}),
    ),
    "objects by name in another order": (
        NSG,
        properties(securityRules=[{"name": "a", "properties": {"priority": 1}}, {"name": "B"}]),
        properties(securityRules=[{"name": "b", "id": "/b"}, {"name": "A", "properties": {"priority": 1, "access": "Allow"}}]),
    ),
    "objects by id": (VNET, properties(x=[{"id": "/a"}, {"id": "/B"}]), properties(x=[{"id": "/b", "y": 1}, {"id": "/A"}])),
    "objects by the type's keys": (
        AAAA,
        properties(aaaaRecords=[{"ipv6Address": "fd00::1"}, {"ipv6Address": "fd00:0::2"}]),
        properties(aaaaRecords=[{"ipv6Address": "fd00::2"}, {"ipv6Address": "fd00::1"}]),
    ),
    "objects by two keys": (
        DIAGNOSTICS,
        properties(logs=[{"categoryGroup": "audit", "enabled": True}, {"category": "kube-audit", "enabled": False}]),
        properties(
            logs=[{"category": "kube-audit", "categoryGroup": None, "enabled": False}, {"categoryGroup": "Audit", "category": None, "enabled": True}]
        ),
    ),
    "categories that are not enabled": (
        DIAGNOSTICS,
        properties(logs=[{"category": "a", "enabled": True}, {"category": "c", "enabled": False}], metrics=[]),
        properties(
            logs=[{"category": "b", "enabled": False}, {"category": "a", "enabled": True}], metrics=[{"category": "AllMetrics", "enabled": False}]
        ),
    ),
    "objects by position": (VNET, properties(x=[{"a": 1}, {"b": "fd00:0::1"}]), properties(x=[{"a": 1, "c": 2}, {"b": "fd00::1"}])),
    "plural declared, singular live": (NSG, security(sourceAddressPrefixes=["10.0.0.0/8"]), security(sourceAddressPrefix="10.0.0.0/8")),
    "plural declared, singular and empty plural live": (
        NSG,
        security(sourceAddressPrefixes=["10.0.0.0/8"]),
        security(sourceAddressPrefix="10.0.0.0/8", sourceAddressPrefixes=[]),
    ),
    "singular declared, plural live": (SUBNET, properties(addressPrefix="FD00::/64"), properties(addressPrefixes=["fd00::/64"])),
    "singular declared, plural and empty singular live": (
        NSG,
        security(sourceAddressPrefix="*"),
        security(sourceAddressPrefix=None, sourceAddressPrefixes=["*"]),
    ),
    "singular and emptied plural declared": (
        NSG,
        security(sourceAddressPrefix="*", sourceAddressPrefixes=[], destinationPortRanges=["80"], destinationPortRange=None),
        security(sourceAddressPrefixes=["*"], destinationPortRange="80"),
    ),
    "null for absent": (VNET, properties(x=None), {}),
    "[] for absent": (VNET, properties(x=[]), {}),
    "{} for absent": (VNET, properties(x={}), {}),
    "nulls below what is absent": (VNET, properties(x={"y": None, "z": {"w": []}}), {}),
    "nulls below null": (VNET, {"tags": {"hold": None}, **properties(x={"y": {"z": []}})}, {"tags": None, **properties(x=None)}),
    "null behind an id": (
        CLUSTER,
        {"identity": {"userAssignedIdentities": {IDENTITY: {}}}},
        {"identity": {"userAssignedIdentities": {IDENTITY: None}}},
    ),
    "absent kinds for each other": (VNET, properties(a=None, b=[], c={}, d=None), properties(a=[], b=None, c=[], d={})),
    "create_only of the type": (VAULT, properties(createMode="recover"), properties()),
    "values of a playbook": (VNET, properties(**PLAYBOOK), properties(whole=3, number=1.5, text="text", truth=True, nothing=None, items=[1, "a"])),
}


@pytest.mark.parametrize("name", EQUAL)
def test_equal(name: str) -> None:
    resource_type, declared, live = EQUAL[name]
    assert comparison(resource_type).differences(declared, live) == []


# name: (type, declared, live, the differences as (path, before, after))
DIFFERENT: dict[str, tuple[str, Body, Body, list[tuple[str, Any, Any]]]] = {
    "a minor version that begins alike": (
        CLUSTER,
        properties(kubernetesVersion="1.3"),
        properties(kubernetesVersion="1.36.5"),
        [("properties.kubernetesVersion", "1.36.5", "1.3")],
    ),
    "a version where none is meant": (VNET, properties(x="1.36"), properties(x="1.36.5"), [("properties.x", "1.36.5", "1.36")]),
    "value": (VNET, properties(x=1), properties(x=2), [("properties.x", 2, 1)]),
    "several": (
        VNET,
        {"location": "a", **properties(x=1, y={"z": 2})},
        {},
        [("location", None, "a"), ("properties.x", None, 1), ("properties.y.z", None, 2)],
    ),
    "text in another case": (VNET, properties(x="A"), properties(x="a"), [("properties.x", "a", "A")]),
    "number and text": (VNET, properties(x=1), properties(x="1"), [("properties.x", "1", 1)]),
    "number and truth": (VNET, properties(x=True), properties(x=1), [("properties.x", 1, True)]),
    "false is not absent": (VNET, properties(x=False), {}, [("properties.x", None, False)]),
    "zero is not absent": (VNET, properties(x=0), properties(x=[]), [("properties.x", [], 0)]),
    "empty text is not absent": (VNET, properties(x=""), {}, [("properties.x", None, "")]),
    "null removes": (VNET, properties(x=None), properties(x={"y": 1}), [("properties.x", {"y": 1}, None)]),
    "another address": (AAAA, properties(x="fd00::1"), properties(x="fd00::2"), [("properties.x", "fd00::2", "fd00::1")]),
    "a prefix and its first address": (VNET, properties(x="10.0.0.0/24"), properties(x="10.0.0.0"), [("properties.x", "10.0.0.0", "10.0.0.0/24")]),
    "a prefix and an address with its length": (
        VNET,
        properties(x="10.0.0.0/24"),
        properties(x="10.0.0.1/24"),
        [("properties.x", "10.0.0.1/24", "10.0.0.0/24")],
    ),
    "a category that was enabled and one that was not": (
        DIAGNOSTICS,
        properties(logs=[{"category": "a", "enabled": True}]),
        properties(logs=[{"category": "a", "enabled": False}, {"category": "b", "enabled": True}]),
        [("properties.logs[a].enabled", False, True)],
    ),
    "another role": (
        ROLE,
        properties(roleDefinitionId="/subscriptions/a/providers/Microsoft.Authorization/roleDefinitions/r"),
        properties(roleDefinitionId="/subscriptions/a/providers/Microsoft.Authorization/roleDefinitions/s"),
        [
            (
                "properties.roleDefinitionId",
                "/subscriptions/a/providers/Microsoft.Authorization/roleDefinitions/s",
                "/subscriptions/a/providers/Microsoft.Authorization/roleDefinitions/r",
            )
        ],
    ),
    "label in another case": (
        CLUSTER,
        properties(agentPoolProfiles=[{"name": "a", "nodeLabels": {"zone": "1"}}]),
        properties(agentPoolProfiles=[{"name": "a", "nodeLabels": {"Zone": "1"}}]),
        [("properties.agentPoolProfiles[a].nodeLabels.zone", None, "1")],
    ),
    "value of a tag in another case": (VNET, {"tags": {"a": "B"}}, {"tags": {"A": "b"}}, [("tags.a", "b", "B")]),
    "null removes a tag in another case": (VNET, {"tags": {"hold": None}}, {"tags": {"Hold": "x"}}, [("tags.hold", "x", None)]),
    "below null": (VNET, {"tags": {"a": "1", "b": None}}, {"tags": None}, [("tags.a", None, "1")]),
    "mapping for text": (VNET, properties(x={"y": 1}), properties(x="y"), [("properties.x", "y", {"y": 1})]),
    "location": (VNET, {"location": "westeurope"}, {"location": "northeurope"}, [("location", "northeurope", "westeurope")]),
    "scalars": (PUBLIC_IP, {"zones": ["1", "2"]}, {"zones": ["2", "3"]}, [("zones[1]", None, "1"), ("zones[3]", "3", None)]),
    "ordered scalars": (
        CLUSTER,
        properties(networkProfile={"ipFamilies": ["IPv6", "IPv4"]}),
        properties(networkProfile={"ipFamilies": ["IPv4", "IPv6"]}),
        [("properties.networkProfile.ipFamilies", ["IPv4", "IPv6"], ["IPv6", "IPv4"])],
    ),
    "an object less, one more, one other": (
        NSG,
        properties(securityRules=[{"name": "a", "properties": {"priority": 1}}, {"name": "b"}]),
        properties(securityRules=[{"name": "a", "properties": {"priority": 2}}, {"name": "c"}]),
        [
            ("properties.securityRules[a].properties.priority", 2, 1),
            ("properties.securityRules[b]", None, {"name": "b"}),
            ("properties.securityRules[c]", {"name": "c"}, None),
        ],
    ),
    "a list is the whole": (
        NSG,
        properties(securityRules=[]),
        properties(securityRules=[{"name": "a"}]),
        [("properties.securityRules[a]", {"name": "a"}, None)],
    ),
    "objects by the type's keys": (
        AAAA,
        properties(aaaaRecords=[{"ipv6Address": "fd00::1"}]),
        properties(aaaaRecords=[{"ipv6Address": "fd00::2"}]),
        [
            ("properties.aaaaRecords[fd00::1]", None, {"ipv6Address": "fd00::1"}),
            ("properties.aaaaRecords[fd00::2]", {"ipv6Address": "fd00::2"}, None),
        ],
    ),
    "objects by position": (VNET, properties(x=[{"a": 1}]), properties(x=[{"a": 2}]), [("properties.x", [{"a": 2}], [{"a": 1}])]),
    "plural of two, singular live": (
        SUBNET,
        properties(addressPrefixes=["10.0.0.0/24", "fd00::/64"]),
        properties(addressPrefix="10.0.0.0/24"),
        [("properties.addressPrefixes[fd00::/64]", None, "fd00::/64")],
    ),
    "singular and emptied plural declared": (
        NSG,
        security(sourceAddressPrefix="*", sourceAddressPrefixes=[]),
        security(sourceAddressPrefixes=["10.0.0.0/8"]),
        [("properties.securityRules[web].properties.sourceAddressPrefix", "10.0.0.0/8", "*")],
    ),
    "singular, plural of two live": (
        SUBNET,
        properties(addressPrefix="10.0.0.0/24"),
        properties(addressPrefixes=["10.0.0.0/24", "fd00::/64"]),
        [("properties.addressPrefix", None, "10.0.0.0/24")],
    ),
    "an identity more": (
        CLUSTER,
        {"identity": {"userAssignedIdentities": {IDENTITY: {}}}},
        {"identity": {"userAssignedIdentities": {}}},
        [(f"identity.userAssignedIdentities.{IDENTITY}", None, {})],
    ),
    "the first identity": (
        CLUSTER,
        {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}},
        {"identity": {"type": "UserAssigned"}},
        [(f"identity.userAssignedIdentities.{IDENTITY}", None, {})],
    ),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_different(name: str) -> None:
    resource_type, declared, live, expected = DIFFERENT[name]
    assert comparison(resource_type).differences(declared, live) == [Difference(*found) for found in expected]


# name: (type, options, declared, live, paths that differ)
OPTIONS: dict[str, tuple[str, dict[str, Any], Body, Body, list[str]]] = {
    "shared: others' elements stay": (
        NSG,
        {"shared": ["properties.securityRules"]},
        properties(securityRules=[{"name": "a"}]),
        properties(securityRules=[{"name": "a"}, {"name": "b"}]),
        [],
    ),
    "shared: ours is missing": (
        NSG,
        {"shared": ["properties.securityRules"]},
        properties(securityRules=[{"name": "a"}]),
        properties(securityRules=[{"name": "b"}]),
        ["properties.securityRules[a]"],
    ),
    "shared: ours differs": (
        NSG,
        {"shared": ["Properties.SecurityRules"]},
        properties(securityRules=[{"name": "a", "properties": {"priority": 1}}]),
        properties(securityRules=[{"name": "a", "properties": {"priority": 2}}, {"name": "b"}]),
        ["properties.securityRules[a].properties.priority"],
    ),
    "shared: scalars": (PUBLIC_IP, {"shared": ["zones"]}, {"zones": ["1"]}, {"zones": ["2", "1"]}, []),
    "shared: another list is the whole": (PUBLIC_IP, {"shared": ["other"]}, {"zones": ["1"]}, {"zones": ["2", "1"]}, ["zones[2]"]),
    "create_only": (VNET, {"create_only": ["properties.x"]}, properties(x=1, y=1), properties(x=2, y=2), ["properties.y"]),
    "create_only: what is below": (VNET, {"create_only": ["properties.x"]}, properties(x={"y": 1}), properties(x={"y": 2}), []),
    "create_only: in a list": (
        CLUSTER,
        {"create_only": ["properties.agentPoolProfiles[].count"]},
        properties(agentPoolProfiles=[{"name": "a", "count": 1, "mode": "User"}]),
        properties(agentPoolProfiles=[{"name": "a", "count": 2, "mode": "System"}]),
        ["properties.agentPoolProfiles[a].mode"],
    ),
    "list_keys": (
        VNET,
        {"list_keys": {"properties.x": ["key"]}},
        properties(x=[{"key": "a", "v": 1}, {"key": "b", "v": 2}]),
        properties(x=[{"key": "b", "v": 2}, {"key": "a", "v": 1}]),
        [],
    ),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options(name: str) -> None:
    resource_type, options, declared, live, expected = OPTIONS[name]
    assert [found.path for found in comparison(resource_type, **options).differences(declared, live)] == expected


# name: (type, options, declared, live, body to PUT)
BODIES: dict[str, tuple[str, dict[str, Any], Body, Body | None, Body]] = {
    "creation": (VNET, {}, {"location": "a", **properties(x={"y": 1})}, None, {"location": "a", **properties(x={"y": 1})}),
    "creation: without nulls": (VNET, {}, properties(x=None, y=[{"z": None, "w": 0}]), None, properties(y=[{"w": 0}])),
    "creation: create_only is sent": (VAULT, {}, properties(createMode="default"), None, properties(createMode="default")),
    "what is not declared stays": (VNET, {}, properties(x={"a": 1}), properties(x={"a": 2, "b": 3}, y=4), properties(x={"a": 1, "b": 3}, y=4)),
    "a patch of the minor version stays": (
        CLUSTER,
        {},
        properties(kubernetesVersion="1.36", dnsPrefix="b"),
        properties(kubernetesVersion="1.36.5", dnsPrefix="a"),
        properties(kubernetesVersion="1.36.5", dnsPrefix="b"),
    ),
    "envelope is not sent": (VNET, {}, {}, {"id": "/x", "name": "n", "type": "t", "etag": "e", "location": "l"}, {"location": "l"}),
    "read-only is not sent": (
        SUBNET,
        {},
        {},
        properties(addressPrefix="10.0.0.0/24", provisioningState="Succeeded", purpose="x"),
        properties(addressPrefix="10.0.0.0/24"),
    ),
    "read-only in a list is not sent": (
        NSG,
        {},
        {},
        {"properties": {**security(access="Allow", provisioningState="Succeeded")["properties"], "defaultSecurityRules": [{"name": "d"}]}},
        security(access="Allow"),
    ),
    "read-only in a map is not sent": (
        CLUSTER,
        {},
        {},
        {"identity": {"userAssignedIdentities": {IDENTITY: {"clientId": "c", "principalId": "p"}}}},
        {"identity": {"userAssignedIdentities": {IDENTITY: {}}}},
    ),
    "null removes": (VNET, {}, properties(x=None), properties(x={"y": 1}, z=1), properties(z=1)),
    "null removes what is not there": (VNET, {}, properties(x=None), properties(), properties()),
    "id as a key keeps its live case": (
        CLUSTER,
        {},
        {"identity": {"userAssignedIdentities": {IDENTITY.lower(): {}}}},
        {"identity": {"userAssignedIdentities": {IDENTITY: {}}}},
        {"identity": {"userAssignedIdentities": {IDENTITY: {}}}},
    ),
    "a tag keeps its live case": (
        VNET,
        {},
        {"tags": {"a": "1", "b": None}},
        {"tags": {"A": "0", "B": "x", "c": "d"}},
        {"tags": {"A": "1", "c": "d"}},
    ),
    "an add-on keeps its live case": (
        CLUSTER,
        {},
        properties(addonProfiles={"azurepolicy": {"enabled": True}}),
        properties(addonProfiles={"azurePolicy": {"enabled": False}}),
        properties(addonProfiles={"azurePolicy": {"enabled": True}}),
    ),
    "a list of scalars is the whole": (PUBLIC_IP, {}, {"zones": ["1"]}, {"zones": ["1", "2"]}, {"zones": ["1"]}),
    "a list of objects is the whole, its objects are laid over": (
        NSG,
        {},
        properties(securityRules=[{"name": "a", "properties": {"priority": 1}}]),
        properties(securityRules=[{"name": "b"}, {"name": "A", "properties": {"priority": 2, "access": "Deny"}}]),
        properties(securityRules=[{"name": "a", "properties": {"priority": 1, "access": "Deny"}}]),
    ),
    "a shared list keeps others' elements": (
        NSG,
        {"shared": ["properties.securityRules"]},
        properties(securityRules=[{"name": "a", "properties": {"priority": 1}}]),
        properties(securityRules=[{"name": "b"}, {"name": "a", "properties": {"priority": 2}}]),
        properties(securityRules=[{"name": "a", "properties": {"priority": 1}}, {"name": "b"}]),
    ),
    "a shared list of scalars": (PUBLIC_IP, {"shared": ["zones"]}, {"zones": ["1"]}, {"zones": ["2"]}, {"zones": ["1", "2"]}),
    "an empty list empties": (NSG, {}, properties(securityRules=[]), properties(securityRules=[{"name": "a"}]), properties(securityRules=[])),
    "an empty shared list empties nothing": (
        NSG,
        {"shared": ["properties.securityRules"]},
        properties(securityRules=[]),
        properties(securityRules=[{"name": "a"}]),
        properties(securityRules=[{"name": "a"}]),
    ),
    "objects without a key: the declared ones": (VNET, {}, properties(x=[{"a": 1}]), properties(x=[{"a": 2, "b": 3}]), properties(x=[{"a": 1}])),
    "plural takes the singular's place": (
        SUBNET,
        {},
        properties(addressPrefixes=["10.0.0.0/24", "fd00::/64"]),
        properties(addressPrefix="10.0.0.0/24"),
        properties(addressPrefixes=["10.0.0.0/24", "fd00::/64"]),
    ),
    "singular takes the plural's place": (
        SUBNET,
        {},
        properties(addressPrefix="10.0.0.0/24"),
        properties(addressPrefixes=["10.0.0.0/24", "fd00::/64"]),
        properties(addressPrefix="10.0.0.0/24"),
    ),
    "singular and null for the plural": (
        SUBNET,
        {},
        properties(addressPrefix="10.0.0.0/24", addressPrefixes=None),
        properties(addressPrefixes=["10.0.0.0/24", "fd00::/64"]),
        properties(addressPrefix="10.0.0.0/24"),
    ),
    "create_only of the type is not sent again": (VAULT, {}, properties(createMode="default", x=1), properties(x=2), properties(x=1)),
    "create_only: what is there stays": (
        CLUSTER,
        {"create_only": ["properties.agentPoolProfiles[].count"]},
        properties(agentPoolProfiles=[{"name": "a", "count": 1, "mode": "User"}]),
        properties(agentPoolProfiles=[{"name": "a", "count": 2, "mode": "System"}]),
        properties(agentPoolProfiles=[{"name": "a", "count": 2, "mode": "User"}]),
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_body(name: str) -> None:
    resource_type, options, declared, live, expected = BODIES[name]
    before = copy.deepcopy((declared, live))
    assert comparison(resource_type, **options).body(declared, live) == expected
    assert (declared, live) == before


@pytest.mark.parametrize("name", [*DIFFERENT, *EQUAL])
def test_body_ends_the_differences(name: str) -> None:
    resource_type, declared, live = (DIFFERENT | EQUAL)[name][:3]
    compared = comparison(resource_type)
    assert compared.differences(declared, compared.body(declared, live)) == []


# Properties

FACTS = TypeFacts(
    "Example.Test/things",
    "2025-01-01",
    ordered=Patterns(["properties.ordered"]),
    list_keys={"properties.keyed": ["key"]},
    read_only=Patterns(["properties.state", "properties.map.{}.state"]),
    enumerations=Patterns(["properties.kind"]),
)
_NAMES = ["state", "ordered", "keyed", "kind", "map", "x", "y", "location"]
_scalars = st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "A", "a", "fd00::1", "FD00:0::1", "10.0.0.0/8", "/A/b", "/a/c"])
_scalar_lists = st.lists(_scalars.filter(lambda value: value not in ("FD00:0::1", "A")), max_size=3)
_values = st.recursive(
    _scalars | _scalar_lists,
    lambda below: (
        st.dictionaries(st.sampled_from([*_NAMES, "/subscriptions/Microsoft.X/i"]), below, max_size=4)
        | st.lists(st.dictionaries(st.sampled_from(["x", "y"]), below, max_size=2), max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c"]), below, max_size=3).map(
            lambda found: [{"name": name, "x": value} for name, value in found.items()]
        )
    ),
    max_leaves=12,
)
_keyed = st.dictionaries(st.sampled_from(["a", "b", "c"]), _values, max_size=3).map(
    lambda found: [{"key": key, "x": value} for key, value in found.items()]
)
_bodies = st.fixed_dictionaries(
    {"properties": st.dictionaries(st.sampled_from([name for name in _NAMES if name != "keyed"]), _values, max_size=5)},
    optional={"id": st.just("/x"), "name": st.just("x"), "location": st.sampled_from(["westeurope", "West Europe"]), "tags": st.just({"a": "b"})},
)
_with_keyed = st.tuples(_bodies, _keyed).map(lambda found: {**found[0], "properties": {**found[0]["properties"], "keyed": found[1]}})
_quick = settings(max_examples=300, deadline=None, derandomize=True, database=None)


@_quick
@given(_with_keyed)
def test_a_body_is_equal_to_itself(live: Body) -> None:
    assert Comparison(FACTS).differences(live, live) == []


@_quick
@given(_with_keyed)
def test_a_body_over_itself_is_unchanged(live: Body) -> None:
    compared = Comparison(FACTS)
    writable = compared.body({}, live)
    assert "id" not in writable and "name" not in writable and "state" not in writable["properties"]
    assert compared.body(writable, live) == writable


@_quick
@given(_with_keyed, _with_keyed)
def test_what_is_put_is_what_was_declared(one: Body, other: Body) -> None:
    compared = Comparison(FACTS)
    declared, live = compared.body({}, one), compared.body({}, other)
    assert compared.differences(declared, compared.body(declared, live)) == []


@_quick
@given(_with_keyed, _with_keyed)
def test_nothing_undeclared_is_lost(one: Body, other: Body) -> None:
    compared = Comparison(FACTS)
    declared, live = compared.body({}, one), compared.body({}, other)
    written = compared.body(declared, live)
    for here, there, result in ((declared, live, written), (declared["properties"], live["properties"], written["properties"])):
        undeclared = {name: value for name, value in there.items() if name not in here}
        assert {name: result.get(name) for name in undeclared} == undeclared
