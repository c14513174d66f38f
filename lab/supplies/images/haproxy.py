"""Debian's HAProxy, laid out and started as the official image is: the ingress that somebody else's cluster has."""

from __future__ import annotations

from pathlib import Path

from .. import Say
from . import packages
from .archive import Entry

USER = 99
_BINARY, _OFFICIAL = "usr/sbin/haproxy", "usr/local/sbin/haproxy"
CONFIGURATION = {
    "Cmd": ["haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"],
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    "User": f"{USER}:{USER}",
    "StopSignal": "SIGUSR1",
    "WorkingDir": "/",
}


def entries(folder: Path, say: Say) -> dict[str, Entry]:
    """Every file of the image: HAProxy, and exactly the libraries that it loads. Unpacks below ``folder``."""
    root = folder / "haproxy"
    packages.fetch("HAProxy", ("haproxy",), 7, root, say)
    made = {name: Entry(packages.at(root, name).read_bytes()) for name in packages.libraries(root, _BINARY)}
    return made | {
        "lib": Entry(link="usr/lib"),
        "lib64": Entry(link="usr/lib64"),
        _OFFICIAL: Entry((root / _BINARY).read_bytes()),
        "etc/passwd": Entry(f"root:x:0:0:root:/:/bin/false\nhaproxy:x:{USER}:{USER}:haproxy:/nonexistent:/bin/false\n".encode(), mode=0o644),
        "etc/group": Entry(f"root:x:0:\nhaproxy:x:{USER}:\n".encode(), mode=0o644),
        "usr/local/etc/haproxy": Entry(folder=True),
        "tmp": Entry(folder=True, mode=0o1777),
    }
