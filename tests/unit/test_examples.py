"""The examples of the public filters run as written."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILTERS = sorted(path.stem for path in (ROOT / "plugins" / "filter").glob("*.py"))
PACKAGE = "ansible_collections.dualstack.aks.plugins.filter"


def examples(name: str) -> list[dict[str, Any]]:
    """The tasks of a filter's examples."""
    found: list[dict[str, Any]] = yaml.safe_load(importlib.import_module(f"{PACKAGE}.{name}").EXAMPLES)
    return found


def test_what_is_public_is_little() -> None:
    assert len(FILTERS) <= 15, "logic that a single play uses is not a public filter"


def test_every_filter_has_an_example_of_its_own() -> None:
    assert [name for name in FILTERS if f"dualstack.aks.{name}" not in str(examples(name))] == []


def test_the_examples_run(tmp_path: Path) -> None:
    tasks = [task for name in FILTERS for task in examples(name)]
    playbook = tmp_path / "examples.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(playbook)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"ok={len(tasks)} " in run.stdout
