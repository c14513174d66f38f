"""A lab's folder."""

from __future__ import annotations

from pathlib import Path

from lab.state import Settings, State


def test_the_secret_is_no_option_of_a_command_line(tmp_path: Path) -> None:
    state = State(tmp_path / "lab")
    state.create(Settings())
    assert state.client_secret.isalnum()


def test_a_restart_keeps_secret_and_port(tmp_path: Path) -> None:
    first, second = State(tmp_path / "lab"), State(tmp_path / "lab")
    first.create(Settings())
    kept = first.client_secret, first.load().port
    second.create(Settings())
    assert (second.client_secret, second.load().port) == kept
