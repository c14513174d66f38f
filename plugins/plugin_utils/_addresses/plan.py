"""From a stamp's specification and the register to its addresses.

This file is private to the collection.

A specification is a mapping; all but the first two keys can be left out:

``organisation`` text; ``stamp`` name;
``ipv4_pools`` {``vnet``, ``pods``, ``services``: list of IPv4 prefixes};
``ipv6_prefix`` own IPv6 space, /48 or shorter (else RFC 4193);
``vnet_ipv4_prefix_length``, ``pods_ipv4_prefix_length``, ``services_ipv4_prefix_length``;
``subnets`` {name: {``ipv4_prefix_length``, ``purpose``, ``families``, ``delegation``}}.

The register maps stamps to names to prefixes; the names ``vnet``, ``pods`` and ``services`` stand for the stamp's own ranges, all
others for subnets. A network or subnet that was brought may hold several prefixes of a family, as a list. Ranges of removed names are
kept under ``retired``, so that they are not handed out again::

    stamps:
      westeurope:
        vnet: {ipv4: 10.0.0.0/20, ipv6: "fd5c:3e4d:98a1::/56"}
        nodes: {ipv4: 10.0.0.0/22, ipv6: "fd5c:3e4d:98a1::/64"}
    retired:
      westeurope: {}
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .allocations import STAMP_RANGES, Allocations, Registrations, registered
from .purposes import families_of
from .ranges import (
    FreeIPv4,
    IPv4,
    IPv6,
    MalformedSpecification,
    Network,
    NoRoom,
    Prefixes,
    Slices,
    inside,
    listed,
    next_slice,
    read,
    text_of,
    unique_local_prefix,
    unlisted,
)

#: name -> family -> prefix, or a list of them
Ranges = dict[str, dict[str, Prefixes]]

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
    "existing_vnet_id",
    "peered_stamps",
    "live_vnet",
    "live_peers",
    "live_subnets",
    "live_delegations",
    "live_pools",
    "live_security_rules",
    "security_rules",
    "existing_security_groups",
    "entrances",
    "public_ip_prefixes",
    "names",
} | {f"{name}_ipv4_prefix_length" for name in STAMP_RANGES}

#: An IPv6 Azure subnet is exactly this long (learn.microsoft.com/azure/virtual-network/ip-services/ipv6-overview).
SUBNET_IPV6_LENGTH = 64
VNET_IPV6_LENGTH = 56
#: The longest IPv6 service range that AKS takes is the default (learn.microsoft.com/azure/aks/configure-dual-stack).
SERVICES_IPV6_LENGTH = 108
STAMP_IPV6_LENGTH = 48


def check_specification(specification: Mapping[str, Any]) -> None:
    """Raise :class:`MalformedSpecification` when it cannot be read as what this module describes."""
    if not isinstance(specification, Mapping):
        raise MalformedSpecification(f"The specification must be a mapping, not {type(specification).__name__}.")
    unknown = sorted(set(specification) - _KEYS)
    if unknown:
        raise MalformedSpecification(f"The specification has unknown keys: {', '.join(unknown)}. Known: {', '.join(sorted(_KEYS))}.")
    for name in ("organisation", "stamp"):
        if not isinstance(specification.get(name), str) or not specification[name]:
            raise MalformedSpecification(f"The specification needs {name} as text, not {specification.get(name)!r}.")
    for name, subnet in subnets_of(specification).items():
        if not isinstance(subnet, Mapping):
            raise MalformedSpecification(f"dualstack_subnets.{name} must be a mapping with ipv4_prefix_length, not {subnet!r}.")
        length = subnet.get("ipv4_prefix_length")
        if isinstance(length, bool) or not isinstance(length, int):
            raise MalformedSpecification(f"dualstack_subnets.{name} needs ipv4_prefix_length as a whole number, not {length!r}.")
        if not isinstance(subnet.get("families") or [], list):
            raise MalformedSpecification(f"dualstack_subnets.{name}.families must be a list, not {subnet['families']!r}.")
    pools = specification.get("ipv4_pools") or {}
    if not isinstance(pools, Mapping):
        raise MalformedSpecification(f"dualstack_ipv4_pools must be a mapping of purposes, not {pools!r}.")
    for purpose, prefixes in pools.items():
        if not isinstance(prefixes or [], list):
            raise MalformedSpecification(f"dualstack_ipv4_pools.{purpose} must be a list of prefixes, not {prefixes!r}.")


def check_register(register: Mapping[str, Any]) -> None:
    """Raise :class:`MalformedSpecification` when it cannot be read as what this module describes."""
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


class Unplaced(NamedTuple):
    """A range that found no room."""

    name: str
    family: str
    reason: str


@dataclass(frozen=True)
class StampPlan:
    """One stamp's addresses, as :func:`address_plan` returns them, and its part of the new register: name -> family -> prefix."""

    specification: Mapping[str, Any]
    addresses: dict[str, Any]
    entry: Ranges
    retired: Ranges
    unplaced: list[Unplaced]
    #: whether the register had all that was wanted, so that it did not matter what else is taken
    is_registered: bool
    #: whether a registered prefix is in neither part any more: a name both in use and retired loses one of the two
    frees: bool


