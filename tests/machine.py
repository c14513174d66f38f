"""The machine that labs run on: what must be the same before and after one, and what one has running."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.supplies import debian

#: settings that the kernel or reading them changes
_VOLATILE = re.compile(r"/(random|sched_domain|ns_last_pid|tcp_fastopen_key|nlm_\w+)(/|$)")
_NETWORK = (
    "ip -o link",
    "ip -o address",
    "ip -4 route show table all",
    "ip -6 route show table all",
    "ip -4 rule",
    "ip -6 rule",
    "nft list ruleset",
    "iptables-save",
    "ip6tables-save",
)


@dataclass(frozen=True)
class Machine:
    """A snapshot. ``cgroups`` and ``processes`` are those of one lab: others may run beside it."""

    sysctls: dict[str, str]
    mounts: list[str]
    network: dict[str, str]
    run: list[str]
    cgroups: list[str]
    processes: list[str]

    @staticmethod
    def now(folder: Path, label: str) -> Machine:
        return Machine(
            sysctls=dict(_sysctls()),
            mounts=sorted(" ".join(line.split()[3:5]) + line.partition(" - ")[2] for line in _lines("/proc/self/mountinfo")),
            network={command: _printed(command) for command in _NETWORK},
            run=sorted(path.name for path in Path("/run").iterdir()),
            cgroups=sorted(str(path) for path in _groups() if label in str(path)),
            processes=sorted(words for words in _command_lines() if str(folder) in words or label in words),
        )


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def _sysctls() -> Iterator[tuple[str, str]]:
    for folder, _, names in os.walk("/proc/sys"):
        for path in (Path(folder, name) for name in names):
            with contextlib.suppress(OSError, UnicodeDecodeError):
                mode = path.stat().st_mode
                if mode & 0o200 and mode & 0o400 and not _VOLATILE.search(str(path)):
                    yield str(path), path.read_text()


def _printed(command: str) -> str:
    """What a program prints of the machine's own network, without lifetimes; nothing where there is no such program."""
    name, *words = command.split()
    program = debian.find(name) or shutil.which(name)
    if program is None:
        return ""
    printed = subprocess.run([str(program), *words], env=debian.environment(), capture_output=True, text=True, check=True).stdout
    return re.sub(r"\b(valid_lft|preferred_lft|expires) \S+|^#.*|\[\d+:\d+\]", "", printed, flags=re.MULTILINE)


def _groups() -> Iterator[Path]:
    for folder, names, _ in os.walk("/sys/fs/cgroup"):
        yield from (Path(folder, name) for name in names)


def _command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")


@dataclass(frozen=True)
class Process:
    """``started`` tells it from a later one with its id."""

    id: int
    started: str


def running() -> dict[Process, int]:
    """Every process, and its parent's id."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name, which may hold anything, is in parentheses.
            state, parent, *rest = path.read_text().rpartition(") ")[2].split()
            if state != "Z":
                found[Process(int(path.parent.name), rest[17])] = int(parent)
    return found


def below(ancestor: int) -> set[Process]:
    """Everything that a process started, and what that started, and so on."""
    processes = running()
    found, wanted = set[Process](), {ancestor}
    while new := {process for process, parent in processes.items() if parent in wanted} - found:
        found |= new
        wanted |= {process.id for process in new}
    return found
