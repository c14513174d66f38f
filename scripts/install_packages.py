"""Install Python packages into a virtualenv with its own pip, and show how far that is.

.venv/bin/python scripts/install_packages.py VIRTUALENV requirements.txt [OPTION OF PIP INSTALL ...]
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from lab.supplies.progress import Step, step

_INSTALLING = "Installing collected packages: "


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


def _installed(virtualenv: Path) -> int:
    return sum(1 for _ in virtualenv.glob("lib/python3*/site-packages/*.dist-info"))


def _watch(virtualenv: Path, total: int, installing: Step, ended: threading.Event) -> None:
    """Pip is silent while it installs: count what is there."""
    before = _installed(virtualenv)
    while not ended.wait(1):
        installing.at(_installed(virtualenv) - before, total)


def install(virtualenv: Path, requirements: str, options: Sequence[str]) -> None:
    command = [str(virtualenv / "bin" / "pip"), "install", "--disable-pip-version-check", "--progress-bar=off", *options, "-r", requirements]
    log: list[str] = []
    ended = threading.Event()
    with step(f"installing {requirements} into {virtualenv}", say, "packages") as installing:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            assert process.stdout is not None
            collected = 0
            for line in process.stdout:
                log.append(line.rstrip())
                if line.startswith("Collecting "):
                    collected += 1
                    installing.at(collected)
                elif line.startswith(_INSTALLING):
                    total = len(line.removeprefix(_INSTALLING).split(", "))
                    threading.Thread(target=_watch, args=(virtualenv, total, installing, ended), daemon=True).start()
        ended.set()
    if process.returncode:
        sys.exit("\n".join([f"setup: pip cannot install {requirements}:", *log[-15:]]))
    say(f"installed {requirements} into {virtualenv} in {installing.took}: {_installed(virtualenv)} packages")


if __name__ == "__main__":
    install(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
