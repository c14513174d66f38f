"""Address ranges as pictures whose areas are to scale.

This file is private to the collection.

A picture is the square of one block. Its first half is on the left and its second on the right; each half is cut again, the upper part first, and so
on in turns. So every prefix is a rectangle, half as large as the prefix that is one bit shorter, whatever the family. What is too small to draw is a
dot at its place; where several of those lie close together, another picture enlarges the block around them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from .._addresses.ranges import Network, inside, network_of

#: the side of a picture; a stylesheet shows it at about this many pixels
SIDE = 320.0
#: a rectangle whose shorter side is below this is drawn as a dot
_SMALLEST = 4.0
#: a rectangle needs this much for a number
_NUMBER = 16.0
#: with so many ranges, those without room for a number have it beside them
_FEW = 12
#: a block is drawn as one picture when at least this part of it is used
_DENSITY = 1 / 512
#: an enlargement shows ranges that are at most so many bits longer than its block: a side of 20 of 320
_BITS = 8
_CHARACTER, _SMALL_CHARACTER, _LINE = 6.8, 5.6, 13.0


@dataclass(frozen=True)
class Range:
    """A range of a stamp. ``number`` is its row in the table beside the picture, ``label`` what is written on it when there is room."""

    stamp: str
    kind: str
    name: str
    network: Network
    number: int
    label: str

    @property
    def title(self) -> str:
        return f"{self.stamp} {self.name}: {self.network}, {count(self.network)}"


@dataclass(frozen=True)
class Rectangle:
    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Rectangle) -> bool:
        return self.x < other.x + other.width and other.x < self.x + self.width and self.y < other.y + other.height and other.y < self.y + self.height

    def holds(self, other: Rectangle) -> bool:
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.x + other.width <= self.x + self.width
            and other.y + other.height <= self.y + self.height
        )


@dataclass(frozen=True)
class Text:
    """``small`` where it fits in no other way."""

    x: float
    y: float
    text: str
    small: bool = False


@dataclass(frozen=True)
class Cell:
    """One range in a picture: to scale, or as a dot in the middle of its place."""

    kind: str
    title: str
    place: Rectangle
    dot: bool
    text: Text | None = None


@dataclass(frozen=True)
class Picture:
    """``block`` as a square; ``grid`` is the length of the prefix that one square of the grid has, and ``enlarges`` the block it was cut from."""

    block: Network
    cells: tuple[Cell, ...]
    grid: Network
    enlarges: Network | None = None

    @property
    def scale(self) -> str:
        """The scale in words."""
        dots = " A dot is too small to draw." if any(cell.dot for cell in self.cells) else ""
        enlarged = ""
        if self.enlarges:
            enlarged = f" {_power(self.block.prefixlen - self.enlarges.prefixlen)} times as large as in the picture of {self.enlarges}."
        square = "" if self.grid.prefixlen == self.block.prefixlen else f" A square of the grid is a /{self.grid.prefixlen}, {count(self.grid)}."
        return f"{count(self.block)[:1].upper()}{count(self.block)[1:]}.{square}{enlarged}{dots}"


def count(network: Network) -> str:
    """How large a range is, in words: addresses of IPv4, subnets of IPv6."""
    if network.version == 4:
        return f"{network.num_addresses:,} address{'es' if network.num_addresses > 1 else ''}"
    if network.prefixlen > 64:
        return f"{_power(128 - network.prefixlen)} addresses"
    return f"{_power(64 - network.prefixlen)} subnet{'s' if network.prefixlen < 64 else ''} (/64)"


def _power(bits: int) -> str:
    return f"{1 << bits:,}" if bits <= 24 else f"2^{bits}"


def place(block: Network, network: Network, side: float = SIDE) -> Rectangle:
    """Where a prefix lies in the square of its block."""
    offset = int(network.network_address) - int(block.network_address)
    x = y = 0.0
    width = height = side
    for bit in range(network.prefixlen - block.prefixlen):
        second = offset >> (network.max_prefixlen - block.prefixlen - 1 - bit) & 1
        if bit % 2:
            height /= 2
            y += height * second
        else:
            width /= 2
            x += width * second
    return Rectangle(x, y, width, height)


def picture(block: Network, ranges: Iterable[Range], enlarges: Network | None = None) -> Picture:
    """Draw the ranges that lie in a block; larger ones first, so that what lies in another range is seen."""
    drawn: dict[Network, list[Range]] = {}
    for item in sorted(ranges, key=lambda item: (item.network.prefixlen, int(item.network.network_address))):
        if inside(item.network, block):
            drawn.setdefault(item.network, []).append(item)
    places = {network: place(block, network) for network in drawn}
    taken = [_middle(found, 8) if _is_dot(found) else found for found in places.values()]
    cells = []
    for network, items in drawn.items():
        found, number = places[network], ", ".join(dict.fromkeys(str(item.number) for item in items))
        text: Text | None = None
        if _is_dot(found) or (min(found.width, found.height) < _NUMBER and len(drawn) <= _FEW):
            text = _beside(number, found, taken)
        elif not any(other != network and inside(other, network) for other in drawn):
            text = _on(found, *([items[0].label] if len(items) == 1 else []), number)
        cells.append(Cell(items[0].kind, "\n".join(item.title for item in items), found, _is_dot(found), text))
    grid = network_of(f"{block.network_address}/{min(block.prefixlen + 4, block.max_prefixlen)}")
    return Picture(block, tuple(cells), grid, enlarges)


def _is_dot(found: Rectangle) -> bool:
    return min(found.width, found.height) < _SMALLEST


def _middle(found: Rectangle, side: float) -> Rectangle:
    """A square around the middle of a rectangle."""
    return Rectangle(found.x + (found.width - side) / 2, found.y + (found.height - side) / 2, side, side)


def _on(found: Rectangle, *texts: str) -> Text | None:
    """The first of the texts that there is room for; the last one also in small letters."""
    x, y = found.x + found.width / 2, found.y + found.height / 2
    widths = [(text, _CHARACTER, False) for text in texts] + [(texts[-1], _SMALL_CHARACTER, True)]
    fitting = (Text(x, y, text, small) for text, width, small in widths if len(text) * width <= found.width - 3 and found.height >= _NUMBER)
    return next(fitting, None)


def _beside(number: str, found: Rectangle, taken: list[Rectangle]) -> Text | None:
    """The number of a small range, on the first of its sides where nothing is but what it lies in; ``taken`` gets its place."""
    middle, width = _middle(found, 0), len(number) * _CHARACTER
    far = max(4.0, found.width / 2) + 2, max(4.0, found.height / 2) + 8
    for across, down in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)):
        x, y = middle.x + across * (width / 2 + far[0]), middle.y + down * far[1]
        box = Rectangle(x - width / 2, y - _LINE / 2, width, _LINE)
        in_picture = box.x >= 0 and box.y >= 0 and box.x + box.width <= SIDE and box.y + box.height <= SIDE
        if in_picture and not any(box.overlaps(other) for other in taken if not other.holds(found)):
            taken.append(box)
            return Text(x, y, number)
    return None


def pictures(block: Network, ranges: Sequence[Range], enlarges: Network | None = None) -> Iterator[Picture]:
    """A block, and enlargements of where more than one range has no room for its number."""
    yield picture(block, ranges, enlarges)
    known = [item for item in ranges if inside(item.network, block)]
    small = {item.network for item in known if not _is_numbered(place(block, item.network))}
    for area in dict.fromkeys(_areas(sorted(small, key=_order), _is_readable)):
        members = [item for item in known if inside(item.network, area)]
        if area.prefixlen > block.prefixlen + 1 and len({item.network for item in members}) > 1:
            yield from pictures(area, members, block)


def _is_numbered(found: Rectangle) -> bool:
    return min(found.width, found.height) >= _NUMBER


def blocks(networks: Iterable[Network]) -> list[Network]:
    """The blocks that hold all of these networks of one family, each used well enough to be one picture."""
    return list(dict.fromkeys(_areas(sorted(set(networks), key=_order), _is_dense)))


def _order(network: Network) -> tuple[int, int]:
    return int(network.network_address), network.prefixlen


def _areas(networks: Sequence[Network], accepts: Callable[[Network, Sequence[Network]], bool]) -> Iterator[Network]:
    """The largest blocks that ``accepts`` what lies in them, each as small as what it holds allows."""
    if not networks:
        return
    around = _around(networks)
    shown = _from_digit(around) if len(networks) > 1 else around
    # A network that is the block around all of them leaves nothing to divide.
    if around in networks or accepts(shown, networks):
        yield shown
        return
    for half in around.subnets():
        yield from _areas([network for network in networks if inside(network, half)], accepts)


def _is_dense(block: Network, networks: Sequence[Network]) -> bool:
    """Of networks that lie in each other the larger ones count."""
    used = sum(math.ldexp(1.0, block.prefixlen - network.prefixlen) for network in _collapsed(networks))
    return used >= _DENSITY


def _collapsed(networks: Sequence[Network]) -> Iterator[Network]:
    last = -1
    for network in networks:
        if int(network.broadcast_address) > last:
            last = int(network.broadcast_address)
            yield network


def _is_readable(block: Network, networks: Sequence[Network]) -> bool:
    return max(network.prefixlen for network in networks) - block.prefixlen <= _BITS


def _around(networks: Sequence[Network]) -> Network:
    """The smallest block that holds all of these networks."""
    first = min(int(network.network_address) for network in networks)
    last = max(int(network.broadcast_address) for network in networks)
    length = networks[0].max_prefixlen - (first ^ last).bit_length()
    return networks[0].supernet(new_prefix=length) if length < networks[0].prefixlen else networks[0]


def _from_digit(block: Network) -> Network:
    """IPv6 is read in hexadecimal, so a block of it has whole digits."""
    return block.supernet(prefixlen_diff=block.prefixlen % 4) if block.version == 6 else block
