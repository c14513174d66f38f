"""The roles rendered in this process, with core's own loader and templar, as a run renders them."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from ansible_collections.dualstack.aks.plugins.action import validate_role
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.base import DECLARATION_OPTIONS, AzureAction
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.client import ArmClient
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.graph import texts
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.output import plain

ROLES = Path(__file__).parents[1] / "roles"
ROLE = ROLES / "ingress"
SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
#: the actions that type the roles' variables: those that ask Azure
TYPING_ACTIONS = {
    f"dualstack.aks.{path.stem}" for path in ROLES.parent.glob("plugins/action/*.py") if re.search(r"\((Azure|Credential)Action\)", path.read_text())
}


class Rendering:
    """The role's variables with some of the inventory's over its defaults."""

    def __init__(self, **variables: Any) -> None:
        loader = DataLoader()
        found: dict[str, Any] = {"inventory_hostname": "westeurope", "ansible_search_path": [str(ROLE)], "role_path": str(ROLE)}
        for name in ("defaults", "vars"):
            found |= loader.load_from_file(str(ROLE / name / "main.yml"), trusted_as_template=True)
        self._templar = Templar(loader, found | {"dualstack_subscription_id": "00000000-0000-4000-8000-000000000001"} | variables)

    def __getitem__(self, name: str) -> Any:
        return self._templar.template(self._templar.available_variables[name])


class _Declaring(AzureAction):
    """The collection's own action up to where it would ask Azure: it returns the task's arguments and what the task declares."""

    OPTIONS = {**DECLARATION_OPTIONS, "given": {"type": "raw"}}

    def client(self, _arguments: Mapping[str, Any]) -> Any:
        login = SimpleNamespace(subscription_id=SUBSCRIPTION, tenant="a-tenant")
        return contextlib.nullcontext(SimpleNamespace(login=login, principal_id=lambda: "a-principal"))

    def answer(self, client: ArmClient, arguments: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        declared = self.declarations(arguments, client, "present", needed=False)
        return {"given": plain(arguments["given"]), "declared": {handle: vars(resource) for handle, resource in declared.items()}}


class _EmptyAzure(SimpleNamespace):
    """A subscription with nothing in it."""

    login = SimpleNamespace(subscription_id=SUBSCRIPTION, tenant="a-tenant", cloud=SimpleNamespace(name="lab", endpoint="https://lab"))

    def get(self, _identifier: str, _api_version: str) -> None:
        return None

    def post(self, _identifier: str, _api_version: str, _body: Any) -> dict[str, Any]:
        return {"nameAvailable": True}


class _Validating(validate_role.ActionModule):
    """The collection's own action, asking an empty subscription."""

    def client_of_task(self) -> Any:
        self.render_arguments()
        return contextlib.nullcontext(_EmptyAzure())


class Site:
    """The variables of all roles in one play, as site.yml has them, with a user's over their defaults."""

    def __init__(self, **variables: Any) -> None:
        self._loader = DataLoader()
        self._variables = {**_variables_of_roles(), "dualstack_subscription_id": SUBSCRIPTION, "dualstack_organisation": "example", **variables}

    def resources(self) -> dict[str, Any]:
        """What each file of resources declares."""
        files = sorted(path for path in ROLES.glob("*/templates/*.yml"))
        return {
            f"{path.parts[-3]}/{path.name}": self._run(path, resources=self._loader.load_from_file(str(path), trusted_as_template=True))["declared"]
            for path in files
        }

    def objects(self) -> Any:
        """The objects of the entrances."""
        return self._rendered(ROLE / "vars" / "main.yml", self._variables["__ingress_objects"])

    def arguments(self) -> dict[str, Any]:
        """Argument of a task of the collection's own actions -> its value; without what needs the results of other tasks."""
        return {place: found for place, path, value in _arguments_of_actions() if (found := self._given(path, value)) is not None}

    def expressions(self) -> dict[str, Any]:
        """Template of another task -> its value; without what needs the results of other tasks."""
        return {place: found for place, path, value in _other_templates() if (found := self._rendered(path, value)) is not None}

    def violations(self, role: str) -> list[dict[str, Any]]:
        """What a role's task ``validate`` reports of its variables in an empty subscription."""
        path = ROLES / role / "tasks" / "validate.yml"
        [task] = self._loader.load_from_file(str(path), trusted_as_template=True)
        arguments = {**task["dualstack.aks.validate_role"], "collect": True}
        defaults = self._loader.load_from_file(str(ROLES / role / "defaults" / "main.yml"), trusted_as_template=True)
        found: list[dict[str, Any]] = self._action(_Validating, path, arguments, role, defaults)["violations"]
        return found

    def _given(self, path: Path, value: Any) -> Any:
        with contextlib.suppress(AnsibleError):
            return self._run(path, given=value)["given"]
        return None

    def _rendered(self, path: Path, value: Any) -> Any:
        with contextlib.suppress(AnsibleError):
            return plain(Templar(self._loader, self._with_paths(path)).template(value))
        return None

    def _run(self, path: Path, **arguments: Any) -> dict[str, Any]:
        return self._action(_Declaring, path, {**arguments, "resource_group": "rg-example-westeurope"})

    def _action(self, kind: Any, path: Path, arguments: dict[str, Any], role: str = "", defaults: Mapping[str, Any] | None = None) -> dict[str, Any]:
        of = SimpleNamespace(get_name=lambda include_role_fqcn: role, get_default_vars=lambda: defaults)
        task = SimpleNamespace(args=arguments, check_mode=True, async_val=0, action="rendering", _role=of)
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
        variables = self._with_paths(path)
        found: dict[str, Any] = kind(task, connection, None, self._loader, Templar(self._loader, variables), None).run(task_vars=variables)
        return found

    def _with_paths(self, path: Path) -> dict[str, Any]:
        role = str(path.parents[1])
        return {**self._variables, "role_path": role, "ansible_search_path": [role]}


