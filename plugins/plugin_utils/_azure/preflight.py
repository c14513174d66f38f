"""What is live in a virtual network, as plans and the register write it.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def live_subnets(vnet: Mapping[str, Any]) -> dict[str, list[str]]:
    """Subnet -> its prefixes, of a virtual network as Azure answers it; empty for one that does not exist."""
    subnets = (vnet.get("properties") or {}).get("subnets") or ()
    return {subnet["name"]: _prefixes(subnet["properties"]) for subnet in subnets}


def _prefixes(properties: Mapping[str, Any]) -> list[str]:
    return list(properties.get("addressPrefixes") or [properties.get("addressPrefix") or ""])


def adopted(vnet: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Name -> family -> prefix of a live virtual network and its subnets, as the register writes them."""
    ranges = {"vnet": list(vnet["properties"]["addressSpace"]["addressPrefixes"]), **live_subnets(vnet)}
    return {name: {"ipv6" if ":" in prefix else "ipv4": prefix for prefix in prefixes} for name, prefixes in ranges.items()}
