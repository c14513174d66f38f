"""What the lab reads of a request body, and what of it Microsoft's types refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.arm import schema
from lab.arm.azure import Azure, merge
from lab.arm.containerservice import types as containerservice
from lab.arm.dns import kinds as dns
from lab.arm.errors import ArmError, Malformed
from lab.arm.keyvault import kinds as keyvault
from lab.arm.kinds import Caller
from lab.arm.network import bodies as network
from lab.arm.options import Options
from lab.arm.schema.compile import compile_folder, compile_types
from lab.arm.store import Store

Body = dict[str, Any]

NEWEST = "2099-01-01"
OPTIONS = Options(time_scale=1e-6)
VAULT: Body = {"location": "westeurope", "properties": {"sku": {"family": "A", "name": "standard"}, "tenantId": OPTIONS.tenant}}
NSG: Body = {"location": "westeurope", "properties": {"securityRules": []}}
CLUSTER: Body = {"location": "westeurope", "properties": {"dnsPrefix": "aks", "agentPoolProfiles": [{"name": "system", "count": 1}]}}

FORMAT, PARAMETER = "InvalidRequestFormat", "InvalidParameter"
REFUSED = {
    "unknown property": (network.NSG, NSG, {"properties": {"securityRule": []}}, [(FORMAT, "properties.securityRule")]),
    "unknown property at the top": (network.NSG, NSG, {"zone": "1"}, [(FORMAT, "zone")]),
    "unknown property in a list": (
        containerservice.CLUSTER,
        CLUSTER,
        {"properties": {"agentPoolProfiles": [{"name": "system", "size": 1}]}},
        [(FORMAT, "properties.agentPoolProfiles[0].size")],
    ),
    "value outside of an enumeration": (keyvault.VAULT, VAULT, {"properties": {"createMode": "replace"}}, [(PARAMETER, "properties.createMode")]),
    "required property left out": (keyvault.VAULT, VAULT, {"properties": {"tenantId": None}}, [(PARAMETER, "properties.tenantId")]),
    "required property in a list": (
        containerservice.CLUSTER,
        CLUSTER,
        {"properties": {"agentPoolProfiles": [{"count": 1}]}},
        [(PARAMETER, "properties.agentPoolProfiles[0].name")],
    ),
    "a string for a boolean": (
        keyvault.VAULT,
        VAULT,
        {"properties": {"enableRbacAuthorization": "true"}},
        [(FORMAT, "properties.enableRbacAuthorization")],
    ),
    "a string for a number": (
        keyvault.VAULT,
        VAULT,
        {"properties": {"softDeleteRetentionInDays": "7"}},
        [(FORMAT, "properties.softDeleteRetentionInDays")],
    ),
    "a boolean for a number": (
        keyvault.VAULT,
        VAULT,
        {"properties": {"softDeleteRetentionInDays": True}},
        [(FORMAT, "properties.softDeleteRetentionInDays")],
    ),
    "a number for a string": (keyvault.VAULT, VAULT, {"location": 7}, [(FORMAT, "location")]),
    "a number for an enumeration": (keyvault.VAULT, VAULT, {"properties": {"createMode": 7}}, [(FORMAT, "properties.createMode")]),
    "an object for a list": (keyvault.VAULT, VAULT, {"properties": {"accessPolicies": {}}}, [(FORMAT, "properties.accessPolicies")]),
    "a list for an object": (keyvault.VAULT, VAULT, {"properties": {"networkAcls": []}}, [(FORMAT, "properties.networkAcls")]),
    "a number for a tag": (keyvault.VAULT, VAULT, {"tags": {"cost": 7}}, [(FORMAT, "tags.cost")]),
    "null in a list": (network.NSG, NSG, {"properties": {"securityRules": [None]}}, [(FORMAT, "properties.securityRules[0]")]),
    "a string for an item": (network.NSG, NSG, {"properties": {"securityRules": ["web"]}}, [(FORMAT, "properties.securityRules[0]")]),
    "an item without a name": (
        network.LOAD_BALANCER,
        NSG | {"properties": {}},
        {"properties": {"probes": [{"properties": {"port": 80, "protocol": "Tcp"}}, {"name": "", "properties": {"port": 81, "protocol": "Tcp"}}]}},
        [(FORMAT, "properties.probes[0]"), (FORMAT, "properties.probes[1]")],
    ),
    "an item without its properties": (
        network.LOAD_BALANCER,
        NSG | {"properties": {}},
        {"properties": {"probes": [{"name": "http"}]}},
        [(PARAMETER, "properties.probes[0].properties.port"), (PARAMETER, "properties.probes[0].properties.protocol")],
    ),
    "a reference without an id": (
        network.SUBNET,
        {"properties": {"addressPrefix": "10.0.0.0/24"}},
        {"properties": {"natGateway": {}, "networkSecurityGroup": {"id": ""}}},
        [("MissingJsonReferenceId", "properties.natGateway"), ("MissingJsonReferenceId", "properties.networkSecurityGroup")],
    ),
    "no location": (network.NSG, NSG, {"location": None}, [("LocationRequired", "location")]),
    "pattern": (
        containerservice.CLUSTER,
        CLUSTER,
        {"properties": {"networkProfile": {"dnsServiceIP": "10.0.0"}}},
        [(PARAMETER, "properties.networkProfile.dnsServiceIP")],
    ),
    "length and pattern": (keyvault.VAULT, VAULT, {"properties": {"tenantId": OPTIONS.tenant[:-1]}}, [(PARAMETER, "properties.tenantId")] * 2),
    "range": (
        containerservice.CLUSTER,
        CLUSTER,
        {"properties": {"agentPoolProfiles": [{"name": "system", "osDiskSizeGB": 2049}]}},
        [(PARAMETER, "properties.agentPoolProfiles[0].osDiskSizeGB")],
    ),
}


def test_types_that_are_newer_than_the_request_refuse_no_member() -> None:
    body = NSG | {"retired": True}
    older, newer = (schema.check(network.NSG, version, body) for version in ("2015-01-01", NEWEST))
    assert (older.problems, older.ignored) == ([], ["retired"])
    assert [problem.target for problem in newer.problems] == ["retired"]


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    resource_type, base, change, wanted = REFUSED[name]
    assert schema.check(resource_type, NEWEST, base).problems == []
    assert [(found.code, found.target) for found in schema.check(resource_type, NEWEST, merge(base, change)).problems] == wanted


@pytest.mark.parametrize(("resource_type", "body"), [(keyvault.VAULT, VAULT | {"location": None}), (keyvault.VAULT, VAULT | {"properties": None})])
def test_null_is_no_value_of_a_required_property(resource_type: str, body: Body) -> None:
    assert [found.code for found in schema.check(resource_type, NEWEST, body).problems] == [PARAMETER]


def test_a_write_answers_with_the_first_problem_and_lists_all() -> None:
    azure = Azure(Store(), OPTIONS)
    group = f"{azure.subscription_id}/resourceGroups/rg"
    caller = Caller(OPTIONS.client_object, OPTIONS.client)
    azure.write(group, {"location": "westeurope"}, NEWEST, caller)
    body = merge(VAULT, {"properties": {"vaultSize": 1, "createMode": "replace"}})
    with pytest.raises(ArmError) as caught:
        azure.write(f"{group}/providers/{keyvault.VAULT}/vault1", body, NEWEST, caller)
    assert (caught.value.status, caught.value.code, caught.value.target) == (400, FORMAT, "properties.vaultSize")
    assert [(item["code"], item["target"]) for item in caught.value.body()["error"]["details"]] == [
        (FORMAT, "properties.vaultSize"),
        (PARAMETER, "properties.createMode"),
    ]
    assert azure.store.get(f"{group}/providers/{keyvault.VAULT}/vault1") is None


def test_what_the_parser_of_the_network_finds_stands_in_the_details() -> None:
    found = schema.check(network.SUBNET, NEWEST, {"properties": {"routeTable": {}}}).problems
    assert Malformed(found).body()["error"] == {
        "code": FORMAT,
        "message": "Cannot parse the request.",
        "details": [
            {
                "code": "MissingJsonReferenceId",
                "target": "properties.routeTable",
                "message": "Value for reference id is missing. Path properties.routeTable.",
            }
        ],
    }


def test_items_of_a_partial_body_are_whole() -> None:
    """A PATCH replaces a list."""
    body = {"properties": {"agentPoolProfiles": [{"name": "system", "count": None}, {"count": 1}]}}
    checked = schema.check(containerservice.CLUSTER, NEWEST, body, partial=True)
    assert [(found.code, found.target) for found in checked.problems] == [(PARAMETER, "properties.agentPoolProfiles[1].name")]
    assert checked.body["properties"]["agentPoolProfiles"][0] == {"name": "system"}


def test_a_record_set_may_say_that_it_is_no_alias() -> None:
    assert schema.check(f"{dns.PUBLIC_ZONE}/A", NEWEST, {"properties": {"targetResource": {}}}).problems == []


def test_an_open_enumeration_takes_other_values() -> None:
    body = merge(CLUSTER, {"properties": {"networkProfile": {"networkPlugin": "bring-your-own"}}})
    assert schema.check(containerservice.CLUSTER, NEWEST, body).problems == []


def test_names_and_enumerated_values_come_out_in_azures_case() -> None:
    sent = {
        "LOCATION": "westeurope",
        "Properties": {"SKU": {"Family": "a", "NAME": "STANDARD"}, "tenantid": OPTIONS.tenant},
        "tags": {"Team": "Lab"},
    }
    assert schema.check(keyvault.VAULT.upper(), NEWEST, sent) == schema.Checked(body=VAULT | {"tags": {"Team": "Lab"}}, schema="nearest")


def test_read_only_properties_are_ignored_and_reported() -> None:
    """A sub-resource keeps its id: others refer to it."""
    own = {"access": "Allow", "direction": "Inbound", "priority": 100, "protocol": "Tcp"}
    rule = {"name": "web", "id": "/echoed", "etag": "echoed", "type": "echoed", "properties": own | {"provisioningState": "Succeeded"}}
    sent = {
        "id": "/x",
        "name": "nsg",
        "type": network.NSG,
        "location": "westeurope",
        "properties": {"resourceGuid": "1", "provisioningState": "Succeeded", "securityRules": [rule]},
    }
    checked = schema.check(network.NSG, NEWEST, sent)
    assert checked.problems == []
    assert sorted(checked.ignored) == [
        "id",
        "name",
        "properties.provisioningState",
        "properties.resourceGuid",
        "properties.securityRules[0].etag",
        "properties.securityRules[0].properties.provisioningState",
        "properties.securityRules[0].type",
        "type",
    ]
    assert checked.body == {"location": "westeurope", "properties": {"securityRules": [{"name": "web", "id": "/echoed", "properties": own}]}}


def test_a_partial_body_needs_nothing_and_keeps_null() -> None:
    """In a PATCH null takes a value away."""
    checked = schema.check(keyvault.VAULT, NEWEST, {"properties": {"networkAcls": None}}, partial=True)
    assert checked.problems == []
    assert checked.body == {"properties": {"networkAcls": None}}


@pytest.mark.parametrize(
    ("asked", "read_as"),
    [
        ("2026-03-01", "2026-03-01"),
        ("2026-03-31", "2026-03-01"),
        ("2026-04-02-preview", "2026-04-01"),
        ("2020-01-01", "2026-01-01"),
        (NEWEST, "2026-05-01"),
    ],
)
def test_nearest_api_version(asked: str, read_as: str) -> None:
    assert schema.nearest(containerservice.CLUSTER, asked) == read_as
    assert schema.check(containerservice.CLUSTER, asked, CLUSTER).schema == ("stored" if asked == read_as else "nearest")


def test_a_type_without_schema() -> None:
    assert schema.nearest("Microsoft.Network/applicationGateways", NEWEST) is None
    with pytest.raises(KeyError):
        schema.check("Microsoft.Network/applicationGateways", NEWEST, {})


# Types that Microsoft's format has and the stored versions do not use


def _at(position: int) -> dict[str, str]:
    return {"$ref": f"#/{position}"}


def _object(**properties: tuple[int, int]) -> Body:
    return {
        "$type": "ObjectType",
        "name": "object",
        "properties": {name: {"type": _at(position), "flags": flags} for name, (position, flags) in properties.items()},
    }


SOURCE: list[Body] = [
    {"$type": "ResourceType", "name": f"{network.NAT_GATEWAY}@2025-01-01", "body": _at(1)},
    _object(text_or_number=(4, 0), one_of_two=(7, 0), shape=(8, 0), anything=(11, 0), counted=(3, 0), literal=(14, 0)),
    {"$type": "StringType", "minLength": 2, "maxLength": 3},
    {"$type": "IntegerType", "minValue": 1, "maxValue": 3},
    {"$type": "UnionType", "elements": [_at(2), _at(3)]},
    _object(left=(2, 1), seen=(2, 2)),
    _object(right=(3, 1)),
    {"$type": "UnionType", "elements": [_at(5), _at(6)]},
    {
        "$type": "DiscriminatedObjectType",
        "name": "shape",
        "discriminator": "kind",
        "baseProperties": {"kind": {"type": _at(2), "flags": 0}},
        "elements": {"dot": _at(9), "box": _at(10)},
    },
    _object(),
    _object(side=(3, 1)),
    {"$type": "AnyType"},
    {"$type": "StringLiteralType", "value": "Up"},
    {"$type": "StringLiteralType", "value": "Down"},
    {"$type": "UnionType", "elements": [_at(12), _at(13)]},
    {"$type": "ResourceType", "name": "Microsoft.Network/applicationGateways@2025-01-01", "body": _at(1)},
]


@pytest.fixture
def synthetic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """``SOURCE`` in place of the stored types."""
    folder = tmp_path / "generated" / "network" / "microsoft.network" / "2025-01-01"
    folder.mkdir(parents=True)
    (folder / "types.json").write_text(json.dumps(SOURCE))
    for name, text in compile_folder(tmp_path).items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(schema, "_DATA", tmp_path)
    schema.versions.cache_clear()
    schema._load.cache_clear()
    yield
    schema.versions.cache_clear()
    schema._load.cache_clear()


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"text_or_number": "ab"}, []),
        ({"text_or_number": 3}, []),
        ({"text_or_number": "a"}, [(PARAMETER, "text_or_number")]),
        ({"text_or_number": True}, [(FORMAT, "text_or_number")]),
        ({"one_of_two": {"left": "ab"}}, []),
        ({"one_of_two": {"right": 1}}, []),
        ({"one_of_two": {"right": 4}}, [(PARAMETER, "one_of_two.right")]),
        ({"shape": {"kind": "dot"}}, []),
        ({"shape": {"kind": "box", "side": 1}}, []),
        ({"shape": {"kind": "box"}}, [(PARAMETER, "shape.side")]),
        ({"shape": {"kind": "dot", "side": 1}}, [(FORMAT, "shape.side")]),
        ({"shape": {"kind": "ring"}}, [(PARAMETER, "shape.kind")]),
        ({"shape": {}}, [(PARAMETER, "shape.kind")]),
        ({"anything": [{"at": "all"}, 1]}, []),
        ({"counted": 0}, [(PARAMETER, "counted")]),
        ({"counted": 4}, [(PARAMETER, "counted")]),
        ({"literal": "down"}, []),
        ({"literal": "left"}, [(PARAMETER, "literal")]),
    ],
    ids=json.dumps,
)
@pytest.mark.usefixtures("synthetic")
def test_union_and_discriminated_types(body: Body, wanted: list[tuple[str, str]]) -> None:
    assert [(found.code, found.target) for found in schema.check(network.NAT_GATEWAY, "2025-01-01", body).problems] == wanted


@pytest.mark.usefixtures("synthetic")
def test_a_union_reports_what_its_fitting_type_ignores() -> None:
    checked = schema.check(network.NAT_GATEWAY, "2025-01-01", {"one_of_two": {"left": "ab", "seen": "x"}, "literal": "DOWN"})
    assert (checked.ignored, checked.body) == (["one_of_two.seen"], {"one_of_two": {"left": "ab"}, "literal": "Down"})


# The compiler


def test_only_served_types_are_kept() -> None:
    compiled = compile_types(SOURCE)
    assert compiled is not None
    assert list(compiled["types"]) == [network.NAT_GATEWAY]
    assert compile_types(SOURCE[1:]) is None


def test_a_kind_of_type_that_is_new_to_the_compiler_stops_it() -> None:
    with pytest.raises(ValueError, match="DecimalType"):
        compile_types([SOURCE[0], {"$type": "DecimalType"}])


def test_two_folders_with_one_version_stop_it(tmp_path: Path) -> None:
    for folder in ("network_0", "network_1"):
        place = tmp_path / "generated" / folder / "microsoft.network" / "2025-01-01"
        place.mkdir(parents=True)
        (place / "types.json").write_text(json.dumps(SOURCE))
    with pytest.raises(ValueError, match="two folders"):
        compile_folder(tmp_path)
