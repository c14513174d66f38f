"""The lab stops, or is killed, and comes back with what it stored and the clusters that ran."""

from __future__ import annotations

import os
import signal
import time

from tests.harness import Lab
from tests.sweep.cases import differences


def test_back_with_everything(stamp: Lab) -> None:
    before = stamp.end_state()
    for stop in (stamp.down, lambda: os.kill(stamp.state.pid, signal.SIGKILL)):
        stop()
        _wait_until_nothing_runs(stamp)
        stamp.up()
        assert differences(before, stamp.end_state()) == ""
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
