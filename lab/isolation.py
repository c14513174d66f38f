"""A lab with packets lives in process and mount namespaces of its own: they end with it, and with them all that it started.

Container shims leave their parent, mounts and named network namespaces belong to nobody: without this a killed lab would leave them
behind. Only the network namespace is the machine's, so that Azure Resource Manager and the API servers listen on its loopback.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from .process import die_with_parent

#: What a kubelet would set for the whole machine; it sees these as set already (vm/…, kernel/… of sysctl(8)).
_KUBELET_SYSCTLS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}


def is_possible() -> bool:
    """Whether this user may make namespaces here: root on Linux."""
    return sys.platform == "linux" and os.geteuid() == 0


def run_isolated(serve: Callable[[], int | None], started: Callable[[int], None]) -> int:
    """Run ``serve`` in namespaces of its own until it ends; its exit code.

    ``started`` gets the process id, as this process sees it, through whose ``/proc/<pid>/root`` and ``/proc/<pid>/ns`` clients
    enter.
    """
    os.unshare(os.CLONE_NEWPID | os.CLONE_NEWNS)
    first = _child(lambda: _first_process(serve))
    started(first)
    return _outlive(first)


def _child(run: Callable[[], int | None]) -> int:
    """Fork a process that does this, ends with its result, and does not outlive this one: its id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        die_with_parent()
        code = run() or 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _outlive(child: int) -> int:
    """Pass signals on to ``child`` until it ends, and reap whatever else ends meanwhile: its exit code."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: os.kill(child, received))
    while True:
        ended, status = os.wait()
        if ended == child:
            return os.waitstatus_to_exitcode(status) & 0xFF


def _first_process(serve: Callable[[], int | None]) -> int:
    """Process 1 of the namespace: it adopts orphans, and everything ends with it."""
    _private_mounts()
    return _outlive(_child(serve))


def _private_mounts() -> None:
    """Hide from outside what is mounted from here on, and make fixed paths that programs use private to the lab."""

    def mount(*words: str) -> None:
        subprocess.run(["mount", *words], check=True)

    mount("--make-rprivate", "/")
    mount("-t", "proc", "proc", "/proc")
    mount("-t", "tmpfs", "tmpfs", "/run")
    for folder in ("netns", "containerd", "sysctl", "log", "upper", "work"):
        Path("/run", folder).mkdir()
    mount("-t", "overlay", "overlay", "-o", "lowerdir=/var/lib,upperdir=/run/upper,workdir=/run/work", "/var/lib")
    mount("--bind", "/run/log", "/var/log")
    for name, value in _KUBELET_SYSCTLS.items():
        stands_in = Path("/run/sysctl", name.replace("/", "_"))
        stands_in.write_text(f"{value}\n")
        mount("--bind", str(stands_in), f"/proc/sys/{name}")
    # A kubelet needs to see its pods' mounts.
    mount("--make-rshared", "/")
