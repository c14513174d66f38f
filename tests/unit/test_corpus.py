"""What the comparison must say of bodies as our roles declare them, beside bodies as Azure answers.

``corpus/<type>.yml`` holds for one type: ``declared``, as the role's template gives it, with the ``options`` of the template; ``returned``,
as Azure answers when nothing differs; ``read_only``, what of that Azure alone may set; and ``sources``, which each case names one of.
A case says what is other than in these: ``declare`` and ``changes`` (path: value), and ``without`` (paths that Azure does not show).

In a path, ``[x]`` is the item of a list that is x or has x for its name, category, address or value, and ``[+]`` a new last one.
"""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.comparison import Comparison, Difference, normal
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.types import Patterns, TypeFacts, known

Body = dict[str, Any]

ROOT = Path(__file__).parents[2]
_ENVELOPE = {"id", "name", "type", "etag", "systemdata"}
#: what tells the items of our lists apart
_KEYS = ("name", "category", "categoryGroup", "ipv4Address", "ipv6Address", "value", "id")
_STEP = re.compile(r"\[([^\]]+)\]|([^.\[\]]+)")
_REFERENCE = re.compile(
    r"^(RFC \d+, section \d|azure-rest-api-specs, |(github|learn\.microsoft)\.com/|kubernetes\.io/|cloud-provider-azure\.sigs\.k8s\.io/)"
)


def _select(items: list[Any], key: str) -> int:
    return next(at for at, item in enumerate(items) if item == key or (isinstance(item, dict) and key in [item.get(name) for name in _KEYS]))


def change(body: Body, path: str, *values: Any) -> None:
    """Set the value at ``path``; without a value, remove what is there."""
    at: Any = body
    steps = [(item or name, bool(item)) for item, name in _STEP.findall(path)]
    for step, is_item in steps[:-1]:
        at = at[_select(at, step)] if is_item else at.setdefault(step, {})
    last, is_item = steps[-1]
    if last == "+":
        at.append(*values)
    elif values:
        at[_select(at, last) if is_item else last] = values[0]
    else:
        del at[_select(at, last) if is_item else last]


@dataclass(frozen=True)
class Case:
    type: str
    name: str
    source: str
    declared: Body
    live: Body
    options: dict[str, Any]
    read_only: list[str]
    expected: list[Difference] = field(default_factory=list)

    @property
    def comparison(self) -> Comparison:
        facts = known(self.type)
        assert facts is not None
        return Comparison(facts, **self.options)


def _read(path: Path) -> Iterator[Case]:
    corpus = yaml.safe_load(path.read_text())
    assert path.stem == corpus["type"].replace("/", ".")
    for case in corpus["cases"]:
        # YAML's references share what they point at.
        declared, live = copy.deepcopy(corpus["declared"]), copy.deepcopy(corpus["returned"])
        for where, value in case.get("declare", {}).items():
            change(declared, where, copy.deepcopy(value))
        for where, value in case.get("changes", {}).items():
            change(live, where, copy.deepcopy(value))
        for where in case.get("without", []):
            change(live, where)
        yield Case(
            corpus["type"],
            case["name"],
            corpus["sources"][case["source"]],
            declared,
            live,
            case.get("options", corpus.get("options", {})),
            corpus["read_only"],
            [Difference(**found) for found in case["expected"]],
        )


FILES = sorted((ROOT / "tests" / "unit" / "corpus").glob("*.yml"))
CASES = [case for path in FILES for case in _read(path)]
every_case = pytest.mark.parametrize("case", CASES, ids=[f"{case.type} {case.name}" for case in CASES])
every_file = pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])


def find(value: Any, path: str) -> list[Any]:
    """What is at ``path``; ``[]`` stands for each item, ``{}`` for each member."""
    found = [value]
    for step in path.replace("[]", ".[]").split("."):
        if step == "[]":
            found = [item for items in found if isinstance(items, list) for item in items]
        elif step == "{}":
            found = [item for members in found if isinstance(members, dict) for item in members.values()]
        else:
            found = [members[step] for members in found if isinstance(members, dict) and step in members]
    return found


@every_case
def test_differences(case: Case) -> None:
    assert case.comparison.differences(case.declared, case.live) == case.expected


@every_case
def test_laying_over_ends_the_differences(case: Case) -> None:
    before = copy.deepcopy((case.declared, case.live))
    written = case.comparison.body(case.declared, case.live)
    assert case.comparison.differences(case.declared, written) == []
    assert (case.declared, case.live) == before


@every_case
def test_nothing_read_only_is_put(case: Case) -> None:
    written = case.comparison.body(case.declared, case.live)
    assert [path for path in case.read_only if find(written, path)] == []
    assert not {name.lower() for name in written} & _ENVELOPE


