"""A kubeconfig in memory for a cluster with Microsoft Entra ID. The documentation is in plugins/modules/aks_credentials.py."""

from __future__ import annotations

import base64
from typing import Any

import yaml
from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.base import AzureAction
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.client import ArmClient, failure_of, state_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.errors import ArmFailure, TimedOut
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.types import known
from ansible_collections.dualstack.aks.plugins.plugin_utils._workers import load_lookup

_display = Display()
#: application id of the AKS server in every tenant (learn.microsoft.com/azure/aks/kubelogin-authentication)
_AKS_SERVER = "6dae42f8-4368-4678-94ff-3960e28e3630"
_CLUSTER = "Microsoft.ContainerService/managedClusters"

# Whoever asks for a kubeconfig is about to use it.
load_lookup("kubernetes.core.k8s")


class ActionModule(AzureAction):
    OPTIONS = {
        "cluster_id": {"type": "str", "required": True},
        "timeout": {"type": "float", "default": 3600},
    }

    def answer(self, client: ArmClient, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        try:
            cluster = self._cluster(client, arguments, task_vars)
            if cluster is None:
                return {"changed": False, "exists": False, "kubeconfig": {}}
            # The token must not reach any output, whatever the task says.
            return {"changed": False, "exists": True, "kubeconfig": _kubeconfig(client, cluster), "_ansible_no_log": True}
        except ArmFailure as error:
            raise AnsibleActionFail(f"{arguments['cluster_id']}: {error.code}: {error.message}") from error
        except TimedOut as error:
            raise AnsibleActionFail(
                f"{arguments['cluster_id']} is not ready after {arguments['timeout']:.0f} s. Run again: the operation under way is joined."
            ) from error

    def _cluster(self, client: ArmClient, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any] | None:
        """The cluster once nothing is changing it; None in check mode when there is none yet, or it is not ready."""
        facts = known(_CLUSTER)
        assert facts is not None
        identifier = arguments["cluster_id"]
        cluster = client.get(identifier, facts.api_version)
        if self._task.check_mode and (cluster is None or state_of(cluster) == "Creating"):
            return None
        if cluster is None:
            raise AnsibleActionFail(f"{identifier} does not exist. Run the role aks first.")
        host = task_vars.get("inventory_hostname", "")
        cluster = client.settle(
            identifier,
            facts.api_version,
            cluster,
            arguments["timeout"],
            lambda seconds: _display.display(f"[{host}] waiting for the cluster {identifier.rsplit('/', 1)[-1]}: {seconds:.0f} s"),
        )
        if cluster is None or state_of(cluster) == "Failed":
            reason = failure_of(cluster) if cluster else ""
            raise AnsibleActionFail(f"{identifier} failed to provision{reason}. Run the role aks again: it puts a failed cluster again.")
        return cluster


def _kubeconfig(client: ArmClient, cluster: dict[str, Any]) -> dict[str, Any]:
    """Server and CA from AKS, and a token of the task's own credentials: never a client key."""
    facts = known(_CLUSTER)
    assert facts is not None
    answer = client.post(f"{cluster['id']}/listClusterUserCredential", facts.api_version)
    given = yaml.safe_load(base64.b64decode(answer["kubeconfigs"][0]["value"]))
    name = given["clusters"][0]["name"]
    token = client.login.credential.get_token(f"{_AKS_SERVER}/.default").token
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": given["clusters"][0]["cluster"]}],
        "users": [{"name": "entra", "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "entra"}}],
        "current-context": name,
    }
