"""What is taken: the ranges of the register, and those of stamps planned since.

This file is private to the collection.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .ranges import FreeIPv4, IPv4, IPv6, MalformedSpecification, Network, Slices, ends, listed, read, touches

#: names in the register that are not subnets
STAMP_RANGES = ("vnet", "pods", "services")


@dataclass(frozen=True)
class Registration:
    """One range of the register, and the stamp and name that hold it."""

    stamp: str
    name: str
    network: Network
    retired: bool = False

    @property
    def subject(self) -> str:
        return f"{self.stamp}.{self.name}" + (" (retired)" if self.retired else "")


def registered(register: Mapping[str, Any]) -> Iterator[Registration]:
    """Every range of the register, retired ones too. Raises :class:`~.ranges.MalformedSpecification` for what is no prefix."""
    for part in ("stamps", "retired"):
        for stamp, names in (register.get(part) or {}).items():
            for name, families in (names or {}).items():
                for family, prefixes in (families or {}).items():
                    where = f"dualstack_register.{part}.{stamp}.{name}.{family}"
                    if name in ("pods", "services") and len(listed(prefixes)) > 1:
                        raise MalformedSpecification(f"{where} holds {', '.join(listed(prefixes))}: a cluster uses one prefix per family.")
                    for text in listed(prefixes):
                        network = read(text, where)
                        if family not in ("ipv4", "ipv6") or network.version != int(family[-1]):
                            raise MalformedSpecification(f"{where}: {text!r} is not {family}.")
                        yield Registration(stamp, name, network, part == "retired")


class Registrations:
    """The registered ranges, by what shares an address with them. Of two prefixes one lies in the other, or they are apart."""

    def __init__(self, registrations: Iterable[Registration]) -> None:
        self._all = list(registrations)
        #: version -> length -> first address -> places in the register
        self._larger: dict[int, dict[int, dict[int, list[int]]]] = {4: {}, 6: {}}
        self._firsts: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        for place, item in enumerate(self._all):
            first, _unused = ends(item.network)
            self._larger[item.network.version].setdefault(item.network.prefixlen, {}).setdefault(first, []).append(place)
            self._firsts[item.network.version].append((first, place))
        for firsts in self._firsts.values():
            firsts.sort()

    def __iter__(self) -> Iterator[Registration]:
        return iter(self._all)

    def overlapping(self, network: Network) -> list[Registration]:
        """Those that share an address with a range, in the order of the register."""
        first, last = ends(network)
        firsts = self._firsts[network.version]
        places = {place for _unused, place in firsts[bisect.bisect_left(firsts, (first, 0)) : bisect.bisect_left(firsts, (last + 1, 0))]}
        for length, by_first in self._larger[network.version].items():
            if length < network.prefixlen:
                below = network.max_prefixlen - length
                places.update(by_first.get(first >> below << below, ()))
        return [self._all[place] for place in sorted(places)]


class Allocations:
    """Where there is room for stamps that are planned one after the other.

    It only grows: what a stamp retires stays taken. Of new ranges only the stamps' own are noted, since subnets lie inside them.
    """

    def __init__(self, registrations: Registrations) -> None:
        self._registrations = registrations
        self._ranges: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        for item in registrations:
            self._ranges[item.network.version].append(ends(item.network))
        self._free: dict[tuple[IPv4, ...], FreeIPv4] = {}
        self._slices: dict[IPv6, Slices] = {}
        #: IPv6 by /48, since each stamp has one; what is larger apart
        self._slots: dict[int, list[tuple[int, int]]] = {}
        self._large: list[tuple[int, int]] = []
        for first, last in self._ranges[6]:
            self._note_ipv6(first, last)

    def _note_ipv6(self, first: int, last: int) -> None:
        if first >> 80 == last >> 80:
            self._slots.setdefault(first >> 80, []).append((first, last))
        else:
            self._large.append((first, last))

    def free(self, pools: list[IPv4]) -> FreeIPv4:
        """What is free in these pools, kept up to date."""
        key = tuple(pools)
        if key not in self._free:
            self._free[key] = FreeIPv4(pools, self._ranges[4])
        return self._free[key]

    def slice(self, space: IPv6, length: int) -> int:
        """The start of the next free /``length`` in a space of the user's. Raises :class:`~.ranges.NoRoom`."""
        slices = self._slices.setdefault(space, Slices(space, length))
        while self.touches_ipv6(first := slices.next(), length):
            pass
        return first

    def touches_ipv6(self, first: int, length: int) -> bool:
        """Whether a /48 or less shares an address with anything taken."""
        return any(touches(first, length, used) for used in (self._slots.get(first >> 80, ()), self._large))

    def take(self, version: int, first: int, length: int) -> None:
        """Note a stamp's own range."""
        last = first | ((1 << ((32 if version == 4 else 128) - length)) - 1)
        self._ranges[version].append((first, last))
        if version == 6:
            self._note_ipv6(first, last)
        else:
            for free in self._free.values():
                free.take(first, length)

    def within(self, stamp: str, space: Network) -> list[tuple[int, int]]:
        """What is taken in a stamp's virtual network: its own ranges, and the subnets of stamps that register the same network.

        Whatever else the register has there belongs to networks that this one does not reach.
        """
        found = self._registrations.overlapping(space)
        sharing = {item.stamp for item in found if item.name == "vnet" and item.network == space}
        return [
            ends(item.network)
            for item in found
            if (item.stamp == stamp and (item.name != "vnet" or item.retired)) or (item.stamp in sharing and item.name not in STAMP_RANGES)
        ]
