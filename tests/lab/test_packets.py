"""Packets, as far as they can be looked at without a lab: what follows from stored resources, and what is asked over loopback."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.arm.azure import Azure
from lab.arm.dns import kinds as dns
from lab.arm.network import bodies as network
from lab.arm.network.bodies import SCALE_SET_VM
from lab.arm.network.kinds.public_addresses import PublicIPAddress
from lab.arm.options import Options
from lab.arm.store import Resource, Store
from lab.packets import balancing, clients, forwarding, probes, security, watching
from lab.packets import zones as names
from lab.packets.balancing import BalancingRule, Member, Probe
from lab.packets.namespaces import Namespace
from lab.ports import free_port
from tests.lab.nftables import accepted_by_nft

Body = dict[str, Any]

GROUP = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg"
NODES, OTHER_NODES = (f"{GROUP}/providers/{network.VNET}/{vnet}/subnets/nodes" for vnet in ("vnet", "other"))
BALANCER = f"{GROUP}/providers/{network.LOAD_BALANCER}/kubernetes"
SPACE = ("10.0.0.0/16", "10.128.0.0/16", "fd00::/48")


def world() -> Azure:
    return Azure(Store(), Options())


def keep(azure: Azure, resource_type: str, name: str, **properties: Any) -> str:
    """Store a resource below a group, or a child below its parents: its id."""
    provider, *kinds = resource_type.split("/")
    path = "/".join(f"{kind}/{part}" for kind, part in zip(kinds, name.split("/"), strict=True))
    identifier = f"{GROUP}/providers/{provider}/{path}"
    azure.store.save(Resource(identifier, resource_type, {"properties": properties, "etag": "1"}))
    return identifier


def refer(target: str) -> Body:
    return {"id": target}


# Public addresses


@pytest.mark.parametrize("version", ["IPv4", "IPv6"])
def test_200_stamps_get_public_addresses_of_their_own(version: str) -> None:
    """Each has one for its entrance and one for its cluster's egress, in each family."""
    azure = world()
    found = set()
    for number in range(400):
        address = azure.store.get(keep(azure, network.PUBLIC_IP, str(number), publicIPAddressVersion=version))
        assert address
        PublicIPAddress().finished(azure, address, None)
        found.add(ipaddress.ip_address(address.properties["ipAddress"]))
    assert len(found) == 400


# Load balancers


def public(azure: Azure, name: str, address: str) -> Body:
    return {"publicIPAddress": refer(keep(azure, network.PUBLIC_IP, name, ipAddress=address))}


def machine(azure: Azure, number: int, *addresses: str, subnet: str = NODES, pools: tuple[str, ...] = ("v4", "v6"), group: str = "") -> str:
    """A scale set's VM with an IP configuration for each address, in the pool of its family."""
    configurations = [
        {
            "name": f"c{place}",
            "properties": {
                "privateIPAddress": address,
                "subnet": refer(subnet),
                "loadBalancerBackendAddressPools": [
                    # Azure changes the case of ids as it likes.
                    refer(f"{BALANCER}/backendAddressPools/{pool}".upper())
                    for pool in pools
                    if pool == ("v6" if ":" in address else "v4")
                ],
            },
        }
        for place, address in enumerate(addresses)
    ]
    nic = {"name": "nic", "properties": {"ipConfigurations": configurations} | ({"networkSecurityGroup": refer(group)} if group else {})}
    return keep(azure, SCALE_SET_VM, f"apps/{number}", networkProfileConfiguration={"networkInterfaceConfigurations": [nic]})


def balancer(azure: Azure, frontends: dict[str, Body], balancing_rules: list[Body], outbound: tuple[Body, ...] = ()) -> None:
    keep(
        azure,
        network.LOAD_BALANCER,
        "kubernetes",
        frontendIPConfigurations=[
            {"id": f"{BALANCER}/frontendIPConfigurations/{name}", "name": name, "properties": properties} for name, properties in frontends.items()
        ],
        probes=[
            {
                "id": f"{BALANCER}/probes/local",
                "properties": {"protocol": "Http", "port": 31000, "requestPath": "/healthz", "intervalInSeconds": 5, "numberOfProbes": 2},
            },
            {"id": f"{BALANCER}/probes/plain", "properties": {"protocol": "Tcp", "port": 80, "probeThreshold": 3, "numberOfProbes": 1}},
        ],
        loadBalancingRules=[{"name": f"rule{number}", "properties": rule} for number, rule in enumerate(balancing_rules)],
        outboundRules=[{"properties": item} for item in outbound],
    )


def rule(frontend: str, pool: str = "v4", **changes: Any) -> Body:
    properties = {
        "frontendIPConfiguration": refer(f"{BALANCER}/frontendIPConfigurations/{frontend}"),
        "backendAddressPool": refer(f"{BALANCER}/backendAddressPools/{pool}"),
        "probe": refer(f"{BALANCER}/probes/local"),
        "protocol": "Tcp",
        "frontendPort": 80,
        "backendPort": 80,
        "enableFloatingIP": True,
        "loadDistribution": "Default",
    }
    return {name: value for name, value in (properties | changes).items() if value is not None}


def outbound(frontend: str, pool: str) -> Body:
    return {
        "backendAddressPool": refer(f"{BALANCER}/backendAddressPools/{pool}"),
        "frontendIPConfigurations": [refer(f"{BALANCER}/frontendIPConfigurations/{frontend}")],
    }


HTTP_PROBE = Probe("http", 31000, "/healthz", 5, 2)


