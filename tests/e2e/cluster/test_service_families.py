"""Every change of a Service's families, tried on the real API server, against what the collection says of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import config
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import UnprocessibleEntityError

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.service_families import POLICIES, SINGLE, service_family_change
from tests.harness import Lab

State = tuple[str, tuple[str, ...]]
ORDERS = [("IPv4", "IPv6"), ("IPv6", "IPv4")]
STATES: list[State] = [(policy, order[: 1 if policy == SINGLE else 2]) for policy in POLICIES for order in ORDERS]
WANTED: list[State] = list(itertools.product(POLICIES, [(), ("IPv4",), ("IPv6",), *ORDERS]))


@pytest.fixture(scope="module")
def services(stamp: Lab) -> Iterator[Any]:
    with config.new_client_from_config(str(stamp.state.kubeconfigs()[stamp.cluster])) as client:
        yield DynamicClient(client).resources.get(api_version="v1", kind="Service")


@pytest.mark.parametrize("current", STATES)
def test_the_api_server_agrees(services: Any, current: State) -> None:
    answers, predictions = {}, {}
    for number, wanted in enumerate(WANTED):
        name = f"change-{STATES.index(current)}-{number}"
        _apply(services, name, current)
        answers[wanted] = _apply(services, name, wanted)
        services.delete(name=name, namespace="default")
        change = service_family_change(*current, *wanted)
        predictions[wanted] = (change.policy, change.families) if change.legal else None
    assert predictions == answers


def _apply(services: Any, name: str, state: State) -> State | None:
    """Declare a policy and families, by server-side apply as the role does; None when the API server refuses."""
    policy, families = state
    spec = {"ports": [{"port": 80}], "ipFamilyPolicy": policy} | ({"ipFamilies": list(families)} if families else {})
    manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"}, "spec": spec}
    try:
        found = services.server_side_apply(manifest, namespace="default", field_manager="dualstack.aks", force_conflicts=True)
    except UnprocessibleEntityError:
        return None
    return found.spec.ipFamilyPolicy, tuple(found.spec.ipFamilies)
