# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write objects of a cluster without showing its token. The documentation is in plugins/modules/kubernetes_objects.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.output import MASK
from ansible_collections.dualstack.aks.plugins.plugin_utils._stages import entries_of

_MODULE = "kubernetes.core.k8s"


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars or {})
        kubeconfig = self._task.args.get("kubeconfig")
        if not isinstance(kubeconfig, Mapping):
            raise AnsibleActionFail("kubernetes_objects: kubeconfig must be a kubeconfig in memory, as entrances_info and aks_credentials return it.")
        tokens = [user["user"]["token"] for user in kubeconfig.get("users") or () if (user.get("user") or {}).get("token")]
        # Not kubernetes.core's action of the same name: when its module fails, that returns the task's arguments as they were given.
        found = self._execute_module(module_name=_MODULE, module_args=dict(self._task.args), task_vars=task_vars)
        found.pop("invocation", None)
        if self._task.diff:
            found["diff"] = differences(found)
        shown: dict[str, Any] = masked(found, tokens)
        return result | shown


def differences(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What changes of each object, for ``--diff``: of several, kubernetes.core leaves them where Ansible does not look."""
    return [
        {**entry["diff"], "before_header": name, "after_header": name}
        for entry in entries_of(found)
        if entry.get("changed") and isinstance(entry.get("diff"), Mapping)
        for name in [f"{entry['result'].get('kind', '')} {(entry['result'].get('metadata') or {}).get('name', '')}".strip()]
    ]


def masked(value: Any, secrets: list[str]) -> Any:
    """``value`` with each of these texts hidden wherever it stands."""
    if isinstance(value, Mapping):
        return {name: masked(item, secrets) for name, item in value.items()}
    if isinstance(value, list):
        return [masked(item, secrets) for item in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
    return value
