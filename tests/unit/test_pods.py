"""What stuck pods say of themselves."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.pods import pod_complaints


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "status": status}


def container(**state: Any) -> dict[str, Any]:
    return pod(containerStatuses=[{"ready": False, **state}])


def event(reason: str, name: str = "p", kind: str = "Warning") -> dict[str, Any]:
    return {"type": kind, "reason": reason, "message": "why", "involvedObject": {"name": name}}


#: pods, events -> what is told of them
COMPLAINTS: list[tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]] = [
    ([], [], []),
    ([pod()], [], []),
    ([pod(containerStatuses=[{"ready": True, "lastState": {"terminated": {"message": "long ago"}}}])], [], []),
    ([pod(conditions=[{"reason": "Unschedulable", "message": "0/3 nodes"}])], [], ["p: 0/3 nodes"]),
    ([container(state={"waiting": {"message": "pull\nbackoff"}})], [], ["p: pull backoff"]),
    ([container(lastState={"terminated": {"message": "[emerg] unknown"}}, state={"waiting": {"message": "back-off"}})], [], ["p: [emerg] unknown"]),
    ([container(state={"terminated": {"message": "ended"}})], [], ["p: ended"]),
    ([container(state={"waiting": {"reason": "ContainerCreating"}})], [event("FailedMount")], ["p: why"]),
    ([pod()], [event("FailedMount"), event("FailedMount")], ["p: why"]),
    ([pod()], [event("FailedMount", "other"), event("Unhealthy"), event("FailedMount", kind="Normal")], []),
    ([], [event("FailedCreate", "a-replica-set")], ["a-replica-set: why"]),
]


@pytest.mark.parametrize(("pods", "events", "expected"), COMPLAINTS)
def test_complaints(pods: list[dict[str, Any]], events: list[dict[str, Any]], expected: list[str]) -> None:
    assert pod_complaints(pods, events) == expected
