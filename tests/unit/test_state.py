"""What a cluster has of the entrances, and what a run does about IPv6."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.state import (
    Ipv6State,
    entrances_in,
    ipv6_state,
    is_first_build,
    rolling_out,
    unused_configurations,
    without_address,
)

NAMES = ["entrance-ipv6", "entrance-ipv4"]
BOTH, FOUR, SIX = set(NAMES), {"entrance-ipv4"}, {"entrance-ipv6"}


def deployment(name: str, wanted: int = 2, **status: int) -> dict[str, Any]:
    whole = {"observedGeneration": 3, "updatedReplicas": wanted, "replicas": wanted, "availableReplicas": wanted}
    return {"metadata": {"name": name, "generation": 3}, "spec": {"replicas": wanted}, "status": whole | status}


@pytest.mark.parametrize(
    ("found", "waiting"),
    [
        ([deployment("entrance-ipv4"), deployment("entrance-ipv6")], []),
        ([deployment("entrance-ipv4")], ["entrance-ipv6"]),
        ([], NAMES),
        ([deployment("entrance-ipv4", observedGeneration=2), deployment("entrance-ipv6")], ["entrance-ipv4"]),
        ([deployment("entrance-ipv4", updatedReplicas=1), deployment("entrance-ipv6", availableReplicas=1)], ["entrance-ipv6", "entrance-ipv4"]),
        # Old ones that end are counted until they have.
        ([deployment("entrance-ipv4", replicas=3), deployment("entrance-ipv6")], ["entrance-ipv4"]),
        # The autoscaler has not come to it yet.
        ([deployment("entrance-ipv4"), deployment("entrance-ipv6", 1)], ["entrance-ipv6"]),
        ([deployment("entrance-ipv4", 7), {**deployment("entrance-ipv6"), "status": {}}], ["entrance-ipv6"]),
        ([deployment("entrance-ipv4"), deployment("entrance-ipv6"), deployment("somebody's", 1)], []),
    ],
)
def test_who_is_still_rolling_out(found: list[dict[str, Any]], waiting: list[str]) -> None:
    assert rolling_out(found, NAMES, 2) == waiting


@pytest.mark.parametrize(
    ("given", "waiting"),
    [
        ({"entrance-ipv4": ["203.0.113.10"], "entrance-ipv6": ["2001:db8:f::10"]}, []),
        ({"entrance-ipv4": ["203.0.113.99"], "entrance-ipv6": ["2001:db8:f::10"]}, ["entrance-ipv4"]),
        ({"entrance-ipv4": ["203.0.113.10"], "entrance-ipv6": []}, ["entrance-ipv6"]),
        ({}, ["entrance-ipv6", "entrance-ipv4"]),
    ],
)
def test_whose_service_has_no_address_yet(given: dict[str, list[str]], waiting: list[str]) -> None:
    services = [
        {"metadata": {"name": name}, "status": {"loadBalancer": {"ingress": [{"ip": address} for address in found]} if found else {}}}
        for name, found in given.items()
    ]
    assert without_address(services, {"entrance-ipv6": "2001:db8:f::10", "entrance-ipv4": "203.0.113.10"}) == waiting


def service(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {label.replace("_", "-"): value for label, value in labels.items()} or None}}


def test_only_services_of_ours_are_entrances() -> None:
    ours = {"metadata": {"name": "entrance-ipv4", "labels": {"app.kubernetes.io/managed-by": "dualstack.aks"}}}
    theirs = {"metadata": {"name": "entrance-ipv6", "labels": {"app.kubernetes.io/managed-by": "Helm"}}}
    assert entrances_in([ours, theirs, service("shop"), service("bare", team="web")]) == {"entrance-ipv4"}


#: mode, upstream, deployed entrances, whether the namespace exists -> whether this is the first build
FIRST_BUILDS: list[tuple[str, str, set[str], bool, bool]] = [
    ("nat64", "services", set(), False, True),
    ("nat64", "services", set(), True, True),
    # IPv6 comes first, so a build that was killed after it goes on.
    ("nat64", "services", SIX, True, True),
    ("nat64", "services", FOUR, True, False),
    ("nat64", "services", BOTH, True, False),
    ("nat46", "ingress", set(), True, True),
    ("nat46", "ingress", FOUR, True, False),
    # The running ingress has IPv4: only the namespace tells.
    ("nat64", "ingress", set(), True, False),
    ("nat64", "ingress", set(), False, True),
]


@pytest.mark.parametrize(("mode", "upstream", "deployed", "namespace_exists", "expected"), FIRST_BUILDS)
def test_first_build(mode: str, upstream: str, deployed: set[str], namespace_exists: bool, expected: bool) -> None:
    assert is_first_build(mode, upstream, deployed, namespace_exists=namespace_exists) is expected


HOLD = "disabled since 2026-11-24T11:00:00Z: ticket 4711"
#: desired, existing entrances, hold, consent, mode and upstream -> actual, action
STATES: list[tuple[str, set[str], str, bool, tuple[str, str], tuple[str, str]]] = [
    ("enabled", BOTH, "", False, ("nat64", "services"), ("enabled", "converge")),
    ("disabled", FOUR, "", False, ("nat64", "services"), ("disabled", "converge")),
    ("disabled", BOTH, "", False, ("nat64", "services"), ("enabled", "leave")),
    ("enabled", FOUR, "", False, ("split", "services"), ("disabled", "leave")),
    ("disabled", BOTH, "", True, ("nat64", "services"), ("enabled", "flip")),
    ("enabled", FOUR, "", True, ("nat64", "services"), ("disabled", "flip")),
    # A hold goes before consent.
    ("enabled", FOUR, HOLD, True, ("nat64", "services"), ("disabled", "leave")),
    ("enabled", BOTH, HOLD, False, ("nat64", "services"), ("enabled", "leave")),
    # A first build is no switch, held or not.
    ("enabled", set(), HOLD, False, ("nat64", "services"), ("disabled", "converge")),
    ("disabled", SIX, "", False, ("nat64", "services"), ("enabled", "converge")),
    # The running ingress has IPv6.
    ("enabled", FOUR, "", False, ("nat46", "ingress"), ("disabled", "converge")),
    ("disabled", SIX, "", False, ("nat64", "ingress"), ("enabled", "leave")),
]


def state(existing: set[str], *, deployed: set[str] | None = None, **changes: Any) -> Ipv6State:
    """Of a stamp that has these entrances whole, or with the Deployments of these others."""
    given: dict[str, Any] = {"mode": "nat64", "upstream": "services", "desired": "enabled", "hold": "", "consent": False, **changes}
    return ipv6_state("westeurope", existing=existing, deployed=existing if deployed is None else deployed, namespace_exists=True, **given)


@pytest.mark.parametrize("existing", [FOUR, BOTH])
def test_a_first_build_that_was_killed_behind_a_service_goes_on(existing: set[str]) -> None:
    assert state(existing, deployed=set()).action == "converge"


@pytest.mark.parametrize(("desired", "existing", "hold", "consent", "entrances", "expected"), STATES)
def test_ipv6_state(desired: str, existing: set[str], hold: str, consent: bool, entrances: tuple[str, str], expected: tuple[str, str]) -> None:
    mode, upstream = entrances
    found = state(existing, mode=mode, upstream=upstream, desired=desired, hold=hold, consent=consent)
    assert (found.actual, found.action) == expected
    assert (found.desired, found.hold) == (desired, hold)


@pytest.mark.parametrize(
    ("hold", "words", "absent"),
    [
        (
            "",
            ["IPv6 is enabled and the inventory declares it disabled", "toggle_ipv6 -e dualstack_ipv6=disabled --limit westeurope, or site.yml"],
            "held",
        ),
        (
            HOLD,
            [f"IPv6 is enabled and held in that state ({HOLD})", "toggle_ipv6 -e dualstack_ipv6=disabled --limit westeurope"],
            "dualstack_ipv6_flip",
        ),
    ],
)
def test_message(hold: str, words: list[str], absent: str) -> None:
    found = state(BOTH, desired="disabled", hold=hold)
    assert [word for word in words if word not in found.message] == []
    assert absent not in found.message


def replica_set(*config_maps: str) -> dict[str, Any]:
    volumes = [{"name": "tmp", "emptyDir": {}}, *({"name": name, "configMap": {"name": name}} for name in config_maps)]
    return {"spec": {"template": {"spec": {"volumes": volumes}}}}


@pytest.mark.parametrize(
    ("replica_sets", "unused"),
    [
        ([], ["one", "two"]),
        ([replica_set("one")], ["two"]),
        ([replica_set("one"), replica_set("two"), replica_set()], []),
        ([{"spec": {"template": {"spec": {}}}}], ["one", "two"]),
    ],
)
def test_unused_configurations(replica_sets: list[dict[str, Any]], unused: list[str]) -> None:
    found = unused_configurations([{"metadata": {"name": name}} for name in ("one", "two")], replica_sets)
    assert found == [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}} for name in unused]
