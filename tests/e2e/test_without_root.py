"""A lab where network namespaces cannot be made: it says so, and does without them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import __main__ as lab
from lab import isolation
from lab.state import State


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    found = State(tmp_path / "lab")
    yield found
    lab.down(found)


def test_up_says_that_there_are_no_packets(state: State, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(isolation, "is_possible", lambda: False)
    lab.main(["up", "--watch", "--state", str(state.folder)])
    assert "lab: no packets: network namespaces need root on Linux" in capsys.readouterr().out
    settings = state.load()
    assert (settings.packets, settings.watch, settings.azure.kubernetes) == (False, False, True)
    assert (state.first_process.exists(), lab.client_names(state), lab.inventory(state)) == (False, [], {"probes": {"hosts": {}}})
    with pytest.raises(SystemExit, match="none without packets"):
        lab.run_as_client(state, "ipv4-only", ["true"])
    with pytest.raises(SystemExit, match="no packets, so no zone can be lost"):
        lab.change_zone(state, "lose", "1")
