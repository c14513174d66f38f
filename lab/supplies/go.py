"""Builds from Go modules."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import Missing, Say
from .cache import CACHE
from .progress import step

#: the folder of the one module that everything is built from, so that programs share packages: go.mod pins each
MODULE = Path(__file__).parent
#: what 2 cores build in a minute, links included
PACKAGES_A_MINUTE = 400


@dataclass(frozen=True)
class Build:
    """A program to build: its package in :data:`MODULE`, the version that it reports, and where it is kept."""

    package: str
    version: str
    target: Path

    @property
    def flag(self) -> str:
        """Makes it report its version; the other programs of the same build have flags of their own."""
        stamp = f"-X k8s.io/component-base/version.gitVersion={self.version} -X k8s.io/client-go/pkg/version.gitVersion={self.version}"
        return f"-ldflags={self.package}=-s -w {stamp}"

    @property
    def built_as(self) -> str:
        """The name that Go gives it: the last part of the package that is no major version."""
        *_, before, last = self.package.split("/")
        return before if last[0] == "v" and last[1:].isdecimal() else last


def build(programs: Sequence[Build], say: Say) -> None:
    """Build all of ``programs`` at once, which takes less than one after the other, and keep each whole or not at all."""
    if not programs:
        return
    names = ", ".join(program.target.name for program in programs)
    _require(names)
    # Neither the machine's paths nor the state of a checkout get into a program. Without debugging information it is compiled in 0.9 of the time.
    flags = ["-buildvcs=false", "-trimpath", "-gcflags=all=-dwarf=false", *(program.flag for program in programs)]
    packages = [program.package for program in programs]
    with step("resolving Go packages", say, "modules fetched") as fetching:
        fetched = 0

        def count_modules(line: str) -> None:
            nonlocal fetched
            if line.startswith("go: downloading "):
                fetched += 1
                fetching.at(fetched)

        stale = _go(["list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", *flags, *packages], count_modules).split()
    if fetched:
        say(f"fetched {fetched} Go modules in {fetching.took}")
    say(f"building {names} from {len(stale)} Go packages, once: about {max(1, round(len(stale) / PACKAGES_A_MINUTE))} min on 2 cores")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder, step("building", say, "packages") as building:
        known, built = set(stale), 0

        def count_packages(line: str) -> None:
            nonlocal built
            if line in known:
                built += 1
                building.at(built, len(known))

        _go(["build", "-v", *flags, "-o", f"{folder}/", *packages], count_packages)
        for program in programs:
            program.target.parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / program.built_as).replace(program.target)
    say(f"built {names} in {building.took}")


def module(name: str) -> Path:
    """The folder of a module's source (``path@version``), which Go downloads unless it has it."""
    _require(name)
    done = subprocess.run(["go", "mod", "download", "-json", name], cwd=tempfile.gettempdir(), capture_output=True, check=False, text=True)
    if done.returncode:
        raise Missing(f"lab: Go cannot download {name}: {json.loads(done.stdout).get('Error') if done.stdout else done.stderr}")
    return Path(json.loads(done.stdout)["Dir"])


def _require(what: str) -> None:
    if shutil.which("go") is None:
        raise Missing(f"lab: Go is missing, which {what} must be built with. Install Go 1.26 (https://go.dev/dl) and run this again.")


def _go(arguments: list[str], on_line: Callable[[str], None]) -> str:
    """Run go in :data:`MODULE`. ``on_line`` gets each line about its progress, the caller what it printed."""
    environment = os.environ | {"CGO_ENABLED": "0"}
    last: deque[str] = deque(maxlen=15)
    with tempfile.TemporaryFile("w+") as printed:
        command = ["go", *arguments]
        with subprocess.Popen(
            command, cwd=MODULE, env=environment, stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            for line in process.stderr:
                last.append(line.rstrip())
                on_line(last[-1])
        if process.returncode:
            raise Missing("\n".join([f"lab: go {arguments[0]} failed:", *last]))
        printed.seek(0)
        return printed.read()
