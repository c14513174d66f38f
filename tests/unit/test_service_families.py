"""How a Service may change its families. The whole table is tried on the real API server in tests/e2e."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.service_families import (
    POLICIES,
    SINGLE,
    FamilyChange,
    MalformedService,
    service_family_change,
)

V4, V6, BOTH, REVERSED = ("IPv4",), ("IPv6",), ("IPv4", "IPv6"), ("IPv6", "IPv4")
PREFER, REQUIRE = POLICIES[1:]

#: (policy and families that are there, those that are wanted) -> what comes of it
CHANGES: list[tuple[tuple[Any, ...], FamilyChange]] = [
    ((SINGLE, V4, SINGLE, V4), FamilyChange(True, SINGLE, V4)),
    ((SINGLE, V4, PREFER, BOTH), FamilyChange(True, PREFER, BOTH, added=V6)),
    ((SINGLE, V4, REQUIRE), FamilyChange(True, REQUIRE, BOTH, added=V6)),
    ((SINGLE, V6, PREFER, V6), FamilyChange(True, PREFER, REVERSED, added=V4)),
    ((PREFER, BOTH, REQUIRE, BOTH), FamilyChange(True, REQUIRE, BOTH)),
    ((PREFER, BOTH, SINGLE, V4), FamilyChange(True, SINGLE, V4, released=V6)),
    ((REQUIRE, REVERSED, SINGLE), FamilyChange(True, SINGLE, V6, released=V4)),
    ((PREFER, BOTH, SINGLE, BOTH), FamilyChange(True, SINGLE, V4, released=V6)),
]
#: … -> a part of the reason
REFUSALS: list[tuple[tuple[Any, ...], str]] = [
    ((SINGLE, V4, SINGLE, V6), "first family never changes, and this one is IPv4"),
    ((SINGLE, V4, PREFER, REVERSED), "create another Service with IPv6 first"),
    ((PREFER, BOTH, PREFER, REVERSED), "this one is IPv4"),
    ((SINGLE, V4, SINGLE, BOTH), "SingleStack allows one family"),
    ((REQUIRE, BOTH, PREFER, V4), "only SingleStack removes IPv6"),
]
#: … -> what the message names
ERRORS: list[tuple[tuple[Any, ...], str]] = [
    (("DualStack", V4, SINGLE, V4), "'DualStack'"),
    ((SINGLE, V4, "", V4), "wanted ipFamilyPolicy ''"),
    ((SINGLE, V4, SINGLE, ("ipv4",)), r"\['ipv4'\]"),
    ((SINGLE, V4, PREFER, ("IPv4", "IPv4")), "each at most once"),
    ((SINGLE, (), PREFER, V4), "no ipFamilies"),
]


@pytest.mark.parametrize(("case", "change"), CHANGES)
def test_change(case: tuple[Any, ...], change: FamilyChange) -> None:
    assert service_family_change(*case) == change


@pytest.mark.parametrize(("case", "reason"), REFUSALS)
def test_refusal(case: tuple[Any, ...], reason: str) -> None:
    found = service_family_change(*case)
    assert (found.legal, found.policy, found.families) == (False, case[0], case[1])
    assert reason in found.reason


@pytest.mark.parametrize(("case", "message"), ERRORS)
def test_malformed(case: tuple[Any, ...], message: str) -> None:
    with pytest.raises(MalformedService, match=message):
        service_family_change(*case)


@pytest.mark.parametrize(("policy", "order", "wanted_policy"), list(itertools.product(POLICIES, (BOTH, REVERSED), POLICIES)))
def test_what_comes_of_a_change_can_be_declared_again(policy: str, order: tuple[str, ...], wanted_policy: str) -> None:
    current = order[: 1 if policy == SINGLE else 2]
    for wanted in ((), V4, V6, BOTH, REVERSED):
        change = service_family_change(policy, current, wanted_policy, wanted)
        assert change.families[0] == current[0]
        assert service_family_change(change.policy, change.families, change.policy, change.families) == FamilyChange(
            True, change.policy, change.families
        )
        assert {*current, *change.added} - {*change.released} == {*change.families}
