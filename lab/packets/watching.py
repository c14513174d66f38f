"""What clients see of every public entrance, in its own family.

A request over a new connection every 100 ms, and a line in the journal whenever the outcome changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from .namespaces import Namespace

INTERVAL = 0.1
TIMEOUT = 3.0
PORT = 80
CLIENT = "lab-watch/1"


class Watcher:
    def __init__(self, clients: dict[int, Namespace], write: Callable[[dict[str, Any]], None]) -> None:
        self._clients, self._write = clients, write
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def watch(self, addresses: Iterable[str]) -> None:
        """Request exactly these from now on."""
        wanted = set(addresses)
        for address in self._tasks.keys() - wanted:
            self._tasks.pop(address).cancel()
        for address in wanted - self._tasks.keys():
            self._tasks[address] = asyncio.create_task(self._watch_address(address))

    async def _watch_address(self, address: str) -> None:
        """A request that hangs does not delay the next; outcomes are recorded in the order in which the requests began."""
        loop = asyncio.get_running_loop()
        begun: asyncio.Queue[tuple[float, asyncio.Task[tuple[int, str]]]] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._record(address, begun))
            while True:
                due = loop.time() + INTERVAL
                begun.put_nowait((time.time(), group.create_task(self._request(address))))
                await asyncio.sleep(max(0.0, due - loop.time()))

    async def _record(self, address: str, begun: asyncio.Queue[tuple[float, asyncio.Task[tuple[int, str]]]]) -> None:
        host = f"[{address}]" if ":" in address else address
        last, requests = None, 0
        while True:
            started, request = await begun.get()
            status, error = outcome = await request
            if outcome != last:
                last = outcome
                entry = {"time": round(started, 3), "client": CLIENT, "method": "GET", "path": f"http://{host}/", "status": status, "error": error}
                self._write(entry | {"requestsBefore": requests})
            requests += 1

    async def _request(self, address: str) -> tuple[int, str]:
        """(HTTP status, "") or (0, what went wrong)."""
        version, family = (6, socket.AF_INET6) if ":" in address else (4, socket.AF_INET)
        loop = asyncio.get_running_loop()
        try:
            with contextlib.closing(await self._clients[version].socket(lambda: socket.socket(family))) as connection:
                connection.setblocking(False)
                async with asyncio.timeout(TIMEOUT):
                    await loop.sock_connect(connection, (address, PORT))
                    host = f"[{address}]" if version == 6 else address
                    await loop.sock_sendall(connection, f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                    words = (await loop.sock_recv(connection, 256)).split(b" ", 2)
                    if not words[0]:
                        return 0, "closed without an answer"
                    return (int(words[1]), "") if words[0].startswith(b"HTTP/") and words[1:2] and words[1].isdigit() else (0, "no HTTP")
        except TimeoutError:
            return 0, "no answer"
        except OSError as error:
            return 0, os.strerror(error.errno) if error.errno else type(error).__name__

    async def stop(self) -> None:
        tasks = list(self._tasks.values())
        await self.watch(())
        await asyncio.gather(*tasks, return_exceptions=True)