@pytest.mark.parametrize(
    ("frontend", "given", "expected"),
    [
        ("public4", {}, BalancingRule("203.0.113.1", "tcp", 80, 80, True, False, (Member("0", "10.0.0.4"), Member("1", "10.0.0.5")), HTTP_PROBE)),
        ("public6", {"pool": "v6"}, BalancingRule("2001:db8::1", "tcp", 80, 80, True, False, (Member("0", "fd00::4"),), HTTP_PROBE)),
        ("internal4", {}, BalancingRule("10.0.0.9", "tcp", 80, 80, True, False, (Member("0", "10.0.0.4"), Member("1", "10.0.0.5")), HTTP_PROBE)),
        (
            "internal6",
            {"pool": "v6", "enableFloatingIP": False, "backendPort": 30080},
            BalancingRule("fd00::9", "tcp", 80, 30080, False, False, (Member("0", "fd00::4"),), HTTP_PROBE),
        ),
        (
            "public4",
            {"loadDistribution": "SourceIP", "protocol": "Udp", "probe": None},
            BalancingRule("203.0.113.1", "udp", 80, 80, True, True, (Member("0", "10.0.0.4"), Member("1", "10.0.0.5")), None),
        ),
        (
            "public4",
            {"probe": refer(f"{BALANCER}/PROBES/plain"), "enableFloatingIP": None, "loadDistribution": None, "backendPort": None},
            BalancingRule(
                "203.0.113.1", "tcp", 80, 80, False, False, (Member("0", "10.0.0.4"), Member("1", "10.0.0.5")), Probe("tcp", 80, "/", 15, 3)
            ),
        ),
        ("public4", {"pool": "nobody"}, BalancingRule("203.0.113.1", "tcp", 80, 80, True, False, (), HTTP_PROBE)),
        ("public6", {"pool": "v4"}, BalancingRule("2001:db8::1", "tcp", 80, 80, True, False, (), HTTP_PROBE)),
        ("pending", {}, None),
        ("nowhere", {}, None),
    ],
)
def test_rules_of_stored_load_balancers(frontend: str, given: Body, expected: BalancingRule | None) -> None:
    azure = world()
    ids = [machine(azure, 0, "10.0.0.4", "fd00::4"), machine(azure, 1, "10.0.0.5")]
    machine(azure, 2, "10.0.0.6", pools=())
    frontends = {
        "public4": public(azure, "four", "203.0.113.1"),
        "public6": public(azure, "six", "2001:db8::1"),
        "internal4": {"privateIPAddress": "10.0.0.9"},
        "internal6": {"privateIPAddress": "fd00::9"},
        "pending": public(azure, "pending", ""),
    }
    balancer(azure, frontends, [rule(frontend, **given)])
    found = list(balancing.balancing_rules(azure))
    shown = [(item, tuple(Member(str(ids.index(member.machine)), member.address) for member in item.members)) for item in found]
    assert shown == ([] if expected is None else [(found[0], expected.members)])
    if expected is not None:
        assert [getattr(found[0], name) for name in vars(expected) if name != "members"] == [
            value for name, value in vars(expected).items() if name != "members"
        ]


def balanced(address: str = "203.0.113.1", **changes: Any) -> BalancingRule:
    found: Body = {
        "protocol": "tcp",
        "frontend_port": 80,
        "backend_port": 80,
        "floating": True,
        "client_affinity": False,
        "members": (),
        "probe": None,
    }
    return BalancingRule(address=address, **(found | changes))


FOUR, SIX = (Member("/vm/A", "10.0.0.4"), Member("/vm/b", "10.0.0.5")), (Member("/vm/A", "fd00::4"), Member("/vm/b", "fd00::5"))
MARKS = {"/vm/a": 1001, "/vm/b": 1002}
FLOW = "jhash ip saddr . tcp sport . ip daddr . tcp dport"


@pytest.mark.parametrize(
    ("stored", "healthy", "marking", "translating"),
    [
        (
            balanced(),
            FOUR,
            [
                f"ip daddr 203.0.113.1 tcp dport 80 ct state new ct mark set {FLOW} mod 2 map {{ 0 : 1001, 1 : 1002 }}",
                "ip daddr 203.0.113.1 tcp dport 80 meta mark set ct mark accept",
            ],
            [],
        ),
        (
            balanced("2001:db8::1", protocol="udp", client_affinity=True),
            SIX[1:],
            [
                "ip6 daddr 2001:db8::1 udp dport 80 ct state new ct mark set jhash ip6 saddr mod 1 map { 0 : 1002 }",
                "ip6 daddr 2001:db8::1 udp dport 80 meta mark set ct mark accept",
            ],
            [],
        ),
        # Flows that there are go on; new ones get nothing.
        (
            balanced(),
            (),
            ["ip daddr 203.0.113.1 tcp dport 80 ct state new drop", "ip daddr 203.0.113.1 tcp dport 80 meta mark set ct mark accept"],
            [],
        ),
        (balanced("fd00::9", floating=False), (), ["ip6 daddr fd00::9 tcp dport 80 ct state new drop"], []),
        (
            balanced("fd00::9", floating=False, backend_port=30080),
            SIX,
            [],
            [
                "ip6 daddr fd00::9 tcp dport 80 dnat ip6 to jhash ip6 saddr . tcp sport . ip6 daddr . tcp dport mod 2"
                " map { 0 : fd00::4 . 30080, 1 : fd00::5 . 30080 }"
            ],
        ),
        (
            balanced("10.0.0.9", protocol="all", frontend_port=0, backend_port=0),
            FOUR[:1],
            [
                "ip daddr 10.0.0.9 meta l4proto { tcp, udp } ct state new ct mark set"
                " jhash ip saddr . th sport . ip daddr . th dport mod 1 map { 0 : 1001 }",
                "ip daddr 10.0.0.9 meta l4proto { tcp, udp } meta mark set ct mark accept",
            ],
            [],
        ),
        (
            balanced("10.0.0.9", protocol="all", frontend_port=0, backend_port=0, floating=False),
            FOUR[:1],
            [],
            ["ip daddr 10.0.0.9 meta l4proto { tcp, udp } dnat ip to jhash ip saddr . th sport . ip daddr . th dport mod 1 map { 0 : 10.0.0.4 }"],
        ),
    ],
)
def test_rules_as_nftables(stored: BalancingRule, healthy: tuple[Member, ...], marking: list[str], translating: list[str]) -> None:
    assert balancing.nftables([(stored, healthy)], MARKS) == (marking, translating)
    accepted_by_nft(table(marking=marking, translating=translating))


