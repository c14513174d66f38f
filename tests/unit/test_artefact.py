"""What users install: what is in the artefact, and what is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.package import CHECKOUT, GALAXY, build, files_of

#: folders and files at the top of the artefact: what users run, read or copy
SHIPPED = {"plugins", "roles", "playbooks", "meta", "inventories", "examples", "docs", "changelogs"}
SHIPPED |= {"README.md", "CHANGELOG.rst", "COPYING", "requirements.txt", "requirements.yml", "MANIFEST.json", "FILES.json"}
#: Galaxy lints an upload, with the settings that it brings
SHIPPED |= {".ansible-lint"}
SHIPPED |= {"CONTRIBUTING.md", "SECURITY.md", "SUPPORT.md"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return files_of(build(tmp_path_factory.mktemp("artefact")))


def test_nothing_but_the_collection_is_shipped(files: list[str]) -> None:
    assert {path.partition("/")[0] for path in files} - SHIPPED == set()


def test_fragments_and_generated_pages_stay_here(files: list[str]) -> None:
    assert [path for path in files if path.startswith(("changelogs/fragments/", "docs/build/")) or "__pycache__" in path] == []


def test_everything_that_runs_is_shipped(files: list[str]) -> None:
    patterns = ("plugins/**/*", "roles/**/*", "playbooks/**/*", "meta/*")
    paths = {path for pattern in patterns for path in CHECKOUT.glob(pattern) if path.is_file() and "__pycache__" not in path.parts}
    assert {str(path.relative_to(CHECKOUT)) for path in paths} - set(files) == set()


@pytest.mark.parametrize("role", sorted(path.name for path in (CHECKOUT / "roles").iterdir()))
def test_roles_say_what_they_are_for(role: str) -> None:
    meta = CHECKOUT / "roles" / role / "meta"
    described = yaml.safe_load((meta / "main.yml").read_text())["galaxy_info"]
    specified = yaml.safe_load((meta / "argument_specs.yml").read_text())["argument_specs"]["main"]
    assert described["description"] == specified["short_description"]
    [required] = re.findall(r"\d+\.\d+", yaml.safe_load((CHECKOUT / "meta" / "runtime.yml").read_text())["requires_ansible"])[:1]
    assert described["min_ansible_version"] == required


def test_one_version_everywhere() -> None:
    client = (CHECKOUT / "plugins/plugin_utils/_azure/client.py").read_text()
    assert re.findall(r'^VERSION = "(.*)"$', client, re.MULTILINE) == [GALAXY["version"]]


def test_one_licence_everywhere() -> None:
    plugins = [path for path in Path(CHECKOUT, "plugins").glob("*/*.py") if path.parent.name != "plugin_utils"]
    assert plugins
    assert [path.name for path in plugins if "GNU General Public License v3.0+" not in "".join(path.read_text().splitlines(True)[:3])] == []
