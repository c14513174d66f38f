"""Requests and their answers: JSON lines, one a request, in the order of the answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SECRET = re.compile(r"secret|password|token|keydata|connectionstring", re.IGNORECASE)
#: reading actions: POSTs that change nothing
READING_ACTIONS = (
    "listclusterusercredential",
    "listclusteradmincredential",
    "listkeys",
    "listcredentials",
    "checknameavailability",
    "checkmhsmnameavailability",
)


def without_secrets(value: Any, name: str = "") -> Any:
    """``value`` with a mark in place of whatever its names declare secret."""
    if isinstance(value, dict):
        if "value" in value and set(value) <= {"value", "contentType", "attributes"}:
            return {**value, "value": "(removed)"}
        return {key: without_secrets(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [without_secrets(item, name) for item in value]
    if isinstance(value, str) and _SECRET.search(name) and not name.lower().endswith(("uri", "url", "id", "provider", "rotation")):
        return "(removed)"
    return value


class Journal:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a", buffering=1)

    def record(self, entry: dict[str, Any]) -> None:
        self._file.write(json.dumps(entry, separators=(",", ":")) + "\n")

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The entries of a journal, oldest first, without one that is being written."""
    with path.open() as file:
        for line in file:
            if not line.endswith("\n"):
                return
            yield json.loads(line)


def is_write(entry: dict[str, Any]) -> bool:
    """Whether a request was meant to change something in Azure."""
    if not str(entry["path"]).lower().startswith("/subscriptions"):
        return False
    if entry["method"] in ("PUT", "PATCH", "DELETE"):
        return True
    return entry["method"] == "POST" and not str(entry["path"]).lower().endswith(READING_ACTIONS)
