"""The proxy's image from Debian's nginx: laid out and started as the official unprivileged image is."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .. import Say
from . import packages
from .archive import Entry

PACKAGES = ("nginx", "libnginx-mod-stream", "busybox-static")
USER = 101
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


def entries(folder: Path, say: Say) -> dict[str, Entry]:
    """Every file of the image: nginx, its module, exactly the libraries that they load, and a shell. Unpacks below ``folder``."""
    root = folder / "nginx"
    suite = packages.fetch("nginx", PACKAGES, 11, root, say)
    if suite != packages.SUITE:
        say(f"nginx is {suite}'s, since {packages.SUITE} cannot be had: `http2 on` may be unknown to it")
    libraries = {library for program in (_BINARY, _MODULE) for library in packages.libraries(root, program)}
    parameters = {f"etc/nginx/{path.name}" for path in (root / "etc/nginx").glob("*_params")}
    made = {name: Entry(packages.at(root, name).read_bytes()) for name in libraries}
    # The official image is Alpine's, where busybox is the shell and its tools.
    applets = subprocess.run([str(packages.at(root, _BUSYBOX)), "--list"], capture_output=True, text=True, check=True).stdout.split()
    made |= {f"usr/bin/{applet}": Entry(link="busybox") for applet in applets if applet != "busybox"}
    made |= {name: Entry((root / name).read_bytes(), mode=0o644) for name in parameters}
    return made | {
        "bin": Entry(link="usr/bin"),
        "lib": Entry(link="usr/lib"),
        "lib64": Entry(link="usr/lib64"),
        "sbin": Entry(link="usr/sbin"),
        _BUSYBOX: Entry(packages.at(root, _BUSYBOX).read_bytes()),
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
