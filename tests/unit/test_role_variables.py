"""Every option of every specification given as text: it means what it spells, wherever a role uses it, or it is refused by name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.dualstack.aks.plugins.plugin_utils._role_variables import options_of, specified, typed_value
from ansible_collections.dualstack.aks.plugins.plugin_utils._typed import Option, typed
from tests.rendering import ROLES, Site, expressions_of, tasks

#: what must not reach anybody who reads a message
INTERNALS = re.compile(r"invalid literal|has no attribute|Traceback|NoneType|<class|Finalization of task args|object is not|unhashable")


def value_of(option: Option, truth: bool) -> Any:
    """A value of an option's type, with everything in it that it may hold; ``truth`` is that of its booleans."""
    kind = option.get("type", "str")
    if "options" in option and kind == "dict":
        return {name: value_of(inner, truth) for name, inner in option["options"].items()}
    if kind == "list":
        elements = {"type": option.get("elements", "str"), **{key: option[key] for key in ("choices", "options") if key in option}}
        return list(option["choices"]) if "choices" in option else [value_of(elements, truth)]
    if "choices" in option:
        return option["choices"][0 if truth else -1]
    return {"bool": truth, "int": 28, "float": 1.5, "dict": {"a": "b"}}.get(kind, "a1")


def as_text(value: Any) -> Any:
    """The value with text at its leaves, as a quoted YAML value or a template gives it; choices in capitals."""
    if isinstance(value, dict):
        return {name: as_text(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return str(value) if isinstance(value, (bool, int, float)) else value


def as_extra_var(value: Any) -> Any:
    """The value as ``-e name=value`` gives it: one text."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(as_text(value)) if isinstance(value, (list, dict)) else str(value).lower() if isinstance(value, bool) else str(value)


SPELLINGS: list[Callable[[Any], Any]] = [as_text, as_extra_var]
TYPED = {name: option for name, option in specified().items() if option.get("type", "str") not in ("str", "path", "raw") or "choices" in option}


@pytest.mark.parametrize("name", TYPED)
def test_text_means_what_it_spells(name: str) -> None:
    for truth in (True, False):
        value = value_of(TYPED[name], truth)
        assert typed_value(name, value) == value
        for spelling in SPELLINGS:
            found = typed_value(name, spelling(value))
            assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("name", [name for name, option in TYPED.items() if "choices" in option])
def test_choices_have_no_case(name: str) -> None:
    choices = TYPED[name]["choices"]
    for spelt in (str.upper, str.lower, str.title):
        value = [spelt(choice) for choice in choices] if TYPED[name].get("type") == "list" else spelt(choices[0])
        assert typed_value(name, value) == (choices if isinstance(value, list) else choices[0])


# (option, what is given, what it means)
SPELT: list[tuple[Option, Any, Any]] = [
    *(({"type": "bool"}, text, True) for text in ("true", "True", "yes", "on", "1", 1)),
    *(({"type": "bool"}, text, False) for text in ("false", "False", "no", "off", "0", 0)),
    ({"type": "int"}, "18", 18),
    ({"type": "int"}, 18.0, 18),
    ({"type": "float"}, "1.5", 1.5),
    ({}, 1.36, "1.36"),
    ({}, None, ""),
    ({"type": "list", "elements": "str"}, None, []),
    ({"type": "dict"}, None, {}),
    ({"type": "dict", "options": {"port": {"type": "int"}}}, {"port": None}, {}),
    ({"type": "list", "elements": "str"}, "", []),
    ({"type": "list", "elements": "str"}, "one", ["one"]),
    ({"type": "list", "elements": "str", "choices": ["1", "2", "3"]}, [1, 2, 3], ["1", "2", "3"]),
    ({"type": "list", "elements": "str", "choices": ["1", "2", "3"]}, "1,2", ["1", "2"]),
    ({"type": "list", "elements": "str", "choices": ["1", "2", "3"]}, 1, ["1"]),
    ({"type": "list", "elements": "dict", "options": {"port": {"type": "int"}}}, '[{"port": "80"}]', [{"port": 80}]),
    ({"type": "dict", "options": {"port": {"type": "int"}}}, "port=80", {"port": 80}),
]


@pytest.mark.parametrize(("option", "value", "expected"), SPELT, ids=str)
def test_spelt(option: Option, value: Any, expected: Any) -> None:
    assert typed("x", value, option) == (expected, [])


ROUTES: Option = {
    "type": "list",
    "elements": "dict",
    "options": {"service": {"required": True}, "port": {"type": "int"}, "kind": {"choices": ["a", "b"]}},
}
# (option, given value, expected message)
MISFITS: list[tuple[Option, Any, list[str]]] = [
    ({"type": "bool"}, "maybe", ["x: 'maybe' is not true or false"]),
    ({"type": "bool"}, "", ["x: '' is not true or false"]),
    ({"type": "int"}, "many", ["x: 'many' is not a whole number"]),
    ({"type": "int"}, "1.5", ["x: '1.5' is not a whole number"]),
    ({"type": "int"}, "Infinity", ["x: 'Infinity' is not a whole number"]),
    ({"type": "int"}, True, ["x: true is not a whole number"]),
    ({"type": "int"}, None, ["x: null is not a whole number"]),
    ({"choices": ["a", "b"]}, None, ["x: null is not a text"]),
    ({"type": "list", "elements": "str"}, [None], ["x[0]: null is not a text"]),
    ({"type": "int"}, [1], ["x: a list is not a whole number"]),
    ({"type": "float"}, "fast", ["x: 'fast' is not a number"]),
    ({}, {"a": 1}, ["x: a mapping is not a text"]),
    ({}, True, ["x: true is not a text"]),
    ({"choices": ["a", "b"]}, "c", ["x: 'c' is not one of a, b"]),
    ({"type": "list", "elements": "str"}, {"a": 1}, ["x: a mapping is not a list"]),
    ({"type": "list", "elements": "str"}, "[1", ["x: '[1' is not a list"]),
    ({"type": "dict"}, "text", ["x: 'text' is not a mapping"]),
    (ROUTES, ["shop"], ["x[0]: 'shop' is not a mapping"]),
    (
        ROUTES,
        [{"port": "http", "kind": "c", "rewrite": "/"}, {"service": "shop"}],
        [
            "x[0]: it requires service",
            "x[0].rewrite: unknown key, known are service, port, kind",
            "x[0].port: 'http' is not a whole number",
            "x[0].kind: 'c' is not one of a, b",
        ],
    ),
]


@pytest.mark.parametrize(("option", "value", "expected"), MISFITS, ids=str)
def test_what_does_not_fit_is_named(option: Option, value: Any, expected: list[str]) -> None:
    assert list(map(str, typed("x", value, option)[1])) == expected


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["{{", "a=b", "[1", '{"a', "1e999", "nan", "10.0.0.0/8"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.sampled_from(["name", "port", "hosts"]), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(specified())), ANYTHING)
def test_nothing_is_too_odd(name: str, value: Any) -> None:
    _, misfits = typed(name, value, specified()[name])
    assert [misfit for misfit in misfits if INTERNALS.search(misfit.problem) or not misfit.path.startswith(name)] == []


#: values that somebody may give by mistake
ODD: list[Any] = ["x", "", 5, -1, True, None, [], {}, ["x"], [5], [None], {"a": 1}, [{"a": 1}], {"a": {"b": 1}}, "10.0.0.0/8", "/a/b", "ä/ö"]
VALIDATED = sorted({name for role in ("network", "aks", "registry", "keyvault", "dns", "ingress") for name in options_of(role, "main")})


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(VALIDATED), st.sampled_from(ODD))
def test_no_message_is_python(name: str, value: Any) -> None:
    violations = Site(**{name: value}).violations(name.partition("_")[0])
    assert [violation for violation in violations if INTERNALS.search(f"{violation['subject']} {violation['found']} {violation['remedy']}")] == []


# (role, variables, subject, expected message)
REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("aks", {"aks_id": ""}, "aks_id", "'' is not a resource id"),
    ("aks", {"aks_monitoring": "maybe"}, "aks_monitoring", "'maybe' is not true or false"),
    ("aks", {"aks_node_pools": [{"name": "apps", "min_count": "few"}]}, "aks_node_pools[0].min_count", "'few' is not a whole number"),
    ("ingress", {"ingress_entrance_ipv4_id": "pip-v4"}, "ingress_entrance_ipv4_id", "'pip-v4' is not a resource id"),
    ("ingress", {"ingress_tls_redirect": "sometimes"}, "ingress_tls_redirect", "'sometimes' is not true or false"),
    ("network", {"network_subnets": {"nodes": 22}}, "dualstack_subnets.nodes", "must be a mapping with ipv4_prefix_length, not 22"),
    ("network", {"network_entrance_ids": {"ipv4": "x"}}, "network_entrance_ids", "it requires ipv6"),
    # Of another role, whose variables this one's follow from.
    ("network", {"ingress_mode": "nat65"}, "ingress_mode", "'nat65' is not one of nat64, nat46, split, native"),
]


@pytest.mark.parametrize(("role", "variables", "subject", "words"), REFUSED)
def test_what_does_not_fit_is_refused_and_hides_nothing_else(role: str, variables: dict[str, Any], subject: str, words: str) -> None:
    violations = Site(**variables).violations(role)
    assert [violation["subject"] for violation in violations if words in violation["found"]] == [subject]
    assert {violation["rule"] for violation in violations} <= {"specification", "malformed_value", "subscription", "unregistered"}
    if role == "network" and "network_subnets" not in variables:
        assert "unregistered" in {violation["rule"] for violation in violations}


def _everything(truth: bool, spelling: Callable[[Any], Any] = lambda value: value) -> Site:
    """A site with every option that is not a text set to something else than its default, but for registers and lists of ids."""
    values = {name: value_of(option, truth) for name, option in TYPED.items() if option.get("type") != "dict" and not name.endswith("_ids")}
    values |= {
        "aks_tags": {"a": "b"},
        "ingress_upstream": "services",
        "network_security_rules": [],
        "network_vnet_ipv4_prefix_length": 18,
    }
    return Site(**{name: spelling(value) for name, value in values.items()})


def _outputs(site: Site) -> dict[str, Any]:
    return {"resources": site.resources(), "objects": site.objects(), "arguments": site.arguments(), "expressions": site.expressions()}


@pytest.mark.parametrize(("spelling", "truth"), [(as_text, True), (as_extra_var, False)])
def test_a_site_in_text_is_the_same_site(spelling: Callable[[Any], Any], truth: bool) -> None:
    expected, found = _outputs(_everything(truth)), _outputs(_everything(truth, spelling))
    assert expected["objects"], "the objects could not be rendered"
    for part, values in expected.items():
        assert found[part] == values, part


def _mentioned(text: str) -> Iterator[tuple[str, str]]:
    """Each variable in an expression, and what follows it."""
    without_texts = re.sub(r"'[^']*'", lambda found: "'" + " " * (len(found[0]) - 2) + "'", text)
    for found in re.finditer(r"(?<![\w.'])[a-z_]\w+", without_texts):
        yield found[0], text[found.end() :]


#: what gives an expression the type of the option before it
_CONVERSION = re.compile(r"\s*(\| default\([^()]*(\([^()]*\))?\)\s*)?\| (bool|int|float|dualstack\.aks\.typed)\b")


def untyped(text: str, variables: Mapping[str, Any], seen: set[str]) -> list[str]:
    """Options that a template uses as they were given, also through the variables that it mentions."""
    found: list[str] = []
    for expression in re.findall(r"\{\{(.*?)\}\}", text, re.DOTALL):
        if "dualstack.aks.role_variable" in expression:
            continue
        for name, rest in _mentioned(expression):
            if name in TYPED:
                found += [name] if expression.strip() != name and not _CONVERSION.match(rest) else []
            elif name in variables and name not in seen:
                seen.add(name)
                found += [f"{name}: {option}" for inner in _texts(variables[name]) for option in untyped(inner, variables, seen)]
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def test_tasks_of_other_modules_use_no_option_as_it_was_given() -> None:
    variables = {name: value for path in ROLES.glob("*/vars/main.yml") for name, value in yaml.safe_load(path.read_text()).items()}
    seen: set[str] = set()
    found = [
        f"{path.relative_to(ROLES.parent)} {task.get('name')}: {keyword}: {option}"
        for path, task in tasks()
        for keyword, text in expressions_of(task)
        for option in untyped(text, variables, seen)
        if not (keyword == "vars" and path.parent.name == "playbooks")
    ]
    assert found == []
    assert "__ingress_wanted" in seen


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ aks_monitoring }}", []),
        ("{{ (aks_monitoring) }}", ["aks_monitoring"]),
        ("{{ aks_monitoring and x }}", ["aks_monitoring"]),
        ("{{ aks_monitoring | bool and x }}", []),
        ("{{ ingress_timeout + 2 }}", ["ingress_timeout"]),
        ("{{ ingress_timeout | int + 2 }}", []),
        ("{{ registry_images | length }}", ["registry_images"]),
        ("{{ registry_images | dualstack.aks.typed('registry_images') | length }}", []),
        ("{{ __x }}", ["__x: aks_max_pods"]),
    ],
)
def test_such_a_use_is_found(text: str, expected: list[str]) -> None:
    assert untyped(text, {"__x": ["{{ aks_max_pods + 1 }}"]}, set()) == expected
