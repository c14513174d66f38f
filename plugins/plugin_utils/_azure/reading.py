"""Reads of Azure: ids, collections, and the POSTs that only read. A refusal is told from something that is not there.

This file is private to the collection.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._typed import Option
from .client import ArmClient
from .errors import ArmFailure
from .graph import entries_of
from .types import version_of

#: POSTs that read; no other action is ever sent as a read
READING_ACTIONS = ("checkNameAvailability", "listClusterUserCredential")
_ENTRY: Option = {
    "type": "dict",
    "options": {
        "id": {"required": True},
        "api_version": {},
        "action": {"choices": READING_ACTIONS},
        "body": {"type": "dict"},
        "attributes": {"type": "list", "elements": "str"},
        "names": {"type": "list", "elements": "str"},
    },
}


@dataclass(frozen=True)
class Read:
    """One GET, or with ``action`` one POST. ``id`` may have a query. Of a list ``names`` are the items that are kept, whatever their case, and
    ``attributes`` all that is kept of an item; empty for all."""

    id: str
    api_version: str
    action: str = ""
    body: dict[str, Any] | None = None
    attributes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def reads_of(declared: Mapping[str, Any]) -> dict[str, Read]:
    """The reads that a task names, by handle. Raises :class:`~.graph.DeclarationError` with all that is wrong."""
    return entries_of("reads", declared, _ENTRY, _read)


def _read(_handle: str, entry: Mapping[str, Any]) -> Read:
    action = entry.get("action") or ""
    version = entry.get("api_version") or version_of(entry["id"].partition("?")[0], action)
    attributes, names = (tuple(entry.get(key) or ()) for key in ("attributes", "names"))
    return Read(entry["id"], version, action, entry.get("body"), attributes, names)


def read_all(client: ArmClient, reads: Mapping[str, Read], parallelism: int = 8) -> dict[str, dict[str, Any]]:
    """Handle -> answer of each read: ``exists`` with ``body``, or ``error`` with its code, message and status.

    Bodies are as Azure has them, since some are sent back: whoever shows one masks it.
    """
    with concurrent.futures.ThreadPoolExecutor(parallelism) as pool:
        return dict(zip(reads, pool.map(lambda read: _answer(client, read), reads.values()), strict=True))


def _answer(client: ArmClient, read: Read) -> dict[str, Any]:
    try:
        body = client.post(f"{read.id}/{read.action}", read.api_version, read.body) if read.action else client.get(read.id, read.api_version)
    except ArmFailure as error:
        return {"id": read.id, "exists": False, "body": {}, "error": {"code": error.code, "message": error.message, "status": error.status}}
    return {"id": read.id, "exists": body is not None, "body": only(read.attributes, body or {}, read.names), "error": {}}


def only(attributes: Sequence[str], body: dict[str, Any], names: Sequence[str] = ()) -> dict[str, Any]:
    """A list with nothing but the items of these names, and nothing but these attributes in them; whole where none are named."""
    if not attributes and not names:
        return body
    wanted = {name.lower() for name in names}
    items = [item for item in body.get("value") or [] if not wanted or str(item.get("name")).lower() in wanted]
    return {"value": [{name: item[name] for name in attributes if name in item} for item in items] if attributes else items}
