"""From a stamp's specification and the register to its addresses.

This file is private to the collection.

A specification is a mapping; all but the first two keys can be left out:

``organisation`` text; ``stamp`` name;
``ipv4_pools`` {``vnet``, ``pods``, ``services``: list of IPv4 prefixes};
``ipv6_prefix`` own IPv6 space, /48 or shorter (else RFC 4193);
``vnet_ipv4_prefix_length``, ``pods_ipv4_prefix_length``, ``services_ipv4_prefix_length``;
``subnets`` {name: {``ipv4_prefix_length``, ``purpose``, ``families``}}.

The register maps stamps to names to prefixes; the names ``vnet``, ``pods`` and ``services`` stand for the stamp's own ranges, all
others for subnets. What was given up is kept under ``retired``, so that it is not handed out again::

    stamps:
      westeurope:
        vnet: {ipv4: 10.0.0.0/20, ipv6: "fd5c:3e4d:98a1::/56"}
        nodes: {ipv4: 10.0.0.0/22, ipv6: "fd5c:3e4d:98a1::/64"}
    retired:
      westeurope: {}
"""

from __future__ import annotations

import bisect
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .ranges import FreeIPv4, IPv4, IPv6, MalformedSpecification, Network, NoRoom, Slices, ends, read, text_of, touches, unique_local_prefix

#: names in the register that are not subnets
STAMP_RANGES = ("vnet", "pods", "services")

DEFAULT_POOLS = {"vnet": ["10.0.0.0/9"], "pods": ["10.128.0.0/10"], "services": ["10.192.0.0/12"]}
DEFAULT_LENGTHS = {"vnet": 20, "pods": 16, "services": 20}
DEFAULT_SUBNETS: dict[str, Any] = {
    "nodes": {"ipv4_prefix_length": 22, "purpose": "nodes", "families": ["IPv4", "IPv6"]},
    "endpoints": {"ipv4_prefix_length": 26, "purpose": "private_endpoints", "families": ["IPv4"]},
}
_KEYS = {
    "organisation",
    "stamp",
    "ipv4_pools",
    "ipv6_prefix",
    "subnets",
    "cluster",
    "live_subnets",
    "security_rules",
    "public_ip_prefixes",
    "names",
} | {f"{name}_ipv4_prefix_length" for name in STAMP_RANGES}

#: An IPv6 Azure subnet is exactly this long (learn.microsoft.com/azure/virtual-network/ip-services/ipv6-overview).
SUBNET_IPV6_LENGTH = 64
VNET_IPV6_LENGTH = 56
#: The longest IPv6 service range that AKS takes is the default (learn.microsoft.com/azure/aks/configure-dual-stack).
SERVICES_IPV6_LENGTH = 108
STAMP_IPV6_LENGTH = 48


@dataclass(frozen=True)
class Held:
    """One registered range: who holds it."""

    stamp: str
    name: str
    network: Network
    retired: bool = False

    @property
    def subject(self) -> str:
        return f"{self.stamp}.{self.name}" + (" (retired)" if self.retired else "")


def registered(register: Mapping[str, Any]) -> Iterator[Held]:
    """Every range of the register, retired ones too. Raises :class:`MalformedSpecification` for what is no prefix."""
    for part in ("stamps", "retired"):
        for stamp, names in (register.get(part) or {}).items():
            for name, families in (names or {}).items():
                for family, text in (families or {}).items():
                    where = f"dualstack_register.{part}.{stamp}.{name}.{family}"
                    network = read(text, where)
                    if family not in ("ipv4", "ipv6") or network.version != int(family[-1]):
                        raise MalformedSpecification(f"{where}: {text!r} is not {family}.")
                    yield Held(stamp, name, network, part == "retired")


