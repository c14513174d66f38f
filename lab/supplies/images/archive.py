"""Container images as docker-archive tars, the same bytes for the same content."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """One path of an image: a file's content, a link's target, or a folder."""

    content: bytes = b""
    link: str = ""
    folder: bool = False
    mode: int = 0o755
    owner: int = 0


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size = size
    return header


def _layer(entries: Mapping[str, Entry]) -> bytes:
    parents = {str(parent): Entry(folder=True) for name in entries for parent in Path(name).parents if str(parent) != "."}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, entry in sorted((parents | dict(entries)).items()):
            header = _header(name, len(entry.content))
            header.mode, header.uid, header.gid = entry.mode, entry.owner, entry.owner
            if entry.folder:
                header.type = tarfile.DIRTYPE
            elif entry.link:
                header.type, header.linkname = tarfile.SYMTYPE, entry.link
            tar.addfile(header, io.BytesIO(entry.content))
    return buffer.getvalue()


def write(target: Path, name: str, entries: Mapping[str, Entry], configuration: Mapping[str, object]) -> None:
    """Write an image of one layer, whole or not at all. ``configuration`` is OCI's ``config``."""
    layer = _layer(entries)
    described = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()),
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": configuration,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created": "1970-01-01T00:00:00Z"}],
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    with tarfile.open(unfinished, "w") as tar:
        for part, content in (
            ("manifest.json", json.dumps(manifest).encode()),
            ("config.json", json.dumps(described).encode()),
            ("layer.tar", layer),
        ):
            tar.addfile(_header(part, len(content)), io.BytesIO(content))
    unfinished.replace(target)