@st.composite
def balanced_with_members(draw: st.DrawFn) -> tuple[BalancingRule, tuple[Member, ...]]:
    six = draw(st.booleans())
    members = draw(st.lists(st.sampled_from(SIX if six else FOUR), unique=True))
    protocol = draw(st.sampled_from(("tcp", "udp", "all")))
    port = 0 if protocol == "all" else draw(st.integers(1, 65535))
    stored = balanced(
        "2001:db8::1" if six else "203.0.113.1",
        protocol=protocol,
        frontend_port=port,
        backend_port=port,
        floating=draw(st.booleans()),
        client_affinity=draw(st.booleans()),
    )
    return stored, tuple(members)


@settings(max_examples=40, deadline=None)
@given(st.lists(balanced_with_members(), max_size=5))
def test_nft_takes_any_balancing(found: list[tuple[BalancingRule, tuple[Member, ...]]]) -> None:
    marking, translating = balancing.nftables(found, MARKS)
    accepted_by_nft(table(marking=marking, translating=translating))


def gateway(azure: Azure, name: str, four: str = "", six: str = "") -> str:
    lists = {"publicIpAddresses": four, "publicIpAddressesV6": six}
    properties = {key: [public(azure, address, address)["publicIPAddress"]] for key, address in lists.items() if address}
    return keep(azure, network.NAT_GATEWAY, name, **properties)


@pytest.mark.parametrize(
    ("four", "six", "expected"),
    [
        ("", "", {4: "203.0.113.8", 6: "2001:db8::8"}),
        ("198.51.100.1", "", {4: "198.51.100.1", 6: "2001:db8::8"}),
        ("198.51.100.1", "2001:db8:1::1", {4: "198.51.100.1", 6: "2001:db8:1::1"}),
    ],
)
def test_flows_leave_by_the_gateway_before_outbound_rules(four: str, six: str, expected: dict[int, str]) -> None:
    azure = world()
    machine(azure, 0, "10.0.0.4", "fd00::4")
    frontends = {"public4": public(azure, "p4", "203.0.113.8"), "public6": public(azure, "p6", "2001:db8::8")}
    balancer(azure, frontends, [], (outbound("public4", "v4"), outbound("public6", "v6")))
    keep(azure, network.SUBNET, "vnet/nodes", **({"natGateway": refer(gateway(azure, "gateway", four, six))} if four else {}))
    keep(azure, network.SUBNET, "other/nodes")
    assert balancing.outbound_addresses(azure, [NODES]) == expected
    # Another VNet's load balancer is none of its business.
    assert balancing.outbound_addresses(azure, [OTHER_NODES]) == {}


def test_public_addresses_are_those_that_have_one() -> None:
    azure = world()
    for name, address in (("four", "203.0.113.1"), ("six", "2001:db8::1"), ("pending", "")):
        public(azure, name, address)
    assert balancing.public_addresses(azure) == {"203.0.113.1", "2001:db8::1"}


# nftables


def table(*chains: str, marking: list[str] | None = None, translating: list[str] | None = None) -> str:
    bases = {
        "balance": ("filter hook prerouting priority mangle", marking or []),
        "translate": ("nat hook prerouting priority dstnat", translating or []),
    }
    texts = [f"chain {name} {{\ntype {hook}\n" + "\n".join(lines) + "\n}" for name, (hook, lines) in bases.items()]
    return "table inet lab {\n" + "\n".join([*chains, *texts]) + "\n}\n"


# Network security groups


def security_rule(**changes: Any) -> Body:
    properties = {
        "access": "Allow",
        "direction": "Inbound",
        "priority": 100,
        "protocol": "Tcp",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "80",
    }
    return {name: value for name, value in (properties | changes).items() if value is not None}


def stored_group(azure: Azure, name: str, *found: Body) -> str:
    return keep(
        azure, network.NSG, name, securityRules=[{"name": f"rule{number}", "properties": properties} for number, properties in enumerate(found)]
    )


def chains_of(*found: Body) -> dict[str, list[str]]:
    """Chain -> its lines, of one group with these rules; nft takes them."""
    azure = world()
    texts = security.chains(azure, [stored_group(azure, "nsg", *found)], SPACE)
    accepted_by_nft(table(*texts))
    return {text.split()[1]: [line.strip() for line in text.splitlines()[1:-1]] for text in texts}


