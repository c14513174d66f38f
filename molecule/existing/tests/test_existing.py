"""An IPv6 entrance in front of an ingress that ran before, in a cluster, network, registry and vault of somebody else."""

from __future__ import annotations

from tests.clients import IPV6_CLIENT, Answered
from tests.harness import Observer
from tests.theirs import Theirs

testinfra_hosts = ["local://"]


def test_ipv6_clients_reach_the_running_ingress(guest: Observer) -> None:
    """It passes their address on, and it is reached over IPv4."""
    Answered("web", "IPv4", IPV6_CLIENT).check(guest, "ipv6-only", "IPv4")


def test_the_ingress_has_no_second_entrance_in_its_own_family(guest: Observer) -> None:
    services = guest.kubectl("get", "services", "--namespace", "dualstack-ingress")["items"]
    assert {item["metadata"]["name"] for item in services} == {"entrance-ipv6"}


def test_nothing_of_theirs_was_written(theirs: Theirs) -> None:
    assert theirs.written_by_us() == []


def test_both_zones_have_the_name(guest: Observer, theirs: Theirs) -> None:
    zones = (("dnsZones/theirs.example", "2018-05-01"), ("privateDnsZones/theirs.internal", "2024-06-01"))
    assert all(guest.get(f"{theirs.network}/{zone}/AAAA/www.westeurope", version) for zone, version in zones)
