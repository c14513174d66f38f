"""IPv6 twins of security rules, routes and network policies: which prefix stands for which, where a rule stands, and what gets no twin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._report.parity import security_rules_without_twin
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.twins import (
    Counterparts,
    Known,
    NoPriority,
    counterparts,
    policy_twins,
    route_twins,
    rule_twins,
)
from tests.unit.upgrade_samples import body, running, vnet

VNET, NODES, PODS = "fd77::/56", "fd77:0:0:5::/64", "fd77:0:0:100::/64"
OTHER = {"id": "/other", "name": "other", "properties": {"addressPrefix": "10.77.8.0/24"}}
PEERING = {
    "name": "hub",
    "properties": {
        "remoteVirtualNetwork": {"id": "/hub"},
        "remoteVirtualNetworkAddressSpace": {"addressPrefixes": ["10.90.0.0/16", "fd90::/48"]},
    },
}
GIVEN = {"203.0.113.0/24": ["2001:db8:1::/48"], "10.77.8.4": ["fd77:0:0:8::4"]}
READY = vnet({"addressPrefixes": ["10.77.4.0/22", NODES]}, OTHER, prefixes=["10.77.0.0/16", VNET], virtualNetworkPeerings=[PEERING])
DUAL = body(families=["IPv4", "IPv6"], profile={"podCidrs": ["10.244.0.0/16", PODS], "serviceCidrs": ["10.0.0.0/16", "fd77:0:0:200::/108"]})
BEFORE, AFTER = (counterparts(running(found, network=READY), GIVEN) for found in (body(), DUAL))

#: prefix -> its counterparts before the cluster has both families, and after; whether there is one at last
PREFIXES: list[tuple[str, list[str], list[str], bool]] = [
    ("0.0.0.0/0", ["::/0"], ["::/0"], True),
    ("10.77.0.0/16", [VNET], [VNET], True),
    ("10.77.4.0/22", [NODES], [NODES], True),
    ("10.244.0.0/16", [], [PODS], True),
    ("10.90.0.0/16", ["fd90::/48"], ["fd90::/48"], True),
    # Everything inside it; one half of it has its counterpart later.
    ("10.0.0.0/8", [], [VNET, PODS, "fd77:0:0:200::/108", "fd90::/48"], True),
    # A part of the nodes' subnet, a subnet that stays as it is, and somebody else's.
    ("10.77.4.4/32", [], [], False),
    ("10.77.8.0/24", [], [], False),
    ("198.51.100.0/24", [], [], False),
    ("203.0.113.0/24", ["2001:db8:1::/48"], ["2001:db8:1::/48"], True),
]


@pytest.mark.parametrize(("prefix", "before", "after", "has_one"), PREFIXES)
def test_counterparts(prefix: str, before: list[str], after: list[str], has_one: bool) -> None:
    assert (sorted(BEFORE.of(prefix)), sorted(AFTER.of(prefix))) == (sorted(before), sorted(after))
    assert BEFORE.has(prefix) == AFTER.has(prefix) == has_one
    assert bool(BEFORE.complete.of(prefix)) == has_one


def rule(name: str, priority: int, source: str | list[str], access: str = "Allow", **more: Any) -> dict[str, Any]:
    prefixes = {"sourceAddressPrefix": source} if isinstance(source, str) else {"sourceAddressPrefixes": source}
    properties = {"priority": priority, "direction": "Inbound", "access": access, "protocol": "Tcp", "sourcePortRange": "*"}
    return {"name": name, "properties": {**properties, **prefixes, "destinationAddressPrefix": "*", "destinationPortRange": "443", **more}}


def placed(rules: Sequence[dict[str, Any]], known: Counterparts = AFTER) -> dict[str, tuple[int, Any]]:
    """Name -> priority and sources of each twin."""
    twins = rule_twins(rules, known)
    found = ((twin["name"], twin["properties"]) for twin in twins)
    return {
        name: (properties["priority"], properties.get("sourceAddressPrefix") or properties["sourceAddressPrefixes"]) for name, properties in found
    }


#: rules -> twins
RULES: list[tuple[list[dict[str, Any]], dict[str, tuple[int, Any]]]] = [
    ([rule("web", 100, "10.77.0.0/16")], {"web-ipv6": (101, VNET)}),
    ([rule("web", 100, ["10.77.0.0/16", "203.0.113.0/24"])], {"web-ipv6": (101, [VNET, "2001:db8:1::/48"])}),
    # Tags and * cover both families, and a twin is there already.
    ([rule("any", 100, "*"), rule("tag", 110, "Internet")], {}),
    ([rule("web", 100, "10.77.0.0/16"), rule("web6", 101, "fd77::/48")], {}),
    ([rule("web", 100, "198.51.100.0/24")], {}),
    # The part that has a counterpart.
    ([rule("web", 100, ["10.77.0.0/16", "198.51.100.0/24"])], {"web-ipv6": (101, VNET)}),
    # The name is taken, and so is the next priority.
    ([rule("web", 100, "10.77.0.0/16"), rule("Web-IPv6", 101, "*")], {"web-ipv6-2": (102, VNET)}),
    # Above it stands what denies, so it goes below.
    (
        [rule("web", 110, "10.77.0.0/16"), rule("deny", 111, "*", "Deny")],
        {"web-ipv6": (109, VNET)},
    ),
    # Both twins on the same side of each other.
    (
        [rule("nodes", 100, "10.77.4.0/22"), rule("deny", 110, "0.0.0.0/0", "Deny")],
        {"nodes-ipv6": (101, NODES), "deny-ipv6": (111, "::/0")},
    ),
    # The cloud controller opens IPv6 by itself.
    ([rule("k8s-azure-lb_allow_IPv4_x", 500, "10.77.0.0/16")], {}),
    ([rule("out", 4096, "10.77.0.0/16", direction="Outbound")], {"out-ipv6": (4095, VNET)}),
]


@pytest.mark.parametrize(("rules", "twins"), RULES)
def test_security_rules(rules: list[dict[str, Any]], twins: dict[str, tuple[int, Any]]) -> None:
    assert placed(rules) == twins
    made = [*rules, *rule_twins(rules, AFTER)]
    if twins:
        assert security_rules_without_twin(made, entrances=()) == []
    assert rule_twins(made, AFTER) == []


def test_a_rule_waits_until_all_its_prefixes_are_known() -> None:
    rules = [rule("web", 100, ["10.77.0.0/16", "10.244.0.0/16"]), rule("nodes", 120, "10.77.4.0/22")]
    assert placed(rules, BEFORE) == {"nodes-ipv6": (121, NODES)}
    assert placed([*rules, *rule_twins(rules, BEFORE)]) == {"web-ipv6": (101, [VNET, PODS])}


def test_what_else_a_rule_has_goes_along() -> None:
    groups: dict[str, Any] = {"destinationApplicationSecurityGroups": [{"id": "/asg", "etag": "x"}], "destinationAddressPrefix": ""}
    [twin] = rule_twins([rule("n" * 80, 100, "10.77.0.0/16", description="ours", provisioningState="Succeeded", **groups)], AFTER)
    assert twin["name"] == "n" * 75 + "-ipv6"
    assert twin["properties"] == {
        "access": "Allow",
        "direction": "Inbound",
        "protocol": "Tcp",
        "description": "ours",
        "priority": 101,
        "sourcePortRange": "*",
        "destinationPortRange": "443",
        "sourceAddressPrefix": VNET,
        "destinationApplicationSecurityGroups": [{"id": "/asg"}],
    }


def test_no_priority_is_free() -> None:
    rules = [rule("deny", 100, "*", "Deny"), rule("web", 101, "10.77.0.0/16"), rule("denied", 102, "*", "Deny")]
    with pytest.raises(NoPriority, match="web"):
        rule_twins(rules, AFTER)


def route(prefix: str, kind: str, hop: str = "") -> dict[str, Any]:
    return {"name": "route", "properties": {"addressPrefix": prefix, "nextHopType": kind, **({"nextHopIpAddress": hop} if hop else {})}}


#: route -> prefix, kind and next hop of its twin
ROUTES: list[tuple[dict[str, Any], tuple[str, str, str] | None]] = [
    (route("0.0.0.0/0", "Internet"), ("::/0", "Internet", "")),
    (route("10.90.0.0/16", "VirtualNetworkGateway"), ("fd90::/48", "VirtualNetworkGateway", "")),
    (route("0.0.0.0/0", "VirtualAppliance", "10.77.8.4"), ("::/0", "VirtualAppliance", "fd77:0:0:8::4")),
    # Which address of IPv6 an appliance has is not known.
    (route("0.0.0.0/0", "VirtualAppliance", "10.77.8.5"), None),
    (route("198.51.100.0/24", "None"), None),
    (route("AzureCloud", "Internet"), None),
]


@pytest.mark.parametrize(("found", "expected"), ROUTES)
def test_routes(found: dict[str, Any], expected: tuple[str, str, str] | None) -> None:
    twins = route_twins([found], AFTER)
    seen = [
        (twin["properties"]["addressPrefix"], twin["properties"]["nextHopType"], twin["properties"].get("nextHopIpAddress", "")) for twin in twins
    ]
    assert seen == ([expected] if expected else [])
    assert route_twins([found, *twins], AFTER) == []


def policy(*blocks: Mapping[str, Any], name: str = "shop") -> dict[str, Any]:
    peers = [{"ipBlock": dict(block)} for block in blocks]
    return {"metadata": {"namespace": "apps", "name": name}, "spec": {"podSelector": {}, "egress": [{"to": peers}]}}


#: blocks of a policy -> the blocks that are added
POLICIES: list[tuple[list[dict[str, Any]], list[dict[str, Any]]]] = [
    ([{"cidr": "0.0.0.0/0"}], [{"cidr": "::/0"}]),
    ([{"cidr": "10.244.0.0/16"}, {"cidr": "198.51.100.0/24"}], [{"cidr": PODS}]),
    ([{"cidr": "0.0.0.0/0", "except": ["10.77.0.0/16"]}], [{"cidr": "::/0", "except": [VNET]}]),
    # IPv6 would be more open than IPv4.
    ([{"cidr": "0.0.0.0/0", "except": ["10.77.0.0/16", "198.51.100.0/24"]}], []),
    # Somebody has thought of IPv6 already.
    ([{"cidr": "0.0.0.0/0"}, {"cidr": "2001:db8::/32"}], []),
    # A run was killed in between.
    ([{"cidr": "10.77.0.0/16"}, {"cidr": "10.244.0.0/16"}, {"cidr": VNET}], [{"cidr": PODS}]),
]


@pytest.mark.parametrize(("blocks", "added"), POLICIES)
def test_policies(blocks: list[dict[str, Any]], added: list[dict[str, Any]]) -> None:
    twins = policy_twins([policy(*blocks)], AFTER)
    assert twins == ([policy(*blocks, *added)] if added else [])
    assert policy_twins(twins, AFTER) == []


def test_a_policy_for_the_same_pods_that_has_ipv6_counts() -> None:
    other = policy({"cidr": "2001:db8::/32"}, name="other")
    assert policy_twins([policy({"cidr": "0.0.0.0/0"}), other], AFTER) == []


def test_a_malformed_counterpart_is_none() -> None:
    known = Counterparts((Known("10.0.0.0/8", ("fd00::/8",)),), {"nonsense": ["fd00::/8"], "10.0.0.0/8": ["nonsense"]})
    assert known.of("10.0.0.0/8") == ["fd00::/8"]
