"""The role by itself: zones of somebody else, linked to their network; no record before an entrance has answered."""

from __future__ import annotations

from tests.harness import Observer
from tests.theirs import Theirs

testinfra_hosts = ["local://"]


def test_their_private_zone_answers_in_their_network(guest: Observer, theirs: Theirs) -> None:
    links = guest.get(f"{theirs.network}/privateDnsZones/theirs.internal/virtualNetworkLinks", "2024-06-01")["value"]
    assert [link["properties"]["virtualNetwork"]["id"].lower() for link in links] == [theirs.vnet.lower()]


def test_no_name_was_published(guest: Observer, theirs: Theirs) -> None:
    for kind in ("A", "AAAA"):
        assert guest.get(f"{theirs.network}/dnsZones/theirs.example/{kind}", "2018-05-01")["value"] == []


def test_nothing_of_theirs_was_written(theirs: Theirs) -> None:
    assert theirs.written_by_us() == []
