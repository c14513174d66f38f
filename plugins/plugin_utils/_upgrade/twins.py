"""IPv6 twins of what a running cluster allows and refuses in IPv4: security rules, routes, and blocks of network policies.

This file is private to the collection.

A prefix has a counterpart if it is one of the cluster's own ranges, contains some of them, is ``0.0.0.0/0``, or if the user names one. What has
none gets no twin. Sources: learn.microsoft.com/azure/virtual-network/network-security-groups-overview (the first rule that matches decides),
kubernetes.io/docs/concepts/services-networking/network-policies (ipBlock), learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview.
"""

from __future__ import annotations

import copy
import ipaddress
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._addresses.ranges import inside
from .._addresses.security_rules import PRIORITIES, values_of
from .._azure.preflight import prefixes_of
from .._report.parity import SecurityRule, family_of, policy_blocks, policy_blocks_without_twin, security_rule, security_rules_without_twin
from .._resource_id import folded
from .facts import RunningCluster
from .networking import ranges_of

Body = Mapping[str, Any]
_EVERYWHERE = {"0.0.0.0/0": ["::/0"]}
#: stands for a prefix that is not there yet
_PLACEHOLDER = "fd00::/64"
_SUFFIX = "-ipv6"
#: the longest name of a security rule or a route
_NAME_LENGTH = 80
_SIDES = ("source", "destination")
_CILIUM_SECTIONS = ("ingress", "ingressDeny", "egress", "egressDeny")
#: next hops that are no address
_ADDRESSLESS = ("internet", "none", "vnetlocal", "virtualnetworkgateway")


@dataclass(frozen=True)
class Known:
    """One range of both families. ``is_pending`` means that its IPv6 prefix is not there yet, but will be."""

    ipv4: str
    ipv6: tuple[str, ...]
    is_pending: bool = False


@dataclass(frozen=True)
class Counterparts:
    """Which IPv6 prefixes stand for an IPv4 prefix: ``given`` by the user, else those of the known ranges inside it."""

    known: tuple[Known, ...]
    given: Mapping[str, Sequence[str]]

    @property
    def complete(self) -> Counterparts:
        """With a prefix for what is not there yet: which twins there will be, whatever their prefixes."""
        return Counterparts(tuple(Known(item.ipv4, item.ipv6 or (_PLACEHOLDER,)) if item.is_pending else item for item in self.known), self.given)

    def has(self, text: str) -> bool:
        """Whether an IPv4 prefix has a counterpart, now or once the cluster has both families."""
        return bool(self._given(text)) or any(item.ipv6 or item.is_pending for item in self._inside(text))

    def of(self, text: str) -> list[str]:
        """The IPv6 prefixes that stand for an IPv4 prefix; empty without one, and as long as a part of them is not known."""
        given = self._given(text)
        if given:
            return given
        found = self._inside(text)
        if self.is_pending(text):
            return []
        networks = {ipaddress.IPv6Network(prefix, strict=False) for item in found for prefix in item.ipv6}
        return [str(network) for network in sorted(ipaddress.collapse_addresses(networks))]

    def is_pending(self, text: str) -> bool:
        """Whether a part of the counterpart is not there yet."""
        return not self._given(text) and any(item.is_pending for item in self._inside(text))

    def _given(self, text: str) -> list[str]:
        wanted = ipaddress.ip_network(text, strict=False)
        named = {_network(prefix): list(twins) for prefix, twins in {**_EVERYWHERE, **self.given}.items()}
        return [str(ipaddress.ip_network(twin, strict=False)) for twin in named.get(wanted, []) if family_of(twin) == "ipv6"]

    def _inside(self, text: str) -> list[Known]:
        outer = ipaddress.ip_network(text, strict=False)
        return [item for item in self.known if inside(ipaddress.ip_network(item.ipv4, strict=False), outer)]


def _network(text: str) -> Any:
    """The network of a prefix that a user wrote; the text itself where it is none."""
    return ipaddress.ip_network(text, strict=False) if family_of(text) else text


