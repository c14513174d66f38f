"""Programs and libraries from the machine's Debian or Ubuntu suite, unpacked into the cache: nothing is installed or displaced."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import Missing, Say
from .cache import CACHE
from .progress import step

#: programs of nodes and of the networks between them -> the package that each is in
NODE = {
    "containerd": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "nft": "nftables",
    "conntrack": "conntrack",
    "ip": "iproute2",
}
#: programs that tests and users run as clients
CLIENTS = {"curl": "curl", "dig": "bind9-dnsutils"}
#: programs of benchmarks, fetched when one runs
BENCHMARKS = {"h2load": "nghttp2-client"}
#: what tests of pages look at them with
BROWSER = {"chromium-headless-shell": "chromium-headless-shell"}
GROUPS = {"node": NODE, "clients": CLIENTS, "benchmarks": BENCHMARKS, "browser": BROWSER}
CNI_PLUGINS = ("ptp", "host-local", "loopback")
_CNI_PACKAGE = "containernetworking-plugins"
_CNI_FOLDERS = (Path("/opt/cni/bin"), Path("/usr/lib/cni"))
#: folders that are not on every user's PATH
_ADMINISTRATORS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
#: Chromium's comes first: what it has in usr/bin calls the program where a package would have installed it
_BIN_FOLDERS = ("usr/lib/chromium", "usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin")


@dataclass(frozen=True)
class Source:
    """Where apt takes packages from: the machine's own sources, or the lines given. ``bare`` counts nothing as installed already."""

    suite: str
    lines: tuple[str, ...] = ()
    bare: bool = False


@functools.cache
def suite() -> str:
    """Such as ``bookworm``; what the machine's apt is set up for."""
    try:
        return platform.freedesktop_os_release().get("VERSION_CODENAME", "unknown")
    except OSError:
        return "unknown"


def triplet() -> str:
    """The folder of libraries on this architecture, as Debian names it."""
    return f"{platform.machine()}-linux-gnu"


