"""Who is connected to a pod, read from its /proc/net/tcp and tcp6 (proc_net_tcp(5)).

This file is private to the collection.
"""

from __future__ import annotations

_ESTABLISHED, _LISTENING = "01", "0A"


def client_connections(text: str, *ignored_ports: int) -> int:
    """How many connections to the ports that something listens on are established; those to ``ignored_ports`` do not count.

    ``text`` are both files after one another. Connections that the pod opened itself begin at a port that nobody listens on.
    """
    rows = [line.split() for line in text.splitlines()]
    states = [(int(row[1].rpartition(":")[2], 16), row[3]) for row in rows if len(row) > 3 and row[0].endswith(":") and row[0][:-1].isdigit()]
    listening = {port for port, state in states if state == _LISTENING} - set(ignored_ports)
    return sum(state == _ESTABLISHED and port in listening for port, state in states)
