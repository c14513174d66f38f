"""What of Kubernetes objects their clients depend on.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._leaves import leaves


def object_state(objects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Dotted name -> value of the labels, spec and data of objects, without the replicas that an autoscaler sets."""
    state: dict[str, Any] = {}
    for item in objects:
        name = f"{item['kind']} {item['metadata']['name']}"
        state |= leaves(f"{name}.labels", item["metadata"].get("labels") or {})
        state |= leaves(f"{name}.spec", {key: value for key, value in (item.get("spec") or {}).items() if key != "replicas"})
        state |= leaves(f"{name}.data", item.get("data") or {})
    return state
