"""The only connections between the machine's loopback and the namespaces: accepted sockets are forwarded, no link joins the two."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from abc import ABC, abstractmethod
from pathlib import Path

from .namespaces import Namespace, listening


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, TimeoutError):
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        if writer.can_write_eof():
            writer.write_eof()


async def _join(one: tuple[asyncio.StreamReader, asyncio.StreamWriter], other: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    try:
        await asyncio.gather(_copy(one[0], other[1]), _copy(other[0], one[1]))
    finally:
        for _, writer in (one, other):
            writer.close()


class _Forwarder(ABC):
    """A listener that forwards its connections, and closes them when it stops."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._forward(reader, writer)
        except asyncio.CancelledError:
            writer.close()
        finally:
            self._connections.discard(task)

    @abstractmethod
    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection until it ends."""

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Inward(_Forwarder):
    """A port inside a namespace that leads to a port of the machine's loopback: how nodes and pods reach their API server."""

    def __init__(self, namespace: Namespace, address: str, port: int) -> None:
        super().__init__(namespace)
        self._address, self._port = address, port

    async def start(self) -> None:
        listener = await self._namespace.socket(listening(self._address, self._port))
        self._server = await asyncio.start_server(self._accepted, sock=listener)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.close()
            return
        await _join((reader, writer), inner)


class Outward(_Forwarder):
    """An HTTP CONNECT proxy on a Unix socket whose connections begin inside a namespace.

    The API server reaches kubelets and aggregated APIs through it, as in AKS through konnectivity.
    """

    def __init__(self, namespace: Namespace, path: Path, source: str) -> None:
        super().__init__(namespace)
        self._path, self._source = path, source

    async def start(self) -> None:
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._accepted, self._path)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).split()
            host, _, port = request[1].decode().rpartition(":")
            outer = await self._connected(host.strip("[]"), int(port))
        except (OSError, TimeoutError, ValueError, IndexError, OverflowError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            with contextlib.suppress(OSError):
                writer.write(f"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nX-Error: {type(error).__name__}\r\n\r\n".encode())
                await writer.drain()
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await _join((reader, writer), await asyncio.open_connection(sock=outer))

    async def _connected(self, address: str, port: int) -> socket.socket:
        made = await self._namespace.socket(lambda: self._begin(address))
        try:
            async with asyncio.timeout(10):
                await asyncio.get_running_loop().sock_connect(made, (address, port))
        except BaseException:
            made.close()
            raise
        return made

    def _begin(self, address: str) -> socket.socket:
        version = ipaddress.ip_address(address).version
        made = socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET)
        made.setblocking(False)
        if version == 4:
            made.bind((self._source, 0))
        return made
