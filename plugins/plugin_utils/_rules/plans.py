"""Every rule that a plan can break without anybody being asked.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import Violation, addresses, aks, security_groups
from .planned import PlannedStamp, planned, planned_fleet

CHAPTERS = (addresses.CHAPTER, aks.CHAPTER, security_groups.CHAPTER)


def _violations(stamp: PlannedStamp) -> list[Violation]:
    return [violation for chapter in CHAPTERS for violation in chapter.violations(stamp)]


def plan_violations(specification: Mapping[str, Any], register: Mapping[str, Any]) -> list[Violation]:
    """All broken rules of one stamp, in the order of the book; empty when the plan is good.

    Raises :class:`~.._addresses.ranges.MalformedSpecification` only for what cannot be read at all.
    """
    return _violations(planned(specification, register))


def fleet_violations(specifications: Iterable[Mapping[str, Any]], register: Mapping[str, Any]) -> list[Violation]:
    """All broken rules of many stamps, in their order, for a register that has them all. Raises as :func:`plan_violations` does."""
    return [violation for stamp in planned_fleet(specifications, register) for violation in _violations(stamp)]
