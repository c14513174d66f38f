"""Clusters that others made: what assess.yml says of them, and the inventory that makes them stamps."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.arm.journal import is_write
from lab.arm.options import READER
from tests.harness import AZURE_TAGS, OURS, WITHOUT_ZONES, Lab, Run, until
from tests.theirs import CLUSTER_ADMIN, NETWORK_CONTRIBUTOR

_POOL: dict[str, Any] = {"name": "system", "mode": "System", "count": 3, "vmSize": "Standard_D4ds_v5"}
_WINDOWS = {"name": "win", "mode": "User", "count": 1, "vmSize": "Standard_D4ds_v5", "osType": "Windows"}
_OVERLAY = {"networkPlugin": "azure", "networkPluginMode": "overlay", "podCidrs": ["10.244.0.0/16"]}
_CLUSTER_USER = "4abbcc35-e782-43d8-92c5-2d3f1bd2253f"
_CLUSTER_READER = "7f6c6a51-bcf8-42ba-9220-52d62157d7db"
_BOTH = {
    "ipFamilies": ["IPv4", "IPv6"],
    "podCidrs": ["10.244.0.0/16", "fd77:0:0:100::/64"],
    "serviceCidrs": ["10.0.0.0/16", "fd77:0:0:200::/108"],
}

#: network profile, pools -> the exit code, and the steps or the rules that forbid them
CLUSTERS: dict[str, tuple[dict[str, Any], list[dict[str, Any]], int, list[str]]] = {
    "overlay": (_OVERLAY, [_POOL], 0, ["dual_stack"]),
    "overlay-calico": ({**_OVERLAY, "networkPolicy": "calico"}, [_POOL], 0, ["cilium", "dual_stack"]),
    "subnet-npm": ({"networkPlugin": "azure", "networkPolicy": "azure"}, [_POOL], 0, ["cilium", "overlay", "dual_stack"]),
    "kubenet": ({"networkPlugin": "kubenet"}, [_POOL], 2, ["upgrade_identity"]),
    "windows": ({**_OVERLAY, "networkPolicy": "calico"}, [_POOL, _WINDOWS], 2, ["upgrade_windows_cilium"]),
}


def _network(lab: Lab, *prefixes: str) -> str:
    """A virtual network of others with a subnet ``aks``; ``prefixes`` are those of the network and of the subnet in IPv6."""
    space, subnet = [["10.77.0.0/16", *prefixes[:1]], ["10.77.4.0/22", *prefixes[1:]]]
    group = f"{lab.subscription}/resourceGroups/rg-theirs"
    lab.put(group, "2025-04-01", {"location": "westeurope"})
    network = f"{group}/providers/Microsoft.Network/virtualNetworks/theirs"
    subnets = [{"name": "aks", "properties": {"addressPrefixes": subnet}}]
    body = {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": space}, "subnets": subnets}}
    lab.put(network, "2025-05-01", body)
    return network


def _cluster(
    lab: Lab, name: str, profile: dict[str, Any], pools: list[dict[str, Any]], network: str = "", identity: str = "", **properties: Any
) -> str:
    """A cluster that another client made, as the system's identity or as ``identity``; its id."""
    identifier = f"{lab.subscription}/resourceGroups/rg-theirs/providers/Microsoft.ContainerService/managedClusters/{name}"
    subnet = {"vnetSubnetID": f"{network}/subnets/aks"} if network else {}
    own = {"dnsPrefix": name, "agentPoolProfiles": [pool | subnet for pool in pools], "networkProfile": profile, **properties}
    runs_as = {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}} if identity else {"type": "SystemAssigned"}
    lab.put(identifier, "2026-05-01", {"location": "westeurope", "identity": runs_as, "properties": own})
    return identifier


