"""What a newcomer follows from beginning to end, each time from an empty subscription: the README, and the tutorial in the lab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.documentation import GUIDES, follow, missing_actions, shorten_waits
from tests.harness import Lab
from tests.reading import Reader

PAGES = ["README.md", f"{GUIDES}/tutorial_lab.rst"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page(lab: Lab, tmp_path: Path, page: str, record_property: Callable[[str, object], None]) -> None:
    shorten_waits(tmp_path)
    follow(Reader(lab, tmp_path), page, record_property)


def test_the_smallest_role_has_all_that_was_asked_for(lab: Lab) -> None:
    assert missing_actions(lab) == []
