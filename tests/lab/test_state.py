"""A lab's folder."""

from __future__ import annotations

from pathlib import Path

from lab.__main__ import environment
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


def test_azapi_finds_the_lab_by_its_environment(tmp_path: Path) -> None:
    """The names are those of azapi's provider configuration: without a metadata endpoint, ``custom`` takes each address by itself."""
    state = State(tmp_path / "lab")
    state.create(Settings())
    endpoint = f"https://localhost:{state.load().port}"
    variables = environment(state)
    assert variables["ARM_ENVIRONMENT"] == "custom"
    addresses = ("ARM_RESOURCE_MANAGER_ENDPOINT", "ARM_RESOURCE_MANAGER_AUDIENCE", "ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST")
    assert {variables[name].rstrip("/") for name in addresses} == {endpoint}
    assert variables["ARM_DISABLE_INSTANCE_DISCOVERY"] == "true"
