"""What the three action plugins share: arguments, credentials, templating of resource declarations.

This file is private to the collection.
"""

from __future__ import annotations

import gc
import re
import uuid
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase

from .._libraries import MISSING
from .._printing import print_at_once
from .._role_variables import load_specifications, typed_variables
from .._workers import load_filters
from .client import ArmClient
from .connections import read_authorities
from .credentials import CredentialError, login
from .errors import ArmFailure, remedy_for
from .graph import DeclarationError, Declarations, Resource, texts
from .output import plain
from .posts import Post, posts_of
from .types import declared_versions

#: azure.azcollection's names; ``azure.azcollection.all`` in module_defaults sets them for these actions too
CREDENTIAL_OPTIONS: dict[str, dict[str, Any]] = {
    "subscription_id": {"type": "str"},
    "client_id": {"type": "str"},
    "secret": {"type": "str", "no_log": True},
    "tenant": {"type": "str", "aliases": ["tenant_id"]},
    "cloud_environment": {"type": "str"},
    "profile": {"type": "str"},
    "auth_source": {"type": "str", "choices": ["auto", "env", "credential_file", "cli", "msi"]},
    "api_versions": {"type": "dict"},
}
DECLARATION_OPTIONS: dict[str, dict[str, Any]] = {
    "resources_file": {"type": "str"},
    "resources": {"type": "raw"},
    "resource_group": {"type": "str", "default": ""},
    "read_timeout": {"type": "float", "default": 120},
    "parallelism": {"type": "int", "default": 8},
}
#: the variable that stands for the option ``api_versions`` of every task
_API_VERSIONS = "dualstack_api_versions"
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")

# For the workers to come.
if not MISSING:
    read_authorities()
load_filters()
load_specifications()
# All that is loaded stays to the end. No garbage collection has to look at it again, least of all the one at the end.
gc.freeze()
print_at_once()


def first_line(error: Exception) -> str:
    """What went wrong, without where in Ansible's own code."""
    line = str(getattr(error, "message", "") or error).strip().partition("\n")[0].rstrip(".")
    return re.sub(r"^(?:Task failed: |Action failed: |The (?:filter|lookup) plugin '[^']*' failed: )+", "", line)


