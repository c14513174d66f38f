"""Objects are written with a token that no output has."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.dualstack.aks.plugins.action.kubernetes_objects import differences, masked

TOKEN = "eyJ0eXAi.a-token"
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    # Nothing listens there, so that the module fails.
    "clusters": [{"name": "a", "cluster": {"server": "https://127.0.0.1:9"}}],
    "users": [{"name": "entra", "user": {"token": TOKEN}}],
    "contexts": [{"name": "a", "context": {"cluster": "a", "user": "entra"}}],
    "current-context": "a",
}
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "{{ item }}"}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"before {TOKEN} after", "before (secret) after"),
        ({"a": [{"b": TOKEN}], "c": 1}, {"a": [{"b": "(secret)"}], "c": 1}),
        ("nothing", "nothing"),
    ],
)
def test_masked(value: Any, expected: Any) -> None:
    assert masked(value, [TOKEN]) == expected


def test_differences_of_several_objects() -> None:
    shop = {"kind": "Service", "metadata": {"name": "shop"}}
    changed = {"changed": True, "diff": {"before": {"port": 80}, "after": {"port": 81}}, "result": shop}
    same = {"changed": False, "diff": {}, "result": shop}
    expected = [{"before": {"port": 80}, "after": {"port": 81}, "before_header": "Service shop", "after_header": "Service shop"}]
    assert differences({"changed": True, "result": {"results": [same, changed]}}) == expected
    assert differences(changed) == expected
    assert differences({"failed": True, "msg": "no"}) == []


def task(action: str, interpreter: str, **arguments: Any) -> dict[str, Any]:
    return {
        "name": f"{action} by {interpreter}",
        action: {"definition": NAMESPACE, **arguments},
        "vars": {"ansible_python_interpreter": interpreter, "ansible_pipelining": True},
        "loop": ["shop"],
        "loop_control": {"label": "Namespace {{ item }}"},
        "ignore_errors": True,
    }


def run(folder: Path, *tasks: dict[str, Any]) -> str:
    """What a play prints at the verbosity that shows arguments."""
    playbook = folder / "play.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": list(tasks)}]))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-vvv", str(playbook)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    printed = done.stdout + done.stderr
    assert f"ignored={len(tasks)} " in printed, printed
    return printed


def test_a_task_that_fails_shows_what_it_was_at_and_no_token(tmp_path: Path) -> None:
    ours = "dualstack.aks.kubernetes_objects"
    printed = run(tmp_path, *(task(ours, interpreter, kubeconfig=KUBECONFIG) for interpreter in (sys.executable, "/bin/false")))
    assert TOKEN not in printed
    assert printed.count("(item=Namespace shop)") == 2 and "censored" not in printed
    assert "Connection refused" in printed


def test_kubernetes_core_itself_shows_it(tmp_path: Path) -> None:
    """The reason for an action of our own. Once this fails, the roles can call kubernetes.core directly."""
    bare = {**KUBECONFIG, "users": [], "contexts": [{"name": "a", "context": {"cluster": "a"}}]}
    assert TOKEN in run(tmp_path, task("kubernetes.core.k8s", sys.executable, kubeconfig=bare, api_key=TOKEN))


def test_a_kubeconfig_elsewhere_is_refused(tmp_path: Path) -> None:
    printed = run(tmp_path, task("dualstack.aks.kubernetes_objects", sys.executable, kubeconfig="~/.kube/config"))
    assert "kubeconfig must be a kubeconfig in memory" in json.dumps(printed)
