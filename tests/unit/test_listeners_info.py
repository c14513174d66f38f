"""What a probe host makes of listeners: real ones, of this machine."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.modules import listeners_info
from lab.certificates import CertificateAuthority

LOOPBACK = {"ipv4": "127.0.0.1", "ipv6": "::1"}


@contextlib.contextmanager
def serving(answer: Callable[[socket.socket], None], address: str = "127.0.0.1") -> Iterator[int]:
    """A listener's port; each of its connections gets the answer and is closed."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection, contextlib.suppress(OSError):
                        answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def status(code: int) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 {code} Whatever\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    return answer


def ask(listener: dict[str, Any], address: str = "127.0.0.1", **arguments: Any) -> tuple[bool, str]:
    """Whether a listener answered, and what it said."""
    defaults = {"path": "/", "host": "", "validate_certs": True, "ca_certificates": "", "request_timeout": 2}
    client = listeners_info.Client({"address": address, **defaults, **arguments})
    found = client.ask({"name": "it", "host": "", "proxy_protocol": False, **listener})
    return found["answered"], found["said"]


@pytest.mark.parametrize(("code", "expected"), [(200, True), (308, True), (404, True), (500, False), (503, False)], ids=str)
def test_http(code: int, expected: bool) -> None:
    with serving(status(code)) as port:
        assert ask({"kind": "http", "port": port}) == (expected, f"status {code}")


@pytest.mark.parametrize("family", LOOPBACK)
def test_the_proxy_protocol_goes_first(family: str) -> None:
    received: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        with connection.makefile("rb") as incoming:
            received.append(next(incoming))
            while next(incoming).strip():
                pass
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with serving(answer, LOOPBACK[family]) as port:
        assert ask({"kind": "http", "port": port, "proxy_protocol": True}, LOOPBACK[family], host="a.example.org", path="/health")[0]
    first = received[0].decode().split()
    assert first[:4] == ["PROXY", f"TCP{family[-1]}", LOOPBACK[family], LOOPBACK[family]] and first[5] == str(port)


def test_nothing_listens() -> None:
    with serving(status(200)) as port:
        pass
    for kind in ("http", "tls", "tcp", "udp"):
        assert ask({"kind": kind, "port": port}) == (False, "[Errno 111] Connection refused")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("authority"), "test")


def session(authority: CertificateAuthority, *hosts: str) -> Callable[[socket.socket], None]:
    """Begins a TLS session with a certificate for the hosts; without any, it refuses every name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if hosts:
        context.load_cert_chain(*authority.issue("-".join(hosts).replace("*", "any"), hosts[0], hosts=hosts))

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True):
            pass

    return answer


SHOP, ANY = "shop.example.org", "*.example.org"
#: hosts of the certificate, the listener's host, more arguments -> whether it answers, and what it says
TLS: dict[str, tuple[list[str], str, dict[str, Any], bool, str]] = {
    "valid": ([SHOP], SHOP, {}, True, "TLSv1.3"),
    "a wildcard": ([ANY], ANY, {}, True, "TLSv1.3"),
    "another name's": ([ANY], "shop.example.net", {}, False, "certificate: Hostname mismatch"),
    "another name's, which may be": ([ANY], "shop.example.net", {"validate_certs": False}, True, "TLSv1.3"),
    "nobody's authority": ([SHOP], SHOP, {"ca_certificates": ""}, False, "certificate: unable to get local issuer certificate"),
    "of no certain name": ([SHOP], "", {}, True, "TLSv1.3"),
    "of the name that is asked for": ([SHOP], "", {"host": "other.example.org"}, False, "certificate: Hostname mismatch"),
    "of an address that is asked for": ([SHOP], "", {"host": "[2001:db8:f::10]"}, True, "TLSv1.3"),
    "no certificate": ([], SHOP, {}, False, "TLS: "),
    "no certificate and no name": ([], "", {}, True, "TLS: "),
}


@pytest.mark.parametrize("case", TLS)
def test_tls(authority: CertificateAuthority, case: str) -> None:
    hosts, host, arguments, expected, words = TLS[case]
    with serving(session(authority, *hosts)) as port:
        trusted = {"ca_certificates": authority.certificate_path.read_text(), **arguments}
        answered, said = ask({"kind": "tls", "port": port, "host": host}, **trusted)
    assert (answered, said.startswith(words)) == (expected, True), said


def test_what_does_not_speak_tls() -> None:
    with serving(status(200)) as port:
        assert ask({"kind": "tls", "port": port}) == (False, "TLS: WRONG_VERSION_NUMBER")
    with serving(lambda connection: None) as port:
        assert ask({"kind": "tls", "port": port})[0] is False


def test_tcp() -> None:
    """A proxy whose application is gone takes a connection up, and closes it."""
    with serving(lambda connection: connection.sendall(b"220 mail\r\n")) as port:
        assert ask({"kind": "tcp", "port": port}) == (True, "data")
    with serving(lambda connection: None) as port:
        assert ask({"kind": "tcp", "port": port}) == (False, "closed at once")
    with serving(lambda connection: print(connection.recv(1))) as port:
        assert ask({"kind": "tcp", "port": port}) == (True, "open")


def test_udp_need_not_answer() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        assert ask({"kind": "udp", "port": listening.getsockname()[1]}) == (True, "not refused")


def test_who_is_silent_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice at least; whoever has answered is left alone."""
    monkeypatch.setattr(listeners_info, "_PAUSE", 0)
    times: dict[str, Iterator[int]] = {name: itertools.count(1) for name in ("quick", "slow", "never")}
    enough = {"quick": 1, "slow": 2, "never": 99}

    class Known:
        def ask(self, listener: dict[str, Any]) -> dict[str, Any]:
            name = listener["name"]
            return {"name": name, "answered": next(times[name]) >= enough[name]}

    client: Any = Known()
    found = listeners_info.asked(client, [{"name": name} for name in times], 0)
    assert [result["answered"] for result in found] == [True, True, False]
    assert [next(count) - 1 for count in times.values()] == [1, 2, 2]
