"""What clients see of a stamp whose nodes, proxies and load balancer carry real packets.

One lab for all; what breaks something comes last.
"""

from __future__ import annotations

import json
import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._report.parity import policy_blocks, policy_blocks_without_twin
from lab.packets import clients
from lab.supplies import binaries, debian, images
from tests import machine
from tests.harness import HANGING, Lab, Run, is_ready, outcomes, until
from tests.machine import Machine
from tests.rendering import Rendering

NAMESPACE = "dualstack-ingress"
PEER = "peer-of-vnet-example-westeurope"
#: curl's exit codes: no way there; no answer in time
UNREACHABLE, SILENCE = 7, 28
#: client -> the families that it has
CLIENTS = {client.name: client.families for client in clients.INTERNET_CLIENTS} | {PEER: ("ipv4", "ipv6")}
FAMILIES = ("ipv4", "ipv6")
PUBLIC, PRIVATE = "aks.example.org", "internal.example.org"


@dataclass
class Stamp:
    """A lab with packets and the machine as it was before it."""

    lab: Lab
    before: Machine
    #: family -> the public address of its entrance
    entrances: dict[str, str]

    def url(self, family: str, path: str = "/") -> str:
        address = self.entrances[family]
        return f"http://[{address}]{path}" if ":" in address else f"http://{address}{path}"

    def answers(self, family: str) -> bool:
        return self.lab.curl(f"{family}-only", self.url(family)).output.startswith("404")

    def ready_nodes(self, family: str) -> set[str]:
        """Where the pods of an entrance are ready."""
        pods = self.lab.kubectl("get", "pods", "--namespace", NAMESPACE)["items"]
        return {pod["spec"]["nodeName"] for pod in pods if pod["metadata"]["name"].startswith(f"entrance-{family}") and is_ready(pod)}

    @property
    def is_whole(self) -> bool:
        pods = self.lab.kubectl("get", "pods", "--namespace", NAMESPACE)["items"]
        return all(is_ready(pod) for pod in pods) and all(len(self.ready_nodes(family)) >= 2 for family in FAMILIES)


@pytest.fixture(scope="module")
def stamp(lab: Lab, untouched: Machine) -> Stamp:
    addresses = {family: lab.network(f"publicIPAddresses/pip-example-westeurope-{family}")["properties"]["ipAddress"] for family in FAMILIES}
    found = Stamp(lab, untouched, addresses)
    until(lambda: found.is_whole)
    until(lambda: all(found.answers(family) for family in FAMILIES))
    # Each name server reads its zones again by a clock of its own.
    kinds = {"A": addresses["ipv4"], "AAAA": addresses["ipv6"]}
    until(lambda: all(answer(found, client, f"www.westeurope.{PUBLIC}", kind)[1] == [kinds[kind]] for client in CLIENTS for kind in kinds), within=30)
    return found


# Who gets an answer


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("client", CLIENTS)
def test_each_client_gets_an_answer_in_its_own_families_only(stamp: Stamp, client: str, family: str) -> None:
    seen = stamp.lab.curl(client, stamp.url(family))
    if family in CLIENTS[client]:
        assert (seen.code, seen.output) == (0, f"404 {stamp.entrances[family]}")
    else:
        assert (seen.code, seen.output) == (UNREACHABLE, "000 ")


@pytest.mark.parametrize(
    ("client", "options", "family"),
    [
        ("ipv4-only", (), "ipv4"),
        ("ipv6-only", (), "ipv6"),
        ("dual-stack", ("-4",), "ipv4"),
        ("dual-stack", ("-6",), "ipv6"),
        (PEER, ("-4",), "ipv4"),
        (PEER, ("-6",), "ipv6"),
    ],
)
def test_each_client_gets_an_answer_by_name(stamp: Stamp, client: str, options: tuple[str, ...], family: str) -> None:
    seen = stamp.lab.curl(client, f"http://www.westeurope.{PUBLIC}/", *options)
    assert (seen.code, seen.output) == (0, f"404 {stamp.entrances[family]}")


def test_the_lab_runs_commands_as_its_clients(stamp: Stamp) -> None:
    assert stamp.lab.lab("as", "ipv6-only", "dig", "+short", f"www.westeurope.{PUBLIC}", "AAAA").output == f"{stamp.entrances['ipv6']}\n"
    assert stamp.lab.lab("as", "nobody", "true").output == f"lab: choose one of the clients: {', '.join(sorted(CLIENTS))}\n"


