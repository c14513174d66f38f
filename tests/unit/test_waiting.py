"""Waits by a clock that only sleeping moves."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure import waiting
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.errors import ArmFailure
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.waiting import PROGRESS_SECONDS, Wait, repeat

BUSY = ArmFailure(409, "AnotherOperationInProgress", "Another operation is in progress.")
DENIED = ArmFailure(403, "AuthorizationFailed", "No.")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """``time`` with a ``now``."""
    found = SimpleNamespace(now=0.0, slept=[])

    def sleep(seconds: float) -> None:
        found.slept.append(seconds)
        found.now += seconds

    found.sleep, found.monotonic = sleep, lambda: found.now
    monkeypatch.setattr(waiting, "time", found)
    return found


@pytest.mark.parametrize("limit", [0, 0.01, 1, 60, 3600])
def test_tries(clock: SimpleNamespace, limit: float) -> None:
    """The first at once, the last at the limit."""
    tries = [(number, clock.now) for number in Wait(limit).tries()]
    assert [number for number, _ in tries] == list(range(len(tries)))
    assert tries[0] == (0, 0)
    assert tries[-1][1] == pytest.approx(limit)
    assert sum(clock.slept) == pytest.approx(limit)


def test_pauses_grow_up_to_ten_seconds(clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: (low + high) / 2)
    times = [clock.now for _ in Wait(120).tries()]
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)][:-1]
    assert pauses[0] == pytest.approx(0.2)
    assert pauses == sorted(pauses)
    assert pauses[-1] == pytest.approx(10)


def test_progress_is_reported_within_a_long_pause(clock: SimpleNamespace) -> None:
    reported: list[float] = []
    wait = Wait(100, reported.append)
    wait.sleep(70)
    assert reported == [PROGRESS_SECONDS * number for number in range(1, 5)]
    assert not wait.is_over
    wait.sleep(70)
    assert (clock.now, wait.is_over) == (100, True)


def test_repeat_until_azure_accepts(clock: SimpleNamespace) -> None:
    reports: list[str] = []

    def attempt(number: int) -> int:
        if clock.now < 40:
            raise BUSY
        return number

    assert repeat(attempt, 3600, reports.append) > 2
    assert [report.partition(":")[0] for report in reports] == ["AnotherOperationInProgress"] * 2


# (failure, whether the caller calls it transient, seconds until it is raised)
REFUSALS: list[tuple[ArmFailure, bool | None, float]] = [(BUSY, None, 60), (DENIED, None, 0), (BUSY, False, 0), (DENIED, True, 60)]


@pytest.mark.parametrize(("failure", "transient", "seconds"), REFUSALS, ids=str)
def test_repeat_raises_the_last_failure(clock: SimpleNamespace, failure: ArmFailure, transient: bool | None, seconds: float) -> None:
    def attempt(_: int) -> None:
        raise failure

    with pytest.raises(ArmFailure) as caught:
        if transient is None:
            repeat(attempt, 60, lambda _: None)
        else:
            repeat(attempt, 60, lambda _: None, lambda _: transient)
    assert caught.value is failure
    assert clock.now == pytest.approx(seconds)
