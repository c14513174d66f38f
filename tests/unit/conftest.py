"""Unit tests import the collection by its full name, and render templates that use its plugins."""

from __future__ import annotations

import sys
from pathlib import Path

# `ansible-test units` does not read pyproject.toml, which puts the folder above `tests` on the path.
if (_above := str(Path(__file__).parents[2])) not in sys.path:
    sys.path.insert(0, _above)

from tests.loader import find_collections

find_collections()
