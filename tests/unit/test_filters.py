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


HEADING = "STAMP          NAME         IPV4               IPV6"
TABLE = [
    HEADING,
    *(
        f"westeurope     {name:12} {ranges.get('ipv4', '-'):18} {ranges.get('ipv6', '-')}"
        for name, ranges in PLAN["register"]["stamps"]["westeurope"].items()
    ),
]

# (filter, arguments, options, value)
#: what a subnet gets for which nothing says what it is for
DEMANDS: dict[str, Any] = {"purpose": "", "delegations": [], "security_group": True, "security_rules": [], "nat_gateway": False}

VALUES: list[tuple[str, list[Any], dict[str, Any], Any]] = [
    ("address_plan", [BASE, {}], {}, PLAN),
    ("address_plan", [BASE, None], {}, PLAN),
    ("address_plan", [BASE, PLAN["register"]], {"with_register": False}, {name: value for name, value in PLAN.items() if name != "register"}),
    ("address_plan", [BASE], {"register": PLAN["register"]}, PLAN),
    ("fleet_plan", [[BASE], {}], {}, {"register": PLAN["register"], "violations": [], "warnings": [], "table": TABLE}),
    ("fleet_plan", [[BASE]], {"register": PLAN["register"]}, {"register": PLAN["register"], "violations": [], "warnings": [], "table": TABLE}),
    ("fleet_plan", [[], None], {}, {"register": {"stamps": {}, "retired": {}}, "violations": [], "warnings": [], "table": [HEADING]}),
    (
        "subnet_purposes",
        [{"nodes": {}, "GatewaySubnet": {}, "web": {"delegation": "Microsoft.Web/serverFarms"}}],
        {},
        {
            "nodes": DEMANDS | {"purpose": "nodes", "nat_gateway": True},
            "GatewaySubnet": DEMANDS | {"purpose": "virtual_network_gateway", "security_group": False},
            "web": DEMANDS | {"delegations": [{"name": "Microsoft.Web.serverFarms", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}]},
        },
    ),
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
    (
        "ingress_mode_advice",
        [{"services_dual_stack": True, "application_listens_ipv6": True}],
        {},
        {"mode": "native", "reasons": ["the families stay separate, with one Service each and without translation"], "rejected": {}},
    ),
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
    (
        "agent_pool_profiles",
        [[{"name": "a", "min_count": 2, "max_count": 3, "zones": ["1"], "max_surge": 1}], {"subnet_id": "/s", "os_sku": "Ubuntu", "max_pods": 250}],
        {},
        [
            {
                "name": "a",
                "mode": "User",
                "type": "VirtualMachineScaleSets",
                "vmSize": "Standard_D4ds_v5",
                "osType": "Linux",
                "osSKU": "Ubuntu",
                "vnetSubnetID": "/s",
                "availabilityZones": ["1"],
                "maxPods": 250,
                "enableAutoScaling": True,
                "count": 2,
                "minCount": 2,
                "maxCount": 3,
                "nodeLabels": {},
                "nodeTaints": [],
                "upgradeSettings": {"maxSurge": "1"},
            }
        ],
    ),
    ("resource_references", [["a", "b"], "address"], {}, [{"id": "${address[a].id}"}, {"id": "${address[b].id}"}]),
    (
        "image_import",
        [f"ghcr.io/nginx/nginx:1@sha256:{'0' * 64}", "/registry"],
        {},
        {
            "id": "/registry",
            "action": "importImage",
            "body": {
                "source": {"registryUri": "ghcr.io", "sourceImage": f"nginx/nginx@sha256:{'0' * 64}"},
                "mode": "Force",
                "targetTags": ["nginx/nginx:1"],
            },
        },
    ),
    (
        "image_import",
        [f"ghcr.io/nginx@sha256:{'0' * 64}", "/registry"],
        {},
        {
            "id": "/registry",
            "action": "importImage",
            "body": {
                "source": {"registryUri": "ghcr.io", "sourceImage": f"nginx@sha256:{'0' * 64}"},
                "mode": "Force",
                "untaggedTargetRepositories": ["nginx"],
            },
        },
    ),
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
    ("subnet_purposes", [["nodes"]], {}, ["a mapping of mappings", "nodes"]),
    ("subnet_purposes", [{"nodes": 24}], {}, ["a mapping of mappings", "24"]),
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
    ("ingress_mode_advice", [[]], {}, ["list is not a mapping"]),
    ("ingress_mode_advice", [{"edge": "cdn"}], {}, ["edge 'cdn'"]),
    ("agent_pool_profiles", [[{"name": "a"}], {"subnet_id": "/s", "os_sku": "Ubuntu", "max_pods": 250}], {}, ["zones"]),
    ("resource_references", ["a", "address"], {}, ["a list", "'a'"]),
    ("image_import", ["nginx:1", "/registry"], {}, ["'nginx:1'", "sha256"]),
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
        "text": "- s: f [r]. Remedy: do x. See https://y",
        "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v",
    }
