"""Ranges of IPv4 and IPv6: free space, best fit, and the order in which RFC 3531 hands out subnets.

This file is private to the collection.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import heapq
import ipaddress
import socket
from collections.abc import Iterable, Mapping

IPv4 = ipaddress.IPv4Network
IPv6 = ipaddress.IPv6Network
Network = IPv4 | IPv6
#: one prefix as a text, several as a list
type Prefixes = str | list[str]


class MalformedSpecification(ValueError):
    """The specification or the register cannot be read at all; the message names the variable and the value."""


class NoRoom(Exception):
    """No free block of the wanted size is left."""


def read(text: object, where: str) -> Network:
    """The network that ``text`` (CIDR notation, no host bits) means.

    Raises :class:`MalformedSpecification` naming ``where`` when it means none.
    """
    try:
        # An ordinary text, since a mapping compares Ansible's own kind of text with its origin.
        return network_of(str(text))
    except ValueError as error:
        raise MalformedSpecification(f"{where}: {text!r} is not a prefix in CIDR notation: {error}.") from error


@functools.lru_cache(maxsize=2**16)
def network_of(text: str) -> Network:
    """A network by its text. A fleet's register is read again for every stamp, and parsing is most of what that costs."""
    return ipaddress.ip_network(text)


def listed(prefixes: Prefixes | None) -> list[str]:
    """The prefixes as a list, also of one and of none."""
    return [] if prefixes is None else [prefixes] if isinstance(prefixes, str) else list(prefixes)


def unlisted(texts: list[str]) -> Prefixes:
    """The other way round: one prefix is a text."""
    return texts[0] if len(texts) == 1 else texts


def prefixes_in(families: Mapping[str, Prefixes]) -> list[str]:
    """Every prefix of a mapping of families."""
    return [text for prefixes in families.values() for text in listed(prefixes)]


def overlaps(one: Network, other: Network) -> bool:
    """Whether two ranges share an address; ranges of different families never do."""
    return (
        one.version == other.version
        and int(one.network_address) <= int(other.broadcast_address)
        and int(other.network_address) <= int(one.broadcast_address)
    )


def inside(inner: Network, outer: Network) -> bool:
    """Whether ``inner`` lies in ``outer``; ranges of different families never do."""
    return inner.version == outer.version and int(outer.network_address) <= int(inner.network_address) <= int(inner.broadcast_address) <= int(
        outer.broadcast_address
    )


def ends(network: Network) -> tuple[int, int]:
    """The first and the last address as numbers."""
    first = int(network.network_address)
    return first, first | ((1 << (network.max_prefixlen - network.prefixlen)) - 1)


def text_of(version: int, first: int, length: int) -> str:
    """The prefix in CIDR notation (RFC 5952). As ``str`` of a network does, ten times as fast: a large plan has many."""
    if version == 4:
        return f"{first >> 24}.{first >> 16 & 255}.{first >> 8 & 255}.{first & 255}/{length}"
    if first >> 48 == 0:
        # The C library writes these with an IPv4 address at the end.
        return str(ipaddress.IPv6Network((first, length)))
    return f"{socket.inet_ntop(socket.AF_INET6, first.to_bytes(16))}/{length}"


class FreeIPv4:
    """What is left of pools, as the largest aligned blocks. ``pools`` and ``taken`` (first, last) may overlap each other in any way."""

    def __init__(self, pools: Iterable[IPv4], taken: Iterable[tuple[int, int]]) -> None:
        self._blocks: dict[int, set[int]] = {}
        #: the same, lowest first; what is no longer among the blocks is passed over
        self._heaps: dict[int, list[int]] = {}
        used = sorted(taken)
        for pool in ipaddress.collapse_addresses(pools):
            first, last = ends(pool)
            for low, high in used:
                if high < first:
                    continue
                if low > last:
                    break
                self._add(first, low - 1)
                first = max(first, high + 1)
            self._add(first, last)

    def _add(self, first: int, last: int) -> None:
        while first <= last:
            # As large as the alignment of its first address and the room up to the last one allow.
            bits = min((first & -first).bit_length() - 1 if first else 32, (last - first + 1).bit_length() - 1)
            self._put(first, 32 - bits)
            first += 1 << bits

    def _put(self, first: int, length: int) -> None:
        self._blocks.setdefault(length, set()).add(first)
        heapq.heappush(self._heaps.setdefault(length, []), first)

    def find(self, length: int) -> int:
        """The start of the smallest block that has room for a /``length``, of equal ones the lowest. Raises :class:`NoRoom`."""
        for size in range(length, -1, -1) if length <= 32 else ():
            heap = self._heaps.get(size, [])
            while heap and heap[0] not in self._blocks[size]:
                heapq.heappop(heap)
            if heap:
                return heap[0]
        raise NoRoom

    def take(self, first: int, length: int) -> None:
        """No longer free: a range that is so wholly, or is none of ours."""
        for size in range(length, -1, -1):
            start = first >> (32 - size) << (32 - size)
            if start in self._blocks.get(size, ()):
                self._blocks[size].remove(start)
                for smaller in range(size + 1, length + 1):
                    # Of each half that is cut, the other one stays.
                    self._put((first >> (32 - smaller) ^ 1) << (32 - smaller), smaller)
                return
        last = first | ((1 << (32 - length)) - 1)
        for size, blocks in self._blocks.items():
            if size > length:
                blocks -= {start for start in blocks if first <= start <= last}


def rfc3531(count: int, bits: int) -> int:
    """The ``count``-th number (from 0) of ``bits`` bits in the leftmost order of RFC 3531: 0, 1/2, 1/4, 3/4, 1/8, …

    Bits are set from the left, so that each assignment can still grow to the right for as long as possible.
    """
    return int(f"{count:0{bits}b}"[::-1], 2)


class Slices:
    """The /``length`` prefixes of an IPv6 space in the order of RFC 3531, each handed out once; those that touch ``taken`` are passed over."""

    def __init__(self, space: IPv6, length: int, taken: Iterable[tuple[int, int]] = ()) -> None:
        self._bits, self._length, self._taken = length - space.prefixlen, length, list(taken)
        self._first = int(space.network_address)
        self._count = 0

    def next(self) -> int:
        """The start of the next one. Raises :class:`NoRoom`."""
        while self._bits >= 0 and self._count < 1 << self._bits:
            first = self._first + (rfc3531(self._count, self._bits) << (128 - self._length) if self._bits else 0)
            self._count += 1
            if not touches(first, self._length, self._taken):
                return first
        raise NoRoom


def next_slice(spaces: Iterable[Slices]) -> int:
    """The next one of the first space that has one left. Raises :class:`NoRoom`."""
    for slices in spaces:
        with contextlib.suppress(NoRoom):
            return slices.next()
    raise NoRoom


def touches(first: int, length: int, used: Iterable[tuple[int, int]]) -> bool:
    """Whether the IPv6 /``length`` that begins at ``first`` shares an address with any of ``used`` (first, last)."""
    last = first | ((1 << (128 - length)) - 1)
    return any(low <= last and first <= high for low, high in used)


def unique_local_prefix(organisation: str, stamp: str) -> IPv6:
    """The /48 of RFC 4193 3.1 whose 40-bit global id is the end of SHA-256(organisation, NUL, stamp).

    RFC 4193 wants the global id pseudo-random so that two organisations can be joined; a digest is, and can be computed again.
    """
    digest = hashlib.sha256(f"{organisation}\0{stamp}".encode()).digest()
    return ipaddress.IPv6Network((bytes([0xFD]) + digest[-5:] + bytes(10), 48))
