"""The role by itself, with a network and addresses of somebody else: it reads and checks them, and makes nothing."""

from __future__ import annotations

from tests.harness import Observer
from tests.theirs import Theirs

testinfra_hosts = ["local://"]


def test_no_second_network_or_address_was_made(guest: Observer) -> None:
    ours = f"{guest.subscription}/resourceGroups/rg-theirs-westeurope/providers/Microsoft.Network"
    assert [guest.get(f"{ours}/{kind}")["value"] for kind in ("virtualNetworks", "publicIPAddresses")] == [[], []]


def test_nothing_of_theirs_was_written(theirs: Theirs) -> None:
    assert theirs.written_by_us() == []