def test_ansible_has_the_clients_as_hosts(stamp: Stamp) -> None:
    """Their modules run in their networks."""
    inventory = stamp.lab.folder / "probes.yml"
    inventory.write_text(stamp.lab.lab("inventory").output)
    arguments = f"url={stamp.url('ipv6')} status_code=404 timeout=30"
    run = stamp.lab.run("ansible", "-i", str(inventory), "probes", "-m", "ansible.builtin.uri", "-a", arguments)
    answered = {host: "SUCCESS" in outcome for host, outcome in re.findall(r"^(\S+) \| (.*)$", run.output, re.MULTILINE)}
    assert answered == {client: "ipv6" in CLIENTS[client] for client in CLIENTS if client != PEER}


def test_an_address_that_nobody_has_is_silent(stamp: Stamp) -> None:
    for client, url in (("ipv4-only", "http://203.0.113.77/"), ("ipv6-only", "http://[2001:db8:f::77]/"), ("ipv4-only", f"{stamp.url('ipv4')}:81")):
        seen = stamp.lab.curl(client, url.replace("/:81", ":81/"), "--max-time", "1")
        assert seen.code == SILENCE


# Names


def answer(stamp: Stamp, client: str, name: str, kind: str) -> tuple[str, list[str]]:
    """(status, addresses) as dig has them."""
    printed = stamp.lab.as_client(client, "dig", "+tries=5", "+time=2", name, kind).output
    status = re.search(r"status: (\w+)", printed)
    return (status[1] if status else printed), re.findall(rf"^{re.escape(name)}\.\s+\d+\s+IN\s+{kind}\s+(\S+)$", printed, re.MULTILINE)


@pytest.mark.parametrize("kind", ["A", "AAAA"])
@pytest.mark.parametrize("client", CLIENTS)
def test_names_resolve_as_stored(stamp: Stamp, client: str, kind: str) -> None:
    property_, address = ("ARecords", "ipv4Address") if kind == "A" else ("AAAARecords", "ipv6Address")
    zones = f"{stamp.lab.subscription}/resourceGroups"
    record = f"/dnszones/{PUBLIC}/{kind}/www.westeurope".lower()
    # It may have been withdrawn and published again.
    *_, public = (entry for entry in stamp.lab.entries() if entry["method"] == "PUT" and entry["path"].lower().endswith(record))
    stored = stamp.lab.get(public["path"], "2018-05-01")["properties"][property_]
    assert public["path"].startswith(zones)
    assert answer(stamp, client, f"www.westeurope.{PUBLIC}", kind) == ("NOERROR", [record[address] for record in stored])
    private = answer(stamp, client, f"www.westeurope.{PRIVATE}", kind)
    assert private == (("NOERROR", [record[address] for record in stored]) if client == PEER else ("REFUSED", []))


def test_a_private_endpoint_has_its_private_address_inside_only(stamp: Stamp) -> None:
    ((zone, body),) = (
        (key, body) for key, body in stamp.lab.end_state().items() if re.search(r"/privatednszones/privatelink.vaultcore.azure.net/a/[^/]+$", key)
    )
    name = f"{zone.rpartition('/')[2]}.privatelink.vaultcore.azure.net"
    assert answer(stamp, PEER, name, "A") == ("NOERROR", [record["ipv4Address"] for record in body["properties"]["aRecords"]])
    assert answer(stamp, "dual-stack", name, "A") == ("REFUSED", [])


# The load balancer, the security groups, the ways out


@pytest.mark.parametrize("family", FAMILIES)
def test_only_nodes_with_a_ready_pod_get_flows(stamp: Stamp, family: str) -> None:
    conntrack = str(debian.path_of("conntrack"))
    nodes = [node["metadata"]["name"] for node in stamp.lab.kubectl("get", "nodes")["items"]]
    for node in nodes:
        stamp.lab.within(f"{stamp.lab.state.label}-{node}", conntrack, "--flush")
    assert [found.status for found in outcomes(stamp.lab.load(f"{family}-only", stamp.entrances[family], 2))] == [404] * 40
    flows = {
        node: stamp.lab.within(
            f"{stamp.lab.state.label}-{node}", conntrack, "--dump", "--family", family, "--proto", "tcp", "--orig-dst", stamp.entrances[family]
        ).output.count("dport=80 ")
        for node in nodes
    }
    assert {node for node, number in flows.items() if number} == stamp.ready_nodes(family)
    assert len(stamp.ready_nodes(family)) < len(nodes)


