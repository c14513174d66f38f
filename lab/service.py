"""The lab's server process: Azure Resource Manager, Entra ID and the clusters behind them."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import certifi

from .arm.server import Server
from .arm.store import Store
from .certificates import CertificateAuthority
from .state import State


def trust_bundle(state: State) -> Path:
    """The public authorities and the lab's own in one file."""
    return state.secrets / "trust.pem"


async def serve(state: State) -> None:
    """Run until SIGTERM or SIGINT."""
    settings = state.load()
    authority = CertificateAuthority(state.secrets / "azure", "Lab Azure")
    certificate, key = authority.issue("server", "localhost", hosts=("localhost", "127.0.0.1", "::1"))
    trust_bundle(state).write_text(Path(certifi.where()).read_text() + authority.certificate_path.read_text())
    server = Server(Store(state.store), settings.azure, state.folder, settings.port, state.client_secret, settings.latency)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    clusters = None
    if settings.azure.kubernetes:
        from .kubernetes import Clusters

        clusters = server.azure.clusters = Clusters(server, state)
    await server.start(certificate, key)
    try:
        if clusters:
            await clusters.resume()
        state.ready.touch()
        await stop.wait()
    finally:
        state.ready.unlink(missing_ok=True)
        if clusters:
            await clusters.stop()
        await server.stop()