def counterparts(cluster: RunningCluster, given: Mapping[str, Sequence[str]] | None = None) -> Counterparts:
    """Of the ranges of a cluster: its networks with their subnets and peers, its pods and its Services."""
    known: list[Known] = []

    def add(prefixes: Iterable[str], is_pending: bool = False) -> None:
        texts = list(prefixes)
        ipv6 = tuple(text for text in texts if family_of(text) == "ipv6")
        known.extend(Known(text, ipv6, is_pending and not ipv6) for text in texts if family_of(text) == "ipv4")

    will_be = not cluster.networking.is_dual_stack
    nodes = {subnet.id.lower() for subnet in cluster.subnets}
    for network in cluster.networks:
        properties = network.get("properties") or {}
        add((properties.get("addressSpace") or {}).get("addressPrefixes") or (), will_be)
        for subnet in properties.get("subnets") or ():
            add(prefixes_of(subnet.get("properties") or {}), will_be and str(subnet.get("id")).lower() in nodes)
    for peering in cluster.peerings:
        add(peering.remote_prefixes)
    for name in ("pod", "service"):
        add(ranges_of(cluster.body, name), will_be)
    return Counterparts(tuple(known), given or {})


class NoPriority(Exception):
    """A security rule has no free priority beside it for its twin."""


def rule_twins(rules: Sequence[Body], known: Counterparts) -> list[dict[str, Any]]:
    """The rules to add to a network security group, so that IPv6 has what IPv4 has. Raises :class:`NoPriority`.

    Rules that the cloud controller opens for Services have none: it opens IPv6 itself.
    """
    lacking = _lacking_rules(rules, known)
    there = [security_rule(rule) for rule in rules]
    names = {folded(rule.get("name")) for rule in rules}
    result: list[dict[str, Any]] = []
    for rule in sorted(rules, key=lambda item: int((item.get("properties") or {}).get("priority") or 0)):
        properties = _twin_properties(rule.get("properties") or {}, known) if rule.get("name") in lacking else None
        if properties is None:
            continue
        properties["priority"] = _free_priority(security_rule(rule), there)
        twin = {"name": _name(str(rule["name"]), names), "properties": properties}
        there.append(security_rule(twin))
        result.append(twin)
    return result


def _lacking_rules(rules: Sequence[Body], known: Counterparts) -> set[str]:
    """The names of rules for IPv4 alone without a twin.

    One with exactly the counterparts belongs to its rule; of what is left, any rule of the same shape may be the twin that a user has written.
    """
    left = list(rules)
    for rule in rules:
        wanted = _twin_properties(rule.get("properties") or {}, known) if security_rule(rule).families == {"ipv4"} else None
        twin = next((item for item in left if wanted and _is_twin(item, wanted)), None)
        if twin is not None:
            left = [item for item in left if item is not twin and item is not rule]
    return {lack.text for lack in security_rules_without_twin(left, entrances=()) if lack.family == "ipv6"}


def _is_twin(rule: Body, wanted: Body) -> bool:
    """Whether a rule has the shape and the prefixes of a twin, whatever its name and its priority."""
    properties = rule.get("properties") or {}
    if security_rule(rule).shape != security_rule({"properties": wanted}).shape:
        return False
    return all(_networks(properties, side) == _networks(wanted, side) for side in _SIDES)


def _networks(properties: Body, side: str) -> set[Any]:
    return {_network(text) for text in values_of(properties, f"{side}AddressPrefix") if family_of(text)}


def _twin_properties(properties: Body, known: Counterparts) -> dict[str, Any] | None:
    """The properties of a rule with the counterparts of its prefixes; None where a side has none."""
    named = ("access", "direction", "protocol", "description")
    result: dict[str, Any] = {name: copy.deepcopy(properties[name]) for name in named if properties.get(name)}
    for side in _SIDES:
        for name in (f"{side}PortRange", f"{side}PortRanges"):
            if properties.get(name):
                result[name] = copy.deepcopy(properties[name])
        groups = properties.get(f"{side}ApplicationSecurityGroups") or []
        if groups:
            result[f"{side}ApplicationSecurityGroups"] = [{"id": group.get("id")} for group in groups]
            continue
        texts = values_of(properties, f"{side}AddressPrefix")
        if any(known.is_pending(text) for text in texts if family_of(text) == "ipv4"):
            # A twin with a part of the prefixes would not be completed later.
            return None
        found = list(dict.fromkeys(prefix for text in texts for prefix in (known.of(text) if family_of(text) == "ipv4" else [text])))
        if not found:
            return None
        result |= {f"{side}AddressPrefix": found[0]} if len(found) == 1 else {f"{side}AddressPrefixes": found}
    return result


