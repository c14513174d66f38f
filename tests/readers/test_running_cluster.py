"""A cluster that az has made gets IPv6 under load, with real nodes: killed, blocked, continued, and then an entrance in front of its ingress."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients import IPV6_CLIENT, seen
from tests.harness import WITHOUT_ZONES, Lab, until
from tests.running import GROUP, NAME, NAMESPACE, POLICY, RunningCluster, addresses_of, deployment, register_in, versions

from .conftest import Az

OF = ("--resource-group", GROUP)
#: echoes what it gets
APPLICATION = {
    "image": "registry.example.org/lab/application:1",
    "args": ["serve"],
    "readinessProbe": {"httpGet": {"path": "/status/200", "port": 8080}, "periodSeconds": 1},
}
HAPROXY = {
    "image": "docker.io/library/haproxy:3.0",
    "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
    "volumeMounts": [{"name": "configuration", "mountPath": "/usr/local/etc/haproxy/haproxy.cfg", "subPath": "haproxy.cfg"}],
}
#: believes pods in what they say of clients
CONFIGURATION = """
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  retries 3
  option redispatch
  option http-server-close
frontend clients
  bind :8080
  http-request set-src req.hdr(x-forwarded-for) if { src 10.244.0.0/16 } { req.hdr(x-forwarded-for) -m found }
  http-request set-header X-Forwarded-For %[src]
  default_backend application
backend application
  server web web.apps.svc.cluster.local:8080
