"""Each rule of the lab's Azure has cases that break it, or a reason why no inventory can (tests/parity/cases.yml)."""

from __future__ import annotations

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import book
from lab.arm import rules
from tests import parity

RULES = rules.RULES.keys() | rules.DELETE_RULES.keys()


def test_each_rule_of_the_lab_has_cases_or_a_reason() -> None:
    assert RULES - parity.entries().keys() == set()


def test_each_entry_is_a_rule_of_the_lab() -> None:
    assert parity.entries().keys() - RULES == set()


@pytest.mark.parametrize("rule", parity.entries())
def test_an_entry_has_cases_or_a_reason(rule: str) -> None:
    entry = parity.entries()[rule]
    if isinstance(entry, list):
        assert entry
    elif "with" in entry:
        assert set(entry) == {"with"}
        assert isinstance(parity.entries()[entry["with"]], list)
    else:
        assert set(entry) == {"reason"}
        assert entry["reason"].endswith(".")


def test_stamps_have_names_of_their_own_that_fit() -> None:
    stamps = [case.stamp for case in parity.cases()]
    assert len(set(stamps)) == len(stamps)
    # The longest name that is made of a stamp's is the registry's: 50 characters, of which 15 are not the stamp's.
    assert [stamp for stamp in stamps if len(stamp.replace("-", "")) > 35] == []


def test_stamps_are_refused_by_rules_of_the_book() -> None:
    assert {rule for case in parity.cases() for rule in case.refused_by} - book.RULES.keys() == set()
