"""Bring a set of Azure resources to what is declared. The documentation is in plugins/modules/azure_resources.py."""

from __future__ import annotations

from typing import Any

from ansible.utils.display import Display

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.action import (
    CREDENTIAL_OPTIONS,
    DECLARATION_OPTIONS,
    AzureAction,
    diff_of,
    masked,
    shown,
)
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.providers import register
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.reconcile import Options, Reconciler

_display = Display()


class ActionModule(AzureAction):
    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, arguments = self.validate_argument_spec(
            argument_spec={
                **CREDENTIAL_OPTIONS,
                **DECLARATION_OPTIONS,
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
                "wait": {"type": "bool", "default": True},
                "timeout": {"type": "float", "default": 3600},
                "register_providers": {"type": "list", "elements": "str", "default": []},
            },
        )
        with self.client(arguments) as client:
            resources = self.declarations(arguments, task_vars, client.login.subscription_id, arguments["state"])
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
        result["registered_providers"] = registered
        result["changed"] = bool(registered) or any(outcome.action != "none" for outcome in run.outcomes.values())
        result["resources"] = {
            handle: {
                "id": outcome.id,
                "action": outcome.action,
                "differences": [shown(found) for found in outcome.differences],
                "body": masked(outcome.body),
            }
            for handle, outcome in run.outcomes.items()
        }
        result["requests"] = client.requests
        result["critical_path"] = run.critical_path
        if self._task.diff:
            result["diff"] = [diff_of(outcome) for outcome in run.outcomes.values() if outcome.action != "none"]
        if run.failures:
            result["failed"] = True
            result["failures"] = [vars(failure) for failure in run.failures.values()]
            for found in result["resources"].values():
                # The failures are what matters now.
                del found["body"], found["differences"]
            result["msg"] = "\n".join(str(failure) for failure in run.failures.values())
        return result
