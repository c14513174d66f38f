from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.ranges import MalformedSpecification
from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.security_rules import closed_by, family_rules, rule_families

PLAN: dict[str, Any] = {
    "vnet": {"ipv4": "10.0.0.0/20", "ipv6": "fd00:1::/56"},
    "pods": {"ipv4": "10.128.0.0/16", "ipv6": "fd00:1:0:100::/64"},
    "services": {"ipv4": "10.192.0.0/20"},
    "subnets": {
        "nodes": {"ipv4": "10.0.0.0/22", "ipv6": "fd00:1::/64"},
        "endpoints": {"ipv4": "10.0.4.0/26"},
        "homeless": {},
    },
}
ANY = {
    "access": "Allow",
    "direction": "Inbound",
    "protocol": "*",
    "sourceAddressPrefix": "*",
    "sourcePortRange": "*",
    "destinationAddressPrefix": "*",
    "destinationPortRange": "*",
}

# name: (rule beyond name and priority, {name of an Azure rule: its properties beyond ANY; None: not there})
RULES: dict[str, tuple[dict[str, Any], dict[str, dict[str, Any]]]] = {
    "nothing said: one rule for both families": ({}, {"web": {"priority": 200}}),
    "a tag: one rule": ({"source": "Internet"}, {"web": {"priority": 200, "sourceAddressPrefix": "Internet"}}),
    "tags on both sides: one rule": (
        {"source": ["Internet", "AzureLoadBalancer"], "destination": ["VirtualNetwork"]},
        {
            "web": {
                "priority": 200,
                "sourceAddressPrefix": None,
                "sourceAddressPrefixes": ["Internet", "AzureLoadBalancer"],
                "destinationAddressPrefix": "VirtualNetwork",
            }
        },
    ),
    "everything that is not an address": (
        {
            "access": "Deny",
            "direction": "Outbound",
            "protocol": "Udp",
            "description": "DNS",
            "source_ports": "1024-65535",
            "destination_ports": [53, "853"],
        },
        {
            "web": {
                "priority": 200,
                "access": "Deny",
                "direction": "Outbound",
                "protocol": "Udp",
                "description": "DNS",
                "sourcePortRange": "1024-65535",
                "destinationPortRange": None,
                "destinationPortRanges": ["53", "853"],
            }
        },
    ),
    "one port in a list": ({"destination_ports": [443]}, {"web": {"priority": 200, "destinationPortRange": "443"}}),
    "IPv4 only": ({"source": "192.0.2.0/24"}, {"web": {"priority": 200, "sourceAddressPrefix": "192.0.2.0/24"}}),
    "IPv6 only": ({"source": "2001:db8::/32"}, {"web-ipv6": {"priority": 201, "sourceAddressPrefix": "2001:db8::/32"}}),
    "mixed prefixes: two rules": (
        {"source": ["192.0.2.0/24", "2001:db8::/32"]},
        {
            "web": {"priority": 200, "sourceAddressPrefix": "192.0.2.0/24"},
            "web-ipv6": {"priority": 201, "sourceAddressPrefix": "2001:db8::/32"},
        },
    ),
    "mixed prefixes: singular and plural": (
        {"source": ["192.0.2.0/24", "2001:db8::/32", "198.51.100.0/24"]},
        {
            "web": {"priority": 200, "sourceAddressPrefix": None, "sourceAddressPrefixes": ["192.0.2.0/24", "198.51.100.0/24"]},
            "web-ipv6": {"priority": 201, "sourceAddressPrefix": "2001:db8::/32"},
        },
    ),
    "mixed prefixes on both sides": (
        {"source": ["192.0.2.1", "2001:db8::1"], "destination": ["2001:db8::2", "192.0.2.2"]},
        {
            "web": {"priority": 200, "sourceAddressPrefix": "192.0.2.1", "destinationAddressPrefix": "192.0.2.2"},
            "web-ipv6": {"priority": 201, "sourceAddressPrefix": "2001:db8::1", "destinationAddressPrefix": "2001:db8::2"},
        },
    ),
    "only the family that both sides have": (
        {"source": ["192.0.2.1", "2001:db8::1"], "destination": "2001:db8::2"},
        {"web-ipv6": {"priority": 201, "sourceAddressPrefix": "2001:db8::1", "destinationAddressPrefix": "2001:db8::2"}},
    ),
    "no family that both sides have": ({"source": "192.0.2.1", "destination": "2001:db8::2"}, {}),
    "a tag beside prefixes is in both rules": (
        {"source": ["Internet", "192.0.2.1", "2001:db8::1"]},
        {
            "web": {"priority": 200, "sourceAddressPrefix": None, "sourceAddressPrefixes": ["Internet", "192.0.2.1"]},
            "web-ipv6": {"priority": 201, "sourceAddressPrefix": None, "sourceAddressPrefixes": ["Internet", "2001:db8::1"]},
        },
    ),
    "prefixes are written canonically, without host bits": (
        {"source": ["192.0.2.77/24", "2001:0DB8:0::1/32"], "destination": ["192.0.2.1", "2001:DB8:0:0::2"]},
        {
            "web": {"priority": 200, "sourceAddressPrefix": "192.0.2.0/24", "destinationAddressPrefix": "192.0.2.1"},
            "web-ipv6": {"priority": 201, "sourceAddressPrefix": "2001:db8::/32", "destinationAddressPrefix": "2001:db8::2"},
        },
    ),
    "names of the plan": (
        {"source": "pods", "destination": "subnet:nodes"},
        {
            "web": {"priority": 200, "sourceAddressPrefix": "10.128.0.0/16", "destinationAddressPrefix": "10.0.0.0/22"},
            "web-ipv6": {"priority": 201, "sourceAddressPrefix": "fd00:1:0:100::/64", "destinationAddressPrefix": "fd00:1::/64"},
        },
    ),
    "names of the plan: of one family": (
        {"source": "vnet", "destination": "subnet:endpoints"},
        {"web": {"priority": 200, "sourceAddressPrefix": "10.0.0.0/20", "destinationAddressPrefix": "10.0.4.0/26"}},
    ),
    "names of the plan: several": (
        {"source": ["services", "subnet:endpoints"]},
        {"web": {"priority": 200, "sourceAddressPrefix": None, "sourceAddressPrefixes": ["10.192.0.0/20", "10.0.4.0/26"]}},
    ),
    "a subnet without a range opens nothing": ({"source": "subnet:homeless"}, {}),
}


