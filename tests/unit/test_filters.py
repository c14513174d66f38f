from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError

ROOT = Path(__file__).parents[2]
FILTERS = {
    name: importlib.import_module(f"ansible_collections.dualstack.aks.plugins.filter.{name}")
    for name in sorted(path.stem for path in (ROOT / "plugins" / "filter").glob("*.py"))
}
BASE = {"organisation": "example", "stamp": "westeurope"}
VIOLATION = {"rule": "r", "subject": "s", "found": "f", "remedy": "do x", "reference": "https://y"}
SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"


def call(name: str, *arguments: Any, **options: Any) -> Any:
    return FILTERS[name].FilterModule().filters()[name](*arguments, **options)


SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "entrance"}, "spec": {"ipFamilies": ["IPv6"], "ports": [{"port": 80}]}}
PLAN = call("address_plan", BASE)


@pytest.mark.parametrize("name", FILTERS)
def test_one_filter_a_file(name: str) -> None:
    module = FILTERS[name]
    assert list(module.FilterModule().filters()) == [name]
    documentation = yaml.safe_load(module.DOCUMENTATION)
    assert documentation["name"] == name
    assert yaml.safe_load(module.EXAMPLES) and yaml.safe_load(module.RETURN)["_value"]


# (filter, arguments, options, value)
VALUES: list[tuple[str, list[Any], dict[str, Any], Any]] = [
    ("address_plan", [BASE, {}], {}, PLAN),
    ("address_plan", [BASE, None], {}, PLAN),
    ("address_plan", [BASE, PLAN["register"]], {"with_register": False}, {name: value for name, value in PLAN.items() if name != "register"}),
    ("address_plan", [BASE], {"register": PLAN["register"]}, PLAN),
    ("fleet_plan", [[BASE], {}], {}, {"register": PLAN["register"], "violations": []}),
    ("fleet_plan", [[BASE]], {"register": PLAN["register"]}, {"register": PLAN["register"], "violations": []}),
    ("fleet_plan", [[], None], {}, {"register": {"stamps": {}, "retired": {}}, "violations": []}),
    ("plan_violations", [BASE, PLAN["register"]], {}, []),
    ("plan_violations", [BASE], {"register": PLAN["register"]}, []),
    (
        "family_rules",
        [{"name": "web", "priority": 200, "source": "subnet:endpoints"}, PLAN],
        {},
        [
            {
                "name": "web",
                "properties": {
                    "access": "Allow",
                    "direction": "Inbound",
                    "priority": 200,
                    "protocol": "*",
                    "sourceAddressPrefix": "10.0.4.0/26",
                    "sourcePortRange": "*",
                    "destinationAddressPrefix": "*",
                    "destinationPortRange": "*",
                },
            }
        ],
    ),
    ("in_ranges", ["203.0.113.7", ["2001:db8::/32", "203.0.113.0/24"]], {}, True),
    ("in_ranges", ["203.0.113.7", ["203.0.113.7"]], {}, True),
    ("in_ranges", ["203.0.113.7", ["203.0.113.1/24"]], {}, True),
    ("in_ranges", ["203.0.113.7", ["203.0.114.0/24", "::/0"]], {}, False),
    ("in_ranges", ["2001:DB8::7", ["0.0.0.0/0", "2001:db8::/32"]], {}, True),
    ("in_ranges", ["203.0.113.7", []], {}, False),
    (
        "ingress_mode_advice",
        [{"services_dual_stack": True, "application_listens_ipv6": True}],
        {},
        {"mode": "native", "reasons": ["each family keeps to itself, with one Service a function and nothing translated"], "rejected": {}},
    ),
    ("manifest_violations", [[SERVICE], "1.36"], {}, []),
    ("manifest_violations", [[SERVICE], "v1.99.1"], {}, []),
    (
        "service_family_change",
        [{"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4"]}, "PreferDualStack"],
        {},
        {
            "legal": True,
            "policy": "PreferDualStack",
            "families": ["IPv4", "IPv6"],
            "added": ["IPv6"],
            "released": [],
            "reason": "",
        },
    ),
    ("entrance_violations", [{"mode": "nat64", "upstream": "services"}], {}, []),
    ("entrance_violations", [{"mode": "nat64", "upstream": "services"}, []], {}, []),
    ("violation_text", [[]], {}, ""),
    (
        "violation_text",
        [[VIOLATION, {**VIOLATION, "found": "g", "reference": ""}]],
        {},
        "- s: f [r]. Remedy: do x. See https://y\n- s: g [r]. Remedy: do x.",
    ),
    (
        "violation_text",
        [[[VIOLATION], [{**VIOLATION, "found": "g"}, {**VIOLATION, "subject": "t", "reference": ""}]]],
        {},
        "- s: f [r]. Remedy: do x. See https://y\n- t: f [r]. Remedy: do x.",
    ),
    (
        "resource_id",
        ["v", "Microsoft.Network/virtualNetworks"],
        {"subscription_id": SUBSCRIPTION, "resource_group": "rg"},
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v",
    ),
    (
        "resource_id",
        ["s", "A.B/c/d"],
        {"parent": "/subscriptions/x/resourceGroups/rg/providers/A.B/c/e"},
        "/subscriptions/x/resourceGroups/rg/providers/A.B/c/e/d/s",
    ),
]


@pytest.mark.parametrize(("name", "arguments", "options", "expected"), VALUES, ids=str)
def test_value(name: str, arguments: list[Any], options: dict[str, Any], expected: Any) -> None:
    assert call(name, *arguments, **options) == expected


def test_violations_without_a_register() -> None:
    assert {found["rule"] for found in call("plan_violations", BASE)} == {"unregistered"}


