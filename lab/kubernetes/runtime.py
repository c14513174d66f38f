"""containerd, and the images that it starts with: unpacked once for all nodes of all labs, and linked into each node's root."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from ..packets.namespaces import CommandFailed, execute
from ..process import Process
from ..supplies import debian, images
from ..supplies.cache import CACHE

#: containers run as users of their own, who must be able to read what is made for them; the lab's own files are root's alone
UMASK = 0o022


def socket_of(name: str) -> Path:
    """A Unix socket's path has 107 characters at most; /run is the lab's own."""
    return Path("/run/containerd", f"{name}.sock")


class Runtime:
    """One containerd. ``enter`` turns a command into one that runs in the node's network namespace."""

    def __init__(self, name: str, folder: Path, enter: Callable[..., list[str]] | None = None) -> None:
        self.name, self._folder = name, folder
        self._enter = enter or (lambda *words: [str(word) for word in words])
        self.socket = socket_of(name)
        self.root = folder / "containerd"
        self._process: Process | None = None

    async def start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        words = self._enter(debian.path_of("containerd"), "-c", self._configuration())
        log = self._folder / "containerd.log"
        self._process = Process("containerd", words, log, self._answers, debian.environment(), umask=UMASK)
        await self._process.start()

    async def stop(self) -> None:
        if self._process:
            await self._process.stop()

    @property
    def client(self) -> list[str]:
        """The words that begin a command of containerd's own client, in the CRI's namespace."""
        return [str(debian.path_of("ctr")), "-a", str(self.socket), "-n", "k8s.io"]

    async def _answers(self) -> bool:
        if not self.socket.exists():
            return False
        try:
            await execute(*self.client, "version")
        except CommandFailed:
            return False
        return True

    def _configuration(self) -> Path:
        (self._folder / "cni").mkdir(exist_ok=True)
        template = self._folder / "cni.template"
        # containerd fills in the ranges that the kubelet hands it.
        template.write_text(
            '{"cniVersion": "0.4.0", "name": "lab", "plugins": [{"type": "ptp", "mtu": 1500, "ipMasq": false, "ipam": {"type": "host-local", '
            f'"dataDir": "{self._folder}/ipam", "ranges": ['
            '{{range $i, $r := .PodCIDRRanges}}{{if $i}}, {{end}}[{"subnet": "{{$r}}"}]{{end}}'
            '], "routes": [{{range $i, $r := .Routes}}{{if $i}}, {{end}}{"dst": "{{$r}}"}{{end}}]}}]}'
        )
        unwanted = [f"io.containerd.snapshotter.v1.{name}" for name in ("btrfs", "zfs", "aufs", "devmapper")]
        unwanted += ["io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
        path = self._folder / "containerd.toml"
        path.write_text(
            f"""\
version = 2
root = "{self.root}"
state = "/run/containerd/{self.name}"
disabled_plugins = {unwanted}
[grpc]
  address = "{self.socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{images.PROGRAMS["pause"].image}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{debian.cni_plugins()}"
    conf_dir = "{self._folder}/cni"
    conf_template = "{template}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
    SystemdCgroup = false
"""
        )
        return path

    async def fill(self, filled: Path) -> None:
        """Start with the content of ``filled``; its files are linked, its databases are copied."""
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            await execute("cp", "-a", "--link", str(filled), str(self.root))
        except CommandFailed:
            shutil.rmtree(self.root, ignore_errors=True)
            await execute("cp", "-a", str(filled), str(self.root))
        for database in self.root.rglob("*.db"):
            copied = database.with_suffix(".copy")
            shutil.copyfile(database, copied)
            copied.replace(database)


_filling = asyncio.Lock()


async def filled_root() -> Path:
    """The root of a containerd that has all images; made on first use (some seconds)."""
    known = sorted(f"{name} {image.archive.name}" for image in images.archives() for name in image.names)
    target = CACHE / "images" / f"root-{hashlib.sha256(chr(10).join(known).encode()).hexdigest()[:12]}"
    async with _filling:
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=target.parent) as folder:
                runtime = Runtime(f"fill-{Path(folder).name}", Path(folder))
                await runtime.start()
                try:
                    await _import(runtime)
                finally:
                    await runtime.stop()
                # Another lab may have been faster.
                with contextlib.suppress(OSError):
                    runtime.root.rename(target)
    return target


async def _import(runtime: Runtime) -> None:
    for image in images.archives():
        for command in image.commands(runtime.client):
            await execute(*command)