def _assess(lab: Lab, identifier: str, folder: Path, *arguments: str, principal: str = "client") -> tuple[Run, dict[str, Any]]:
    """A run, and the report that it wrote."""
    words = ("-e", f"cluster_id={identifier}", "-e", f"assess_report_dir={folder}", *arguments)
    run = lab.run("ansible-playbook", "dualstack.aks.assess", *words, principal=principal)
    assert (folder / "assessment.json").exists(), run.output
    report: dict[str, Any] = json.loads((folder / "assessment.json").read_text())
    return run, report


def _site(stamps: Path) -> tuple[str, ...]:
    """What ``ansible-playbook`` needs for the stamp whose inventory assess.yml wrote."""
    return "-i", str(stamps / "westeurope.yml"), "dualstack.aks.site"


def test_starting_points(arm: Lab, tmp_path: Path) -> None:
    network = _network(arm)
    for name, (profile, pools, code, expected) in CLUSTERS.items():
        identifier = _cluster(arm, name, profile, pools, network)
        run, report = _assess(arm, identifier, tmp_path / name)
        assert run.code == code, run.output
        found = [violation["rule"] for violation in report["refusals"]] or [step["kind"] for step in report["steps"]]
        assert found == expected, name
        assert report["verdict"] in " ".join(run.output.split())
        # No Entra ID: its objects are not asked for.
        assert [text for text in report["unseen"] if "everything in the cluster" in text], report["unseen"]
    assert arm.our_writes() == []


def test_what_may_not_be_read_is_named(arm: Lab, tmp_path: Path) -> None:
    """With Reader on the subscription everything in Azure is seen; with Reader on a resource group, what is in it."""
    identifier = _cluster(arm, "overlay", _OVERLAY, [_POOL], _network(arm))
    reader, group = arm.state.load().azure.reader_object, identifier.partition("/providers/")[0]
    _run, known = _assess(arm, identifier, tmp_path / "owner")
    run, report = _assess(arm, identifier, tmp_path / "reader", principal="reader")
    assert run.code == 0 and report == known
    for found in arm.get(f"{arm.subscription}/providers/Microsoft.Authorization/roleAssignments", "2022-04-01")["value"]:
        if found["properties"]["principalId"] == reader:
            assert arm.call("DELETE", found["id"], "2022-04-01").status_code == 200
    run = arm.run("ansible-playbook", "dualstack.aks.assess", "-e", f"cluster_id={identifier}", principal="reader")
    assert run.code == 2 and "lacks Microsoft.ContainerService/managedClusters/read on" in " ".join(run.output.split()), run.output
    arm.assign_role(group, READER, reader)
    run, report = _assess(arm, identifier, tmp_path / "group", principal="reader")
    assert run.code == 0 and [step["kind"] for step in report["steps"]] == ["dual_stack"], run.output
    assert [text.partition(" (")[0].removeprefix("could not be seen: ") for text in report["unseen"][:-1]] == [
        "quotas of the region",
        "VM sizes of the region",
        "locks of the subscription",
        "public addresses of the node resource group",
    ]
    assert f"lacks Microsoft.Compute/skus/read on {arm.subscription}; the role Reader allows it." in report["unseen"][1]
    assert arm.our_writes() == []


def test_check_mode_of_a_reader(arm: Lab) -> None:
    """It ends like that of who makes the run, and the run itself names the role that is missing."""
    identifier = _cluster(arm, "overlay", _OVERLAY, [_POOL], _network(arm, "fd77::/56"))
    upgrade = ("dualstack.aks.upgrade_dual_stack", "-e", f"cluster_id={identifier}", "-e", "upgrade_acknowledge=dual_stack", "--diff")
    site = ("-i", str(arm.inventories / "westeurope.yml"), "dualstack.aks.site", "--tags", AZURE_TAGS, *WITHOUT_ZONES, "--diff")
    for words in (upgrade, site):
        owner, reader = (arm.run("ansible-playbook", *words, "--check", principal=principal) for principal in ("client", "reader"))
        assert reader.code == owner.code == 0, reader.output
        # Who makes the run gives itself a role on the cluster that it makes.
        own = [path for path in _changes(owner) if re.search("/managedClusters/[^/]+/providers/Microsoft.Authorization/roleAssignments/", path)]
        assert len(own) == (words is site) and sorted([*_changes(reader), *own]) == sorted(_changes(owner)) != []
    assert arm.our_writes() == []
    for words, role in ((upgrade, "Network Contributor"), (site, "Contributor")):
        run = arm.run("ansible-playbook", *words, principal="reader")
        assert run.code == 2 and f"; the role {role} allows it" in " ".join(run.output.split()), run.output
    assert {entry["status"] for entry in arm.entries() if entry["client"].startswith(OURS) and is_write(entry)} == {403}