V4, V6 = "meta nfproto ipv4", "meta nfproto ipv6"
WEB = "meta l4proto tcp th dport { 80 }"
OWN4, OWN6 = "{ 10.0.0.0/16, 10.128.0.0/16 }", "{ fd00::/48 }"
DEFAULTS_IN = [
    f"{V4} ip saddr {OWN4} ip daddr {OWN4} return",
    f"{V6} ip6 saddr {OWN6} ip6 daddr {OWN6} return",
    f"{V4} ip saddr {{ 168.63.129.16/32 }} return",
    f"{V6} ip6 saddr {{ fe80::1234:5678:9abc/128 }} return",
    f"{V4} drop",
    f"{V6} drop",
]
NOT_OWN4, NOT_OWN6 = "!= { 10.0.0.0/16, 10.128.0.0/16, 168.63.129.16 }", "!= { fd00::/48, fe80::1234:5678:9abc }"
DEFAULTS_OUT = [*DEFAULTS_IN[:2], f"{V4} ip daddr {NOT_OWN4} return", f"{V6} ip6 daddr {NOT_OWN6} return", f"{V4} drop", f"{V6} drop"]


def test_the_default_rules_are_azures() -> None:
    assert chains_of() == {"in_0": DEFAULTS_IN, "out_0": DEFAULTS_OUT}


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, [f"{V4} {WEB} return", f"{V6} {WEB} return"]),
        ({"access": "Deny"}, [f"{V4} {WEB} drop", f"{V6} {WEB} drop"]),
        ({"sourceAddressPrefix": "VirtualNetwork"}, [f"{V4} ip saddr {OWN4} {WEB} return", f"{V6} ip6 saddr {OWN6} {WEB} return"]),
        ({"destinationAddressPrefix": "VIRTUALNETWORK"}, [f"{V4} ip daddr {OWN4} {WEB} return", f"{V6} ip6 daddr {OWN6} {WEB} return"]),
        (
            {"sourceAddressPrefix": "AzureLoadBalancer"},
            [f"{V4} ip saddr {{ 168.63.129.16/32 }} {WEB} return", f"{V6} ip6 saddr {{ fe80::1234:5678:9abc/128 }} {WEB} return"],
        ),
        ({"sourceAddressPrefix": "Internet"}, [f"{V4} ip saddr {NOT_OWN4} {WEB} return", f"{V6} ip6 saddr {NOT_OWN6} {WEB} return"]),
        ({"sourceAddressPrefix": "Any"}, [f"{V4} {WEB} return", f"{V6} {WEB} return"]),
        # A tag that means nothing here fits nobody.
        ({"sourceAddressPrefix": "192.0.2.0/24"}, [f"{V4} ip saddr {{ 192.0.2.0/24 }} {WEB} return"]),
        ({"sourceAddressPrefix": "192.0.2.7"}, [f"{V4} ip saddr {{ 192.0.2.7/32 }} {WEB} return"]),
        ({"sourceAddressPrefix": "2001:0db8:0000:0000::/64"}, [f"{V6} ip6 saddr {{ 2001:db8::/64 }} {WEB} return"]),
        ({"sourceAddressPrefix": "192.0.2.0/24", "destinationAddressPrefix": "2001:db8::1"}, []),
        ({"sourceAddressPrefix": "0.0.0.0/0"}, [f"{V4} ip saddr {{ 0.0.0.0/0 }} {WEB} return"]),
        ({"sourceAddressPrefix": "::/0"}, [f"{V6} ip6 saddr {{ ::/0 }} {WEB} return"]),
        (
            {"sourceAddressPrefix": None, "sourceAddressPrefixes": ["192.0.2.0/24", "192.0.2.7/32", "2001:db8::/32", "198.51.100.0/24"]},
            [f"{V4} ip saddr {{ 192.0.2.0/24, 198.51.100.0/24 }} {WEB} return", f"{V6} ip6 saddr {{ 2001:db8::/32 }} {WEB} return"],
        ),
        (
            {"sourceAddressPrefix": "azurefrontdoor.backend"},
            [f"{V4} ip saddr {{ 192.0.2.11/32 }} {WEB} return", f"{V6} ip6 saddr {{ 2001:db8:c::11/128 }} {WEB} return"],
        ),
        ({"sourceAddressPrefix": "Storage"}, []),
        (
            {"sourceAddressPrefix": None, "sourceAddressPrefixes": ["Internet", "10.128.0.0/16"]},
            [
                f"{V4} ip saddr {{ 10.128.0.0/16 }} {WEB} return",
                f"{V4} ip saddr {NOT_OWN4} {WEB} return",
                f"{V6} ip6 saddr {NOT_OWN6} {WEB} return",
            ],
        ),
        (
            {"destinationPortRange": None, "destinationPortRanges": ["80", "443", "8000-8100"], "sourcePortRange": "1024-65535"},
            [f"{family} meta l4proto tcp th sport {{ 1024-65535 }} th dport {{ 80, 443, 8000-8100 }} return" for family in (V4, V6)],
        ),
        ({"destinationPortRange": "*"}, [f"{V4} meta l4proto tcp return", f"{V6} meta l4proto tcp return"]),
        ({"protocol": "Udp", "destinationPortRange": "53"}, [f"{family} meta l4proto udp th dport {{ 53 }} return" for family in (V4, V6)]),
        # Ports are of TCP and UDP; a rule for any protocol with ports leaves ICMP alone.
        ({"protocol": "*"}, [f"{family} meta l4proto {{ tcp, udp }} th dport {{ 80 }} return" for family in (V4, V6)]),
        ({"protocol": "*", "destinationPortRange": "*"}, [f"{V4} return", f"{V6} return"]),
        ({"protocol": "Icmp", "destinationPortRange": "*"}, [f"{V4} meta l4proto icmp return"]),
        ({"protocol": "Icmp", "sourceAddressPrefix": "2001:db8::/32"}, []),
        ({"protocol": "Esp", "destinationPortRange": "*"}, [f"{V4} meta l4proto esp return", f"{V6} meta l4proto esp return"]),
        ({"protocol": "Ah", "destinationPortRange": "*"}, [f"{V4} meta l4proto ah return", f"{V6} meta l4proto ah return"]),
    ],
)
def test_a_security_rule(changes: Body, lines: list[str]) -> None:
    assert chains_of(security_rule(**changes)) == {"in_0": [*lines, *DEFAULTS_IN], "out_0": DEFAULTS_OUT}
    mirrored = chains_of(security_rule(**changes, direction="Outbound"))
    assert mirrored == {"in_0": DEFAULTS_IN, "out_0": [*lines, *DEFAULTS_OUT]}


