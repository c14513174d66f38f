"""Ports that labs listen on."""

from __future__ import annotations

import concurrent.futures
import socket
from pathlib import Path

import pytest

from lab import ports
from lab.ports import free_port


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ports, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


def test_labs_that_start_together_get_ports_of_their_own() -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as labs:
        got = list(labs.map(lambda _: free_port(), range(200)))
    assert len(set(got)) == 200


def test_none_is_one_that_the_kernel_gives_to_clients() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert {free_port() for _ in range(20)}.isdisjoint(range(min(first, 30000), 65536))


def test_one_that_is_taken_is_passed_over_and_the_last_is_followed_by_the_first(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = next(port for port in range(20000, 29990) if all(ports._is_free(port + more) for more in range(3)))
    monkeypatch.setattr(ports, "_PORTS", range(base, base + 3))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", base + 1))
        assert [free_port() for _ in range(3)] == [base, base + 2, base]
    (cache / "last-port").write_text("")
    assert free_port() == base


def test_none_left_is_said_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        monkeypatch.setattr(ports, "_PORTS", range(port, port + 1))
        with pytest.raises(OSError, match=f"from {port} to {port} are taken; end what listens on them"):
            free_port()
