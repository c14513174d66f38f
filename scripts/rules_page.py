"""Write the page of rules: every rule of the book, with what it refuses, its remedy and its source.

python -m scripts.rules_page
"""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import Rule
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.book import CHAPTERS, RULES
from scripts.restructured_text import heading, link, list_table

TARGET = Path(__file__).parents[1] / "docs" / "docsite" / "rst" / "rules.rst"
_INTRODUCTION = """
A run refuses these before it writes anything. It reports all problems of all roles together, one line each: the variable, the value,
``[rule]``, the remedy and the page that the rule comes from. Each rule is one function in ``plugins/plugin_utils/_rules/``, named as
the rule.

``make docs`` generates this page from the rule book.
"""
#: below the title of a chapter that refuses nothing
_NOTE = "These are reported, and stop nothing.\n\n"


def page() -> str:
    """The page as text."""
    chapters = dict.fromkeys(rule.chapter for rule in RULES.values())
    return heading("rules", "Rules") + _INTRODUCTION + "".join(_chapter(chapter) for chapter in chapters)


def _chapter(chapter: str) -> str:
    title = chapter.replace("_", " ").capitalize()
    rows = [_row(rule) for rule in RULES.values() if rule.chapter == chapter]
    stops = all(found.stops for found in CHAPTERS if found.name == chapter)
    head = f"\n{title}\n{'-' * len(title)}\n\n" + ("" if stops else _NOTE)
    return head + list_table(("rule", "refuses" if stops else "tells of", "remedy", "source"), rows)


def _row(rule: Rule[object]) -> tuple[str, str, str, str]:
    return f"``{rule.id}``", _prose(rule.refuses), _prose(_sentence(rule.remedy)), link("page", rule.reference)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _prose(text: str) -> str:
    """A rule's text, in which only single backquotes and asterisks mean something else in reStructuredText."""
    return re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", text).replace("*", "\\*").replace("|", "\\|")


if __name__ == "__main__":
    TARGET.write_text(page())