@pytest.mark.parametrize("name", RULES)
def test_family_rules(name: str) -> None:
    extra, expected = RULES[name]
    found = family_rules({"name": "web", "priority": 200, **extra}, PLAN)
    wanted = [
        {"name": rule, "properties": {key: value for key, value in {**ANY, **properties}.items() if value is not None}}
        for rule, properties in expected.items()
    ]
    assert found == wanted


@pytest.mark.parametrize("priority", [100, 4095, 4096])
def test_priority_of_the_twin(priority: int) -> None:
    found = family_rules({"name": "web", "priority": priority, "source": "pods"}, PLAN)
    assert [rule["properties"]["priority"] for rule in found] == [priority, priority + 1]


# (value of a side, its families)
FAMILIES: list[tuple[Any, set[int]]] = [
    ("*", set()),
    ("Internet", set()),
    ("AzureCloud.westeurope", set()),
    ("10.0.0.0/8", {4}),
    ("fd00::1", {6}),
    (["Internet", "fd00::/8"], {6}),
    (["10.0.0.0/8", "fd00::/8"], {4, 6}),
    ("subnet:nodes", {4, 6}),
    ("services", {4}),
]


@pytest.mark.parametrize(("value", "families"), FAMILIES, ids=str)
def test_rule_families(value: Any, families: set[int]) -> None:
    for side in ("source", "destination"):
        assert rule_families({"name": "web", side: value}, side, PLAN) == families


# (rule, what the message says)
ERRORS: list[tuple[dict[str, Any], list[str]]] = [
    ({"priority": 200}, ["network_security_rules", "name", "200"]),
    ({"name": "", "priority": 200}, ["network_security_rules", "name"]),
    ({"name": "web"}, ["network_security_rules", "web", "priority"]),
    ({"name": "web", "priority": "200"}, ["network_security_rules", "web", "priority", "whole number"]),
    ({"name": "web", "priority": 200, "source": "subnet:missing"}, ["network_security_rules.web.source", "'missing'"]),
    ({"name": "web", "priority": 200, "destination": ["*", "subnet:"]}, ["network_security_rules.web.destination", "''"]),
]


