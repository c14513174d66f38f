# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make a running cluster dual-stack. The documentation is in plugins/modules/upgrade_cluster.py."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.client import ArmClient
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.output import diff_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._running_cluster import (
    RUNNING_CLUSTER_OPTIONS,
    RunningClusterAction,
    folder_of,
    wishes_of,
)
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.chain import KINDS
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.run import Order, Run, Stopped
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.upgrader import Upgrader

_display = Display()


class ActionModule(RunningClusterAction):
    OPTIONS = {
        **RUNNING_CLUSTER_OPTIONS,
        "acknowledge": {"type": "list", "elements": "str", "choices": list(KINDS), "default": []},
        "pool_settings": {"type": "dict", "default": {}},
        "ipv6_prefixes": {"type": "dict", "default": {}},
        "timeout": {"type": "float", "default": 21600},
    }

    def result(self, client: ArmClient, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        order = Order(
            cluster_id=arguments["cluster_id"],
            policies=arguments["network_policies"],
            acknowledged=tuple(arguments["acknowledge"]),
            settings=arguments["pool_settings"],
            prefixes=arguments["ipv6_prefixes"],
            wishes=lambda cluster: wishes_of(cluster, arguments),
            folder=folder_of(arguments),
            timeout=arguments["timeout"],
            check=self._task.check_mode,
        )
        try:
            report = Upgrader(Run(client, order, _display.display)).run()
        except Stopped as error:
            # Ansible would append the text of each cause, which this one has already.
            raise AnsibleActionFail(str(error)) from None
        result: dict[str, Any] = {
            "changed": bool(report.writes or report.files),
            "table": report.table,
            "verdict": report.verdict,
            "steps": report.steps,
            "writes": report.writes,
            "written": report.files,
            "unseen": report.unseen,
            "ranges": report.ranges,
        }
        if self._task.diff:
            result["diff"] = [diff_of(outcome) for outcome in report.outcomes]
        return result
