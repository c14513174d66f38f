"""The lab stops, or is killed, and comes back with what it stored and the clusters that ran."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.harness import Lab
from tests.sweep.cases import differences


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_back_with_everything(stamp: Lab, how: str) -> None:
    before = stamp.end_state()
    if how == "stopped":
        stamp.down()
    else:
        os.kill(stamp.state.pid, signal.SIGKILL)
    _wait_until_nothing_runs(stamp)
    stamp.up()
    seen = len(stamp.entries())
    again = stamp.playbook("site")
    assert (again.code, again.changed) == (0, 0), again.output
    assert stamp.our_writes(seen) == []
    assert differences(before, stamp.end_state()) == ""


def _wait_until_nothing_runs(lab: Lab) -> None:
    """No process of the lab outlives it: neither its server nor a cluster's components."""
    deadline = time.monotonic() + 20
    while left := lab.processes(str(lab.state.folder)):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
