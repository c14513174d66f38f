"""The README, the tutorials and the guides that need a cluster, done as they say, one after the other in one lab."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from json import loads
from pathlib import Path

import pytest
import yaml

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
#: waits that the pages explain, and nobody has time for here
_QUICK = {"dns_ttl": 5, "dns_change_ttl": 5, "ingress_drain_deadline": 5, "ingress_drain_seconds": 15}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(packets=True) as made:
        made._await_turn()
        yield made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the reader has written so far."""
    made = tmp_path_factory.mktemp("reader")
    variables = made / "inventories" / "group_vars" / "regions" / "quick.yml"
    variables.parent.mkdir(parents=True)
    variables.write_text(yaml.safe_dump(_QUICK))
    return made


@pytest.mark.parametrize("page", PAGES)
def test_a_page(lab: Lab, folder: Path, page: str, record_property: Callable[[str, object], None]) -> None:
    # Each page begins with the inventory that the first one left, and with nothing else of it.
    place = folder / Path(page).stem
    place.mkdir()
    shutil.copytree(folder / "inventories", place / "inventories")
    reader = Reader(lab, place)
    if page == PAGES[0]:
        # The stamp of the guides has the service that the tutorial adds to its inventory.
        reader.before["inventories/host_vars/westeurope.yml"] = "python -m lab.demo deploy"
    reader.follow(page)
    if page == PAGES[0]:
        shutil.copytree(place / "inventories", folder / "inventories", dirs_exist_ok=True)
    record_property("measured", f"{page}: {reader.commands} commands ran")


def test_the_smallest_role_has_all_that_was_asked_for(lab: Lab) -> None:
    """SECURITY lists the actions; the pages before have used the collection as a reader does."""
    [definition] = [loads(block.text) for block in blocks("SECURITY.md") if block.kind == "role definition"]
    asked = {action for entry in lab.entries() if entry["client"].startswith("dualstack.aks/") for action in [_action(entry)] if action}
    allowed = [action.lower() for action in definition["Actions"]]
    assert [action for action in sorted(asked) if not any(fnmatch(action.lower(), pattern) for pattern in allowed)] == []


def _action(entry: dict[str, str]) -> str:
    """The action of Azure RBAC that a request needs; none for tokens, metadata and the status of operations."""
    parts = entry["path"].partition("?")[0].strip("/").split("/")
    if parts[0].lower() != "subscriptions" or any(part.lower().startswith("operation") for part in parts):
        return ""
    verb = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}[entry["method"]]
    if "providers" not in parts:
        kind = ["Microsoft.Resources", "subscriptions", *parts[2::2]]
    else:
        last = len(parts) - parts[::-1].index("providers")
        kind = [parts[last], *parts[last + 1 :: 2]] if len(parts) > last else ["Microsoft.Resources", "subscriptions", "providers"]
    return "/".join([*kind, verb])
