"""The journal while the lab writes it."""

from __future__ import annotations

from pathlib import Path

from lab.arm import journal


def test_an_entry_that_is_being_written_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text('{"path":"/a"}\n{"path":"/b')
    assert [entry["path"] for entry in journal.read(path)] == ["/a"]
    with path.open("a") as file:
        file.write('c"}\n')
    assert [entry["path"] for entry in journal.read(path)] == ["/a", "/bc"]