class CredentialAction(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    """An action in the controller's own process, with credentials for Azure; nothing is sent to a host."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True
    _requires_connection = False
    #: the plugin's own options, beside the credentials
    OPTIONS: dict[str, dict[str, Any]] = {}
    #: arguments that the action renders by itself, part by part
    RENDERED_IN_PARTS: tuple[str, ...] = ()
    _templar: Any

    @classmethod
    def finalize_task_arg(cls, name: str, value: Any, templar: Any, context: Any) -> Any:
        """Nothing is rendered before :meth:`run` has typed the variables."""
        return value

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        if MISSING:
            raise AnsibleActionFail(MISSING)
        result: dict[str, Any] = super().run(tmp, task_vars or {})
        self._templar = self._templar.copy_with_new_env(available_variables=typed_variables(task_vars or {}))
        return result

    def render_arguments(self) -> None:
        """Render the task's arguments. Raises :class:`~ansible.errors.AnsibleActionFail` for one that cannot be rendered."""
        given = self._task.args
        in_parts = {name: given[name] for name in self.RENDERED_IN_PARTS if name in given}
        try:
            self._task.args = self._templar.template({name: value for name, value in given.items() if name not in in_parts}) | in_parts
        except AnsibleError as error:
            raise AnsibleActionFail(first_line(error)) from error

    @classmethod
    def specification(cls) -> dict[str, dict[str, Any]]:
        """The options of the action, the credentials among them."""
        return {**CREDENTIAL_OPTIONS, **cls.OPTIONS}

    def client(self, arguments: Mapping[str, Any]) -> ArmClient:
        """A client with the task's credentials; close it."""
        try:
            found = login(arguments)
        except CredentialError as error:
            raise AnsibleActionFail(str(error)) from error
        return ArmClient(
            found,
            connections=arguments.get("parallelism", 8),
            read_timeout=arguments.get("read_timeout", 120),
            correlation=str(uuid.uuid4()),
            api_versions=self._api_versions(arguments),
        )

    def _api_versions(self, arguments: Mapping[str, Any]) -> dict[str, str]:
        declared = arguments.get("api_versions")
        if declared is None:
            declared = self._templar.template(self._templar.available_variables.get(_API_VERSIONS) or {})
        try:
            return declared_versions(declared)
        except ValueError as error:
            raise AnsibleActionFail(f"{_API_VERSIONS}: {error}. Correct it, or remove it to use the collection's own versions.") from error


class AzureAction(CredentialAction):
    """An action that asks Azure from beginning to end."""

    #: each of them has entries that are rendered one by one, since ``loop`` brings its own ``item``
    RENDERED_IN_PARTS = ("resources",)

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        self.render_arguments()
        _unused, arguments = self.validate_argument_spec(argument_spec=self.specification())
        with self.client(arguments) as client:
            try:
                return result | self.answer(client, arguments, task_vars or {})
            except ArmFailure as error:
                # What fails for one resource is in the result already; this is the task's own: providers, locks.
                raise AnsibleActionFail(f"{error.code}: {error.message} Remedy: {remedy_for(error.code)}.") from error

    @abstractmethod
    def answer(self, client: ArmClient, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """What the task results in."""

    def declarations(self, arguments: Mapping[str, Any], client: ArmClient, state: str, *, needed: bool = True) -> dict[str, Resource]:
        """The resources that the task declares, by handle. They may name ``azure_login``: whose credentials the task has."""
        if not needed and not arguments["resources_file"] and not arguments["resources"]:
            return {}
        if bool(arguments["resources_file"]) == bool(arguments["resources"]):
            raise AnsibleActionFail("Set either resources_file or resources.")
        if arguments["resources_file"]:
            path = self._find_needle("templates", arguments["resources_file"])
            declared = self._loader.load_from_file(path, trusted_as_template=True)
        else:
            declared = arguments["resources"]
            if isinstance(declared, str):
                declared = self._templar.template(declared)

        settled = {**self._templar.available_variables, **self._settled(declared)}
        if any("azure_login" in text for text in texts(declared)):
            login = client.login
            settled["azure_login"] = {"subscription_id": login.subscription_id, "tenant": login.tenant, "principal_id": client.principal_id()}

        def templar(variables: Mapping[str, Any]) -> Any:
            return self._templar.copy_with_new_env(available_variables={**settled, **variables})

        try:
            return Declarations(
                declared,
                subscription_id=client.login.subscription_id,
                resource_group=arguments["resource_group"],
                state=state,
                template=lambda value, variables: plain(templar(variables).template(value)),
                condition=lambda value, variables: templar(variables).evaluate_conditional(value),
            ).resources
        except DeclarationError as error:
            where = arguments["resources_file"] or "resources"
            raise AnsibleActionFail(f"{where} cannot be used. Nothing was done:\n{error}") from error

    def posts(self, declared: Mapping[str, Any]) -> list[Post]:
        """The POSTs that the task names."""
        try:
            return posts_of(plain(declared))
        except DeclarationError as error:
            raise AnsibleActionFail(f"The actions cannot be sent. Nothing was done:\n{error}") from error

    def _settled(self, declared: Any) -> dict[str, Any]:
        """The variables that declarations mention, each rendered once.

        Ansible renders a variable at every mention, and a plan is mentioned for every subnet. What cannot be rendered here (it may
        need ``item``) stays as it is.
        """
        mentioned = {name for text in texts(declared) for name in _IDENTIFIER.findall(text)}
        variables, result = self._templar.available_variables, {}
        for name in sorted(mentioned & variables.keys()):
            try:
                result[name] = self._templar.template(variables[name])
            except AnsibleError:
                continue
        return result