class _Planner:
    """Proposes what a stamp's entry in the register does not hold yet, and never moves what it does.

    ``entry`` and ``retired`` are its own: they become the new ones.
    """

    def __init__(self, specification: Mapping[str, Any], entry: Ranges, retired: Ranges, allocations: Allocations) -> None:
        self._specification, self._stamp = specification, str(specification["stamp"])
        self._names, self._retired, self._allocations = entry, retired, allocations
        self._unplaced: list[Unplaced] = []
        #: names and families that this plan gave
        self._new: set[tuple[str, str]] = set()
        self._frees = False

    def plan(self) -> StampPlan:
        self._return_retired()
        for purpose in STAMP_RANGES:
            self._stamp_ipv4(purpose)
        self._stamp_ipv6()
        wanted = subnets_of(self._specification)
        self._subnets(wanted)
        if "subnets" in self._specification:
            self._retire(wanted)
        addresses = {
            **{name: dict(self._names.get(name, {})) for name in STAMP_RANGES},
            "subnets": {name: dict(self._names.get(name, {})) for name in wanted},
            "dns_service_ip": self._dns_service_ip(),
        }
        is_registered = not (self._new or self._unplaced)
        return StampPlan(self._specification, addresses, self._names, self._retired, self._unplaced, is_registered, self._frees)

    def _give(self, name: str, family: str, first: int, length: int) -> None:
        version = int(family[-1])
        self._names.setdefault(name, {})[family] = text_of(version, first, length)
        self._new.add((name, family))
        if name in STAMP_RANGES:
            self._allocations.take(version, first, length)

    def _stamp_ipv4(self, purpose: str) -> None:
        if "ipv4" in self._names.get(purpose, {}):
            return
        length = length_of(self._specification, purpose)
        try:
            self._give(purpose, "ipv4", self._allocations.free(pools_of(self._specification, purpose)).find(length), length)
        except NoRoom:
            pools = _joined(pools_of(self._specification, purpose))
            self._unplaced.append(Unplaced(purpose, "ipv4", f"no free /{length} is left in {pools}"))

    def _stamp_prefix(self) -> IPv6 | None:
        """The stamp's own /48: the one its registered ranges were taken from, else a free slice of the user's prefix, else its RFC 4193 prefix.

        What surrounds the prefix of a network that was brought may belong to anybody.
        """
        own = self._specification.get("ipv6_prefix")
        local = unique_local_prefix(self._specification["organisation"], self._stamp)
        space = read(own, "dualstack_ipv6_prefix") if own else local
        if not isinstance(space, ipaddress.IPv6Network):
            raise MalformedSpecification(f"dualstack_ipv6_prefix: {own!r} is not IPv6.")
        for name in STAMP_RANGES:
            for text in listed(self._names.get(name, {}).get("ipv6")):
                network = read(text, f"{self._stamp}.{name}.ipv6")
                if not isinstance(network, ipaddress.IPv6Network):
                    raise MalformedSpecification(f"{self._stamp}.{name}.ipv6: {text!r} is not IPv6.")
                prefix = network.supernet(new_prefix=STAMP_IPV6_LENGTH) if network.prefixlen > STAMP_IPV6_LENGTH else network
                first, length = _layout(prefix)[name]
                is_own = prefix == local or inside(prefix, space)
                if is_own and int(network.network_address) == first and network.prefixlen >= length:
                    return prefix
        if not own:
            return local
        try:
            return ipaddress.IPv6Network((self._allocations.slice(space, STAMP_IPV6_LENGTH), STAMP_IPV6_LENGTH))
        except NoRoom:
            self._unplaced.append(Unplaced("vnet", "ipv6", f"no free /{STAMP_IPV6_LENGTH} is left in {space}"))
            return None

    def _stamp_ipv6(self) -> None:
        missing = [name for name in STAMP_RANGES if "ipv6" not in self._names.get(name, {})]
        prefix = self._stamp_prefix() if missing else None
        if prefix is None:
            return
        layout = _layout(prefix)
        for name in missing:
            if self._allocations.touches_ipv6(*layout[name]):
                self._unplaced.append(Unplaced(name, "ipv6", f"{text_of(6, *layout[name])} is already used by another registered name"))
            else:
                self._give(name, "ipv6", *layout[name])

    def _subnets(self, wanted: Mapping[str, Any]) -> None:
        vnet = self._names.get("vnet", {})
        ipv4 = [ipaddress.IPv4Network(text) for text in listed(vnet.get("ipv4"))]
        ipv6 = [ipaddress.IPv6Network(text) for text in listed(vnet.get("ipv6"))]
        free: FreeIPv4 | None = None
        slices: list[Slices] | None = None
        # Large ones first, then by name: the order of the user's file must not matter.
        for name, subnet in sorted(wanted.items(), key=lambda item: (item[1]["ipv4_prefix_length"], item[0])):
            current, families = self._names.get(name, {}), families_of(name, subnet)
            if ipv4 and "IPv4" in families and "ipv4" not in current:
                free = free or FreeIPv4(ipv4, self._within("ipv4", ipv4))
                length = subnet["ipv4_prefix_length"]
                try:
                    first = free.find(length)
                except NoRoom:
                    self._unplaced.append(Unplaced(name, "ipv4", f"no free /{length} is left in the virtual network {_joined(ipv4)}"))
                else:
                    free.take(first, length)
                    self._give(name, "ipv4", first, length)
            if ipv6 and "IPv6" in families and "ipv6" not in current:
                slices = slices or [Slices(space, SUBNET_IPV6_LENGTH, self._within("ipv6", [space])) for space in ipv6]
                try:
                    self._give(name, "ipv6", next_slice(slices), SUBNET_IPV6_LENGTH)
                except NoRoom:
                    why = f"no free /{SUBNET_IPV6_LENGTH} is left in the virtual network {_joined(ipv6)}"
                    self._unplaced.append(Unplaced(name, "ipv6", why))

    def _within(self, family: str, spaces: Sequence[Network]) -> list[tuple[int, int]]:
        """What stands in the way inside the stamp's virtual network: in one that was only just given, nothing."""
        return [] if ("vnet", family) in self._new else [taken for space in spaces for taken in self._allocations.within(self._stamp, space)]

    def _return_retired(self) -> None:
        """A name that is wanted again gets its own prefixes back."""
        for name in [name for name in self._retired if name in STAMP_RANGES or name in subnets_of(self._specification)]:
            for family, text in self._retired.pop(name).items():
                if self._names.setdefault(name, {}).setdefault(family, text) != text:
                    self._frees = True

    def _retire(self, wanted: Mapping[str, Any]) -> None:
        for name in [name for name in self._names if name not in wanted and name not in STAMP_RANGES]:
            if name in self._retired:
                self._frees = True
            self._retired[name] = self._names.pop(name)

    def _dns_service_ip(self) -> str:
        """The tenth address of the IPv4 service range, AKS' own habit; empty without a range."""
        for text in listed(self._names.get("services", {}).get("ipv4")):
            services = ipaddress.IPv4Network(text)
            return str(services[10]) if services.num_addresses > 11 else str(services[max(0, services.num_addresses - 2)])
        return ""


