"""The lab stops, or is killed, and comes back with what it stored and the clusters that ran."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.harness import Lab
from tests.sweep.cases import differences


@pytest.fixture(scope="module")
def built() -> Iterator[Lab]:
    with Lab() as lab:
        lab.build()
        yield lab


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_back_with_everything(built: Lab, how: str) -> None:
    before = built.end_state()
    if how == "stopped":
        built.down()
    else:
        os.kill(built.state.pid, signal.SIGKILL)
    _wait_until_nothing_runs(built)
    built.up()
    seen = len(built.entries())
    again = built.playbook("site")
    assert (again.code, again.changed) == (0, 0), again.output
    assert built.our_writes(seen) == []
    assert differences(before, built.end_state()) == ""


def _wait_until_nothing_runs(lab: Lab) -> None:
    """No process of the lab outlives it: neither its server nor a cluster's components."""
    deadline = time.monotonic() + 20
    while left := lab.processes(str(lab.state.folder)):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
