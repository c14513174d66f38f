"""The fault sweep: the engine meets each fault at each request of a stamp's build and change, and must end right after one further run."""

from __future__ import annotations

from tests.loader import find_collections

find_collections()