def _changes(run: Run) -> list[str]:
    """What check mode would write."""
    return [line.partition(": ")[2].strip() for line in run.output.splitlines() if re.match(r"\+\+\+ after: /subscriptions", line)]


def test_a_cluster_that_is_not_there(arm: Lab) -> None:
    identifier = f"{arm.subscription}/resourceGroups/rg-theirs/providers/Microsoft.ContainerService/managedClusters/nobody"
    run = arm.run("ansible-playbook", "dualstack.aks.assess", "-e", f"cluster_id={identifier}")
    assert run.code == 2 and "does not exist. Check cluster_id" in " ".join(run.output.split())


def test_the_stamp_of_an_ipv4_only_cluster_waits_for_its_upgrade(arm: Lab, tmp_path: Path) -> None:
    """What site.yml refuses beside the Entra ID that this cluster lacks is what the upgrade brings."""
    identifier = _cluster(arm, "overlay", _OVERLAY, [_POOL], _network(arm))
    check = arm.run("ansible-playbook", "dualstack.aks.assess", "-e", f"cluster_id={identifier}", "-e", f"assess_inventory_dir={tmp_path}", "--check")
    assert check.code == 0, check.output
    assert list(tmp_path.iterdir()) == []
    run, _report = _assess(arm, identifier, tmp_path / "reports", "-e", f"assess_inventory_dir={tmp_path / 'stamps'}")
    assert run.code == 0, run.output
    check = arm.run("ansible-playbook", *_site(tmp_path / "stamps"), "--check")
    assert check.code == 2
    refused = set(re.findall(r"\[(\w+)\]\. Remedy", check.output))
    assert refused == {"ipv4_only_cluster", "existing_cluster_entra", "moved_subnet"}, check.output
    assert arm.our_writes() == []


@pytest.fixture(scope="module")
def shop() -> Iterator[Lab]:
    """A dual-stack cluster of others, with HAProxy behind a load balancer of its own."""
    with Lab() as lab:
        network = _network(lab, "fd77::/56", "fd77:0:0:5::/64")
        pool = _POOL | {"availabilityZones": ["1", "2", "3"]}
        entra = {"managed": True, "enableAzureRBAC": True}
        identity = f"{network.partition('/providers/')[0]}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/shop"
        made = lab.put(identity, "2024-11-30", {"location": "westeurope"})
        lab.assign_role(network, NETWORK_CONTRIBUTOR, made["properties"]["principalId"])
        cluster = _cluster(lab, "shop", {**_OVERLAY, **_BOTH}, [pool], network, identity, kubernetesVersion="1.36", aadProfile=entra)
        lab.assign_role(cluster, CLUSTER_ADMIN, lab.state.load().azure.client_object)
        until(lambda: bool(lab.state.kubeconfigs()))
        lab.kubectl_text("apply", "-f", "-", cluster="shop", given=_OBJECTS)
        until(lambda: bool(_address(lab)), lab.evidence)
        yield lab


