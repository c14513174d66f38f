"""The state of the lab's Azure: resources, operations and deleted vaults, kept in SQLite over restarts."""

from __future__ import annotations

import copy
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from . import ids


@dataclass
class Resource:
    """One resource. ``body`` is the stored state; its kind's ``render`` makes the answer of it."""

    id: str
    type: str
    body: dict[str, Any]
    #: the operation that is changing it, empty when none is
    operation: str = ""
    #: what Azure knows of it and never shows
    hidden: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.id.lower()

    @property
    def name(self) -> str:
        return self.id.rsplit("/", 1)[1]

    @property
    def properties(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body.setdefault("properties", {})
        return found

    def with_properties(self, changes: Mapping[str, Any]) -> Resource:
        """This resource as it would be with other properties; the store does not have it."""
        return replace(self, body=self.body | {"properties": {**self.properties, **changes}})


@dataclass
class Operation:
    """A long-running operation. Its work begins at ``due`` (seconds since the epoch), and it ends with that."""

    id: str
    resource: str
    verb: str
    due: float
    status: str = "InProgress"
    error: dict[str, Any] | None = None
    #: the resource as it was before, to tell a create from an update when the operation ends
    before: dict[str, Any] | None = None


class Store:
    """Resources by id (case never matters), written through to one SQLite file."""

    def __init__(self, path: Path | None = None) -> None:
        self._database = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.execute("CREATE TABLE IF NOT EXISTS entries (kind TEXT, key TEXT, value TEXT, PRIMARY KEY (kind, key))")
        self.resources: dict[str, Resource] = {}
        self.operations: dict[str, Operation] = {}
        self.deleted_vaults: dict[str, dict[str, Any]] = {}
        self.facts: dict[str, Any] = {}
        #: called after every change of a resource
        self.listeners: list[Callable[[], None]] = []
        for kind, key, value in self._database.execute("SELECT kind, key, value FROM entries ORDER BY rowid"):
            loaded = json.loads(value)
            match kind:
                case "resource":
                    self.resources[key] = Resource(**loaded)
                case "operation":
                    self.operations[key] = Operation(**loaded)
                case "vault":
                    self.deleted_vaults[key] = loaded
                case "fact":
                    self.facts[key] = loaded

    def close(self) -> None:
        self._database.close()

    def _write(self, kind: str, key: str, value: Any) -> None:
        self._database.execute(
            "INSERT INTO entries VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value", (kind, key, json.dumps(value))
        )

    def _erase(self, kind: str, key: str) -> None:
        self._database.execute("DELETE FROM entries WHERE kind = ? AND key = ?", (kind, key))

    def get(self, resource: str) -> Resource | None:
        return self.resources.get(resource.rstrip("/").lower())

    def save(self, resource: Resource) -> Resource:
        self.resources[resource.key] = resource
        self._write("resource", resource.key, asdict(resource))
        self._notify()
        return resource

    def remove(self, resource: str) -> None:
        self.resources.pop(resource.lower(), None)
        self._erase("resource", resource.lower())
        self._notify()

    def _notify(self) -> None:
        for listener in self.listeners:
            listener()

    def save_operation(self, operation: Operation) -> None:
        self.operations[operation.id] = operation
        self._write("operation", operation.id, asdict(operation))

    def save_deleted_vault(self, name: str, vault: dict[str, Any] | None) -> None:
        key = name.lower()
        if vault is None:
            self.deleted_vaults.pop(key, None)
            self._erase("vault", key)
        else:
            self.deleted_vaults[key] = vault
            self._write("vault", key, vault)

    def save_fact(self, key: str, value: Any) -> None:
        self.facts[key] = value
        self._write("fact", key, value)

    def of_type(self, resource_type: str) -> Iterator[Resource]:
        wanted = resource_type.lower()
        return (found for found in list(self.resources.values()) if found.type.lower() == wanted)

    def below(self, resource: str) -> list[Resource]:
        """Everything whose id begins with ``resource``: children, and extension resources such as locks."""
        prefix = resource.rstrip("/").lower() + "/"
        return [found for key, found in self.resources.items() if key.startswith(prefix)]

    def children(self, resource: str, collection: str) -> list[Resource]:
        """Direct children in a collection (``virtualNetworks/v``, ``subnets``), in the order they were made."""
        prefix = f"{resource}/{collection}/".lower()
        return [found for key, found in self.resources.items() if key.startswith(prefix) and "/" not in key[len(prefix) :]]

    def group_of(self, resource: str) -> Resource | None:
        parsed = ids.parse(resource)
        return self.get(f"/subscriptions/{parsed.subscription}/resourceGroups/{parsed.resource_group}") if parsed.resource_group else None

    def snapshot(self) -> dict[str, Any]:
        """A copy of every resource's body, for comparing two states."""
        return {key: copy.deepcopy(found.body) for key, found in sorted(self.resources.items())}
