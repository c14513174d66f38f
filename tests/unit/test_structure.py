"""The shape of the collection: each check is a function of texts, shown to find what it is for, and then applied to the checkout."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
import yaml

from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.book import RULES

ROOT = Path(__file__).parents[2]
#: path below the checkout -> text
type Texts = Mapping[str, str]
type Check = Callable[[Texts], list[str]]


@cache
def texts(*patterns: str) -> Texts:
    """The files that fit, below the checkout."""
    found = sorted({path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file() and "__pycache__" not in path.parts})
    return {str(path.relative_to(ROOT)): path.read_text() for path in found}


def lines(files: Texts, pattern: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Each place where a pattern is found, as ``<path>:<line>``, and what was found."""
    for path, content in files.items():
        for number, line in enumerate(content.splitlines(), 1):
            for match in re.finditer(pattern, line):
                yield f"{path}:{number}", match


def programs_in_yaml(files: Texts) -> list[str]:
    """Jinja statements: what they compute is computed in Python."""
    return [place for place, _ in lines(files, r"\{%")]


def private_names_elsewhere(files: Texts) -> list[str]:
    """Names ``__<role>_…`` outside the role."""
    roles = {path.split("/")[1] for path in files if path.startswith("roles/")}
    return [
        f"{place}: {match[0]}" for place, match in lines(files, rf"__({'|'.join(sorted(roles))})_\w+") if not place.startswith(f"roles/{match[1]}/")
    ]


def absolute_imports(files: Texts) -> list[str]:
    """Imports of the collection by its full name."""
    return [place for place, _ in lines(files, r"^\s*(from|import) ansible_collections\.dualstack")]


def ansible_imports(files: Texts) -> list[str]:
    """Imports of Ansible where logic must run without it."""
    return [place for place, _ in lines(files, r"^\s*(from|import) ansible\b(?!_)")]


def versions_of_apis(files: Texts) -> list[str]:
    """API versions of Azure."""
    return [f"{place}: {match[0]}" for place, match in lines(files, r"\b20\d\d-\d\d-\d\d(-preview)?\b")]


@cache
def specified() -> frozenset[str]:
    """Every variable that some entry point of some role specifies."""
    documents = [yaml.safe_load(text)["argument_specs"] for text in texts("roles/*/meta/argument_specs.yml").values()]
    return frozenset(name for document in documents for entry in document.values() for name in entry["options"])


def unspecified_variables(files: Texts) -> list[str]:
    """Variables that a playbook takes and no role specifies: what is tested for being there, or read with a default."""
    taken = r"\b((?:verify|toggle|plan|fleet_report|destroy|dns_repair|ipv6|assess|cluster_id)(?:_\w+)?)\b(?= \| default| is defined)"
    return [f"{place}: {match[1]}" for place, match in lines(files, taken) if match[1] not in specified()]


@cache
def known_names() -> frozenset[str]:
    """What a message or a page may call by name: variables, facts, rules, and what Python defines."""
    names = set(specified()) | set(RULES)
    for text in texts("roles/**/*.yml", "playbooks/**/*.yml", "inventories/**/*.yml").values():
        names |= set(re.findall(r"^\s*-?\s*(\w+):", text, re.MULTILINE)) | set(re.findall(r"register: (\w+)", text))
    for text in texts("plugins/**/*.py", "lab/**/*.py", "tests/**/*.py", "scripts/*.py").values():
        tree = ast.parse(text)
        names |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg}
        names |= {node.target.id for node in ast.walk(tree) if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)}
        names |= {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier()
        }
    for pattern in ("plugins/**/*.py", "docs/docsite/rst/*.rst", "playbooks/*.yml"):
        names |= {path.stem for path in ROOT.glob(pattern)}
    return frozenset(names)


_ROLES = "network|aks|registry|keyvault|dns|ingress|verify|upgrade|assess|dualstack|plan|toggle|destroy|fleet_report"


def unknown_variables(files: Texts) -> list[str]:
    """Variables in messages and pages that do not exist."""
    return [f"{place}: {match[0]}" for place, match in lines(files, rf"\b(?:{_ROLES})_[a-z0-9_]+\b(?<!_)") if match[0] not in known_names()]


@cache
def file_names() -> frozenset[str]:
    tracked = [*ROOT.glob("*"), *ROOT.glob(".c*/**/*"), *(path for folder in _FOLDERS for path in (ROOT / folder).rglob("*"))]
    return frozenset(path.name for path in tracked)


_FOLDERS = ("playbooks", "roles", "docs", "inventories", "examples", "molecule", "lab", "tests", "scripts", "plugins", "meta", "changelogs")
#: files that users write, or that commands of pages write for them
_USERS_FILES = {"probes.yml", "hosts.yml", "azure_rm.yml", "report.md", "assessment.md", "settings.yml"}