@pytest.mark.parametrize(("rule", "words"), ERRORS, ids=str)
def test_errors(rule: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(MalformedSpecification) as caught:
        family_rules(rule, PLAN)
    assert [word for word in words if word not in str(caught.value)] == []


def allow(name: str, priority: int, **properties: Any) -> dict[str, Any]:
    """Clients of TCP port 5432, unless it says otherwise."""
    defaults = {"protocol": "Tcp", "sourceAddressPrefix": "Internet", "destinationPortRange": "5432"}
    return {"name": name, "properties": {**ANY, "priority": priority, **defaults, **properties}}


def deny(name: str, priority: int, **properties: Any) -> dict[str, Any]:
    return allow(name, priority, **{"access": "Deny", "protocol": "*", "sourceAddressPrefix": "*", "destinationPortRange": "*", **properties})


LAST = deny("last", 4096)
# name: (rules, what closes the port to IPv4, and to IPv6)
CLOSED: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "no rule": ([], "DenyAllInBound", "DenyAllInBound"),
    "only the last": ([LAST], "last", "last"),
    "clients before the last": ([LAST, allow("web", 200)], "", ""),
    "another port": ([allow("web", 200, destinationPortRange="80"), LAST], "last", "last"),
    "a range of ports": ([allow("web", 200, destinationPortRange="5000-6000")], "", ""),
    "a list of ports": ([allow("web", 200, destinationPortRange="", destinationPortRanges=["80", "5432"])], "", ""),
    "ports that cannot be read": ([allow("web", 200, destinationPortRange="80,5432"), LAST], "last", "last"),
    "UDP alone": ([allow("dns", 200, protocol="Udp"), LAST], "last", "last"),
    "outbound alone": ([allow("out", 200, direction="Outbound"), LAST], "last", "last"),
    "a rule of the user before": ([deny("no-sql", 150, destinationPortRange="5432"), allow("web", 200)], "no-sql", "no-sql"),
    "a rule of the user behind": ([deny("no-sql", 250, destinationPortRange="5432"), allow("web", 200)], "", ""),
    "some clients are denied": ([deny("some", 150, sourceAddressPrefix="198.51.100.0/24"), allow("web", 200)], "", ""),
    "all clients of a family are denied": ([deny("six", 150, sourceAddressPrefix="2000::/3"), allow("web", 200)], "", "six"),
    "an office before the rest is denied": (
        [allow("office", 140, sourceAddressPrefix="198.51.100.0/24"), deny("no-sql", 150), allow("web", 200)],
        "",
        "no-sql",
    ),
    "Front Door alone": ([allow("edge", 200, sourceAddressPrefix="AzureFrontDoor.Backend"), LAST], "", ""),
    "the load balancer's probes are no clients": ([allow("probes", 210, sourceAddressPrefix="AzureLoadBalancer"), LAST], "last", "last"),
    "the network is no client": ([allow("near", 210, sourceAddressPrefix="VirtualNetwork"), LAST], "last", "last"),
    "nodes are not the entrance's address": ([allow("nodes", 200, destinationAddressPrefix="10.0.0.0/22"), LAST], "last", "last"),
    "denied at nodes alone": (
        [deny("nodes", 100, destinationAddressPrefixes=["10.0.0.0/22"], destinationAddressPrefix=""), allow("web", 200)],
        "",
        "",
    ),
    "one family's address": ([allow("web", 200, destinationAddressPrefix="203.0.113.10"), LAST], "", "last"),
}


@pytest.mark.parametrize("name", CLOSED)
def test_closed_by(name: str) -> None:
    rules, ipv4, ipv6 = CLOSED[name]
    own = ["10.0.0.0/20", "fd00:1::/56"]
    assert (closed_by(rules, own, 4, "TCP", 5432), closed_by(rules, own, 6, "TCP", 5432)) == (ipv4, ipv6)
