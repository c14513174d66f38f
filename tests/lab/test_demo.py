"""What the demonstration asks as a client."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.demo import __main__ as demo
from lab.demo import tour
from lab.demo import watch as watching
from lab.packets import clients
from lab.state import State

NAME = "www.westeurope.aks.example.org"
#: how curl prints an answer of the application, as it is asked to
ANSWER = """echo '{"family": "IPv4"}'
printf '\\n{"response_code": 200, "remote_ip": "2001:db8::1", "errormsg": null}'"""
#: and what it prints and ends with where a name has no address
UNRESOLVED = """printf '\\n{"response_code": 0, "remote_ip": "", "errormsg": "Could not resolve host"}'
exit 6"""


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "lab")


def client(state: State, script: str) -> None:
    """Let a script stand for curl as the IPv6-only client; each asking adds a line to a file."""
    path = clients.script(state.clients, "ipv6-only")
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\ncd {path.parent}\necho >>asked\n{script}\n")
    path.chmod(0o755)


def asked(state: State) -> int:
    return len((clients.script(state.clients, "ipv6-only").parent / "asked").read_text().splitlines())


def test_an_answer(state: State) -> None:
    client(state, ANSWER)
    answer = demo.ask(state, "ipv6-only", NAME)
    assert answer == {"status": 200, "address": "2001:db8::1", "error": "", "resolved": True, "seen": {"family": "IPv4"}}
    assert asked(state) == 1


def test_a_name_that_was_published_just_now_is_waited_for(state: State) -> None:
    client(state, f"if [ $(wc -l <asked) -lt 3 ]; then {UNRESOLVED}; fi\n{ANSWER}")
    assert demo.ask(state, "ipv6-only", NAME)["status"] == 200
    assert asked(state) == 3


def test_a_name_that_does_not_come_is_said(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_SECONDS_TO_RESOLVE", 2)
    client(state, UNRESOLVED)
    answer = demo.ask(state, "ipv6-only", NAME)
    assert (answer["status"], answer["error"]) == (0, "Could not resolve host")
    assert asked(state) > 1


def test_no_answer_is_not_asked_again(state: State) -> None:
    client(state, "exit 28")
    assert demo.ask(state, "ipv6-only", NAME)["status"] == 0
    assert asked(state) == 1


def answer(status: int = 200, address: str = "192.0.2.1") -> dict[str, Any]:
    return {"status": status, "address": address}


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        (answer(), "over IPv4"),
        (answer(address="2001:db8::1"), "over IPv6"),
        (answer(0, ""), "no answer"),
        (answer(502), "no answer"),
    ],
)
def test_outcomes(given: dict[str, Any], outcome: str) -> None:
    assert watching.outcome_of(given) == outcome


def test_clients_watch_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They ask from before it begins until after it has ended, each change is printed once, and its exit status is passed on."""
    monkeypatch.setattr(watching, "_PAUSE", 0.05)
    switched = tmp_path / "switched"
    said: list[str] = []

    def request(stamp: str, client: str) -> dict[str, Any]:
        return answer(address="2001:db8::1" if client == "dual-stack" and not switched.exists() else "192.0.2.1")

    command = [sys.executable, "-c", f"import time, sys; time.sleep(0.5); open({str(switched)!r}, 'w'); time.sleep(0.5); sys.exit(3)"]
    code, table = watching.watch([("west", "ipv4-only"), ("west", "dual-stack")], request, command, dict(os.environ), said.append)
    assert code == 3
    assert sorted(text.partition("s  ")[2] for text in said) == [
        "west: dual-stack gets answers over IPv4",
        "west: dual-stack gets answers over IPv6",
        "west: ipv4-only gets answers over IPv4",
    ]
    rows = [dict(zip(table[0], row, strict=True)) for row in table[1:]]
    assert [(row["client"], row["over IPv6"] == "0", row["over IPv4"] == "0", row["no answer"]) for row in rows] == [
        ("ipv4-only", True, False, "0"),
        ("dual-stack", False, False, "0"),
    ]


@pytest.mark.parametrize(
    ("installed", "made", "first", "az", "kubectl"),
    [
        (("az", "kubectl"), False, "eval", "az", "kubectl"),
        (("az",), True, "eval", ".venv-az/bin/az", "/cache/kubectl"),
        ((), False, "make", ".venv-az/bin/az", "/cache/kubectl"),
    ],
)
def test_the_tour_calls_the_programs_that_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: tuple[str, ...], made: bool, first: str, az: str, kubectl: str
) -> None:
    monkeypatch.setattr(tour, "CHECKOUT", tmp_path)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}" if name in installed else None)
    monkeypatch.setattr("lab.supplies.binaries.path_of", lambda name: Path("/cache", name))
    if made:
        program = tmp_path / ".venv-az" / "bin" / "az"
        program.parent.mkdir(parents=True)
        program.touch()
    _, _, _, look, _ = tour.steps()
    assert look.commands[0].split()[0] == kubectl
    assert (look.az_commands[0].split()[0], look.az_commands[-1].split()[0]) == (first, az)
    assert [line for line in tour.lines() if line.startswith(("1.", "2.", "3.", "4.", "5."))] == [
        f"{number}. {step.title}" for number, step in enumerate(tour.steps(), 1)
    ]