class Holders:
    """The registered ranges, by what shares an address with them. Of two prefixes one lies in the other, or they are apart."""

    def __init__(self, held: Iterable[Held]) -> None:
        self._held = list(held)
        #: version -> length -> first address -> places in the register
        self._larger: dict[int, dict[int, dict[int, list[int]]]] = {4: {}, 6: {}}
        self._firsts: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        for place, item in enumerate(self._held):
            first, _ = ends(item.network)
            self._larger[item.network.version].setdefault(item.network.prefixlen, {}).setdefault(first, []).append(place)
            self._firsts[item.network.version].append((first, place))
        for firsts in self._firsts.values():
            firsts.sort()

    def overlapping(self, network: Network) -> list[Held]:
        """Those that share an address with a range, in the order of the register."""
        first, last = ends(network)
        firsts = self._firsts[network.version]
        places = {place for _, place in firsts[bisect.bisect_left(firsts, (first, 0)) : bisect.bisect_left(firsts, (last + 1, 0))]}
        for length, by_first in self._larger[network.version].items():
            if length < network.prefixlen:
                below = network.max_prefixlen - length
                places.update(by_first.get(first >> below << below, ()))
        return [self._held[place] for place in sorted(places)]


def check_shape(specification: Mapping[str, Any], register: Mapping[str, Any]) -> None:
    """Raise :class:`MalformedSpecification` when the two cannot be read as what this module describes."""
    if not isinstance(specification, Mapping):
        raise MalformedSpecification(f"The specification must be a mapping, not {type(specification).__name__}.")
    if not isinstance(register, Mapping):
        raise MalformedSpecification(f"dualstack_register must be a mapping with stamps and retired, not {type(register).__name__}.")
    unknown = sorted(set(specification) - _KEYS)
    if unknown:
        raise MalformedSpecification(f"The specification has unknown keys: {', '.join(unknown)}. Known: {', '.join(sorted(_KEYS))}.")
    for name in ("organisation", "stamp"):
        if not isinstance(specification.get(name), str) or not specification[name]:
            raise MalformedSpecification(f"The specification needs {name}: a text, not {specification.get(name)!r}.")
    for name, subnet in subnets_of(specification).items():
        length = subnet.get("ipv4_prefix_length") if isinstance(subnet, Mapping) else subnet
        if isinstance(length, bool) or not isinstance(length, int):
            raise MalformedSpecification(f"dualstack_subnets.{name} needs ipv4_prefix_length: a whole number, not {length!r}.")
        if not isinstance(subnet.get("families") or [], list):
            raise MalformedSpecification(f"dualstack_subnets.{name}.families must be a list, not {subnet['families']!r}.")
    pools = specification.get("ipv4_pools") or {}
    if not isinstance(pools, Mapping):
        raise MalformedSpecification(f"dualstack_ipv4_pools must be a mapping of purposes, not {pools!r}.")
    for purpose, prefixes in pools.items():
        if not isinstance(prefixes or [], list):
            raise MalformedSpecification(f"dualstack_ipv4_pools.{purpose} must be a list of prefixes, not {prefixes!r}.")
    check_register(register)


def check_register(register: Mapping[str, Any]) -> None:
    """The register's part of :func:`check_shape`."""
    if not isinstance(register, Mapping):
        raise MalformedSpecification(f"dualstack_register must be a mapping with stamps and retired, not {type(register).__name__}.")
    for part in ("stamps", "retired"):
        _check_levels(register.get(part), f"dualstack_register.{part}", 3)
    unknown = sorted(set(register) - {"stamps", "retired"})
    if unknown:
        raise MalformedSpecification(f"dualstack_register has unknown keys: {', '.join(unknown)}. Known: stamps, retired.")


def _check_levels(value: Any, where: str, levels: int) -> None:
    """stamps -> names -> families are mappings all the way down; empty ones may be left empty."""
    if levels == 0 or value is None:
        return
    if not isinstance(value, Mapping):
        raise MalformedSpecification(f"{where} must be a mapping, not {value!r}.")
    for name, item in value.items():
        _check_levels(item, f"{where}.{name}", levels - 1)


def subnets_of(specification: Mapping[str, Any]) -> dict[str, Any]:
    """The wanted subnets; the default ones when the specification names none."""
    given = specification.get("subnets")
    if given is not None and not isinstance(given, Mapping):
        raise MalformedSpecification(f"dualstack_subnets must be a mapping of names, not {type(given).__name__}.")
    return dict(DEFAULT_SUBNETS if given is None else given)


