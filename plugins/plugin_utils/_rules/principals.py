"""Rules of those who get a role in Azure.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .._resource_id import GUID
from . import Answer, Chapter, Finding


@dataclass(frozen=True)
class Principals:
    """Who gets a role, and the variable that names them."""

    variable: str
    ids: Sequence[str]


CHAPTER = Chapter[Principals]("principals")


@CHAPTER.rule(
    "use the object id of the user, group or service principal (az ad user show --query id)",
    "https://learn.microsoft.com/azure/role-based-access-control/role-assignments",
)
def principal_ids(principals: Principals) -> Iterator[Finding]:
    """A principal without a valid object id."""
    for text in principals.ids:
        if not GUID.fullmatch(text):
            yield principals.variable, f"{text!r} is not an object id"


@dataclass(frozen=True)
class Identity:
    """A user-assigned identity that gets a role and that the run does not make: the variable that names it, its id, and what Azure answered."""

    variable: str
    id: str
    answer: Answer


IDENTITIES = Chapter[Identity]("principals")


@IDENTITIES.rule("correct the id, or create the identity (az identity create)")
def identity_exists(identity: Identity) -> Iterator[Finding]:
    """A user-assigned identity that Azure does not have."""
    if not identity.answer.exists:
        yield identity.variable, f"{identity.id} {identity.answer.absence}"
