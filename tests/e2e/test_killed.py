"""site.yml killed anywhere: one further run ends where an undisturbed one does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.harness import OURS, Lab
from tests.sweep.cases import differences


@dataclass
class Undisturbed:
    requests: int
    end_state: dict[str, Any]


@pytest.fixture(scope="module")
def shared() -> Iterator[Lab]:
    """A lab that is down, with what the stamps share."""
    with Lab() as lab:
        assert lab.playbook("shared").code == 0
        lab.down()
        yield lab


@pytest.fixture(scope="module")
def undisturbed(shared: Lab) -> Undisturbed:
    with Lab(goes_on_from=shared) as lab:
        before = len(_requests(lab))
        run = lab.playbook("site")
        assert run.code == 0, run.output
        return Undisturbed(len(_requests(lab)) - before, lab.end_state())


def _requests(lab: Lab) -> list[dict[str, Any]]:
    return [entry for entry in lab.entries() if entry["client"].startswith(OURS)]


def test_killed_and_run_again(shared: Lab, undisturbed: Undisturbed) -> None:
    """Once the cluster is there; make sweep kills at 150 points."""
    with Lab(goes_on_from=shared) as lab:
        requests = len(_requests(lab)) + undisturbed.requests * 3 // 4
        _kill_when(lab, lambda: len(_requests(lab)) >= requests)
        _ends_undisturbed(lab, undisturbed)


def test_killed_while_the_cluster_is_creating(shared: Lab, undisturbed: Undisturbed) -> None:
    with Lab(goes_on_from=shared) as lab:
        _kill_when(lab, lambda: _is_creating(lab))
        assert _is_creating(lab)
        _ends_undisturbed(lab, undisturbed)


def _ends_undisturbed(lab: Lab, undisturbed: Undisturbed) -> None:
    run = lab.playbook("site")
    assert run.code == 0, run.output
    assert differences(undisturbed.end_state, lab.end_state()) == ""


def _is_creating(lab: Lab) -> bool:
    state = lab.get(lab.cluster_id, "2026-05-01").get("properties", {}).get("provisioningState")
    return bool(state == "Creating")


def _kill_when(lab: Lab, reached: Callable[[], bool]) -> None:
    """SIGKILL to ansible-playbook and all it started."""
    process = lab.start_playbook("site")
    deadline = time.monotonic() + 120
    while not reached():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    lab.kill(process)
