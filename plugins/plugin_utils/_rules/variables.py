"""Rules of a role's variables as such: they fit the role's argument specification, and can be read.

This file is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from . import Chapter, Finding, habits


@dataclass
class Variables:
    """What is wrong with a role's variables: variable and message of each that does not fit, what plans cannot read, and what kept rules from
    being applied: values that cannot be rendered, and Azure that did not answer."""

    role: str
    misfits: list[tuple[str, str]] = field(default_factory=list)
    malformed: Sequence[str] = ()
    unusable: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)

    def add(self, message: str, specified: Collection[str]) -> None:
        """Take up why something cannot be rendered: another role's variable that does not fit, by name, or something else."""
        path, _unused, problem = message.partition(": ")
        if re.split(r"[.\[]", path)[0] not in specified:
            self.unusable.append(message)
        elif (path, problem) not in self.misfits:
            self.misfits.append((path, problem))


CHAPTER = Chapter[Variables]("variables")
rule = CHAPTER.rule


@rule("use a value that the role's argument specification allows")
def specification(variables: Variables) -> Iterator[Finding]:
    """A value that does not fit the role's argument specification."""
    for name, message in variables.misfits:
        yield name, message, habits.remedy(name, message) or f"use a value that `ansible-doc -t role dualstack.aks.{variables.role}` describes"


@rule("write it in the format that the role's argument specification describes")
def malformed_value(variables: Variables) -> Iterator[Finding]:
    """A value of the right type that the plan cannot read, such as an invalid prefix."""
    for message in variables.malformed:
        name, _unused, found = message.rstrip(".").partition(" ")
        yield name.rstrip(":"), found


@rule("correct the variable from which it is rendered")
def unusable_value(variables: Variables) -> Iterator[Finding]:
    """A value that Ansible cannot render. Rules that need it could not be checked."""
    # Where a value does not fit, what follows from it cannot be rendered either: one problem is one line.
    if not variables.misfits:
        for message in dict.fromkeys(variables.unusable):
            subject, colon, found = message.partition(": ")
            yield (subject, found) if colon else (f"role {variables.role}", message)


@rule("correct the credentials, the cloud or the network between this controller and Azure; see README.md")
def azure_unanswered(variables: Variables) -> Iterator[Finding]:
    """A failed request to Azure. Rules that need the answer could not be checked."""
    for message in dict.fromkeys(variables.unanswered):
        yield "Azure", message
