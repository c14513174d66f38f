"""How much of what Azure limits a region has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..azure import Azure
from .bodies import PUBLIC_IP, VNET

#: what Azure calls the count of public addresses of an IP version
_ADDRESS_USAGES = {version: f"{version}StandardSkuPublicIpAddresses" for version in ("IPv4", "IPv6")}


def address_usage(address: Mapping[str, Any]) -> str:
    """What a public address with this body counts as."""
    return _ADDRESS_USAGES.get(address["properties"]["publicIPAddressVersion"], _ADDRESS_USAGES["IPv4"])


def usages(azure: Azure, location: str) -> dict[str, int]:
    """What there is in a region, by Azure's names of it."""
    networks, addresses = ([found.body for found in azure.store.of_type(type) if found.body["location"] == location] for type in (VNET, PUBLIC_IP))
    counts = Counter(map(address_usage, addresses))
    return {"VirtualNetworks": len(networks)} | {name: counts[name] for name in _ADDRESS_USAGES.values()}
