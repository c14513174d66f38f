"""NetworkPolicies as the rules of a node: who may reach a pod, and whom it may reach, as Cilium reads them."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from lab.kubernetes.control_plane import ControlPlane
from lab.packets.policies import Cluster, ruleset
from tests.lab.nftables import accepted_by_nft

Body = dict[str, Any]

NODE = "node-1"
INSIDE = ("10.1.0.0/16", "fd00:1::/64", "10.0.0.4", "10.0.0.5", "fd00::4")


def named(name: str, namespace: str = "", **labels: str) -> Body:
    return {"metadata": {"name": name, "labels": labels} | ({"namespace": namespace} if namespace else {})}


def pod(name: str, namespace: str, *addresses: str, node: str = NODE, phase: str = "Running", host: bool = False, **labels: str) -> Body:
    """A pod with a port ``web``, 8080 over TCP and 8443 over UDP."""
    ports = [{"name": "web", "containerPort": 8080, "protocol": "TCP"}, {"name": "web", "containerPort": 8443, "protocol": "UDP"}]
    spec = {"nodeName": node, "containers": [{"ports": ports}, {}]} | ({"hostNetwork": True} if host else {})
    return named(name, namespace, **labels) | {"spec": spec, "status": {"phase": phase, "podIPs": [{"ip": address} for address in addresses]}}


SHOP = pod("shop", "apps", "10.1.0.2", "fd00:1::2", app="shop")
PODS = [
    SHOP,
    pod("cart", "apps", "10.1.1.3", node="node-2", app="cart", tier="back"),
    pod("prometheus", "monitoring", "10.1.1.4", "fd00:1::104", node="node-2", app="prometheus"),
    pod("agent", "monitoring", "10.0.0.5", node="node-2", host=True, app="prometheus"),
    pod("job", "apps", "10.1.0.9", phase="Succeeded", app="cart"),
    pod("waiting", "apps", phase="Pending", app="cart"),
]
NAMESPACES = [named("apps"), named("monitoring", team="sre")]


def policy(ingress: Any = None, egress: Any = None, selector: Body | None = None, namespace: str = "apps", types: tuple[str, ...] = ()) -> Body:
    """As the API server stores it, with its default for ``policyTypes``."""
    given = {"ingress": ingress, "egress": egress}
    found = list(types) or ["Ingress", *(["Egress"] if egress is not None else [])]
    spec = {"podSelector": selector or {}, "policyTypes": found} | {key: value for key, value in given.items() if value is not None}
    return named("p", namespace) | {"spec": spec}


def enforced(*policies: Body, pods: list[Body] | None = None, node: str = NODE) -> dict[str, list[str]]:
    """Chain -> its rules, without those that every chain has."""
    text = ruleset(Cluster(policies, NAMESPACES, PODS if pods is None else pods, INSIDE), node)
    accepted_by_nft(text)
    return {name: [line.strip() for line in lines.splitlines() if line] for name, lines in re.findall(r"chain (\w+) \{\n(.*?)\}$", text, re.M | re.S)}


def allowed(*policies: Body, direction: str = "ingress") -> list[str]:
    """What the pod shop's chain of a direction lets pass, beyond what it sends itself. Everything else is dropped."""
    (lines,) = (lines for name, lines in enforced(*policies).items() if name.startswith(f"{direction}_"))
    side = "saddr" if direction == "ingress" else "daddr"
    itself = [f"ip {side} {{ 10.1.0.2 }} return", f"ip6 {side} {{ fd00:1::2 }} return"]
    assert (lines[:2], lines[-1]) == (itself, "drop")
    return [line.removesuffix(" return") for line in lines[2:-1]]


