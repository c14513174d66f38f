"""Stamps as verify.yml finds them, in any number, for the tests of the page."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.plan import address_plans
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.changes import changes
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.details import details
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.merge import read_report
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.page import Report
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.results import results
from tests.unit.test_verification import NETWORK, SECURITY_GROUP, Facts, answer, asked, healthy, listener, silent

REGIONS = ("westeurope", "northeurope", "swedencentral", "germanywestcentral", "eastus2", "southeastasia")
_SPECIFICATION = {
    "organisation": "example",
    "subnets": {
        "nodes": {"ipv4_prefix_length": 22},
        "system": {"ipv4_prefix_length": 24},
        "api": {"ipv4_prefix_length": 28, "purpose": "api_server"},
        "endpoints": {"ipv4_prefix_length": 26, "families": ["IPv4"]},
        "AzureBastionSubnet": {"ipv4_prefix_length": 26},
    },
}


def names_of(number: int) -> list[str]:
    return [REGIONS[index] if index < len(REGIONS) else f"stamp-{index + 1:02}" for index in range(number)]


@functools.cache
def register_of(number: int) -> dict[str, Any]:
    """The register of so many stamps."""
    planned: dict[str, Any] = address_plans([{**_SPECIFICATION, "stamp": name} for name in names_of(number)], {})["register"]
    return planned


def facts_of(name: str, entry: dict[str, Any], number: int) -> Facts:
    """A healthy stamp in mode nat64 whose network and cluster have the ranges that are registered."""
    facts = healthy()
    four, six = f"203.0.113.{number}", f"2001:db8:f::{number:x}"
    subnets: list[dict[str, Any]] = [
        {"id": f"{NETWORK}/subnets/{subnet}", "properties": {"addressPrefixes": list(families.values())}}
        for subnet, families in entry.items()
        if subnet not in ("vnet", "pods", "services")
    ]
    subnets[0]["properties"]["networkSecurityGroup"] = {"id": SECURITY_GROUP}
    facts["resources"][f"network {NETWORK.lower()}"] = answer(
        NETWORK, addressSpace={"addressPrefixes": list(entry["vnet"].values())}, subnets=subnets
    )
    facts["resources"]["cluster"]["body"]["properties"]["networkProfile"] |= {
        "podCidrs": list(entry["pods"].values()),
        "serviceCidrs": list(entry["services"].values()),
    }
    facts["resources"]["ipv4"], facts["resources"]["ipv6"] = answer(ipAddress=four), answer(ipAddress=six, tags={})
    facts["asked"] = [
        asked("ipv4", four, listener("http 80", "status 200"), listener("tls 443 shop.example.org")),
        asked("ipv6", six, listener("http 80", "status 200"), listener("tls 443 shop.example.org")),
    ]
    facts["records"] = {"public_a": answer(ARecords=[{"ipv4Address": four}]), "public_aaaa": answer(AAAARecords=[{"ipv6Address": six}])}
    facts["resolved"] = [
        {"view": "public", "key": family, "probe": "probe", "rc": 0, "stdout": f"{address} STREAM"}
        for family, address in (("ipv4", four), ("ipv6", six))
    ]
    for service, address in zip(facts["objects"][1]["resources"], (four, six), strict=True):
        service["status"]["loadBalancer"]["ingress"][0]["ip"] = address
    facts["zones"]["public"] = {"id": "/zones/public", "name": f"www.{name}.aks.example.org"}
    return {**facts, "stamp": name, "mode": "nat64", "upstream": "services"}


def breaking(facts: Facts) -> None:
    """An IPv6 entrance that is silent, and a rule and a disruption budget that nobody declared."""
    facts["asked"][1]["listeners"][0] |= silent("http 80", "timed out")
    rule = {"path": "properties.securityRules[no-web]", "before": {"access": "Deny", "sourceAddressPrefix": "2000::/3"}, "after": None}
    facts["declared"] = {
        "resources": [{"id": SECURITY_GROUP, "action": "update", "differences": [rule]}],
        "objects": [
            {
                "changed": True,
                "result": {"kind": "PodDisruptionBudget", "metadata": {"name": "entrance-ipv4"}},
                "diff": {"before": {"spec": {"maxUnavailable": 2}}, "after": {"spec": {"maxUnavailable": 1}}},
            }
        ],
        "problems": [],
    }


@functools.cache
def report_of(number: int, *, broken: int = 0, change: Callable[[Facts], None] = breaking) -> Report:
    """A report of so many stamps, of which the first ``broken`` have changed since the report before."""
    register = register_of(number)
    found: dict[str, Any] = {}
    known: dict[str, Any] = {}
    before: list[dict[str, Any]] = []
    for position, name in enumerate(names_of(number)):
        facts = facts_of(name, register["stamps"][name], position + 10)
        before.append({"stamp": name, "results": results(facts), **details(facts)})
        if position < broken:
            change(facts)
        found[name], known[name] = results(facts), details(facts)
    last = read_report({"time": "2026-11-29T06:00:00Z", "stamps": before}, "the report before")
    return Report("2026-11-30T06:00:00Z", found, known, "2026-11-29T06:00:00Z", changes(last, found, known))
