"""What counts as IPv4's when IPv6 is switched on and off."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._ipv4_state import ipv4_state, state_changes

BALANCER = "/subscriptions/s/resourceGroups/nodes/providers/Microsoft.Network/loadBalancers/kubernetes"


def part(collection: str, name: str, **properties: Any) -> dict[str, Any]:
    return {"name": name, "id": f"{BALANCER}/{collection}/{name}", "etag": "1", "properties": properties}


def at(collection: str, name: str) -> dict[str, str]:
    return {"id": f"{BALANCER}/{collection}/{name}".upper()}


def balancer(*, ipv6: bool) -> dict[str, Any]:
    """As the cloud controller makes it: the frontend of a single-stack IPv6 Service does not say so in its name."""
    services = [("a4", "", 30001), *([("a6", "-IPv6", 30002)] if ipv6 else [])]
    return {
        "properties": {
            "frontendIPConfigurations": [part("frontendIPConfigurations", name, publicIPAddress={"id": f"pip-{name}"}) for name, _, _ in services],
            "backendAddressPools": [part("backendAddressPools", f"kubernetes{suffix}", backendIPConfigurations=[{}]) for _, suffix, _ in services],
            "loadBalancingRules": [
                part(
                    "loadBalancingRules",
                    f"{name}-TCP-80",
                    frontendPort=80,
                    frontendIPConfiguration=at("frontendIPConfigurations", name),
                    backendAddressPool=at("backendAddressPools", f"kubernetes{suffix}"),
                    probe=at("probes", f"{name}-probe"),
                )
                for name, suffix, _ in services
            ],
            "probes": [part("probes", f"{name}-probe", port=port, loadBalancingRules=[{}]) for name, _, port in services],
        }
    }


def resources(*, ipv6: bool = False) -> dict[str, Any]:
    return {
        "load_balancer": {"body": balancer(ipv6=ipv6)},
        "address": {"body": {"etag": "1", "tags": {"a": "b"}, "properties": {"ipAddress": "203.0.113.10", "provisioningState": "Succeeded"}}},
        "public_a": {"body": {"properties": {"TTL": 300, "ARecords": [{"ipv4Address": "203.0.113.10"}]}}},
        **({"public_aaaa": {"body": {"properties": {"TTL": 300}}}} if ipv6 else {}),
    }


def objects() -> list[dict[str, Any]]:
    service = {
        "kind": "Service",
        "metadata": {"name": "entrance-ipv4", "labels": {"x": "y"}, "resourceVersion": "7", "managedFields": [{}]},
        "spec": {"clusterIP": "10.0.0.7", "ports": [{"name": "http", "port": 80}]},
        "status": {"loadBalancer": {}},
    }
    deployment = {"kind": "Deployment", "metadata": {"name": "entrance-ipv4"}, "spec": {"replicas": 2, "template": {"spec": {"containers": []}}}}
    return [service, deployment]


def test_ipv6_and_what_the_services_write_do_not_count() -> None:
    before, after = (resources(), objects()), (resources(ipv6=True), objects())
    after[0]["address"]["body"] |= {"etag": "2"}
    after[0]["address"]["body"]["properties"]["provisioningState"] = "Updating"
    service, deployment = after[1]
    service["metadata"] |= {"resourceVersion": "8"}
    service["status"] = {"loadBalancer": {"ingress": []}}
    deployment["spec"]["replicas"] = 5
    assert state_changes(ipv4_state(*before), ipv4_state(*after)) == []


CHANGES = {
    "a frontend's address": ("load balancer.frontendIPConfigurations.a4.publicIPAddress.id", "pip-a4", "pip-other"),
    "a rule's port": ("load balancer.loadBalancingRules.a4-TCP-80.frontendPort", 80, 81),
    "a probe's port": ("load balancer.probes.a4-probe.port", 30001, 30009),
    "the address": ("address.ipAddress", "203.0.113.10", "203.0.113.11"),
    "a tag of the address": ("address.tags.a", "b", "c"),
    "the record's TTL": ("record public_a.TTL", 300, 30),
    "a label": ("Service entrance-ipv4.labels.x", "y", "z"),
    "a port of the Service": ("Service entrance-ipv4.spec.ports[http].port", 80, 8080),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_counts(case: str) -> None:
    name, before, after = CHANGES[case]
    state = ipv4_state(resources(), objects())
    assert state[name] == before
    assert state_changes(state, state | {name: after}) == [f"{name} was {before!r} and is {after!r}"]


def test_what_goes_and_what_comes() -> None:
    before = resources()
    after = copy.deepcopy(before)
    probes = after["load_balancer"]["body"]["properties"]["probes"]
    probes[0]["name"] = "other"
    changes = state_changes(ipv4_state(before, []), ipv4_state(after, []))
    assert changes == ["load balancer.probes.a4-probe.port was removed; it was 30001", "load balancer.probes.other.port is new: 30001"]


def test_nothing_there() -> None:
    assert ipv4_state({"load_balancer": {"body": {}, "exists": False}}, []) == {}
