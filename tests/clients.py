"""What clients get of the applications through the entrances, and what these applications saw."""

from __future__ import annotations

import datetime
import json
import time
from dataclasses import dataclass
from typing import Any

from lab.state import CHECKOUT
from lab.supplies import debian, images

from .harness import Observer, is_ready, until

APPLICATIONS = CHECKOUT / "molecule" / "applications.yml"
IPV4_CLIENT, IPV6_CLIENT, NEIGHBOUR = "192.0.2.10", "2001:db8:c::10", "2001:db8:c::11"


def address(lab: Observer, family: str) -> str:
    """Where clients reach an entrance, as URLs have it."""
    service = lab.kubectl("-n", "dualstack-ingress", "get", "service", f"entrance-{family}")
    (found,) = (item["ip"] for item in service["status"]["loadBalancer"]["ingress"])
    return f"[{found}]" if family == "ipv6" else found


def settled(lab: Observer) -> None:
    """Wait until every proxy is ready and none is ending: older ones answer by their older configuration until they are gone.

    Of two that end on one node, the first refuses connections for a moment (see the page of entrances).
    """
    pods = ("-n", "dualstack-ingress", "get", "pods")
    until(lambda: all(is_ready(pod) for pod in lab.kubectl(*pods)["items"]), lambda: lab.kubectl_text(*pods, "--output=wide"))


def call(lab: Observer, client: str, kind: str, target: str, *flags: str) -> dict[str, Any]:
    """What the test application's own client got, over a connection of its own."""
    run = lab.as_client(client, str(images.program("application")), "call", kind, target, *flags)
    found: dict[str, Any] = json.loads(next(line for line in run.output.splitlines() if line.startswith("{")))
    return found


def seen(lab: Observer, client: str, family: str) -> dict[str, Any]:
    """What the application says it saw of a client's request."""
    answer = call(lab, client, "http", f"http://{address(lab, family)}/")
    assert answer.get("status") == 200, answer
    body: dict[str, Any] = answer["body"]
    return body


def logged(lab: Observer, application: str, since: float) -> list[dict[str, Any]]:
    """The requests that an application's pods logged since then, but for health checks."""
    entries = []
    for pod in lab.kubectl("-n", "apps", "get", "pods", "-l", f"app={application}")["items"]:
        lines = lab.kubectl_text("-n", "apps", "logs", pod["metadata"]["name"], f"--since={int(time.time() - since) + 2}s").splitlines()
        entries += [json.loads(line) for line in lines if line.startswith("{")]
    return [
        entry
        for entry in entries
        if "x-forwarded-for" in (entry.get("headers") or {}) and datetime.datetime.fromisoformat(entry["time"]).timestamp() >= since
    ]


def claiming(lab: Observer, client: str, family: str, forwarded_for: str) -> list[str]:
    """Which clients the application sees when one claims to send for others."""
    answer = call(lab, client, "http", f"http://{address(lab, family)}/", "--header", f"X-Forwarded-For={forwarded_for}")
    found: list[str] = answer["body"]["headers"]["x-forwarded-for"]
    return found


class Hops:
    """Counts what the proxies of an entrance send to applications, in each family, where it leaves their pods."""

    PORTS = "{ 80, 8080 }"

    def __init__(self, lab: Observer, family: str) -> None:
        self._lab, self._nft = lab, str(debian.path_of("nft"))
        pods = lab.kubectl("-n", "dualstack-ingress", "get", "pods", "-l", f"app.kubernetes.io/name=entrance-{family}")["items"]
        self._namespaces = [lab.namespace_of(pod) for pod in pods if is_ready(pod)]
        rules = [f"meta nfproto {name} tcp dport {self.PORTS} counter name {name};" for name in ("ipv4", "ipv6")]
        table = ["table inet hops {", "counter ipv4 {}", "counter ipv6 {}", "chain out { type filter hook output priority 0;", *rules, "}", "}"]
        for namespace in self._namespaces:
            # There is one already where the proxies have stayed.
            lab.within(namespace, self._nft, "delete table inet hops")
            made = lab.within(namespace, self._nft, "\n".join(table))
            assert made.code == 0, made.output

    @property
    def families(self) -> set[str]:
        """The families in which packets were sent."""
        found: set[str] = set()
        for namespace in self._namespaces:
            listed = json.loads(self._lab.within(namespace, self._nft, "--json", "list", "counters", "table", "inet", "hops").output)
            counters = [item["counter"] for item in listed["nftables"] if "counter" in item]
            found |= {item["name"].replace("ip", "IP") for item in counters if item["packets"]}
        return found


@dataclass(frozen=True)
class Answered:
    """Which application answers a client of one family, over which family it is reached, and which client it sees."""

    application: str
    family: str
    source: str

    def check(self, lab: Observer, client: str, hop: str) -> None:
        """Ten requests; ``hop`` is the family in which the entrance's proxies connect to whatever is behind them."""
        hops = Hops(lab, client[:4])
        begin = time.time()
        answers = [seen(lab, client, client[:4]) for _ in range(10)]
        assert {answer["family"] for answer in answers} == {self.family}
        assert {tuple(answer["headers"]["x-forwarded-for"]) for answer in answers} == {(self.source,)}
        entries = [entry for entry in logged(lab, self.application, begin) if entry["headers"]["x-forwarded-for"] == [self.source]]
        assert len(entries) == 10
        assert {entry["family"] for entry in entries} == {self.family}
        assert hops.families == {hop}
