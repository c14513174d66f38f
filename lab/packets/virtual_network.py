"""One VNet: a router that its nodes are attached to, with the load balancer's data path and the security groups in it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ..arm.azure import Azure
from ..arm.network.bodies import NSG
from . import balancing, security
from .namespaces import LOWER_IPV4, LOWER_IPV6, Namespace, attach, join, way_up
from .probes import Prober

#: where nodes and pods find their API server; a public address, as AKS' is
CONTROL_PLANE = "192.0.2.254"
#: the interface that leads to the internet
_UP = "internet"
#: neighbour discovery, which no security group filters
_NEIGHBOURS = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"


@dataclass
class Attached:
    """A node's VM on a VNet."""

    namespace: Namespace
    interface: str
    number: int
    addresses: list[str]
    #: ranges behind it: its pods
    ranges: list[str] = field(default_factory=list)
    zone: str = ""
    lost: bool = False

    @property
    def mark(self) -> int:
        """Mark of its flows, and number of the route table that leads to it."""
        return 1000 + self.number


class VirtualNetwork:
    def __init__(self, azure: Azure, vnet: str, name: str, internet: Namespace, link: str, changed: Callable[[], None]) -> None:
        self.id, self.link = vnet, link
        self._azure, self._internet = azure, internet
        self.namespace = Namespace(name)
        #: id of a VM -> its attachment
        self.attached: dict[str, Attached] = {}
        self._prober = Prober(self.namespace, lambda machine: self.attached[machine.lower()].interface, changed)
        self._numbers = iter(range(1, 900))
        self._ruleset = ""
        self._peered: list[str] = []
        self._peer: Namespace | None = None
        #: the prefixes that the peer has routes to
        self._reached: set[str] = set()
        self._routed: set[str] = set()

    async def start(self) -> None:
        await self.namespace.create(forwarding=True)
        await join(self._internet, self.link, self.namespace, _UP)
        await self.namespace.ip(
            f"address add {CONTROL_PLANE}/32 dev lo",
            f"address add {security.PROBE_IPV4}/32 dev lo",
        )

    async def attach_node(self, key: str, namespace: Namespace, addresses: Sequence[str], ranges: Sequence[str], zone: str) -> Attached:
        """Make the namespace of a node's VM."""
        number = next(self._numbers)
        added = Attached(namespace, f"n{number}", number, list(addresses), list(ranges), zone)
        await namespace.create(forwarding=True)
        await attach(self.namespace, added.interface, namespace, addresses)
        commands = [f"-6 address add {security.PROBE_IPV6}/64 dev {added.interface} nodad"]
        for address in addresses:
            family = "-6" if ":" in address else "-4"
            onlink = "" if ":" in address else " onlink"
            commands += [
                f"{family} route replace default via {address} dev {added.interface}{onlink} table {added.mark}",
                f"{family} rule add fwmark {added.mark} lookup {added.mark}",
                *(
                    f"{family} route replace {item} via {address} dev {added.interface}{onlink}"
                    for item in ranges
                    if (":" in item) == (":" in address)
                ),
            ]
        await self.namespace.ip(*commands)
        self.attached[key.lower()] = added
        return added

    async def attach_peer(self, namespace: Namespace, addresses: Sequence[str]) -> None:
        """Attach a client that is in a peered VNet."""
        self._reached = {*self._prefixes(), security.PROBE_IPV4}
        await attach(self.namespace, "peer", namespace, addresses, "eth1", sorted(self._reached))
        self._peer = namespace
        self._peered += addresses

    def _prefixes(self) -> list[str]:
        """The VNet's address space."""
        vnet = self._azure.store.get(self.id)
        return list(vnet.properties["addressSpace"]["addressPrefixes"]) if vnet else []

    async def _route_from_peer(self) -> None:
        """Routes to prefixes that the VNet has got since its peer was attached."""
        new = set(self._prefixes()) - self._reached
        if self._peer and new:
            await self._peer.ip(*(way_up(prefix, "eth1") for prefix in sorted(new)))
            self._reached |= new

    async def detach(self, key: str) -> None:
        gone = self.attached.pop(key.lower())
        commands = [f"{'-6' if ':' in address else '-4'} rule del fwmark {gone.mark} lookup {gone.mark}" for address in gone.addresses]
        await self.namespace.ip(*commands, f"link del {gone.interface}")
        await gone.namespace.remove()

    async def reconcile(self) -> None:
        """Apply what is stored: frontends, rules, probes, security groups, outbound addresses."""
        rules = [rule for rule in balancing.balancing_rules(self._azure) if self._is_here(rule)]
        await self._prober.watch((rule.probe, member) for rule in rules for member in rule.members if rule.probe and self._has(member))
        outbound = balancing.outbound_addresses(self._azure, [subnet.id for subnet in self._azure.store.children(self.id, "subnets")])
        public = balancing.public_addresses(self._azure)
        await self._route({rule.address for rule in rules if rule.address in public} | set(outbound.values()))
        await self._route_from_peer()
        text = self._nftables(rules, outbound)
        if text != self._ruleset:
            await self.namespace.run("nft", "-f", "-", given=text)
            self._ruleset = text

    def _has(self, member: balancing.Member) -> bool:
        return member.machine.lower() in self.attached

    def _is_here(self, rule: balancing.BalancingRule) -> bool:
        return any(self._has(member) for member in rule.members)

    async def _route(self, addresses: set[str]) -> None:
        """Route the VNet's public addresses to it; it drops what no rule is for."""
        if addresses == self._routed:
            return
        at_internet, here = [], []
        for address in sorted(addresses - self._routed):
            family, peer, onlink = ("-6", LOWER_IPV6, "") if ":" in address else ("-4", LOWER_IPV4, " onlink")
            at_internet.append(f"{family} route replace {address} via {peer} dev {self.link}{onlink}")
            here.append(f"{family} route replace blackhole {address}")
        for address in sorted(self._routed - addresses):
            # Unlike `del`, this succeeds after an attempt that failed half way.
            family = "-6" if ":" in address else "-4"
            at_internet.append(f"{family} route flush exact {address}")
            here.append(f"{family} route flush exact {address}")
        await self._internet.ip(*at_internet)
        await self.namespace.ip(*here)
        self._routed = addresses

    def _space(self) -> list[str]:
        """The prefixes of the service tag VirtualNetwork: the VNet's own, its pods', and those of peered clients."""
        space = [*self._prefixes(), *self._peered]
        for item in self.attached.values():
            space += item.ranges
        return security.merged(space)

    def _nftables(self, rules: Iterable[balancing.BalancingRule], outbound: dict[int, str]) -> str:
        space = self._space()
        marks = {key: item.mark for key, item in self.attached.items()}
        healthy = [(rule, tuple(member for member in rule.members if self._has(member) and self._prober.is_up(rule.probe, member))) for rule in rules]
        marking, translating = balancing.nftables(healthy, marks)
        groups_of = {key: security.groups_of(self._azure, key) for key in self.attached}
        groups = [found.key for found in self._azure.store.of_type(NSG) if any(found.key in used for used in groups_of.values())]
        lost = [f'"{item.interface}"' for item in self.attached.values() if item.lost]
        guarding, probing = [], []
        for key, used in groups_of.items():
            interface = self.attached[key].interface
            inbound = [f'oifname "{interface}" jump in_{groups.index(group)}' for group in used]
            probing += inbound
            guarding += inbound
            guarding += [f'iifname "{interface}" jump out_{groups.index(group)}' for group in reversed(used)]
        leaving = []
        for family, version in (("ip", 4), ("ip6", 6)):
            own = [item for item in space if ipaddress.ip_network(item).version == version]
            if own:
                match = f'oifname "{_UP}" {family} saddr {{ {", ".join(own)} }}'
                leaving.append(f"{match} snat {family} to {outbound[version]}" if version in outbound else f"{match} drop")
        chains = [
            *security.chains(self._azure, groups, space),
            _base("balance", "filter hook prerouting priority mangle", ["iifname @lost drop", *marking]),
            _base("translate", "nat hook prerouting priority dstnat", translating),
            _base("guard", "filter hook forward priority filter", ["oifname @lost drop", "ct state established,related accept", *guarding]),
            _base(
                "probe",
                "filter hook output priority filter",
                ["oifname @lost drop", _NEIGHBOURS, "ct state established,related accept", f"ip saddr {CONTROL_PLANE} accept", *probing],
            ),
            _base("leave", "nat hook postrouting priority srcnat", leaving),
        ]
        elements = f"elements = {{ {', '.join(lost)} }}" if lost else ""
        return "table inet lab\ndelete table inet lab\ntable inet lab {\nset lost { type ifname; " + elements + " }\n" + "\n".join(chains) + "\n}\n"

    def lose(self, zone: str, lost: bool) -> int:
        """Cut off every node of a zone, or restore them; returns how many there are. Takes effect with the next :meth:`reconcile`."""
        found = [item for item in self.attached.values() if item.zone == zone]
        for item in found:
            item.lost = lost
        return len(found)

    async def stop(self) -> None:
        await self._prober.stop()
        for key in list(self.attached):
            await self.detach(key)
        await self._route(set())
        await self._internet.ip(f"link del {self.link}")
        await self.namespace.remove()


def _base(name: str, hook: str, rules: Iterable[str]) -> str:
    return f"chain {name} {{\n  type {hook}; policy accept;\n" + "".join(f"  {rule}\n" for rule in rules) + "}"
