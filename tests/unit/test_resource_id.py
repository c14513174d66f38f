from __future__ import annotations

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._resource_id import is_child_of, resource_id, type_of

SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
VNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v"
SUBNET = f"{VNET}/subnets/s"
HERE = {"subscription_id": SUBSCRIPTION, "resource_group": "rg"}

# (name, type, further arguments, id)
IDS: list[tuple[str, str, dict[str, str], str]] = [
    ("v", "Microsoft.Network/virtualNetworks", HERE, VNET),
    ("v/s", "Microsoft.Network/virtualNetworks/subnets", HERE, SUBNET),
    ("rg", "Microsoft.Resources/resourceGroups", {"subscription_id": SUBSCRIPTION}, GROUP),
    ("rg", "microsoft.resources/RESOURCEGROUPS", {"subscription_id": SUBSCRIPTION}, GROUP),
    ("rg", "Microsoft.Resources/resourceGroups", {"parent": f"/subscriptions/{SUBSCRIPTION}"}, GROUP),
    ("v", "Microsoft.Network/virtualNetworks", {"parent": GROUP}, VNET),
    ("s", "Microsoft.Network/virtualNetworks/subnets", {"parent": VNET}, SUBNET),
    ("s", "Microsoft.Network/virtualNetworks/subnets", {"parent": f"{VNET}/"}, SUBNET),
    ("s", "Microsoft.Network/virtualNetworks/subnets", {"parent": VNET.upper()}, f"{VNET.upper()}/subnets/s"),
    ("l", "Microsoft.Authorization/locks", {"parent": VNET}, f"{VNET}/providers/Microsoft.Authorization/locks/l"),
    ("l", "Microsoft.Authorization/locks", {"parent": GROUP}, f"{GROUP}/providers/Microsoft.Authorization/locks/l"),
    ("d", "Microsoft.Insights/diagnosticSettings", {"parent": SUBNET}, f"{SUBNET}/providers/Microsoft.Insights/diagnosticSettings/d"),
    (
        "r",
        "Microsoft.Authorization/roleAssignments",
        {"parent": f"/subscriptions/{SUBSCRIPTION}", "subscription_id": "not looked at"},
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments/r",
    ),
]


@pytest.mark.parametrize(("name", "resource_type", "arguments", "expected"), IDS, ids=str)
def test_resource_id(name: str, resource_type: str, arguments: dict[str, str], expected: str) -> None:
    assert resource_id(name, resource_type, **arguments) == expected


# (name, type, further arguments, what the message says)
ERRORS: list[tuple[str, str, dict[str, str], list[str]]] = [
    ("v", "virtualNetworks", HERE, ["'virtualNetworks'", "resource type"]),
    ("v", "", HERE, ["''", "resource type"]),
    ("v", "Microsoft.Network/", HERE, ["'Microsoft.Network/'", "resource type"]),
    ("", "Microsoft.Network/virtualNetworks", HERE, ["virtualNetworks", "name"]),
    ("v", "Microsoft.Network/virtualNetworks", {"resource_group": "rg"}, ["subscription_id", "''"]),
    ("v", "Microsoft.Network/virtualNetworks", {"subscription_id": "mine", "resource_group": "rg"}, ["subscription_id", "'mine'"]),
    ("v", "Microsoft.Network/virtualNetworks", {"subscription_id": f"{SUBSCRIPTION}0", "resource_group": "rg"}, ["subscription_id"]),
    ("v", "Microsoft.Network/virtualNetworks", {"subscription_id": SUBSCRIPTION}, ["virtualNetworks", "'v'", "resource_group"]),
    ("s", "Microsoft.Network/virtualNetworks/subnets", HERE, ["'s'", "2 parts", "virtualNetworks/subnets"]),
    ("v/s", "Microsoft.Network/virtualNetworks", HERE, ["'v/s'", "1 parts"]),
    ("v/s", "Microsoft.Network/virtualNetworks/subnets", {"parent": VNET}, ["'v/s'"]),
    ("s", "Microsoft.Network/virtualNetworks/subnets", {"parent": GROUP}, ["virtualNetworks/subnets", GROUP]),
]


@pytest.mark.parametrize(("name", "resource_type", "arguments", "words"), ERRORS, ids=str)
def test_errors(name: str, resource_type: str, arguments: dict[str, str], words: list[str]) -> None:
    with pytest.raises(ValueError) as caught:
        resource_id(name, resource_type, **arguments)
    assert [word for word in words if word not in str(caught.value)] == []


TYPES = {
    f"/subscriptions/{SUBSCRIPTION}": "Microsoft.Resources/subscriptions",
    f"/subscriptions/{SUBSCRIPTION}/locations": "Microsoft.Resources/subscriptions/locations",
    f"/subscriptions/{SUBSCRIPTION}/providers": "Microsoft.Resources/providers",
    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network": "Microsoft.Resources/providers",
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups": "Microsoft.Resources/resourceGroups",
    f"{GROUP}/resources": "Microsoft.Resources/subscriptions/resourceGroups/resources",
    GROUP: "Microsoft.Resources/resourceGroups",
    f"{GROUP}/": "Microsoft.Resources/resourceGroups",
    VNET: "Microsoft.Network/virtualNetworks",
    SUBNET: "Microsoft.Network/virtualNetworks/subnets",
    f"{VNET}/subnets": "Microsoft.Network/virtualNetworks/subnets",
    SUBNET.replace("/providers/", "/PROVIDERS/"): "Microsoft.Network/virtualNetworks/subnets",
    f"{SUBNET}/providers/Microsoft.Authorization/locks/l": "Microsoft.Authorization/locks",
    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/x": "Microsoft.Authorization/roleDefinitions",
}


@pytest.mark.parametrize("identifier", TYPES)
def test_type_of(identifier: str) -> None:
    assert type_of(identifier) == TYPES[identifier]


# (parent, type, whether it is a child)
CHILDREN: list[tuple[str, str, bool]] = [
    (VNET, "Microsoft.Network/virtualNetworks/subnets", True),
    (VNET.upper(), "Microsoft.Network/virtualNetworks/subnets", True),
    (VNET, "microsoft.network/VIRTUALNETWORKS/subnets", True),
    (VNET, "Microsoft.Network/virtualNetworks", False),
    (VNET, "Microsoft.Network/privateDnsZones/A", False),
    (VNET, "Microsoft.Authorization/locks", False),
    (SUBNET, "Microsoft.Network/virtualNetworks/subnets", False),
    (GROUP, "Microsoft.Network/virtualNetworks", False),
    (f"{VNET}/providers/Microsoft.Authorization/locks/l", "Microsoft.Network/virtualNetworks/subnets", False),
]


@pytest.mark.parametrize(("parent", "resource_type", "expected"), CHILDREN)
def test_is_child_of(parent: str, resource_type: str, expected: bool) -> None:
    assert is_child_of(parent, resource_type) is expected
