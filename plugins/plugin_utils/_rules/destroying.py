"""Rules of deleting a stamp.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import Chapter, Finding


@dataclass(frozen=True)
class Deletion:
    """The stamp that is to be deleted, and the one that the operator named."""

    stamp: str
    confirmed: str


CHAPTER = Chapter[Deletion]("destroying")
rule = CHAPTER.rule


@rule("confirm the stamp with -e destroy_confirm")
def destroy_unconfirmed(deletion: Deletion) -> Iterator[Finding]:
    """A stamp that the operator has not confirmed: destroy.yml deletes it with its cluster, registry and vault."""
    if deletion.confirmed != deletion.stamp:
        yield (
            "destroy_confirm",
            f"destroy.yml deletes the stamp {deletion.stamp} with its cluster, registry and vault, but destroy_confirm is {deletion.confirmed!r}",
            f"set -e destroy_confirm={deletion.stamp} (and --limit {deletion.stamp} if the inventory has other stamps)",
        )
