"""What a run learns of the entrances before it touches them, and what it refuses then."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.dualstack.aks.plugins.action import entrances_info
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.aks import ClusterNotReady

GROUP = "/subscriptions/s/resourceGroups/rg/providers"
CLUSTER = f"{GROUP}/Microsoft.ContainerService/managedClusters/aks"
ADDRESSES = {family: f"{GROUP}/Microsoft.Network/publicIPAddresses/PIP-{family}" for family in ("ipv4", "ipv6")}
ROUTE = {"service": "shop", "namespace": "apps", "port": 80}
ARGUMENTS: dict[str, Any] = {
    "cluster_id": CLUSTER,
    "timeout": 1.0,
    "required": True,
    "ipv4_address_id": ADDRESSES["ipv4"],
    "ipv6_address_id": ADDRESSES["ipv6"],
    "namespace": "ours",
    "declaration": {"mode": "nat64", "upstream": "services", "routes": [ROUTE], "families": ["IPv6", "IPv4"]},
    "service_tags_id": f"{GROUP}/Microsoft.Network/locations/westeurope/serviceTags",
    "upstream_namespaces": ["apps"],
    "ipv6": "enabled",
    "consent": False,
    "switch": False,
}
HOSTS = {
    "dual": {},
    "four": {"probe_families": ["ipv4"]},
    "text": {"probe_families": "IPv6", "probe_private": "false"},
    "neither": {"probe_private": "perhaps"},
}


def service(namespace: str, name: str, address: str = "10.0.0.20", **labels: str) -> dict[str, Any]:
    family = "IPv6" if ":" in address else "IPv4"
    specification = {"clusterIP": address, "clusterIPs": [address], "ipFamilies": [family], "ipFamilyPolicy": "SingleStack", "ports": [{"port": 80}]}
    ours = {"app.kubernetes.io/managed-by": "dualstack.aks"} if namespace == "ours" else {}
    metadata = {"namespace": namespace, "name": name, "labels": ours | labels, "uid": "1"}
    return {"kind": "Service", "metadata": metadata, "spec": specification, "status": {}}


SHOP = service("apps", "shop")
THEIRS = service("ours", "entrance-ipv4", **{"app.kubernetes.io/managed-by": "Helm"})
BOTH = [SHOP, service("ours", "entrance-ipv4"), service("ours", "entrance-ipv6", "fd00::20")]


def result(
    monkeypatch: pytest.MonkeyPatch,
    found: list[dict[str, Any]] | ClusterNotReady | None,
    *,
    check: bool = False,
    may_write: bool = True,
    hosts: tuple[str, ...] = ("four", "dual"),
    tags: dict[str, str] | None = None,
    **arguments: Any,
) -> dict[str, Any]:
    """What the task returns, given the cluster's Services; None for a cluster that does not exist yet."""

    def ready(*_arguments: Any, expected: bool) -> dict[str, Any] | None:
        if isinstance(found, ClusterNotReady):
            raise found
        if found is None and expected:
            raise ClusterNotReady(f"{CLUSTER} does not exist. Run the role aks first.")
        return None if found is None else {"id": CLUSTER, "properties": {"networkProfile": {"ipFamilies": ["IPv4", "IPv6"]}}}

    def read_all(_client: Any, reads: Any) -> dict[str, Any]:
        bodies = {
            family: {"name": f"pip-{family}", "tags": tags, "properties": {"ipAddress": address}}
            for family, address in (("ipv4", "203.0.113.10"), ("ipv6", "2001:db8:f::10"))
        }
        front = {"values": [{"name": "AzureFrontDoor.Backend", "properties": {"addressPrefixes": ["203.0.113.0/24"]}}]}
        return {name: {"id": read.id, "exists": True, "body": {**bodies, "tags": front}[name], "error": {}} for name, read in reads.items()}

    services = found if isinstance(found, list) else []
    ours = [item for item in services if item["metadata"]["namespace"] == "ours"]
    monkeypatch.setattr(entrances_info, "ready_cluster", ready)
    monkeypatch.setattr(entrances_info, "kubeconfig", lambda *_: {"users": ["a-token"]})
    monkeypatch.setattr(entrances_info, "_read", lambda *_: (services, ours, bool(ours)))
    monkeypatch.setattr(entrances_info, "_may_write", lambda *_: may_write)
    monkeypatch.setattr(entrances_info, "read_all", read_all)
    action = object.__new__(entrances_info.ActionModule)
    action._task = SimpleNamespace(check_mode=check)
    client: Any = SimpleNamespace(login=SimpleNamespace(tenant="a-tenant"))
    variables = {"inventory_hostname": "westeurope", "groups": {"probes": list(hosts)}, "hostvars": HOSTS}
    given: dict[str, Any] = action.answer(client, {**ARGUMENTS, **arguments}, variables)
    return given


def test_a_stamp_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = result(monkeypatch, BOTH)
    assert found["_ansible_no_log"] is True
    assert (found["exists"], found["problem"], found["namespace_exists"], found["violations"]) == (True, "", True, [])
    # As Azure spells the name, not as the id does.
    assert found["addresses"]["ipv6"] == {"exists": True, "name": "pip-ipv6", "address": "2001:db8:f::10", "hold": ""}
    assert (found["state"]["actual"], found["state"]["action"]) == ("enabled", "converge")
    assert [(probe["key"], probe["probe"], probe["address"]) for probe in found["probes"]] == [
        ("ipv6", "dual", "2001:db8:f::10"),
        ("ipv4", "four", "203.0.113.10"),
    ]
    assert found["services"][0] == {"metadata": {"namespace": "apps", "name": "shop"}, "spec": SHOP["spec"]}


