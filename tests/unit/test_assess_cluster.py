"""What the action reads, what it may not read, and which files it writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleActionFail

from ansible_collections.dualstack.aks.plugins.action import assess_cluster
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.aks import NoAccess
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.cluster import KubernetesFailure
from ansible_collections.dualstack.aks.plugins.plugin_utils._running_cluster import subscription_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade import reading
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.reads import OBJECTS
from tests.unit.upgrade_samples import CLUSTER_ID, SKUS, SUBSCRIPTION, VNET_ID, body, usages, vnet

ARGUMENTS: dict[str, Any] = {
    "cluster_id": CLUSTER_ID,
    "network_policies": "keep",
    "stamp": "",
    "organisation": "",
    "ipv6_prefix": "",
    "report_dir": None,
    "inventory_dir": None,
}
FORBIDDEN = {"code": "AuthorizationFailed", "message": "no", "status": 403}
HAPROXY = {
    "metadata": {"name": "haproxy", "namespace": "edge", "labels": {"app": "haproxy"}},
    "spec": {"type": "LoadBalancer", "clusterIP": "10.0.0.9", "ports": [{"port": 80}, {"port": 443}]},
}


def azure(monkeypatch: pytest.MonkeyPatch, cluster: Mapping[str, Any] | None, **answers: Any) -> None:
    """An Azure that answers this to reads by their names: bodies, or None for what may not be read."""
    known = {"cluster": cluster, "network": vnet(), "usages": usages(0, 100), "sizes": SKUS, "region": {}, "locks": {}, "addresses": {}, **answers}

    def read_all(_client: object, reads: Mapping[str, Any]) -> dict[str, Any]:
        found = {name: known[name.partition(" ")[0]] for name in reads}
        return {
            name: {"exists": found[name] is not None, "body": found[name] or {}, "error": {} if found[name] is not None else FORBIDDEN}
            for name in reads
        }

    monkeypatch.setattr(reading, "read_all", read_all)
    monkeypatch.setattr(reading, "kubeconfig", lambda _client, _cluster: {})


def kubernetes(
    monkeypatch: pytest.MonkeyPatch,
    objects: Mapping[str, list[Any]],
    failures: Mapping[str, KubernetesFailure] | None = None,
    absent: Sequence[str] = (),
) -> list[str]:
    """An API server with these objects, and without the API versions ``absent``; what kinds were asked for."""
    asked: list[str] = []

    class Server:
        def __init__(self, _kubeconfig: object) -> None: ...

        def __enter__(self) -> Server:
            return self

        def __exit__(self, *_exception: object) -> None: ...

        def objects(self, kind: str, _api_version: str, **_selection: str) -> list[Any]:
            asked.append(kind)
            if failure := (failures or {}).get(kind):
                raise failure
            return objects.get(kind) or []

        def serves(self, api_version: str) -> bool:
            return api_version not in absent

    monkeypatch.setattr(reading, "Cluster", Server)
    return asked


def assess(*, check: bool = False, **arguments: Any) -> dict[str, Any]:
    action = assess_cluster.ActionModule.__new__(assess_cluster.ActionModule)
    action._task = SimpleNamespace(check_mode=check)
    client: Any = SimpleNamespace()
    return action.answer(client, {**ARGUMENTS, **arguments}, {})


def test_everything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    azure(monkeypatch, body())
    asked = kubernetes(monkeypatch, {"Service": [HAPROXY]})
    found = assess()
    assert (found["changed"], found["has_chain"], found["written"]) == (False, True, [])
    assert asked == [*OBJECTS, "ConfigMap"]
    assert found["assessment"]["unseen"] == [] and found["assessment"]["ingresses"][0]["service"] == "haproxy"
    json.dumps(found)


def denied(resource: str) -> KubernetesFailure:
    """What an API server answers to who may not list."""
    return KubernetesFailure(403, f'{resource} is forbidden: User "reader" cannot list resource "{resource}" in API group "" at the cluster scope')


_ROLE = "the role Azure Kubernetes Service"
#: what may not be read -> what is named
UNSEEN: list[tuple[dict[str, Any], dict[str, KubernetesFailure], list[str]]] = [
    ({"usages": None}, {}, ["quotas of the region (AuthorizationFailed: no)"]),
    ({"network": None}, {}, [f"the virtual network {VNET_ID.lower()} (AuthorizationFailed: no)"]),
    ({}, {"Gateway": denied("gateways")}, [f"Gateway (the credentials may not list gateways; {_ROLE} RBAC Admin on the cluster allows it)"]),
    ({}, {"Gateway": KubernetesFailure(404, "page not found")}, []),
    ({}, {"Service": denied("services")}, [f"Service (the credentials may not list services; {_ROLE} RBAC Reader on the cluster allows it)"]),
    (
        {},
        {kind: denied("services") for kind in (*OBJECTS, "ConfigMap")},
        [f"everything in the cluster (the credentials may not list services; {_ROLE} RBAC Reader on the cluster allows it)"],
    ),
    ({}, {"NetworkPolicy": KubernetesFailure(0, "no route to host")}, ["everything in the cluster (no route to host)"]),
]


@pytest.mark.parametrize(("answers", "failures", "named"), UNSEEN)
def test_what_may_not_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any], failures: dict[str, KubernetesFailure], named: list[str]
) -> None:
    azure(monkeypatch, body(), **answers)
    kubernetes(monkeypatch, {"Service": [HAPROXY]}, failures)
    found = assess()
    assert found["assessment"]["unseen"] == [f"could not be seen: {text}" for text in named]
    # The chain follows from the cluster alone.
    assert found["has_chain"] and [step["kind"] for step in found["assessment"]["steps"]] == ["dual_stack"]


def test_kinds_that_nobody_has_installed_are_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An API server refuses the list before it looks whether there is such a kind."""
    azure(monkeypatch, body())
    kubernetes(monkeypatch, {}, {kind: denied(kind) for kind in ("Gateway", "HTTPRoute")}, absent=["gateway.networking.k8s.io/v1"])
    assert assess()["assessment"]["unseen"] == []


