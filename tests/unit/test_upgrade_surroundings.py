"""What an upgrade adds to security groups and route tables of others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.run import Run
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.surroundings import Surroundings
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.twins import counterparts
from tests.unit.upgrade_samples import NSG_ID, ROUTES_ID, VNET_ID, body, running, vnet

OTHER_SUBNET = f"{VNET_ID}/subnets/batch"
OTHER_NSG = NSG_ID.replace("rg-shop", "rg-batch")
RULES = [
    {
        "name": "office",
        "properties": {
            "access": "Allow",
            "direction": "Inbound",
            "priority": 300,
            "protocol": "Tcp",
            "sourceAddressPrefix": "0.0.0.0/0",
            "destinationAddressPrefix": "0.0.0.0/0",
            "sourcePortRange": "*",
            "destinationPortRange": "443",
        },
    }
]
ROUTES = [{"name": "nowhere", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "None"}}]


def added(group: str, routes: str) -> dict[str, Any]:
    """Id -> what is added to its list; nodes are in two subnets, and the second one has this group and this table."""
    second = {"addressPrefix": "10.77.8.0/22", "networkSecurityGroup": {"id": group}, "routeTable": {"id": routes}}
    network = vnet(
        {"networkSecurityGroup": {"id": NSG_ID}, "routeTable": {"id": ROUTES_ID}}, {"id": OTHER_SUBNET, "name": "batch", "properties": second}
    )
    answers = {
        "network": network,
        "group": {"id": NSG_ID, "properties": {"securityRules": RULES}},
        "routes": {"id": ROUTES_ID, "properties": {"routes": ROUTES}},
        f"group {OTHER_NSG.lower()}": {"id": OTHER_NSG, "properties": {"securityRules": RULES}},
    }
    cluster = running(body(pools=[{}, {"name": "batch", "vnetSubnetID": OTHER_SUBNET}]), **answers)
    declared = Surroundings(cast(Run, SimpleNamespace())).twins(cluster, counterparts(cluster))
    return {identifier.lower(): next(iter(entry["body"]["properties"].values())) for identifier, entry in declared.items()}


def test_groups_of_the_same_name_in_two_resource_groups_both_get_twins() -> None:
    found = added(OTHER_NSG, ROUTES_ID)
    assert found.keys() == {NSG_ID.lower(), OTHER_NSG.lower(), ROUTES_ID.lower()}
    assert [[twin["name"] for twin in twins] for twins in found.values()] == [["office-ipv6"], ["office-ipv6"], ["nowhere-ipv6"]]


def test_an_id_that_subnets_spell_in_two_cases_is_one_resource() -> None:
    assert added(NSG_ID.upper(), ROUTES_ID.upper()).keys() == {NSG_ID.lower(), ROUTES_ID.lower()}
