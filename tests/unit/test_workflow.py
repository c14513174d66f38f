"""The workflow of a public host: it runs the gate as it is, with no more rights than reading."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness import HANGING

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
WORKFLOW: dict[Any, Any] = yaml.safe_load(TEXT)
STEPS: list[dict[str, Any]] = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_it_runs_the_gate_and_nothing_else() -> None:
    commands = [step["run"] for step in STEPS if "run" in step]
    assert [command.split()[-1] for command in commands] == [".ci/run"]


#: in make's place: notes the targets, takes a second for the tests, and fails for one target
MAKE = """#!/bin/bash
echo "$*" >>"$NOTES"
case "$*" in test) sleep 1 ;; *"$FAILING"*) exit 7 ;; esac
"""
#: the targets that the gate leaves out where the tests have taken too long
LATER = ["packets", "readers", "molecule", "package", "parity", "pages"]


def gate(folder: Path, seconds: int = 0, failing: str = "nothing") -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """How the gate ends ``seconds`` after it began, and the targets that it made."""
    notes = folder / "notes"
    (folder / "make").write_text(MAKE)
    (folder / "make").chmod(0o755)
    # Bash counts on from the number that it finds.
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "SECONDS": str(seconds), "NOTES": str(notes), "FAILING": failing}
    done = subprocess.run(["bash", str(ROOT / ".ci" / "run")], env=environment, capture_output=True, text=True, check=False, timeout=HANGING)
    return done, [word for word in notes.read_text().split() if not word.startswith("-")]


def test_the_gate_makes_all_targets_where_there_is_time(tmp_path: Path) -> None:
    done, made = gate(tmp_path)
    assert (done.returncode, done.stdout) == (0, "gate: passed, with all targets\n")
    assert made == ["schemas", "setup", "test", *LATER]
    assert set(made) <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_the_gate_names_what_it_leaves_out_for_lack_of_time(tmp_path: Path) -> None:
    done, made = gate(tmp_path, seconds=5280)
    assert done.returncode == 0
    assert made == ["schemas", "setup", "test"]
    assert done.stdout.endswith(f"make {' '.join(LATER)}\n")


@pytest.mark.parametrize("failing", ["schemas", "packets", "pages"])
def test_the_gate_fails_with_a_target(tmp_path: Path, failing: str) -> None:
    done, made = gate(tmp_path, failing=failing)
    assert done.returncode == 7
    assert "passed" not in done.stdout
    assert failing in made[-2:]


def test_it_may_only_read() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in WORKFLOW["jobs"].values())
    assert "secrets." not in TEXT


@pytest.mark.parametrize("action", [step["uses"] for step in STEPS if "uses" in step])
def test_actions_are_pinned(action: str) -> None:
    assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)
    assert re.search(rf"{re.escape(action)} # v\d+\.\d+\.\d+$", TEXT, re.MULTILINE), "the pin's release is named beside it"


def test_checkouts_keep_no_credentials() -> None:
    checkouts = [step for step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) == 2
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)