_OBJECTS = """
apiVersion: v1
kind: Namespace
metadata: {name: edge}
---
apiVersion: v1
kind: Service
metadata: {name: haproxy, namespace: edge, labels: {app.kubernetes.io/name: haproxy-ingress}}
spec:
  type: LoadBalancer
  ipFamilyPolicy: SingleStack
  ipFamilies: [IPv4]
  selector: {app: haproxy}
  ports: [{name: http, port: 80}, {name: https, port: 443}]
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: edge}
spec: {ipFamilyPolicy: PreferDualStack, selector: {app: shop}, ports: [{port: 8080}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: haproxy, namespace: edge}
spec: {maxUnavailable: 0, selector: {matchLabels: {app: haproxy}}}
"""


def _address(lab: Lab) -> str:
    found = lab.kubectl("get", "service", "haproxy", "--namespace", "edge", cluster="shop")
    return "".join(item.get("ip", "") for item in found["status"]["loadBalancer"].get("ingress") or [])


def _shop_id(lab: Lab) -> str:
    return f"{lab.subscription}/resourceGroups/rg-theirs/providers/Microsoft.ContainerService/managedClusters/shop"


@dataclass
class Assessed:
    """The result of assess.yml, and the folders of its report and of the inventory that it wrote."""

    run: Run
    report: dict[str, Any]
    reports: Path
    stamps: Path


@pytest.fixture(scope="module")
def assessed(shop: Lab, tmp_path_factory: pytest.TempPathFactory) -> Assessed:
    folder = tmp_path_factory.mktemp("assessed")
    run, report = _assess(shop, _shop_id(shop), folder / "reports", "-e", f"assess_inventory_dir={folder / 'stamps'}")
    assert run.code == 0, run.output
    return Assessed(run, report, folder / "reports", folder / "stamps")


def test_what_is_in_a_cluster(shop: Lab, assessed: Assessed) -> None:
    run, report = assessed.run, assessed.report
    found = {label: text for section in report["sections"] for label, text in section["rows"]}
    assert found["load balancer edge/haproxy"] == f"{_address(shop)}, SingleStack"
    assert (found["ingress edge/haproxy"], found["disruption budgets"]) == ("HAProxy", "1")
    assert report["unseen"] == [] and report["is_dual_stack"]
    assert "shop has both families already." in run.output
    for name in ("assessment.html", "assessment.md"):
        assert "edge/haproxy" in (assessed.reports / name).read_text()
    assert shop.our_writes() == []


def test_its_stamp_adds_ipv6_and_nothing_else(shop: Lab, assessed: Assessed) -> None:
    register = yaml.safe_load((assessed.stamps / "group_vars" / "regions" / "addresses.yml").read_text())["dualstack_register"]
    assert register["stamps"]["westeurope"]["pods"] == {"ipv4": "10.244.0.0/16", "ipv6": "fd77:0:0:100::/64"}
    check = shop.run("ansible-playbook", *_site(assessed.stamps), "--check", "--diff")
    assert check.code == 0, check.output
    made = set(_changes(check))
    group = f"{shop.subscription}/resourceGroups/rg-aks-westeurope"
    [right] = [identifier for identifier in made if identifier.startswith(f"{group}/providers/Microsoft.Authorization/roleAssignments/")]
    assert made == {group, right, f"{group}/providers/Microsoft.Network/publicIPAddresses/pip-aks-westeurope-ipv6"}
    assert "would create Deployment entrance-ipv6" in check.output and "entrance-ipv4" not in check.output
    assert shop.our_writes() == []


def _let_read(lab: Lab, *roles: str) -> None:
    """Give the reader roles on the cluster, and wait until its API server knows them."""
    *_, last = [lab.assign_role(_shop_id(lab), role, lab.state.load().azure.reader_object) for role in roles]
    until(lambda: f"azure-{last}" in lab.kubectl_text("get", "clusterrolebindings", cluster="shop"))


