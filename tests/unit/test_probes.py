"""Which probe host asks which entrance and which resolver."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.probes import (
    EntranceProbe,
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
        ({"probe_private": "yes"}, ProbeHost("a", ("ipv4", "ipv6"), True)),
        ({"probe_private": "no", "probe_families": []}, ProbeHost("a", (), False)),
    ],
)
def test_hosts(variables: dict[str, Any], expected: ProbeHost) -> None:
    assert probe_hosts(["a"], {"a": variables, "other": {}}) == [expected]


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
    assert entrance_probes(hosts, addresses) == expected


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