def unknown_files(files: Texts) -> list[str]:
    """Playbooks, pages and other files in messages and pages that do not exist."""
    named = r"(?<![\w*<{}%])([\w.-]+\.(?:yml|md|rst))\b"
    return [f"{place}: {match[1]}" for place, match in lines(files, named) if match[1] not in file_names() | _USERS_FILES]


def unknown_plugins(files: Texts) -> list[str]:
    """Full names of the collection that are no plugin, role or playbook."""
    there = {path.stem for path in ROOT.glob("plugins/*/*.py")} | {path.stem for path in ROOT.glob("playbooks/*.yml")}
    there |= {path.name for path in ROOT.glob("roles/*")} | {"plugins", "all", "docsite"}
    return [f"{place}: {match[0]}" for place, match in lines(files, r"\bdualstack\.aks\.([a-z]\w+)") if match[1] not in there]


def unknown_targets(files: Texts) -> list[str]:
    """Targets of make that do not exist."""
    there = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    return [
        f"{place}: {match[0]}" for place, match in lines(files, r"`make ([a-z0-9-]+)|^    make ([a-z0-9-]+)") if (match[1] or match[2]) not in there
    ]


def messages(files: Texts) -> Texts:
    """Python files reduced to their texts, each on its own line."""
    return {
        path: "\n".join(
            " ".join(node.value.split()) for node in ast.walk(ast.parse(content)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )
        for path, content in files.items()
    }


YAML = ("roles/*/vars/*.yml", "roles/*/defaults/*.yml", "roles/*/tasks/*.yml", "roles/*/templates/*.yml", "playbooks/**/*.yml")
PAGES = ("*.md", "docs/docsite/rst/*.rst")
PROSE = (*PAGES, "roles/*/README.md", "roles/**/*.yml", "playbooks/**/*.yml", "changelogs/fragments/*.yml")

#: check -> the files it is for
CHECKS: list[tuple[Check, Callable[[], Texts]]] = [
    (programs_in_yaml, lambda: texts(*YAML)),
    (private_names_elsewhere, lambda: texts("roles/**/*", "playbooks/**/*.yml", "molecule/**/*.yml")),
    (absolute_imports, lambda: texts("plugins/plugin_utils/**/*.py")),
    (ansible_imports, lambda: texts(*(f"plugins/plugin_utils/_{room}/*.py" for room in ("addresses", "kubernetes", "report", "rules", "upgrade")))),
    (versions_of_apis, lambda: texts("plugins/**/*.py", *YAML)),
    (unspecified_variables, lambda: texts("playbooks/**/*.yml", "roles/*/tasks/*.yml")),
    (unknown_variables, lambda: {**texts(*PAGES, "roles/*/README.md"), **messages(texts("plugins/**/*.py"))}),
    (unknown_files, lambda: {**texts(*PROSE), **messages(texts("plugins/**/*.py"))}),
    (unknown_plugins, lambda: {**texts(*PROSE), **texts("plugins/**/*.py")}),
    (unknown_targets, lambda: {**texts(*PAGES), **messages(texts("lab/**/*.py"))}),
]

#: check -> a file that it must find something in
BROKEN: list[tuple[Check, Texts]] = [
    (programs_in_yaml, {"roles/aks/vars/main.yml": "__aks_x: >-\n  {%- set found = [] -%}\n"}),
    (private_names_elsewhere, {"roles/aks/vars/main.yml": "x: 1", "playbooks/site.yml": 'msg: "{{ __aks_x }}"'}),
    (absolute_imports, {"plugins/plugin_utils/_azure/x.py": "from ansible_collections.dualstack.aks.plugins.plugin_utils import x"}),
    (ansible_imports, {"plugins/plugin_utils/_rules/x.py": "from ansible.errors import AnsibleError"}),
    (versions_of_apis, {"roles/aks/tasks/apply.yml": 'cluster: {id: x, api_version: "2026-05-01"}'}),
    (unspecified_variables, {"playbooks/verify.yml": "x: \"{{ verify_speed | default('') }}\""}),
    (unknown_variables, {"docs/docsite/rst/page.rst": "Set `aks_max_pod` to 250."}),
    (unknown_files, {"docs/docsite/rst/page.rst": "Run upgrade.yml first."}),
    (unknown_plugins, {"docs/docsite/rst/page.rst": "The filter `dualstack.aks.in_range`."}),
    (unknown_targets, {"docs/docsite/rst/page.rst": "Run `make everything`."}),
]


@pytest.mark.parametrize(("check", "files"), CHECKS, ids=[check.__name__ for check, _ in CHECKS])
def test_the_checkout(check: Check, files: Callable[[], Texts]) -> None:
    assert files(), "nothing was looked at"
    assert check(files()) == []


@pytest.mark.parametrize(("check", "files"), BROKEN, ids=[check.__name__ for check, _ in BROKEN])
def test_what_is_broken_is_found(check: Check, files: Texts) -> None:
    assert len(check(files)) == 1


def test_every_check_is_shown_to_find_something() -> None:
    assert [check for check, _ in BROKEN] == [check for check, _ in CHECKS]
