"""What the demonstration asks as a client."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.demo import __main__ as demo
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
    assert answer == {"status": 200, "address": "2001:db8::1", "error": "", "seen": {"family": "IPv4"}}
    assert asked(state) == 1


def test_a_name_that_was_published_just_now_is_waited_for(state: State) -> None:
    client(state, f"if [ $(wc -l <asked) -lt 3 ]; then {UNRESOLVED}; fi\n{ANSWER}")
    assert demo.ask(state, "ipv6-only", NAME)["status"] == 200
    assert asked(state) == 3


def test_a_name_that_does_not_come_is_said(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_SECONDS_TO_RESOLVE", 0.5)
    client(state, UNRESOLVED)
    answer = demo.ask(state, "ipv6-only", NAME)
    assert (answer["status"], answer["error"]) == (0, "Could not resolve host")
    assert asked(state) > 1


def test_no_answer_is_not_asked_again(state: State) -> None:
    client(state, "exit 28")
    assert demo.ask(state, "ipv6-only", NAME)["status"] == 0
    assert asked(state) == 1
