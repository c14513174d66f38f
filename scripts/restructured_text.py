"""Tables of generated pages in reStructuredText."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: what the labels of a collection's pages begin with
LABELS = "ansible_collections.dualstack.aks.docsite"


def heading(label: str, title: str) -> str:
    """The beginning of a page: its label, which other pages refer to, and its title."""
    return f".. _{LABELS}.{label}:\n\n{title}\n{'=' * len(title)}\n"


def list_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells may be long: one line a cell."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (header, *rows):
        lines += [f"   {'*' if number == 0 else ' '} -{' ' if cell else ''}{cell}" for number, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


def link(text: str, address: str) -> str:
    """An anonymous link, or nothing where there is no address."""
    return f"`{text} <{address}>`__" if address else ""
