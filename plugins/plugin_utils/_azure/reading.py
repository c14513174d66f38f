"""Reads of Azure that tell a refusal from something that is not there.

This file is private to the collection.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Mapping, Sequence
from typing import Any

from .client import ArmClient, ArmFailure


def read(
    client: ArmClient,
    identifier: str,
    api_version: str,
    action: str = "",
    body: dict[str, Any] | None = None,
    attributes: Sequence[str] = (),
) -> dict[str, Any]:
    """One answer: ``exists`` with ``body``, or ``error`` with its code, message and status."""
    try:
        found = client.post(f"{identifier}/{action}", api_version, body) if action else client.get(identifier, api_version)
    except ArmFailure as error:
        return {"id": identifier, "exists": False, "body": {}, "error": {"code": error.code, "message": error.message, "status": error.status}}
    return {"id": identifier, "exists": found is not None, "body": only(attributes, found or {}), "error": {}}


def read_all(client: ArmClient, reads: Mapping[str, Mapping[str, Any]], parallelism: int = 8) -> dict[str, dict[str, Any]]:
    """Name -> answer of each read, whose keys are the parameters of :func:`read`."""
    with concurrent.futures.ThreadPoolExecutor(parallelism) as pool:
        return dict(zip(reads, pool.map(lambda wanted: read(client, **wanted), reads.values()), strict=True))


def only(attributes: Sequence[str], body: dict[str, Any]) -> dict[str, Any]:
    """A list with nothing but these attributes in its items; whole where none are named."""
    if not attributes:
        return body
    return {"value": [{name: item[name] for name in attributes if name in item} for item in body.get("value") or []]}
