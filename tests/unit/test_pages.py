"""Every example of the README and of the pages, but for its commands, which tests/documentation runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

from ansible_collections.dualstack.aks.plugins.plugin_utils._role_variables import specified, typed_value
from lab.state import CHECKOUT
from tests.pages import Block, blocks, pages, read

BIN = Path(sys.executable).parent
BLOCKS = [block for page in pages() for block in blocks(page)]
#: variables of hosts that Ansible or the playbooks read, and no role specifies
_HOSTS_OWN = {"probe_families", "probe_private"}
_ADDRESS = "https://github.com/dualstack/aks/"


def variables(document: dict[str, Any]) -> None:
    """Each is a variable that a role specifies, that roles or all actions read, or that another one is made of; and its value fits."""
    parts = set(re.findall(r"\{\{ (\w+)", str(document)))
    for name, value in document.items():
        assert name in specified() or name in parts or re.search(rf"\b{name}\b", _texts_of_variables()), f"no role knows {name}"
        for option in _options_of(name):
            if "{{" not in str(value):
                typed_value(option, value)


@cache
def _texts_of_variables() -> str:
    return "\n".join(path.read_text() for path in [*CHECKOUT.glob("roles/*/*/main.yml"), CHECKOUT / "plugins" / "doc_fragments" / "credentials.py"])


def _options_of(name: str) -> Iterator[str]:
    """The options that have this variable's value: itself, and those whose default is this variable."""
    if name in specified():
        yield name
    yield from re.findall(rf'^(\w+): "\{{\{{ {name}(?: \| default\(.*\))? \}}\}}"$', _texts_of_variables(), re.MULTILINE)


def inventory(document: dict[str, Any], folder: Path) -> None:
    """Ansible reads it, and what it gives to groups and hosts are variables of roles."""
    path = folder / "inventory.yml"
    path.write_text(yaml.safe_dump(document))
    found = InventoryManager(DataLoader(), [str(path)])
    assert found.hosts
    assert document.keys() <= {"all", "regions", "probes"}, "the playbooks know no such group"
    for group in document.values():
        for given in (group.get("vars"), *group["hosts"].values()):
            variables({name: value for name, value in (given or {}).items() if name not in _HOSTS_OWN and not name.startswith("ansible_")})


def playbook(document: list[dict[str, Any]], folder: Path) -> None:
    """Ansible takes it, with each module, role and option that it names."""
    path = folder / "playbook.yml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    command = [str(BIN / "ansible-playbook"), "--syntax-check", "-i", "localhost,", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr


def inventory_source(document: dict[str, Any]) -> None:
    """Each key is an option of the plugin."""
    command = [str(BIN / "ansible-doc"), "--type", "inventory", "--json", document["plugin"]]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    options = json.loads(run.stdout)[document["plugin"]]["doc"]["options"]
    assert document.keys() <= options.keys()


def role_definition(text: str) -> None:
    """Azure takes it: the keys of a custom role, and actions of resource providers."""
    document = json.loads(text)
    assert document.keys() == {"Name", "Description", "Actions", "AssignableScopes"}
    assert [action for action in document["Actions"] if not re.fullmatch(r"Microsoft\.\w+(/\w+)+/(read|write|delete|action)", action)] == []
    assert document["Actions"] == sorted(set(document["Actions"]), key=str.lower)


def commands(block: Block) -> None:
    """The shell takes them, and they name what is there."""
    run = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert block.commands


CHECKS: dict[str, Callable[[Block, Path], object]] = {
    "variables": lambda block, _: variables(block.document),
    "inventory": lambda block, folder: inventory(block.document, folder),
    "playbook": lambda block, folder: playbook(block.document, folder),
    "tasks": lambda block, folder: playbook([{"hosts": "localhost", "gather_facts": False, "tasks": block.document}], folder),
    "manifest": lambda block, _: kubernetes_validate.validate(block.document, "1.36", strict=True),
    "inventory source": lambda block, _: inventory_source(block.document),
    "role definition": lambda block, _: role_definition(block.text),
    "commands": lambda block, _: commands(block),
    "output": lambda block, _: None,
}


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_an_example(block: Block, tmp_path: Path) -> None:
    CHECKS[block.kind](block, tmp_path)


def test_how_many_examples_there_are(record_property: Callable[[str, object], None]) -> None:
    counts = Counter(block.kind for block in BLOCKS)
    record_property("measured", f"examples of {len(pages())} pages: " + ", ".join(f"{count} {kind}" for kind, count in counts.most_common()))
    assert {"commands", "variables", "inventory"} <= counts.keys()


WRONG = [
    ("aks_max_pod: 250", "no role knows"),
    ("aks_max_pods: many", "aks_max_pods"),
    ("ingress_routes: [{path: /, servise: shop}]", "servise"),
    ("- 1\n- 2", "neither a playbook"),
    ("- name: Do it\n  dualstack.aks.azure_resource: {}", "azure_resource"),
    ("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {port: 1}", "port"),
    ("plugin: azure.azcollection.azure_rm\nauth_sauce: env", "auth_sauce"),
]


@pytest.mark.parametrize(("text", "named"), WRONG, ids=[text for text, _ in WRONG])
def test_a_wrong_example_is_found(text: str, named: str, tmp_path: Path) -> None:
    block = Block("page.rst", 1, "yaml", text)
    with pytest.raises((AssertionError, ValueError, kubernetes_validate.ValidationError), match=named):
        CHECKS[block.kind](block, tmp_path)


def test_a_block_without_a_language_is_an_error() -> None:
    [block] = read("page.rst", "Run this::\n\n   make demo\n")
    with pytest.raises(ValueError, match="needs a language"):
        _ = block.kind


def test_a_block_that_cannot_be_read_is_an_error() -> None:
    """Here for an option that docutils does not know."""
    with pytest.raises(ValueError, match="1 blocks of code are declared, and 0 can be read"):
        list(read("page.rst", ".. code-block:: sh\n   :caption: How\n\n   make demo\n"))


def test_commands_of_tables_are_read() -> None:
    [block] = read("page.md", "| to | run |\n| --- | --- |\n| look | `ansible-doc -t role dualstack.aks.aks` |\n")
    assert block.commands == ["ansible-doc -t role dualstack.aks.aks"]


def test_links_into_the_repository_lead_somewhere() -> None:
    named = re.compile(rf"(?:{_ADDRESS}(?:blob|tree)/main|https://raw\.githubusercontent\.com/dualstack/aks/main)/([^\s)#]+)")
    found = {path: named.findall((CHECKOUT / path).read_text()) for path in pages()}
    assert found["README.md"]
    assert [(path, target) for path, targets in found.items() for target in targets if not (CHECKOUT / target).exists()] == []


def test_commits_that_pages_name_are_in_the_history() -> None:
    named = re.findall(r"\| `([0-9a-f]{7})` (.+?) \|", (CHECKOUT / "CONTRIBUTING.md").read_text())
    assert len(named) >= 5
    for commit, subject in named:
        # A checkout may come without its history.
        if _git("cat-file", "-e", commit).returncode == 0:
            found = _git("log", "-1", "--format=%s", commit).stdout
            assert found.startswith(subject), f"{commit} is {found}"


def _git(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=CHECKOUT, capture_output=True, text=True, check=False)
