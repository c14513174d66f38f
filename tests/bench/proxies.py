"""Memory of an entrance's proxy on nodes of 4 to 96 cores, with the workers that its configuration names and with nginx' own count.

The proxy is the image that the lab's pods run, with the configuration that the role renders, in a memory group with the role's limit, under
200 clients of HTTP/2 over TLS. It sees as many cores as the node would have: nginx counts them in /sys.

make bench
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.loader import find_collections

find_collections()

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.quantities import quantity
from lab.__main__ import say
from lab.certificates import CertificateAuthority
from lab.kubernetes import cgroups
from lab.supplies import debian
from lab.supplies.images import archive, nginx
from tests.bench.measuring import target
from tests.rendering import Rendering

CORES = (4, 16, 32, 64, 96)
CLIENTS, REQUESTS = 200, 20_000
HOST, APPLICATION, PORT = "shop.example.org", "127.0.0.2", 9000
GROUP = "/dualstack-bench"
ANSWER_BYTES = 64 * 1024
MIB = 1024 * 1024
_APPLICATION = f"""daemon off;
pid /tmp/application.pid;
error_log /dev/null;
events {{}}
http {{ access_log off; server {{ listen {APPLICATION}:{PORT}; location / {{ root /usr/share/nginx/html; }} }} }}
"""


@dataclass(frozen=True)
class Usage:
    """MiB at the start and at most under load, and whether the kernel killed a process at the limit."""

    started: float
    peak: float
    killed: bool

    def __str__(self) -> str:
        return f"{self.started:.0f} MiB, killed" if self.killed else f"{self.started:.0f} MiB, {self.peak:.0f} MiB under load"


class Group:
    """A memory group with a limit, of either version of the kernel's interface."""

    def __init__(self, limit: int) -> None:
        cgroups.remove(GROUP)
        cgroups.create(GROUP)
        unified = Path("/sys/fs/cgroup/cgroup.controllers").exists()
        self.folder = Path("/sys/fs/cgroup", "" if unified else "memory") / GROUP.lstrip("/")
        self._names = (
            ("memory.current", "memory.peak", "memory.events")
            if unified
            else ("memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control")
        )
        (self.folder / ("memory.max" if unified else "memory.limit_in_bytes")).write_text(str(limit))

    def usage(self) -> float:
        return int((self.folder / self._names[0]).read_text()) / MIB

    def peak(self) -> float:
        return int((self.folder / self._names[1]).read_text()) / MIB

    def killed(self) -> bool:
        return re.search(r"^oom_kill [1-9]", (self.folder / self._names[2]).read_text(), re.MULTILINE) is not None


def root_of(folder: Path) -> Path:
    """The image of the proxy laid out as a root, with a certificate and devices."""
    root = folder / "root"
    archive.write(folder / "nginx.tar", "nginx", nginx.entries(folder / "packages", say), nginx.CONFIGURATION)
    with tarfile.open(folder / "nginx.tar") as image, tarfile.open(fileobj=image.extractfile("layer.tar")) as layer:
        layer.extractall(root, filter="fully_trusted")
    for name in ("dev", "sys/devices/system/cpu", "etc/nginx/certificates/secrets/shop-tls"):
        (root / name).mkdir(parents=True)
    os.mknod(root / "dev/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    (root / "dev/null").chmod(0o666)
    (root / "dev/stdout").symlink_to("null")
    (root / "dev/stderr").touch()
    (root / "dev/stderr").chmod(0o666)
    certificate, key = CertificateAuthority(folder / "authority", "bench").issue("shop", HOST, hosts=(HOST,))
    for path, name in ((certificate, "tls.crt"), (key, "tls.key")):
        shutil.copyfile(path, root / "etc/nginx/certificates/secrets/shop-tls" / name)
    (root / "usr/share/nginx/html/index.html").write_bytes(b"x" * ANSWER_BYTES)
    (root / "etc/nginx/application.conf").write_text(_APPLICATION)
    return root


def configuration() -> str:
    """What the role renders for the IPv4 entrance in front of one Service."""
    service = {"metadata": {"name": "shop", "namespace": "apps"}, "spec": {"clusterIPs": [APPLICATION]}}
    found = Rendering(
        ingress_routes=[{"host": HOST, "service": "shop", "namespace": "apps", "port": PORT}],
        ingress_tls=[{"hosts": [HOST], "secret": "shop-tls"}],
        ingress_access={"services": [service]},
    )
    (text,) = (item["data"]["nginx.conf"] for item in found["__ingress_objects"] if item["metadata"]["name"].startswith("entrance-ipv4-"))
    return str(text)


@contextmanager
def running(root: Path, configuration: str, group: Group | None = None) -> Iterator[None]:
    """nginx with a configuration below /etc/nginx, as the image's user."""
    enter = f"echo $$ > {group.folder}/cgroup.procs && " if group else ""
    command = f"{enter}exec chroot --userspec={nginx.USER}:{nginx.USER} {root} nginx -c /etc/nginx/{configuration}"
    with subprocess.Popen(["sh", "-c", command + (" -g 'daemon off;'" if group else "")]) as process:
        try:
            yield
        finally:
            process.terminate()


def measured(root: Path, text: str, cores: int, limit: int) -> Usage:
    """A proxy with this configuration on a node with so many cores."""
    (root / "sys/devices/system/cpu/online").write_text(f"0-{cores - 1}\n")
    (root / "etc/nginx/nginx.conf").write_text(text)
    group = Group(limit)
    with running(root, "nginx.conf", group):
        # Workers begin one after the other, or are killed and begun again.
        time.sleep(1 + cores / 50)
        started = group.usage()
        if not group.killed():
            url = f"https://{HOST}/index.html"
            command = ["h2load", f"--clients={CLIENTS}", f"--requests={REQUESTS}", "--threads=1", "--connect-to=127.0.0.1:8443", url]
            run = subprocess.run(command, env=os.environ | debian.environment(), capture_output=True, text=True, check=False)
            if f" {REQUESTS} succeeded" not in run.stdout and not group.killed():
                sys.exit(f"{cores} cores: {run.stdout}{run.stderr}{(root / 'dev/stderr').read_text()}")
        return Usage(started, group.peak(), group.killed())


def main() -> None:
    debian.ensure(say, ("node", "benchmarks"))
    text = configuration()
    automatic = re.sub(r"^worker_processes .*;", "worker_processes auto;", text, flags=re.MULTILINE)
    limit = int(quantity(Rendering()["ingress_memory_limit"]))
    highest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        root = root_of(Path(folder))
        # Nothing else listens here, and no packet leaves.
        os.unshare(os.CLONE_NEWNET)
        subprocess.run([debian.path_of("ip"), "link", "set", "lo", "up"], check=True)
        print(f"{'cores':>5}  {'worker_processes auto':38} as rendered")
        try:
            with running(root, "application.conf"):
                for cores in CORES:
                    before, after = (measured(root, found, cores, limit) for found in (automatic, text))
                    highest = max(highest, after.peak)
                    print(f"{cores:5}  {before!s:38} {after}", flush=True)
                    if after.killed:
                        sys.exit("proxies: a proxy does not stay within its limit")
        finally:
            cgroups.remove(GROUP)
    target(f"MiB of a proxy under {CLIENTS} clients, on the largest node", highest, limit / MIB, 0)


if __name__ == "__main__":
    main()
