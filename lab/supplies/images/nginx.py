"""The proxy's image from Debian's nginx: laid out and started as the official unprivileged image is."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from .. import Missing, Say, debian
from .archive import Entry

#: nginx 1.26: the oldest suite whose nginx knows `http2 on`
SUITE = "trixie"
PACKAGES = ("nginx", "libnginx-mod-stream", "busybox-static")
USER = 101
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_BINARY, _MODULE, _BUSYBOX = "usr/sbin/nginx", "usr/lib/nginx/modules/ngx_stream_module.so", "usr/bin/busybox"
_REAL_BINARY = "usr/libexec/nginx"
WRAPPER = f"""#!/bin/sh
# The official nginx has the stream module compiled in; Debian's loads it.
directives=
left=$#
while [ "$left" -gt 0 ]; do
  case $1 in
    -g) directives="$directives $2"; shift; left=$((left - 1)) ;;
    -g*) directives="$directives ${{1#-g}}" ;;
    *) set -- "$@" "$1" ;;
  esac
  shift
  left=$((left - 1))
done
exec /{_REAL_BINARY} "$@" -g "load_module /{_MODULE};$directives"
"""
_CONFIGURATION = """pid /tmp/nginx.pid;
error_log /dev/stderr notice;
events {}
http {
  include /etc/nginx/mime.types;
  client_body_temp_path /tmp/client_body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  access_log /dev/stdout;
  server {
    listen 8080;
    listen [::]:8080;
    root /usr/share/nginx/html;
  }
}
"""
CONFIGURATION = {
    "Cmd": ["nginx", "-g", "daemon off;"],
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    "User": f"{USER}:{USER}",
    "StopSignal": "SIGQUIT",
    "ExposedPorts": {"8080/tcp": {}},
    "WorkingDir": "/",
}


def _sources() -> list[debian.Source]:
    """Where nginx may come from, best first."""
    signed = f"[signed-by={_KEYRING}]"
    newest = debian.Source(
        SUITE,
        (f"deb {signed} http://deb.debian.org/debian {SUITE} main", f"deb {signed} http://deb.debian.org/debian-security {SUITE}-security main"),
        bare=True,
    )
    machine = debian.Source(debian.suite(), bare=True)
    return [newest, machine] if _KEYRING.exists() else [machine]


def _unpack(root: Path, say: Say) -> None:
    problems: list[str] = []
    for source in _sources():
        say(f"fetching nginx from {source.suite}: 11 MB")
        problems = debian.unpack(PACKAGES, source, root)
        if not problems:
            if source.suite != SUITE:
                say(f"nginx is {source.suite}'s, since {SUITE} cannot be had: `http2 on` may be unknown to it")
            return
    reasons = "\n".join(problems)
    raise Missing(f"lab: nginx cannot be fetched:\n{reasons}\nlab: its image needs apt and a Debian mirror.")


def _at(root: Path, name: str) -> Path:
    """A file of a package; suites before trixie have some of them outside /usr, and links that begin at /."""
    path = root / name if (root / name).is_symlink() or (root / name).exists() else root / name.removeprefix("usr/")
    if path.is_symlink():
        target = path.readlink()
        return _at(root, str(target)[1:] if target.is_absolute() else str((path.parent / target).relative_to(root)))
    return path


def _needed(root: Path, program: str) -> set[str]:
    """The libraries of a program, as listed by the loader that belongs to them, not by the machine's."""
    loaders = [path for pattern in ("usr/lib*/ld-linux*.so.*", "lib*/ld-linux*.so.*") for path in sorted(root.glob(pattern))]
    loader = _at(root, str(loaders[0].relative_to(root)))
    folders = ":".join(str(root / folder / debian.triplet()) for folder in ("usr/lib", "lib"))
    listed = subprocess.run(
        [str(loader), "--library-path", folders, "--list", str(_at(root, program))],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    libraries = {found if found.startswith("usr/") else f"usr/{found}" for found in re.findall(rf"{re.escape(str(root))}/(\S+)", listed)}
    # A program names the loader by its path on the system, not by where it was unpacked.
    return {name for name in libraries if "ld-linux" not in name} | {f"usr/{str(loaders[0].relative_to(root)).removeprefix('usr/')}"}


def entries(folder: Path, say: Say) -> dict[str, Entry]:
    """Every file of the image: nginx, its module, exactly the libraries that they load, and a shell. Unpacks below ``folder``."""
    root = folder / "nginx"
    _unpack(root, say)
    libraries = {library for program in (_BINARY, _MODULE) for library in _needed(root, program)}
    parameters = {f"etc/nginx/{path.name}" for path in (root / "etc/nginx").glob("*_params")}
    made = {name: Entry(_at(root, name).read_bytes()) for name in libraries}
    # The official image is Alpine's, where busybox is the shell and its tools.
    applets = subprocess.run([str(_at(root, _BUSYBOX)), "--list"], capture_output=True, text=True, check=True).stdout.split()
    made |= {f"usr/bin/{applet}": Entry(link="busybox") for applet in applets if applet != "busybox"}
    made |= {name: Entry((root / name).read_bytes(), mode=0o644) for name in parameters}
    return made | {
        "bin": Entry(link="usr/bin"),
        "lib": Entry(link="usr/lib"),
        "lib64": Entry(link="usr/lib64"),
        "sbin": Entry(link="usr/sbin"),
        _BUSYBOX: Entry(_at(root, _BUSYBOX).read_bytes()),
        _REAL_BINARY: Entry((root / _BINARY).read_bytes()),
        _BINARY: Entry(WRAPPER.encode()),
        _MODULE: Entry((root / _MODULE).read_bytes(), mode=0o644),
        "etc/nginx/nginx.conf": Entry(_CONFIGURATION.encode(), mode=0o644),
        "etc/nginx/mime.types": Entry((root / "etc/nginx/mime.types").read_bytes(), mode=0o644),
        "etc/nginx/conf.d": Entry(folder=True),
        "etc/passwd": Entry(
            f"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\nnginx:x:{USER}:{USER}:nginx:/nonexistent:/bin/false\n".encode(),
            mode=0o644,
        ),
        "etc/group": Entry(f"root:x:0:\nnobody:x:65534:\nnogroup:x:65534:\nnginx:x:{USER}:\n".encode(), mode=0o644),
        "etc/nsswitch.conf": Entry(b"passwd: files\ngroup: files\nhosts: files dns\n", mode=0o644),
        "usr/share/nginx/html/index.html": Entry(b"nginx\n", mode=0o644),
        "var/lib/nginx": Entry(folder=True, owner=USER),
        "var/log/nginx/access.log": Entry(link="/dev/stdout"),
        "var/log/nginx/error.log": Entry(link="/dev/stderr"),
        "tmp": Entry(folder=True, mode=0o1777),
    }
