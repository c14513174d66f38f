"""site.yml killed anywhere: one further run ends where an undisturbed one does."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.harness import ABSENT, Lab
from tests.sweep.cases import differences


def test_killed_twice_and_run_again(stamp: Lab) -> None:
    """While the cluster is creating, and in the next run once cluster and vault are there; make sweep kills at 150 points."""
    undisturbed = stamp.end_state()
    with Lab() as lab:
        assert lab.playbook("shared").code == 0
        _kill_when(lab, lambda: _is_creating(lab))
        assert _is_creating(lab)
        _kill_when(lab, lambda: any("/Microsoft.KeyVault/vaults/" in write for write in lab.our_writes()) and not _is_creating(lab))
        run = lab.playbook("site")
        assert run.code == 0, run.output
        assert differences(undisturbed, lab.end_state()) == ""


def _is_creating(lab: Lab) -> bool:
    state = lab.get(lab.cluster_id, "2026-05-01").get("properties", {}).get("provisioningState")
    return bool(state == "Creating")


def _kill_when(lab: Lab, reached: Callable[[], bool]) -> None:
    """SIGKILL to ansible-playbook and all it started."""
    process = lab.start_playbook("site")
    deadline = time.monotonic() + ABSENT
    while not reached():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    lab.kill(process)
