"""What the pages' tests share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import yaml

from lab.arm.authorization.actions import action_of
from lab.arm.authorization.roles import Role
from tests.harness import Lab
from tests.pages import blocks
from tests.reading import Reader

GUIDES = "docs/docsite/rst"
#: waits that the pages explain, and nobody has time for here
_QUICK = {"dns_ttl": 5, "dns_change_ttl": 5, "ingress_drain_deadline": 5, "ingress_drain_seconds": 15}


def write_first_inventory(folder: Path) -> None:
    """Write the inventory with which the README begins to a reader's folder."""
    [first, *_] = [block for block in blocks("README.md") if block.path]
    path = folder / first.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(first.text)


def shorten_waits(folder: Path) -> None:
    """Write what makes the waits of the inventory in a reader's folder short."""
    variables = folder / "inventories" / "group_vars" / "regions" / "quick.yml"
    variables.parent.mkdir(parents=True)
    variables.write_text(yaml.safe_dump(_QUICK))


def follow(reader: Reader, page: str, record_property: Callable[[str, object], None]) -> None:
    """Do what a page says, and have the number of its commands printed at the end of the tests."""
    reader.follow(page)
    record_property("measured", f"{page}: {reader.commands} commands ran")


def missing_actions(lab: Lab) -> list[str]:
    """What the collection has asked Azure for and the smallest role, of which SECURITY lists the actions, does not allow."""
    [definition] = [json.loads(block.text) for block in blocks("SECURITY.md") if block.kind == "role definition"]
    ours = [entry for entry in lab.entries() if entry["client"].startswith("dualstack.aks/")]
    # A client may follow the operations that it began.
    asked = {action_of(entry["method"], entry["path"].partition("?")[0]) for entry in ours if "/operation" not in entry["path"].lower()} - {""}
    role = Role(definition["Name"], tuple(definition["Actions"]))
    return [action for action in sorted(asked) if not role.allows(action)]
