"""Clients of a pod, counted in its socket tables."""

from __future__ import annotations

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.connections import client_connections

HEAD = "  sl  local_address                         remote_address                        st tx_queue rx_queue"
ANY6, ANY4 = "0" * 32, "0" * 8


def row(number: int, address: str, port: int, state: str) -> str:
    return f"  {number:2}: {address}:{port:04X} {address}:D431 {state} 00000000:00000000 00:00000000 00000000   101        0 1"


LISTENING = [row(0, ANY6, 8080, "0A"), row(1, ANY6, 8081, "0A")]
CASES: dict[str, tuple[list[str], int]] = {
    "nobody": (LISTENING, 0),
    "two clients": ([*LISTENING, row(2, ANY6, 8080, "01"), row(3, ANY6, 8080, "01")], 2),
    "a health check": ([*LISTENING, row(2, ANY6, 8081, "01")], 0),
    "a connection to an application": ([*LISTENING, row(2, ANY4, 51000, "01")], 0),
    "one that is closing": ([*LISTENING, row(2, ANY6, 8080, "06")], 0),
    "of the other family": ([*LISTENING, row(2, ANY4, 8080, "01")], 1),
    "nothing at all": ([], 0),
}


@pytest.mark.parametrize("case", CASES)
def test_clients(case: str) -> None:
    rows, expected = CASES[case]
    assert client_connections("\n".join([HEAD, *rows, HEAD]), 8081) == expected
