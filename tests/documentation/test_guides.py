"""The tutorial that builds a stamp in a subscription, and the guides that work on this stamp, done as they say in one lab."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.documentation import GUIDES, follow, missing_actions, shorten_waits
from tests.harness import Lab
from tests.pages import blocks
from tests.reading import Reader

#: The first page builds the stamp, the others work on it.
PAGES = [
    f"{GUIDES}/tutorial_azure.rst",
    f"{GUIDES}/verify_in_ci.rst",
    f"{GUIDES}/verification.rst",
    f"{GUIDES}/failed_run.rst",
    f"{GUIDES}/many_stamps.rst",
    # An entrance that was switched off and on has no older configuration to roll back to.
    f"{GUIDES}/entrances.rst",
    f"{GUIDES}/switch_ipv6.rst",
    f"{GUIDES}/lab.rst",
]
#: a command that may be repeated: once a page has run it, the guides after it need not
_REPEATABLE = re.compile(r"ansible-playbook -i inventories dualstack\.aks\.(site|verify)\b")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the reader has written so far."""
    made = tmp_path_factory.mktemp("reader")
    shorten_waits(made)
    return made


@pytest.fixture(scope="module")
def known() -> set[str]:
    """The repeatable commands that have run."""
    return set()


@pytest.mark.parametrize("page", PAGES)
def test_a_page(lab: Lab, folder: Path, known: set[str], page: str, record_property: Callable[[str, object], None]) -> None:
    # Each page begins with the inventory that the first one left, and with nothing else of it.
    place = folder / Path(page).stem
    place.mkdir()
    shutil.copytree(folder / "inventories", place / "inventories")
    reader = Reader(lab, place, known=known)
    if page == PAGES[0]:
        # The stamp of the guides has the service that the tutorial adds to its inventory.
        reader.before["inventories/host_vars/westeurope.yml"] = "python -m lab.demo deploy"
    follow(reader, page, record_property)
    if page == PAGES[0]:
        shutil.copytree(place / "inventories", folder / "inventories", dirs_exist_ok=True)
    known |= {command for block in blocks(page) if block.kind == "commands" for command in block.commands if _REPEATABLE.match(command)}


def test_the_smallest_role_has_all_that_was_asked_for(lab: Lab) -> None:
    assert missing_actions(lab) == []
