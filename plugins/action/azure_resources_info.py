# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read Azure resources. The documentation is in plugins/modules/azure_resources_info.py."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.base import DECLARATION_OPTIONS, AzureAction
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.client import ArmClient
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.graph import DeclarationError
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.output import masked
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.reading import Read, read_all, reads_of


class ActionModule(AzureAction):
    OPTIONS = {
        **DECLARATION_OPTIONS,
        "handles": {"type": "list", "elements": "str"},
        "reads": {"type": "dict"},
    }

    def answer(self, client: ArmClient, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        wanted = self._wanted(arguments, client)
        principal = client.principal_id()
        answers = read_all(client, wanted, arguments["parallelism"])
        return {
            "resources": {handle: found | {"body": masked(found["body"])} for handle, found in answers.items()},
            "requests": client.requests,
            "subscription_id": client.login.subscription_id,
            "tenant": client.login.tenant,
            "principal_id": principal,
            "cloud": {"name": client.login.cloud.name, "endpoint": client.login.cloud.endpoint},
        }

    def _wanted(self, arguments: dict[str, Any], client: ArmClient) -> dict[str, Read]:
        wanted: dict[str, Read] = {}
        if arguments["resources_file"] or arguments["resources"]:
            declared = self.declarations(arguments, client, "present")
            unknown = sorted(set(arguments["handles"] or ()) - declared.keys())
            if unknown:
                raise AnsibleActionFail(f"handles: {', '.join(unknown)} are not declared. Declared: {', '.join(sorted(declared))}.")
            for handle in arguments["handles"] or declared:
                wanted[handle] = Read(declared[handle].id, declared[handle].facts.api_version)
        try:
            wanted |= reads_of(arguments["reads"] or {})
        except DeclarationError as error:
            raise AnsibleActionFail(f"Nothing was read:\n{error}") from error
        if not wanted:
            raise AnsibleActionFail("Set reads, resources or resources_file.")
        return wanted
