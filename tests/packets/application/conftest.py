"""One stamp with packets for the files of this folder, and an application behind its entrances."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import THREE_NODES, Lab

ROUTES = [{"path": "/", "service": "shop", "namespace": "apps", "port": 8080}]
INGRESS = {"ingress_drain_seconds": 10}


@pytest.fixture(scope="package")
def lab() -> Iterator[Lab]:
    """The stamp westeurope, and its clients watching: each asks every public entrance every 100 ms."""
    with Lab("--watch", packets=True) as made:
        made.set(dns_ttl=3, dns_change_ttl=2, ingress_drain_deadline=10, **INGRESS, **THREE_NODES)
        made.build("--tags", "network,aks,dns")
        made.deploy()
        made.change(ingress_routes=ROUTES)
        run = made.playbook("site", "--tags", "ingress,dns")
        assert run.code == 0, run.output
        yield made