#: cluster -> why nothing in it is read
CLOSED: list[tuple[dict[str, Any], str]] = [
    (body(properties={"aadProfile": None}), "it does not use Entra ID"),
    (body(properties={"powerState": {"code": "Stopped"}}), "it is stopped"),
]


@pytest.mark.parametrize(("cluster", "reason"), CLOSED)
def test_a_cluster_that_is_not_asked(monkeypatch: pytest.MonkeyPatch, cluster: dict[str, Any], reason: str) -> None:
    azure(monkeypatch, cluster)
    asked = kubernetes(monkeypatch, {})
    [unseen] = assess()["assessment"]["unseen"]
    assert unseen.startswith("could not be seen: everything in the cluster") and reason in unseen and asked == []


def test_without_the_role_for_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_client: object, _cluster: object) -> None:
        raise NoAccess("AuthorizationFailed: no.")

    azure(monkeypatch, body())
    monkeypatch.setattr(reading, "kubeconfig", refuse)
    assert assess()["assessment"]["unseen"] == ["could not be seen: everything in the cluster (AuthorizationFailed: no)"]


@pytest.mark.parametrize("identifier", ["shop", "", f"{SUBSCRIPTION}/resourceGroups/rg", VNET_ID])
def test_what_is_no_cluster_is_refused(identifier: str) -> None:
    with pytest.raises(AnsibleActionFail, match="az aks show --query id"):
        subscription_of(identifier)


def test_a_cluster_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    azure(monkeypatch, None)
    with pytest.raises(
        AnsibleActionFail, match=r"cannot be read .AuthorizationFailed: no.. Check cluster_id, and that the credentials have the role Reader"
    ):
        assess()


def test_reports_and_an_inventory_are_written_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    azure(monkeypatch, body())
    kubernetes(monkeypatch, {"Service": [HAPROXY]})
    folders: dict[str, Any] = {"report_dir": str(tmp_path / "reports"), "inventory_dir": str(tmp_path / "inventories")}
    assert assess(check=True, **folders)["written"] == [str(tmp_path / "reports" / f"assessment.{kind}") for kind in ("json", "md", "html")]
    assert not (tmp_path / "inventories").exists()
    found = assess(**folders)
    stamp, register = tmp_path / "inventories" / "westeurope.yml", tmp_path / "inventories" / "group_vars" / "regions" / "addresses.yml"
    assert {str(stamp), str(register)} <= set(found["written"]) and found["changed"]
    assert yaml.safe_load(stamp.read_text())["regions"]["hosts"]["westeurope"]["aks_existing_id"] == CLUSTER_ID
    again = assess(**folders)
    assert not again["changed"] and set(again["written"]) <= {str(tmp_path / "reports" / "assessment.html")}
    # A second cluster of the region needs a name of its own; what the register has of the first one stays.
    before = yaml.safe_load(register.read_text())["dualstack_register"]["stamps"]["westeurope"]
    stamp.write_text(f"{stamp.read_text()}# mine\n")
    with pytest.raises(AnsibleActionFail, match="exists with other content, so it is not replaced"):
        assess(**folders)
    assess(**folders, stamp="shop")
    assert yaml.safe_load(register.read_text())["dualstack_register"]["stamps"].keys() == {"shop", "westeurope"}
    assert yaml.safe_load(register.read_text())["dualstack_register"]["stamps"]["westeurope"] == before


def test_a_cluster_that_can_be_no_stamp_is_assessed_all_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    azure(monkeypatch, body(), network=None)
    kubernetes(monkeypatch, {})
    with pytest.raises(
        AnsibleActionFail, match=r"(?s)shop becomes dual-stack.*No inventory is written. The virtual network of shop could not be seen"
    ):
        assess(inventory_dir=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_register_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    azure(monkeypatch, body())
    kubernetes(monkeypatch, {})
    register = tmp_path / "group_vars" / "regions" / "addresses.yml"
    register.parent.mkdir(parents=True)
    for text in ("[", "- a list"):
        register.write_text(text)
        with pytest.raises(AnsibleActionFail, match="cannot be read as a register"):
            assess(inventory_dir=str(tmp_path))
