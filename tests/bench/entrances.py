"""What the translating entrance costs, measured beside its peers in the same run: with real packets, 32 clients with kept connections.

Connections that the application had to take for 6,400 requests; CPU time of the proxies for a request; requests a second. Peers are the ordinary
IPv4 entrance, the entrance of the mode split, whose application has IPv6 itself, and the application's own load balancer without a proxy.

make bench
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from lab.__main__ import say
from lab.supplies import debian
from tests.bench.measuring import alternate, ratios, spread, target
from tests.clients import APPLICATIONS
from tests.harness import Lab, until

CLIENTS, REQUESTS = 32, 6400
# What a request costs depends on how the connections fall to pods and workers: many short slices even that out, longer ones do not.
ROUNDS, SLICE = 240, 800
MOST_CONNECTIONS, MOST_CPU = 128, 1.08
WEB = {"path": "/status/200", "service": "web", "ipv6_service": "web-ipv6", "namespace": "apps", "port": 8080}
#: autoscalers must not move while their peers are measured
FIXED = {"ingress_min_replicas": 2, "ingress_max_replicas": 2, "ingress_routes": [WEB]}


@dataclass(frozen=True)
class Way:
    """One way to the application: who asks, whom, and the proxies in between, with their namespace and the processes they are."""

    name: str
    client: str
    url: str
    entrance: str = ""
    namespace: str = ""
    proxies: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Slice:
    """One load: requests a second, and CPU microseconds of the proxies a request."""

    rate: float
    cpu: float


class Bench:
    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def prepare(self) -> list[Way]:
        lab = self._lab
        lab.build("--tags", "network,aks,dns")
        lab.apply(APPLICATIONS.read_text())
        for deployment in ("web", "both"):
            lab.rollout("apps", deployment)
        direct = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web-direct", "namespace": "apps"},
            "spec": {
                "type": "LoadBalancer",
                "externalTrafficPolicy": "Local",
                "selector": {"app": "web"},
                "ports": [{"port": 80, "targetPort": 8080}],
            },
        }
        lab.apply(json.dumps(direct))
        ours = {family: f"{lab.group()}/providers/Microsoft.Network/publicIPAddresses/pip-example-westeurope-{family}" for family in ("ipv4", "ipv6")}
        split = {family: self._address(family) for family in ("ipv4", "ipv6")}
        self._site({"ingress_mode": "nat64"})
        addresses = {"ingress_entrance_ipv4_id": split["ipv4"], "ingress_entrance_ipv6_id": split["ipv6"]}
        self._site({"ingress_mode": "split", "ingress_namespace": "dualstack-split"} | addresses)
        found = [
            Way("translating", "ipv6-only", self._url(ours["ipv6"]), "entrance-ipv6", "dualstack-ingress"),
            Way("ordinary", "ipv4-only", self._url(ours["ipv4"]), "entrance-ipv4", "dualstack-ingress"),
            Way("split", "ipv6-only", self._url(split["ipv6"]), "entrance-ipv6", "dualstack-split"),
            Way("direct", "ipv4-only", f"http://{self._balancer()}/status/200"),
        ]
        for way in found:
            self._await(way)
        return [replace(way, proxies=self._processes(way)) for way in found]

    def _await(self, way: Way) -> None:
        """Until it has answered: a load balancer that learns of a pod is not there at once."""
        until(lambda: self._lab.curl(way.client, way.url).output.startswith("200 "))

    def _site(self, variables: dict[str, Any]) -> None:
        self._lab.set(**FIXED, **variables)
        run = self._lab.playbook("site", "--tags", "ingress")
        if run.code:
            sys.exit(run.output)

    def _address(self, family: str) -> str:
        """A second public address, for the entrances of the mode split."""
        identifier = f"{self._lab.group()}/providers/Microsoft.Network/publicIPAddresses/pip-split-{family}"
        properties = {"publicIPAddressVersion": family.replace("ip", "IP"), "publicIPAllocationMethod": "Static"}
        body = {"location": "westeurope", "sku": {"name": "Standard"}, "zones": ["1", "2", "3"], "properties": properties}
        self._lab.put(identifier, "2025-05-01", body)
        return identifier

    def _url(self, identifier: str) -> str:
        address = self._lab.get(identifier)["properties"]["ipAddress"]
        return f"http://[{address}]/status/200" if ":" in address else f"http://{address}/status/200"

    def _balancer(self) -> str:
        def status() -> list[dict[str, str]]:
            found: list[dict[str, str]] = self._lab.kubectl("-n", "apps", "get", "service", "web-direct")["status"]["loadBalancer"].get("ingress", [])
            return found

        until(lambda: bool(status()))
        return status()[0]["ip"]

    def load(self, way: Way, requests: int) -> Slice:
        before = _cpu(way.proxies)
        run = self._lab.as_client(way.client, "h2load", "--h1", f"--requests={requests}", f"--clients={CLIENTS}", "--threads=1", way.url)
        used = _cpu(way.proxies) - before
        rate = re.search(r"([0-9.]+) req/s", run.output)
        if rate is None or f"{requests} succeeded" not in run.output:
            sys.exit(f"{way.name}: {run.output}")
        return Slice(float(rate[1]), used * 1e6 / requests)

    def connections(self, way: Way) -> int:
        """Connections that the application's pods took for :data:`REQUESTS` requests, those of their probes among them."""
        before = self._taken()
        self.load(way, REQUESTS)
        return self._taken() - before

    def _taken(self) -> int:
        return sum(self._passive_opens(pod) for pod in self._pods("apps", "app in (web,both)"))

    def _pods(self, namespace: str, selector: str) -> list[Any]:
        found: list[Any] = self._lab.kubectl("-n", namespace, "get", "pods", "-l", selector)["items"]
        return found

    def _passive_opens(self, pod: Any) -> int:
        text = self._lab.within(self._lab.namespace_of(pod), "cat", "/proc/net/snmp").output
        names, values = (line.split() for line in text.splitlines() if line.startswith("Tcp:"))
        return int(dict(zip(names, values, strict=True))["PassiveOpens"])

    def _processes(self, way: Way) -> tuple[Path, ...]:
        """The proxies' processes: those in their pods' network namespaces."""
        pods = self._pods(way.namespace, f"app.kubernetes.io/name={way.entrance}") if way.entrance else []
        inodes = {(self._lab.namespaces / self._lab.namespace_of(pod)).stat().st_ino for pod in pods}
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "ns/net").stat().st_ino in inodes and (process / "comm").read_text() == "nginx\n":
                    found.append(process)
            except OSError:
                continue
        return tuple(found)


