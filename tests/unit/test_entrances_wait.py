"""How long a run waits for the entrances, and what it reports when they do not come up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.dualstack.aks.plugins.action import entrances_wait
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.cluster import KubernetesFailure

ARGUMENTS = {"namespace": "ours", "entrances": {"entrance-ipv6": "2001:db8:f::10"}, "min_replicas": 2, "timeout": 10.0}
READY = {
    "metadata": {"name": "entrance-ipv6", "generation": 1},
    "spec": {"replicas": 2},
    "status": {"observedGeneration": 1, "updatedReplicas": 2, "replicas": 2, "availableReplicas": 2},
}
ADDRESSED = {"metadata": {"name": "entrance-ipv6"}, "status": {"loadBalancer": {"ingress": [{"ip": "2001:db8:f::10"}]}}}
POD = {"metadata": {"name": "entrance-ipv6-1"}, "status": {"conditions": [{"reason": "Unschedulable", "message": "0/3 nodes"}]}}
SOCKETS = "  0: 0:1F90 0:0000 0A 0\n  1: 0:1F90 0:D431 01 0"


class Answers:
    """A cluster that gives each kind's answers in their order, and the last one from then on; a failure is raised."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = answers
        self.asked = 0

    def objects(self, kind: str, *_arguments: str, **_selection: str) -> Any:
        return self._next(kind)

    def output_of(self, *_arguments: Any, **_selection: Any) -> Any:
        return self._next("output")

    def _next(self, kind: str) -> Any:
        self.asked += 1
        answers = self.answers.get(kind, [[]])
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Time passes only while something sleeps."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.append(now.pop() + seconds))
    yield now


@pytest.fixture
def action() -> Any:
    made = object.__new__(entrances_wait.ActionModule)
    made._stamp = "westeurope"
    return made


REFUSED = KubernetesFailure(503, "the server is starting")


@pytest.mark.parametrize("answers", [[[READY]], [[], [], [READY]], [[], REFUSED, REFUSED, [READY]]])
def test_rolled_out(action: Any, answers: list[Any]) -> None:
    action._roll_out(Answers(Deployment=list(answers)), ARGUMENTS)


def test_not_rolled_out_in_time(action: Any, clock: list[float]) -> None:
    with pytest.raises(AnsibleActionFail) as caught:
        action._roll_out(Answers(Deployment=[[]], Pod=[[POD]]), ARGUMENTS)
    assert "after 10 s" in str(caught.value) and "entrance-ipv6-1: 0/3 nodes" in str(caught.value)
    assert "kubectl rollout undo deployment/entrance-ipv6 --namespace ours" in str(caught.value)
    assert clock[0] == 10


def test_a_cluster_that_stays_silent(action: Any) -> None:
    with pytest.raises(KubernetesFailure, match="starting"):
        action._roll_out(Answers(Deployment=[REFUSED]), ARGUMENTS)


def test_addressed(action: Any) -> None:
    action._be_addressed(Answers(Service=[[], [ADDRESSED]]), ARGUMENTS)
    with pytest.raises(AnsibleActionFail, match="entrance-ipv6 did not get its public address within 10 s"):
        action._be_addressed(Answers(Service=[[]]), ARGUMENTS)


@pytest.mark.parametrize(
    ("pods", "outputs", "left"),
    [
        ([[]], [""], 0),
        ([[POD]], [SOCKETS, ""], 0),
        ([[POD]], [SOCKETS], 1),
        # A proxy that ended meanwhile is no longer listed.
        ([[POD], []], [REFUSED], 0),
        ([[POD]], [REFUSED], 1),
    ],
)
def test_drained(action: Any, pods: list[Any], outputs: list[Any], left: int) -> None:
    assert action._drain(Answers(Pod=list(pods), output=list(outputs)), ARGUMENTS) == left


def test_looked_at_once_however_short_the_time(action: Any) -> None:
    cluster = Answers(Deployment=[[READY]])
    action._roll_out(cluster, {**ARGUMENTS, "timeout": 0.0})
    assert cluster.asked == 1
