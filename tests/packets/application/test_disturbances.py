"""What clients notice when something goes or comes: each family under load, an application that has IPv4 only behind both entrances.

The IPv4 entrance is the ordinary one, the IPv6 one translates; what breaks something comes last.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lab.supplies import images
from tests.clients import settled
from tests.harness import ABSENT, Lab, Outcome, is_ready, outcomes, until

from .conftest import INGRESS, ROUTES

NAMESPACE = "dualstack-ingress"
FAMILIES = ("ipv4", "ipv6")
#: what nginx refuses and no rule of the role foresees: a header buffer smaller than its pools
REFUSED = {"ingress_max_header_size": "256"}


def site(lab: Lab, **variables: Any) -> None:
    lab.set(ingress_routes=ROUTES, **INGRESS, **variables)
    run = lab.playbook("site", "--tags", "ingress")
    assert run.code == 0, run.output


def pods(lab: Lab, family: str) -> list[Any]:
    found: list[Any] = lab.kubectl("-n", NAMESPACE, "get", "pods", "-l", f"app.kubernetes.io/name=entrance-{family}")["items"]
    return found


def addresses(lab: Lab) -> dict[str, str]:
    return {family: lab.network(f"publicIPAddresses/pip-example-westeurope-{family}")["properties"]["ipAddress"] for family in FAMILIES}


@contextlib.contextmanager
def loaded(lab: Lab, seconds: float) -> Iterator[dict[str, list[Outcome]]]:
    """Ask both entrances while something happens, and so many seconds after it; then how each family's requests went."""
    loads = {family: lab.load(f"{family}-only", address) for family, address in addresses(lab).items()}
    found: dict[str, list[Outcome]] = {}
    time.sleep(1)
    yield found
    time.sleep(seconds)
    for load in loads.values():
        load.terminate()
    found |= {family: outcomes(load) for family, load in loads.items()}


def failed(requests: Sequence[Outcome]) -> list[Outcome]:
    return [request for request in requests if request.status != 200]


def nobody_noticed(found: dict[str, list[Outcome]], at_least: int) -> None:
    assert {family: failed(requests) for family, requests in found.items()} == {family: [] for family in FAMILIES}
    assert min(len(requests) for requests in found.values()) >= at_least


def zones_of(lab: Lab) -> dict[str, str]:
    """Node -> its zone."""
    return {node["metadata"]["name"]: node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in lab.kubectl("get", "nodes")["items"]}


def zones(lab: Lab, family: str) -> set[str]:
    """Where the ready pods of an entrance are."""
    known = zones_of(lab)
    return {known[pod["spec"]["nodeName"]] for pod in pods(lab, family) if is_ready(pod)}


def test_each_entrance_is_in_two_zones(lab: Lab) -> None:
    assert {family: len(zones(lab, family)) >= 2 for family in FAMILIES} == dict.fromkeys(FAMILIES, True), lab.evidence()


def test_deleted_proxies(lab: Lab) -> None:
    settled(lab)
    with loaded(lab, 17) as found:
        going = [pods(lab, family)[0]["metadata"]["name"] for family in FAMILIES]
        lab.kubectl_text("-n", NAMESPACE, "delete", "pod", "--wait=false", *going)
    nobody_noticed(found, 200)
    until(lambda: all(len(zones(lab, family)) >= 2 for family in FAMILIES))


def test_a_new_configuration(lab: Lab) -> None:
    before = {pod["metadata"]["name"] for family in FAMILIES for pod in pods(lab, family)}
    # The old proxies end within 15 s.
    with loaded(lab, 17) as found:
        site(lab, ingress_max_body_size="32m")
    nobody_noticed(found, 400)
    assert not before & {pod["metadata"]["name"] for family in FAMILIES for pod in pods(lab, family) if is_ready(pod)}


def test_a_drained_node(lab: Lab) -> None:
    settled(lab)
    (node, *_) = {pod["spec"]["nodeName"] for pod in pods(lab, "ipv6")}
    try:
        with loaded(lab, 10) as found:
            lab.kubectl_text("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", f"--timeout={ABSENT}s")
    finally:
        lab.kubectl_text("uncordon", node)
    nobody_noticed(found, 300)
    until(lambda: all(len(zones(lab, family)) >= 2 for family in FAMILIES))


def test_a_bad_configuration(lab: Lab) -> None:
    """It never becomes ready: the run ends with the proxy's own words, and those of the old one go on."""
    lab.set(ingress_routes=ROUTES, **INGRESS, **REFUSED)
    with loaded(lab, 2) as found:
        run = lab.playbook("site", "--tags", "ingress", "-e", "ingress_timeout=30")
    said = " ".join(run.output.split())
    assert run.code == 2, run.output
    assert "large_client_header_buffers" in said and "kubectl rollout undo deployment/entrance-ipv6" in said, run.output
    nobody_noticed(found, 400)


def test_each_family_scales_on_its_own(lab: Lab) -> None:
    """On the CPU that the kubelets measured: the asked one gets more proxies, the other keeps its two."""
    site(lab, ingress_cpu_request="20m")
    asked = f"{images.program('application')} call http http://[{addresses(lab)['ipv6']}]/ --count 100 > /dev/null"
    # Without pauses the client would have a processor to itself.
    asking = lab.start_as_client("ipv6-only", "sh", "-c", f"while {asked}; do sleep 0.2; done")
    try:
        until(lambda: sum(is_ready(pod) for pod in pods(lab, "ipv6")) > 2, lambda: lab.kubectl_text("-n", NAMESPACE, "describe", "hpa"))
    finally:
        lab.end(asking)
    assert sum(is_ready(pod) for pod in pods(lab, "ipv4")) == 2


def test_a_lost_zone(lab: Lab, record_property: Callable[[str, str], None]) -> None:
    """All its nodes at once, with pods of both entrances and of the application: nobody who asks 20 s later notices."""
    known = zones_of(lab)
    application = {known[pod["spec"]["nodeName"]] for pod in lab.kubectl("-n", "apps", "get", "pods", "-l", "app=shop")["items"]}
    lost = sorted(set.intersection(application, *(zones(lab, family) for family in FAMILIES)) or application)[0]
    with loaded(lab, 46) as found:
        assert lab.lab("zone", "lose", lost.rpartition("-")[2]).code == 0
        lost_at = time.time()
    for family, kind in (("ipv6", "translating"), ("ipv4", "ordinary")):
        late = [request.began - lost_at for request in failed(found[family])]
        last = f", the last of them begun {max(late):.1f} s after it" if late else ""
        record_property("measured", f"{lost} lost: of {len(found[family])} requests to the {kind} entrance ({family}) {len(late)} failed{last}")
    nobody_noticed({family: [request for request in requests if request.began >= lost_at + 20] for family, requests in found.items()}, 450)
    assert lab.lab("zone", "restore", lost.rpartition("-")[2]).code == 0
