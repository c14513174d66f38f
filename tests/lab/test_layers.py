"""The layers of the lab: no file imports from a layer above its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import lab
from lab import arm

ROOT = Path(lab.__file__).parent.parent
#: from the bottom; a module belongs where the longest of these names is that it is, or is in
LAYERS = (
    ("lab.supplies",),
    ("lab.process", "lab.isolation", "lab.ports", "lab.certificates"),
    ("lab.arm",),
    tuple(f"lab.arm.{service}" for service in arm.__all__),
    ("lab.arm.http", "lab.arm.__init__"),
    ("lab.state",),
    ("lab.packets",),
    ("lab.kubernetes",),
    ("lab.service",),
    ("lab", "lab.demo"),
)
LAYER_OF = {name: number for number, names in enumerate(LAYERS) for name in names}


def layer_of(module: str) -> int:
    return LAYER_OF[max((name for name in LAYER_OF if f"{module}.".startswith(f"{name}.")), key=len)]


def imports(module: str, source: str) -> Iterator[str]:
    """The modules of the lab that a file imports, by their full names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            package = ".".join(module.split(".")[: -node.level]) if node.level else ""
            base = ".".join(filter(None, (package, node.module)))
            for alias in node.names:
                found = f"{base}.{alias.name}"
                yield found if any((ROOT / found.replace(".", "/")).with_suffix(suffix).exists() for suffix in ("", ".py")) else base
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def upward(module: str, source: str) -> list[str]:
    return [found for found in imports(module, source) if found.split(".")[0] == "lab" and layer_of(found) > layer_of(module)]


def test_no_file_imports_from_a_layer_above() -> None:
    files = {".".join(path.relative_to(ROOT).with_suffix("").parts): path.read_text() for path in (ROOT / "lab").rglob("*.py")}
    assert {module: found for module, source in files.items() if (found := upward(module, source))} == {}


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        ("lab.supplies.debian", "from ..kubernetes.binaries import Missing", ["lab.kubernetes.binaries"]),
        ("lab.arm.azure", "from . import ids, network", ["lab.arm.network"]),
        ("lab.arm.network.kinds.base", "from ...http import server", ["lab.arm.http.server"]),
        ("lab.packets.zones", "from ..arm import ids\nfrom .. import kubernetes", ["lab.kubernetes"]),
        ("lab.arm.http.server", "import lab.state", ["lab.state"]),
    ],
)
def test_such_an_import_is_found(module: str, source: str, found: list[str]) -> None:
    assert upward(module, source) == found
