"""``ansible-playbook`` that keeps, for each task of the engine, what it declares and what Azure held before it.

    python -m tests.sweep.recording FOLDER PLAYBOOK …

The sweep replays such tasks without Ansible: what is declared is the roles' own, rendered by Ansible itself.
"""

from __future__ import annotations

import pickle
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from lab.state import State


@dataclass
class Task:
    """One task of the engine: its name, what it declares, its options, and the store it began with."""

    name: str
    resources: dict[str, Any]
    wait: bool
    stamp: str
    store: Path


def load(folder: Path) -> list[Task]:
    """The recorded tasks, in the order they ran."""
    tasks = []
    for path in sorted(folder.glob("*.pickle")):
        found = pickle.loads(path.read_bytes())
        tasks.append(Task(store=path.with_suffix(".sqlite"), **found))
    return tasks


def copy_store(source: Path, target: Path) -> None:
    """A consistent copy of a store that is being written."""
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    from ansible.cli.playbook import main as ansible_playbook

    from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.reconcile import Reconciler

    run = Reconciler.run

    def recorded(self: Any) -> None:
        """Each task is in a process of its own, so the number comes from the folder."""
        names = [found.facts.name.rpartition("/")[2] for found in self._resources.values()]
        task = {
            "name": f"{len(names)} resources: {names[0]} … {names[-1]}" if names else "nothing",
            "resources": dict(self._resources),
            "wait": self._options.wait,
            "stamp": self._options.stamp,
        }
        path = folder / f"{len(list(folder.glob('*.pickle'))):03}.pickle"
        copy_store(State.default().store, path.with_suffix(".sqlite"))
        path.write_bytes(pickle.dumps(task))
        run(self)

    with mock.patch.object(Reconciler, "run", recorded):
        sys.exit(ansible_playbook(["ansible-playbook", *sys.argv[2:]]))


if __name__ == "__main__":
    main()
