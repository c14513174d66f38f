"""The internet, the VNets attached to it, and the clients; VNets are made with their first node, and follow what is stored."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from ..arm import ids
from ..arm.network.bodies import ip_configurations, reference
from ..arm.store import Resource
from ..state import State
from . import balancing, clients
from .following import follow
from .name_server import NameServer
from .namespaces import Namespace, attach
from .virtual_network import Attached, VirtualNetwork
from .watching import Watcher
from .zones import private_zones, public_zones

if TYPE_CHECKING:
    from ..arm.http.server import Server

#: public ranges, where only addresses of frontends answer
_PUBLIC_RANGES = ("203.0.113.0/24", "198.51.100.0/24", "2001:db8:e::/48", "2001:db8:f::/48")


class Datacentre:
    def __init__(self, server: Server, state: State) -> None:
        self._server, self._azure, self._state = server, server.azure, state
        self._label = state.label
        self._internet = Namespace(f"{self._label}-internet")
        self._vnets: dict[str, VirtualNetwork] = {}
        self._servers: dict[str, NameServer] = {}
        self._changed = asyncio.Event()
        self._follower: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        self._made = 0
        self._clients: list[clients.Client] = []
        self._watcher: Watcher | None = None

    @property
    def label(self) -> str:
        """Part of the names of what others see of the lab: namespaces, control groups."""
        return self._label

    async def start(self) -> None:
        await self._internet.create(forwarding=True)
        await self._internet.ip(
            *(f"{'-6' if ':' in item else '-4'} route replace blackhole {item}" for item in _PUBLIC_RANGES),
            f"address add {clients.RESOLVER_IPV4}/32 dev lo",
            f"-6 address add {clients.RESOLVER_IPV6}/128 dev lo nodad",
        )
        namespaces = {client.name: await self._add_client(client) for client in clients.INTERNET_CLIENTS}
        server = NameServer(self._internet, self._state.folder / "dns" / "internet", (clients.RESOLVER_IPV4, clients.RESOLVER_IPV6))
        await server.start(public_zones(self._azure))
        self._servers[""] = server
        if self._state.load().watch:
            versions = {4: namespaces["ipv4-only"], 6: namespaces["ipv6-only"]}
            self._watcher = Watcher(versions, self._server.journal.record)
        self._azure.store.listeners.append(self._changed.set)
        self._follower = asyncio.create_task(follow(self._changed, self._reconcile))

    async def _add_client(self, client: clients.Client) -> Namespace:
        self._clients.append(client)
        namespace = Namespace(f"{self._label}-{client.name}")
        await namespace.create(ipv6="ipv6" in client.families)
        await attach(self._internet, f"client{len(self._clients)}", namespace, client.addresses)
        clients.write(self._state.clients, client, namespace.path, self._state.first_process)
        return namespace

    async def _reconcile(self) -> None:
        """Bring everything to what is stored, once a resource or a probe's verdict has changed."""
        async with self._lock:
            # First, since it takes no time: whoever has just been told that a record is stored asks for it next.
            zones = public_zones(self._azure)
            self._servers[""].write(zones)
            for key, vnet in self._vnets.items():
                self._servers[key].write(zones | private_zones(self._azure, vnet.id))
            for vnet in self._vnets.values():
                await vnet.reconcile()
            if self._watcher:
                public = balancing.public_addresses(self._azure)
                entrances = (rule for rule in balancing.balancing_rules(self._azure) if rule.frontend_port == 80 and rule.protocol == "tcp")
                await self._watcher.watch({rule.address for rule in entrances} & public)

    async def vnet(self, subnet: str) -> VirtualNetwork:
        """The VNet of a subnet, made at its first use."""
        key = ids.parse(subnet).parent.lower()
        async with self._lock:
            if key not in self._vnets:
                self._made += 1
                name = f"vnet{self._made}"
                made = VirtualNetwork(self._azure, ids.parse(subnet).parent, f"{self._label}-{name}", self._internet, name, self._changed.set)
                await made.start()
                server = NameServer(made.namespace, self._state.folder / "dns" / name, ("168.63.129.16",))
                await server.start(public_zones(self._azure) | private_zones(self._azure, made.id))
                self._servers[key] = server
                self._vnets[key] = made
                await self._add_peer(made)
            return self._vnets[key]

    async def _add_peer(self, vnet: VirtualNetwork) -> None:
        """A client in a VNet that is peered with this one. It reaches public addresses like any other client."""
        number = self._made
        public = (f"192.0.2.{100 + number}", f"2001:db8:c::{100 + number}")
        name = clients.peer_name(ids.parse(vnet.id).name, [client.name for client in self._clients])
        client = clients.Client(name, public, "168.63.129.16")
        namespace = await self._add_client(client)
        await vnet.attach_peer(namespace, (f"10.254.{number}.10", f"fdfe:254:{number}::10"))

    async def add_node(self, machine: Resource, ranges: list[str]) -> tuple[VirtualNetwork, Attached]:
        """A namespace for a VM, on its subnet, with its addresses; ``ranges`` are its pods'."""
        configurations = [configuration["properties"] for configuration in ip_configurations(machine.properties)]
        vnet = await self.vnet(reference(configurations[0], "subnet"))
        name = machine.properties["osProfile"]["computerName"]
        addresses = [found["privateIPAddress"] for found in configurations if found.get("privateIPAddress")]
        async with self._lock:
            zone = (machine.body.get("zones") or ["0"])[0]
            attached = await vnet.attach_node(machine.id, Namespace(f"{self._label}-{name}"), addresses, ranges, zone)
        self._changed.set()
        return vnet, attached

    async def remove_node(self, machine: str) -> None:
        async with self._lock:
            for vnet in self._vnets.values():
                if machine.lower() in vnet.attached:
                    await vnet.detach(machine)
        self._changed.set()

    async def lose(self, zone: str, lost: bool) -> int:
        """Cut off all nodes of a zone, or restore them; returns how many there are."""
        async with self._lock:
            number = sum(vnet.lose(zone, lost) for vnet in self._vnets.values())
        self._changed.set()
        return number

    async def stop(self) -> None:
        if self._follower:
            self._follower.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._follower
        if self._watcher:
            await self._watcher.stop()
        for server in self._servers.values():
            await server.stop()
        for vnet in self._vnets.values():
            await vnet.stop()