@pytest.mark.parametrize(("hosts", "asked"), [(("four",), {"ipv4": "four"}), (("text", "four"), {"ipv6": "text", "ipv4": "four"})])
def test_probe_hosts_of_an_ini_inventory(monkeypatch: pytest.MonkeyPatch, hosts: tuple[str, ...], asked: dict[str, str]) -> None:
    found = result(monkeypatch, BOTH, hosts=hosts)
    assert {probe["key"]: probe["probe"] for probe in found["probes"]} == asked
    assert {probe["view"] for probe in found["resolvers"]} == {"public"}


def test_a_cluster_that_check_mode_has_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    found = result(monkeypatch, None, check=True)
    assert (found["exists"], found["problem"], found["services"]) == (False, "", None)
    assert found["state"]["first_build"] is True and found["state"]["action"] == "converge"


@pytest.mark.parametrize(
    ("found", "check", "may_write", "expected"),
    # Only who dries runs is asked, and only where there is something.
    [(BOTH, True, True, True), (BOTH, True, False, False), (BOTH, False, False, True), ([SHOP], True, False, True), (None, True, False, True)],
)
def test_who_may_write(monkeypatch: pytest.MonkeyPatch, found: Any, check: bool, may_write: bool, expected: bool) -> None:
    assert result(monkeypatch, found, check=check, may_write=may_write)["may_write"] is expected


#: Services or what is wrong with the cluster, what else is given -> what is refused
REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    (None, {}, "does not exist. Run the role aks first"),
    (ClusterNotReady("it failed"), {}, "it failed"),
    (BOTH[1:], {}, "Service apps/shop: it does not exist"),
    ([SHOP, service("ours", "entrance-ipv6")], {}, "Service ours/entrance-ipv6"),
    ([SHOP, THEIRS], {}, "[object_not_ours]"),
    # A switch is refused by rules, in check mode as well.
    (None, {"switch": True, "required": False}, "[toggle_cluster]"),
    (None, {"switch": True, "required": False, "check": True}, "[toggle_cluster]"),
    (BOTH, {"switch": True, "required": False, "ipv6": "on"}, "[toggle_wish]"),
    (BOTH, {"switch": True, "required": False, "hosts": ("four",)}, "[toggle_probe]"),
    (BOTH, {"hosts": ("neither",)}, "probe_private: 'perhaps' is not true or false"),
    # So is one that site.yml begins by consent.
    (BOTH[:2], {"consent": True, "hosts": ("four",)}, "[toggle_probe]"),
]


@pytest.mark.parametrize(("found", "given", "words"), REFUSED)
def test_refused(monkeypatch: pytest.MonkeyPatch, found: Any, given: dict[str, Any], words: str) -> None:
    with pytest.raises(AnsibleActionFail) as caught:
        result(monkeypatch, found, **given)
    assert words in str(caught.value)


def test_everything_that_a_switch_lacks_is_reported_together(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AnsibleActionFail) as caught:
        result(monkeypatch, BOTH[1:], switch=True, required=False, hosts=())
    assert [word for word in ("[toggle_probe]", "[service_missing]") if word not in str(caught.value)] == []


@pytest.mark.parametrize(("found", "problem", "violations"), [(ClusterNotReady("it failed"), "it failed", 0), (BOTH[1:], "", 1)])
def test_what_verification_goes_on_with(monkeypatch: pytest.MonkeyPatch, found: Any, problem: str, violations: int) -> None:
    given = result(monkeypatch, found, required=False)
    assert (given["problem"], len(given["violations"])) == (problem, violations)


def test_verification_does_not_ask_for_what_a_switch_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert result(monkeypatch, BOTH[:2], required=False, consent=True, hosts=("four",))["violations"] == []


def test_a_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    found = result(monkeypatch, BOTH[:2], tags={"dualstack-hold": "disabled since 2026-11-24T11:00:00Z: ticket 4711"}, consent=True)
    assert found["state"]["action"] == "leave" and "ticket 4711" in found["state"]["message"]


def trusting(*proxies: str, header: str = "X-Forwarded-For") -> dict[str, Any]:
    return {"declaration": {**ARGUMENTS["declaration"], "trusted_proxies": list(proxies), "real_ip_header": header}}


def test_service_tags_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    found = result(monkeypatch, BOTH, **trusting("AzureFrontDoor.Backend", header="proxy_protocol"))
    assert found["service_tags"] == {"AzureFrontDoor.Backend": ["203.0.113.0/24"]}
    asked = {probe["key"]: [listener["proxy_protocol"] for listener in probe["listeners"]] for probe in found["probes"]}
    assert asked == {"ipv4": [True], "ipv6": [False]}


def test_a_service_tag_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AnsibleActionFail, match="no service tag AzureFrontdoor has prefixes"):
        result(monkeypatch, BOTH, **trusting("AzureFrontdoor"))
    told = result(monkeypatch, BOTH, required=False, **trusting("AzureFrontdoor"))["violations"]
    assert ["no service tag" in violation for violation in told] == [True]
