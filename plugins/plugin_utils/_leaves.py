"""Looking into bodies of Azure and Kubernetes: one value by its path, or all of them as leaves, so that two bodies can be compared.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: what Azure and Kubernetes write by themselves, at any depth
_VOLATILE = frozenset(
    {"etag", "resourceguid", "provisioningstate", "systemdata", "resourceversion", "managedfields", "generation", "status", "creationtimestamp"}
)


def value_at(value: Any, path: str) -> Any:
    """What a body has at a dotted path; None where there is nothing."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def leaves(path: str, value: Any) -> dict[str, Any]:
    """Leaves by their dotted path, without what services write by themselves; lists of named things by name, others by position."""
    if isinstance(value, Mapping):
        pairs = ((f"{path}.{key}", item) for key, item in value.items() if str(key).lower() not in _VOLATILE)
    elif isinstance(value, list):
        pairs = ((f"{path}[{item['name'] if isinstance(item, Mapping) and 'name' in item else number}]", item) for number, item in enumerate(value))
    else:
        return {path: value}
    return {key: leaf for below, item in pairs for key, leaf in leaves(below, item).items()}