@every_case
def test_only_what_is_ours_goes(case: Case) -> None:
    assert list(lost(case, case.declared, writable(case, case.live), case.comparison.body(case.declared, case.live))) == []


@every_file
def test_what_is_read_only_is_returned(path: Path) -> None:
    corpus = yaml.safe_load(path.read_text())
    assert [where for where in corpus["read_only"] if not find(corpus["returned"], where)] == []


def _has_list_of_two(value: Any) -> bool:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (isinstance(value, list) and len(value) > 1) or any(map(_has_list_of_two, below))


@every_file
def test_kinds_of_cases(path: Path) -> None:
    corpus = yaml.safe_load(path.read_text())
    names = [case["name"] for case in corpus["cases"]]
    assert len(names) == len(set(names))
    assert [kind for kind in ("defaults", "read-only", "case of ") if not any(name.startswith(kind) for name in names)] == []
    assert sum(bool(case["expected"]) for case in corpus["cases"]) >= 2
    equal = [case["name"] for case in corpus["cases"] if not case["expected"]]
    assert any(name.startswith("order of ") for name in equal) or not _has_list_of_two(corpus["declared"])


@every_file
def test_sources(path: Path) -> None:
    corpus = yaml.safe_load(path.read_text())
    facts = known(corpus["type"])
    assert facts is not None
    definition = f"{facts.name}@{facts.api_version} (azure-rest-api-specs)"
    assert [found for found in corpus["sources"].values() if found != definition and not _REFERENCE.match(found)] == []
    assert set(corpus["sources"]) == {case["source"] for case in corpus["cases"]}


def _lists(value: Any, pattern: str = "") -> Iterator[str]:
    if isinstance(value, list):
        yield pattern
    for name, below in value.items() if isinstance(value, dict) else [("", item) for item in value] if isinstance(value, list) else ():
        yield from _lists(below, f"{pattern}[]" if isinstance(value, list) else f"{pattern}.{name}".lstrip("."))


def test_every_list_that_we_declare_is_ours_or_shared() -> None:
    """Unless it is sent at creation only."""
    for case in CASES:
        facts, ours = known(case.type), Patterns(case.options.get("create_only", ()))
        assert facts is not None
        undecided = [found for found in _lists(case.declared) if not ours.covers(found) and (found in facts.shared) == (found in facts.whole)]
        assert undecided == [], case.type


def test_there_is_enough() -> None:
    assert len(CASES) >= 200
    assert len(FILES) >= 15


def test_every_type_that_we_declare() -> None:
    sources = [path for folder in ("roles", "playbooks") for path in (ROOT / folder).rglob("*.yml")]
    used = {found for path in sources for found in re.findall(r"\btype: (Microsoft\.[A-Za-z]+/[A-Za-z/]+)", path.read_text())}
    assert len(used) > 20
    assert used - {case.type for case in CASES} == set()


