"""Read Azure resources. The documentation is in plugins/modules/azure_resources_info.py."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleActionFail

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.action import DECLARATION_OPTIONS, AzureAction, masked
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.client import ArmClient, ArmFailure

#: POSTs that read; no other action is ever sent from here
READING_ACTIONS = ("checknameavailability", "listclusterusercredential")


class ActionModule(AzureAction):
    OPTIONS = {
        **DECLARATION_OPTIONS,
        "handles": {"type": "list", "elements": "str"},
        "reads": {"type": "dict"},
    }

    def answer(self, client: ArmClient, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        wanted = self._wanted(arguments, task_vars, client)
        with concurrent.futures.ThreadPoolExecutor(arguments["parallelism"]) as pool:
            principal = client.principal_id()
            answers = list(pool.map(lambda read: _read(client, **read), wanted.values()))
        return {
            "resources": dict(zip(wanted, answers, strict=True)),
            "requests": client.requests,
            "subscription_id": client.login.subscription_id,
            "tenant": client.login.tenant,
            "principal_id": principal,
            "cloud": {"name": client.login.cloud.name, "endpoint": client.login.cloud.endpoint},
        }

    def _wanted(self, arguments: dict[str, Any], task_vars: dict[str, Any], client: ArmClient) -> dict[str, dict[str, Any]]:
        """Handle -> id, api-version, action and body of each read."""
        wanted: dict[str, dict[str, Any]] = {}
        if arguments["resources_file"] or arguments["resources"]:
            declared = self.declarations(arguments, task_vars, client.login.subscription_id, "present")
            unknown = sorted(set(arguments["handles"] or ()) - declared.keys())
            if unknown:
                raise AnsibleActionFail(f"handles: {', '.join(unknown)} are not declared. Declared: {', '.join(sorted(declared))}.")
            for handle in arguments["handles"] or declared:
                wanted[handle] = {"identifier": declared[handle].id, "api_version": declared[handle].facts.api_version}
        for handle, read in (arguments["reads"] or {}).items():
            action = str(read.get("action") or "")
            if not read.get("id") or not read.get("api_version"):
                raise AnsibleActionFail(f"reads.{handle} needs id and api_version.")
            if action and action.lower() not in READING_ACTIONS:
                raise AnsibleActionFail(f"reads.{handle}: {action} is not one of the reading actions {', '.join(READING_ACTIONS)}.")
            wanted[handle] = {
                "identifier": read["id"],
                "api_version": str(read["api_version"]),
                "action": action,
                "body": read.get("body"),
                "attributes": read.get("attributes") or (),
            }
        if not wanted:
            raise AnsibleActionFail("Give reads, resources or resources_file.")
        return wanted


def _read(
    client: ArmClient,
    identifier: str,
    api_version: str,
    action: str = "",
    body: dict[str, Any] | None = None,
    attributes: Sequence[str] = (),
) -> dict[str, Any]:
    """One answer: ``exists`` with ``body``, or ``error``."""
    try:
        found = client.post(f"{identifier}/{action}", api_version, body) if action else client.get(identifier, api_version)
    except ArmFailure as error:
        return {"id": identifier, "exists": False, "body": {}, "error": {"code": error.code, "message": error.message, "status": error.status}}
    return {"id": identifier, "exists": found is not None, "body": masked(only(attributes, found or {})), "error": {}}


def only(attributes: Sequence[str], body: dict[str, Any]) -> dict[str, Any]:
    """A list with nothing but these attributes in its items; whole where none are named."""
    if not attributes:
        return body
    return {"value": [{name: item[name] for name in attributes if name in item} for item in body.get("value") or []]}