def pools_of(specification: Mapping[str, Any], purpose: str) -> list[IPv4]:
    """The IPv4 prefixes that ranges of a purpose (``vnet``, ``pods``, ``services``) are taken from."""
    pools = specification.get("ipv4_pools") or {}
    result = []
    for text in pools.get(purpose) or DEFAULT_POOLS[purpose]:
        network = read(text, f"dualstack_ipv4_pools.{purpose}")
        if not isinstance(network, ipaddress.IPv4Network):
            raise MalformedSpecification(f"dualstack_ipv4_pools.{purpose}: {text!r} is not IPv4.")
        result.append(network)
    return result


def length_of(specification: Mapping[str, Any], purpose: str) -> int:
    """Prefix length of a stamp's own IPv4 range."""
    value = specification.get(f"{purpose}_ipv4_prefix_length", DEFAULT_LENGTHS[purpose])
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 32:
        raise MalformedSpecification(f"{purpose}_ipv4_prefix_length must be a whole number from 1 to 32, not {value!r}.")
    return value


def families_of(subnet: Mapping[str, Any]) -> list[str]:
    return list(subnet.get("families") or ["IPv4", "IPv6"])


class Ground:
    """What is taken, for stamps that are planned one after the other. Reads the register once, and copies it.

    It only grows: what a stamp retires stays taken. Of what is given, only the stamps' own ranges are noted, since subnets lie inside them.
    """

    def __init__(self, register: Mapping[str, Any]) -> None:
        self.held = list(registered(register))
        self.holders = Holders(self.held)
        self.register: dict[str, Any] = {part: {stamp: {} for stamp in register.get(part) or {}} for part in ("stamps", "retired")}
        for part in ("stamps", "retired"):
            for stamp, names in (register.get(part) or {}).items():
                self.register[part][stamp] = {name: {} for name in names or {}}
        for held in self.held:
            names = self.register["retired" if held.retired else "stamps"][held.stamp]
            names[held.name][f"ipv{held.network.version}"] = str(held.network)
        self.planned: set[str] = set()
        #: whether all that is noted is in the register still: a name that is both in use and retired loses one of its prefixes
        self.is_complete = True
        self._ranges = {version: [ends(held.network) for held in self.held if held.network.version == version] for version in (4, 6)}
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

    def slice(self, space: IPv6) -> int:
        """The start of the next stamp's prefix in a space of the user's. Raises :class:`~.ranges.NoRoom`."""
        slices = self._slices.setdefault(space, Slices(space, STAMP_IPV6_LENGTH))
        while self.touches_ipv6(found := slices.next(), STAMP_IPV6_LENGTH):
            pass
        return found

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
        """What the register has in a stamp's virtual network, that network itself left out."""
        others = (held for held in self.holders.overlapping(space) if (held.stamp, held.name, held.retired) != (stamp, "vnet", False))
        return [ends(held.network) for held in others]

    def tidy_register(self) -> dict[str, Any]:
        return {
            "stamps": {stamp: self.register["stamps"][stamp] for stamp in sorted(self.register["stamps"])},
            "retired": {stamp: names for stamp, names in sorted(self.register["retired"].items()) if names},
        }