_GATEWAYS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: gateways.gateway.networking.k8s.io
  annotations: {api-approved.kubernetes.io: https://github.com/kubernetes-sigs/gateway-api}
spec:
  group: gateway.networking.k8s.io
  names: {kind: Gateway, plural: gateways}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""


def test_what_a_reader_sees(shop: Lab, assessed: Assessed, tmp_path: Path) -> None:
    """Reader shows what is in Azure, a role for the address of the API server and one for its objects the rest; each that is missing is named."""
    shop_id = _shop_id(shop)
    since = len(shop.entries())

    def unseen(name: str, *words: str) -> list[str]:
        run, report = _assess(shop, shop_id, tmp_path / name, *words, principal="reader")
        assert run.code == 0, run.output
        return [text.removeprefix("could not be seen: ") for text in report["unseen"]]

    [without] = unseen("azure", "-e", f"assess_inventory_dir={tmp_path / 'stamps'}")
    assert without.startswith("everything in the cluster (AuthorizationFailed: the principal ")
    assert without.endswith("; the role Azure Kubernetes Service Cluster User Role allows it)")
    # Without a cluster that may be read, check mode stops before the first task, or leaves the entrances out.
    site = (*_site(tmp_path / "stamps"), "--check", "--diff")
    check = shop.run("ansible-playbook", *site, principal="reader")
    assert check.code == 2 and list(check.failures) == ["westeurope"] and _changes(check) == []
    assert "[cluster_access]. Remedy: grant the credentials Azure Kubernetes Service Cluster User Role and" in " ".join(check.output.split())
    check = shop.run("ansible-playbook", *site, "--tags", "network,aks,registry,keyvault", principal="reader")
    assert check.code == 0 and _changes(check) != [], check.output

    shop.assign_role(shop_id, _CLUSTER_USER, shop.state.load().azure.reader_object)
    assert unseen("address") == [
        "everything in the cluster (the credentials may not list services; the role Azure Kubernetes Service RBAC Reader on the cluster allows it)"
    ]
    check = shop.run("ansible-playbook", *site, principal="reader")
    assert check.code == 2 and "the credentials may not list" in " ".join(check.output.split()) and "[cluster_access]" in check.output, check.output

    _let_read(shop, _CLUSTER_READER)
    _run, report = _assess(shop, shop_id, tmp_path / "reader", principal="reader")
    assert report == assessed.report and report["unseen"] == []
    owner, reader = (shop.run("ansible-playbook", *site, principal=principal) for principal in ("client", "reader"))
    assert reader.code == owner.code == 0, reader.output
    assert sorted(_changes(reader)) == sorted(_changes(owner)) and "would create Deployment entrance-ipv6" in reader.output

    shop.kubectl_text("apply", "-f", "-", cluster="shop", given=_GATEWAYS)
    role = "the role Azure Kubernetes Service RBAC Admin on the cluster allows it"
    named = [f"{kind} (the credentials may not list {kind.lower()}s; {role})" for kind in ("Gateway", "HTTPRoute")]
    until(lambda: unseen("gateways") == named)
    shop.kubectl_text("delete", "crd", "gateways.gateway.networking.k8s.io", cluster="shop")
    assert shop.our_writes(since) == []


def test_a_reader_checks_a_stamp_that_runs(shop: Lab, assessed: Assessed) -> None:
    """Whatever needs no dry run is compared, and a role that others gave to themselves is no change."""
    site = (*_site(assessed.stamps), "-e", "ingress_await_rollout=false")
    run = shop.run("ansible-playbook", *site)
    assert run.code == 0, run.output
    _let_read(shop, _CLUSTER_USER, _CLUSTER_READER)
    since = len(shop.entries())
    for principal in ("client", "reader"):
        check = shop.run("ansible-playbook", *site, "--check", principal=principal)
        assert (check.code, check.changed) == (0, 0), check.output
        assert ("dualstack-ingress are not compared" in " ".join(check.output.split())) == (principal == "reader")
    assert shop.our_writes(since) == []
