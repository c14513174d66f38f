"""What the pages need that are followed with nodes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import Lab


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(packets=True) as made:
        made.await_turn()
        yield made
