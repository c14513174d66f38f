"""Build the artefact, and have it checked as Galaxy and the community do: galaxy-importer, ansible-test sanity, ansible-test units."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from tests.package import CHECKOUT, PLACE, build

_PROGRAMS = Path(sys.executable).parent
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
#: where ansible-test looks for the script before it downloads it, named after the version of pip that it wants
_GET_PIP = Path("~/.ansible/test/cache/get_pip_25_2.py").expanduser()
#: what a unit test has that needs the checkout: the lab, the tests' other helpers, or a file beside the collection
_NEEDS_CHECKOUT = re.compile(r"^from (?:lab|scripts|tests\.(?!unit\b))|^from tests import|parents\[2\]", re.MULTILINE)


def say(text: str) -> None:
    print(f"package: {text}", flush=True)


def run(*words: str, folder: Path) -> str:
    """Run a program and show what it prints. Ends this one where it fails."""
    started = time.monotonic()
    environment = os.environ | {"PATH": f"{_PROGRAMS}:{os.environ.get('PATH', os.defpath)}"}
    with subprocess.Popen(words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=-1, stderr=-2, text=True) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            sys.stdout.write(line)
            sys.stdout.flush()
    if process.returncode:
        sys.exit(f"package: {' '.join(words[:2])} failed")
    say(f"{' '.join(words[:2])} took {time.monotonic() - started:.0f} s")
    return "".join(lines)


def unpack(artefact: Path, folder: Path) -> Path:
    """The collection where ansible-test wants it."""
    collection = folder / PLACE
    collection.mkdir(parents=True)
    with tarfile.open(artefact) as archive:
        archive.extractall(collection, filter="data")
    return collection


def import_to_galaxy(artefact: Path) -> None:
    """What Galaxy does with an upload. A warning counts as a failure."""
    printed = run(sys.executable, "-m", "galaxy_importer.main", artefact.name, folder=artefact.parent)
    if found := [line for line in printed.splitlines() if line.startswith(("WARNING", "ERROR"))]:
        sys.exit(f"package: galaxy-importer has {len(found)} complaints")


def provide_pip() -> None:
    """Give ansible-test the script that it would download."""
    if not _GET_PIP.exists():
        _GET_PIP.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(__file__).with_name("get_pip.py"), _GET_PIP)


def add_unit_tests(collection: Path) -> None:
    """Put the unit tests that need nothing but the collection beside it, and what they share."""
    unit = CHECKOUT / "tests" / "unit"
    # ansible-test has left its output there.
    (collection / "tests").mkdir(exist_ok=True)
    for name in ("__init__.py", "loader.py"):
        shutil.copy(CHECKOUT / "tests" / name, collection / "tests")
    shutil.copytree(unit, collection / "tests" / "unit", ignore=shutil.ignore_patterns("__pycache__"))
    left_out = [path for path in unit.glob("test_*.py") if _NEEDS_CHECKOUT.search(path.read_text())]
    for path in left_out:
        (collection / "tests" / "unit" / path.name).unlink()
    say(f"{len(list((collection / 'tests' / 'unit').glob('test_*.py')))} files of unit tests run on the artefact; {len(left_out)} need the checkout")


def main() -> None:
    provide_pip()
    with tempfile.TemporaryDirectory(prefix="dsaks-package-") as name:
        artefact = build(Path(name))
        say(f"{artefact.name}, {artefact.stat().st_size // 1024} KB")
        import_to_galaxy(artefact)
        collection = unpack(artefact, Path(name))
        run("ansible-test", "sanity", "--local", "--python", _PYTHON, "--color", "no", folder=collection)
        add_unit_tests(collection)
        run("ansible-test", "units", "--local", "--python", _PYTHON, "--color", "no", folder=collection)
    say("passed")


if __name__ == "__main__":
    main()
