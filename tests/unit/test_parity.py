"""Rules and blocks that one family has and the other has not."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._report.parity import (
    policy_blocks,
    policy_blocks_without_twin,
    security_rules_without_twin,
)

FOUR, SIX = "198.51.100.0/24", "2001:db8:1::/48"
ENTRANCES = ["203.0.113.10", "2001:db8:f::10"]


def rule(name: str, priority: int, source: Any = "*", destination: Any = "*", **more: Any) -> dict[str, Any]:
    properties: dict[str, Any] = {"priority": priority, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourcePortRange": "*"}
    properties |= {"destinationPortRange": "80"} | more
    for side, value in (("source", source), ("destination", destination)):
        properties[f"{side}AddressPrefix{'es' if isinstance(value, list) else ''}"] = value
    return {"name": name, "properties": properties}


DENY = rule("deny-the-rest", 4096, access="Deny", protocol="*")
CLUSTER = rule("k8s-azure-lb_allow_IPv4_0a", 500, "Internet", ENTRANCES[0])
CLUSTER_SIX = rule("k8s-azure-lb_allow_IPv6_0a", 501, "Internet", ENTRANCES[1])
#: rules, and what each family lacks
RULES: dict[str, tuple[list[dict[str, Any]], list[tuple[str, str]]]] = {
    "none": ([], []),
    "twins": ([rule("a", 100, FOUR), rule("a-ipv6", 101, SIX), DENY], []),
    "no IPv6": ([rule("a", 100, FOUR), DENY], [("ipv6", "a")]),
    "no IPv4": ([rule("a", 100, SIX), DENY], [("ipv4", "a")]),
    "everybody": ([rule("a", 100), DENY], []),
    "service tags": ([rule("a", 100, "Internet", "VirtualNetwork")], []),
    "an application security group": ([rule("a", 100, "", sourceApplicationSecurityGroups=[{"id": "/x"}])], []),
    "several prefixes for one": ([rule("a", 100, [FOUR, "192.0.2.7"]), rule("b", 101, [SIX])], []),
    "an address on the other side": ([rule("a", 100, FOUR), rule("b", 101, "*", SIX)], [("ipv6", "a"), ("ipv4", "b")]),
    "another tag beside it": ([rule("a", 100, "Internet", FOUR), rule("b", 101, "*", SIX)], [("ipv6", "a"), ("ipv4", "b")]),
    "another direction": ([rule("a", 100, FOUR), rule("b", 101, SIX, direction="Outbound")], [("ipv6", "a"), ("ipv4", "b")]),
    "another access": ([rule("a", 100, FOUR), rule("b", 101, SIX, access="Deny")], [("ipv6", "a"), ("ipv4", "b")]),
    "another protocol": ([rule("a", 100, FOUR), rule("b", 101, SIX, protocol="Udp")], [("ipv6", "a"), ("ipv4", "b")]),
    "another port": ([rule("a", 100, FOUR), rule("b", 101, SIX, destinationPortRange="81")], [("ipv6", "a"), ("ipv4", "b")]),
    "ports in another order": (
        [
            rule("a", 100, FOUR, destinationPortRange=None, destinationPortRanges=["80", "443"]),
            rule("b", 101, SIX, destinationPortRange=None, destinationPortRanges=["443", "80"]),
        ],
        [],
    ),
    "one twin for two": ([rule("a", 100, FOUR), rule("b", 101, FOUR), rule("c", 102, SIX)], [("ipv6", "b")]),
    "spelt in another case": ([rule("a", 100, FOUR, protocol="TCP", access="allow"), rule("b", 101, SIX)], []),
    "behind what denies all": (
        [rule("a", 100, FOUR), {**DENY, "properties": {**DENY["properties"], "priority": 150}}, rule("b", 200, SIX)],
        [("ipv6", "b (not on the same side of deny-the-rest as a)")],
    ),
    "behind its own family's denial": (
        [rule("a", 100, FOUR), rule("no", 110, FOUR, access="Deny"), rule("no-ipv6", 120, SIX, access="Deny"), rule("b", 130, SIX)],
        [("ipv6", "b (not on the same side of no-ipv6 as a of no)")],
    ),
    "two that allow, in another order": (
        [rule("a", 100, FOUR), rule("b", 110, FOUR, protocol="Udp"), rule("b-ipv6", 111, SIX, protocol="Udp"), rule("a-ipv6", 112, SIX)],
        [],
    ),
    "the cluster's": ([CLUSTER, CLUSTER_SIX], []),
    "the cluster's, for IPv4 alone": ([CLUSTER], [("ipv6", "k8s-azure-lb_allow_IPv4_0a")]),
    "the cluster's, for another Service": ([CLUSTER, CLUSTER_SIX, rule("k8s-azure-lb_allow_IPv4_0b", 502, "Internet", "203.0.113.99")], []),
}


@pytest.mark.parametrize("case", RULES)
def test_security_rules(case: str) -> None:
    rules, expected = RULES[case]
    assert [tuple(lack) for lack in security_rules_without_twin(rules, ENTRANCES)] == expected


def test_every_rule_of_the_cluster_counts_where_no_entrance_is_given() -> None:
    assert [lack.family for lack in security_rules_without_twin([CLUSTER])] == ["ipv6"]
    assert security_rules_without_twin([CLUSTER], []) == []


def policy(name: str = "shop", namespace: str = "apps", app: str = "shop", **specification: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace, "name": name}, "spec": {"podSelector": {"matchLabels": {"app": app}}, **specification}}


def blocks(*ranges: str) -> list[dict[str, Any]]:
    return [{"ipBlock": {"cidr": found}} for found in ranges]


WEB = [{"port": 80, "protocol": "TCP"}]
POLICIES: dict[str, tuple[list[dict[str, Any]], list[tuple[str, str]]]] = {
    "no rules": ([policy()], []),
    "no blocks": ([policy(ingress=[{"from": [{"podSelector": {}}]}])], []),
    "everybody": ([policy(ingress=[{}], egress=[{"to": None}])], []),
    "both": ([policy(ingress=[{"from": blocks("0.0.0.0/0", "::/0")}])], []),
    "several for one": ([policy(egress=[{"to": blocks("10.0.0.0/8", "192.168.0.0/16", "fd00::/8")}])], []),
    "in a rule of its own": ([policy(ingress=[{"from": blocks(FOUR), "ports": WEB}, {"from": blocks(SIX), "ports": WEB}])], []),
    "IPv4 alone": ([policy(ingress=[{"from": blocks(FOUR)}])], [("ipv6", f"apps/shop ingress {FOUR}")]),
    "IPv6 alone": ([policy(egress=[{"to": blocks(SIX)}])], [("ipv4", f"apps/shop egress {SIX}")]),
    "in the other direction": (
        [policy(ingress=[{"from": blocks(FOUR)}], egress=[{"to": blocks(SIX)}])],
        [("ipv6", f"apps/shop ingress {FOUR}"), ("ipv4", f"apps/shop egress {SIX}")],
    ),
    "on other ports": (
        [policy(ingress=[{"from": blocks(FOUR), "ports": WEB}, {"from": blocks(SIX)}])],
        [("ipv6", f"apps/shop ingress {FOUR}"), ("ipv4", f"apps/shop ingress {SIX}")],
    ),
    "in a policy of its own": ([policy(ingress=[{"from": blocks(FOUR)}]), policy("shop-ipv6", ingress=[{"from": blocks(SIX)}])], []),
    "in a policy of other pods": (
        [policy(ingress=[{"from": blocks(FOUR)}]), policy("cart", app="cart", ingress=[{"from": blocks(SIX)}])],
        [("ipv6", f"apps/shop ingress {FOUR}"), ("ipv4", f"apps/cart ingress {SIX}")],
    ),
    "in another namespace": (
        [policy(ingress=[{"from": blocks(FOUR)}]), policy(namespace="test", ingress=[{"from": blocks(SIX)}])],
        [("ipv6", f"apps/shop ingress {FOUR}"), ("ipv4", f"test/shop ingress {SIX}")],
    ),
}


@pytest.mark.parametrize("case", POLICIES)
def test_network_policies(case: str) -> None:
    found, expected = POLICIES[case]
    assert [tuple(lack) for lack in policy_blocks_without_twin(policy_blocks(found))] == expected
