# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Wait for the entrances of a cluster. The documentation is in plugins/modules/entrances_wait.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.waiting import Wait
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.cluster import Cluster, KubernetesFailure
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.connections import client_connections
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.pods import pod_complaints
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.state import rolling_out, unused_configurations, without_address
from ansible_collections.dualstack.aks.plugins.plugin_utils._libraries import MISSING

_display = Display()
#: seconds between two looks at the cluster; counting connections begins a process in each pod
_PAUSE, _PAUSE_OF_DRAIN = 2, 5
_LABEL = "app.kubernetes.io/part-of=dualstack"
#: the proxies' ports for health checks and metrics: who is connected to these is no client
_OWN_PORTS = (8081, 9113)
#: both tables of connections; only a shell is sure to be in the image
_CONNECTIONS = ("sh", "-c", 'for table in /proc/net/tcp6 /proc/net/tcp; do while read -r line; do echo "$line"; done < $table; done')


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    TRANSFERS_FILES = False
    _supports_check_mode = True
    _requires_connection = False
    OPTIONS: dict[str, dict[str, Any]] = {
        "kubeconfig": {"type": "dict", "required": True, "no_log": True},
        "namespace": {"type": "str", "required": True},
        "conditions": {"type": "list", "elements": "str", "choices": ["rolled_out", "addressed", "drained"], "required": True},
        "entrances": {"type": "dict", "required": True},
        "min_replicas": {"type": "int", "default": 1},
        "timeout": {"type": "float", "default": 600},
        "find_unused": {"type": "bool", "default": False},
    }

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        if MISSING:
            raise AnsibleActionFail(MISSING)
        result: dict[str, Any] = super().run(tmp, task_vars or {}) | {"changed": False, "unused_configurations": [], "connections": 0}
        _unused, arguments = self.validate_argument_spec(argument_spec=self.OPTIONS)
        self._stamp = str((task_vars or {}).get("inventory_hostname", ""))
        if self._task.check_mode:
            return result
        with Cluster(arguments["kubeconfig"]) as cluster:
            try:
                if "rolled_out" in arguments["conditions"]:
                    self._roll_out(cluster, arguments)
                if "addressed" in arguments["conditions"]:
                    self._be_addressed(cluster, arguments)
                if "drained" in arguments["conditions"]:
                    result["connections"] = self._drain(cluster, arguments)
                if arguments["find_unused"]:
                    result["unused_configurations"] = unused_configurations(
                        cluster.objects("ConfigMap", namespace=arguments["namespace"], label_selector=_LABEL),
                        cluster.objects("ReplicaSet", "apps/v1", namespace=arguments["namespace"], label_selector=_LABEL),
                    )
            except KubernetesFailure as error:
                raise AnsibleActionFail(f"{self._stamp}: the cluster did not answer: {error}") from error
        return result

    def _roll_out(self, cluster: Cluster, arguments: Mapping[str, Any]) -> None:
        namespace, names = arguments["namespace"], list(arguments["entrances"])

        def unfinished() -> list[str]:
            deployments = cluster.objects("Deployment", "apps/v1", namespace=namespace, label_selector=_LABEL)
            return list(rolling_out(deployments, names, arguments["min_replicas"]))

        waiting = self._wait("the proxies of", arguments["timeout"], _PAUSE, unfinished)
        if waiting:
            complaints = pod_complaints(cluster.objects("Pod", namespace=namespace), cluster.objects("Event", namespace=namespace))
            reason = "; ".join(complaints) or f"No pod reports a reason: see kubectl describe pods --namespace {namespace}"
            undo = " and ".join(f"kubectl rollout undo deployment/{name} --namespace {namespace}" for name in waiting)
            raise AnsibleActionFail(
                f"{self._stamp}: not all new proxies in {namespace} are ready after {arguments['timeout']:.0f} s; those of the last good "
                f"configuration keep serving. {reason}. Remedy: correct the variable behind this error and run again, or roll back with {undo}."
            )

    def _be_addressed(self, cluster: Cluster, arguments: Mapping[str, Any]) -> None:
        namespace = arguments["namespace"]
        waiting = self._wait(
            "the public address of",
            arguments["timeout"],
            _PAUSE,
            lambda: without_address(cluster.objects("Service", namespace=namespace, label_selector=_LABEL), arguments["entrances"]),
        )
        if waiting:
            raise AnsibleActionFail(
                f"{self._stamp}: {' and '.join(waiting)} did not get {'its' if len(waiting) == 1 else 'their'} public address within "
                f"{arguments['timeout']:.0f} s. For the reason, see kubectl describe service {' '.join(waiting)} --namespace {namespace}. "
                "Often the cluster's identity lacks Network Contributor on the resource group of the address."
            )

    def _drain(self, cluster: Cluster, arguments: Mapping[str, Any]) -> int:
        """Connections that are left; what is left at the deadline ends with the proxies."""
        left = 0

        def connected() -> list[str]:
            nonlocal left
            counts = _clients(cluster, arguments["namespace"], list(arguments["entrances"]))
            left = sum(counts.values())
            return [name for name, count in counts.items() if count]

        self._wait("the clients of", arguments["timeout"], _PAUSE_OF_DRAIN, connected)
        return left

    def _wait(self, what: str, timeout: float, pause: float, look: Callable[[], Sequence[str]]) -> Sequence[str]:
        """Look until nothing is left to wait for; what is left at the deadline. A look that fails is repeated until then, and raised after it."""
        waiting: Sequence[str] = ()
        failure: KubernetesFailure | None = None

        def report(seconds: float) -> None:
            _display.display(f"[{self._stamp}] waiting for {failure or f'{what} {" and ".join(waiting)}'}: {seconds:.0f} s")

        wait = Wait(timeout, report)
        while True:
            try:
                waiting, failure = look(), None
            except KubernetesFailure as error:
                failure = error
            if failure is None and not waiting:
                return waiting
            if wait.is_over:
                if failure is not None:
                    raise failure
                return waiting
            wait.sleep(pause)


def _clients(cluster: Cluster, namespace: str, entrances: Sequence[str]) -> dict[str, int]:
    """Running proxy -> connections of clients. A proxy that cannot tell is taken to have one."""
    selector = f"app.kubernetes.io/name in ({','.join(entrances)})"
    found = {}
    for pod in cluster.objects("Pod", namespace=namespace, label_selector=selector, field_selector="status.phase=Running"):
        name = pod["metadata"]["name"]
        try:
            found[name] = client_connections(cluster.output_of(_CONNECTIONS, namespace=namespace, pod=name, container="nginx"), *_OWN_PORTS)
        except KubernetesFailure:
            found[name] = 1
    return found
