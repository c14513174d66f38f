"""Public addresses, which the lab takes from the documentation ranges."""

from __future__ import annotations

import ipaddress

import pytest

from lab.arm import network, rules
from lab.arm.azure import Azure, Options
from lab.arm.store import Resource, Store

GROUP = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg"


@pytest.mark.parametrize("version", ["IPv4", "IPv6"])
def test_200_stamps_get_addresses_of_their_own(version: str) -> None:
    """Each has one for its entrance and one for its cluster's egress, in each family."""
    azure = Azure(Store(), Options(), rules)
    found = set()
    for number in range(400):
        address = network.free_public_address(azure, version)
        azure.store.save(Resource(f"{GROUP}/providers/{network.PUBLIC_IP}/{number}", network.PUBLIC_IP, {"properties": {"ipAddress": address}}))
        found.add(ipaddress.ip_address(address))
    assert len(found) == 400
