"""What the engine knows of each resource type (types.json).

This file is private to the collection.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._resource_id import PROVIDER, type_of

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")


class Patterns:
    """Path patterns of types.json: ``[]`` stands for each item of a list, ``{}`` for each value of a map."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._patterns = frozenset(pattern.lower() for pattern in patterns)
        self._maps = [re.compile(re.escape(pattern).replace(r"\{\}", r"(?:/[^\[\]]+?|[^.]+)")) for pattern in self._patterns if "{}" in pattern]

    def __contains__(self, path: str) -> bool:
        """``path`` is dotted, with ``[]`` behind a list's name."""
        lower = path.lower()
        return lower in self._patterns or any(pattern.fullmatch(lower) for pattern in self._maps)

    def covers(self, path: str) -> bool:
        """Whether ``path`` or something above it is named."""
        parts = path.split(".")
        return any(".".join(parts[: number + 1]) in self for number in range(len(parts)))


@dataclass(frozen=True)
class TypeFacts:
    """One type: see scripts/types.yml for what each fact means."""

    name: str
    api_version: str
    serial: bool = False
    if_match: bool = False
    no_tags: bool = False
    mark: str = "tags"
    immutable: Patterns = field(default_factory=Patterns)
    create_only: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    ordered: Patterns = field(default_factory=Patterns)
    shared: Patterns = field(default_factory=Patterns)
    whole: Patterns = field(default_factory=Patterns)
    list_keys: dict[str, list[str]] = field(default_factory=dict)
    void_items: dict[str, dict[str, Any]] = field(default_factory=dict)
    plurals: dict[str, str] = field(default_factory=dict)
    read_only: Patterns = field(default_factory=Patterns)
    write_only: Patterns = field(default_factory=Patterns)
    enumerations: Patterns = field(default_factory=Patterns)
    caseless: Patterns = field(default_factory=Patterns)
    scopeless: Patterns = field(default_factory=Patterns)
    versions: Patterns = field(default_factory=Patterns)


@functools.cache
def _load() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "types.json").read_text())
    return {name.lower(): facts | {"name": name} for name, facts in loaded.items()}


@functools.cache
def known(resource_type: str) -> TypeFacts | None:
    """The facts of a type; None for one that types.json lacks."""
    facts = _load().get(resource_type.lower())
    if facts is None:
        return None
    names = ("immutable", "ordered", "shared", "whole", "read_only", "write_only", "enumerations", "caseless", "scopeless", "versions")
    patterns = {name: Patterns(facts.get(name, ())) for name in names}
    return TypeFacts(
        name=facts["name"],
        api_version=facts["api_version"],
        serial=facts.get("serial", False),
        if_match=facts.get("if_match", False),
        no_tags=facts.get("no_tags", False),
        mark=facts.get("mark", "" if facts.get("no_tags") else "tags"),
        create_only=tuple(facts.get("create_only", ())),
        children=tuple(facts.get("children", ())),
        unique=tuple(facts.get("unique", ())),
        list_keys={path.lower(): keys for path, keys in facts.get("list_keys", {}).items()},
        void_items={path.lower(): values for path, values in facts.get("void_items", {}).items()},
        plurals=facts.get("plurals", {}),
        **patterns,
    )


def facts_of(identifier: str) -> TypeFacts:
    """The facts of the type of a resource. Raises :class:`ValueError` when types.json does not know it."""
    facts = known(type_of(identifier))
    if facts is None:
        raise ValueError(f"the engine does not know {type_of(identifier)}.")
    return facts


@functools.cache
def _used() -> frozenset[str]:
    """The types that the collection uses and those above them, in lower case."""
    return frozenset("/".join(name.split("/")[:length]) for name in _load() for length in range(2, name.count("/") + 2))


def declared_versions(declared: Mapping[str, Any]) -> dict[str, str]:
    """``api_versions`` of a task, resource type -> API version, with the types in lower case.

    Raises :class:`ValueError` with all that is wrong: a type that the collection does not use, a text that is no version.
    """
    wrong = [f"{name!r} is not a resource type that the collection uses" for name in declared if str(name).lower() not in _used()]
    wrong += [
        f"{version!r} of {name} is not an API version: YYYY-MM-DD, or YYYY-MM-DD-preview"
        for name, version in declared.items()
        if not _VERSION.fullmatch(str(version))
    ]
    if wrong:
        raise ValueError("; ".join(wrong))
    return {name.lower(): str(version) for name, version in declared.items()}


def version_of(identifier: str, action: str = "") -> str:
    """The API version to read an id with, or to send an action with: that of the resource type, or of the provider's own action.

    ``identifier`` may name a collection or a read that is not a resource, such as ``…/locations/<name>/usages``.
    Raises :class:`ValueError` when types.json does not know the type.
    """
    resource_type = type_of(identifier)
    if action and resource_type == PROVIDER:
        resource_type = type_of(f"{identifier.rstrip('/')}/{action}")
    facts = known(resource_type)
    if facts is None:
        raise ValueError(f"the engine does not know {resource_type}: set api_version.")
    return facts.api_version