"""
OBJECTS = [
    NAMESPACE,
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "haproxy", "namespace": "apps"}, "data": {"haproxy.cfg": CONFIGURATION}},
    *deployment("web", APPLICATION),
    *deployment("haproxy", HAPROXY, [{"name": "configuration", "configMap": {"name": "haproxy"}}]),
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "apps"},
        "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 8080}]},
    },
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "haproxy", "namespace": "apps", "labels": {"app.kubernetes.io/name": "haproxy-ingress"}},
        "spec": {"type": "LoadBalancer", "selector": {"app": "haproxy"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
    },
    POLICY,
]
#: no pod of the application may go; one may
STRICT, MILD = '{"spec": {"minAvailable": 2}}', '{"spec": {"minAvailable": 1}}'
#: a drain waits 24 s for a pod
SETTINGS = json.dumps({"upgrade_acknowledge": ["dual_stack"], "upgrade_pool_settings": {"all": {"maxSurge": "1", "drainTimeoutInMinutes": 20}}})
#: connections that stay open, and resolvers, are not waited for long
SOON = ("-e", "ingress_drain_deadline=5", "-e", "ingress_drain_seconds=10", "-e", "dns_ttl=3", "-e", "dns_change_ttl=2")


def make(cluster: RunningCluster[Lab], az: Az) -> None:
    """As one does by hand: two pools, one of them tainted, add-ons, Entra ID beside local accounts."""
    az("group", "create", "--name", GROUP, "--location", "westeurope")
    az("network", "nsg", "create", *OF, "--name", "theirs")
    for name, priority, source in (("pods", "200", "10.244.0.0/16"), ("clients", "300", "0.0.0.0/0")):
        rule = ("--name", name, "--priority", priority, "--source-address-prefixes", source, "--destination-port-ranges", "*")
        az("network", "nsg", "rule", "create", *OF, "--nsg-name", "theirs", "--protocol", "*", *rule)
    subnet = ("--subnet-name", "aks", "--subnet-prefixes", "10.77.4.0/22", "--network-security-group", "theirs")
    az("network", "vnet", "create", *OF, "--name", "theirs", "--address-prefixes", "10.77.0.0/16", *subnet)
    identity = az("identity", "create", *OF, "--name", NAME)
    az("role", "assignment", "create", "--assignee", identity["clientId"], "--role", "Network Contributor", "--scope", cluster.vnet)
    nodes = ("--node-vm-size", "Standard_D2s_v3", "--zones", "1", "2", "--vnet-subnet-id", f"{cluster.vnet}/subnets/aks")
    system = ("--nodepool-name", "system", "--node-count", "1", "--nodepool-taints", "CriticalAddonsOnly=true:NoSchedule")
    network = ("--network-plugin", "azure", "--network-plugin-mode", "overlay")
    access = ("--assign-identity", cluster.identity, "--enable-aad", "--enable-azure-rbac", "--no-ssh-key")
    addons = ("--enable-addons", "azure-keyvault-secrets-provider,azure-policy", "--tags", "team=shop")
    az("aks", "create", *OF, "--name", NAME, *network, *access, *addons, *nodes, *system, "--yes")
    apps = ("--name", "apps", "--node-count", "2", "--labels", "team=shop", "--tags", "cost=shop")
    az("aks", "nodepool", "add", *OF, "--cluster-name", NAME, *nodes, *apps)
    client = cluster.lab.state.load().azure.client_object
    role = ("--assignee-object-id", client, "--assignee-principal-type", "ServicePrincipal", "--role", "Azure Kubernetes Service RBAC Cluster Admin")
    az("role", "assignment", "create", *role, "--scope", cluster.id)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--watch", "--refuse-ipv6-ranges", packets=True) as lab:
        lab.await_turn()
        yield lab


@pytest.fixture(scope="module")
def foreign(lab: Lab, az: Az) -> RunningCluster[Lab]:
    found = RunningCluster(lab)
    make(found, az)
    found.apply(*OBJECTS)
    for name in ("web", "haproxy"):
        lab.rollout("apps", name)
    until(lambda: bool(address(found)), lab.evidence)
    lab.await_answers(address(found))
    return found


@pytest.fixture(scope="module")
def stamps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("upgrade") / "stamps"


def address(foreign: RunningCluster[Lab], service: str = "haproxy", namespace: str = "apps") -> str:
    status = foreign.lab.kubectl("-n", namespace, "get", "service", service)["status"]
    return "".join(item["ip"] for item in status["loadBalancer"].get("ingress") or [])


def budget(foreign: RunningCluster[Lab], patch: str) -> None:
    foreign.lab.kubectl_text("-n", "apps", "patch", "poddisruptionbudget", "web", "--patch", patch)


def test_the_cluster_becomes_dual_stack_under_load(foreign: RunningCluster[Lab], stamps: Path) -> None:
    lab = foreign.lab
    before, since = foreign.body(), len(lab.entries())
    assert before["properties"]["disableLocalAccounts"] is False
    ipv4 = {node["metadata"]["name"]: addresses_of(node) for node in foreign.nodes()}
    assert [versions(addresses) for addresses in ipv4.values()] == [[4]] * 3
    assessed = lab.run(*foreign.words("assess", stamps))
    assert assessed.code == 0, assessed.output
    assert lab.our_writes(since) == []
    proposed = register_in(stamps)["pods"]["ipv6"]

    # Killed while a node is being drained: what is known so far is written.
    process = lab.popen(*foreign.words("upgrade_dual_stack", stamps, "-e", SETTINGS))
    until(lambda: any(node["spec"].get("unschedulable") for node in foreign.nodes()), lab.evidence)
    lab.kill(process, str(stamps))
    budget(foreign, STRICT)
    chosen = foreign.body()["properties"]["networkProfile"]["podCidrs"][1]
    assert register_in(stamps)["pods"]["ipv6"] == chosen != proposed
    assert {"pods-ipv6", "clients-ipv6"} < foreign.rules().keys()
    assert [block["cidr"] for block in foreign.policy_blocks()] == ["10.244.0.0/16", "0.0.0.0/0", "::/0", chosen]
    assert twins_written(foreign) <= first_dual_stack_pod(foreign)

    # Blocked: stopped, and named.
    stopped = foreign.upgrade(stamps, "-e", SETTINGS)
    assert stopped.code == 2, stopped.output
    said = " ".join(stopped.failures["localhost"].split())
    assert "Drain node" in said and re.search(r"Now kept: pod apps/web-\S+ on \S+ by PodDisruptionBudget apps/web", said), said
    assert "is kept by PodDisruptionBudget apps/web" in stopped.output

    # Lifted: continued by the same command.
    budget(foreign, MILD)
    run = foreign.upgrade(stamps, "-e", SETTINGS)
    assert run.code == 0, run.output
    nodes = foreign.nodes()
    assert {node["metadata"]["name"] for node in nodes} == ipv4.keys()
    for node in nodes:
        assert versions(addresses_of(node)) == versions(node["spec"]["podCIDRs"]) == [4, 6]
        assert addresses_of(node)[:1] == ipv4[node["metadata"]["name"]]
    assert changed(before["properties"], foreign.body()["properties"]) == {
        "networkProfile.ipFamilies",
        "networkProfile.podCidrs",
        "networkProfile.serviceCidrs",
        "networkProfile.loadBalancerProfile.managedOutboundIPs.countIPv6",
        "networkProfile.loadBalancerProfile.effectiveOutboundIPs",
    }
    assert lab.watched(address(foreign), since) == []


def twins_written(foreign: RunningCluster[Lab]) -> str:
    """When the network policy was written for the last time, and the security group as well: the second before the later one ended."""
    policy = foreign.lab.kubectl("-n", "apps", "get", "networkpolicy", "web", "--show-managed-fields")
    times: list[str] = [str(field["time"]) for field in policy["metadata"]["managedFields"]]
    entries = foreign.lab.entries()
    groups = [entry["time"] for entry in entries if entry["method"] == "PUT" and entry["path"].lower() == foreign.group_id.lower()]
    moment = datetime.datetime.fromtimestamp(max(groups), datetime.UTC)
    return max(*times, moment.strftime("%Y-%m-%dT%H:%M:%SZ"))


def first_dual_stack_pod(foreign: RunningCluster[Lab]) -> str:
    """When the first pod with both addresses began."""
    pods = [pod for pod in foreign.lab.kubectl("get", "pods", "--all-namespaces")["items"] if not pod["spec"].get("hostNetwork")]
    began = [str(pod["status"]["startTime"]) for pod in pods if len(pod["status"].get("podIPs") or ()) == 2]
    return min(began, default="none yet")


def changed(before: Any, after: Any, path: str = "") -> set[str]:
    """Where two bodies differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = before.keys() | after.keys()
        return {found for name in names for found in changed(before.get(name), after.get(name), f"{path}.{name}".lstrip("."))}
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after) and all(isinstance(item, dict) for item in before):
        return {found for one, other in zip(before, after, strict=True) for found in changed(one, other, f"{path}[]")}
    # No tags, and tags that are gone, are the same.
    return set() if before == after or (not before and not after) or path.lower().endswith("etag") else {path}


