"""The lab stops, or is killed, and comes back with what it stored and the clusters that ran."""

from __future__ import annotations

import os
import signal

from tests.harness import Lab, until
from tests.sweep.cases import differences


def test_back_with_everything(stamp: Lab) -> None:
    before = stamp.end_state()
    for stop in (stamp.down, lambda: os.kill(stamp.state.pid, signal.SIGKILL)):
        stop()
        # No process of the lab outlives it: neither its server nor a cluster's components.
        until(lambda: not stamp.processes(str(stamp.state.folder)), lambda: "\n".join(stamp.processes(str(stamp.state.folder))), within=20)
        stamp.up()
        assert differences(before, stamp.end_state()) == ""
    seen = len(stamp.entries())
    again = stamp.playbook("site")
    assert (again.code, again.changed) == (0, 0), again.output
    assert stamp.our_writes(seen) == []
    assert differences(before, stamp.end_state()) == ""
