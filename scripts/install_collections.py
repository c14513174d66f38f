"""Install the collections of a requirements file into a virtualenv: from Galaxy, else out of the PyPI package ``ansible``.

.venv/bin/python scripts/install_collections.py VIRTUALENV requirements.yml

That package has all that is needed on machines that reach PyPI only, and 100 collections beside it, of which nothing is kept.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import yaml
from packaging.specifiers import SpecifierSet

sys.path.insert(0, str(Path(__file__).parents[1]))

from lab.supplies.progress import step

PACKAGE = "ansible>=14.5,<15"
#: seconds that Galaxy has for an answer
_PATIENCE = 10


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


def from_galaxy(requirements: Path, target: Path) -> bool:
    """Whether Galaxy is reachable and has them."""
    command = [str(Path(sys.executable).with_name("ansible-galaxy")), "collection", "install", "--timeout", str(_PATIENCE)]
    # Collections elsewhere on this machine would count as installed.
    command += ["--force", "--requirements-file", str(requirements), "--collections-path", str(target)]
    with step("asking Galaxy", say):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode == 0


def from_package(wanted: dict[str, str], wheel: Path, target: Path) -> None:
    """Unpack the collections ``wanted`` (name -> versions) from the wheel, each checked for its version."""
    with zipfile.ZipFile(wheel) as archive:
        for name, versions in wanted.items():
            folder = f"ansible_collections/{name.replace('.', '/')}/"
            members = [member for member in archive.namelist() if member.startswith(folder)]
            if not members:
                sys.exit(f"setup: {wheel.name} has no collection {name}")
            version = json.loads(archive.read(f"{folder}MANIFEST.json"))["collection_info"]["version"]
            if version not in SpecifierSet(versions):
                sys.exit(f"setup: {wheel.name} has {name} {version}, but {versions} is needed")
            archive.extractall(target, members)
            say(f"installed {name} {version} out of {wheel.name}")


def _download(folder: str) -> Path:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary=:all:",
        "--dest",
        folder,
    ]
    with step(f"downloading {PACKAGE} (51 MB)", say) as downloading:
        subprocess.run([*command, PACKAGE], stdin=subprocess.DEVNULL, check=True)
    (wheel,) = Path(folder).glob("*.whl")
    say(f"downloaded {wheel.name}: {wheel.stat().st_size / 1e6:.0f} MB in {downloading.took}")
    return wheel


def main(virtualenv: Path, requirements: Path) -> None:
    (target,) = virtualenv.glob("lib/python3*/site-packages")
    if from_galaxy(requirements, target):
        say(f"installed the collections of {requirements} from Galaxy")
        return
    wanted = {entry["name"]: entry.get("version", "") for entry in yaml.safe_load(requirements.read_text())["collections"]}
    with tempfile.TemporaryDirectory() as folder:
        from_package(wanted, _download(folder), target)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