def _layout(prefix: IPv6) -> dict[str, tuple[int, int]]:
    """Where a stamp's own /48 has its ranges, as (first address, length): P:00xx for the virtual network, P:0100 for pods, P:0200 for services."""
    base = int(prefix.network_address)
    return {
        "vnet": (base, VNET_IPV6_LENGTH),
        "pods": (base + (1 << 72), SUBNET_IPV6_LENGTH),
        "services": (base + (2 << 72), SERVICES_IPV6_LENGTH),
    }


def _joined(networks: Iterable[Network]) -> str:
    return ", ".join(map(str, networks))


class Fleet:
    """Stamps planned one after the other on top of a register.

    The register it was made from stays as it is; :meth:`register` returns the one with all proposals. Takes as long for each stamp as for the one
    before. Raises :class:`MalformedSpecification`.
    """

    def __init__(self, register: Mapping[str, Any]) -> None:
        check_register(register)
        self._read(register)

    def _read(self, register: Mapping[str, Any]) -> None:
        #: the ranges of the register
        self.registrations = Registrations(registered(register))
        self._allocations = Allocations(self.registrations)
        self._parts: dict[str, dict[str, Ranges]] = {
            part: {stamp: {name: {} for name in names or {}} for stamp, names in (register.get(part) or {}).items()} for part in ("stamps", "retired")
        }
        for item in self.registrations:
            families = self._parts["retired" if item.retired else "stamps"][item.stamp][item.name]
            family = f"ipv{item.network.version}"
            families[family] = unlisted([*listed(families.get(family)), str(item.network)])
        self._planned: set[str] = set()
        self._frees = False

    def plan(self, specification: Mapping[str, Any]) -> StampPlan:
        """Plan a stamp on top of those before it."""
        check_specification(specification)
        stamp = specification["stamp"]
        if self._frees or stamp in self._planned:
            # What is noted as taken is not what the register has.
            self._read(self.register())
        entries, retired = self._parts["stamps"], self._parts["retired"]
        plan = _Planner(specification, _copy(entries.get(stamp)), _copy(retired.get(stamp)), self._allocations).plan()
        entries[stamp], retired[stamp] = plan.entry, plan.retired
        self._planned.add(stamp)
        self._frees = plan.frees
        return plan

    def register(self) -> dict[str, Any]:
        """The register with the proposals of all plans, sorted by stamp, in RFC 5952 text."""
        return {
            "stamps": {stamp: _copy(names) for stamp, names in sorted(self._parts["stamps"].items())},
            "retired": {stamp: _copy(names) for stamp, names in sorted(self._parts["retired"].items()) if names},
        }