def _free_priority(rule: SecurityRule, there: Iterable[SecurityRule]) -> int:
    """The nearest free priority with no rule of the opposite access between it and the rule: above, else below."""
    same = [item for item in there if item.direction == rule.direction]
    used = {item.priority for item in same}
    opposed = [item.priority for item in same if item.access != rule.access]
    first, last = PRIORITIES
    above = min((priority for priority in opposed if priority > rule.priority), default=last + 1)
    below = max((priority for priority in opposed if priority < rule.priority), default=first - 1)
    candidates: Iterator[int] = itertools.chain(range(rule.priority + 1, above), range(rule.priority - 1, below, -1))
    for priority in candidates:
        if priority not in used:
            return priority
    raise NoPriority(rule.name)


def _name(name: str, taken: set[str]) -> str:
    """A free name for a twin, and take it."""
    number = 1
    while True:
        suffix = _SUFFIX if number == 1 else f"{_SUFFIX}-{number}"
        found = name[: _NAME_LENGTH - len(suffix)] + suffix
        if folded(found) not in taken:
            taken.add(folded(found))
            return found
        number += 1


def rules_without_counterpart(rules: Sequence[Body], known: Counterparts) -> Iterator[tuple[str, list[str]]]:
    """Security rules for IPv4 alone, and those of their prefixes that have no counterpart."""
    lacking = _lacking_rules(rules, known)
    for rule in rules:
        if rule.get("name") in lacking:
            texts = [text for side in _SIDES for text in values_of(rule.get("properties") or {}, f"{side}AddressPrefix") if family_of(text) == "ipv4"]
            unknown = [text for text in texts if not known.has(text)]
            if unknown:
                yield str(rule["name"]), unknown


def route_twins(routes: Sequence[Body], known: Counterparts) -> list[dict[str, Any]]:
    """The routes to add to a route table. A next hop that is an address needs a counterpart that the user names."""
    there = {_network(str((route.get("properties") or {}).get("addressPrefix"))) for route in routes}
    names = {folded(route.get("name")) for route in routes}
    result: list[dict[str, Any]] = []
    for route in routes:
        properties = route.get("properties") or {}
        prefix, kind = str(properties.get("addressPrefix")), str(properties.get("nextHopType"))
        if family_of(prefix) != "ipv4":
            continue
        hop = {} if folded(kind) in _ADDRESSLESS else _next_hop(properties, known)
        for twin in known.of(prefix) if hop is not None else ():
            if _network(twin) not in there:
                there.add(_network(twin))
                twins = {"addressPrefix": twin, "nextHopType": kind, **(hop or {})}
                result.append({"name": _name(str(route.get("name")), names), "properties": twins})
    return result


def _next_hop(properties: Body, known: Counterparts) -> dict[str, str] | None:
    address = properties.get("nextHopIpAddress")
    found = known.given.get(str(address)) or ()
    return {"nextHopIpAddress": str(found[0])} if found else None


def policy_twins(policies: Sequence[Body], known: Counterparts) -> list[dict[str, Any]]:
    """The NetworkPolicies that get blocks of IPv6, each as a whole with them.

    Twins that are there already do not count as IPv6 of the user's own: a run that was killed is continued.
    """
    lacking = _lacking_blocks(policies, known)
    return [twin for policy in policies if (twin := _policy_twin(policy, known, lacking)) is not None]


