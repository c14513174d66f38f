"""The collection as users get it: the artefact of `ansible-galaxy collection build`, installed where nothing else of the checkout is."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import ansible_collections
from tests.harness import HANGING

CHECKOUT = Path(__file__).parents[2]
GALAXY = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())
NAME = f"{GALAXY['namespace']}-{GALAXY['name']}-{GALAXY['version']}.tar.gz"
#: where the collection has to be below a folder of collections
PLACE = Path("ansible_collections", GALAXY["namespace"], GALAXY["name"])


def build(folder: Path) -> Path:
    """The artefact, made in ``folder``."""
    program = Path(sys.executable).parent / "ansible-galaxy"
    words = [str(program), "collection", "build", "--force", "--output-path", str(folder), str(CHECKOUT)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, timeout=HANGING)
    return folder / NAME


def files_of(artefact: Path) -> list[str]:
    """The paths of the artefact's files."""
    with tarfile.open(artefact) as archive:
        return sorted(member.name for member in archive if member.isfile())


def needed(requirements: Iterable[str]) -> set[str]:
    """Names of the distributions that pip would install for ``requirements``, out of those that are installed here."""
    waiting = [Requirement(text) for text in requirements]
    found: dict[str, set[str]] = {}
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found and requirement.extras <= found[name]:
            continue
        extras = found.setdefault(name, set())
        extras |= requirement.extras
        for text in distribution(name).requires or []:
            wanted = Requirement(text)
            if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in extras | {""}):
                waiting.append(wanted)
    return set(found)


class Environment:
    """A virtualenv with what requirements.txt needs, the two other collections, and the artefact; nothing of it leads to the checkout.

    Packages are links to those of this virtualenv, so that nothing is downloaded, except ansible-core where ``core`` names another version.
    """

    def __init__(self, folder: Path, artefact: Path, *, core: str = "") -> None:
        self._folder = folder
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        venv.create(folder / "venv", symlinks=True)
        self.python = folder / "venv" / "bin" / "python"
        [self._packages] = (folder / "venv" / "lib").glob("python*/site-packages")
        lines = (line.partition("#")[0].strip() for line in (CHECKOUT / "requirements.txt").read_text().splitlines())
        names = needed(line for line in lines if line) - ({"ansible-core"} if core else set())
        for name in sorted(names):
            self._link(name)
        if core:
            self._install(f"ansible-core=={core}")
        for namespace in {name.partition(".")[0] for name in GALAXY["dependencies"]}:
            self._link_collections(namespace)
        done = self.run("galaxy", "collection", "install", "--offline", str(artefact))
        assert done.returncode == 0, done.stdout
        #: the installed collection
        self.collection = self.home / ".ansible" / "collections" / PLACE

    def _link(self, name: str) -> None:
        found = distribution(name)
        for top in {file.parts[0] for file in found.files or []} - {"..", "__pycache__"}:
            link = self._packages / top
            if not link.exists():
                link.symlink_to(Path(str(found.locate_file(top))))

    def _install(self, requirement: str) -> None:
        words = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(self._packages), requirement]
        subprocess.run(words, check=True, timeout=HANGING)

    def _link_collections(self, namespace: str) -> None:
        [place] = [Path(path) for path in ansible_collections.__path__ if (Path(path) / namespace).is_dir()]
        folder = self._packages / "ansible_collections"
        folder.mkdir(exist_ok=True)
        (folder / namespace).symlink_to(place / namespace)

    def run(self, command: str, *words: str, variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run ``ansible-<command>`` with a user's own environment: no variable of Ansible or Python is set but those given."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON", "AZURE_", "ARM_", "VIRTUAL_ENV"))}
        path = f"{self.python.parent}:{os.environ.get('PATH', os.defpath)}"
        return subprocess.run(
            [str(self.python), "-m", "ansible", command, *words],
            cwd=self.home,
            env=kept | (variables or {}) | {"HOME": str(self.home), "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=HANGING,
        )