def _leaves(value: Any, path: str = "") -> Iterator[str]:
    """Paths of a template's body, as far as they are written out in it."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _leaves(below, f"{path}.{name}".lstrip("."))
    else:
        yield path


@pytest.mark.parametrize("template", sorted((ROOT / "roles").glob("*/templates/*.yml")), ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_declared_as_the_templates_do(template: Path) -> None:
    for resource in yaml.safe_load(template.read_text()).values():
        bodies = [case.declared for case in CASES if case.type == resource["type"]]
        assert [path for path in _leaves(resource.get("body", {})) if path and not any(find(body, path) for body in bodies)] == []


# Properties


def _key(item: Any, by: list[str]) -> Any:
    """What tells an item apart, None when nothing does. ``by``: the paths below it that do."""
    if by:
        return tuple(normal(value, True) for path in by for value in find(item, path) if value) or None
    if isinstance(item, dict):
        return next((normal(item[name], True) for name in _KEYS if item.get(name)), None)
    return normal(item, True)


def writable(case: Case, value: Any, pattern: str = "") -> Any:
    """``value`` without what Azure alone may set."""
    facts = known(case.type)
    assert facts is not None
    if isinstance(value, dict):
        below = {name: f"{pattern}.{name}".lstrip(".") for name in value if pattern or name.lower() not in _ENVELOPE}
        return {name: writable(case, value[name], path) for name, path in below.items() if path not in facts.read_only}
    return [writable(case, item, f"{pattern}[]") for item in value] if isinstance(value, list) else value


def lost(case: Case, declared: Any, live: Any, written: Any, pattern: str = "") -> Iterator[str]:
    """What ``written`` does to ``live`` that nobody declared."""
    facts = known(case.type)
    assert facts is not None
    forms = facts.plurals | {singular: plural for plural, singular in facts.plurals.items()}
    if pattern and pattern in Patterns([*case.options.get("create_only", ()), *facts.create_only]):
        if live is not None and written != live:
            yield f"{pattern} is written at creation only"
    elif isinstance(declared, dict) and isinstance(live, dict):
        for name, value in live.items():
            below = f"{pattern}.{name}".lstrip(".")
            folds = name.startswith("/") or pattern == "tags" or pattern in facts.caseless
            ours = name if name in declared or not folds else next((other for other in declared if other.lower() == name.lower()), name)
            if forms.get(name) in declared:
                if declared[forms[name]] and name in written and not declared.get(name):
                    yield f"{below} is written in both forms"
            elif ours not in declared:
                if written.get(name) != value:
                    yield f"{below} went"
            elif declared[ours] is None:
                if name in written:
                    yield f"{below} stayed"
            else:
                yield from lost(case, declared[ours], value, written[name], below)
    elif isinstance(declared, list) and isinstance(live, list):
        by = [path for path in facts.list_keys.get(pattern.lower(), []) if "." in path]
        keys, theirs, after = ([_key(item, by) for item in items] for items in (declared, live, written))
        if None in [*keys, *theirs]:
            return
        shared = pattern in Patterns(case.options.get("shared", ())) or pattern in facts.shared
        left = [key for item, key in zip(live, theirs, strict=True) if shared and not any(excludes(one, item) for one in declared)]
        if {*after} != {*keys, *left}:
            yield f"{pattern} holds {after}"
        for item, key in zip(live, theirs, strict=True):
            if key in keys:
                yield from lost(case, declared[keys.index(key)], item, written[after.index(key)], f"{pattern}[]")


def excludes(one: Any, other: Any) -> bool:
    """As the comparison must read it: prefixes that overlap, taints of the same key and effect."""
    if not isinstance(one, str):
        return False
    if one.endswith(("NoSchedule", "NoExecute")):
        return re.split("[=:]", one)[0] == re.split("[=:]", other)[0] and one.rpartition(":")[2] == other.rpartition(":")[2]
    try:
        here, there = ip_network(one), ip_network(other)
    except ValueError:
        return False
    return here.version == there.version and here.overlaps(there)


def damaged(value: Any, chance: random.Random) -> Any:
    """``value`` after somebody removed members here and there, emptied others, and Azure put lists in another order."""
    if isinstance(value, dict):
        kept = {name: damaged(item, chance) for name, item in value.items() if name in _KEYS or chance.random() < 0.9}
        return {name: item if name in _KEYS or chance.random() < 0.95 else None for name, item in kept.items()}
    if isinstance(value, list):
        return [damaged(item, chance) for item in chance.sample(value, len(value)) if chance.random() < 0.9]
    return copy.deepcopy(value)


#: texts whose case means something: what users call their own things, Kubernetes' names and values, and text for people
_CASED = re.compile(
    r"tags\..*|properties\.metadata\..*|.*\.nodeLabels\..*|.*\.nodeTaints\[\]|.*\.description|.*\.addonProfiles\.\w+\.config\..*|.*\.groupIds\[\]"
)


def respelled(facts: TypeFacts, value: Any, pattern: str = "") -> Any:
    """``value`` as somebody else would spell it: every name, id, location and enumeration in another case."""
    if isinstance(value, dict):
        folds = pattern.lower() == "tags" or pattern in facts.caseless
        return {
            name.swapcase() if folds or name.startswith("/") else name: respelled(facts, item, f"{pattern}.{name}".lstrip("."))
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [respelled(facts, item, f"{pattern}[]") for item in value]
    return value.swapcase() if isinstance(value, str) and not _CASED.fullmatch(pattern) else value


@every_case
def test_case_makes_no_difference(case: Case) -> None:
    facts = known(case.type)
    assert facts is not None
    here, there = respelled(facts, case.declared), respelled(facts, case.live)
    for declared, live in ((here, case.live), (case.declared, there)):
        found = case.comparison.differences(declared, live)
        assert {difference.path.lower() for difference in found} == {difference.path.lower() for difference in case.expected}
        assert case.comparison.differences(declared, case.comparison.body(declared, live)) == []


_quick = settings(max_examples=300, deadline=None, derandomize=True, database=None)
_cases = st.sampled_from(CASES)
_chances = st.randoms(use_true_random=False)


@_quick
@given(_cases, _chances)
def test_a_live_body_equals_itself_laid_over_by_ours(case: Case, chance: random.Random) -> None:
    declared, live = damaged(case.declared, chance), damaged(case.live, chance)
    compared = case.comparison
    written = compared.body(declared, live)
    assert compared.differences(declared, written) == []
    assert compared.body(declared, written) == written
    assert compared.differences(live, live) == []


@_quick
@given(_cases, _chances)
def test_laying_over_removes_only_what_is_ours(case: Case, chance: random.Random) -> None:
    declared, live = damaged(case.declared, chance), damaged(case.live, chance)
    assert list(lost(case, declared, writable(case, live), case.comparison.body(declared, live))) == []