def _lacking_blocks(policies: Sequence[Body], known: Counterparts) -> set[str]:
    """``namespace/name direction prefix`` of the blocks that the user has written for IPv4 alone."""
    written = [copy.deepcopy(dict(policy)) for policy in policies]
    for _policy, _direction, peers in _peers(written):
        twins = _twins_of(peers, known)
        peers[:] = [peer for peer in peers if peer not in twins]
    return {lack.text for lack in policy_blocks_without_twin(policy_blocks(written)) if lack.family == "ipv6"}


def _peers(policies: Iterable[Body]) -> Iterator[tuple[Body, str, list[dict[str, Any]]]]:
    """Policy, direction and peers of each rule that names peers."""
    for policy in policies:
        for direction, side in (("ingress", "from"), ("egress", "to")):
            for rule in (policy.get("spec") or {}).get(direction) or ():
                if rule.get(side):
                    yield policy, direction, rule[side]


def _twins_of(peers: Iterable[Body], known: Counterparts) -> list[dict[str, Any]]:
    """The peers that stand for the IPv4 blocks among these."""
    blocks = [peer["ipBlock"] for peer in peers if peer.get("ipBlock") and family_of(peer["ipBlock"].get("cidr")) == "ipv4"]
    return [{"ipBlock": twin} for block in blocks for twin in _block_twins(block, known)]


def _named(policy: Body, direction: str, block: Body) -> str:
    """As :func:`.._report.parity.policy_blocks_without_twin` names a block."""
    metadata = policy.get("metadata") or {}
    return f"{metadata.get('namespace')}/{metadata.get('name')} {direction} {block.get('cidr')}"


def _policy_twin(policy: Body, known: Counterparts, lacking: set[str]) -> dict[str, Any] | None:
    result: dict[str, Any] = copy.deepcopy(dict(policy))
    is_changed = False
    for _policy, direction, peers in _peers([result]):
        alone = [peer for peer in peers if peer.get("ipBlock") and _named(policy, direction, peer["ipBlock"]) in lacking]
        added = [twin for twin in _twins_of(alone, known) if twin not in peers]
        peers += added
        is_changed = is_changed or bool(added)
    return result if is_changed else None


def _block_twins(block: Body, known: Counterparts) -> list[dict[str, Any]]:
    """The counterparts of a block with the counterparts of its exceptions; none where an exception has none, since IPv6 would be more open."""
    exceptions = [known.of(text) for text in block.get("except") or ()]
    if not all(exceptions):
        return []
    texts = [text for found in exceptions for text in found]
    result = []
    for cidr in known.of(str(block.get("cidr"))):
        outer = ipaddress.ip_network(cidr)
        within = [text for text in texts if inside(ipaddress.ip_network(text), outer) and text != cidr]
        result.append({"cidr": cidr, **({"except": within} if within else {})})
    return result


def blocks_without_counterpart(policies: Sequence[Body], known: Counterparts) -> Iterator[str]:
    """``namespace/name direction prefix`` of each block for IPv4 alone that gets no twin: it or one of its exceptions has no counterpart."""
    lacking = _lacking_blocks(policies, known)
    for policy, direction, peers in _peers(policies):
        for block in (peer["ipBlock"] for peer in peers if peer.get("ipBlock")):
            text = _named(policy, direction, block)
            if text in lacking and not all(known.has(str(prefix)) for prefix in (block["cidr"], *(block.get("except") or ()))):
                yield text


def cilium_prefixes_without_ipv6(policy: Body) -> list[str]:
    """The IPv4 prefixes in those rules of a policy of Cilium's that name no IPv6 prefix (docs.cilium.io/en/stable/security/policy/language)."""
    specifications = [policy.get("spec") or {}, *(policy.get("specs") or ())]
    rules = [rule for found in specifications for section in _CILIUM_SECTIONS for rule in found.get(section) or ()]
    prefixes = [list(_cilium_prefixes(rule)) for rule in rules]
    return [text for found in prefixes if "ipv6" not in map(family_of, found) for text in found]


def _cilium_prefixes(rule: Body) -> Iterator[str]:
    for side in ("from", "to"):
        yield from map(str, rule.get(f"{side}CIDR") or ())
        yield from (str(item["cidr"]) for item in rule.get(f"{side}CIDRSet") or () if item.get("cidr"))
