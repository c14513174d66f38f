"""Labs of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import Lab


@pytest.fixture(scope="module")
def stamp() -> Iterator[Lab]:
    """A lab in which site.yml has built the stamp westeurope. It ends with its module: nodes use much of what the kernel has of some things."""
    with Lab(packets=True) as lab:
        lab.build()
        yield lab


@pytest.fixture
def arm() -> Iterator[Lab]:
    """An empty subscription without clusters behind it."""
    with Lab("--no-kubernetes") as lab:
        yield lab
