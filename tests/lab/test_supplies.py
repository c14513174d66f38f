"""What the lab builds and downloads, and how it reports that."""

from __future__ import annotations

import hashlib
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lab.state import CHECKOUT
from lab.supplies import Missing, binaries, debian, go, images, progress

GO_MOD = (CHECKOUT / "lab/supplies/go.mod").read_text()


def pinned(module: str) -> str:
    (version,) = re.findall(rf"^\t{re.escape(module)} (\S+)", GO_MOD, re.MULTILINE)
    return str(version)


def test_versions_are_those_of_the_module() -> None:
    assert pinned("k8s.io/kubernetes") == binaries.VERSION
    assert pinned("sigs.k8s.io/cloud-provider-azure") == binaries.CLOUD_PROVIDER_VERSION


def test_etcd_is_one_release() -> None:
    """CoreDNS asks for a newer client than Kubernetes; a mixture would report a version that it is not."""
    replaced = dict(re.findall(r"^\tgo\.etcd\.io/etcd/(\S+) => \S+ (\S+)", GO_MOD, re.MULTILINE))
    assert replaced == dict.fromkeys(("api/v3", "client/pkg/v3", "client/v3"), pinned("go.etcd.io/etcd/server/v3"))


def test_every_program_is_a_tool_of_the_module_or_has_its_source_here() -> None:
    tools = set(re.findall(r"^\t(\S+)$", GO_MOD.partition("\ntool (")[2].partition(")")[0], re.MULTILINE))
    packages = {program.package for program in images.PROGRAMS.values()}
    assert {*binaries.COMPONENTS.values(), *(package for package in packages if not package.startswith("./"))} < tools
    assert all((go.MODULE / package / "main.go").exists() for package in packages if package.startswith("./"))


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module like the lab's: two programs that share the package of their version, one of them named by a major version."""
    folder = tmp_path / "module"
    for name in ("version", "one", "server/v3"):
        (folder / name).mkdir(parents=True)
    (folder / "go.mod").write_text("module k8s.io/component-base\n\ngo 1.26.0\n")
    (folder / "version" / "version.go").write_text('package version\n\nvar gitVersion = ""\n\nfunc Print() { println(gitVersion) }\n')
    for name in ("one", "server/v3"):
        (folder / name / "main.go").write_text('package main\n\nimport "k8s.io/component-base/version"\n\nfunc main() { version.Print() }\n')
    monkeypatch.setattr(go, "MODULE", folder)
    monkeypatch.setattr(go, "CACHE", tmp_path / "cache")
    return folder


def builds(folder: Path) -> list[go.Build]:
    return [
        go.Build("./one", "v1.0.0", folder / "first" / "one"),
        go.Build("k8s.io/component-base/server/v3", "v3.6.8", folder / "second" / "etcd"),
    ]


def test_programs_of_one_build_report_versions_of_their_own(module: Path, tmp_path: Path) -> None:
    said: list[str] = []
    go.build(builds(tmp_path), said.append)
    printed = [subprocess.run([build.target], capture_output=True, text=True, check=True).stderr for build in builds(tmp_path)]
    assert printed == ["v1.0.0\n", "v3.6.8\n"]
    assert any(re.match(r"building one, etcd from \d+ Go packages", line) for line in said)
    assert re.match(r"built one, etcd in \d:\d\d:\d\d", said[-1])
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_build_that_fails_says_why_and_keeps_nothing(module: Path, tmp_path: Path) -> None:
    (module / "one" / "main.go").write_text("package main\n\nfunc main() { undeclared() }\n")
    with pytest.raises(Missing, match="undefined: undeclared"):
        go.build(builds(tmp_path), print)
    assert not any(build.target.exists() for build in builds(tmp_path))


def test_nothing_to_build_needs_no_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    go.build([], print)
    with pytest.raises(Missing, match="Install Go"):
        go.build(builds(Path("/nonexistent")), print)


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a release with kubectl alone, served on loopback."""
    folder = tmp_path / "served"
    files = folder / binaries.VERSION / "bin/linux/amd64"
    files.mkdir(parents=True)
    (files / "kubectl").write_bytes(b"kubectl" * 100_000)
    (files / "kubectl.sha256").write_text(f"{hashlib.sha256((files / 'kubectl').read_bytes()).hexdigest()}\n")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(binaries, "RELEASES", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(binaries, "_STORE", tmp_path / "store")
    monkeypatch.setattr(binaries, "_CLOUD_STORE", tmp_path / "cloud")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    binaries.find.cache_clear()
    yield files
    binaries.find.cache_clear()
    server.shutdown()
    server.server_close()


def test_what_a_release_has_is_downloaded_and_the_rest_is_built(release: Path, tmp_path: Path) -> None:
    unbuilt = binaries.missing(print)
    assert {build.target.name for build in unbuilt} == {*binaries.COMPONENTS, binaries.CLOUD_CONTROLLER} - {"kubectl"}
    kubectl = tmp_path / "store" / "kubectl"
    assert binaries.path_of("kubectl") == kubectl
    assert kubectl.read_bytes() == (release / "kubectl").read_bytes()
    assert os.access(kubectl, os.X_OK)


def test_a_download_that_is_not_the_release_is_refused(release: Path, tmp_path: Path) -> None:
    (release / "kubectl.sha256").write_text(f"{'0' * 64}\n")
    with pytest.raises(Missing, match="does not have the checksum"):
        binaries.missing(print)
    assert not (tmp_path / "store" / "kubectl").exists()


def test_where_nobody_looks_a_step_is_reported_in_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.01)
    reported = threading.Event()
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if "3 of 10" in line:
            reported.set()

    with progress.step("building", say, "packages") as step:
        step.at(3, 10)
        assert reported.wait(60)
    assert re.fullmatch(r"building: 0:\d\d:\d\d, 3 of 10 packages", said[-1])


def test_on_a_terminal_a_step_is_a_bar() -> None:
    script = """
from lab.supplies.progress import step
with step("building", print, "packages") as building:
    building.at(3, 10)
print("built in", building.took)
"""
    terminal, side = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, stdout=side, env=environment, check=True)
    os.close(side)
    shown = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert "building" in shown
    assert "━" in shown
    assert "3 of 10 packages" in shown
    assert "built in 0:" in shown


def test_a_program_of_the_cache_on_the_path_is_none_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a shell that has evaluated ``python -m lab env``: without its libraries the program does not start."""
    monkeypatch.setattr(debian, "CACHE", tmp_path / "cache")
    places = [tmp_path / "cache" / "debian" / "suite-1" / "usr" / "bin", tmp_path / "machine"]
    for number, place in enumerate(places):
        place.mkdir(parents=True)
        (place / f"lab-test-{number}").touch(mode=0o755)
    monkeypatch.setenv("PATH", ":".join(map(str, places)))
    assert debian._on_machine("lab-test-0") is None
    assert debian._on_machine("lab-test-1") == places[1] / "lab-test-1"
