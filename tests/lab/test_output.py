"""Commands of the lab whose reader stops reading."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.state import CHECKOUT, State

#: more than a pipe holds, so that a command is still writing when its reader leaves
ENTRIES = 5000


@pytest.fixture
def state(tmp_path: Path) -> State:
    entry = {"status": 200, "method": "GET", "path": "/subscriptions/00000000-0000-0000-0000-000000000000", "client": "curl/8.0 (test)"}
    found = State(tmp_path / "lab")
    found.folder.mkdir()
    found.journal.write_text(f"{json.dumps(entry)}\n" * ENTRIES)
    return found


def first_line(state: State, *words: str) -> tuple[str, str, int]:
    """The first line that a command prints, what it says on standard error when nobody reads the rest, and how it ends."""
    command = [sys.executable, "-m", "lab", words[0], "--state", str(state.folder), *words[1:]]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        process.stdout.close()
        return line, process.stderr.read(), process.wait(30)


@pytest.mark.parametrize("words", [("journal",), ("journal", "--json")])
def test_a_command_ends_with_its_reader(state: State, words: tuple[str, ...]) -> None:
    line, errors, code = first_line(state, *words)
    assert "/subscriptions/" in line
    assert (errors, code) == ("", -signal.SIGPIPE)


def test_a_command_ends_with_a_reader_that_left_before_it_printed() -> None:
    """What is shorter than the buffer is written at the very end."""
    script = f"{sys.executable} -m lab status --help | true; echo ${{PIPESTATUS[0]}}"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(["bash", "-c", script], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True)
    assert (done.stderr, done.stdout) == ("", f"{128 + signal.SIGPIPE}\n")


def test_a_program_that_the_lab_becomes_ends_with_its_reader(tmp_path: Path) -> None:
    script = """
import sys
from lab.output import become
become("yes", ["yes"], {"PATH": "/usr/bin:/bin"})
"""
    with subprocess.Popen([sys.executable, "-c", script], cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "y\n"
        process.stdout.close()
        assert (process.stderr.read(), process.wait(30)) == ("", -signal.SIGPIPE)


def test_another_pipe_that_breaks_is_an_error() -> None:
    script = """
from lab.output import ending_with_its_reader
with ending_with_its_reader():
    raise BrokenPipeError("another pipe")
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "another pipe" in done.stderr
