"""What is live in a virtual network, as plans and the register write it.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._addresses.allocations import STAMP_RANGES
from .._addresses.ranges import Prefixes, unlisted
from .._resource_id import folded

#: what Azure shows of a subnet that something uses
_IN_USE = {"ipConfigurations", "ipConfigurationProfiles", "serviceAssociationLinks", "resourceNavigationLinks", "privateEndpoints"}


def live_subnets(vnet: Mapping[str, Any], names: Iterable[str] = ()) -> dict[str, list[str]]:
    """Subnet -> its prefixes, of a virtual network as Azure answers it; empty for one that does not exist.

    Azure keeps a name as its maker spelled it: one of ``names`` is spelled as there.
    """
    subnets, spelled = (vnet.get("properties") or {}).get("subnets") or (), {folded(name): name for name in names}
    return {spelled.get(folded(subnet["name"]), subnet["name"]): prefixes_of(subnet["properties"]) for subnet in subnets}


def prefixes_of(properties: Mapping[str, Any]) -> list[str]:
    """The prefixes of a subnet, from its properties as Azure answers them."""
    single = properties.get("addressPrefix")
    return list(properties.get("addressPrefixes") or ([single] if single else []))


def delegations_of(subnet: Mapping[str, Any]) -> list[str]:
    """The services that a subnet is delegated to, as Azure answers it."""
    found = (subnet.get("properties") or {}).get("delegations") or ()
    return [str((item.get("properties") or {}).get("serviceName") or item.get("name")) for item in found]


def live_network(vnet: Mapping[str, Any], names: Iterable[str] = ()) -> dict[str, Any]:
    """What a specification holds of a virtual network as Azure answers it: ``live_vnet`` (its prefixes), ``live_subnets``, ``live_delegations``
    (the services of each subnet that is in use), and ``live_peers`` (the networks that it is peered with, and their prefixes).
    ``names`` are those of :func:`live_subnets`."""
    properties = vnet.get("properties") or {}
    peerings = [peering.get("properties") or {} for peering in properties.get("virtualNetworkPeerings") or ()]
    return {
        "live_vnet": _address_prefixes(properties.get("addressSpace")),
        "live_subnets": live_subnets(vnet, names),
        "live_delegations": {
            subnet["name"]: delegations_of(subnet) for subnet in properties.get("subnets") or () if _IN_USE & (subnet.get("properties") or {}).keys()
        },
        "live_peers": {
            str((peering.get("remoteVirtualNetwork") or {}).get("id") or ""): _address_prefixes(
                peering.get("remoteVirtualNetworkAddressSpace") or peering.get("remoteAddressSpace")
            )
            for peering in peerings
        },
    }


def _address_prefixes(space: Mapping[str, Any] | None) -> list[str]:
    return list((space or {}).get("addressPrefixes") or ())


def _by_family(prefixes: Sequence[str]) -> dict[str, Prefixes]:
    families = {family: [text for text in prefixes if (":" in text) == (family == "ipv6")] for family in ("ipv4", "ipv6")}
    return {family: unlisted(texts) for family, texts in families.items() if texts}


def adopt(register: Mapping[str, Any], vnets: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The register with what is live: of each stamp's virtual network as Azure answers it, and of its subnets, the live prefixes replace its own.

    A subnet that is called like one of the stamp's own ranges has no place in the register; `live_subnet_overlap` keeps others off it.
    """
    stamps = {stamp: dict(names or {}) for stamp, names in (register.get("stamps") or {}).items()}
    for stamp, vnet in vnets.items():
        names = stamps.setdefault(stamp, {})
        live = live_network(vnet, names)
        subnets = {name: prefixes for name, prefixes in live["live_subnets"].items() if name.lower() not in STAMP_RANGES}
        for name, prefixes in {"vnet": live["live_vnet"], **subnets}.items():
            names[name] = {**(names.get(name) or {}), **_by_family(prefixes)}
    return {**register, "stamps": stamps}
