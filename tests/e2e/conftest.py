"""Labs of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import Lab
from tests.loader import find_collections

find_collections()


@pytest.fixture
def arm() -> Iterator[Lab]:
    """An empty subscription without clusters behind it."""
    with Lab("--no-kubernetes") as lab:
        yield lab
