# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read what IPv4 clients of a stamp depend on, and compare it. The documentation is in plugins/modules/ipv4_state.py."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.base import AzureAction
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.client import ArmClient
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.reading import read_all, reads_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._ipv4_state import ipv4_state, state_changes
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.cluster import Cluster, KubernetesFailure
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.state import KINDS


class ActionModule(AzureAction):
    OPTIONS = {
        "cluster_id": {"type": "str", "required": True},
        "address_id": {"type": "str", "required": True},
        "kubeconfig": {"type": "dict", "required": True, "no_log": True},
        "namespace": {"type": "str", "required": True},
        "records": {"type": "dict", "default": {}},
        "before": {"type": "dict"},
    }

    def answer(self, client: ArmClient, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        state = ipv4_state({**_resources(client, arguments), **arguments["records"]}, _objects(arguments))
        changes = [] if arguments["before"] is None else state_changes(arguments["before"], state)
        if changes:
            lines = "\n".join(f"  {change}" for change in changes)
            raise AnsibleActionFail(f"IPv4 of {task_vars.get('inventory_hostname')} changed while IPv6 was switched:\n{lines}")
        return {"changed": False, "state": state}


def _resources(client: ArmClient, arguments: dict[str, Any]) -> dict[str, Any]:
    cluster = read_all(client, reads_of({"cluster": {"id": arguments["cluster_id"]}}))["cluster"]
    group = (cluster["body"].get("properties") or {}).get("nodeResourceGroup")
    if not group:
        raise AnsibleActionFail(f"{arguments['cluster_id']} cannot be read: {cluster['error'] or 'it does not exist'}.")
    subscription = str(arguments["cluster_id"]).split("/")[2]
    balancer = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/loadBalancers/kubernetes"
    return read_all(client, reads_of({"load_balancer": {"id": balancer}, "address": {"id": arguments["address_id"]}}))


def _objects(arguments: dict[str, Any]) -> list[dict[str, Any]]:
    selection = {"namespace": arguments["namespace"], "label_selector": "app.kubernetes.io/name=entrance-ipv4"}
    try:
        with Cluster(arguments["kubeconfig"]) as cluster:
            return [item for kind, api_version in KINDS.items() for item in cluster.objects(kind, api_version, **selection)]
    except KubernetesFailure as error:
        raise AnsibleActionFail(f"The IPv4 entrance cannot be read: {error}") from error
