"""Which security rules deny traffic of pods that move to an overlay."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.denials import denials

PODS, NODES = "10.128.0.0/16", "10.77.4.0/22"


def rule(name: str, priority: int, access: str, source: str = "*", destination: str = "*", **more: Any) -> dict[str, Any]:
    addresses = {"sourceAddressPrefix": source, "destinationAddressPrefix": destination}
    ports = {"sourcePortRange": "*", "destinationPortRange": "*"}
    properties = {"priority": priority, "access": access, "direction": "Inbound", "protocol": "*", **addresses, **ports, **more}
    return {"name": name, "properties": properties}


ALLOWED = [rule("nodes", 100, "Allow", NODES, PODS), rule("pods", 101, "Allow", PODS, PODS)]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], []),
        ([rule("allow", 100, "Allow")], []),
        ([rule("all", 100, "Deny")], ["all"]),
        ([rule("all", 100, "deny", direction="outbound")], ["all"]),
        ([rule("pods", 100, "Deny", "10.0.0.0/8", "10.0.0.0/8")], ["pods"]),
        ([rule("a part", 100, "Deny", sourceAddressPrefix=None, sourceAddressPrefixes=["192.0.2.0/24", "10.128.9.0/24"])], ["a part"]),
        ([rule("a port", 100, "Deny", destinationPortRange="22")], ["a port"]),
        ([rule("elsewhere", 100, "Deny", "*", "10.99.0.0/16"), rule("ours", 101, "Deny", "192.0.2.0/24")], []),
        ([rule("tag", 100, "Deny", "Internet"), rule("ipv6", 101, "Deny", "::/0")], []),
        # What is allowed before is not denied any more.
        ([*ALLOWED, rule("all", 200, "Deny")], []),
        ([rule("all", 99, "Deny"), *ALLOWED], ["all"]),
        ([ALLOWED[1], rule("all", 200, "Deny")], ["all"]),
        ([rule("all", 200, "Deny"), *ALLOWED], []),
        # Only of one port, of one protocol, of a part, or in the other direction.
        ([rule("web", 100, "Allow", destinationPortRange="443"), rule("all", 200, "Deny")], ["all"]),
        ([rule("tcp", 100, "Allow", protocol="Tcp"), rule("all", 200, "Deny")], ["all"]),
        ([rule("part", 100, "Allow", "10.128.0.0/17"), rule("all", 200, "Deny")], ["all"]),
        ([rule("out", 100, "Allow", direction="Outbound"), rule("all", 200, "Deny")], ["all"]),
        ([rule("ranges", 100, "Allow", destinationPortRange=None, destinationPortRanges=["0-65535"]), rule("all", 200, "Deny")], []),
    ],
)
def test_denials(rules: list[dict[str, Any]], expected: list[str]) -> None:
    assert denials(rules, PODS, [NODES]) == expected
