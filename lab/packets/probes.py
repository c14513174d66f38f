"""The load balancer's health probes, from Azure's own addresses, each over the family of its backend."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable

from .balancing import Member, Probe
from .namespaces import Namespace
from .security import PROBE_IPV4, PROBE_IPV6

#: seconds that a backend has for its answer
TIMEOUT = 5


class Prober:
    """Probes every watched (probe, backend), and reports when a verdict changes."""

    def __init__(self, namespace: Namespace, interface_of: Callable[[str], str], changed: Callable[[], None]) -> None:
        self._namespace, self._interface_of, self._changed = namespace, interface_of, changed
        self._tasks: dict[tuple[Probe, Member], asyncio.Task[None]] = {}
        self._up: set[tuple[Probe, Member]] = set()

    def is_up(self, probe: Probe | None, member: Member) -> bool:
        """A backend without a probe is up."""
        return probe is None or (probe, member) in self._up

    async def watch(self, wanted: Iterable[tuple[Probe, Member]]) -> None:
        """Probe exactly these from now on."""
        keys = set(wanted)
        gone = [self._tasks.pop(key) for key in self._tasks.keys() - keys]
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        self._up &= keys
        for key in keys - self._tasks.keys():
            self._tasks[key] = asyncio.create_task(self._probe(key))

    async def _probe(self, key: tuple[Probe, Member]) -> None:
        probe, member = key
        run = 0
        while True:
            started = asyncio.get_running_loop().time()
            healthy = await self._answers(probe, member)
            run = run + 1 if healthy != (key in self._up) else 0
            if run >= probe.threshold:
                run = 0
                self._up ^= {key}
                self._changed()
            await asyncio.sleep(max(0.0, started + probe.interval - asyncio.get_running_loop().time()))

    async def _answers(self, probe: Probe, member: Member) -> bool:
        loop = asyncio.get_running_loop()
        try:
            with contextlib.closing(await self._namespace.socket(lambda: self._bound(member))) as connection:
                connection.setblocking(False)
                async with asyncio.timeout(TIMEOUT):
                    await loop.sock_connect(connection, (member.address, probe.port))
                    if probe.protocol == "tcp":
                        return True
                    host = f"[{member.address}]" if ":" in member.address else member.address
                    request = f"GET {probe.path} HTTP/1.1\r\nHost: {host}:{probe.port}\r\nConnection: close\r\n\r\n"
                    await loop.sock_sendall(connection, request.encode())
                    status = (await loop.sock_recv(connection, 256)).split(b" ", 2)[1:2]
                    return status == [b"200"]
        except (OSError, TimeoutError, KeyError):
            # KeyError: its VM no longer exists.
            return False

    def _bound(self, member: Member) -> socket.socket:
        """Azure's probes come from one address in each family; IPv6's is link-local, so it goes with an interface."""
        if ":" in member.address:
            made = socket.socket(socket.AF_INET6)
            made.bind((PROBE_IPV6, 0, 0, socket.if_nametoindex(self._interface_of(member.machine))))
        else:
            made = socket.socket(socket.AF_INET)
            made.bind((PROBE_IPV4, 0))
        return made

    async def stop(self) -> None:
        await self.watch(())