def test_a_security_rule_for_one_family_leaves_the_other_alone(stamp: Stamp) -> None:
    path = f"{stamp.lab.group()}/providers/Microsoft.Network/networkSecurityGroups/nsg-example-westeurope-nodes"
    group = stamp.lab.get(path)
    rules = group["properties"]["securityRules"]
    properties = {
        "access": "Deny",
        "direction": "Inbound",
        "priority": min(set(range(100, 200)) - {rule["properties"]["priority"] for rule in rules}),
        "protocol": "Tcp",
        "sourceAddressPrefix": "::/0",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "80",
    }
    load = stamp.lab.load("ipv4-only", stamp.entrances["ipv4"], 6)
    denied = [*rules, {"name": "no-ipv6", "properties": properties}]
    stamp.lab.put(path, "2025-05-01", {"location": group["location"], "properties": {"securityRules": denied}})
    try:
        _becomes(stamp, SILENCE)
    finally:
        stamp.lab.put(path, "2025-05-01", {"location": group["location"], "properties": {"securityRules": rules}})
    _becomes(stamp, 0)
    assert {found.status for found in outcomes(load)} == {404}


def _becomes(stamp: Stamp, code: int) -> None:
    """The IPv6-only client's connections end with this exit code of curl within 5 s."""
    until(lambda: stamp.lab.curl("ipv6-only", stamp.url("ipv6"), "--connect-timeout", "0.5").code == code, within=5)


#: answers two requests with the address that each came from
_WHO_ASKS = """\
import socket
listener = socket.create_server(("::", 8080), family=socket.AF_INET6, dualstack_ipv6=True)
listener.settimeout(300)
for _ in range(2):
    connection, peer = listener.accept()
    connection.recv(1000)
    connection.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + peer[0].removeprefix("::ffff:").encode())
    connection.close()
"""


@pytest.mark.parametrize("family", FAMILIES)
def test_flows_leave_with_the_outbound_address_of_their_family(inside: Stamp, family: str) -> None:
    """From a pod, and from its node; never from a proxy, whose policy lets it go to pods alone."""
    (balancer,) = (body for key, body in inside.lab.end_state().items() if "/loadbalancers/kubernetes" in key)
    references = [item["id"].lower() for rule in balancer["properties"]["outboundRules"] for item in rule["properties"]["frontendIPConfigurations"]]
    frontends = {
        item["id"].lower(): item["properties"]["publicIPAddress"]["id"]
        for item in balancer["properties"]["frontendIPConfigurations"]
        if "publicIPAddress" in item["properties"]
    }
    addresses = {inside.lab.get(frontends[reference])["properties"]["ipAddress"] for reference in references}
    (expected,) = (address for address in addresses if (":" in address) == (family == "ipv6"))
    assert expected not in inside.entrances.values()
    (pod,) = inside.lab.kubectl("get", "pods", "--namespace", "default")["items"]
    address = next(
        address
        for client in clients.INTERNET_CLIENTS
        if client.name == "dual-stack"
        for address in client.addresses
        if (":" in address) == (family == "ipv6")
    )
    url = f"http://[{address}]:8080/" if ":" in address else f"http://{address}:8080/"
    server = inside.lab.popen(str(clients.interpreter(inside.lab.state.clients, "dual-stack")), "-c", _WHO_ASKS)
    listening = f"{inside.lab.state.label}-dual-stack"
    until(lambda: ":8080" in inside.lab.within(listening, "ss", "--listening", "--tcp", "--numeric").output)
    proxy = kubectl(inside, "exec", "deployment/entrance-ipv4", "--namespace", NAMESPACE, "--", "wget", "-T", "1", "-qO-", url)
    seen_of_pod = from_pod(inside, "default", url).get("body")
    seen_of_node = inside.lab.within(f"{inside.lab.state.label}-{pod['spec']['nodeName']}", "curl", "--silent", "--max-time", "5", url).output
    output, _ = server.communicate(timeout=HANGING)
    assert (seen_of_pod, seen_of_node, output) == (expected, expected, "")
    assert "timed out" in proxy.output


# Clients inside the cluster, and network policies