CART, PROMETHEUS = "ip saddr { 10.1.1.3 }", ["ip saddr { 10.1.1.4 }", "ip6 saddr { fd00:1::104 }"]
APP = {"podSelector": {"matchLabels": {"app": "cart"}}}
#: rules of incoming packets -> what passes
INGRESS: dict[str, tuple[list[Body], list[str]]] = {
    "nobody": ([], []),
    "everybody": ([{}], ["return"]),
    "everybody, with an empty list": ([{"from": [], "ports": []}], ["return"]),
    "everybody on a port": ([{"ports": [{"protocol": "TCP", "port": 80}]}], ["tcp dport 80"]),
    "a name of a port": ([{"ports": [{"protocol": "TCP", "port": "web"}, {"protocol": "UDP", "port": "web"}]}], ["tcp dport 8080", "udp dport 8443"]),
    "a name that the pod has not": ([{"ports": [{"protocol": "TCP", "port": "metrics"}]}], []),
    "a range of ports": ([{"ports": [{"protocol": "UDP", "port": 8000, "endPort": 8010}]}], ["udp dport 8000-8010"]),
    "a protocol": ([{"ports": [{"protocol": "SCTP"}]}], ["meta l4proto sctp"]),
    "pods of this namespace": ([{"from": [APP]}], [CART]),
    "none of another namespace": ([{"from": [{"podSelector": {"matchLabels": {"app": "prometheus"}}}]}], []),
    "a namespace": ([{"from": [{"namespaceSelector": {"matchLabels": {"team": "sre"}}}]}], PROMETHEUS),
    "pods of a namespace": ([{"from": [{"namespaceSelector": {"matchLabels": {"team": "sre"}}, **APP}]}], []),
    "every namespace": (
        [{"from": [{"namespaceSelector": {}}]}],
        ["ip saddr { 10.1.0.2, 10.1.1.3, 10.1.1.4 }", "ip6 saddr { fd00:1::104, fd00:1::2 }"],
    ),
    "In": ([{"from": [{"podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "cart"]}]}}]}], [CART]),
    "NotIn": ([{"from": [{"podSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["shop"]}]}}]}], [CART]),
    "Exists": ([{"from": [{"podSelector": {"matchExpressions": [{"key": "tier", "operator": "Exists"}]}}]}], [CART]),
    "DoesNotExist": (
        [{"from": [{"namespaceSelector": {}, "podSelector": {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}}]}],
        ["ip saddr { 10.1.0.2, 10.1.1.3, 10.1.1.4 }", "ip6 saddr { fd00:1::104, fd00:1::2 }"],
    ),
    "labels and expressions": (
        [{"from": [{"podSelector": {"matchLabels": {"app": "shop"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]}}]}],
        [],
    ),
    "prefixes, which are outside": (
        [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}, {"ipBlock": {"cidr": "::/0"}}]}],
        ["ip saddr 0.0.0.0/0 ip saddr != @inside_ipv4", "ip6 saddr ::/0 ip6 saddr != @inside_ipv6"],
    ),
    "a prefix of one family": ([{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}], ["ip saddr 0.0.0.0/0 ip saddr != @inside_ipv4"]),
    "a prefix with exceptions and host bits": (
        [{"from": [{"ipBlock": {"cidr": "198.51.100.7/24", "except": ["198.51.100.0/25", "198.51.100.64/26", "198.51.100.200/32"]}}]}],
        ["ip saddr 198.51.100.0/24 ip saddr != @inside_ipv4 ip saddr != { 198.51.100.0/25, 198.51.100.200/32 }"],
    ),
    "peers and ports": (
        [{"from": [APP, {"ipBlock": {"cidr": "2001:db8::/32"}}], "ports": [{"protocol": "TCP", "port": 80}, {"protocol": "TCP", "port": "web"}]}],
        [
            f"{CART} tcp dport 80",
            "ip6 saddr 2001:db8::/32 ip6 saddr != @inside_ipv6 tcp dport 80",
            f"{CART} tcp dport 8080",
            "ip6 saddr 2001:db8::/32 ip6 saddr != @inside_ipv6 tcp dport 8080",
        ],
    ),
    "several rules": ([{"from": [APP]}, {"ports": [{"port": 53, "protocol": "UDP"}]}], [CART, "udp dport 53"]),
}


@pytest.mark.parametrize("case", INGRESS)
def test_who_may_reach_a_pod(case: str) -> None:
    given, expected = INGRESS[case]
    assert allowed(policy(given)) == expected


#: rules of outgoing packets -> what passes
EGRESS: dict[str, tuple[list[Body], list[str]]] = {
    "nowhere": ([], []),
    "everywhere": ([{}], ["return"]),
    "a namespace": ([{"to": [{"namespaceSelector": {"matchLabels": {"team": "sre"}}}]}], [line.replace("saddr", "daddr") for line in PROMETHEUS]),
    "a prefix": ([{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}], ["ip daddr 0.0.0.0/0 ip daddr != @inside_ipv4"]),
    "a name of the other pod's port": ([{"to": [APP], "ports": [{"protocol": "TCP", "port": "web"}]}], ["ip daddr { 10.1.1.3 } tcp dport 8080"]),
    "a name of any pod's port": (
        [{"ports": [{"protocol": "UDP", "port": "web"}]}],
        [
            "ip daddr { 10.1.0.2 } udp dport 8443",
            "ip6 daddr { fd00:1::2 } udp dport 8443",
            "ip daddr { 10.1.1.3 } udp dport 8443",
            "ip daddr { 10.1.1.4 } udp dport 8443",
            "ip6 daddr { fd00:1::104 } udp dport 8443",
        ],
    ),
    "no name outside": ([{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"protocol": "TCP", "port": "web"}]}], []),
}


@pytest.mark.parametrize("case", EGRESS)
def test_whom_a_pod_may_reach(case: str) -> None:
    given, expected = EGRESS[case]
    assert allowed(policy(egress=given, types=("Egress",)), direction="egress") == expected


def test_policies_add_up() -> None:
    assert allowed(policy([{"from": [APP]}]), policy([{"ports": [{"port": 80, "protocol": "TCP"}]}]), policy([])) == [CART, "tcp dport 80"]


def test_only_what_a_policy_selects_and_names_is_restricted() -> None:
    """Other pods, other namespaces, other directions, and pods on their node's network are as if there were none."""
    others = (policy([], selector={"matchLabels": {"app": "cart"}}), policy([], namespace="monitoring"))
    for found in (enforced(), enforced(*others)):
        assert found.keys() == {"forwarded", "to_the_node"}
    assert enforced(policy([], namespace="monitoring"), node="node-2").keys() == {"ingress_0", "forwarded", "to_the_node"}
    assert enforced(policy(types=("Egress",))).keys() == {"egress_0", "forwarded", "to_the_node"}


def test_a_node_asks_what_leaves_its_pods_first_and_leaves_its_own_packets_alone() -> None:
    found = enforced(policy([], []))
    leaving = ["ip saddr { 10.1.0.2 } jump egress_1", "ip6 saddr { fd00:1::2 } jump egress_1"]
    entering = ["ip daddr { 10.1.0.2 } jump ingress_0", "ip6 daddr { fd00:1::2 } jump ingress_0"]
    hook, going_on, *jumps = found["forwarded"]
    assert (hook, going_on) == ("type filter hook forward priority filter; policy accept;", "ct state established,related accept")
    assert jumps == [*leaving, *entering]
    assert found["to_the_node"][0].startswith("type filter hook input") and found["to_the_node"][3:] == leaving


def test_inside_are_pods_and_nodes() -> None:
    text = ruleset(Cluster([], [], [], INSIDE), NODE)
    assert "elements = { 10.0.0.4/31, 10.1.0.0/16 }" in text and "elements = { fd00::4/128, fd00:1::/64 }" in text
    accepted_by_nft(ruleset(Cluster([], [], [], ()), NODE))


# What is stored


def _stored(name: str, version: int) -> Body:
    """Larger than what a client reads of a line by default."""
    return {"metadata": {"uid": name, "version": version}, "padding": "x" * 300_000}


class ApiServer(ControlPlane):
    """One collection, whose watch is cut off once."""

    def __init__(self) -> None:
        self._lists = [["a", "b"], ["c"]]
        self._events = [[("MODIFIED", "a", 2), ("DELETED", "b", 3), ("ADDED", "d", 4), ("ERROR", "", 410), ("ADDED", "x", 5)], [("ADDED", "e", 6)]]
        self._runner = web.ServerRunner(web.Server(self._answer))

    @property
    def server(self) -> str:
        return "http://{}:{}".format(*self._runner.addresses[0])

    async def __aenter__(self) -> ApiServer:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()
        await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if "watch" not in request.query:
            return web.json_response({"metadata": {"resourceVersion": "7"}, "items": [_stored(name, 1) for name in self._lists.pop(0)]})
        assert request.query["resourceVersion"] == "7"
        answer = web.StreamResponse()
        await answer.prepare(request)
        for kind, name, version in self._events.pop(0):
            await answer.write(json.dumps({"type": kind, "object": _stored(name, version)}).encode() + b"\n")
        return answer


def test_a_watch_keeps_what_is_stored_and_lists_again_when_it_is_cut_off() -> None:
    async def check() -> None:
        seen: list[dict[str, int]] = []
        objects: Body = {}

        def changed() -> None:
            seen.append({key: found["metadata"]["version"] for key, found in objects.items()})

        async with ApiServer() as server:
            task = asyncio.create_task(server.watch("/api/v1/pods", objects, changed))
            async with asyncio.timeout(10):
                while len(seen) < 6:
                    await asyncio.sleep(0.01)
            task.cancel()
        assert seen == [{"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 2}, {"a": 2, "d": 4}, {"c": 1}, {"c": 1, "e": 6}]

    asyncio.run(check())