class Planner:
    """Proposes what the register does not hold yet, and never moves what it does."""

    def __init__(self, specification: Mapping[str, Any], register: Mapping[str, Any], ground: Ground | None = None) -> None:
        check_shape(specification, {} if ground else register)
        self.specification = specification
        self.stamp: str = specification["stamp"]
        self.ground = ground or Ground(register)
        self.ground.planned.add(self.stamp)
        self.register = self.ground.register
        self.names: dict[str, Any] = self.register["stamps"].setdefault(self.stamp, {})
        #: what could not be given: (name, family, why)
        self.short: list[tuple[str, str, str]] = []
        #: names and families that this plan gave
        self._new: set[tuple[str, str]] = set()

    def plan(self) -> dict[str, Any]:
        """The stamp's addresses, without the register."""
        self._return_retired()
        for purpose in ("vnet", "pods", "services"):
            self._stamp_ipv4(purpose)
        self._stamp_ipv6()
        wanted = subnets_of(self.specification)
        self._subnets(wanted)
        if "subnets" in self.specification:
            self._retire(wanted)
        return {
            **{name: dict(self.names.get(name, {})) for name in STAMP_RANGES},
            "subnets": {name: dict(self.names.get(name, {})) for name in wanted},
            "dns_service_ip": self._dns_service_ip(),
        }

    @property
    def was_registered(self) -> bool:
        """Whether the register had all that was wanted, so that it did not matter what else is taken."""
        return not (self._new or self.short)

    def _give(self, name: str, family: str, first: int, length: int) -> None:
        version = int(family[-1])
        self.names.setdefault(name, {})[family] = text_of(version, first, length)
        self._new.add((name, family))
        if name in STAMP_RANGES:
            self.ground.take(version, first, length)

    def _stamp_ipv4(self, purpose: str) -> None:
        if "ipv4" in self.names.get(purpose, {}):
            return
        length = length_of(self.specification, purpose)
        try:
            self._give(purpose, "ipv4", self.ground.free(pools_of(self.specification, purpose)).find(length), length)
        except NoRoom:
            pools = ", ".join(map(str, pools_of(self.specification, purpose)))
            self.short.append((purpose, "ipv4", f"no free /{length} is left in {pools}"))

    def stamp_prefix(self) -> IPv6 | None:
        """The stamp's /48: where its registered ranges lie, else a free slice of the user's prefix, else its RFC 4193 prefix."""
        for name in STAMP_RANGES:
            text = self.names.get(name, {}).get("ipv6")
            if text:
                found = read(text, f"{self.stamp}.{name}.ipv6")
                assert isinstance(found, ipaddress.IPv6Network)
                return found.supernet(new_prefix=STAMP_IPV6_LENGTH) if found.prefixlen > STAMP_IPV6_LENGTH else found
        own = self.specification.get("ipv6_prefix")
        if not own:
            return unique_local_prefix(self.specification["organisation"], self.stamp)
        space = read(own, "dualstack_ipv6_prefix")
        if not isinstance(space, ipaddress.IPv6Network):
            raise MalformedSpecification(f"dualstack_ipv6_prefix: {own!r} is not IPv6.")
        try:
            return ipaddress.IPv6Network((self.ground.slice(space), STAMP_IPV6_LENGTH))
        except NoRoom:
            self.short.append(("vnet", "ipv6", f"no free /{STAMP_IPV6_LENGTH} is left in {space}"))
            return None

    def _stamp_ipv6(self) -> None:
        missing = [name for name in STAMP_RANGES if "ipv6" not in self.names.get(name, {})]
        prefix = self.stamp_prefix() if missing else None
        if prefix is None:
            return
        base = int(prefix.network_address)
        # The first /56 is the virtual network's, the next two begin with pods and services: P:00xx, P:0100, P:0200.
        layout = {
            "vnet": (base, VNET_IPV6_LENGTH),
            "pods": (base + (1 << 72), SUBNET_IPV6_LENGTH),
            "services": (base + (2 << 72), SERVICES_IPV6_LENGTH),
        }
        for name in missing:
            if self.ground.touches_ipv6(*layout[name]):
                self.short.append((name, "ipv6", f"{text_of(6, *layout[name])} is taken by another registered name"))
            else:
                self._give(name, "ipv6", *layout[name])

    def _subnets(self, wanted: Mapping[str, Any]) -> None:
        vnet = self.names.get("vnet", {})
        ipv4 = ipaddress.IPv4Network(vnet["ipv4"]) if "ipv4" in vnet else None
        ipv6 = ipaddress.IPv6Network(vnet["ipv6"]) if "ipv6" in vnet else None
        free: FreeIPv4 | None = None
        slices: Slices | None = None
        # Large ones first, then by name: the order of the user's file must not matter.
        for name, subnet in sorted(wanted.items(), key=lambda item: (item[1]["ipv4_prefix_length"], item[0])):
            current, families = self.names.get(name, {}), families_of(subnet)
            if ipv4 and "IPv4" in families and "ipv4" not in current:
                free = free or FreeIPv4([ipv4], self._within("ipv4", ipv4))
                length = subnet["ipv4_prefix_length"]
                try:
                    first = free.find(length)
                except NoRoom:
                    self.short.append((name, "ipv4", f"no free /{length} is left in the virtual network {ipv4}"))
                else:
                    free.take(first, length)
                    self._give(name, "ipv4", first, length)
            if ipv6 and "IPv6" in families and "ipv6" not in current:
                slices = slices or Slices(ipv6, SUBNET_IPV6_LENGTH, self._within("ipv6", ipv6))
                try:
                    self._give(name, "ipv6", slices.next(), SUBNET_IPV6_LENGTH)
                except NoRoom:
                    self.short.append((name, "ipv6", f"no free /{SUBNET_IPV6_LENGTH} is left in the virtual network {ipv6}"))

    def _within(self, family: str, space: Network) -> list[tuple[int, int]]:
        """What stands in the way inside the stamp's virtual network: in one that was only just given, nothing."""
        return [] if ("vnet", family) in self._new else self.ground.within(self.stamp, space)

    def _return_retired(self) -> None:
        """A name that comes back gets its own prefixes back."""
        retired = self.register["retired"].get(self.stamp) or {}
        for name in list(retired):
            if name in STAMP_RANGES or name in subnets_of(self.specification):
                for family, text in retired.pop(name).items():
                    if self.names.setdefault(name, {}).setdefault(family, text) != text:
                        self.ground.is_complete = False

    def _retire(self, wanted: Mapping[str, Any]) -> None:
        for name in [name for name in self.names if name not in wanted and name not in STAMP_RANGES]:
            retired = self.register["retired"].setdefault(self.stamp, {})
            if name in retired:
                self.ground.is_complete = False
            retired[name] = self.names.pop(name)

    def _dns_service_ip(self) -> str:
        """The tenth address of the IPv4 service range, AKS' own habit; empty without a range."""
        text = self.names.get("services", {}).get("ipv4")
        if not text:
            return ""
        services = ipaddress.IPv4Network(text)
        return str(services[10]) if services.num_addresses > 11 else str(services[max(0, services.num_addresses - 2)])


