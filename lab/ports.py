"""Ports that labs listen on."""

from __future__ import annotations

import fcntl
import socket

from .supplies.cache import CACHE

#: below the NodePorts of Kubernetes (30000) and the ports that Linux gives to clients (ip_local_port_range: 32768),
#: any of which may be taken again before the server that it was chosen for listens on it
_PORTS = range(10000, 30000)


def free_port() -> int:
    """A port of loopback that nobody listens on; no other lab of this user gets the same until all others were given out.

    :raises OSError: all are taken.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "last-port").open("a+") as last:
        fcntl.flock(last, fcntl.LOCK_EX)
        last.seek(0)
        after = int(last.read() or _PORTS[-1]) - _PORTS.start + 1
        ports: list[int] = [*_PORTS[after:], *_PORTS[:after]]
        for port in ports:
            if _is_free(port):
                last.truncate(0)
                last.write(str(port))
                return port
    raise OSError(f"all ports of 127.0.0.1 from {_PORTS.start} to {_PORTS[-1]} are taken; end what listens on them")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
