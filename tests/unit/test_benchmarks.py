"""Benchmarks, which no gate runs: each can be loaded, and the files that it names exist."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[2] / "tests" / "bench").glob("*.py"))
#: imports the library that it is compared with, which only `make bench` installs
WITH_PEER = "plan"


@pytest.mark.parametrize("name", [path.stem for path in SCRIPTS if path.stem != WITH_PEER])
def test_it_finds_what_it_names(name: str) -> None:
    module = importlib.import_module(f"tests.bench.{name}")
    assert [value for value in vars(module).values() if isinstance(value, Path) and not value.exists()] == []
