"""The rule book: what is refused before anything is written, one function a rule, one module a subject.

This file is private to the collection.

A rule gets typed facts (what the inventory declares, what Azure and the cluster answered) and yields findings; it never raises for what a
user wrote, and it asks nobody. Its name is its id, its docstring is what it refuses and why. docs/docsite/rst/rules.rst lists them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

#: subject, what was found there, and the remedy where the rule's own can be said more precisely
Finding = tuple[str, str] | tuple[str, str, str]
type Check[Facts] = Callable[[Facts], Iterator[Finding]]


@dataclass(frozen=True)
class Violation:
    """A broken rule: which, of what, what was found, and the way out."""

    rule: str
    subject: str
    found: str
    remedy: str
    reference: str = ""

    def __str__(self) -> str:
        reference = f" See {self.reference}" if self.reference else ""
        return f"{self.subject}: {self.found} [{self.rule}]. Remedy: {self.remedy}.{reference}"


@dataclass(frozen=True)
class Rule[Facts]:
    """One rule. ``refuses`` is its docstring; ``reference`` is the page of Azure's or Kubernetes' that it comes from, empty for our own."""

    id: str
    chapter: str
    refuses: str
    remedy: str
    reference: str
    check: Check[Facts]


@dataclass(frozen=True)
class Answer:
    """What Azure answered to one read: ``body`` is empty where there is nothing, or where ``error`` tells why it could not be read."""

    exists: bool
    body: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    @classmethod
    def of(cls, read: Mapping[str, Any]) -> Answer:
        """Of what :func:`_azure.reading.read_all` returned for one read: ``exists``, ``body`` and ``error`` (``code`` and ``message``, or None)."""
        error = read["error"]
        return cls(read["exists"], read["body"], f"{error['code']}: {error['message']}" if error else "")

    @property
    def absence(self) -> str:
        """Why there is no body, for a sentence that begins with the id."""
        return f"cannot be read ({self.error})" if self.error else "does not exist"


class Chapter[Facts]:
    """The rules that look at the same facts, in the order in which they are reported."""

    def __init__(self, name: str, stops: bool = True) -> None:
        """``stops``: whether a broken rule keeps a run from going on; otherwise it is only told."""
        self.name, self.stops = name, stops
        self.rules: list[Rule[Facts]] = []

    def rule(self, remedy: str, reference: str = "") -> Callable[[Check[Facts]], Check[Facts]]:
        """Decorator: the function is a rule of this chapter."""

        def register(check: Check[Facts]) -> Check[Facts]:
            self.rules.append(Rule(check.__name__, self.name, " ".join((check.__doc__ or "").split()), remedy, reference, check))
            return check

        return register

    def violations(self, facts: Facts) -> list[Violation]:
        """All broken rules of the chapter; empty when everything is right."""
        return [
            Violation(rule.id, subject, found, remedy[0] if remedy else rule.remedy, rule.reference)
            for rule in self.rules
            for subject, found, *remedy in rule.check(facts)
        ]


def once(findings: Iterable[Iterable[Violation]]) -> list[Violation]:
    """The violations that several roles found, each problem once: of the same subject and rule the first role's findings count."""
    result: list[Violation] = []
    for violations in findings:
        reported = {(violation.rule, violation.subject) for violation in result}
        result += [violation for violation in violations if (violation.rule, violation.subject) not in reported]
    return result


def text(violations: Iterable[Violation]) -> str:
    """One line a violation; empty without."""
    return "\n".join(f"- {violation}" for violation in violations)
