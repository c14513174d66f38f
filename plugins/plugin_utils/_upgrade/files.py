"""The files of an inventory: the register that it holds, and what is written to it.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

#: the register, below the folder of an inventory
REGISTER = "group_vars/regions/addresses.yml"


class FileFailure(Exception):
    """A file that cannot be read or written; a sentence with the way out."""


def register_in(folder: Path | None) -> dict[str, Any]:
    """The register that an inventory holds already; an empty one without. Raises :class:`FileFailure`."""
    path = folder / REGISTER if folder else None
    if path is None or not path.exists():
        return {}
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return dict(found.get("dualstack_register") or {})
    except (OSError, ValueError, AttributeError, yaml.YAMLError) as error:
        raise FileFailure(f"{path} cannot be read as a register: {error}. Correct it, or name another folder.") from error


def refuse_to_replace(path: Path, text: str) -> None:
    """Raises :class:`FileFailure` for a file that has other content."""
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise FileFailure(f"{path} exists with other content, so it is not replaced. Remove it, or use another folder or stamp.")


def write(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """Write files, each whole or not at all; the paths of those that were not there, or had other content. Raises :class:`FileFailure`."""
    written = []
    for name, text in texts.items():
        path = folder / name
        try:
            if path.exists() and path.read_text(encoding="utf-8") == text:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name(f".{path.name}.unfinished")
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(path)
        except (OSError, UnicodeDecodeError) as error:
            raise FileFailure(f"{path} cannot be written: {error}") from error
        written.append(str(path))
    return written
