"""Reads of Azure: ids, collections, and the POSTs that only read. A refusal is told from something that is not there.

This file is private to the collection.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .client import ArmClient
from .errors import ArmFailure
from .graph import DeclarationError
from .output import masked
from .types import version_of

#: POSTs that read; no other action is ever sent as a read
READING_ACTIONS = ("checknameavailability", "listclusterusercredential")
_KEYS = {"id", "api_version", "action", "body", "attributes"}


@dataclass(frozen=True)
class Read:
    """One GET, or with ``action`` one POST. ``attributes`` are all that is kept of a list's items; empty for all."""

    id: str
    api_version: str
    action: str = ""
    body: dict[str, Any] | None = None
    attributes: tuple[str, ...] = ()


def reads_of(declared: Mapping[str, Any]) -> dict[str, Read]:
    """The reads that a task names, by handle. Raises :class:`~.graph.DeclarationError` with all that is wrong."""
    reads, faults = {}, []
    for handle, entry in declared.items():
        try:
            reads[handle] = _read(entry)
        except ValueError as error:
            faults.append(f"reads.{handle}: {error}")
    if faults:
        raise DeclarationError("\n".join(faults))
    return reads


def _read(entry: Any) -> Read:
    if not isinstance(entry, Mapping) or not entry.get("id"):
        raise ValueError("id is needed.")
    if unknown := sorted(map(str, entry.keys() - _KEYS)):
        raise ValueError(f"unknown keys {', '.join(unknown)}. Known: {', '.join(sorted(_KEYS))}.")
    attributes, body, action = entry.get("attributes") or [], entry.get("body"), str(entry.get("action") or "")
    if not isinstance(attributes, list):
        raise ValueError(f"attributes must be a list, not {attributes!r}.")
    if body is not None and not isinstance(body, Mapping):
        raise ValueError(f"body must be a mapping, not {body!r}.")
    if action and action.lower() not in READING_ACTIONS:
        raise ValueError(f"{action} is not one of the reading actions {', '.join(READING_ACTIONS)}.")
    version = entry.get("api_version") or version_of(str(entry["id"]), action)
    return Read(str(entry["id"]), str(version), action, dict(body) if body is not None else None, tuple(map(str, attributes)))


def read_all(client: ArmClient, reads: Mapping[str, Read], parallelism: int = 8) -> dict[str, dict[str, Any]]:
    """Handle -> answer of each read: ``exists`` with ``body``, secrets masked, or ``error`` with its code, message and status."""
    with concurrent.futures.ThreadPoolExecutor(parallelism) as pool:
        return dict(zip(reads, pool.map(lambda read: _answer(client, read), reads.values()), strict=True))


def _answer(client: ArmClient, read: Read) -> dict[str, Any]:
    try:
        body = client.post(f"{read.id}/{read.action}", read.api_version, read.body) if read.action else client.get(read.id, read.api_version)
    except ArmFailure as error:
        return {"id": read.id, "exists": False, "body": {}, "error": {"code": error.code, "message": error.message, "status": error.status}}
    return {"id": read.id, "exists": body is not None, "body": masked(only(read.attributes, body or {})), "error": {}}


def only(attributes: Sequence[str], body: dict[str, Any]) -> dict[str, Any]:
    """A list with nothing but these attributes in its items; whole where none are named."""
    if not attributes:
        return body
    return {"value": [{name: item[name] for name in attributes if name in item} for item in body.get("value") or []]}
