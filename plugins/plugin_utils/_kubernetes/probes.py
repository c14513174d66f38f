"""Which host of the inventory group ``probes`` asks which entrance and which resolver.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .entrances import expects_proxy_protocol, listeners_of

FAMILIES = ("ipv4", "ipv6")
#: family -> the database of getent(1) that looks up its addresses alone
_DATABASES = {"ipv4": "ahostsv4", "ipv6": "ahostsv6"}


@dataclass(frozen=True)
class ProbeHost:
    """One host of the group: the families it has, and whether it is in the stamps' virtual networks."""

    name: str
    families: tuple[str, ...]
    private: bool


@dataclass(frozen=True)
class ListenerProbe:
    """What a listener expects of whoever asks it, as the module listeners_info takes it."""

    name: str
    kind: str
    port: int
    host: str = ""
    proxy_protocol: bool = False


@dataclass(frozen=True)
class EntranceProbe:
    """``probe`` asks each listener of the entrance of the family ``key`` at ``address``."""

    key: str
    probe: str
    address: str
    listeners: tuple[ListenerProbe, ...] = ()


@dataclass(frozen=True)
class ResolverProbe:
    """``probe`` looks up the stamp's name in ``view`` in the family ``key``, in getent's ``database``."""

    view: str
    key: str
    probe: str
    database: str


def probe_hosts(variables: Mapping[str, Mapping[str, Any]]) -> list[ProbeHost]:
    """The group's hosts, given the variables of each. A host has both families and is outside unless it says otherwise."""
    return [ProbeHost(name, tuple(own.get("probe_families", FAMILIES)), own.get("probe_private", False)) for name, own in variables.items()]


def entrance_probes(hosts: Sequence[ProbeHost], addresses: Mapping[str, str], declaration: Mapping[str, Any]) -> list[EntranceProbe]:
    """The first host that has each family of ``addresses``, with all that an entrance listens on; families that no host has are left out."""
    found = ((family, next((host.name for host in hosts if family in host.families), "")) for family in addresses)
    return [EntranceProbe(family, name, addresses[family], tuple(_listeners(declaration, family))) for family, name in found if name]


def _listeners(declaration: Mapping[str, Any], family: str) -> Iterator[ListenerProbe]:
    proxied = expects_proxy_protocol(declaration, family)
    for listener in listeners_of(declaration):
        yield ListenerProbe(str(listener), listener.kind, listener.port.port, listener.host, proxied and listener.kind != "udp")


def resolver_probes(hosts: Sequence[ProbeHost]) -> list[ResolverProbe]:
    """The first host in each view of the names, public and private, that has each family."""
    found = (
        (view, family, next((host.name for host in hosts if family in host.families and host.private == private), ""))
        for view, private in (("public", False), ("private", True))
        for family in FAMILIES
    )
    return [ResolverProbe(view, family, name, _DATABASES[family]) for view, family, name in found if name]
