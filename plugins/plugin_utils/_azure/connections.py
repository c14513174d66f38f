"""Sessions whose connections share one reading of the authorities.

This file is private to the collection.

requests hands urllib3 a file name, and urllib3 reads the file for every connection: 150 certificates, which takes longer than a request.
"""

from __future__ import annotations

import contextlib
import functools
import os
import ssl
from pathlib import Path
from typing import Any

from .._libraries import HTTPAdapter, certifi, create_urllib3_context, requests


@functools.cache
def _trusting(authorities: str) -> ssl.SSLContext:
    context = create_urllib3_context()
    is_folder = Path(authorities).is_dir()
    context.load_verify_locations(cafile=None if is_folder else authorities, capath=authorities if is_folder else None)
    return context


class _Adapter(HTTPAdapter):
    def __init__(self, connections: int, authorities: str) -> None:
        # The adapter of requests asks for its context before it has finished its own beginning.
        self._own = None
        if authorities:
            self._own = create_urllib3_context()
            self._own.load_verify_locations(cadata=authorities)
        # What is only read may be read again.
        super().__init__(pool_maxsize=connections, max_retries=3 if authorities else 0)

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        if verify and host["scheme"] == "https":
            pool.pop("ca_certs", None)
            pool.pop("ca_cert_dir", None)
            pool["ssl_context"] = self._own or _trusting(verify if isinstance(verify, str) else certifi.where())
        return host, pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        super().cert_verify(conn, url, verify, cert)
        if verify:
            # What it would read again.
            conn.ca_certs = conn.ca_cert_dir = None


def session(connections: int = 1, authorities: str = "") -> requests.Session:
    """A session that keeps as many connections to a host. It trusts ``authorities``, in PEM, and nobody else; without them those of the machine."""
    made = requests.Session()
    made.mount("https://", _Adapter(connections, authorities))
    return made


def read_authorities() -> None:
    """Read them now: a worker finds what was read before it was forked (see ``_workers``)."""
    # Where the file is missing, the first request says so.
    with contextlib.suppress(OSError):
        _trusting(os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or certifi.where())
