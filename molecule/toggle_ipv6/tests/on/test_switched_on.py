"""IPv6 is on again, at the address that it had."""

from __future__ import annotations

from tests.clients import IPV4_CLIENT, IPV6_CLIENT, Answered, address
from tests.harness import Observer, until

testinfra_hosts = ["local://"]


def test_names_have_the_address_of_the_entrance(stamp: Observer) -> None:
    place = stamp.network("publicIPAddresses/pip-example-westeurope-ipv6")["properties"]["ipAddress"]
    record = stamp.get(f"{stamp.group('shared')}/providers/Microsoft.Network/dnsZones/aks.example.org/AAAA/www.westeurope", "2018-05-01")
    assert record["properties"]["AAAARecords"] == [{"ipv6Address": place}]
    assert address(stamp, "ipv6") == f"[{place}]"


def test_each_client_is_answered_in_its_own_family(stamp: Observer) -> None:
    Answered("web", "IPv4", IPV4_CLIENT).check(stamp, "ipv4-only", "IPv4")
    Answered("web", "IPv4", IPV6_CLIENT).check(stamp, "ipv6-only", "IPv4")


def test_the_name_leads_there(stamp: Observer) -> None:
    # The name server reads its zones again by a clock of its own.
    until(lambda: stamp.curl("ipv6-only", "http://www.westeurope.aks.example.org/").output.startswith("200"), within=10)
