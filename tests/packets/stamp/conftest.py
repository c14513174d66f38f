"""One stamp with packets for the files of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import THREE_NODES, Lab
from tests.machine import Machine


@pytest.fixture(scope="package")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """The machine as it is before the lab."""
    return Machine.now(tmp_path_factory.mktemp("nothing"), "lab-of-nobody")


@pytest.fixture(scope="package")
def lab(untouched: Machine) -> Iterator[Lab]:
    """The stamp westeurope, and nothing behind its entrances."""
    with Lab(packets=True) as made:
        made.set(**THREE_NODES)
        made.build()
        yield made