def test_security_rules_go_by_priority() -> None:
    found = chains_of(
        security_rule(priority=4096, destinationPortRange="3"),
        security_rule(priority=100, destinationPortRange="1", access="Deny"),
        security_rule(priority=200, destinationPortRange="2", direction="Outbound"),
        security_rule(priority=101, destinationPortRange="2"),
    )
    verdicts = [line.removeprefix(f"{V4} meta l4proto tcp th dport ") for line in found["in_0"] if line.startswith(f"{V4} meta l4proto")]
    assert verdicts == ["{ 1 } drop", "{ 2 } return", "{ 3 } return"]
    assert found["in_0"][6:] == DEFAULTS_IN


PREFIXES = st.one_of(
    st.sampled_from(["*", "VirtualNetwork", "Internet", "AzureLoadBalancer", "Storage"]),
    st.builds(lambda address, length: f"{address}/{length}", st.ip_addresses(v=4), st.integers(0, 32)),
    st.builds(lambda address, length: f"{address}/{length}", st.ip_addresses(v=6), st.integers(0, 128)),
    st.ip_addresses().map(str),
)
PORTS = st.one_of(
    st.just("*"), st.integers(0, 65535).map(str), st.tuples(st.integers(0, 65535), st.integers(0, 65535)).map(lambda p: "-".join(map(str, sorted(p))))
)


@st.composite
def any_security_rule(draw: st.DrawFn) -> Body:
    return security_rule(
        access=draw(st.sampled_from(("Allow", "Deny"))),
        direction=draw(st.sampled_from(("Inbound", "Outbound"))),
        priority=draw(st.integers(100, 4096)),
        protocol=draw(st.sampled_from(("Tcp", "Udp", "Icmp", "Esp", "Ah", "*"))),
        sourceAddressPrefix=None,
        sourceAddressPrefixes=draw(st.lists(PREFIXES, min_size=1, max_size=4)),
        destinationAddressPrefix=draw(PREFIXES),
        sourcePortRange=draw(PORTS),
        destinationPortRange=None,
        destinationPortRanges=draw(st.lists(PORTS, min_size=1, max_size=4)),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(any_security_rule(), max_size=6))
def test_nft_takes_any_security_rule(found: list[Body]) -> None:
    chains_of(*found)


def test_groups_in_front_of_a_machine() -> None:
    azure = world()
    subnets, nics = stored_group(azure, "subnets"), stored_group(azure, "nics")
    keep(azure, network.SUBNET, "vnet/nodes", networkSecurityGroup=refer(subnets.upper()))
    keep(azure, network.SUBNET, "other/nodes")
    cases = {
        machine(azure, 0, "10.0.0.4", "fd00::4", group=nics): [subnets, nics],
        machine(azure, 1, "10.0.0.5"): [subnets],
        machine(azure, 2, "10.9.0.4", subnet=OTHER_NODES, group=nics): [nics],
        machine(azure, 3, "10.9.0.5", subnet=OTHER_NODES): [],
        machine(azure, 4, "10.0.0.6", group=subnets): [subnets],
        machine(azure, 5, "10.9.0.6", subnet=OTHER_NODES, group=f"{GROUP}/providers/{network.NSG}/deleted"): [],
    }
    assert {key: security.groups_of(azure, key) for key in cases} == {key: [item.lower() for item in groups] for key, groups in cases.items()}


def test_each_group_has_chains_of_its_own() -> None:
    azure = world()
    groups = [stored_group(azure, "one", security_rule()), stored_group(azure, "two", security_rule(access="Deny"))]
    texts = security.chains(azure, groups, SPACE)
    accepted_by_nft(table(*texts))
    assert [text.split()[1] for text in texts] == ["in_0", "out_0", "in_1", "out_1"]
    assert (f"{V4} {WEB} return" in texts[0], f"{V4} {WEB} drop" in texts[2]) == (True, True)


# Names


