"""An assessment as people and other programs read it.

This file is private to the collection.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from .._report.page import render
from .._rules import Violation
from .assessment import Assessment, PlannedStep
from .pools import BASIS

#: with what Ansible puts before a line it stays below 100
_WIDTH = 92
_LABEL = 26


def console(assessment: Assessment) -> str:
    """Text below 100 columns."""
    lines = [*_wrapped(assessment.verdict)]
    for section in assessment.sections:
        lines += ["", section.title]
        for label, text in section.rows:
            lines += _row(label, text)
    lines += _block("Not seen", [text.removeprefix("could not be seen: ") for text in assessment.unseen])
    lines += _block("What prevents the upgrade", map(told, assessment.refusals))
    lines += _block("Fix first", map(told, assessment.blockers))
    if assessment.steps and assessment.has_chain:
        lines += _block("Before the first step", [f"{item.subject} {item.text}" for item in assessment.preparations])
        lines += ["", "Steps, each one PUT of the cluster"]
        for number, step in enumerate(assessment.steps, 1):
            lines += _wrapped(f"{number}. {step.kind}: {step.title}", "  ", "     ")
            lines += [line for text in details(step) for line in _wrapped(text, "     ")]
        lines += _wrapped(BASIS, "  ")
    lines += _block("Know before you start", map(told, assessment.cautions))
    lines += _block("What IPv6 adds", assessment.additions)
    lines += _block(f"Ingress mode {assessment.advice.mode}", assessment.advice.reasons)
    return "\n".join(lines)


def _wrapped(text: str, first: str = "", later: str | None = None) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=first if later is None else later, break_on_hyphens=False, break_long_words=False
    )


def _row(label: str, text: str) -> list[str]:
    if len(label) < _LABEL:
        return _wrapped(text, f"  {label:{_LABEL}}", " " * (_LABEL + 2))
    return [*_wrapped(label, "  "), *_wrapped(text, " " * (_LABEL + 2))]


def _block(title: str, texts: Iterable[str]) -> list[str]:
    found = [line for text in texts for line in _wrapped(text, "  - ", "    ")]
    return ["", title, *found] if found else []


def told(violation: Violation) -> str:
    """One line, without the page that the rule comes from."""
    return f"{violation.subject}: {violation.found} [{violation.rule}]. Remedy: {violation.remedy}"


def details(step: PlannedStep) -> Iterator[str]:
    """What a step sends, reimages and costs."""
    yield "sends " + ", ".join(f"{path}={json.dumps(value)}" for path, value in step.change.items())
    cores = f", {step.work.cores['cores']} more cores at a time" if "cores" in step.work.cores else ""
    surge = "1 surge node" if step.work.surge_nodes == 1 else f"{step.work.surge_nodes} surge nodes"
    yield f"reimages {step.work.nodes} nodes of {', '.join(step.pools)}; {surge}{cores}"
    if step.work.unknown_sizes:
        yield f"cores of {', '.join(step.work.unknown_sizes)} are unknown"
    least, most = step.work.least_minutes, step.work.most_minutes
    yield f"takes {least} to {most} minutes" if least != most else f"takes about {least} minutes"
    yield step.irreversible or "can be undone"


def as_json(assessment: Assessment) -> str:
    return json.dumps(assessment.as_dict(), indent=2, ensure_ascii=False) + "\n"


def markdown(assessment: Assessment) -> str:
    lines = [f"# Assessment of {assessment.name}", "", assessment.verdict]
    for section in assessment.sections:
        lines += [
            "",
            f"## {section.title}",
            "",
            "| what | is |",
            "| --- | --- |",
            *(f"| {_cell(label)} | {_cell(text)} |" for label, text in section.rows),
        ]
    lines += _list("Not seen", assessment.unseen)
    lines += _list("What prevents the upgrade", map(told, assessment.refusals))
    lines += _list("Fix first", map(told, assessment.blockers))
    if assessment.steps and assessment.has_chain:
        lines += _list("Before the first step", [f"{item.subject} {item.text}" for item in assessment.preparations])
        lines += ["", "## Steps", "", "| step | does | sends, reimages, takes |", "| --- | --- | --- |"]
        lines += [f"| {step.kind} | {_cell(step.title)} | {_cell('; '.join(details(step)))} |" for step in assessment.steps]
        lines += ["", BASIS]
    lines += _list("Know before you start", map(told, assessment.cautions))
    lines += _list("What IPv6 adds", assessment.additions)
    lines += _list(f"Ingress mode {assessment.advice.mode}", assessment.advice.reasons)
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def _list(title: str, texts: Iterable[str]) -> list[str]:
    found: Sequence[str] = [f"- {' '.join(text.split())}" for text in texts]
    return ["", f"## {title}", "", *found] if found else []


def page(assessment: Assessment, time: str) -> str:
    """One page for a browser or for paper."""
    return render("assessment.html", assessment=assessment, time=time, basis=BASIS, details=lambda step: list(details(step)))
