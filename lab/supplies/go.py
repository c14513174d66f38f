"""Builds from Go modules."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from . import Missing, Say


def run_go(arguments: list[str], folder: Path, say: Say, what: str) -> None:
    """Run go, and report progress every minute, since builds take several."""
    if shutil.which("go") is None:
        raise Missing(f"lab: {what} must be built, and there is no Go here. Install Go 1.26 (https://go.dev/dl) and run this again.")
    started = time.monotonic()
    environment = os.environ | {"CGO_ENABLED": "0"}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(["go", *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while process.poll() is None:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                say(f"still building {what}: {time.monotonic() - started:.0f} s")
        if process.returncode:
            log.seek(0)
            tail = b"\n".join(log.read().splitlines()[-15:]).decode(errors="replace")
            raise Missing(f"lab: building {what} failed (go {' '.join(arguments[:1])}):\n{tail}")
    say(f"built {what} in {time.monotonic() - started:.0f} s")


def module(name: str) -> Path:
    """The folder of a module's source (``path@version``), which Go downloads unless it has it."""
    if shutil.which("go") is None:
        raise Missing(f"lab: {name} is a Go module, and there is no Go here. Install Go 1.26 (https://go.dev/dl) and run this again.")
    done = subprocess.run(["go", "mod", "download", "-json", name], cwd=tempfile.gettempdir(), capture_output=True, check=False, text=True)
    if done.returncode:
        raise Missing(f"lab: Go cannot download {name}: {json.loads(done.stdout).get('Error') if done.stdout else done.stderr}")
    return Path(json.loads(done.stdout)["Dir"])


def flags(version: str) -> list[str]:
    """Flags of a build: the program reports ``version``, and contains no path of this machine."""
    stamp = f"-X k8s.io/component-base/version.gitVersion={version} -X k8s.io/client-go/pkg/version.gitVersion={version}"
    return ["-buildvcs=false", "-trimpath", f"-ldflags=-s -w {stamp}"]