@pytest.mark.parametrize(
    ("kind", "name", "properties", "lines"),
    [
        (
            "A",
            "www",
            {"ARecords": [{"ipv4Address": "203.0.113.1"}, {"ipv4Address": "203.0.113.2"}]},
            ["www 60 IN A 203.0.113.1", "www 60 IN A 203.0.113.2"],
        ),
        ("AAAA", "@", {"AAAARecords": [{"ipv6Address": "2001:db8::1"}]}, ["@ 60 IN AAAA 2001:db8::1"]),
        ("CNAME", "*", {"CNAMERecord": {"cname": "www.example.org"}}, ["* 60 IN CNAME www.example.org."]),
        ("CNAME", "c", {"CNAMERecord": {"cname": "www.example.org."}}, ["c 60 IN CNAME www.example.org."]),
        ("MX", "@", {"MXRecords": [{"preference": 10, "exchange": "mail.example.org"}]}, ["@ 60 IN MX 10 mail.example.org."]),
        ("MX", "null", {"MXRecords": [{"preference": 0, "exchange": "."}]}, ["null 60 IN MX 0 ."]),
        ("NS", "child", {"NSRecords": [{"nsdname": "ns1.example.net."}]}, ["child 60 IN NS ns1.example.net."]),
        ("PTR", "4", {"PTRRecords": [{"ptrdname": "host.example.org"}]}, ["4 60 IN PTR host.example.org."]),
        (
            "SRV",
            "_http._tcp",
            {"SRVRecords": [{"priority": 1, "weight": 2, "port": 80, "target": "www.example.org"}]},
            ["_http._tcp 60 IN SRV 1 2 80 www.example.org."],
        ),
        ("TXT", "t", {"TXTRecords": [{"value": ["one", "two"]}, {"value": ["three"]}]}, ['t 60 IN TXT "one" "two"', 't 60 IN TXT "three"']),
        ("TXT", "q", {"TXTRecords": [{"value": ['a "b" \\ ; c\n']}]}, ['q 60 IN TXT "a \\"b\\" \\\\ ; c\\010"']),
        ("TXT", "l", {"TXTRecords": [{"value": ["x" * 300]}]}, [f'l 60 IN TXT "{"x" * 255}" "{"x" * 45}"']),
        ("CAA", "@", {"caaRecords": [{"flags": 0, "tag": "issue", "value": "ca.example.org"}]}, ['@ 60 IN CAA 0 issue "ca.example.org"']),
        ("A", "empty", {"ARecords": []}, []),
        ("SOA", "@", {"SOARecord": {"host": "ns1.example.net."}}, []),
    ],
)
def test_record_sets_in_a_zone(kind: str, name: str, properties: Body, lines: list[str]) -> None:
    azure = world()
    keep(azure, dns.PUBLIC_ZONE, "Example.org")
    keep(azure, f"{dns.PUBLIC_ZONE}/{kind}", f"Example.org/{name}", TTL=60, **properties)
    assert names.public_zones(azure) == {"example.org": "\n".join(sorted(lines))}


def test_an_alias_record_follows_a_public_address_of_its_family() -> None:
    azure = world()
    keep(azure, dns.PUBLIC_ZONE, "example.org")
    target = public(azure, "entrance", "2001:db8::1")["publicIPAddress"]
    for kind in ("A", "AAAA"):
        keep(azure, f"{dns.PUBLIC_ZONE}/{kind}", "example.org/www", TTL=60, targetResource=target)
    assert names.public_zones(azure) == {"example.org": "www 60 IN AAAA 2001:db8::1"}


def test_private_zones_are_those_of_linked_networks_and_hide_public_ones() -> None:
    azure = world()
    inside, outside = (subnet.partition("/subnets/")[0] for subnet in (NODES, OTHER_NODES))
    for zone in (dns.PUBLIC_ZONE, dns.PRIVATE_ZONE):
        keep(azure, zone, "example.org")
    keep(azure, dns.PRIVATE_ZONE, "unlinked.example.org")
    keep(azure, f"{dns.PUBLIC_ZONE}/A", "example.org/www", TTL=60, ARecords=[{"ipv4Address": "203.0.113.1"}])
    keep(azure, f"{dns.PRIVATE_ZONE}/A", "example.org/www", ttl=10, aRecords=[{"ipv4Address": "10.0.0.9"}])
    keep(azure, dns.LINK, "example.org/link", virtualNetwork=refer(inside.upper()))
    assert names.public_zones(azure) == {"example.org": "www 60 IN A 203.0.113.1"}
    assert names.private_zones(azure, inside) == {"example.org": "www 10 IN A 10.0.0.9"}
    assert names.private_zones(azure, outside) == {}


# What is asked over loopback


class Loopback:
    """Stands in for a namespace: its sockets are this process's."""

    name = "loopback"

    async def socket(self, make: Callable[[], socket.socket]) -> socket.socket:
        return make()


LOOPBACK = cast(Namespace, Loopback())


async def until(reached: Callable[[], bool], timeout: float = 5) -> None:
    async with asyncio.timeout(timeout):
        while not reached():
            await asyncio.sleep(0.01)


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(handler: Handler, address: str = "127.0.0.1") -> AsyncIterator[int]:
    """A TCP server on a port of the kernel's choice, which it gives."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await handler(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, address, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


class Website:
    """Answers each request with the next of its statuses; after them, with the last. 0 closes without an answer, SILENT never answers."""

    SILENT = -1

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.requests: list[list[str]] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n"))
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        if status == self.SILENT:
            await asyncio.sleep(60)
        if status:
            writer.write(f"HTTP/1.1 {status} Some Reason\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()


# The ways into namespaces and out of them


async def _answer_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says who asked and how much, when the client has said everything."""
    said = await reader.read()
    writer.write(f"{writer.get_extra_info('peername')[0]} {len(said)}".encode())
    await writer.drain()


async def _speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, said: bytes) -> bytes:
    writer.write(said)
    await writer.drain()
    writer.write_eof()
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


def test_a_way_in_carries_both_directions_to_their_ends() -> None:
    async def check() -> None:
        async with serving(_answer_at_the_end) as port:
            way = forwarding.Inward(LOOPBACK, "127.0.0.2", port)
            await way.start()
            connections = [await asyncio.open_connection("127.0.0.2", port) for _ in range(3)]
            answers = await asyncio.gather(*(_speak(*ends, b"x" * size) for ends, size in zip(connections, (0, 1, 3_000_000), strict=True)))
            assert answers == [b"127.0.0.1 0", b"127.0.0.1 1", b"127.0.0.1 3000000"]
            await way.stop()

    asyncio.run(check())


