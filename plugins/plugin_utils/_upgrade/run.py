"""One run of an upgrade: what it is to do, and what it did.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._azure.client import ArmClient
from .._azure.graph import Declarations
from .._azure.options import Options
from .._azure.outcomes import Outcome
from .._azure.reconcile import Reconciler
from .._resource_id import type_of
from .facts import RunningCluster
from .inventory import Wishes

Body = dict[str, Any]


class Stopped(Exception):
    """Why an upgrade did not go on; a sentence with the way out."""


@dataclass(frozen=True)
class Order:
    """What a run is to do. ``timeout`` is in seconds, for one operation of Azure's."""

    cluster_id: str
    policies: str
    acknowledged: tuple[str, ...]
    settings: Mapping[str, Mapping[str, Any]]
    prefixes: Mapping[str, Sequence[str]]
    wishes: Callable[[RunningCluster], Wishes]
    folder: Path | None
    timeout: float
    check: bool = False


@dataclass
class Report:
    """What a run did. ``writes`` are in their order, ``steps`` the kinds of those of the chain."""

    table: str = ""
    verdict: str = ""
    steps: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    ranges: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Run:
    """``tell`` shows a line to whoever waits."""

    client: ArmClient
    order: Order
    tell: Callable[[str], None]
    report: Report = field(default_factory=Report)

    def reconcile(self, declared: Mapping[str, Body]) -> None:
        """Write with the engine. Raises :class:`Stopped` with all failures."""
        if not declared:
            return
        resources = Declarations(
            declared,
            subscription_id=self.client.login.subscription_id,
            resource_group="",
            state="present",
            template=lambda value, _variables: value,
            condition=lambda value, _variables: bool(value),
        ).resources
        run = Reconciler(self.client, resources, Options(check=self.order.check, timeout=self.order.timeout, progress=self.tell))
        run.run()
        for outcome in run.outcomes.values():
            if outcome.action != "none":
                self.report.outcomes.append(outcome)
                self.wrote(f"{type_of(outcome.id).rpartition('/')[2]} {outcome.id.rpartition('/')[2]}")
        if run.failures:
            raise Stopped("\n".join(map(str, run.failures.values())))

    def wrote(self, what: str) -> None:
        """Note a write, and tell of it."""
        self.report.writes.append(f"would write {what}" if self.order.check else what)
        if not self.order.check:
            self.tell(f"wrote {what}")
