"""Network namespaces: made and wired with ip(8), entered by sockets of this process and by programs it starts.

They are named below ``/run/netns`` of the lab's own mount namespace (:mod:`lab.isolation`), so nobody else sees them and the kernel
removes them with the lab.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..supplies import debian

#: what the upstream end of every link holds: the next hop of whoever is behind it, in both families
GATEWAY_IPV4, GATEWAY_IPV6 = "169.254.1.1", "fe80::1"
#: the ends of a link between two routers; different from the above, since nobody answers ARP from its own address
UPPER_IPV4, UPPER_IPV6 = "169.254.2.1", "fe80::2:1"
LOWER_IPV4, LOWER_IPV6 = "169.254.2.2", "fe80::2:2"

_SYSCTLS = {
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
    "ipv4/conf/all/send_redirects": "0",
    "ipv4/conf/default/send_redirects": "0",
    "ipv6/conf/all/accept_dad": "0",
    "ipv6/conf/default/accept_dad": "0",
    "ipv6/conf/default/accept_ra": "0",
    "ipv6/conf/default/dad_transmits": "0",
}
_FORWARDING = {"ipv4/ip_forward": "1", "ipv6/conf/all/forwarding": "1"}


class CommandFailed(Exception):
    """A program that configures the network failed."""


async def execute(*words: str, given: str = "") -> str:
    """Run a program with ``given`` on its standard input; returns its output."""
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=debian.environment(),
    )
    output, errors = await process.communicate(given.encode())
    if process.returncode:
        raise CommandFailed(f"{' '.join(words)}: {errors.decode().strip()}\n{given}")
    return output.decode()


async def ip(*commands: str, namespace: str = "") -> None:
    """Commands of ip(8), in one process for each family: first those that begin with neither ``-4`` nor ``-6``."""
    within = ("-n", namespace) if namespace else ()
    for family in ("", "-4", "-6"):
        chosen = [command.removeprefix(f"{family} ") for command in commands if (command[:2] if command.startswith("-") else "") == family]
        if chosen:
            options = (*within, *((family,) if family else ()))
            await execute(str(debian.path_of("ip")), *options, "-batch", "-", given="\n".join(chosen) + "\n")


class Namespace:
    """One network namespace."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = Path("/run/netns", name)
        self._thread: ThreadPoolExecutor | None = None

    async def create(self, *, forwarding: bool = False, ipv6: bool = True) -> None:
        await ip(f"netns add {self.name}")
        await self.ip("link set lo up")
        wanted = _SYSCTLS | (_FORWARDING if forwarding else {})
        if not ipv6:
            wanted |= {"ipv6/conf/all/disable_ipv6": "1", "ipv6/conf/default/disable_ipv6": "1"}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=self.name, initializer=self._enter)
        await asyncio.wrap_future(self._thread.submit(_write_sysctls, wanted))

    def _enter(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.setns(descriptor, os.CLONE_NEWNET)
        finally:
            os.close(descriptor)

    async def remove(self) -> None:
        if self._thread:
            self._thread.shutdown()
            self._thread = None
        await ip(f"netns del {self.name}")

    def program(self, *words: str | Path) -> list[str]:
        """The words that run a program in here, as the process that is started with them."""
        return ["nsenter", f"--net={self.path}", *(str(word) for word in words)]

    async def run(self, *words: str, given: str = "") -> str:
        return await execute(*self.program(*words), given=given)

    async def ip(self, *commands: str) -> None:
        await ip(*commands, namespace=self.name)

    async def socket(self, make: Callable[[], socket.socket]) -> socket.socket:
        """A socket that belongs to this namespace, whoever uses it."""
        assert self._thread is not None
        return await asyncio.wrap_future(self._thread.submit(make))


def of_pods(processes: Iterable[int]) -> list[str]:
    """The namespaces that a container runtime made for pods that these processes are in."""
    used = set()
    for process in processes:
        with contextlib.suppress(OSError):
            used.add(Path(f"/proc/{process}/ns/net").stat().st_ino)
    return [path.name for path in Path("/run/netns").glob("cni-*") if path.stat().st_ino in used]


def _write_sysctls(values: dict[str, str]) -> None:
    # /proc/sys/net shows the namespace of the thread that opens it.
    for name, value in values.items():
        Path("/proc/sys/net", name).write_text(value)


def listening(address: str, port: int) -> Callable[[], socket.socket]:
    """For :meth:`Namespace.socket`: a TCP socket that listens."""

    def make() -> socket.socket:
        made = socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET, backlog=512)
        made.setblocking(False)
        return made

    return make


def way_up(route: str, interface: str, *, six: bool | None = None) -> str:
    """The command that routes a prefix, or ``default`` of a family, to the router at the upper end of an interface."""
    if ":" in route if six is None else six:
        return f"-6 route replace {route} via {GATEWAY_IPV6} dev {interface}"
    return f"-4 route replace {route} via {GATEWAY_IPV4} dev {interface} onlink"


async def attach(
    router: Namespace, router_interface: str, end: Namespace, addresses: Sequence[str], interface: str = "eth0", routes: Sequence[str] = ("default",)
) -> None:
    """Give ``end`` an interface with addresses and ``routes`` through the router; the router gets a route to each address."""
    at_router, at_end = [], []
    for address in addresses:
        six = ":" in address
        at_end.append(f"-6 address add {address}/128 dev {interface} nodad" if six else f"address add {address}/32 dev {interface}")
        wanted = [route for route in routes if route == "default" or (":" in route) == six]
        at_end += [way_up(route, interface, six=six) for route in wanted]
        at_router.append(f"{'-6' if six else '-4'} route replace {address} dev {router_interface}")
    await router.ip(
        f"link add {router_interface} type veth peer name {interface} netns {end.name}",
        f"link set {router_interface} up",
        f"address add {GATEWAY_IPV4}/32 dev {router_interface}",
        f"-6 address add {GATEWAY_IPV6}/64 dev {router_interface} nodad",
        *at_router,
    )
    await end.ip(f"link set {interface} up", *at_end)


async def join(upper: Namespace, upper_interface: str, lower: Namespace, lower_interface: str) -> None:
    """A link between two routers; the lower one's default route leads up."""
    await upper.ip(
        f"link add {upper_interface} type veth peer name {lower_interface} netns {lower.name}",
        f"link set {upper_interface} up",
        f"address add {UPPER_IPV4}/32 dev {upper_interface}",
        f"-6 address add {UPPER_IPV6}/64 dev {upper_interface} nodad",
    )
    await lower.ip(
        f"link set {lower_interface} up",
        f"address add {LOWER_IPV4}/32 dev {lower_interface}",
        f"-6 address add {LOWER_IPV6}/64 dev {lower_interface} nodad",
        f"route replace default via {UPPER_IPV4} dev {lower_interface} onlink",
        f"-6 route replace default via {UPPER_IPV6} dev {lower_interface}",
    )