def test_a_way_in_to_nobody_closes() -> None:
    async def check() -> None:
        port = free_port()
        way = forwarding.Inward(LOOPBACK, "127.0.0.2", port)
        await way.start()
        reader, writer = await asyncio.open_connection("127.0.0.2", port)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
        await way.stop()

    asyncio.run(check())


def test_connections_end_with_their_way() -> None:
    async def check() -> None:
        async with serving(_answer_at_the_end) as port:
            way = forwarding.Inward(LOOPBACK, "127.0.0.2", port)
            await way.start()
            reader, writer = await asyncio.open_connection("127.0.0.2", port)
            writer.write(b"x")
            await asyncio.sleep(0.05)
            await way.stop()
            async with asyncio.timeout(5):
                assert await reader.read() == b""
            writer.close()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.2", port)

    asyncio.run(check())


async def _connect(path: Path, request: bytes, said: bytes = b"") -> tuple[bytes, bytes]:
    """(first line of the proxy's answer, what came after its header)."""
    answer = await _speak(*await asyncio.open_unix_connection(path), request + said)
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0], body


@pytest.mark.parametrize(("address", "seen"), [("127.0.0.1", b"127.0.0.3 5"), ("::1", b"::1 5")])
def test_a_way_out_begins_at_the_control_planes_address(tmp_path: Path, address: str, seen: bytes) -> None:
    async def check() -> None:
        async with serving(_answer_at_the_end, address) as port:
            way = forwarding.Outward(LOOPBACK, tmp_path / "egress", "127.0.0.3")
            await way.start()
            host = f"[{address}]" if ":" in address else address
            request = f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
            assert await _connect(tmp_path / "egress", request, b"hello") == (b"HTTP/1.1 200 OK", seen)
            await way.stop()

    asyncio.run(check())


@pytest.mark.parametrize(
    "request_",
    [
        b"CONNECT 127.0.0.1:PORT HTTP/1.1\r\n\r\n",
        b"CONNECT 127.0.0.1:99999 HTTP/1.1\r\n\r\n",
        b"CONNECT name.example.org:443 HTTP/1.1\r\n\r\n",
        b"CONNECT\r\n\r\n",
        b"CONNECT \xff:1 HTTP/1.1\r\n\r\n",
        b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nX: " + b"x" * 2**17 + b"\r\n\r\n",
        b"no end",
    ],
)
def test_a_way_out_to_nowhere_says_so(tmp_path: Path, request_: bytes) -> None:
    async def check() -> None:
        way = forwarding.Outward(LOOPBACK, tmp_path / "egress", "127.0.0.3")
        await way.start()
        asked = request_.replace(b"PORT", str(free_port()).encode())
        assert await _connect(tmp_path / "egress", asked) == (b"HTTP/1.1 502 Bad Gateway", b"")
        await way.stop()

    asyncio.run(check())


# Probes


@pytest.fixture
def probed_from_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "PROBE_IPV4", "127.0.0.1")
    monkeypatch.setattr(probes, "PROBE_IPV6", "::1")


@contextlib.asynccontextmanager
async def probing(changed: Callable[[], None] = lambda: None, interface_of: Callable[[str], str] = lambda _: "lo") -> AsyncIterator[probes.Prober]:
    prober = probes.Prober(LOOPBACK, interface_of, changed)
    try:
        yield prober
    finally:
        await prober.stop()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize(
    ("threshold", "answers", "changes"),
    [
        (1, (503, 200, 503, 200), [2, 3, 4]),
        (2, (503, 200, 503, 200, 200, 503, 200, 503, 503, 200), [5, 9]),
        (3, (200, 200, 200, 0, 404, 204, 200, 200, 200), [3, 6, 9]),
    ],
)
@pytest.mark.usefixtures("probed_from_loopback")
def test_as_many_answers_in_a_row_as_the_threshold_change_the_verdict(
    address: str, threshold: int, answers: tuple[int, ...], changes: list[int]
) -> None:
    async def check() -> None:
        site, seen = Website(*answers), list[tuple[int, bool]]()
        async with serving(site, address) as port:
            probe, member = Probe("http", port, "/healthz", 0.01, threshold), Member("/vm", address)
            async with probing(lambda: seen.append((len(site.requests), prober.is_up(probe, member)))) as prober:
                await prober.watch([(probe, member)])
                assert not prober.is_up(probe, member)
                # The last answer is taken in some time after it was sent.
                await until(lambda: len(site.requests) >= len(answers) and len(seen) >= len(changes))
        assert [place for place, _ in seen if place <= len(answers)] == changes
        assert [verdict for place, verdict in seen if place <= len(answers)] == [number % 2 == 0 for number in range(len(changes))]
        host = f"[{address}]" if ":" in address else address
        assert {(lines[0], lines[1]) for lines in site.requests} == {("GET /healthz HTTP/1.1", f"Host: {host}:{port}")}

    asyncio.run(check())


