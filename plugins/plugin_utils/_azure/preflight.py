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


def adopt(register: Mapping[str, Any], vnets: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The register with what is live: of each stamp's virtual network as Azure answers it, and of its subnets, the live prefixes replace its own."""
    stamps = {stamp: dict(names or {}) for stamp, names in (register.get("stamps") or {}).items()}
    for stamp, vnet in vnets.items():
        names = stamps.setdefault(stamp, {})
        for name, prefixes in {"vnet": vnet["properties"]["addressSpace"]["addressPrefixes"], **live_subnets(vnet)}.items():
            names[name] = {**(names.get(name) or {}), **{"ipv6" if ":" in prefix else "ipv4": prefix for prefix in prefixes}}
    return {**register, "stamps": stamps}
