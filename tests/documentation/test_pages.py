"""The README, the tutorials and the guides that need a cluster, done as they say, one after the other in one lab."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from json import loads
from pathlib import Path

import pytest
import yaml

from lab.arm.authorization.actions import action_of
from lab.arm.authorization.roles import Role
from tests.harness import Lab
from tests.pages import blocks
from tests.reading import Reader

_GUIDES = "docs/docsite/rst"
#: The first page builds the stamp, the guides work on it, the README ends with its end; the last begins with an empty subscription.
PAGES = [
    f"{_GUIDES}/tutorial_azure.rst",
    f"{_GUIDES}/verify_in_ci.rst",
    f"{_GUIDES}/verification.rst",
    f"{_GUIDES}/failed_run.rst",
    f"{_GUIDES}/many_stamps.rst",
    # An entrance that was switched off and on has no older configuration to roll back to.
    f"{_GUIDES}/entrances.rst",
    f"{_GUIDES}/switch_ipv6.rst",
    f"{_GUIDES}/lab.rst",
    "README.md",
    f"{_GUIDES}/tutorial_lab.rst",
]
#: a command that may be repeated: once a page has run it, the guides after it need not
_REPEATABLE = re.compile(r"ansible-playbook -i inventories dualstack\.aks\.(site|verify)\b")
#: waits that the pages explain, and nobody has time for here
_QUICK = {"dns_ttl": 5, "dns_change_ttl": 5, "ingress_drain_deadline": 5, "ingress_drain_seconds": 15}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(packets=True) as made:
        made.await_turn()
        yield made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the reader has written so far."""
    made = tmp_path_factory.mktemp("reader")
    variables = made / "inventories" / "group_vars" / "regions" / "quick.yml"
    variables.parent.mkdir(parents=True)
    variables.write_text(yaml.safe_dump(_QUICK))
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
    # The README and the tutorials are what a reader follows from beginning to end.
    reader = Reader(lab, place, known=set() if "tutorial" in page or page == "README.md" else known)
    if page == PAGES[0]:
        # The stamp of the guides has the service that the tutorial adds to its inventory.
        reader.before["inventories/host_vars/westeurope.yml"] = "python -m lab.demo deploy"
    reader.follow(page)
    if page == PAGES[0]:
        shutil.copytree(place / "inventories", folder / "inventories", dirs_exist_ok=True)
    known |= {command for block in blocks(page) if block.kind == "commands" for command in block.commands if _REPEATABLE.match(command)}
    record_property("measured", f"{page}: {reader.commands} commands ran")


def test_the_smallest_role_has_all_that_was_asked_for(lab: Lab) -> None:
    """SECURITY lists the actions; the pages before have used the collection as a reader does."""
    [definition] = [loads(block.text) for block in blocks("SECURITY.md") if block.kind == "role definition"]
    ours = [entry for entry in lab.entries() if entry["client"].startswith("dualstack.aks/")]
    # A client may follow the operations that it began.
    asked = {action_of(entry["method"], entry["path"].partition("?")[0]) for entry in ours if "/operation" not in entry["path"].lower()} - {""}
    role = Role(definition["Name"], tuple(definition["Actions"]))
    assert [action for action in sorted(asked) if not role.allows(action)] == []