@dataclass(frozen=True)
class _Apt:
    """apt-get with lists, cache and state of its own; it reads the machine's sources, keyrings and installed packages, and writes none of them."""

    folder: Path
    source: Source
    log: list[str] = field(default_factory=list)

    def __call__(self, *arguments: str) -> bool:
        settings = {
            "Dir::State": f"{self.folder}/state",
            "Dir::State::Lists": f"{self.folder}/lists",
            "Dir::State::status": f"{self.folder}/status" if self.source.bare else "/var/lib/dpkg/status",
            "Dir::Cache": f"{self.folder}/cache",
            "Dir::Log": f"{self.folder}/log",
            "Debug::NoLocking": "true",
            # The unprivileged user that apt switches to may not enter a private folder.
            "APT::Sandbox::User": "",
            "APT::Install-Recommends": "false",
            "APT::Update::Post-Invoke-Success::": "",
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
            "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled": "false",
        }
        if self.source.lines:
            settings |= {"Dir::Etc::SourceList": f"{self.folder}/sources.list", "Dir::Etc::SourceParts": "-"}
        options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        done = subprocess.run(
            ["apt-get", *options, "-qq", "-y", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=os.environ | {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
            check=False,
        )
        self.log.extend((done.stderr or done.stdout).splitlines()[-8:])
        return done.returncode == 0


def unpack(packages: Sequence[str], source: Source, target: Path) -> list[str]:
    """Unpack packages, with the dependencies that ``source`` lacks, below ``target``, whole or not at all. Returns errors, none on success."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return ["there is no apt here"]
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        apt = _Apt(Path(folder), source)
        for name in ("state", "lists/partial", "cache/archives/partial", "log", "root"):
            (apt.folder / name).mkdir(parents=True)
        (apt.folder / "status").touch()
        (apt.folder / "sources.list").write_text("".join(f"{line}\n" for line in source.lines))
        # A third party's source that does not answer fails an update that has brought all we need.
        apt("update")
        if not apt("install", "--download-only", *packages):
            return apt.log
        for archive in sorted((apt.folder / "cache" / "archives").glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", str(archive), str(apt.folder / "root")], check=True)
        shutil.rmtree(target, ignore_errors=True)
        (apt.folder / "root").rename(target)
    return []


def _on_machine(name: str) -> Path | None:
    # A shell that has the lab's environment finds the cache's programs too, which need the cache's libraries.
    folders = [folder for folder in os.environ.get("PATH", os.defpath).split(":") if not Path(folder).is_relative_to(CACHE / "debian")]
    found = shutil.which(name, path=":".join([*folders, *_ADMINISTRATORS]))
    return Path(found) if found else None


def _has_plugins(folder: Path) -> bool:
    return all(os.access(folder / plugin, os.X_OK) for plugin in CNI_PLUGINS)


def _packages(group: str) -> list[str]:
    """The packages of a group whose programs this machine lacks."""
    names = {package for program, package in GROUPS[group].items() if _on_machine(program) is None}
    if group == "node" and not any(_has_plugins(folder) for folder in _CNI_FOLDERS):
        names.add(_CNI_PACKAGE)
    return sorted(names)


def _store(packages: Sequence[str]) -> Path:
    return CACHE / "debian" / f"{suite()}-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:12]}"


@functools.cache
def _stores() -> tuple[Path, ...]:
    """The folders of all groups that were fetched."""
    candidates = (_store(packages) for group in GROUPS if (packages := _packages(group)))
    return tuple(store for store in candidates if store.exists())


def ensure(say: Say, groups: Sequence[str] = ("node", "clients")) -> None:
    """Get the programs of these groups that the machine lacks."""
    for group in groups:
        packages = _packages(group)
        if packages:
            _fetch(say, packages, _store(packages))
    _stores.cache_clear()


def _fetch(say: Say, packages: Sequence[str], store: Path) -> None:
    """Unpack packages unless another process has done it, or does it now."""
    store.parent.mkdir(parents=True, exist_ok=True)
    with store.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if store.exists():
            return
        say(f"fetching {', '.join(packages)} and what they need from {suite()}, unpacked into the cache: up to two minutes")
        with step("fetching packages", say) as fetching:
            problems = unpack(packages, Source(suite()), store)
        if problems:
            reasons = "\n".join(problems)
            remedy = "Install them with this system's package manager and run this again."
            raise Missing(f"lab: {', '.join(packages)} cannot be fetched:\n{reasons}\nlab: {remedy}")
        size = sum(path.lstat().st_size for path in store.rglob("*") if not path.is_symlink())
        say(f"unpacked {', '.join(packages)}: {size / 1e6:.0f} MB in {fetching.took}")


def find(name: str) -> Path | None:
    """A program, on the machine or in the cache."""
    return _on_machine(name) or next(
        (path for store in _stores() for folder in _BIN_FOLDERS if os.access(path := store / folder / name, os.X_OK)),
        None,
    )


def path_of(name: str) -> Path:
    """A program's path; :func:`ensure` has been called before."""
    found = find(name)
    if found is None:
        raise Missing(f"lab: {name} is missing; run: python -m lab binaries")
    return found


def environment() -> dict[str, str]:
    """``PATH`` and ``LD_LIBRARY_PATH`` by which these programs find each other and their libraries: the machine's come first."""
    programs = [store / folder for store in _stores() for folder in _BIN_FOLDERS]
    folders = (f"usr/lib/{triplet()}", f"lib/{triplet()}", f"usr/lib/{triplet()}/pulseaudio")
    libraries = [store / folder for store in _stores() for folder in folders]
    found = [*os.environ.get("PATH", os.defpath).split(":"), *_ADMINISTRATORS, *(str(folder) for folder in programs if folder.is_dir())]
    known = {"PATH": ":".join(dict.fromkeys(found))}
    if libraries:
        before = os.environ.get("LD_LIBRARY_PATH")
        known["LD_LIBRARY_PATH"] = ":".join([*([before] if before else []), *(str(folder) for folder in libraries if folder.is_dir())])
    return known


def cni_plugins() -> Path:
    """The folder of the CNI plugins."""
    for folder in (*_CNI_FOLDERS, *(store / "usr/lib/cni" for store in _stores())):
        if _has_plugins(folder):
            return folder
    raise Missing(f"lab: the CNI plugins ({_CNI_PACKAGE}) are missing; run: python -m lab binaries")