@pytest.mark.parametrize(
    ("status", "healthy"), [(200, True), (204, False), (301, False), (401, False), (503, False), (0, False), (Website.SILENT, False)]
)
@pytest.mark.usefixtures("probed_from_loopback")
def test_only_200_is_healthy(status: int, healthy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if status == Website.SILENT:
        monkeypatch.setattr(probes, "TIMEOUT", 0.05)

    async def check() -> None:
        site = Website(200, status)
        async with serving(site) as port, probing() as prober:
            probe, member = Probe("http", port, "/", 0.02, 1), Member("/vm", "127.0.0.1")
            await prober.watch([(probe, member)])
            await until(lambda: len(site.requests) > 3)
            assert prober.is_up(probe, member) is healthy

    asyncio.run(check())


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.usefixtures("probed_from_loopback")
def test_a_tcp_probe_wants_a_connection_only(address: str) -> None:
    async def check() -> None:
        async with probing() as prober:
            async with serving(_answer_at_the_end, address) as port:
                probe, member = Probe("tcp", port, "", 0.01, 2), Member("/vm", address)
                await prober.watch([(probe, member)])
                await until(lambda: prober.is_up(probe, member))
            await until(lambda: not prober.is_up(probe, member))

    asyncio.run(check())


@pytest.mark.usefixtures("probed_from_loopback")
def test_a_backend_that_is_not_asked_any_more_is_down() -> None:
    async def check() -> None:
        site = Website(200)
        async with serving(site) as port, probing() as prober:
            probe, member = Probe("http", port, "/", 0.01, 1), Member("/vm", "127.0.0.1")
            await prober.watch([(probe, member)])
            await until(lambda: prober.is_up(probe, member))
            await prober.watch([])
            assert (prober.is_up(probe, member), prober.is_up(None, member)) == (False, True)
            asked = len(site.requests)
            await asyncio.sleep(0.1)
            assert len(site.requests) == asked

    asyncio.run(check())


@pytest.mark.usefixtures("probed_from_loopback")
def test_a_machine_that_goes_and_comes_is_asked_again() -> None:
    async def check() -> None:
        interfaces = {"/vm": "lo"}
        async with serving(Website(200), "::1") as port, probing(interface_of=interfaces.__getitem__) as prober:
            probe, member = Probe("http", port, "/", 0.01, 1), Member("/vm", "::1")
            await prober.watch([(probe, member)])
            await until(lambda: prober.is_up(probe, member))
            del interfaces["/vm"]
            await until(lambda: not prober.is_up(probe, member))
            interfaces["/vm"] = "lo"
            await until(lambda: prober.is_up(probe, member))

    asyncio.run(check())


# What clients see of entrances


@contextlib.asynccontextmanager
async def watching_(monkeypatch: pytest.MonkeyPatch, site: Handler, address: str = "127.0.0.1") -> AsyncIterator[list[Body]]:
    """What a watcher wrote of an entrance."""
    monkeypatch.setattr(watching, "INTERVAL", 0.02)
    monkeypatch.setattr(watching, "TIMEOUT", 0.2)
    written: list[Body] = []
    watcher = watching.Watcher({4: LOOPBACK, 6: LOOPBACK}, written.append)
    async with serving(site, address) as port:
        monkeypatch.setattr(watching, "PORT", port)
        await watcher.watch([address])
        yield written
        await watcher.stop()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_change_of_what_clients_see_is_written_once(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    async def check() -> None:
        site = Website(404, 404, 404, 503, 0, 200)
        async with watching_(monkeypatch, site, address) as written:
            await until(lambda: len(site.requests) > 8)
            await until(lambda: len(written) > 3)
        host = f"[{address}]" if ":" in address else address
        assert [(entry["status"], entry["error"], entry["requestsBefore"]) for entry in written] == [
            (404, "", 0),
            (503, "", 3),
            (0, "closed without an answer", 4),
            (200, "", 5),
        ]
        assert {(entry["client"], entry["path"]) for entry in written} == {("lab-watch/1", f"http://{host}/")}

    asyncio.run(check())


def test_a_request_that_hangs_is_told_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> None:
        site = Website(200, -1, 200)
        async with watching_(monkeypatch, site) as written:
            await until(lambda: len(written) > 2)
            assert len(site.requests) > 5
        assert [(entry["status"], entry["error"], entry["requestsBefore"]) for entry in written] == [(200, "", 0), (0, "no answer", 1), (200, "", 2)]
        assert [entry["time"] for entry in written] == sorted(entry["time"] for entry in written)

    asyncio.run(check())


def test_what_is_no_http_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> None:
        async def banner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"SSH-2.0 of somebody")
            await writer.drain()
            await reader.read()

        async with watching_(monkeypatch, banner) as written:
            await until(lambda: bool(written))
        assert [(entry["status"], entry["error"]) for entry in written] == [(0, "no HTTP")]

    asyncio.run(check())


def test_a_refusal_is_told_in_the_systems_words(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> None:
        async with watching_(monkeypatch, Website(200)) as written:
            await until(lambda: bool(written))
            monkeypatch.setattr(watching, "PORT", free_port())
            await until(lambda: len(written) > 1)
        assert [(entry["status"], entry["error"]) for entry in written] == [(200, ""), (0, "Connection refused")]

    asyncio.run(check())


def test_entrances_that_are_gone_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> None:
        monkeypatch.setattr(watching, "INTERVAL", 0.02)
        site = Website(200)
        watcher = watching.Watcher({4: LOOPBACK}, lambda _: None)
        async with serving(site) as port:
            monkeypatch.setattr(watching, "PORT", port)
            await watcher.watch(["127.0.0.1"])
            await until(lambda: len(site.requests) > 2)
            await watcher.watch([])
            await asyncio.sleep(0.1)
            asked = len(site.requests)
            await asyncio.sleep(0.1)
            assert len(site.requests) == asked
            await watcher.stop()

    asyncio.run(check())


def test_networks_of_the_same_name_have_peers_of_their_own() -> None:
    """As two resource groups have them."""
    taken: list[str] = []
    for _ in range(3):
        taken.append(clients.peer_name("hub", taken))
    assert taken == ["peer-of-hub", "peer-of-hub-2", "peer-of-hub-3"]