def test_an_entrance_in_front_of_its_ingress(foreign: RunningCluster[Lab], stamps: Path) -> None:
    lab, since = foreign.lab, len(foreign.lab.entries())
    sources = ("-i", str(stamps / "westeurope.yml"), "-i", str(lab.probes))

    def play(playbook: str, *arguments: str) -> None:
        run = lab.run("ansible-playbook", *sources, f"dualstack.aks.{playbook}", *WITHOUT_ZONES, *SOON, *arguments)
        assert run.code == 0, run.output

    play("site", "--check")
    assert lab.our_writes(since) == []
    play("site")
    ipv6 = address(foreign, "entrance-ipv6", "dualstack-ingress")
    # HAProxy believes the entrance, and tells the application who asks.
    assert seen(lab, "ipv6-only", "ipv6")["headers"]["x-forwarded-for"] == [IPV6_CLIENT]
    play("toggle_ipv6", "-e", "dualstack_ipv6=disabled")
    assert not lab.curl("ipv6-only", f"http://[{ipv6}]/").output.startswith("200")
    play("toggle_ipv6", "-e", "dualstack_ipv6=enabled")
    assert lab.curl("ipv6-only", f"http://[{address(foreign, 'entrance-ipv6', 'dualstack-ingress')}]/").output.startswith("200")
    assert lab.watched(address(foreign), since) == []


def test_nodes_that_cannot_be_drained_are_left_in_quarantine(foreign: RunningCluster[Lab], az: Az) -> None:
    """As az shows it to whoever changes the data plane, beside IPv6 as elsewhere."""
    names = {node["metadata"]["name"] for node in foreign.nodes()}
    budget(foreign, STRICT)
    impatient = ("--drain-timeout", "1", "--max-surge", "2", "--undrainable-node-behavior", "Cordon")
    az("aks", "nodepool", "update", *OF, "--cluster-name", NAME, "--name", "apps", *impatient)
    said = az.complaint("aks", "update", *OF, "--name", NAME, "--network-dataplane", "cilium")
    assert "UpgradeFailed" in said and "blocked by pdb web" in said and "apps/web-" in said
    pools = az("aks", "nodepool", "list", *OF, "--cluster-name", NAME)
    assert {pool["name"]: pool["provisioningState"] for pool in pools} == {"apps": "Failed", "system": "Succeeded"}
    labels = {node["metadata"]["name"]: node["metadata"]["labels"].get("kubernetes.azure.com/upgrade-status") for node in foreign.nodes()}
    quarantined = {name for name, label in labels.items() if label == "Quarantined"}
    assert quarantined and quarantined < names
    assert len(labels.keys() - names) == len(quarantined)

    budget(foreign, MILD)
    az("aks", "nodepool", "update", *OF, "--cluster-name", NAME, "--name", "apps", "--drain-timeout", "60")
    az("aks", "update", *OF, "--name", NAME, "--network-dataplane", "cilium")
    nodes = foreign.nodes()
    assert {node["metadata"]["name"] for node in nodes} == names
    assert all(node["metadata"]["labels"].get("kubernetes.azure.com/ebpf-dataplane") == "cilium" for node in nodes)
