"""Reads of azure_resources_info: what is accepted, all that is wrong at once, and what is returned of a list."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.action.validate_role import _question
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.graph import DeclarationError
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.reading import Read, only, reads_of

SUBSCRIPTION = "/subscriptions/00000000-0000-4000-8000-000000000001"
VNET = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v"

PROVIDER = {
    "id": "/subscriptions/one/providers/Microsoft.Network",
    "namespace": "Microsoft.Network",
    "resourceTypes": [{"resourceType": "virtualNetworks"}],
}


@pytest.mark.parametrize(
    ("attributes", "body", "expected"),
    [
        ([], {"value": [PROVIDER]}, {"value": [PROVIDER]}),
        (["namespace"], {"value": [PROVIDER]}, {"value": [{"namespace": "Microsoft.Network"}]}),
        (["namespace", "absent"], {"value": [PROVIDER, {}]}, {"value": [{"namespace": "Microsoft.Network"}, {}]}),
        (["namespace"], {}, {"value": []}),
        (["namespace"], {"value": None}, {"value": []}),
    ],
)
def test_only(attributes: list[str], body: dict[str, Any], expected: dict[str, Any]) -> None:
    assert only(attributes, body) == expected


def test_only_some_names() -> None:
    body = {"value": [{"name": "Standard_D4ds_v5", "size": "D4ds_v5"}, {"name": "Premium_LRS"}, {}]}
    assert only([], body, ["STANDARD_D4ds_v5"]) == {"value": body["value"][:1]}
    assert only(["name"], body, ["premium_lrs"]) == {"value": [{"name": "Premium_LRS"}]}


# (entry, read)
READS: list[tuple[dict[str, Any], Read]] = [
    ({"id": VNET}, Read(VNET, "2025-05-01")),
    ({"id": VNET, "api_version": "2024-05-01"}, Read(VNET, "2024-05-01")),
    ({"id": f"{SUBSCRIPTION}/tagNames", "api_version": "2021-04-01"}, Read(f"{SUBSCRIPTION}/tagNames", "2021-04-01")),
    ({"id": VNET, "attributes": None}, Read(VNET, "2025-05-01")),
    ({"id": VNET, "attributes": "name, tags"}, Read(VNET, "2025-05-01", attributes=("name", "tags"))),
    ({"id": VNET, "api_version": datetime.date(2024, 5, 1)}, Read(VNET, "2024-05-01")),
    (
        {"id": f"{SUBSCRIPTION}/providers", "attributes": ["namespace"]},
        Read(f"{SUBSCRIPTION}/providers", "2021-04-01", attributes=("namespace",)),
    ),
    (
        {"id": f"{SUBSCRIPTION}/providers/Microsoft.Compute/skus?$filter=location eq 'westeurope'", "names": ["a"]},
        Read(f"{SUBSCRIPTION}/providers/Microsoft.Compute/skus?$filter=location eq 'westeurope'", "2021-07-01", names=("a",)),
    ),
    (
        {"id": f"{SUBSCRIPTION}/providers/Microsoft.KeyVault", "action": "checkNameAvailability", "body": {"name": "kv"}},
        Read(f"{SUBSCRIPTION}/providers/Microsoft.KeyVault", "2026-02-01", "checkNameAvailability", {"name": "kv"}),
    ),
]


@pytest.mark.parametrize(("entry", "expected"), READS, ids=str)
def test_reads(entry: dict[str, Any], expected: Read) -> None:
    assert reads_of({"one": entry}) == {"one": expected}


# (entry, what the message says)
REFUSED: list[tuple[Any, str]] = [
    (VNET, f"reads.bad: '{VNET}' is not a mapping."),
    ({"api_version": "2025-05-01"}, "reads.bad: it requires id."),
    ({"id": ""}, "reads.bad: it requires id."),
    ({"id": [VNET]}, "reads.bad.id: a list is not a text."),
    ({"id": VNET, "api_version": ["2025-05-01"]}, "reads.bad.api_version: a list is not a text."),
    ({"id": VNET, "attribute": ["name"]}, "reads.bad.attribute: unknown key, known are id, api_version, action, body, attributes, names."),
    ({"id": VNET, "attributes": {"name": True}}, "reads.bad.attributes: a mapping is not a list."),
    ({"id": VNET, "attributes": [{"name": True}]}, "reads.bad.attributes[0]: a mapping is not a text."),
    ({"id": VNET, "names": {"name": True}}, "reads.bad.names: a mapping is not a list."),
    ({"id": VNET, "body": "name"}, "reads.bad.body: 'name' is not a mapping."),
    ({"id": VNET, "action": "start"}, "reads.bad.action: 'start' is not one of checkNameAvailability, listClusterUserCredential."),
    ({"id": VNET, "action": ["start"]}, "reads.bad.action: a list is not a text."),
    ({"id": f"{SUBSCRIPTION}/tagNames"}, "reads.bad: the engine does not know Microsoft.Resources/subscriptions/tagNames: set api_version."),
]


@pytest.mark.parametrize(("entry", "message"), REFUSED, ids=str)
def test_what_is_refused(entry: Any, message: str) -> None:
    with pytest.raises(DeclarationError, match=r"reads\.worse\.x: unknown key") as caught:
        reads_of({"bad": entry, "good": {"id": VNET}, "worse": {"id": VNET, "x": 1}})
    assert message in str(caught.value)
    assert "reads.good" not in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "same"), [({"id": VNET.upper()}, True), ({"id": VNET, "names": ["b"]}, False), ({"id": VNET, "attributes": ["name"]}, False)]
)
def test_a_question_is_asked_once(entry: dict[str, Any], same: bool) -> None:
    first, second = reads_of({"first": {"id": VNET}, "second": entry}).values()
    assert (_question(first) == _question(second)) is same
