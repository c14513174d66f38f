# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Assess a running cluster. The documentation is in plugins/modules/assess_cluster.py."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.client import ArmClient
from ansible_collections.dualstack.aks.plugins.plugin_utils._running_cluster import (
    RUNNING_CLUSTER_OPTIONS,
    RunningClusterAction,
    folder_of,
    wishes_of,
)
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.assessment import assess, upgrade_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.files import refuse_to_replace, register_in, write
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.formats import as_json, console, markdown, page
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.ingresses import ingresses_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.inventory import inventory_of, stamp_or_reason
from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.reading import read_cluster


class ActionModule(RunningClusterAction):
    OPTIONS = {**RUNNING_CLUSTER_OPTIONS, "report_dir": {"type": "path"}}

    def result(self, client: ArmClient, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        cluster = read_cluster(client, arguments["cluster_id"])
        folder, wishes = folder_of(arguments), wishes_of(cluster, arguments)
        stamp, reason = stamp_or_reason(cluster, wishes, register_in(folder))
        found = assess(upgrade_of(cluster, arguments["network_policies"], stamp.ranges if stamp else None))
        written: list[str] = []
        inventory: list[str] = []
        if arguments["report_dir"]:
            time = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            texts = {"assessment.json": as_json(found), "assessment.md": markdown(found), "assessment.html": page(found, time)}
            written += write(Path(arguments["report_dir"]), texts)
        if folder:
            if stamp is None:
                raise AnsibleActionFail(f"{console(found)}\n\nNo inventory is written. {reason}")
            texts = inventory_of(cluster, ingresses_of(cluster), wishes, stamp)
            refuse_to_replace(folder / f"{wishes.stamp}.yml", texts[f"{wishes.stamp}.yml"])
            inventory = [] if self._task.check_mode else write(folder, texts)
        return {
            # A report says when it was written, and so differs each time.
            "changed": bool(inventory),
            "assessment": found.as_dict(),
            "table": console(found),
            "verdict": found.verdict,
            "has_chain": found.has_chain,
            "written": [*written, *inventory],
        }
