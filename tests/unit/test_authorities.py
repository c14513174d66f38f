"""Connections that share one reading of the authorities trust these, and nobody else."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import certifi
import pytest
import requests

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.connections import session
from lab.certificates import CertificateAuthority


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server's URL, and the authority that signed its certificate."""
    authority = CertificateAuthority(tmp_path_factory.mktemp("authority"), "An authority")
    certificate, key = authority.issue("server", "localhost", hosts=("localhost",))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}", authority.certificate_path
    server.shutdown()


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_who_is_trusted(served: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    url, authority = served
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(authority))
    with session() as asking:
        assert asking.get(url, timeout=10).status_code == 204


@pytest.mark.parametrize("bundle", [None, certifi.where()])
def test_who_is_not(served: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, bundle: str | None) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    if bundle:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    with session() as asking, pytest.raises(requests.exceptions.SSLError):
        asking.get(served[0], timeout=10)


def test_a_name_that_the_certificate_does_not_have(served: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(served[1]))
    with session() as asking, pytest.raises(requests.exceptions.SSLError):
        asking.get(served[0].replace("localhost", "127.0.0.1"), timeout=10)


def test_read_once_for_all_connections(served: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(served[1]))
    with session() as asking:
        asking.get(served[0], timeout=10)
    read: list[object] = []
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *arguments, **options: read.append(arguments))
    for _ in range(3):
        with session() as asking:
            assert asking.get(served[0], timeout=10).status_code == 204
    assert read == []
