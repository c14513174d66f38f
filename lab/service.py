"""The lab's server process: Azure Resource Manager, Entra ID and the clusters behind them."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import certifi

from . import isolation
from .arm.http.server import Server
from .arm.options import PRINCIPALS
from .arm.store import Store
from .certificates import CertificateAuthority
from .kubernetes import cgroups
from .state import State


def trust_bundle(state: State) -> Path:
    """The public authorities and the lab's own in one file."""
    return state.secrets / "trust.pem"


def run(state: State) -> int:
    """Run until SIGTERM or SIGINT; where there are packets, in namespaces that end with it. The exit code."""
    if not state.load().packets:
        asyncio.run(serve(state))
        return 0
    cgroups.remove(f"/{state.label}")
    try:
        return isolation.run_isolated(lambda: asyncio.run(serve(state)), state.remember_first_process)
    finally:
        cgroups.remove(f"/{state.label}")


async def serve(state: State) -> None:
    """Serve Azure, and the clusters and networks behind it."""
    settings = state.load()
    authority = CertificateAuthority(state.secrets / "azure", "Lab Azure")
    certificate, key = authority.issue("server", "localhost", hosts=("localhost", "127.0.0.1", "::1"))
    trust_bundle(state).write_text(Path(certifi.where()).read_text() + authority.certificate_path.read_text())
    secrets = {name: state.secret_of(name) for name in PRINCIPALS}
    server = Server(Store(state.store), settings.azure, state.folder, settings.port, secrets, settings.latency)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    clusters = datacentre = None
    if settings.packets:
        from .packets import Datacentre

        datacentre = Datacentre(server, state)
        server.control.lose_zone = datacentre.lose
    if settings.azure.kubernetes:
        from .kubernetes import Clusters

        clusters = server.azure.clusters = Clusters(server, state, datacentre)
    await server.start(certificate, key)
    try:
        if datacentre:
            await datacentre.start()
        if clusters:
            await clusters.resume()
        state.ready.touch()
        await stop.wait()
    finally:
        state.ready.unlink(missing_ok=True)
        if clusters:
            await clusters.stop()
        if datacentre:
            await datacentre.stop()
        await server.stop()
