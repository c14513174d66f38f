"""Labs with nodes, whose clients send requests to the entrances."""

from __future__ import annotations

from tests.loader import find_collections

find_collections()
