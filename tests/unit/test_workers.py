"""What Ansible's workers find when they begin."""

from __future__ import annotations

import functools
import json
import subprocess
import sys

import pytest

from lab.state import CHECKOUT

FILTERS = {path.stem for path in (CHECKOUT / "plugins" / "filter").glob("*.py")}
#: loads an action as Ansible does before it forks a worker for it, in a process that has loaded nothing else; the worker says what it found,
#: and how many objects no garbage collection looks at, in the first process and in the worker
_PROGRAM = """
import gc, json, os, sys
from tests.loader import find_collections
find_collections()
from ansible.plugins.loader import action_loader
assert action_loader.get(sys.argv[1], class_only=True)
before = gc.get_freeze_count()
if os.fork() == 0:
    print(json.dumps([sorted(sys.modules), before, gc.get_freeze_count()]))
else:
    os.wait()
"""


@functools.cache
def loaded(action: str) -> tuple[set[str], list[int]]:
    run = subprocess.run([sys.executable, "-c", _PROGRAM, action], cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=60)
    assert run.stderr == ""
    modules, *frozen = json.loads(run.stdout)
    return set(modules), frozen


@pytest.mark.parametrize("action", ["aks_credentials", "azure_resources", "azure_resources_info", "entrances_info", "verify_stamp"])
def test_all_filters(action: str) -> None:
    modules, frozen = loaded(f"dualstack.aks.{action}")
    assert {f"ansible_collections.dualstack.aks.plugins.filter.{name}" for name in FILTERS} <= modules
    assert min(frozen) > 10_000


def test_no_client_of_kubernetes() -> None:
    """It takes longer to load than all requests of a run take."""
    assert "kubernetes.client" not in loaded("dualstack.aks.entrances_info")[0]
