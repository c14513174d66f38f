"""Both families in every layer: subnets, pods, services, outbound, security rules."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from tests.harness import Kubectl, Observer

testinfra_hosts = ["local://"]


def families(prefixes: Iterable[str]) -> list[int]:
    return [ipaddress.ip_network(text).version for text in prefixes]


def test_pods_and_services(stamp: Observer) -> None:
    profile = stamp.get(stamp.cluster_id, "2026-05-01")["properties"]["networkProfile"]
    assert (profile["ipFamilies"], profile["networkPluginMode"]) == (["IPv4", "IPv6"], "overlay")
    assert (families(profile["podCidrs"]), families(profile["serviceCidrs"])) == ([4, 6], [4, 6])


def test_subnet_of_the_nodes(stamp: Observer) -> None:
    prefixes = stamp.network("virtualNetworks/vnet-example-westeurope/subnets/nodes")["properties"]["addressPrefixes"]
    assert sorted(families(prefixes)) == [4, 6]
    assert [ipaddress.ip_network(text).prefixlen for text in prefixes if ":" in text] == [64]


def test_outbound(stamp: Observer) -> None:
    profile = stamp.get(stamp.cluster_id, "2026-05-01")["properties"]["networkProfile"]["loadBalancerProfile"]
    outbound = [stamp.get(item["id"])["properties"]["publicIPAddressVersion"] for item in profile["effectiveOutboundIPs"]]
    assert sorted(outbound) == ["IPv4", "IPv6"]


def test_nodes(kubectl: Kubectl) -> None:
    nodes = kubectl("get", "nodes")["items"]
    assert len(nodes) == 5
    assert [families(node["spec"]["podCIDRs"]) for node in nodes] == [[4, 6]] * 5
    assert {node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes} == {f"westeurope-{number}" for number in (1, 2, 3)}


def test_security_rules_have_twins(stamp: Observer) -> None:
    rules = stamp.network("networkSecurityGroups/nsg-example-westeurope-nodes")["properties"]["securityRules"]
    by_name = {rule["name"]: rule["properties"] for rule in rules}
    assert {name for name in by_name if f"{name}-ipv6" in by_name} == {"pods-to-pods", "nodes-to-pods", "pods-to-nodes", "nodes-to-nodes"}
    last = max(by_name.values(), key=lambda rule: int(rule["priority"]))
    assert (last["priority"], last["access"], last["sourceAddressPrefix"]) == (4096, "Deny", "*")
