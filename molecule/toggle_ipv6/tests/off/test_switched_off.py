"""IPv6 is off: names, entrance and load balancer have none, and IPv4 is as it was."""

from __future__ import annotations

from tests.clients import IPV4_CLIENT, Answered
from tests.harness import Kubectl, Observer

testinfra_hosts = ["local://"]


def test_no_name_has_an_ipv6_address(stamp: Observer) -> None:
    zones = f"{stamp.group('shared')}/providers/Microsoft.Network"
    assert stamp.get(f"{zones}/dnsZones/aks.example.org/AAAA/www.westeurope", "2018-05-01") == {}
    assert stamp.get(f"{zones}/privateDnsZones/internal.example.org/AAAA/www.westeurope", "2024-06-01") == {}
    assert stamp.get(f"{zones}/dnsZones/aks.example.org/A/www.westeurope", "2018-05-01") != {}


def test_the_ipv6_entrance_is_gone(stamp: Observer, kubectl: Kubectl) -> None:
    found = kubectl("get", "services,deployments", "--namespace", "dualstack-ingress")["items"]
    assert {item["metadata"]["name"] for item in found} == {"entrance-ipv4"}
    place = stamp.network("publicIPAddresses/pip-example-westeurope-ipv6")["properties"]
    assert place["ipAddress"] and "ipConfiguration" not in place
    assert stamp.curl("ipv6-only", f"http://[{place['ipAddress']}]/", "--max-time", "2").code != 0


def test_ipv4_clients_are_answered(stamp: Observer) -> None:
    Answered("web", "IPv4", IPV4_CLIENT).check(stamp, "ipv4-only", "IPv4")
