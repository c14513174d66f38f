# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bring a set of Azure resources to what is declared. The documentation is in plugins/modules/azure_resources.py."""

from __future__ import annotations

import time
from typing import Any

from ansible.utils.display import Display

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.base import DECLARATION_OPTIONS, AzureAction
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.client import ArmClient
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.marks import in_words, mark
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.options import Options
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.output import diff_of, diff_of_post, masked, shown
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.posts import send
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.providers import register
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.reconcile import Reconciler

_display = Display()


class ActionModule(AzureAction):
    OPTIONS = {
        **DECLARATION_OPTIONS,
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "wait": {"type": "bool", "default": True},
        "timeout": {"type": "float", "default": 3600},
        "register_providers": {"type": "list", "elements": "str", "default": []},
        "actions": {"type": "dict", "default": {}},
    }

    def answer(self, client: ArmClient, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        started = time.time()
        posts = self.posts(arguments["actions"])
        resources = self.declarations(arguments, client, arguments["state"], needed=not posts)
        host = task_vars.get("inventory_hostname", "")
        options = Options(
            check=self._task.check_mode,
            wait=arguments["wait"],
            timeout=arguments["timeout"],
            parallelism=arguments["parallelism"],
            stamp=host,
            progress=lambda text: _display.display(f"[{host}] {text}"),
        )
        registered = register(client, arguments["register_providers"], options)
        run = Reconciler(client, resources, options)
        run.run()
        for handle, outcome in run.outcomes.items():
            if outcome.removals:
                verb = "would remove" if options.check else "removed"
                _display.warning(f"[{host}] {handle} ({outcome.id}): {verb} undeclared items: {', '.join(outcome.removals)}")
            if outcome.foreign and arguments["state"] == "absent":
                _display.warning(f"[{host}] {handle} ({outcome.id}): not deleted because it lacks {in_words(mark(options.stamp))}")
        failures = list(run.failures.values())
        if not failures and not options.check:
            failures = send(client, posts, options)
        result: dict[str, Any] = {
            "changed": bool(registered or posts) or any(outcome.action != "none" for outcome in run.outcomes.values()),
            "registered_providers": registered,
            "actions": [post.name for post in posts],
            "resources": {
                handle: {
                    "id": outcome.id,
                    "action": outcome.action,
                    "differences": [shown(difference) for difference in outcome.differences],
                    "body": masked(outcome.body),
                }
                for handle, outcome in run.outcomes.items()
            },
            "requests": client.requests,
            "critical_path": run.critical_path,
            "started_at": started,
            "finished_at": time.time(),
        }
        if self._task.diff:
            result["diff"] = [diff_of(outcome) for outcome in run.outcomes.values() if outcome.action != "none"] + [
                diff_of_post(post) for post in posts
            ]
        if failures:
            for resource in result["resources"].values():
                # The failures are what matters now.
                del resource["body"], resource["differences"]
            result.update(failed=True, failures=[vars(failure) for failure in failures], msg="\n".join(map(str, failures)))
        return result
