"""Unit tests import the collection by its full name, and render templates that use its plugins."""

from __future__ import annotations

from tests.loader import find_collections

find_collections()