def address_plan(specification: Mapping[str, Any], register: Mapping[str, Any]) -> dict[str, Any]:
    """The addresses of one stamp.

    Returns ``{vnet, pods, services: {ipv4, ipv6}, subnets: {name: {ipv4, ipv6}}, dns_service_ip, register}`` with prefixes in
    RFC 5952 text; ``register`` is the register with this stamp's proposals in it. What finds no room is left out, and
    ``plan_violations`` says so. Raises :class:`MalformedSpecification`.
    """
    planner = Planner(specification, register)
    return planner.plan() | {"register": planner.ground.tidy_register()}


def addresses_of(specification: Mapping[str, Any], register: Mapping[str, Any]) -> dict[str, Any]:
    """As :func:`address_plan`, without ``register``; of other stamps it reads nothing while the register has all ranges of this one.

    That others are malformed or overlap is for ``plan_violations`` to say. Raises :class:`MalformedSpecification`.
    """
    planner = Planner(specification, _own_part(specification, register))
    addresses = planner.plan()
    return addresses if planner.was_registered else Planner(specification, register).plan()


def _own_part(specification: Mapping[str, Any], register: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the register has of one stamp; all of it where that cannot be told, so that whoever reads it says why."""
    if not (isinstance(specification, Mapping) and isinstance(register, Mapping)):
        return register
    stamp, parts = specification.get("stamp"), {part: register.get(part) or {} for part in ("stamps", "retired")}
    if not (isinstance(stamp, str) and all(isinstance(stamps, Mapping) for stamps in parts.values())):
        return register
    return {part: {stamp: stamps[stamp]} for part, stamps in parts.items() if stamp in stamps}


def address_plans(specifications: Iterable[Mapping[str, Any]], register: Mapping[str, Any]) -> dict[str, Any]:
    """The addresses of many stamps, each planned on top of the ones before it.

    Returns ``{plans: {stamp: as of address_plan, without register}, register}``, and takes as long for each stamp as for the one before,
    where :func:`address_plan` reads and copies the whole register. Raises :class:`MalformedSpecification`.
    """
    check_register(register)
    ground, plans = Ground(register), {}
    for planner in planners(specifications, ground):
        ground = planner.ground
        plans[planner.stamp] = planner.plan()
    return {"plans": plans, "register": ground.tidy_register()}


def planners(specifications: Iterable[Mapping[str, Any]], ground: Ground) -> Iterator[Planner]:
    """A planner for each stamp, on top of what the ones before it have planned. Raises :class:`MalformedSpecification`."""
    for specification in specifications:
        if not ground.is_complete or (isinstance(specification, Mapping) and specification.get("stamp") in ground.planned):
            ground = Ground(ground.tidy_register())
        yield Planner(specification, {}, ground)
