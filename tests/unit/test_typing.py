"""What filters and actions call in plugin_utils has types that mypy sees."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = "ansible_collections.dualstack.aks.plugins.plugin_utils"


def imported(path: Path) -> Iterator[tuple[str, str]]:
    """Module and name of each import from plugin_utils."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(SHARED):
            yield from ((node.module, alias.name) for alias in node.names)


def test_calls_into_plugin_utils_are_typed(tmp_path: Path) -> None:
    plugins = [path for kind in ("action", "filter") for path in (ROOT / "plugins" / kind).glob("*.py")]
    names = sorted({found for path in plugins for found in imported(path)})
    assert len(names) > 20
    lines = [f"from {module} import {name} as name_{number}" for number, (module, name) in enumerate(names)]
    snippet = tmp_path / "snippet.py"
    snippet.write_text("\n".join([*lines, *(f"reveal_type(name_{number})" for number in range(len(names)))]))
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", snippet], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    revealed = re.findall(r'Revealed type is "(.*)"', run.stdout)
    assert (run.returncode, len(revealed)) == (0, len(names)), run.stdout + run.stderr
    assert [name for name, kind in zip(names, revealed, strict=True) if kind == "Any"] == []
