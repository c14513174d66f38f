"""Live networks, as plans and the register write them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.preflight import adopt, live_network


def vnet(*prefixes: str, **subnets: list[str]) -> dict[str, Any]:
    """A virtual network as Azure answers it: of one prefix a subnet has ``addressPrefix``."""
    found = [
        {"name": name, "properties": {"addressPrefix": texts[0]} if len(texts) == 1 else {"addressPrefixes": texts}}
        for name, texts in subnets.items()
    ]
    return {"properties": {"addressSpace": {"addressPrefixes": list(prefixes)}, "subnets": found}}


# (the stamp in the register, its live network, the stamp as it is adopted)
ADOPTED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "one prefix of each family": (
        {},
        vnet("10.5.0.0/20", "fd00:1::/56", nodes=["10.5.0.0/22", "fd00:1::/64"]),
        {"vnet": {"ipv4": "10.5.0.0/20", "ipv6": "fd00:1::/56"}, "nodes": {"ipv4": "10.5.0.0/22", "ipv6": "fd00:1::/64"}},
    ),
    "several prefixes of each": (
        {"vnet": {"ipv4": "10.5.0.0/20"}},
        vnet("10.5.0.0/20", "10.6.0.0/20", "fd00:1::/56", "fd00:2::/56", nodes=["10.5.0.0/24", "10.6.0.0/24"]),
        {"vnet": {"ipv4": ["10.5.0.0/20", "10.6.0.0/20"], "ipv6": ["fd00:1::/56", "fd00:2::/56"]}, "nodes": {"ipv4": ["10.5.0.0/24", "10.6.0.0/24"]}},
    ),
    "a family that is not live yet stays": (
        {"vnet": {"ipv4": "10.9.0.0/20", "ipv6": "fd00:9::/56"}, "pods": {"ipv4": "10.244.0.0/16"}},
        vnet("10.5.0.0/20"),
        {"vnet": {"ipv4": "10.5.0.0/20", "ipv6": "fd00:9::/56"}, "pods": {"ipv4": "10.244.0.0/16"}},
    ),
    "a name in another case": (
        {"nodes": {"ipv4": "10.9.0.0/22"}},
        vnet("10.5.0.0/20", Nodes=["10.5.0.0/22"]),
        {"vnet": {"ipv4": "10.5.0.0/20"}, "nodes": {"ipv4": "10.5.0.0/22"}},
    ),
    "a subnet that is called like one of the stamp's own ranges": (
        {"pods": {"ipv4": "10.244.0.0/16"}},
        vnet("10.5.0.0/20", pods=["10.5.0.0/22"], Services=["10.5.4.0/24"], VNet=["10.5.8.0/24"]),
        {"pods": {"ipv4": "10.244.0.0/16"}, "vnet": {"ipv4": "10.5.0.0/20"}},
    ),
    "a subnet without a prefix": ({}, {"properties": {"subnets": [{"name": "a", "properties": {}}]}}, {"vnet": {}, "a": {}}),
}


@pytest.mark.parametrize("name", ADOPTED)
def test_adopted(name: str) -> None:
    before, live, expected = ADOPTED[name]
    others = {"northeurope": {"vnet": {"ipv4": "10.7.0.0/20"}}}
    register = {"stamps": {"westeurope": before, **others}, "retired": {}}
    assert adopt(register, {"westeurope": live}) == {"stamps": {"westeurope": expected, **others}, "retired": {}}


def test_what_is_peered() -> None:
    peer = {"remoteVirtualNetwork": {"id": "/hub"}, "remoteAddressSpace": {"addressPrefixes": ["10.9.0.0/16", "fd00:9::/56"]}}
    live = vnet("10.5.0.0/20")
    live["properties"]["virtualNetworkPeerings"] = [{"name": "hub", "properties": peer}]
    assert live_network(live)["live_peers"] == {"/hub": ["10.9.0.0/16", "fd00:9::/56"]}
    assert live_network({}) == {"live_vnet": [], "live_subnets": {}, "live_delegations": {}, "live_peers": {}}


def test_delegations_of_what_is_in_use() -> None:
    live = vnet("10.5.0.0/20", free=["10.5.0.0/24"], used=["10.5.1.0/24"])
    live["properties"]["subnets"][1]["properties"] |= {
        "ipConfigurations": [{"id": "/nic"}],
        "delegations": [{"name": "d", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}],
    }
    assert live_network(live)["live_delegations"] == {"used": ["Microsoft.Web/serverFarms"]}
