"""Every rule that a plan can break without anybody being asked.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._addresses.ranges import MalformedSpecification
from . import Violation, addresses, aks, security_groups
from .planned import PlannedStamp, planned, planned_fleet

#: how the message of what cannot be read begins -> the key of the specification that it is about
_KEYS = {
    "dualstack_ipv4_pools": "ipv4_pools",
    "dualstack_ipv6_prefix": "ipv6_prefix",
    "dualstack_subnets": "subnets",
    "network_security_rules": "security_rules",
    **{f"{name}_ipv4_prefix_length": f"{name}_ipv4_prefix_length" for name in ("vnet", "pods", "services")},
}

CHAPTERS = (addresses.CHAPTER, aks.CHAPTER, security_groups.CHAPTER)


def _violations(stamp: PlannedStamp) -> list[Violation]:
    return [violation for chapter in CHAPTERS for violation in chapter.violations(stamp)]


def plan_violations(specification: Mapping[str, Any], register: Mapping[str, Any]) -> list[Violation]:
    """All broken rules of one stamp, in the order of the book; empty when the plan is good.

    Raises :class:`~.._addresses.ranges.MalformedSpecification` only for what cannot be read at all.
    """
    return _violations(planned(specification, register))


def fleet_problems(specifications: Iterable[Mapping[str, Any]], register: Mapping[str, Any]) -> tuple[list[Violation], list[str]]:
    """All broken rules of many stamps, in their order, and warnings, for a register that has them all. Raises as :func:`plan_violations` does."""
    stamps = list(planned_fleet(specifications, register))
    return [found for stamp in stamps for found in _violations(stamp)], [text for stamp in stamps for text in addresses.warnings(stamp)]


def plan_problems(specification: Mapping[str, Any], register: Mapping[str, Any]) -> tuple[list[str], list[Violation], list[str]]:
    """A message for each part that cannot be read, the violations with its default instead, and warnings."""
    readable, messages = dict(specification), list[str]()
    while True:
        try:
            stamp = planned(readable, register)
            return messages, _violations(stamp), list(addresses.warnings(stamp))
        except MalformedSpecification as error:
            messages.append(str(error))
            key = next((key for start, key in _KEYS.items() if str(error).startswith(start) and key in readable), None)
            if key is None:
                return messages, [], []
            del readable[key]
