"""Files of images from Debian packages: a program, and exactly the libraries that it loads."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from .. import Missing, Say, debian

#: nginx 1.26: the oldest suite whose nginx knows `http2 on`
SUITE = "trixie"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def _sources() -> list[debian.Source]:
    """Where packages may come from, best first."""
    signed = f"[signed-by={_KEYRING}]"
    newest = debian.Source(
        SUITE,
        (f"deb {signed} http://deb.debian.org/debian {SUITE} main", f"deb {signed} http://deb.debian.org/debian-security {SUITE}-security main"),
        bare=True,
    )
    machine = debian.Source(debian.suite(), bare=True)
    return [newest, machine] if _KEYRING.exists() else [machine]


def fetch(name: str, wanted: Sequence[str], megabytes: int, root: Path, say: Say) -> str:
    """Unpack packages below ``root``; the suite that they are from. Raises :class:`Missing`."""
    problems: list[str] = []
    for source in _sources():
        say(f"fetching {name} from {source.suite}: {megabytes} MB")
        problems = debian.unpack(wanted, source, root)
        if not problems:
            return source.suite
    reasons = "\n".join(problems)
    raise Missing(f"lab: {name} cannot be fetched:\n{reasons}\nlab: its image needs apt and a Debian mirror.")


def at(root: Path, name: str) -> Path:
    """A file of a package; suites before trixie have some of them outside /usr, and links that begin at /."""
    path = root / name if (root / name).is_symlink() or (root / name).exists() else root / name.removeprefix("usr/")
    if path.is_symlink():
        target = path.readlink()
        return at(root, str(target)[1:] if target.is_absolute() else str((path.parent / target).relative_to(root)))
    return path


def libraries(root: Path, program: str) -> set[str]:
    """The libraries of a program, as listed by the loader that belongs to them, not by the machine's."""
    loaders = [path for pattern in ("usr/lib*/ld-linux*.so.*", "lib*/ld-linux*.so.*") for path in sorted(root.glob(pattern))]
    loader = at(root, str(loaders[0].relative_to(root)))
    folders = ":".join(str(root / folder / debian.triplet()) for folder in ("usr/lib", "lib"))
    listed = subprocess.run(
        [str(loader), "--library-path", folders, "--list", str(at(root, program))],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found_by_loader = {found if found.startswith("usr/") else f"usr/{found}" for found in re.findall(rf"{re.escape(str(root))}/(\S+)", listed)}
    # A program names the loader by its path on the system, not by where it was unpacked.
    return {name for name in found_by_loader if "ld-linux" not in name} | {f"usr/{str(loaders[0].relative_to(root)).removeprefix('usr/')}"}
