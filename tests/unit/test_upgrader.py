"""How a run ends that Azure or a budget stops: what it names, and what it tells meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.errors import ArmFailure, StatusUnknown, TimedOut
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.cluster import KubernetesFailure
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade import watching
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.inventory import Wishes
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.reading import Closed
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.run import Order, Run, Stopped
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.upgrader import Upgrader
from tests.unit.test_upgrade_progress import budget, node, pod
from tests.unit.upgrade_samples import CLUSTER_ID, body, running

DUAL = body(families=["IPv4", "IPv6"])
FAILED = body(
    properties={"provisioningState": "Failed", "status": {"provisioningError": {"code": "UpgradeFailed", "message": "Drain node x failed."}}}
)


class Azure:
    """A cluster, and how the operation of a write ends."""

    def __init__(self, live: Mapping[str, Any], ends: Exception | None = None) -> None:
        self.live, self._ends = dict(live), ends

    def get(self, _identifier: str, _version: str) -> dict[str, Any]:
        return self.live

    def settle(self, _identifier: str, _version: str, live: dict[str, Any], *_arguments: Any) -> dict[str, Any]:
        return live

    def wait(self, _answer: Any, _timeout: float, progress: Any) -> None:
        progress(15)
        if self._ends:
            raise self._ends


class Server:
    """An API server with these objects, or one that refuses."""

    def __init__(self, objects: Mapping[str, list[Any]], failure: KubernetesFailure | None = None) -> None:
        self._objects, self._failure = objects, failure

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_exception: object) -> None: ...

    def objects(self, kind: str, *_version: str) -> list[Any]:
        if self._failure:
            raise self._failure
        return self._objects.get(kind, [])


def run(monkeypatch: pytest.MonkeyPatch, azure: Azure, server: Server | None) -> tuple[Upgrader, list[str]]:
    def connect(*_arguments: object) -> Server:
        if server is None:
            raise Closed("it does not use Entra ID")
        return server

    monkeypatch.setattr(watching, "connect", connect)
    monkeypatch.setattr(watching, "_VERIFY_SECONDS", 0)
    shown: list[str] = []
    client: Any = azure
    order = Order(CLUSTER_ID, "keep", ("dual_stack",), {}, {}, lambda _cluster: Wishes("westeurope", "example"), None, 60)
    return Upgrader(Run(client, order, shown.append)), shown


KEPT = Server({"Node": [node()], "Pod": [pod()], "PodDisruptionBudget": [budget()]})
#: how the operation ends, what the cluster is then, whether objects can be read -> words of the message; empty where the run goes on
ENDS: list[tuple[Exception | None, dict[str, Any], Server | None, str]] = [
    (None, DUAL, KEPT, ""),
    (StatusUnknown(0, "ServiceRequestError", "reset"), DUAL, KEPT, ""),
    (
        ArmFailure(200, "UpgradeFailed", "Drain node x failed."),
        FAILED,
        KEPT,
        "dual_stack stopped: UpgradeFailed: Drain node x failed. Now kept: pod apps/web on aks-apps-0 by PodDisruptionBudget apps/web. Allow an",
    ),
    (None, FAILED, None, "dual_stack stopped: UpgradeFailed: Drain node x failed. Allow an eviction"),
    (
        ArmFailure(200, "InternalError", "Sorry."),
        body(properties={"provisioningState": "Failed"}),
        None,
        "dual_stack stopped: InternalError: Sorry. Remove the cause, then run the same command again",
    ),
    (TimedOut(), DUAL, KEPT, "dual_stack is still running after 60 s. Run the same command again"),
]


@pytest.mark.parametrize(("ends", "live", "server", "words"), ENDS)
def test_how_an_operation_ends(
    monkeypatch: pytest.MonkeyPatch, ends: Exception | None, live: dict[str, Any], server: Server | None, words: str
) -> None:
    found, shown = run(monkeypatch, Azure(live, ends), server)
    if words:
        with pytest.raises(Stopped) as stopped:
            found._await(SimpleNamespace(), body(), "dual_stack", ["old"])
        assert words in str(stopped.value)
    else:
        found._await(SimpleNamespace(), body(), "dual_stack", ["old"])
    told = "apps: 0 of 1 nodes are new" if server else "system: Succeeded"
    assert len(shown) == 1 and shown[0].startswith("dual_stack, ") and told in shown[0]


#: objects -> the run's verdict, or why it stops
VERIFIED: list[tuple[Server | None, str, bool]] = [
    (Server({"Node": [node()], "Pod": [pod()]}), "shop is dual-stack: 1 nodes and the pods on them have addresses of both families.", True),
    (None, "Its nodes and pods could not be verified: it does not use Entra ID.", True),
    (Server({}, KubernetesFailure(403, "nodes is forbidden")), "could not be verified: nodes is forbidden.", True),
    (Server({"Node": [node(addresses=["10.77.4.4"])]}), "- node aks-apps-0: its internal addresses are 10.77.4.4", False),
    (Server({}, KubernetesFailure(0, "no route to host")), "- no route to host", False),
]


@pytest.mark.parametrize(("server", "words", "passes"), VERIFIED)
def test_verification(monkeypatch: pytest.MonkeyPatch, server: Server | None, words: str, passes: bool) -> None:
    found, _shown = run(monkeypatch, Azure(DUAL), server)
    if passes:
        found._watch.verify(running(DUAL))
        assert words in found._run.report.verdict
    else:
        with pytest.raises(Stopped, match=r"shop is dual-stack, but:\n") as stopped:
            found._watch.verify(running(DUAL))
        assert words in str(stopped.value)


def test_a_pool_that_failed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    live = body(families=["IPv4", "IPv6"], pools=[{"provisioningState": "Failed"}])
    found, _shown = run(monkeypatch, Azure(live), Server({}))
    with pytest.raises(Stopped, match="pool system: its state is Failed"):
        found._watch.verify(running(live))
