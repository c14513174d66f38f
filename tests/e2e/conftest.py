"""Labs of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import Lab


@pytest.fixture(scope="session")
def stamp() -> Iterator[Lab]:
    """A lab in which site.yml has built the stamp westeurope."""
    with Lab(packets=True) as lab:
        lab.build()
        yield lab


@pytest.fixture
def arm() -> Iterator[Lab]:
    """An empty subscription without clusters behind it."""
    with Lab("--no-kubernetes") as lab:
        yield lab
