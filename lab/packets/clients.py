"""Clients: on the internet with IPv4, with IPv6 and with both; and one with both in a VNet that is peered with each stamp's.

A client is a namespace and a resolver. ``python -m lab inventory`` gives them as Ansible hosts: their Python interpreter is a script
that enters the namespace, so every module runs as the client.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

#: the name server of the internet, which has the public zones
RESOLVER_IPV4, RESOLVER_IPV6 = "192.0.2.53", "2001:db8:c::53"


@dataclass(frozen=True)
class Client:
    name: str
    addresses: tuple[str, ...]
    resolver: str

    @property
    def families(self) -> tuple[str, ...]:
        return tuple(sorted("ipv6" if ":" in address else "ipv4" for address in self.addresses))


INTERNET_CLIENTS = (
    Client("ipv4-only", ("192.0.2.10",), RESOLVER_IPV4),
    Client("ipv6-only", ("2001:db8:c::10",), RESOLVER_IPV6),
    Client("dual-stack", ("192.0.2.11", "2001:db8:c::11"), RESOLVER_IPV6),
)


def peer_name(network: str, taken: Collection[str]) -> str:
    """The name of the client in a peer of a virtual network. Networks of the same name, in other resource groups, get a number."""
    name = f"peer-of-{network}"
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(found for found in names if found not in taken)


def script(folder: Path, client: str) -> Path:
    """The program that runs another as a client: ``<folder>/<client>/run PROGRAM …``."""
    return folder / client / "run"


def interpreter(folder: Path, client: str) -> Path:
    """A Python that runs as a client."""
    return folder / client / "python"


def write(folder: Path, client: Client, namespace: Path, first_process: Path) -> None:
    """Write a client's programs. ``first_process`` holds the id of a process whose root shows the lab's namespaces."""
    own = folder / client.name
    own.mkdir(parents=True, exist_ok=True)
    resolver = own / "resolv.conf"
    resolver.write_text(f"nameserver {client.resolver}\noptions timeout:2 attempts:5\n")
    enter = f"nsenter --net=/proc/$(cat {first_process})/root{namespace} unshare --mount"
    inside = f'mount --bind {resolver} "$(readlink -f /etc/resolv.conf)" && exec "$@"'
    for path, words in ((script(folder, client.name), ""), (interpreter(folder, client.name), f"{sys.executable} ")):
        path.write_text(f"#!/bin/sh\nexec {enter} sh -c '{inside}' sh {words}\"$@\"\n")
        path.chmod(0o755)
