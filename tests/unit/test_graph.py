from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.graph import DeclarationError, Declarations, Resource, references, resolve

SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
VNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v"

GROUP_ENTRY = {"type": "Microsoft.Resources/resourceGroups", "name": "rg"}
VNET_ENTRY = {"type": "Microsoft.Network/virtualNetworks", "name": "v"}
SUBNET_TYPE = "Microsoft.Network/virtualNetworks/subnets"
ADDRESS_TYPE = "Microsoft.Network/publicIPAddresses"
POOL_TYPE = "Microsoft.ContainerService/managedClusters/agentPools"


def template(value: Any, variables: Mapping[str, Any]) -> Any:
    """Replaces ``<item>`` and ``<item.x>``: what the tests need of Ansible's templates."""
    if isinstance(value, Mapping):
        return {template(key, variables): template(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [template(item, variables) for item in value]
    if not isinstance(value, str) or "item" not in variables:
        return value
    item = variables["item"]
    for name, part in (item if isinstance(item, Mapping) else {}).items():
        value = value.replace(f"<item.{name}>", str(part))
    return item if value == "<item>" else value.replace("<item>", str(item))


def condition(value: Any, variables: Mapping[str, Any]) -> bool:
    return bool(template(value, variables) not in (False, "no"))


def declarations(declared: Any, state: str = "present") -> dict[str, Resource]:
    found: dict[str, Resource] = Declarations(
        declared, subscription_id=SUBSCRIPTION, resource_group="rg", state=state, template=template, condition=condition
    ).resources
    return found


# name: (declarations, {handle: (id, handles that it needs)})
GRAPHS: dict[str, tuple[dict[str, Any], dict[str, tuple[str, set[str]]]]] = {
    "by type and name": ({"vnet": VNET_ENTRY}, {"vnet": (VNET, set())}),
    "by id": ({"vnet": {"id": VNET}}, {"vnet": (VNET, set())}),
    "name with parents": ({"s": {"type": SUBNET_TYPE, "name": "v/s"}}, {"s": (f"{VNET}/subnets/s", set())}),
    "parent by reference": (
        {"vnet": VNET_ENTRY, "s": {"type": SUBNET_TYPE, "name": "s", "parent": "${vnet}"}},
        {"vnet": (VNET, set()), "s": (f"{VNET}/subnets/s", {"vnet"})},
    ),
    "parent by id": (
        {"s": {"type": SUBNET_TYPE, "name": "s", "parent": VNET}},
        {"s": (f"{VNET}/subnets/s", set())},
    ),
    "an extension needs what it extends": (
        {"lock": {"type": "Microsoft.Authorization/locks", "name": "l", "parent": VNET}, "vnet": VNET_ENTRY},
        {"lock": (f"{VNET}/providers/Microsoft.Authorization/locks/l", {"vnet"}), "vnet": (VNET, set())},
    ),
    "everything needs its resource group": (
        {"vnet": VNET_ENTRY, "group": GROUP_ENTRY},
        {"vnet": (VNET, {"group"}), "group": (GROUP, set())},
    ),
    "reference in a body": (
        {"vnet": {**VNET_ENTRY, "body": {"properties": {"x": ["${address}"]}}}, "address": {"type": ADDRESS_TYPE, "name": "a"}},
        {"vnet": (VNET, {"address"}), "address": (f"{GROUP}/providers/{ADDRESS_TYPE}/a", set())},
    ),
    "reference to a property, within a text, and as a key": (
        {
            "vnet": {**VNET_ENTRY, "body": {"properties": {"x": "a ${a.properties.ipAddress} b", "${b}": {}}}},
            "a": {"type": ADDRESS_TYPE, "name": "a"},
            "b": {"type": ADDRESS_TYPE, "name": "b"},
        },
        {
            "vnet": (VNET, {"a", "b"}),
            "a": (f"{GROUP}/providers/{ADDRESS_TYPE}/a", set()),
            "b": (f"{GROUP}/providers/{ADDRESS_TYPE}/b", set()),
        },
    ),
    "an id in a body, whatever its case": (
        {
            "a": {
                "type": ADDRESS_TYPE,
                "name": "a",
                "body": {"properties": {"subnet": {"id": f"{VNET.upper().replace('/SUBSCRIPTIONS', '/subscriptions')}/subnets/s"}}},
            },
            "vnet": VNET_ENTRY,
        },
        {"a": (f"{GROUP}/providers/{ADDRESS_TYPE}/a", {"vnet"}), "vnet": (VNET, set())},
    ),
    "a name that begins another is no parent": (
        {"vnet": VNET_ENTRY, "other": {**VNET_ENTRY, "name": "v2"}},
        {"vnet": (VNET, set()), "other": (f"{VNET}2", set())},
    ),
    "depends_on": (
        {"a": {"type": ADDRESS_TYPE, "name": "a", "depends_on": ["vnet"]}, "vnet": VNET_ENTRY},
        {"a": (f"{GROUP}/providers/{ADDRESS_TYPE}/a", {"vnet"}), "vnet": (VNET, set())},
    ),
    "loop over texts": (
        {"a": {"type": ADDRESS_TYPE, "name": "a-<item>", "loop": ["x", "y"]}},
        {"a[x]": (f"{GROUP}/providers/{ADDRESS_TYPE}/a-x", set()), "a[y]": (f"{GROUP}/providers/{ADDRESS_TYPE}/a-y", set())},
    ),
    "loop over objects: key before name": (
        {"a": {"type": ADDRESS_TYPE, "name": "<item.name>", "loop": [{"name": "x"}, {"key": "k", "name": "y"}]}},
        {"a[x]": (f"{GROUP}/providers/{ADDRESS_TYPE}/x", set()), "a[k]": (f"{GROUP}/providers/{ADDRESS_TYPE}/y", set())},
    ),
    "loop over nothing": ({"a": {"type": ADDRESS_TYPE, "name": "<item>", "loop": []}, "vnet": VNET_ENTRY}, {"vnet": (VNET, set())}),
    "depends_on a loop": (
        {"a": {"type": ADDRESS_TYPE, "name": "<item>", "loop": ["x", "y"]}, "vnet": {**VNET_ENTRY, "depends_on": ["a"]}},
        {
            "a[x]": (f"{GROUP}/providers/{ADDRESS_TYPE}/x", set()),
            "a[y]": (f"{GROUP}/providers/{ADDRESS_TYPE}/y", set()),
            "vnet": (VNET, {"a[x]", "a[y]"}),
        },
    ),
    "depends_on one of a loop": (
        {"a": {"type": ADDRESS_TYPE, "name": "<item>", "loop": ["x", "y"]}, "vnet": {**VNET_ENTRY, "depends_on": ["a[y]"]}},
        {
            "a[x]": (f"{GROUP}/providers/{ADDRESS_TYPE}/x", set()),
            "a[y]": (f"{GROUP}/providers/{ADDRESS_TYPE}/y", set()),
            "vnet": (VNET, {"a[y]"}),
        },
    ),
    "depends_on a loop over nothing": (
        {"a": {"type": ADDRESS_TYPE, "name": "<item>", "loop": []}, "vnet": {**VNET_ENTRY, "depends_on": ["a"]}},
        {"vnet": (VNET, set())},
    ),
    "depends_on what its condition excludes": (
        {"a": {"type": ADDRESS_TYPE, "name": "a", "when": False}, "vnet": {**VNET_ENTRY, "depends_on": ["a"]}},
        {"vnet": (VNET, set())},
    ),
    "reference from one of a loop to one of a loop": (
        {
            "a": {"type": ADDRESS_TYPE, "name": "<item>", "loop": ["x", "y"]},
            "b": {**VNET_ENTRY, "name": "<item>", "loop": ["x", "y"], "body": {"properties": {"z": "${a[<item>].id}"}}},
        },
        {
            "a[x]": (f"{GROUP}/providers/{ADDRESS_TYPE}/x", set()),
            "a[y]": (f"{GROUP}/providers/{ADDRESS_TYPE}/y", set()),
            "b[x]": (f"{GROUP}/providers/Microsoft.Network/virtualNetworks/x", {"a[x]"}),
            "b[y]": (f"{GROUP}/providers/Microsoft.Network/virtualNetworks/y", {"a[y]"}),
        },
    ),
    "parent of one of a loop": (
        {
            "vnet": {**VNET_ENTRY, "name": "<item>", "loop": ["v"]},
            "s": {"type": SUBNET_TYPE, "name": "s", "parent": "${vnet[v]}"},
        },
        {"vnet[v]": (VNET, set()), "s": (f"{VNET}/subnets/s", {"vnet[v]"})},
    ),
    "when": (
        {"a": {**VNET_ENTRY, "when": False}, "b": {**VNET_ENTRY, "when": [True, False]}, "c": {**VNET_ENTRY, "when": [True, True]}},
        {"c": (VNET, set())},
    ),
    "when of an element": (
        {"a": {"type": ADDRESS_TYPE, "name": "<item>", "loop": ["no", "yes"], "when": "<item>"}},
        {"a[yes]": (f"{GROUP}/providers/{ADDRESS_TYPE}/yes", set())},
    ),
    "a type that the engine does not know": (
        {"a": {"type": "Example.Test/things", "name": "a", "api_version": "2025-01-01"}},
        {"a": (f"{GROUP}/providers/Example.Test/things/a", set())},
    ),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_graph(name: str) -> None:
    declared, expected = GRAPHS[name]
    assert {handle: (found.id, found.needs) for handle, found in declarations(declared).items()} == expected


# (keys of an entry, state of the run, {attribute: value})
ATTRIBUTES: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({}, "present", {"existing": False, "absent": False, "keep_when_absent": False, "shared": (), "create_only": (), "list_keys": {}, "body": {}}),
    ({}, "absent", {"absent": True}),
    ({"state": "absent"}, "present", {"absent": True}),
    ({"state": "present"}, "absent", {"absent": False}),
    ({"existing": True}, "present", {"existing": True}),
    ({"existing": True, "body": {"properties": {"id": "${nothing.id}"}}}, "present", {"existing": True, "body": {}}),
    ({"on_absent": "keep"}, "absent", {"absent": True, "keep_when_absent": True}),
    ({"on_absent": "delete"}, "absent", {"keep_when_absent": False}),
    (
        {"shared": ["a"], "create_only": ["b"], "list_keys": {"c": ["d"]}},
        "present",
        {"shared": ("a",), "create_only": ("b",), "list_keys": {"c": ["d"]}},
    ),
    ({"body": {"location": "x"}}, "present", {"body": {"location": "x"}}),
    ({"body": None}, "present", {"body": {}}),
]


@pytest.mark.parametrize(("entry", "state", "expected"), ATTRIBUTES, ids=str)
def test_attributes(entry: dict[str, Any], state: str, expected: dict[str, Any]) -> None:
    (found,) = declarations({"vnet": {**VNET_ENTRY, **entry}}, state).values()
    assert {name: getattr(found, name) for name in expected} == expected
    assert found.facts.name == "Microsoft.Network/virtualNetworks"


def test_api_version_of_an_unknown_type() -> None:
    (found,) = declarations({"a": {"type": "Example.Test/things", "name": "a", "api_version": "2025-01-01"}}).values()
    assert (found.facts.name, found.facts.api_version) == ("Example.Test/things", "2025-01-01")


def test_siblings_are_written_under_one_parent() -> None:
    found = declarations({"s": {"type": SUBNET_TYPE, "name": "<item>", "parent": VNET, "loop": ["a", "b"]}, "vnet": VNET_ENTRY})
    assert found["s[a]"].parent == found["s[b]"].parent == f"{VNET.lower()}"
    assert found["vnet"].parent != found["s[a]"].parent


def test_text_means_what_it_spells() -> None:
    found = declarations(
        {
            "a": {**VNET_ENTRY, "existing": "false", "create_only": "properties.x", "shared": "properties.y, properties.z"},
            "b": {"type": ADDRESS_TYPE, "name": "b", "existing": "true", "depends_on": "a"},
        }
    )
    assert (found["a"].existing, found["a"].create_only, found["a"].shared) == (False, ("properties.x",), ("properties.y", "properties.z"))
    assert (found["b"].existing, found["b"].needs) == (True, {"a"})


# name: (declarations, what the message says)
ERRORS: dict[str, tuple[Any, list[str]]] = {
    "a list": ([VNET_ENTRY], ["mapping of handles"]),
    "nothing": ({}, ["mapping of handles"]),
    "an entry is a text": ({"vnet": VNET}, ["vnet: '", "is not a mapping"]),
    "an unknown key": (
        {"vnet": {**VNET_ENTRY, "properties": {}, "tags": {}}},
        ["vnet.properties: unknown key", "vnet.tags: ", "create_only"],
    ),
    "no id, no name": ({"vnet": {"type": "Microsoft.Network/virtualNetworks"}}, ["vnet: set id, or type and name"]),
    "no id, no type": ({"vnet": {"name": "v"}}, ["vnet: set id, or type and name"]),
    "no type": ({"vnet": {"type": "virtualNetworks", "name": "v"}}, ["vnet: 'virtualNetworks' is not a resource type"]),
    "an unknown type": ({"a": {"type": "Example.Test/things", "name": "a"}}, ["a: ", "Example.Test/things", "api_version"]),
    "a malformed id": ({"a": {"id": f"{GROUP}/providers"}}, ["a: ", f"{GROUP}/providers"]),
    "loop over a text": ({"a": {**VNET_ENTRY, "loop": "x"}}, ["a.loop: 'x' is not a list"]),
    "one key twice in a loop": (
        {"a": {"type": ADDRESS_TYPE, "name": "<item.name>", "loop": [{"key": "k", "name": "x"}, {"key": "k", "name": "y"}]}},
        ["a[k]"],
    ),
    "no key in a loop": ({"a": {"type": ADDRESS_TYPE, "name": "<item.title>", "loop": [{"title": "x"}, {"title": "y"}]}}, ["a: ", "key", "name"]),
    "one id twice": ({"a": VNET_ENTRY, "b": VNET_ENTRY}, ["a", "b", VNET]),
    "an unknown state": ({"a": {**VNET_ENTRY, "state": "gone"}}, ["a.state: 'gone'", "present", "absent"]),
    "an unknown on_absent": ({"a": {**VNET_ENTRY, "on_absent": "leave"}}, ["a.on_absent: 'leave'", "delete", "keep"]),
    "a body that is a list": ({"a": {**VNET_ENTRY, "body": [1]}}, ["a.body: a list is not a mapping"]),
    "an unknown parent": ({"s": {"type": SUBNET_TYPE, "name": "s", "parent": "${vnet}"}}, ["s: parent ${vnet} is not declared above it"]),
    "a parent below": (
        {"s": {"type": SUBNET_TYPE, "name": "s", "parent": "${vnet}"}, "vnet": VNET_ENTRY},
        ["s: parent ${vnet} is not declared above it"],
    ),
    "an unknown handle in a body": ({"a": {**VNET_ENTRY, "body": {"x": "${vent.id}"}}}, ["a: ${vent} does not refer to a declared resource"]),
    "a loop's handle without key": (
        {"a": {"type": ADDRESS_TYPE, "name": "<item>", "loop": ["x"]}, "b": {**VNET_ENTRY, "body": {"x": "${a}"}}},
        ["b: ${a} does not refer to a declared resource"],
    ),
    "a key that the loop does not have": (
        {"a": {"type": ADDRESS_TYPE, "name": "<item>", "loop": ["x"]}, "b": {**VNET_ENTRY, "body": {"x": "${a[y]}"}}},
        ["b: ${a[y]} does not refer to a declared resource"],
    ),
    "a handle that its condition excludes": (
        {"a": {**VNET_ENTRY, "when": False}, "b": {"type": ADDRESS_TYPE, "name": "b", "body": {"x": "${a}"}}},
        ["b: ${a} does not refer to a declared resource"],
    ),
    "depends_on an unknown handle": ({"a": {**VNET_ENTRY, "depends_on": ["vent"]}}, ["a: depends_on vent is not a declared resource"]),
    "existing is neither": ({"a": {**VNET_ENTRY, "existing": "maybe"}}, ["a.existing: 'maybe' is not true or false"]),
    "shared a mapping": ({"a": {**VNET_ENTRY, "shared": {"properties": "x"}}}, ["a.shared: a mapping is not a list"]),
    "a cycle of two": (
        {
            "a": {**VNET_ENTRY, "body": {"x": "${b}"}},
            "b": {"type": ADDRESS_TYPE, "name": "b", "depends_on": ["a"]},
        },
        ["depend on each other", "a -> b", "b -> a"],
    ),
    "a cycle of one": ({"a": {**VNET_ENTRY, "body": {"x": "${a.properties.y}"}}}, ["depend on each other", "a -> a"]),
    "a cycle with the parent": (
        {"vnet": {**VNET_ENTRY, "body": {"x": "${s}"}}, "s": {"type": SUBNET_TYPE, "name": "v/s"}},
        ["depend on each other", "vnet", "s"],
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    declared, words = ERRORS[name]
    with pytest.raises(DeclarationError) as caught:
        declarations(declared)
    assert [word for word in words if word not in str(caught.value)] == []


def test_all_faults_at_once() -> None:
    declared = {
        "text": "x",
        "unknown_key": {**VNET_ENTRY, "tags": {}},
        "nameless": {"type": ADDRESS_TYPE},
        "looped": {**VNET_ENTRY, "loop": 5},
        "stateful": {**VNET_ENTRY, "name": "v1", "state": "gone", "on_absent": "leave"},
        "referring": {**VNET_ENTRY, "name": "v2", "body": {"x": "${missing}", "y": ["${lost.id}"]}},
        "one": {**VNET_ENTRY, "name": "v3", "depends_on": ["other"]},
        "other": {**VNET_ENTRY, "name": "v4", "depends_on": ["one"]},
    }
    with pytest.raises(DeclarationError) as caught:
        declarations(declared)
    starts = [
        "text: ",
        "looped.loop: ",
        "unknown_key.tags: ",
        "nameless: ",
        "stateful.state: ",
        "stateful.on_absent: ",
        "referring: ",
        "referring: ",
        "the resources depend on each other",
    ]
    lines = str(caught.value).splitlines()
    assert len(lines) == len(starts)
    assert all(line.startswith(start) for line, start in zip(lines, starts, strict=True))


# (value, the handles in it)
REFERENCES: list[tuple[Any, set[str]]] = [
    ("text", set()),
    ("${a}", {"a"}),
    ("${a.b.c}", {"a"}),
    ("${a[k]}", {"a[k]"}),
    ("${a[a-b.c].d} and ${b}", {"a[a-b.c]", "b"}),
    ({"${a}": ["${b}", {"x": "${c}"}], "y": 1, "z": None}, {"a", "b", "c"}),
    ("$a {b} ${} ${1}", set()),
]


@pytest.mark.parametrize(("value", "expected"), REFERENCES, ids=lambda value: None if isinstance(value, set) else str(value))
def test_references(value: Any, expected: set[str]) -> None:
    assert references(value) == expected


KNOWN: dict[tuple[str, str], Any] = {("a", "id"): "/a", ("a", "properties.count"): 3, ("a", "properties.list"): [1], ("b[k]", "id"): "/b/k"}
# (value, with its references replaced)
RESOLVED: list[tuple[Any, Any]] = [
    ("text", "text"),
    (5, 5),
    (None, None),
    ("${a}", "/a"),
    ("${a.id}", "/a"),
    ("${a.properties.count}", 3),
    ("${a.properties.list}", [1]),
    ("${a}/x/${b[k]}", "/a/x//b/k"),
    ("n=${a.properties.count}", "n=3"),
    ({"${a}": {"x": ["${b[k]}", True]}}, {"/a": {"x": ["/b/k", True]}}),
]


@pytest.mark.parametrize(("value", "expected"), RESOLVED, ids=str)
def test_resolve(value: Any, expected: Any) -> None:
    assert resolve(value, lambda handle, path: KNOWN[handle, path]) == expected
