"""Whose a resource is: the collection marks what it makes, by tags or by a record set's metadata.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._leaves import value_at
from .types import TypeFacts

MANAGED_BY = ("managed-by", "dualstack.aks")
STAMP_TAG = "dualstack-stamp"


def tags_of(body: Mapping[str, Any] | None) -> dict[str, str]:
    """The tags of a resource as Azure answers it, their names in lower case: they have none."""
    return _lower((body or {}).get("tags"))


def marks_of(facts: TypeFacts, body: Mapping[str, Any] | None) -> dict[str, str]:
    """Where the collection's mark is, with lower-case names: a resource's tags or metadata. Empty for a type that has neither."""
    return _lower(value_at(body, facts.mark)) if facts.mark else {}


def mark(stamp: str) -> dict[str, str]:
    """The mark of what a stamp makes."""
    return dict([MANAGED_BY]) | ({STAMP_TAG: stamp} if stamp else {})


def declared_mark(facts: TypeFacts, declared: Mapping[str, Any]) -> dict[str, str]:
    """The mark in a declared body; empty for one that is not declared as the collection's."""
    found = {name: value for name, value in marks_of(facts, declared).items() if name in (MANAGED_BY[0], STAMP_TAG)}
    return found if found.get(MANAGED_BY[0]) == MANAGED_BY[1] else {}


def in_words(wanted: Mapping[str, str]) -> str:
    """A mark as a sentence names it."""
    return " and ".join(f"{name}={value}" for name, value in wanted.items())


def _lower(names: Mapping[str, str] | None) -> dict[str, str]:
    return {name.lower(): value for name, value in (names or {}).items()}
