"""Azure's locks on resources, resource groups and subscriptions. This collection never removes one.

This file is private to the collection.

Source: learn.microsoft.com/azure/azure-resource-manager/management/lock-resources.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._resource_id import folded
from .client import ArmClient
from .errors import ArmFailure, Refused, remedy_for
from .types import version_of

_LOCKS = "/providers/Microsoft.Authorization/locks"


@dataclass(frozen=True)
class Lock:
    """A lock on ``scope``: a resource, a resource group or a subscription."""

    id: str
    level: str

    @property
    def name(self) -> str:
        return self.id.rpartition("/")[2]

    @property
    def scope(self) -> str:
        return self.id[: self.id.lower().rindex(f"{_LOCKS.lower()}/")]

    @property
    def is_read_only(self) -> bool:
        """Whether it stops every write, not only deletion."""
        return folded(self.level) == "readonly"

    def covers(self, identifier: str) -> bool:
        """Whether a resource is what it is on, or lies below that."""
        return f"{identifier.lower()}/".startswith(f"{self.scope.lower()}/")


def locks_in(body: Mapping[str, Any] | None) -> list[Lock]:
    """The locks that Azure lists."""
    return [Lock(str(found["id"]), str((found.get("properties") or {}).get("level"))) for found in (body or {}).get("value") or ()]


def locks_of(subscription: str) -> str:
    """What to read for all locks of a subscription, given its id (``/subscriptions/…``)."""
    return f"{subscription}{_LOCKS}"


class Locks:
    """The locks of the subscriptions that are asked about, listed once each. Safe for threads."""

    def __init__(self, client: ArmClient) -> None:
        self._client = client
        self._listing = threading.Lock()
        self._known: dict[str, list[Lock]] = {}

    def _of(self, identifier: str) -> list[Lock]:
        scope = locks_of("/".join(identifier.split("/")[:3]))
        with self._listing:
            if scope not in self._known:
                self._known[scope] = locks_in(self._client.get(scope, version_of(scope)))
            return self._known[scope]

    def refuse_deletion(self, identifier: str) -> None:
        """Raises :class:`~.errors.Refused` for what a lock protects."""
        for lock in self._of(identifier):
            if lock.covers(identifier):
                raise Refused("ScopeLocked", f"the lock {lock.id} protects it.", remedy_for("ScopeLocked"))

    def refuse_write(self, identifier: str) -> None:
        """Raises :class:`~.errors.Refused` for what is read-only. Who may not list locks learns of one from Azure."""
        try:
            found = self._of(identifier)
        except ArmFailure as error:
            if error.status != 403:
                raise
            found = []
        for lock in found:
            if lock.is_read_only and lock.covers(identifier):
                raise Refused("ScopeLocked", f"the lock {lock.id} makes it read-only.", remedy_for("ScopeLocked"))