# (filter, arguments, options, what the message says behind the filter's name)
ERRORS: list[tuple[str, list[Any], dict[str, Any], list[str]]] = [
    ("address_plan", [{"stamp": "x"}, {}], {}, ["organisation"]),
    ("address_plan", [[], {}], {}, ["specification", "list"]),
    ("fleet_plan", [BASE], {}, ["dualstack.aks.fleet_plan", "a list, not dict"]),
    ("fleet_plan", [[BASE, {"stamp": "x"}]], {}, ["dualstack.aks.fleet_plan", "organisation"]),
    ("address_plan", [BASE, {"stamps": {"a": {"vnet": {"ipv4": "ten"}}}}], {}, ["dualstack_register.stamps.a.vnet.ipv4", "'ten'"]),
    ("plan_violations", [{**BASE, "ipv6_prefix": "ten"}], {}, ["dualstack_ipv6_prefix", "'ten'"]),
    ("plan_violations", [{**BASE, "colour": "red"}], {}, ["unknown keys: colour"]),
    ("family_rules", [{"name": "web"}, PLAN], {}, ["web", "priority"]),
    ("family_rules", [{"name": "web", "priority": 200, "source": "subnet:x"}, PLAN], {}, ["network_security_rules.web.source", "'x'"]),
    ("family_rules", ["web", PLAN], {}, ["web"]),
    ("entrance_configuration", [{"mode": "nat64", "upstream": "services"}, "ipv6"], {}, ["family 'ipv6'"]),
    ("entrance_configuration", [{"mode": "nat65", "upstream": "services"}, "IPv6"], {}, ["'nat65'"]),
    (
        "entrance_configuration",
        [{"mode": "nat64", "upstream": "services", "routes": [{"service": "shop", "namespace": "apps", "port": 80}]}, "IPv6", []],
        {},
        ["apps/shop has no IPv4 cluster IP"],
    ),
    ("entrance_violations", [{"mode": "nat64", "upstream": "service"}], {}, ["'service'"]),
    ("entrance_violations", [{"mode": "nat64", "upstream": "services", "routes": [{"service": "shop"}]}], {}, ["'port'"]),
    ("in_ranges", ["ten", ["10.0.0.0/8"]], {}, ["'ten'"]),
    ("ingress_mode_advice", [[]], {}, ["list is no mapping"]),
    ("ingress_mode_advice", [{"edge": "cdn"}], {}, ["edge 'cdn'"]),
    ("in_ranges", ["10.0.0.1", ["ten"]], {}, ["'ten'"]),
    ("resource_id", ["v", "virtualNetworks"], {"subscription_id": SUBSCRIPTION, "resource_group": "rg"}, ["'virtualNetworks'"]),
    ("resource_id", ["v", "Microsoft.Network/virtualNetworks"], {"subscription_id": "mine", "resource_group": "rg"}, ["subscription_id", "'mine'"]),
    ("resource_id", ["v", "Microsoft.Network/virtualNetworks"], {"subscription_id": SUBSCRIPTION}, ["resource_group"]),
]


@pytest.mark.parametrize(("name", "arguments", "options", "words"), ERRORS, ids=str)
def test_errors(name: str, arguments: list[Any], options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        call(name, *arguments, **options)
    message = str(caught.value)
    assert message.startswith(f"dualstack.aks.{name}: ")
    assert [word for word in words if word not in message] == []


#: what a playbook writes
EXPRESSION = """{{ {
  'plan': specification | dualstack.aks.address_plan({}),
  'violations': specification | dualstack.aks.plan_violations((specification | dualstack.aks.address_plan({})).register),
  'rules': {'name': 'web', 'priority': 200, 'source': 'pods'}
    | dualstack.aks.family_rules(specification | dualstack.aks.address_plan({})) | map(attribute='name') | list,
  'inside': '10.0.0.1' | dualstack.aks.in_ranges(['10.0.0.0/8']),
  'text': [violation] | dualstack.aks.violation_text,
  'id': 'v' | dualstack.aks.resource_id('Microsoft.Network/virtualNetworks', subscription_id=subscription, resource_group='rg')
} }}"""


def test_in_a_template() -> None:
    command = [sys.executable, "-m", "ansible", "adhoc", "localhost", "-m", "ansible.builtin.debug", "-o"]
    extra = {"specification": BASE, "subscription": SUBSCRIPTION, "violation": VIOLATION, "answer": EXPRESSION}
    finished = subprocess.run(
        [*command, "-e", json.dumps(extra), "-a", "var=answer"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    answer = json.loads(finished.stdout.partition("=>")[2])["answer"]
    assert answer == {
        "plan": PLAN,
        "violations": [],
        "rules": ["web", "web-ipv6"],
        "inside": True,
        "text": "- s: f [r]. Remedy: do x. See https://y",
        "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v",
    }


@pytest.mark.parametrize(
    ("manifest", "found"),
    [
        ({**SERVICE, "spec": {"ports": [{"port": "many"}]}}, "spec.ports.0.port: 'many' is not of type 'integer'"),
        ({**SERVICE, "spec": {"ipFamily": "IPv6"}}, "'ipFamily' was unexpected"),
        ({**SERVICE, "kind": "Sevrice"}, "Couldn't find schema for kind Sevrice"),
        ({"kind": "Service", "metadata": {"name": "entrance"}}, "'apiVersion' is missing"),
    ],
)
def test_manifests_that_no_api_server_takes(manifest: dict[str, Any], found: str) -> None:
    [violation] = call("manifest_violations", [SERVICE, manifest], "1.36")
    assert found in violation["found"]
    assert violation["subject"] == f"{manifest['kind']} entrance"


def test_a_version_that_is_none() -> None:
    with pytest.raises(AnsibleFilterError, match="'newest' is no Kubernetes version"):
        call("manifest_violations", [SERVICE], "newest")