def tasks() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every task of the roles and the playbooks, with its file."""
    loader = DataLoader()
    for path in sorted([*ROLES.glob("*/tasks/*.yml"), *ROLES.parent.glob("playbooks/*.yml")]):
        for entry in loader.load_from_file(str(path), trusted_as_template=True):
            for task in _flat(entry):
                yield path, task


def _flat(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A task, or a block or play with the tasks in it."""
    lists = ("block", "rescue", "always", "tasks")
    yield {name: value for name, value in entry.items() if name not in lists}
    for name in lists:
        for task in entry.get(name) or ():
            yield from _flat(task)


def action_of(task: Mapping[str, Any]) -> str:
    """The name of a task's own action that types variables; empty for another's."""
    return next((name for name in task if name in TYPING_ACTIONS), "")


def expressions_of(task: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Keyword and text of every template of a task, without those that its own action renders; a condition as a template."""
    for keyword, value in task.items():
        if keyword == action_of(task):
            continue
        for text in texts(value):
            if "{{" in text:
                yield keyword, text
            elif keyword in ("when", "changed_when", "failed_when", "until") or (keyword == "ansible.builtin.assert" and text != "true"):
                yield keyword, trust_as_template(f"{{{{ ({text}) }}}}")


@functools.cache
def _arguments_of_actions() -> list[tuple[str, Path, Any]]:
    return [
        (f"{path.relative_to(ROLES.parent)} {task['name']}: {name}", path, value)
        for path, task in tasks()
        if action_of(task)
        for name, value in task[action_of(task)].items()
        if name not in ("resources", "resources_file")
    ]


@functools.cache
def _other_templates() -> list[tuple[str, Path, str]]:
    return [
        (f"{path.relative_to(ROLES.parent)} {task.get('name')}: {keyword} {text}", path, text)
        for path, task in tasks()
        for keyword, text in expressions_of(task)
        # A variable alone gets its type from the module's own option, or from the role's variable that it is given to. The time is never the same.
        if not re.fullmatch(r"\{\{ \w+ \}\}", text) and "now(" not in text
    ]


@functools.cache
def _variables_of_roles() -> dict[str, Any]:
    loader = DataLoader()
    found: dict[str, Any] = {"inventory_hostname": "westeurope", "ansible_check_mode": True, "ansible_run_tags": ["all"]}
    for name in ("defaults", "vars"):
        for path in sorted(ROLES.glob(f"*/{name}/main.yml")):
            found |= loader.load_from_file(str(path), trusted_as_template=True)
    # What other tasks give.
    return found | {
        "dns_answered": ["ipv4", "ipv6"],
        "dns_addresses": {"ipv4": "203.0.113.1", "ipv6": "2001:db8::1"},
        "__dns_families": "{{ dns_answered }}",
        "__keyvault_is_deleted": False,
    }
