"""The pages whose commands need no cluster, done as they say in an Azure without Kubernetes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.documentation import GUIDES, follow, write_first_inventory
from tests.harness import Lab
from tests.reading import Reader, pages_with_commands

from .test_examples import PAGES as PAGES_OF_EXAMPLES
from .test_first_pages import PAGES as FIRST_PAGES
from .test_guides import PAGES as PAGES_OF_GUIDES

#: CONTRIBUTING comes last: it begins with an empty subscription.
PAGES = [
    f"{GUIDES}/new_region.rst",
    f"{GUIDES}/own_addresses.rst",
    f"{GUIDES}/modes.rst",
    f"{GUIDES}/what_the_lab_is.rst",
    "CONTRIBUTING.md",
]


@pytest.fixture(scope="module")
def azure() -> Iterator[Lab]:
    with Lab("--no-kubernetes") as lab:
        yield lab


@pytest.mark.parametrize("page", PAGES)
def test_a_page(azure: Lab, page: str, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    reader = Reader(azure, tmp_path)
    if page.startswith(GUIDES):
        (tmp_path / "inventories" / "group_vars" / "regions").mkdir(parents=True)
        write_first_inventory(tmp_path)
    follow(reader, page, record_property)


def test_every_page_with_commands_is_followed() -> None:
    assert sorted([*PAGES, *FIRST_PAGES, *PAGES_OF_GUIDES, *PAGES_OF_EXAMPLES]) == sorted(pages_with_commands())


def test_a_wrong_command_is_found(azure: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the place of a page: a playbook that does not exist, a variable of a wrong type, a target that nobody has."""
    from tests import reading
    from tests.pages import Block

    for command in ("ansible-playbook dualstack.aks.plann", "make everything", "python -m lab fault thrrottled", "pip install -r nothing.txt"):
        monkeypatch.setattr(reading, "blocks", lambda _, text=command: (Block("page.rst", 1, "sh", f"{text}\n"),))
        with pytest.raises(AssertionError, match=r"page\.rst ends with"):
            Reader(azure, tmp_path).follow("page.rst")
