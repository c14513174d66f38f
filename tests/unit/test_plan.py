from __future__ import annotations

import copy
import functools
import ipaddress
import itertools
import random
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.allocations import STAMP_RANGES, Registration, Registrations
from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.plan import Fleet, address_plan, address_plans, addresses_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.ranges import (
    FreeIPv4,
    MalformedSpecification,
    Network,
    NoRoom,
    Slices,
    ends,
    rfc3531,
    unique_local_prefix,
)
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.plans import fleet_problems, plan_violations

Register = dict[str, Any]

BASE = {"organisation": "example", "stamp": "westeurope"}
#: RFC 4193 prefix of BASE
ULA = "fde9:f6a4:ab3d"
VNET = {"ipv4": "10.0.0.0/20", "ipv6": f"{ULA}::/56"}


def subnets(**lengths: int) -> dict[str, Any]:
    return {name: {"ipv4_prefix_length": length} for name, length in lengths.items()}


def held(**ranges: dict[str, Any]) -> Register:
    return {"stamps": {"westeurope": ranges}}


def at(value: Any, path: str) -> Any:
    for name in path.split("/"):
        value = value[name]
    return value


# name: (specification beyond BASE, register, {path in the plan: value})
PLANS: dict[str, tuple[dict[str, Any], Register, dict[str, Any]]] = {
    "defaults": (
        {},
        {},
        {
            "vnet": {"ipv4": "10.0.0.0/20", "ipv6": f"{ULA}::/56"},
            "pods": {"ipv4": "10.128.0.0/16", "ipv6": f"{ULA}:100::/64"},
            "services": {"ipv4": "10.192.0.0/20", "ipv6": f"{ULA}:200::/108"},
            "subnets": {"nodes": {"ipv4": "10.0.0.0/22", "ipv6": f"{ULA}::/64"}, "endpoints": {"ipv4": "10.0.4.0/26"}},
            "dns_service_ip": "10.192.0.10",
            "register/retired": {},
        },
    ),
    "another organisation, another prefix": (
        {"organisation": "example-two"},
        {},
        {"vnet/ipv6": str(unique_local_prefix("example-two", "westeurope")).replace("/48", "/56")},
    ),
    "own IPv6 prefix: the first slice": (
        {"ipv6_prefix": "2001:db8::/44"},
        {},
        {"vnet/ipv6": "2001:db8::/56", "pods/ipv6": "2001:db8:0:100::/64", "services/ipv6": "2001:db8:0:200::/108"},
    ),
    "own IPv6 prefix: the second slice is half way": (
        {"ipv6_prefix": "2001:db8::/44"},
        {"stamps": {"northeurope": {"vnet": {"ipv6": "2001:db8::/56"}}}},
        {"vnet/ipv6": "2001:db8:8::/56", "pods/ipv6": "2001:db8:8:100::/64"},
    ),
    "own IPv6 prefix: the third slice is a quarter in": (
        {"ipv6_prefix": "2001:db8::/44"},
        {"stamps": {"a": {"vnet": {"ipv6": "2001:db8::/56"}}, "b": {"pods": {"ipv6": "2001:db8:8:100::/64"}}}},
        {"vnet/ipv6": "2001:db8:4::/56"},
    ),
    "own IPv6 prefix: a /48 is one slice": ({"ipv6_prefix": "2001:db8:7::/48"}, {}, {"vnet/ipv6": "2001:db8:7::/56"}),
    "own IPv6 prefix: used up": (
        {"ipv6_prefix": "2001:db8:7::/48"},
        {"stamps": {"northeurope": {"vnet": {"ipv6": "2001:db8:7::/56"}}}},
        {"vnet": {"ipv4": "10.0.0.0/20"}, "pods": {"ipv4": "10.128.0.0/16"}},
    ),
    "own IPv6 prefix: not for what is registered": (
        {"ipv6_prefix": "2001:db8::/44"},
        held(vnet={"ipv6": "fd00:1:2::/56"}),
        {"vnet/ipv6": "fd00:1:2::/56", "pods/ipv6": "2001:db8:0:100::/64"},
    ),
    "own IPv6 prefix: the slice that the virtual network was taken from": (
        {"ipv6_prefix": "2001:db8::/44"},
        held(vnet={"ipv6": "2001:db8:4::/56"}),
        {"pods/ipv6": "2001:db8:4:100::/64", "services/ipv6": "2001:db8:4:200::/108"},
    ),
    "own IPv6 prefix: another slice than that of a network that was brought": (
        {"ipv6_prefix": "2001:db8::/44"},
        held(vnet={"ipv6": "2001:db8:0:ab00::/56"}),
        {"pods/ipv6": "2001:db8:8:100::/64", "services/ipv6": "2001:db8:8:200::/108"},
    ),
    **{
        f"a network that was brought with {brought}: pods and services are in the stamp's own prefix": (
            extra,
            held(vnet={"ipv6": brought}),
            {"vnet/ipv6": brought, "pods/ipv6": f"{own}:100::/64", "services/ipv6": f"{own}:200::/108", "subnets/nodes/ipv6": nodes},
        )
        for brought, nodes, extra, own in (
            ("2001:db8:1234::/48", "2001:db8:1234::/64", {}, ULA),
            ("2001:db8:1234:5600::/56", "2001:db8:1234:5600::/64", {}, ULA),
            ("2001:db8:1234::/56", "2001:db8:1234::/64", {}, ULA),
            ("2001:db8:1234:5678::/63", "2001:db8:1234:5678::/64", {}, ULA),
            ("2001:db8:1234::/48", "2001:db8:1234::/64", {"ipv6_prefix": "2001:db8:1230::/44"}, "2001:db8:1230"),
            ("2001:db8:1234:5678::/63", "2001:db8:1234:5678::/64", {"ipv6_prefix": "fd12:3456:7890::/48"}, "fd12:3456:7890"),
        )
    },
    "two prefixes of each family": (
        {"subnets": subnets(a=25, b=24)},
        held(vnet={"ipv4": ["10.5.0.0/24", "10.6.0.0/24"], "ipv6": ["fd00:1::/64", "fd00:2::/63"]}, a={"ipv4": "10.5.0.0/25"}),
        {
            "vnet": {"ipv4": ["10.5.0.0/24", "10.6.0.0/24"], "ipv6": ["fd00:1::/64", "fd00:2::/63"]},
            "subnets": {"a": {"ipv4": "10.5.0.0/25", "ipv6": "fd00:2::/64"}, "b": {"ipv4": "10.6.0.0/24", "ipv6": "fd00:1::/64"}},
        },
    ),
    "two prefixes of a subnet are both taken": (
        {"subnets": subnets(a=24, b=24)},
        held(vnet={"ipv4": "10.5.0.0/22"}, a={"ipv4": ["10.5.2.0/24", "10.5.0.0/24"]}),
        {"subnets/a/ipv4": ["10.5.2.0/24", "10.5.0.0/24"], "subnets/b/ipv4": "10.5.1.0/24"},
    ),
    "what others have in networks that are not reached takes no room": (
        {"subnets": subnets(a=21, b=21)},
        {
            "stamps": {
                "westeurope": {"vnet": {"ipv4": "10.0.0.0/20"}},
                "northeurope": {"vnet": {"ipv4": "10.0.0.0/16"}, "services": {"ipv4": "10.0.0.0/18"}, "nodes": {"ipv4": "10.0.0.0/17"}},
            }
        },
        {"subnets/a/ipv4": "10.0.0.0/21", "subnets/b/ipv4": "10.0.8.0/21"},
    ),
    "two stamps in one network: the subnets of one are not given to the other": (
        {"subnets": subnets(a=24)},
        {"stamps": {"westeurope": {"vnet": VNET}, "northeurope": {"vnet": VNET, "nodes": {"ipv4": "10.0.0.0/24", "ipv6": f"{ULA}::/64"}}}},
        {"subnets/a": {"ipv4": "10.0.1.0/24", "ipv6": f"{ULA}:80::/64"}},
    ),
    "own IPv6 prefix: canonical text of what was written otherwise": (
        {"ipv6_prefix": "2001:0DB8:0000:0000:0000:0000:0000:0000/44"},
        {},
        {"vnet/ipv6": "2001:db8::/56"},
    ),
    "RFC 3531: subnets are spread in the virtual network": (
        {"subnets": subnets(a=24, b=24, c=24, d=24, e=24)},
        {},
        {
            "subnets/a/ipv6": f"{ULA}::/64",
            "subnets/b/ipv6": f"{ULA}:80::/64",
            "subnets/c/ipv6": f"{ULA}:40::/64",
            "subnets/d/ipv6": f"{ULA}:c0::/64",
            "subnets/e/ipv6": f"{ULA}:20::/64",
        },
    ),
    "RFC 3531: what is registered is passed over": (
        {"subnets": subnets(a=24, b=24)},
        held(vnet=VNET, b={"ipv6": f"{ULA}:80::/64"}),
        {"subnets/a/ipv6": f"{ULA}::/64", "subnets/b/ipv6": f"{ULA}:80::/64"},
    ),
    "large subnets first, then by name": (
        {"subnets": subnets(zebra=22, bear=24, ant=24)},
        {},
        {"subnets/zebra/ipv4": "10.0.0.0/22", "subnets/ant/ipv4": "10.0.4.0/24", "subnets/bear/ipv4": "10.0.5.0/24"},
    ),
    "best fit: the smallest free block that is large enough": (
        {"ipv4_pools": {"vnet": ["10.0.0.0/16"]}},
        {"stamps": {"a": {"vnet": {"ipv4": "10.0.0.0/18"}}, "b": {"vnet": {"ipv4": "10.0.80.0/20"}}}},
        {"vnet/ipv4": "10.0.64.0/20"},
    ),
    "best fit: in the pool with the smaller block": (
        {"ipv4_pools": {"vnet": ["10.0.0.0/16", "172.16.0.0/20"]}},
        {},
        {"vnet/ipv4": "172.16.0.0/20"},
    ),
    "best fit: of equal blocks the lowest, whatever the order of the pools": (
        {"ipv4_pools": {"vnet": ["172.16.0.0/20", "10.0.0.0/20"]}},
        {},
        {"vnet/ipv4": "10.0.0.0/20"},
    ),
    "one pool for all purposes": (
        {"ipv4_pools": {"vnet": ["10.0.0.0/8"], "pods": ["10.0.0.0/8"], "services": ["10.0.0.0/8"]}},
        {},
        {"vnet/ipv4": "10.0.0.0/20", "pods/ipv4": "10.1.0.0/16", "services/ipv4": "10.0.16.0/20"},
    ),
    "no room for the virtual network": ({"ipv4_pools": {"vnet": ["10.0.0.0/21"]}}, {}, {"vnet": {"ipv6": f"{ULA}::/56"}, "subnets/endpoints": {}}),
    "no room for one subnet": (
        {"subnets": subnets(a=21, b=21, c=21)},
        {},
        {"subnets/b/ipv4": "10.0.8.0/21", "subnets/c": {"ipv6": f"{ULA}:40::/64"}},
    ),
    "no room beside a subnet that fills the virtual network": (
        {"subnets": subnets(a=20, b=24)},
        held(vnet={"ipv4": "10.0.0.0/20", "ipv6": f"{ULA}::/64"}),
        {"subnets": {"a": {"ipv4": "10.0.0.0/20", "ipv6": f"{ULA}::/64"}, "b": {}}},
    ),
    "one family is registered, the other is proposed": (
        {},
        held(vnet={"ipv4": "10.5.0.0/20"}),
        {"vnet": {"ipv4": "10.5.0.0/20", "ipv6": f"{ULA}::/56"}, "subnets/nodes/ipv4": "10.5.0.0/22"},
    ),
    "a removed subnet is retired": (
        {"subnets": subnets(b=24)},
        held(vnet={"ipv4": "10.0.0.0/20"}, a={"ipv4": "10.0.0.0/24"}),
        {"register/retired/westeurope/a": {"ipv4": "10.0.0.0/24"}, "subnets/b/ipv4": "10.0.1.0/24"},
    ),
    "a retired prefix is not handed out again": (
        {"subnets": subnets(b=24)},
        {**held(vnet=VNET), "retired": {"westeurope": {"a": {"ipv4": "10.0.0.0/24", "ipv6": f"{ULA}::/64"}}}},
        {"subnets/b": {"ipv4": "10.0.1.0/24", "ipv6": f"{ULA}:80::/64"}},
    ),
    "a retired name comes back with its prefixes": (
        {"subnets": subnets(a=24, b=24)},
        {**held(vnet=VNET), "retired": {"westeurope": {"a": {"ipv4": "10.0.9.0/24", "ipv6": f"{ULA}:77::/64"}}}},
        {"subnets/a": {"ipv4": "10.0.9.0/24", "ipv6": f"{ULA}:77::/64"}, "subnets/b/ipv4": "10.0.8.0/24", "register/retired": {}},
    ),
    "a retired name of another stamp stays retired": (
        {"subnets": subnets(a=24)},
        {"retired": {"northeurope": {"a": {"ipv4": "10.0.0.0/24"}}}},
        {"subnets/a/ipv4": "10.0.16.0/24", "register/retired/northeurope/a": {"ipv4": "10.0.0.0/24"}},
    ),
    "the default subnets retire nothing": (
        {},
        held(vnet={"ipv4": "10.0.0.0/20"}, a={"ipv4": "10.0.0.0/24"}),
        {"register/stamps/westeurope/a": {"ipv4": "10.0.0.0/24"}, "register/retired": {}},
    ),
    "no subnets wanted": ({"subnets": {}}, {}, {"subnets": {}}),
    "dns_service_ip: the tenth address of what is registered": ({}, held(services={"ipv4": "172.16.8.0/24"}), {"dns_service_ip": "172.16.8.10"}),
    "dns_service_ip: a /28 has a tenth address": ({"services_ipv4_prefix_length": 28}, {}, {"dns_service_ip": "10.192.0.10"}),
    "dns_service_ip: a /29 has none, so its last but one": ({"services_ipv4_prefix_length": 29}, {}, {"dns_service_ip": "10.192.0.6"}),
    "dns_service_ip: none without a range": ({"ipv4_pools": {"services": ["10.0.0.0/30"]}}, {}, {"dns_service_ip": ""}),
}


