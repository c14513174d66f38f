"""What is compiled from Microsoft's resource types is what the compilers make of them: needs a checkout of Azure/bicep-types-az."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from lab.arm import schema
from lab.arm.schema.compile import compile_folder
from scripts import compile_types

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def schemas() -> Path:
    found = os.environ.get("LAB_AZURE_SCHEMAS")
    if not found:
        pytest.fail("LAB_AZURE_SCHEMAS is not set: it must name a folder in the layout of Azure/bicep-types-az.")
    return Path(found)


def test_what_the_engine_knows(schemas: Path) -> None:
    stored = (ROOT / "plugins" / "plugin_utils" / "_azure" / "types.json").read_text()
    assert compile_types.compile_types(schemas) == stored, "run: python scripts/compile_types.py $LAB_AZURE_SCHEMAS"


def test_a_type_that_is_not_in_them(schemas: Path) -> None:
    with pytest.raises(SystemExit, match=re.escape("Microsoft.Network/none 2025-05-01")):
        compile_types.facts_of(schemas, "Microsoft.Network/none", "2025-05-01")


def test_what_the_lab_checks_bodies_against(schemas: Path) -> None:
    stored = {path.name: path.read_bytes() for path in (Path(schema.__file__).parent / "data").iterdir()}
    made = {name: text.encode() for name, text in compile_folder(schemas).items()}
    assert sorted(made) == sorted(stored)
    assert [name for name in made if made[name] != stored[name]] == [], "run: python -m lab.arm.schema.compile $LAB_AZURE_SCHEMAS"
