"""Ranges of IPv4 and IPv6: free space, best fit, and the order in which RFC 3531 hands out subnets.

This file is private to the collection.
"""

from __future__ import annotations

import functools
import hashlib
import ipaddress
from collections.abc import Iterable, Iterator

IPv4 = ipaddress.IPv4Network
IPv6 = ipaddress.IPv6Network
Network = IPv4 | IPv6


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


@functools.lru_cache(maxsize=2**16)
def canonical(text: str) -> str:
    """A readable prefix in RFC 5952 text."""
    return str(network_of(text))


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


def best_fit(pools: Iterable[IPv4], taken: Iterable[IPv4], length: int) -> IPv4:
    """The /``length`` that leaves large free blocks whole: the start of the smallest free block that is large enough.

    ``pools`` and ``taken`` may overlap each other in any way. The result depends on them as sets, not on their order.
    Raises :class:`NoRoom`.
    """
    if not 0 <= length <= 32:
        raise NoRoom
    candidates = [block for block in _free_blocks(pools, taken) if block.prefixlen <= length]
    if not candidates:
        raise NoRoom
    block = min(candidates, key=lambda found: (-found.prefixlen, int(found.network_address)))
    return ipaddress.IPv4Network((block.network_address, length))


def _free_blocks(pools: Iterable[IPv4], taken: Iterable[IPv4]) -> Iterator[IPv4]:
    """What is left of the pools, as the largest aligned blocks."""
    used = sorted((int(found.network_address), int(found.broadcast_address)) for found in taken)
    for pool in ipaddress.collapse_addresses(pools):
        first, last = int(pool.network_address), int(pool.broadcast_address)
        for low, high in used:
            if high < first or low > last:
                continue
            if low > first:
                yield from ipaddress.summarize_address_range(ipaddress.IPv4Address(first), ipaddress.IPv4Address(low - 1))
            first = high + 1
            if first > last:
                break
        if first <= last:
            yield from ipaddress.summarize_address_range(ipaddress.IPv4Address(first), ipaddress.IPv4Address(last))


def rfc3531(count: int, bits: int) -> int:
    """The ``count``-th number (from 0) of ``bits`` bits in the leftmost order of RFC 3531: 0, 1/2, 1/4, 3/4, 1/8, …

    Bits are set from the left, so that each assignment can still grow to the right for as long as possible.
    """
    return int(f"{count:0{bits}b}"[::-1], 2)


def next_ipv6(space: IPv6, taken: Iterable[IPv6], length: int) -> IPv6:
    """The first /``length`` of ``space`` in the order of RFC 3531 that touches nothing in ``taken``. Raises :class:`NoRoom`."""
    used = [found for found in taken if found.overlaps(space)]
    bits = length - space.prefixlen
    if bits < 0:
        raise NoRoom
    base, step = int(space.network_address), 1 << (128 - length)
    # Each taken range can spoil several candidates only when it is larger than one of them.
    for count in range(1 << bits):
        candidate = ipaddress.IPv6Network((base + rfc3531(count, bits) * step if bits else base, length))
        if not any(candidate.overlaps(found) for found in used):
            return candidate
    raise NoRoom


def unique_local_prefix(organisation: str, stamp: str) -> IPv6:
    """The /48 of RFC 4193 3.1 whose 40-bit global id is the end of SHA-256(organisation, NUL, stamp).

    RFC 4193 wants the global id pseudo-random so that two organisations can be joined; a digest is, and can be computed again.
    """
    digest = hashlib.sha256(f"{organisation}\0{stamp}".encode()).digest()
    return ipaddress.IPv6Network((bytes([0xFD]) + digest[-5:] + bytes(10), 48))