@pytest.mark.parametrize("name", PLANS)
def test_plan(name: str) -> None:
    extra, register, expected = PLANS[name]
    before = copy.deepcopy(register)
    plan = address_plan({**BASE, **extra}, register)
    assert {path: at(plan, path) for path in expected} == expected
    assert register == before


# name: (specification or what is beyond BASE, register, what the message says)
ERRORS: dict[str, tuple[Any, Any, list[str]]] = {
    "specification: a list": ([], {}, ["specification", "list"]),
    "specification: unknown key": ({"subnet": {}}, {}, ["unknown keys: subnet", "subnets"]),
    "organisation: missing": ({"organisation": None}, {}, ["organisation", "None"]),
    "organisation: a number": ({"organisation": 5}, {}, ["organisation", "5"]),
    "stamp: empty": ({"stamp": ""}, {}, ["stamp", "''"]),
    "pools: a list": ({"ipv4_pools": ["10.0.0.0/8"]}, {}, ["ipv4_pools", "10.0.0.0/8"]),
    "pools: text for a purpose": ({"ipv4_pools": {"vnet": "10.0.0.0/8"}}, {}, ["ipv4_pools.vnet", "10.0.0.0/8"]),
    "pools: no prefix": ({"ipv4_pools": {"pods": ["ten"]}}, {}, ["dualstack_ipv4_pools.pods", "'ten'"]),
    "pools: host bits": ({"ipv4_pools": {"vnet": ["10.0.0.1/8"]}}, {}, ["dualstack_ipv4_pools.vnet", "'10.0.0.1/8'"]),
    "pools: IPv6": ({"ipv4_pools": {"vnet": ["fd00::/8"]}}, {}, ["dualstack_ipv4_pools.vnet", "'fd00::/8'", "IPv4"]),
    "ipv6_prefix: no prefix": ({"ipv6_prefix": "fd00::g/48"}, {}, ["dualstack_ipv6_prefix", "'fd00::g/48'"]),
    "ipv6_prefix: IPv4": ({"ipv6_prefix": "10.0.0.0/8"}, {}, ["dualstack_ipv6_prefix", "'10.0.0.0/8'", "IPv6"]),
    "length: zero": ({"vnet_ipv4_prefix_length": 0}, {}, ["vnet_ipv4_prefix_length", "0"]),
    "length: 33": ({"pods_ipv4_prefix_length": 33}, {}, ["pods_ipv4_prefix_length", "33"]),
    "length: text": ({"services_ipv4_prefix_length": "20"}, {}, ["services_ipv4_prefix_length", "'20'"]),
    "length: yes": ({"services_ipv4_prefix_length": True}, {}, ["services_ipv4_prefix_length", "True"]),
    "subnets: a list": ({"subnets": ["nodes"]}, {}, ["dualstack_subnets", "list"]),
    "subnet: text": ({"subnets": {"nodes": "/24"}}, {}, ["dualstack_subnets.nodes"]),
    "subnet: no length": ({"subnets": {"nodes": {}}}, {}, ["dualstack_subnets.nodes", "ipv4_prefix_length"]),
    "subnet: length as text": ({"subnets": {"nodes": {"ipv4_prefix_length": "24"}}}, {}, ["dualstack_subnets.nodes", "ipv4_prefix_length"]),
    "subnet: length yes": ({"subnets": {"nodes": {"ipv4_prefix_length": True}}}, {}, ["dualstack_subnets.nodes", "ipv4_prefix_length"]),
    "subnet: families a number": ({"subnets": {"nodes": {"ipv4_prefix_length": 24, "families": 4}}}, {}, ["dualstack_subnets.nodes", "families"]),
    "register: a list": ({}, [], ["dualstack_register", "list"]),
    "register: unknown key": ({}, {"westeurope": {}}, ["dualstack_register", "westeurope"]),
    "register: stamps a list": ({}, {"stamps": ["westeurope"]}, ["dualstack_register.stamps", "westeurope"]),
    "register: stamps a text": ({}, {"stamps": "westeurope"}, ["dualstack_register.stamps", "westeurope"]),
    "register: a stamp is a text": ({}, {"stamps": {"a": "10.0.0.0/20"}}, ["dualstack_register.stamps.a", "10.0.0.0/20"]),
    "register: a range is a text": ({}, held(vnet="10.0.0.0/20"), ["dualstack_register.stamps.westeurope.vnet", "10.0.0.0/20"]),  # type: ignore[arg-type]
    "register: no prefix": ({}, held(vnet={"ipv4": "ten"}), ["dualstack_register.stamps.westeurope.vnet.ipv4", "'ten'"]),
    "register: host bits": ({}, held(vnet={"ipv4": "10.0.0.1/20"}), ["dualstack_register.stamps.westeurope.vnet.ipv4", "'10.0.0.1/20'"]),
    "register: other family": ({}, held(vnet={"ipv4": "fd00::/56"}), ["dualstack_register.stamps.westeurope.vnet.ipv4", "'fd00::/56'"]),
    "register: unknown family": ({}, held(vnet={"ipv5": "10.0.0.0/20"}), ["dualstack_register.stamps.westeurope.vnet.ipv5", "'10.0.0.0/20'"]),
    "register: two pod ranges of a family": (
        {},
        held(pods={"ipv4": ["10.244.0.0/16", "10.245.0.0/16"]}),
        ["dualstack_register.stamps.westeurope.pods.ipv4", "10.244.0.0/16, 10.245.0.0/16"],
    ),
    "register: one of a list": ({}, held(vnet={"ipv4": ["10.0.0.0/20", "ten"]}), ["dualstack_register.stamps.westeurope.vnet.ipv4", "'ten'"]),
    "register: retired": ({}, {"retired": {"x": {"y": {"ipv6": "?"}}}}, ["dualstack_register.retired.x.y.ipv6", "'?'"]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_malformed(name: str) -> None:
    extra, register, words = ERRORS[name]
    specification = {**BASE, **extra} if isinstance(extra, dict) else extra
    with pytest.raises(MalformedSpecification) as caught:
        address_plan(specification, register)
    assert [word for word in words if word not in str(caught.value)] == []


# registers that say nothing; YAML writes an empty mapping as null
EMPTY: list[Register] = [
    {},
    {"stamps": None, "retired": None},
    {"stamps": {"westeurope": None}, "retired": {"westeurope": None}},
    {"stamps": {"westeurope": {"vnet": None, "nodes": None}}},
    {"stamps": {"westeurope": {"pods": {}}}, "retired": {"westeurope": {"nodes": None}}},
]


@pytest.mark.parametrize("register", EMPTY, ids=str)
def test_empty_register(register: Register) -> None:
    assert address_plan(BASE, register) == address_plan(BASE, {})


# A length that no IPv4 prefix has is a broken rule (subnet_ipv4_length), not a crash.
@pytest.mark.parametrize("length", [-1, 0, 1, 30, 32, 33, 64])
def test_any_subnet_length(length: int) -> None:
    plan = address_plan({**BASE, "subnets": subnets(a=length)}, {})
    assert ("ipv4" in plan["subnets"]["a"]) is (20 <= length <= 32)


@pytest.mark.parametrize("length", range(1, 33))
def test_any_services_length(length: int) -> None:
    plan = address_plan({**BASE, "services_ipv4_prefix_length": length}, {})
    found = plan["services"].get("ipv4")
    assert not found or ipaddress.ip_address(plan["dns_service_ip"]) in ipaddress.ip_network(found)


# RFC 3531 3.1, leftmost: bits: the order
ORDERS = {
    0: [0],
    1: [0, 1],
    2: [0, 2, 1, 3],
    3: [0, 4, 2, 6, 1, 5, 3, 7],
    4: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
}


@pytest.mark.parametrize("bits", [bits for bits in ORDERS if bits])
def test_rfc3531(bits: int) -> None:
    assert [rfc3531(count, bits) for count in range(2**bits)] == ORDERS[bits]


@pytest.mark.parametrize("bits", ORDERS)
def test_slices(bits: int) -> None:
    """In the order of RFC 3531, whether they were handed out here or are taken by others."""
    space = ipaddress.IPv6Network(f"2001:db8::/{48 - bits}")
    slices, taken = Slices(space, 48), list[tuple[int, int]]()
    for expected in ORDERS[bits]:
        first = slices.next()
        assert first - int(space.network_address) == expected << 80
        assert Slices(space, 48, taken).next() == first
        taken.append(ends(ipaddress.IPv6Network((first, 48))))
    for used_up in (slices, Slices(space, 48, taken)):
        with pytest.raises(NoRoom):
            used_up.next()


# (pools, taken, length, found; None: no room)
FITS: list[tuple[list[str], list[str], int, str | None]] = [
    (["10.0.0.0/8"], [], 8, "10.0.0.0/8"),
    (["10.0.0.0/8"], [], 7, None),
    (["10.0.0.0/8"], ["10.0.0.0/8"], 32, None),
    (["10.0.0.0/8"], ["0.0.0.0/0"], 32, None),
    (["10.0.0.0/24"], ["10.0.0.0/25"], 25, "10.0.0.128/25"),
    (["10.0.0.0/24"], ["10.0.0.64/26"], 26, "10.0.0.0/26"),
    (["10.0.0.0/24"], ["10.0.0.64/26"], 25, "10.0.0.128/25"),
    (["10.0.0.0/24"], ["10.0.0.0/32"], 32, "10.0.0.1/32"),
    (["10.0.0.0/24"], ["10.0.0.0/30", "10.0.0.0/26"], 27, "10.0.0.64/27"),
    (["10.0.0.0/25", "10.0.0.128/25"], [], 24, "10.0.0.0/24"),
    (["10.0.0.0/24", "10.0.0.0/16"], [], 17, "10.0.0.0/17"),
    (["255.255.255.0/24"], ["255.255.255.255/32"], 25, "255.255.255.0/25"),
]


@pytest.mark.parametrize(("pools", "taken", "length", "found"), FITS, ids=str)
def test_best_fit(pools: list[str], taken: list[str], length: int, found: str | None) -> None:
    """The /``length`` that leaves large free blocks whole, whatever the order of pools and of what is taken."""
    for some in itertools.permutations(pools):
        for used in itertools.permutations(taken):
            free = FreeIPv4(map(ipaddress.IPv4Network, some), (ends(ipaddress.IPv4Network(text)) for text in used))
            if found is None:
                with pytest.raises(NoRoom):
                    free.find(length)
            else:
                assert str(ipaddress.IPv4Network((free.find(length), length))) == found


# Properties of plans made one after the other

STAMPS = ("westeurope", "northeurope", "eastus", "japaneast")
NAMES = ("nodes", "endpoints", "api", "gateway", "jobs", "firewall")
POOLS: tuple[dict[str, Any] | None, ...] = (
    None,
    {"vnet": ["10.0.0.0/17"], "pods": ["10.128.0.0/15"], "services": ["10.0.0.0/17"]},
    {"vnet": ["172.16.0.0/18", "10.0.0.0/19"], "pods": ["172.16.0.0/12"], "services": ["192.168.0.0/19"]},
)
STEPS = 8
MINIMUM_OF_PLANS = 10_000

_subnet = st.tuples(st.sampled_from(NAMES), st.integers(20, 29), st.sampled_from([["IPv4"], ["IPv4", "IPv6"]]))
_step = st.tuples(st.sampled_from(STAMPS), st.none() | st.lists(_subnet, max_size=5, unique_by=lambda found: found[0]))
_history = st.tuples(
    st.sampled_from(POOLS), st.sampled_from([None, "2001:db8::/46", "fd12:3456:7890::/48"]), st.lists(_step, min_size=STEPS, max_size=STEPS)
)
History = tuple[dict[str, Any] | None, str | None, list[tuple[str, list[tuple[str, int, list[str]]] | None]]]


def specifications(history: History) -> Iterator[dict[str, Any]]:
    pools, own, steps = history
    for stamp, wanted in steps:
        specification: dict[str, Any] = {"organisation": "example", "stamp": stamp}
        if pools:
            specification["ipv4_pools"] = pools
        if own:
            specification["ipv6_prefix"] = own
        if wanted is not None:
            specification["subnets"] = {name: {"ipv4_prefix_length": length, "families": families} for name, length, families in wanted}
        yield specification


def places(register: Register) -> dict[tuple[str, str, str], str]:
    return {
        (stamp, name, family): text
        for part in ("stamps", "retired")
        for stamp, names in register.get(part, {}).items()
        for name, families in names.items()
        for family, text in families.items()
    }


@functools.cache
def bounds(text: str) -> tuple[int, int, int]:
    """The IP version of a range, its first and its last address."""
    network = ipaddress.ip_network(text)
    return network.version, int(network.network_address), int(network.broadcast_address)


def assert_disjoint(texts: list[str]) -> None:
    for (version, _, last), (next_version, first, _) in itertools.pairwise(sorted(map(bounds, texts))):
        assert version != next_version or last < first, texts


def assert_no_overlap(register: Register) -> None:
    known = places(register)
    assert_disjoint([text for (_, name, _), text in known.items() if name in STAMP_RANGES])
    for stamp in {stamp for stamp, _, _ in known}:
        subnet_places = {
            family: [text for (of, name, kind), text in known.items() if (of, kind) == (stamp, family) and name not in STAMP_RANGES]
            for family in ("ipv4", "ipv6")
        }
        for family, texts in subnet_places.items():
            assert_disjoint(texts)
            for text in texts:
                assert_inside(text, known[stamp, "vnet", family])


def assert_inside(inner: str, outer: str) -> None:
    version, first, last = bounds(inner)
    outer_version, outer_first, outer_last = bounds(outer)
    assert version == outer_version and outer_first <= first and last <= outer_last, (inner, outer)


def assert_canonical(text: str) -> None:
    """The C library's text of the same address: RFC 5952 for IPv6."""
    address, _, length = text.partition("/")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    assert text == f"{socket.inet_ntop(family, socket.inet_pton(family, address))}/{int(length)}"


def test_plans_one_after_the_other() -> None:
    planned = 0

    @settings(max_examples=1 + MINIMUM_OF_PLANS // STEPS, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(_history)
    def check(history: History) -> None:
        nonlocal planned
        register: Register = {}
        for specification in specifications(history):
            before = places(register)
            plan = address_plan(specification, register)
            planned += 1
            register = plan["register"]
            after = places(register)
            assert {place: after.get(place) for place in before} == before
            assert_no_overlap(register)
            for place in after.keys() - before.keys():
                assert_canonical(after[place])
            for name, families in {**{name: plan[name] for name in STAMP_RANGES}, **plan["subnets"]}.items():
                assert {family: after[specification["stamp"], name, family] for family in families} == families

    check()
    assert planned >= MINIMUM_OF_PLANS


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(_history, st.integers(0, 10**6))
def test_order_of_subnets_does_not_matter(history: History, seed: int) -> None:
    register: Register = {}
    shuffle = random.Random(seed).shuffle
    for specification in specifications(history):
        items = list(specification.get("subnets", {}).items())
        shuffle(items)
        shuffled = {**specification, "subnets": dict(items)} if "subnets" in specification else specification
        plan = address_plan(specification, register)
        assert address_plan(shuffled, register) == plan
        register = plan["register"]


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(_history)
def test_nothing_given_is_changed(history: History) -> None:
    """Neither what a caller gives nor what was returned before changes by planning on."""
    fleet = Fleet({})
    for specification in specifications(history):
        register = fleet.register()
        before = copy.deepcopy((specification, register))
        plan = address_plan(specification, register)
        returned = copy.deepcopy(plan)
        address_plans([specification, specification], register)
        addresses_of(specification, register)
        addresses = fleet.plan(specification).addresses
        assert (specification, register, plan) == (*before, returned)
        after = fleet.register()
        addresses["subnets"].clear()
        addresses["vnet"].clear()
        assert fleet.register() == after == plan["register"]


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(_history)
def test_planning_again_changes_nothing(history: History) -> None:
    register: Register = {}
    for specification in specifications(history):
        plan = address_plan(specification, register)
        addresses = {name: value for name, value in plan.items() if name != "register"}
        assert addresses_of(specification, register) == addresses
        register = plan["register"]
        assert address_plan(specification, register) == plan
        assert addresses_of(specification, register) == addresses


def test_a_registered_stamp_is_planned_without_the_others() -> None:
    class Unread(dict[str, Any]):
        def items(self) -> Any:
            raise AssertionError("the entry of another stamp was read")

    register = address_plan(BASE, {})["register"]
    others = {"stamps": register["stamps"] | {"other": Unread(vnet={})}, "retired": {"other": Unread(vnet={})}}
    assert addresses_of(BASE, others) == addresses_of(BASE, register)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(_history, st.integers(0, STEPS))
def test_many_at_once_are_planned_as_one_after_the_other(history: History, registered: int) -> None:
    """``registered``: how many of the steps the register holds before."""
    register: Register = {}
    found = list(specifications(history))
    for specification in found[:registered]:
        register = address_plan(specification, register)["register"]
    together = address_plans(found[registered:], register)
    plans = {}
    for specification in found[registered:]:
        plan = address_plan(specification, register)
        register = plan.pop("register")
        plans[specification["stamp"]] = plan
    assert together == {"plans": plans, "register": register if plans else together["register"]}


_prefix = st.tuples(st.sampled_from(["10.0.0.0", "10.0.16.0", "10.0.17.64", "2001:db8::", "2001:db8:0:1::"]), st.integers(0, 32)).map(
    lambda found: ipaddress.ip_network(f"{found[0]}/{found[1] * (4 if ':' in found[0] else 1)}", strict=False)
)


@given(st.lists(_prefix, max_size=12), _prefix)
def test_what_shares_an_address_is_found(networks: list[Network], wanted: Network) -> None:
    """As the standard library's own comparison of each with each finds it."""
    found = [Registration("westeurope", str(place), network) for place, network in enumerate(networks)]
    assert Registrations(found).overlapping(wanted) == [item for item in found if item.network.overlaps(wanted)]


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.tuples(st.none(), st.none(), st.lists(_step, min_size=2, max_size=STEPS)), st.randoms(use_true_random=False))
def test_rules_broken_by_many_are_those_broken_by_each(history: History, chance: random.Random) -> None:
    """Also in a register that somebody has spoilt: ranges of one stamp written over those of another. There is room for all of them."""
    wanted = list({found["stamp"]: found for found in specifications(history)}.values())
    register = address_plans(wanted, {})["register"]
    stamps = list(register["stamps"])
    for _ in range(3):
        giver, taker = chance.choice(stamps), chance.choice(stamps)
        for name in STAMP_RANGES:
            register["stamps"][taker][name] = dict(register["stamps"][giver][name])
    assert fleet_problems(wanted, register)[0] == [found for specification in wanted for found in plan_violations(specification, register)]


def test_many_at_once_with_a_name_in_use_and_retired() -> None:
    """The prefix that such a name loses is free for the stamps after it."""
    own = {"vnet": {"ipv4": "10.0.0.0/20"}, "a": {"ipv4": "10.0.0.0/24"}}
    register = {"stamps": {"westeurope": own}, "retired": {"westeurope": {"a": {"ipv4": "10.0.16.0/20"}}}}
    found: list[dict[str, Any]] = [{**BASE, "subnets": subnets(a=24)}, {**BASE, "stamp": "northeurope"}]
    one = address_plan(found[1], address_plan(found[0], register)["register"])
    assert address_plans(found, register)["register"] == one["register"]
    assert one["vnet"]["ipv4"] == "10.0.16.0/20"


def test_what_is_registered_is_read_by_value() -> None:
    """RFC 5952: many spellings of one prefix, one canonical."""
    register = held(vnet={"ipv6": "FD12:3456:789A:0:0:0:0:0/56"})
    plan = address_plan({"organisation": "example", "stamp": "westeurope"}, register)
    assert plan["vnet"]["ipv6"] == plan["register"]["stamps"]["westeurope"]["vnet"]["ipv6"] == "fd12:3456:789a::/56"
