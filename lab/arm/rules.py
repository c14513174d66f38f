"""Azure's semantic rules: what its services refuse although the shape is right. One function a rule, each with an id and a source.

A rule gets the write (body with Azure's defaults, what was there before) and raises :class:`~lab.arm.errors.ArmError`, or returns. Each service has
its own in ``rules``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import ArmError
from .kinds import Write
from .store import Resource

if TYPE_CHECKING:
    from .azure import Azure


@dataclass(frozen=True)
class Rule:
    """One rule: ``id`` names it in tests and docs, ``source`` is where Azure documents it."""

    id: str
    type: str
    source: str
    check: Callable[[Write], None]


@dataclass(frozen=True)
class DeleteRule:
    id: str
    type: str
    source: str
    check: Callable[[Azure, Resource], None]


RULES: dict[str, Rule] = {}
DELETE_RULES: dict[str, DeleteRule] = {}


def rule(identifier: str, resource_type: str, source: str) -> Callable[[Callable[[Write], None]], Callable[[Write], None]]:
    """Decorator: check this at every write of ``resource_type``."""

    def register(check: Callable[[Write], None]) -> Callable[[Write], None]:
        assert identifier not in RULES, identifier
        RULES[identifier] = Rule(identifier, resource_type.lower(), source, check)
        return check

    return register


def delete_rule(identifier: str, resource_type: str, source: str) -> Callable[[Callable[[Azure, Resource], None]], Callable[[Azure, Resource], None]]:
    """Decorator: check this before every deletion of ``resource_type``."""

    def register(check: Callable[[Azure, Resource], None]) -> Callable[[Azure, Resource], None]:
        assert identifier not in DELETE_RULES, identifier
        DELETE_RULES[identifier] = DeleteRule(identifier, resource_type.lower(), source, check)
        return check

    return register


def check_write(write: Write) -> None:
    for found in RULES.values():
        if found.type == write.type.lower():
            with _named(found.id):
                found.check(write)


def check_delete(azure: Azure, resource: Resource) -> None:
    for found in DELETE_RULES.values():
        if found.type == resource.type.lower():
            with _named(found.id):
                found.check(azure, resource)


@contextmanager
def _named(identifier: str) -> Iterator[None]:
    """Put the rule's id into what it raises."""
    try:
        yield
    except ArmError as error:
        error.rule = identifier
        raise
