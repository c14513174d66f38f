"""Which probe host asks which entrance and which resolver."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.probes import (
    EntranceProbe,
    ListenerProbe,
    ProbeHost,
    ResolverProbe,
    entrance_probes,
    probe_hosts,
    resolver_probes,
)

FOUR, SIX = "203.0.113.10", "2001:db8:f::10"
DUAL, ONLY_FOUR = ProbeHost("dual", ("ipv4", "ipv6"), False), ProbeHost("four", ("ipv4",), False)
PEER = ProbeHost("peer", ("ipv4", "ipv6"), True)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, ProbeHost("a", ("ipv4", "ipv6"), False)),
        ({"probe_families": ["ipv6"], "probe_private": True}, ProbeHost("a", ("ipv6",), True)),
        ({"probe_families": []}, ProbeHost("a", (), False)),
    ],
)
def test_hosts(variables: dict[str, Any], expected: ProbeHost) -> None:
    assert probe_hosts({"a": variables}) == [expected]


#: hosts, addresses -> who asks
ENTRANCES: list[tuple[list[ProbeHost], dict[str, str], list[EntranceProbe]]] = [
    ([], {"ipv6": SIX, "ipv4": FOUR}, []),
    ([ONLY_FOUR, DUAL], {"ipv6": SIX, "ipv4": FOUR}, [EntranceProbe("ipv6", "dual", SIX), EntranceProbe("ipv4", "four", FOUR)]),
    ([ONLY_FOUR], {"ipv6": SIX, "ipv4": FOUR}, [EntranceProbe("ipv4", "four", FOUR)]),
    ([DUAL], {"ipv6": SIX}, [EntranceProbe("ipv6", "dual", SIX)]),
    ([DUAL], {}, []),
    # A host in a virtual network reaches public addresses, too.
    ([PEER], {"ipv6": SIX}, [EntranceProbe("ipv6", "peer", SIX)]),
]


@pytest.mark.parametrize(("hosts", "addresses", "expected"), ENTRANCES)
def test_entrances(hosts: list[ProbeHost], addresses: dict[str, str], expected: list[EntranceProbe]) -> None:
    assert [dataclasses.replace(probe, listeners=()) for probe in entrance_probes(hosts, addresses, {"upstream": "services"})] == expected


SERVICE = {"service": "shop", "namespace": "apps"}
#: declaration -> what is asked of each entrance
LISTENERS: list[tuple[dict[str, Any], list[ListenerProbe]]] = [
    ({"upstream": "services"}, [ListenerProbe("http 80", "http", 80)]),
    (
        {
            "upstream": "services",
            "tls": [{"hosts": ["a.example.org", "*.b.example.org"], "secret": "a"}],
            "passthrough": [{**SERVICE, "host": "c.example.org", "port": 8443}],
            "streams": [
                {**SERVICE, "name": "sql", "port": 5432, "service_port": 5432},
                {**SERVICE, "name": "dns", "port": "53", "protocol": "UDP", "service_port": 53},
            ],
        },
        [
            ListenerProbe("http 80", "http", 80),
            ListenerProbe("tls 443 a.example.org", "tls", 443, "a.example.org"),
            ListenerProbe("tls 443 *.b.example.org", "tls", 443, "*.b.example.org"),
            ListenerProbe("tls 443 c.example.org", "tls", 443, "c.example.org"),
            ListenerProbe("tcp 5432", "tcp", 5432),
            ListenerProbe("udp 53", "udp", 53),
        ],
    ),
    ({"upstream": "ingress", "upstream_ingress": SERVICE}, [ListenerProbe("http 80", "http", 80), ListenerProbe("tls 443", "tls", 443)]),
    ({"upstream": "ingress", "upstream_ingress": {**SERVICE, "https_port": 0}}, [ListenerProbe("http 80", "http", 80)]),
    (
        {"upstream": "ingress", "upstream_ingress": SERVICE, "tls": [{"hosts": ["a.example.org"], "secret": "a"}]},
        [ListenerProbe("http 80", "http", 80), ListenerProbe("tls 443 a.example.org", "tls", 443, "a.example.org")],
    ),
]


@pytest.mark.parametrize(("declaration", "expected"), LISTENERS)
def test_listeners(declaration: dict[str, Any], expected: list[ListenerProbe]) -> None:
    (probe,) = entrance_probes([DUAL], {"ipv6": SIX}, declaration)
    assert list(probe.listeners) == expected


def test_listeners_that_expect_the_proxy_protocol() -> None:
    """In the families of the trusted proxies, and never over UDP."""
    streams = [{**SERVICE, "name": name, "port": 53, "protocol": name.upper(), "service_port": 53} for name in ("tcp", "udp")]
    declaration = {"upstream": "services", "streams": streams, "trusted_proxies": ["203.0.113.0/24"], "real_ip_header": "proxy_protocol"}
    four, six = entrance_probes([DUAL], {"ipv4": FOUR, "ipv6": SIX}, declaration)
    assert [listener.proxy_protocol for listener in four.listeners] == [True, True, False]
    assert [listener.proxy_protocol for listener in six.listeners] == [False, False, False]


#: hosts -> who looks up what
RESOLVERS: list[tuple[list[ProbeHost], list[ResolverProbe]]] = [
    ([], []),
    ([ONLY_FOUR], [ResolverProbe("public", "ipv4", "four", "ahostsv4")]),
    (
        [ONLY_FOUR, DUAL, PEER],
        [
            ResolverProbe("public", "ipv4", "four", "ahostsv4"),
            ResolverProbe("public", "ipv6", "dual", "ahostsv6"),
            ResolverProbe("private", "ipv4", "peer", "ahostsv4"),
            ResolverProbe("private", "ipv6", "peer", "ahostsv6"),
        ],
    ),
]


@pytest.mark.parametrize(("hosts", "expected"), RESOLVERS)
def test_resolvers(hosts: list[ProbeHost], expected: list[ResolverProbe]) -> None:
    assert resolver_probes(hosts) == expected
