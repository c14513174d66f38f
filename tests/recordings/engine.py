"""The engine's comparison, on what clients wrote and what Azure then answered: any difference is one that it would write again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.comparison import Comparison
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.types import known

from .reader import Exchange, Scenario
from .report import Report

_ITEM = re.compile(r"\[[^\]]*\]")


def compare_writes(scenario: Scenario) -> Report:
    """Compare each accepted PUT of a type that the engine knows with the next answer about the resource that nothing is changing."""
    report = Report()
    for at, write in enumerate(scenario.exchanges):
        facts = known(write.type)
        if write.method != "PUT" or write.code or not facts or not facts.read_only:
            continue
        answer = next(_answers(scenario.exchanges[at:], write), None)
        if answer is None:
            continue
        figures = report.of(facts.name)
        differences = Comparison(facts).differences(write.body, answer)
        figures.compared += 1
        figures.same += not differences
        for found in differences:
            example = f"{scenario.name}: PUT {write.path}\nsent:  {found.after!r}\nAzure: {found.before!r}"
            figures.gap(f"the engine differs {_ITEM.sub('[]', found.path)}", example)
    return report


def _answers(exchanges: list[Exchange], write: Exchange) -> Iterator[Any]:
    """Settled answers about the written resource, until it is written again."""
    for exchange in exchanges:
        if exchange.path.lower() == write.path.lower():
            if exchange is not write and exchange.writes:
                return
            if exchange.is_settled:
                yield exchange.answer
