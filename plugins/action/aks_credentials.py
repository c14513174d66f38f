# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A kubeconfig in memory for a cluster with Microsoft Entra ID. The documentation is in plugins/modules/aks_credentials.py."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.aks import ClusterNotReady, kubeconfig, ready_cluster
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.base import AzureAction
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.client import ArmClient

_display = Display()


class ActionModule(AzureAction):
    OPTIONS = {
        "cluster_id": {"type": "str", "required": True},
        "timeout": {"type": "float", "default": 3600},
    }

    def answer(self, client: ArmClient, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        identifier, host = arguments["cluster_id"], task_vars.get("inventory_hostname", "")
        try:
            cluster = ready_cluster(
                client,
                identifier,
                arguments["timeout"],
                lambda seconds: _display.display(f"[{host}] waiting for the cluster {identifier.rsplit('/', 1)[-1]}: {seconds:.0f} s"),
                expected=not self._task.check_mode,
            )
            if cluster is None:
                return {"changed": False, "exists": False, "kubeconfig": {}}
            # The token must not reach any output, whatever the task says.
            return {"changed": False, "exists": True, "kubeconfig": kubeconfig(client, cluster), "_ansible_no_log": True}
        except ClusterNotReady as error:
            raise AnsibleActionFail(str(error)) from error
