"""The two entrances: Services as kubectl shows them, load balancer and security rules as the cloud controller wrote them, names."""

from __future__ import annotations

import pytest

from tests.harness import Kubectl, Observer

testinfra_hosts = ["local://"]

CLOUD_CONTROLLER = "kubernetes-cloudprovider"


def address(stamp: Observer, family: str) -> str:
    found: str = stamp.network(f"publicIPAddresses/pip-example-westeurope-{family.lower()}")["properties"]["ipAddress"]
    return found


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_service(stamp: Observer, kubectl: Kubectl, family: str) -> None:
    service = kubectl("get", "service", f"entrance-{family.lower()}", "--namespace", "dualstack-ingress")
    assert (service["spec"]["ipFamilies"], service["spec"]["ipFamilyPolicy"]) == ([family], "SingleStack")
    assert service["spec"]["externalTrafficPolicy"] == "Local"
    assert [item["ip"] for item in service["status"]["loadBalancer"]["ingress"]] == [address(stamp, family)]


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_deployment(kubectl: Kubectl, family: str) -> None:
    deployment = kubectl("get", "deployment", f"entrance-{family}", "--namespace", "dualstack-ingress")
    pod = deployment["spec"]["template"]["spec"]
    assert {spread["topologyKey"] for spread in pod["topologySpreadConstraints"]} == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
    assert "@sha256:" in pod["containers"][0]["image"]
    for kind in ("horizontalpodautoscaler", "poddisruptionbudget", "networkpolicy"):
        assert kubectl("get", kind, f"entrance-{family}", "--namespace", "dualstack-ingress")


def test_namespace_is_restricted(kubectl: Kubectl) -> None:
    labels = kubectl("get", "namespace", "dualstack-ingress")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_cloud_controller_wrote_load_balancer_and_rules(stamp: Observer) -> None:
    nodes = f"{stamp.subscription}/resourceGroups/rg-example-westeurope-nodes/providers/Microsoft.Network"
    written = [entry for entry in stamp.entries() if entry["method"] == "PUT" and entry["path"].lower().startswith(nodes.lower())]
    for kind in ("loadBalancers", "networkSecurityGroups"):
        assert {entry["client"].partition("/")[0] for entry in written if f"/{kind}/" in entry["path"]} == {CLOUD_CONTROLLER}
    rules = stamp.get(f"{nodes}/loadBalancers/kubernetes")["properties"]["loadBalancingRules"]
    assert [rule["properties"]["frontendPort"] for rule in rules] == [80, 80]
    listed = stamp.get(f"{nodes}/networkSecurityGroups")["value"]
    assert {rule["name"].split("_")[2] for group in listed for rule in group["properties"]["securityRules"]} == {"IPv4", "IPv6"}


def test_names_hold_the_addresses_in_both_zones(stamp: Observer) -> None:
    zones = f"{stamp.group('shared')}/providers/Microsoft.Network"
    public, private = f"{zones}/dnsZones/aks.example.org", f"{zones}/privateDnsZones/internal.example.org"

    def record(zone: str, kind: str, api_version: str) -> list[str]:
        properties = stamp.get(f"{zone}/{kind}/www.westeurope", api_version)["properties"]
        records = next(value for name, value in properties.items() if name.lower() == f"{kind.lower()}records")
        return [item[f"ip{'v4' if kind == 'A' else 'v6'}Address"] for item in records]

    for zone, api_version in ((public, "2018-05-01"), (private, "2024-06-01")):
        assert record(zone, "A", api_version) == [address(stamp, "IPv4")]
        assert record(zone, "AAAA", api_version) == [address(stamp, "IPv6")]
