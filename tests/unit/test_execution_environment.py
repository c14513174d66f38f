"""execution-environment.yml, as ansible-builder reads it: the schema is its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
DEFINITION = yaml.safe_load((ROOT / "execution-environment.yml").read_text())
GALAXY = yaml.safe_load((ROOT / "galaxy.yml").read_text())


def test_ansible_builder_takes_it(tmp_path: Path) -> None:
    for name in ("execution-environment.yml", "requirements.yml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    tarball = f"{GALAXY['namespace']}-{GALAXY['name']}-{GALAXY['version']}.tar.gz"
    (tmp_path / tarball).touch()
    command = [str(Path(sys.executable).parent / "ansible-builder"), "create", "--context", "context", "--output-filename", "Containerfile"]
    done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout
    context = tmp_path / "context"
    assert {path.name for path in (context / "_build").iterdir()} >= {"requirements.yml", "requirements.txt", "collection"}
    assert [path.name for path in (context / "_build" / "collection").iterdir()] == [tarball]
    assert DEFINITION["images"]["base_image"]["name"] in (context / "Containerfile").read_text()


def test_its_core_is_the_one_of_requirements() -> None:
    [core] = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line.startswith("ansible-core")]
    assert DEFINITION["dependencies"]["ansible_core"]["package_pip"] == core


def test_the_oldest_core_is_the_one_of_the_collection() -> None:
    requires = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["requires_ansible"]
    oldest = DEFINITION["dependencies"]["ansible_core"]["package_pip"].removeprefix("ansible-core").partition(",")[0]
    assert requires == f"{oldest}.0"


def test_its_collections_are_those_of_galaxy() -> None:
    wanted = yaml.safe_load((ROOT / "requirements.yml").read_text())["collections"]
    assert {item["name"]: item["version"] for item in wanted} == GALAXY["dependencies"]