def deployment(name: str, namespace: str, labels: dict[str, str], **container: Any) -> dict[str, Any]:
    made = {"name": "application", "image": images.PROGRAMS["application"].image, **container}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {"containers": [made]}}},
    }


def apply(stamp: Stamp, *objects: dict[str, Any]) -> None:
    stamp.lab.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def policy(name: str, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


@pytest.fixture(scope="module")
def inside(stamp: Stamp) -> Stamp:
    """With clients in the namespaces default and monitoring. What stands in for an exporter has an entrance's labels and its policy."""
    image = f"registry.example.org/exporter@sha256:{'0' * 64}"
    rendered = Rendering(ingress_kubernetes_version="1.36", ingress_metrics_image=image)["__ingress_objects"]
    (spec,) = (item["spec"] for item in rendered if (item["kind"], item["metadata"]["name"]) == ("NetworkPolicy", "entrance-ipv4"))
    metrics = {"args": ["serve", "--http=9113"], "ports": [{"name": "metrics", "containerPort": 9113}]}
    apply(
        stamp,
        *({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in ("monitoring", "scraped")),
        *(deployment("client", name, {"app": "client"}) for name in ("default", "monitoring")),
        deployment("exporter", "scraped", spec["podSelector"]["matchLabels"], **metrics),
        policy("entrance", "scraped", spec),
    )
    for namespace, name in (("default", "client"), ("monitoring", "client"), ("scraped", "exporter")):
        stamp.lab.rollout(namespace, name)
    return stamp


def kubectl(stamp: Stamp, *words: str) -> Run:
    """What may fail."""
    kubeconfig = str(stamp.lab.state.kubeconfigs()["aks-example-westeurope"])
    return stamp.lab.run(str(binaries.path_of("kubectl")), "--kubeconfig", kubeconfig, *words)


def from_pod(stamp: Stamp, namespace: str, url: str, *flags: str, within: int = 30) -> dict[str, Any]:
    """What a pod in a namespace got, ``within`` so many seconds."""
    client = ("/application", "call", "http", url, f"--timeout={within}s", *flags)
    run = kubectl(stamp, "exec", "deployment/client", "--namespace", namespace, "--", *client)
    found: dict[str, Any] = json.loads(next((line for line in run.output.splitlines() if line.startswith("{")), "{}"))
    assert found, run.output
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_pods_and_nodes_use_the_public_name(inside: Stamp, family: str) -> None:
    found = from_pod(inside, "default", f"http://www.westeurope.{PUBLIC}/", f"--family={family}")
    assert (found.get("status"), found["peer"].strip("[").rpartition(":")[0].strip("]")) == (404, inside.entrances[family]), found
    for node in inside.lab.kubectl("get", "nodes")["items"]:
        url = inside.url(family)
        code = inside.lab.within(
            f"{inside.lab.state.label}-{node['metadata']['name']}", "curl", "-s", "-m", "30", "-o", "/dev/null", "-w", "%{http_code}", url
        )
        assert (node["metadata"]["name"], code.output) == (node["metadata"]["name"], "404")


def test_metrics_are_for_pods_of_the_namespaces_that_may_scrape(inside: Stamp) -> None:
    pods = inside.lab.kubectl("get", "pods", "--namespace", NAMESPACE)["items"]
    proxies = [next(pod for pod in pods if is_ready(pod) and pod["metadata"]["name"].startswith(f"entrance-{family}")) for family in FAMILIES]
    (exporter,) = inside.lab.kubectl("get", "pods", "--namespace", "scraped")["items"]
    targets = [(item["ip"], ":8081/nginx_status") for pod in proxies for item in pod["status"]["podIPs"]]
    targets += [(item["ip"], ":9113/status/200") for item in exporter["status"]["podIPs"]]
    urls = [f"http://[{ip}]{rest}" if ":" in ip else f"http://{ip}{rest}" for ip, rest in targets]
    assert len(urls) == 6
    assert {url: from_pod(inside, "monitoring", url).get("status") for url in urls} == dict.fromkeys(urls, 200)
    assert {url: from_pod(inside, "default", url, within=2).get("status") for url in urls} == dict.fromkeys(urls)


def test_removing_one_twin_blocks_exactly_its_family(inside: Stamp) -> None:
    """A policy for each family in place of the entrances'. Pods are admitted by neither, since no ipBlock matches a pod."""
    declared = inside.lab.kubectl("get", "networkpolicies", "--namespace", NAMESPACE)["items"]
    twins = {
        family: policy(f"clients-{family}", NAMESPACE, {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": cidr}}]}]})
        for family, cidr in (("ipv4", "0.0.0.0/0"), ("ipv6", "::/0"))
    }

    def remove(*names: str) -> None:
        inside.lab.kubectl_text("delete", "networkpolicies", "--ignore-not-found", "--namespace", NAMESPACE, *names)

    def lacks() -> list[str]:
        """What verify says of the policies that are stored."""
        stored = inside.lab.kubectl("get", "networkpolicies", "--all-namespaces")["items"]
        return [lack.family for lack in policy_blocks_without_twin(policy_blocks(stored))]

    try:
        apply(inside, *twins.values())
        remove(*(item["metadata"]["name"] for item in declared))
        until(lambda: all("status" not in from_pod(inside, "default", inside.url(family), within=2) for family in FAMILIES))
        assert ([inside.answers(family) for family in FAMILIES], lacks()) == ([True, True], [])
        load = inside.lab.load("ipv4-only", inside.entrances["ipv4"], 4)
        remove("clients-ipv6")
        _becomes(inside, SILENCE)
        assert ({found.status for found in outcomes(load)}, lacks()) == ({404}, ["ipv6"])
        apply(inside, twins["ipv6"])
        _becomes(inside, 0)
    finally:
        apply(inside, *(policy(item["metadata"]["name"], NAMESPACE, item["spec"]) for item in declared))
        remove(*(item["metadata"]["name"] for item in twins.values()))


# The API server's way to nodes and pods


def test_logs_and_exec_reach_the_pods(stamp: Stamp) -> None:
    path = "/asked-by-a-test"
    stamp.lab.curl("ipv6-only", stamp.url("ipv6", path))
    logs: dict[str, str] = {}

    def logged() -> bool:
        for pod in stamp.lab.kubectl("get", "pods", "--namespace", NAMESPACE)["items"]:
            name = pod["metadata"]["name"]
            logs[name] = stamp.lab.kubectl_text("logs", "--namespace", NAMESPACE, name)
        return any(path in log for log in logs.values())

    until(logged)
    ((name, log),) = ((name, log) for name, log in logs.items() if path in log)
    assert name.startswith("entrance-ipv6")
    assert clients.INTERNET_CLIENTS[1].addresses[0] in log
    assert stamp.lab.kubectl_text("exec", "--namespace", NAMESPACE, name, "--", "id", "-u") == "101\n"


def test_the_metrics_api_knows_nodes_and_pods(stamp: Stamp) -> None:
    def measured(kind: str) -> dict[str, Any]:
        found = json.loads(stamp.lab.kubectl_text("get", "--raw", f"/apis/metrics.k8s.io/v1beta1/{kind}"))["items"]
        return {item["metadata"]["name"]: item for item in found}

    nodes = {node["metadata"]["name"] for node in stamp.lab.kubectl("get", "nodes")["items"]}
    pods = {pod["metadata"]["name"] for pod in stamp.lab.kubectl("get", "pods", "--namespace", NAMESPACE)["items"]}
    until(lambda: measured("nodes").keys() == nodes and measured(f"namespaces/{NAMESPACE}/pods").keys() == pods)
    used = [container["usage"] for item in measured(f"namespaces/{NAMESPACE}/pods").values() for container in item["containers"]]
    assert all(usage["memory"] != "0" for usage in used)
    printed = stamp.lab.kubectl_text("top", "nodes")
    assert all(node in printed for node in nodes)


# The machine, and a lab beside this one


def now(stamp: Stamp) -> Machine:
    return Machine.now(stamp.lab.folder, stamp.lab.state.label)


def test_a_running_lab_changes_nothing_of_the_machine(stamp: Stamp) -> None:
    found = now(stamp)
    assert found.network == stamp.before.network
    assert found.sysctls == stamp.before.sysctls
    assert (found.mounts, found.run) == (stamp.before.mounts, stamp.before.run)
    assert (found.processes != [], found.cgroups != []) == (True, True)


def test_every_link_ends_inside_the_lab(stamp: Stamp) -> None:
    """The other end of each is in a namespace that the lab made: none of them is the machine's."""
    own = str(Path("/proc/self/ns/net").readlink())
    links = {}
    for path in stamp.lab.namespaces.iterdir():
        assert f"net:[{path.stat().st_ino}]" != own
        found = stamp.lab.within(path.name, "ip", "-json", "-details", "link")
        links[path.name] = [item for item in json.loads(found.output) if item["ifname"] != "lo"]
    kinds = {item["linkinfo"]["info_kind"] for items in links.values() for item in items}
    assert kinds == {"veth"}
    assert sum(len(items) for items in links.values()) % 2 == 0


def test_two_labs_do_not_disturb_each_other(stamp: Stamp) -> None:
    with Lab(packets=True) as other:
        seen = other.curl("ipv4-only", stamp.url("ipv4"), "--max-time", "1")
        assert (seen.code, seen.output) == (SILENCE, "000 ")
        until(lambda: "status: REFUSED" in other.as_client("ipv4-only", "dig", f"www.westeurope.{PUBLIC}").output)
        assert all(stamp.answers(family) for family in FAMILIES)
    assert all(stamp.answers(family) for family in FAMILIES)


# How it ends


def _end(stamp: Stamp, how: str) -> None:
    """End the lab in one of the ways it can end."""
    first = int(stamp.lab.state.first_process.read_text())
    match how:
        case "down":
            pass
        case "server killed":
            os.kill(stamp.lab.state.pid, signal.SIGKILL)
        case "inner server killed":
            children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
            (inner,) = (int(child) for child in children if b"lab\0serve" in Path(f"/proc/{child}/cmdline").read_bytes())
            os.kill(inner, signal.SIGKILL)
    stamp.lab.down()


@pytest.mark.parametrize("how", ["down", "server killed", "inner server killed"])
def test_nothing_is_left(stamp: Stamp, how: str) -> None:
    inside = machine.below(stamp.lab.state.pid)
    _end(stamp, how)
    found, left = now(stamp), inside & machine.running().keys()
    stamp.lab.up()
    assert found == stamp.before
    assert (len(inside) > 15, left) == (True, set())


def test_a_lab_that_was_started_again_answers(stamp: Stamp) -> None:
    def evidence() -> str:
        balancing = stamp.lab.within(f"{stamp.lab.state.label}-vnet1", str(debian.path_of("nft")), "list", "chain", "inet", "lab", "balance")
        answering = {family: stamp.answers(family) for family in FAMILIES}
        return f"{answering}\n{stamp.lab.kubectl_text('get', 'nodes,pods', '--all-namespaces', '--output=wide')}\n{balancing.output}"

    until(lambda: all(stamp.answers(family) for family in FAMILIES), evidence)


def remains(stamp: Stamp, node: str) -> list[str]:
    """What there is of a node: processes, its namespace, its control groups."""
    found = [line for line in stamp.lab.processes(node) if str(stamp.lab.folder) in line]
    found += [path.name for path in stamp.lab.namespaces.iterdir() if path.name.endswith(node)]
    return found + [group for group in now(stamp).cgroups if node in group]


def test_a_pool_scaled_down_ends_its_node(stamp: Stamp) -> None:
    path = f"{stamp.lab.cluster_id}/agentPools/system"
    before = {node["metadata"]["name"] for node in stamp.lab.kubectl("get", "nodes")["items"]}
    pool = stamp.lab.get(path, "2026-05-01")["properties"]
    stamp.lab.put(path, "2026-05-01", {"properties": pool | {"count": 2, "minCount": 2}})
    (gone,) = before - {node["metadata"]["name"] for node in stamp.lab.kubectl("get", "nodes")["items"]}
    until(lambda: remains(stamp, gone) == [], within=20)
    assert all(remains(stamp, node) != [] for node in before - {gone})


def test_a_deleted_cluster_leaves_nothing_of_its_nodes(stamp: Stamp) -> None:
    nodes = [node["metadata"]["name"] for node in stamp.lab.kubectl("get", "nodes")["items"]]
    assert stamp.lab.call("DELETE", stamp.lab.cluster_id, "2026-05-01").status_code == 202
    until(lambda: stamp.lab.get(stamp.lab.cluster_id, "2026-05-01") == {})
    assert {node: remains(stamp, node) for node in nodes} == {node: [] for node in nodes}
    assert [line for line in now(stamp).processes if "containerd" in line or "kube" in line] == []
    assert [path.name for path in stamp.lab.namespaces.iterdir() if path.name.startswith("cni-")] == []
