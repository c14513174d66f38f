"""The examples of the README and of the documentation's pages: what each block of code is, so that tests can run it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from docutils import nodes
from docutils.core import publish_doctree
from markdown_it import MarkdownIt
from markdown_it.token import Token

from lab.state import CHECKOUT

#: Commands that are given as a word in a table are examples too: what such words begin with.
_PROGRAMS = ("ansible-playbook ", "ansible-doc ")
#: language of a block -> its kind, where the language alone decides
_KINDS = {"sh": "commands", "text": "output", "none": "output", "json": "role definition", "ini": "configuration", "python": "program"}
#: the first line of a block that is a file: its path
_PATH = re.compile(r"# (\S+/\S+)$")


@dataclass(frozen=True)
class Block:
    """One block of code, or the commands of a page's tables."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def kind(self) -> str:
        """What the block is an example of. Whatever is of no known kind is an error, so that nothing is left out silently."""
        if self.language in _KINDS:
            return _KINDS[self.language]
        if self.language != "yaml":
            raise ValueError(f"{self}: a block needs a language; output has the language 'text', not {self.language!r}")
        return _kind_of_document(self.document)

    @property
    def document(self) -> Any:
        return yaml.safe_load(self.text)

    @property
    def path(self) -> str:
        """The file that the reader writes this block to; empty where the page names none."""
        found = _PATH.match(self.text.partition("\n")[0])
        return found[1] if found and self.language in ("yaml", "ini") else ""

    @property
    def commands(self) -> list[str]:
        """The commands of a block for the shell, each on one line."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _kind_of_document(document: Any) -> str:
    match document:
        case [{"hosts": _}, *_] | [{"ansible.builtin.import_playbook": _}, *_]:
            return "playbook"
        case [{}, *_]:
            return "tasks"
        case {"apiVersion": _}:
            return "manifest"
        case {"plugin": _}:
            return "inventory source"
        case {**groups} if all(isinstance(group, dict) and "hosts" in group for group in groups.values()):
            return "inventory"
        case {}:
            return "variables"
    raise ValueError(f"neither a playbook, tasks, a manifest, an inventory nor variables: {document}")


@cache
def pages() -> tuple[str, ...]:
    """All pages, as paths below the checkout."""
    found = sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/docsite/rst/*.rst")])
    return tuple(str(path.relative_to(CHECKOUT)) for path in found)


@cache
def blocks(page: str) -> tuple[Block, ...]:
    """The blocks of a page, in its order."""
    text = (CHECKOUT / page).read_text()
    return tuple(read(page, text))


def read(page: str, text: str) -> Iterator[Block]:
    """The blocks of a page that has this text."""
    return _markdown(page, text) if page.endswith(".md") else _restructured_text(page, text)


def _markdown(page: str, text: str) -> Iterator[Block]:
    tabled: list[str] = []
    line = 0
    for token in MarkdownIt().enable("table").parse(text):
        start = token.map[0] + 1 if token.map else line
        if token.type in ("fence", "code_block"):
            yield Block(page, start, token.info.strip(), token.content)
        elif token.type == "tr_open":
            line = start
        elif token.type == "inline" and token.map and token.map[0] + 1 == line:
            tabled += _commands_of(token)
    if tabled:
        yield Block(page, line, "sh", "".join(f"{command}\n" for command in tabled))


def _commands_of(token: Token) -> list[str]:
    return [child.content for child in token.children or [] if child.type == "code_inline" and child.content.startswith(_PROGRAMS)]


def _restructured_text(page: str, text: str) -> Iterator[Block]:
    # Roles and directives of Sphinx are unknown here, which docutils would report. What it leaves out for that reason is found below.
    settings = {"report_level": 5, "halt_level": 5, "syntax_highlight": "none", "file_insertion_enabled": False, "raw_enabled": False}
    tree = publish_doctree(text, settings_overrides=settings)
    found = [node for node in tree.findall(nodes.literal_block) if not isinstance(node.parent, nodes.system_message)]
    declared = len(re.findall(r"^ *\.\. code-block::", text, re.MULTILINE))
    classes = [[name for name in node["classes"] if name != "code"] for node in found]
    if sum(map(bool, classes)) != declared:
        raise ValueError(f"{page}: {declared} blocks of code are declared, and {sum(map(bool, classes))} can be read")
    for node, names in zip(found, classes, strict=True):
        content = f"{node.astext()}\n"
        # docutils gives the line after the block.
        yield Block(page, (node.line or 0) - content.count("\n"), names[0] if names else "", content)
