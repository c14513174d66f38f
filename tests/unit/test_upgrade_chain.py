"""From every starting point to dual-stack: which steps, and what each changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.ranges import network_of, overlaps
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.chain import (
    CILIUM,
    DUAL_STACK,
    KINDS,
    OVERLAY,
    POLICIES,
    POLICY_NONE,
    Ranges,
    body_after,
    chain,
    changed,
    kinds_of,
    overlay_pods,
    without_ranges,
)
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.networking import Networking, networking_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.settings import POLICIES_TAG
from tests.unit.upgrade_samples import RANGES, body

IPAMS, ENGINES = ("overlay", "node_subnet", "kubenet"), ("none", "azure", "calico", "cilium")

#: where pods get their addresses, who enforces policies -> the chain that keeps policies, and the one that goes without
CHAINS: list[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = [
    ("overlay", "none", (DUAL_STACK,), (DUAL_STACK,)),
    ("overlay", "azure", (CILIUM, DUAL_STACK), (POLICY_NONE, DUAL_STACK)),
    ("overlay", "calico", (CILIUM, DUAL_STACK), (POLICY_NONE, DUAL_STACK)),
    ("overlay", "cilium", (DUAL_STACK,), (DUAL_STACK,)),
    ("node_subnet", "none", (OVERLAY, DUAL_STACK), (OVERLAY, DUAL_STACK)),
    ("node_subnet", "azure", (CILIUM, OVERLAY, DUAL_STACK), (POLICY_NONE, OVERLAY, DUAL_STACK)),
    ("node_subnet", "calico", (CILIUM, OVERLAY, DUAL_STACK), (POLICY_NONE, OVERLAY, DUAL_STACK)),
    ("node_subnet", "cilium", (OVERLAY, DUAL_STACK), (OVERLAY, DUAL_STACK)),
    ("kubenet", "none", (OVERLAY, DUAL_STACK), (OVERLAY, DUAL_STACK)),
    ("kubenet", "azure", (POLICY_NONE, OVERLAY, CILIUM, DUAL_STACK), (POLICY_NONE, OVERLAY, DUAL_STACK)),
    ("kubenet", "calico", (POLICY_NONE, OVERLAY, CILIUM, DUAL_STACK), (POLICY_NONE, OVERLAY, DUAL_STACK)),
]
#: where pods get their addresses -> the chain of a cluster without policies that is to have Cilium
WITH_CILIUM = [
    ("overlay", (CILIUM, DUAL_STACK)),
    ("node_subnet", (CILIUM, OVERLAY, DUAL_STACK)),
    ("kubenet", (OVERLAY, CILIUM, DUAL_STACK)),
]


@pytest.mark.parametrize(("ipam", "policy", "kept", "dropped"), CHAINS)
def test_chains(ipam: str, policy: str, kept: tuple[str, ...], dropped: tuple[str, ...]) -> None:
    networking = networking_of(body(ipam, policy))
    assert (networking.ipam, networking.policy, networking.families) == (ipam, policy, ("ipv4",))
    assert kinds_of(networking) == kept
    assert kinds_of(networking, "none") == dropped


def test_a_cluster_remembers_that_cilium_is_to_follow() -> None:
    """Also one whose engine is gone, and whose user says the same as before."""
    [first, *_rest] = chain(body("kubenet", "calico")) or ()
    assert (first.kind, dict(first.tags)) == (POLICY_NONE, {POLICIES_TAG: "cilium"})
    after = body_after(body("kubenet", "calico", tags={"team": "shop"}), first)
    assert after["tags"] == {"team": "shop", POLICIES_TAG: "cilium"}
    assert [step.kind for step in chain(after) or ()] == [OVERLAY, CILIUM, DUAL_STACK]
    assert [step.kind for step in chain(after, "none") or ()] == [OVERLAY, DUAL_STACK]
    assert [step.kind for step in chain(body("kubenet", tags={POLICIES_TAG: "nonsense"})) or ()] == [OVERLAY, DUAL_STACK]
    assert [dict(step.tags) for step in chain(body("kubenet", "calico"), "none") or ()] == [{}, {}, {}]


@pytest.mark.parametrize(("ipam", "kinds"), WITH_CILIUM)
def test_cilium_can_be_asked_for(ipam: str, kinds: tuple[str, ...]) -> None:
    assert kinds_of(networking_of(body(ipam)), "cilium") == kinds
    assert kinds_of(networking_of(body("overlay", "cilium")), "cilium") == (DUAL_STACK,)


@pytest.mark.parametrize("ipam", ["pod_subnet", "none"])
def test_no_chain(ipam: str) -> None:
    assert networking_of(body(ipam)).ipam == ipam
    assert chain(body(ipam)) is None


@pytest.mark.parametrize("ipam", ["overlay", "kubenet", "pod_subnet", "none"])
def test_a_dual_stack_cluster_has_nothing_to_do(ipam: str) -> None:
    assert chain(body(ipam, families=["IPv4", "IPv6"])) == ()


BALANCER = {"loadBalancerProfile.managedOutboundIPs.countIPv6": 1}
BOTH = {"podCidrs": ["10.244.0.0/16", RANGES.pods_ipv6], "serviceCidrs": ["10.0.0.0/16", RANGES.services_ipv6]}
FAMILIES = {"ipFamilies": ["IPv4", "IPv6"]}

#: cluster, ranges -> what the last step sends
DUAL_STACK_CHANGES: list[tuple[dict[str, Any], Ranges, dict[str, Any]]] = [
    (body(), RANGES, {**FAMILIES, **BOTH, **BALANCER}),
    (body(), Ranges(), {**FAMILIES, **BALANCER}),
    (body(), Ranges("", RANGES.pods_ipv6, ""), {**FAMILIES, **BALANCER}),
    (
        body(profile={"loadBalancerProfile": {"managedOutboundIPs": {"count": 2, "countIPv6": 3}}}),
        Ranges(),
        {**FAMILIES, BALANCER.copy().popitem()[0]: 3},
    ),
    (body(profile={"loadBalancerProfile": {"outboundIPs": {"publicIPs": [{"id": "/a"}]}}}), Ranges(), FAMILIES),
    (body(profile={"outboundType": "userDefinedRouting"}), Ranges(), FAMILIES),
    (body(profile={"outboundType": "userAssignedNATGateway"}), Ranges(), FAMILIES),
    (body(profile={"outboundType": "managedNATGateway"}), Ranges(), {**FAMILIES, "natGatewayProfile.managedOutboundIPProfile.countIPv6": 1}),
    (
        body("node_subnet"),
        RANGES,
        {**FAMILIES, **BOTH, "podCidrs": [RANGES.pods_ipv4, RANGES.pods_ipv6], **BALANCER},
    ),
]


@pytest.mark.parametrize(("cluster", "ranges", "change"), DUAL_STACK_CHANGES)
def test_what_the_last_step_sends(cluster: dict[str, Any], ranges: Ranges, change: dict[str, Any]) -> None:
    assert [dict(step.change) for step in chain(cluster, ranges=ranges) or ()][-1] == change


#: cluster -> what the step to overlay sends: kubenet keeps the range of its pods
OVERLAYS = [
    (body("kubenet"), RANGES, {"networkPlugin": "azure", "networkPluginMode": "overlay"}),
    (body("node_subnet"), RANGES, {"networkPlugin": "azure", "networkPluginMode": "overlay", "podCidr": "10.128.0.0/16"}),
    (body("node_subnet"), Ranges(), {"networkPlugin": "azure", "networkPluginMode": "overlay", "podCidr": "10.244.0.0/16"}),
]


@pytest.mark.parametrize(("cluster", "ranges", "change"), OVERLAYS)
def test_what_the_step_to_overlay_sends(cluster: dict[str, Any], ranges: Ranges, change: dict[str, Any]) -> None:
    [first, *_rest] = chain(cluster, ranges=ranges) or ()
    assert (first.kind, dict(first.change)) == (OVERLAY, change)


def test_ranges_can_be_left_to_azure() -> None:
    [step] = chain(body(), ranges=RANGES) or ()
    assert dict(without_ranges(step).change) == {**FAMILIES, **BALANCER}
    assert without_ranges(step).after == step.after


CLUSTERS = st.builds(
    body,
    st.sampled_from(IPAMS),
    st.sampled_from(ENGINES),
    profile=st.sampled_from(({}, {"outboundType": "userDefinedRouting"}, {"outboundType": "managedNATGateway"})),
)
ANY_POLICIES = st.sampled_from(POLICIES)
ANY_RANGES = st.sampled_from((RANGES, Ranges()))


@given(CLUSTERS, ANY_POLICIES, ANY_RANGES)
def test_a_step_never_changes_addresses_and_data_plane_at_once(cluster: dict[str, Any], policies: str, ranges: Ranges) -> None:
    before = networking_of(cluster)
    for step in chain(cluster, policies, ranges) or ():
        assert before.ipam == step.after.ipam or before.dataplane == step.after.dataplane
        assert before != step.after
        # An engine that dual-stack cannot have is gone before pods move and before IPv6 comes.
        assert step.kind not in (OVERLAY, DUAL_STACK) or not before.has_engine
        before = step.after


@given(CLUSTERS, ANY_POLICIES, ANY_RANGES)
def test_after_the_last_step_nothing_is_left_to_do(cluster: dict[str, Any], policies: str, ranges: Ranges) -> None:
    steps = chain(cluster, policies, ranges)
    assert steps
    now = cluster
    for number, step in enumerate(steps):
        now = changed(now, step.change)
        assert networking_of(now) == step.after
        # Whoever is stopped between two steps goes on where it was.
        rest = chain(now, policies, ranges)
        forgets = policies == "keep" and POLICY_NONE in [item.kind for item in steps]
        assert [item.kind for item in rest or ()] == [item.kind for item in steps[number + 1 :]] or forgets
    assert chain(now) == ()
    after = networking_of(now)
    assert (after.ipam, after.families) == ("overlay", ("ipv4", "ipv6"))
    enforced = networking_of(cluster).policy != "none"
    assert after.policy == {"cilium": "cilium", "keep": "cilium" if enforced else "none"}.get(policies, after.policy)
    assert not after.has_engine


@given(CLUSTERS)
def test_a_change_leaves_everything_else(cluster: dict[str, Any]) -> None:
    [*_others, last] = chain(cluster, ranges=RANGES) or ()
    now = changed(cluster, last.change)
    assert {name: value for name, value in now["properties"].items() if name != "networkProfile"} == {
        name: value for name, value in cluster["properties"].items() if name != "networkProfile"
    }
    kept = set(cluster["properties"]["networkProfile"]) - {path.partition(".")[0] for path in last.change}
    assert {name: now["properties"]["networkProfile"][name] for name in kept} == {
        name: cluster["properties"]["networkProfile"][name] for name in kept
    }


@given(st.builds(Networking, st.sampled_from(IPAMS), st.just("azure"), st.sampled_from(ENGINES)), ANY_POLICIES)
def test_each_step_comes_once_and_dual_stack_last(networking: Networking, policies: str) -> None:
    found = kinds_of(networking, policies)
    assert found and found[-1] == DUAL_STACK and len(set(found)) == len(found) and set(found) <= set(KINDS)


def test_names_have_no_case() -> None:
    spelled = body("overlay", "none", profile={"networkPlugin": "AZURE", "networkPluginMode": "Overlay", "networkPolicy": "Calico"})
    assert networking_of(spelled) == Networking("overlay", "azure", "calico")


#: cluster, nodes, what is taken -> the range of pods
PODS: list[tuple[dict[str, Any], int, list[str], str]] = [
    (body("kubenet"), 3, ["10.244.0.0/16"], "10.244.0.0/16"),
    (body("node_subnet"), 3, ["10.0.0.0/16", "fd00::/64"], "10.244.0.0/16"),
    (body("node_subnet"), 3, ["10.240.0.0/12"], "10.128.0.0/16"),
    (body("node_subnet"), 256, [], "10.244.0.0/16"),
    (body("node_subnet"), 257, [], "10.128.0.0/15"),
    (body("node_subnet"), 3, ["10.0.0.0/8"], "172.28.0.0/16"),
    (body("node_subnet"), 3, ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"], ""),
]


@pytest.mark.parametrize(("cluster", "nodes", "taken", "pods"), PODS)
def test_a_range_for_pods(cluster: dict[str, Any], nodes: int, taken: list[str], pods: str) -> None:
    assert overlay_pods(cluster, nodes, taken) == pods


@given(st.lists(st.sampled_from(["10.0.0.0/8", "10.128.0.0/10", "10.240.0.0/12", "172.16.0.0/14", "192.168.0.0/24"])), st.integers(1, 5000))
def test_a_range_for_pods_touches_nothing_and_has_room(taken: list[str], nodes: int) -> None:
    found = overlay_pods(body("node_subnet"), nodes, taken)
    if found:
        network = network_of(found)
        assert not any(overlaps(network, network_of(text)) for text in (*taken, "172.30.0.0/16", "172.31.0.0/16"))
        assert 2 ** (24 - network.prefixlen) >= nodes


def test_the_guide_has_the_same_chains() -> None:
    page = (Path(__file__).parents[2] / "docs" / "docsite" / "rst" / "running_cluster.rst").read_text()
    chains = {(ipam, policy): kept for ipam, policy, kept, _dropped in CHAINS}
    for ipam, label in (("overlay", "Azure CNI Overlay"), ("node_subnet", "the nodes' subnet"), ("kubenet", "kubenet")):
        cells = [", ".join(f"``{kind}``" for kind in chains[ipam, policy]) for policy in ("none", "azure", "calico")]
        assert "\n     - ".join([f"   * - {label}", *cells]) in page
