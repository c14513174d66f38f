"""Labs of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import Lab
from tests.loader import find_collections

find_collections()

#: what takes longest begins first, so that all workers end at about the same time; two of these at a time have nodes, which is all there may be
_LONGEST = (
    "test_docs",
    "test_toggle",
    # Without nodes, while the two above have theirs.
    "test_rule_parity",
    "test_modes",
    "test_demo",
    "test_killed",
    "test_roles_alone",
    "test_disturbances",
    "test_site",
    "test_azcollection",
    "test_verify",
    "test_whole_life",
    "test_options",
    "test_packets",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        return _LONGEST.index(item.path.stem) if item.path.stem in _LONGEST else len(_LONGEST)

    items.sort(key=place)


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
