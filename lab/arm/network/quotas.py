"""What counts towards the quotas of Microsoft.Network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..azure import Azure
from .bodies import PUBLIC_IP, VNET

#: IP version -> the quota of its public addresses
_ADDRESS_USAGES = {version: f"{version}StandardSkuPublicIpAddresses" for version in ("IPv4", "IPv6")}


def address_usage(address: Mapping[str, Any]) -> str:
    """The quota that a public address with this body counts towards."""
    return _ADDRESS_USAGES.get(address["properties"]["publicIPAddressVersion"], _ADDRESS_USAGES["IPv4"])


def usages(azure: Azure, location: str) -> dict[str, int]:
    """How much a region has of what each quota limits."""
    networks, addresses = ([found.body for found in azure.store.of_type(type) if found.body["location"] == location] for type in (VNET, PUBLIC_IP))
    counts = Counter(map(address_usage, addresses))
    return {"VirtualNetworks": len(networks)} | {name: counts[name] for name in _ADDRESS_USAGES.values()}