def _copy(names: Ranges | None) -> Ranges:
    return {name: {family: unlisted(listed(prefixes)) for family, prefixes in families.items()} for name, families in (names or {}).items()}


def address_plan(specification: Mapping[str, Any], register: Mapping[str, Any]) -> dict[str, Any]:
    """The addresses of one stamp.

    Returns ``{vnet, pods, services: {ipv4, ipv6}, subnets: {name: {ipv4, ipv6}}, dns_service_ip, register}`` with prefixes in
    RFC 5952 text, a list where a network that was brought has several of a family; ``register`` is the register with this stamp's
    proposals in it. What finds no room is left out, and ``plan_violations`` reports it. Raises :class:`MalformedSpecification`.
    """
    fleet = Fleet(register)
    return fleet.plan(specification).addresses | {"register": fleet.register()}


def addresses_of(specification: Mapping[str, Any], register: Mapping[str, Any]) -> dict[str, Any]:
    """As :func:`address_plan`, without ``register``; of other stamps it reads nothing while the register has all ranges of this one.

    That others are malformed or overlap is for ``plan_violations`` to report. Raises :class:`MalformedSpecification`.
    """
    check_specification(specification)
    plan = Fleet(_own_part(specification["stamp"], register)).plan(specification)
    return plan.addresses if plan.is_registered else Fleet(register).plan(specification).addresses


def _own_part(stamp: str, register: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the register has of one stamp; all of it where that cannot be read, so that the error names what is wrong."""
    if not isinstance(register, Mapping):
        return register
    parts = {part: register.get(part) or {} for part in ("stamps", "retired")}
    if not all(isinstance(stamps, Mapping) for stamps in parts.values()):
        return register
    return {part: {stamp: stamps[stamp]} for part, stamps in parts.items() if stamp in stamps}


def address_plans(specifications: Iterable[Mapping[str, Any]], register: Mapping[str, Any]) -> dict[str, Any]:
    """The addresses of many stamps, each planned on top of the ones before it.

    Returns ``{plans: {stamp: as of address_plan, without register}, register}``. Raises :class:`MalformedSpecification`.
    """
    fleet = Fleet(register)
    plans = {plan.specification["stamp"]: plan.addresses for plan in map(fleet.plan, specifications)}
    return {"plans": plans, "register": fleet.register()}
