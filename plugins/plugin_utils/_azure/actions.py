"""Actions on resources: POSTs that a role names, such as the import of an image.

This file is private to the collection.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .client import ArmClient, ArmFailure, TimedOut
from .graph import DeclarationError
from .reconcile import Failure, Options, remedy_for, while_busy
from .types import version_of

_KEYS = {"id", "action", "body", "api_version"}


@dataclass(frozen=True)
class Action:
    """One POST: ``verb`` is the last segment of its path."""

    name: str
    id: str
    verb: str
    api_version: str
    body: dict[str, Any] = field(default_factory=dict)


def actions_of(declared: Mapping[str, Any]) -> list[Action]:
    """The actions that a task names. Raises :class:`~.graph.DeclarationError` with all that is wrong."""
    found, faults = [], []
    for name, entry in declared.items():
        try:
            found.append(_action(name, entry))
        except ValueError as error:
            faults.append(f"actions.{name}: {error}")
    if faults:
        raise DeclarationError("\n".join(faults))
    return found


def _action(name: str, entry: Any) -> Action:
    if not isinstance(entry, Mapping) or not entry.get("id") or not entry.get("action"):
        raise ValueError("id and action are needed.")
    if unknown := sorted(entry.keys() - _KEYS):
        raise ValueError(f"unknown keys {', '.join(unknown)}. Known: {', '.join(sorted(_KEYS))}.")
    version = entry.get("api_version") or version_of(entry["id"], entry["action"])
    return Action(name, entry["id"], entry["action"], str(version), dict(entry.get("body") or {}))


def send(client: ArmClient, actions: Sequence[Action], options: Options) -> list[Failure]:
    """Send them in parallel and wait for what they began."""
    with concurrent.futures.ThreadPoolExecutor(options.parallelism) as pool:
        return [failure for failure in pool.map(lambda action: _send(client, action, options), actions) if failure]


def _send(client: ArmClient, action: Action, options: Options) -> Failure | None:
    def post() -> None:
        answer = client.begin(f"{action.id}/{action.verb}", action.api_version, action.body)
        if options.wait:
            client.wait(answer, options.timeout, lambda seconds: options.progress(f"waiting for {action.verb} {action.name}: {seconds:.0f} s"))

    try:
        while_busy(post, options.timeout)
    except ArmFailure as error:
        return Failure(action.name, action.id, error.code, error.message, remedy_for(error), error.correlation)
    except TimedOut:
        message = f"Azure was still working on {action.verb} after {options.timeout:.0f} s."
        return Failure(action.name, action.id, "TimedOut", message, "raise timeout, and run again")
    return None