def _cpu(processes: Sequence[Path]) -> float:
    """Seconds that these processes have run, to the nanosecond."""
    return sum(int((process / "schedstat").read_text().split()[0]) for process in processes) / 1e9


def main() -> None:
    debian.ensure(say, ("benchmarks",))
    with Lab(packets=True) as lab:
        bench = Bench(lab)
        print("entrances: building a stamp with two pairs of entrances (about 2 minutes)", flush=True)
        translating, ordinary, *_ = ways = bench.prepare()
        taken = bench.connections(translating)
        for way in ways:
            bench.load(way, SLICE)
        started = time.monotonic()
        measured = alternate(ROUNDS, *(partial(bench.load, way, SLICE) for way in ways))
        print(f"entrances: {ROUNDS} rounds of {SLICE} requests over {CLIENTS} connections each took {time.monotonic() - started:.0f} s")
    slices = dict(zip((way.name for way in ways), measured, strict=True))
    rates = {name: [found.rate for found in one] for name, one in slices.items()}
    costs = {name: [found.cpu for found in one] for name, one in slices.items()}
    print(f"{'way':12} {'requests/s':>26} {'of the ordinary':>20} {'proxy us/request':>26} {'of the ordinary':>20}")
    for name in slices:
        rate, cost = ratios(rates[name], rates[ordinary.name]), ratios(costs[name], costs[ordinary.name])
        print(f"{name:12} {spread(rates[name], 0):>26} {spread(rate, 2):>20} {spread(costs[name], 1):>26} {spread(cost, 2):>20}")
    cpu = sum(costs[translating.name]) / sum(costs[ordinary.name])
    target(f"connections to the application for {REQUESTS} requests through the translating entrance", taken, MOST_CONNECTIONS, 0)
    target("CPU of its proxies for a request, of the ordinary entrance's, over all rounds", cpu, MOST_CPU, 3)


if __name__ == "__main__":
    main()
