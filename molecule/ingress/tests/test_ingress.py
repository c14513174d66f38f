"""The role by itself: both entrances in a cluster of somebody else, at addresses of theirs."""

from __future__ import annotations

import pytest

from tests.clients import IPV4_CLIENT, IPV6_CLIENT, Answered
from tests.harness import Observer
from tests.theirs import Theirs

testinfra_hosts = ["local://"]


@pytest.mark.parametrize(("client", "source"), [("ipv4-only", IPV4_CLIENT), ("ipv6-only", IPV6_CLIENT)])
def test_each_client_is_answered_in_its_own_family(guest: Observer, client: str, source: str) -> None:
    Answered("web", "IPv4", source).check(guest, client, "IPv4")


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_each_entrance_has_their_address(guest: Observer, theirs: Theirs, family: str) -> None:
    service = guest.kubectl("get", "service", f"entrance-{family}", "--namespace", "dualstack-ingress")
    place = guest.get(f"{theirs.network}/publicIPAddresses/entrance-{family}")["properties"]
    assert [item["ip"] for item in service["status"]["loadBalancer"]["ingress"]] == [place["ipAddress"]]


def test_nothing_of_theirs_was_written(theirs: Theirs) -> None:
    assert theirs.written_by_us() == []
