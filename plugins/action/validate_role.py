# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Check a role's variables and what Azure has. The documentation is in plugins/modules/validate_role.py."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.utils.display import Display

from ansible_collections.dualstack.aks.plugins.plugin_utils._addresses.ranges import MalformedSpecification
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.aks import ClusterNotReady, NoAccess, kubeconfig
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.base import CredentialAction, first_line
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.client import ArmClient, state_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.graph import DeclarationError
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.output import plain
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.reading import Read, read_all, reads_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.cluster import Cluster, KubernetesFailure
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.permissions import denial
from ansible_collections.dualstack.aks.plugins.plugin_utils._role_variables import (
    RESOURCE_ID,
    default_of,
    is_users,
    names_resource,
    options_of,
    specified,
)
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import Answer, Violation, text
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import variables as rules_of_variables
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.roles import ROLES, Unanswered
from ansible_collections.dualstack.aks.plugins.plugin_utils._typed import Misfit, shown, typed

_display = Display()


class Facts(Mapping[str, Any]):
    """What the task gives the rules, each rendered when it is first asked for."""

    def __init__(self, declared: Mapping[str, Any], templar: Any) -> None:
        self._declared, self._templar = declared, templar
        self._rendered: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._rendered:
            self._rendered[name] = plain(self._templar.template(self._declared[name]))
        return self._rendered[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._declared)

    def __len__(self) -> int:
        return len(self._declared)


class ActionModule(CredentialAction):
    OPTIONS = {
        "facts": {"type": "dict", "required": True},
        "entry_point": {"type": "str", "default": "main"},
        "collect": {"type": "bool", "default": False},
    }
    RENDERED_IN_PARTS = ("facts",)

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        role, entry_point = self._task._role, str(self._task.args.get("entry_point", "main"))
        name = role.get_name(include_role_fqcn=False) if role else ""
        if (name, entry_point) not in ROLES:
            raise AnsibleActionFail(f"validate_role: there are no rules for the entry point {entry_point} of the role {name or '(none)'}.")
        misfits, settled = self._checked(options_of(name, entry_point), role.get_default_vars(), task_vars or {})
        found = rules_of_variables.Variables(name, [(misfit.path, misfit.problem) for misfit in misfits])
        self._templar = self._templar.copy_with_new_env(available_variables={**self._templar.available_variables, **settled})
        facts = Facts(self._task.args.get("facts") or {}, self._templar)
        violations: list[Violation] = []
        with _Reader(self) as reader:
            for part in ROLES[name, entry_point]:
                try:
                    violations += part(facts, reader)
                except Unanswered as error:
                    found.unanswered.append(str(error))
                except (AnsibleError, MalformedSpecification, DeclarationError) as error:
                    found.add(first_line(error), specified())
            result.update(changed=False, **reader.place)
        violations = rules_of_variables.CHAPTER.violations(found) + violations
        if violations and not self._templar.template(self._task.args.get("collect", False)):
            raise AnsibleActionFail(text(violations))
        return result | {"violations": [asdict(violation) for violation in violations]}

    def _checked(self, options: Mapping[str, Any], defaults: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[list[Misfit], dict[str, Any]]:
        """What does not fit, and every variable as the rules are to see it: typed as it is specified, or its default.

        Variables of other roles are among them, since this role's may follow from them.
        """
        misfits: list[Misfit] = []
        settled: dict[str, Any] = {}
        others = {name: option for name, option in specified().items() if name in given and is_users(name, option, given[name])}
        for name, option in {**others, **options}.items():
            if name not in given:
                misfits += [Misfit(name, None, "it is required")] if option.get("required") else []
                continue
            try:
                settled[name], found = typed(name, self._templar.template(given[name]), option)
                found = found or self._not_an_id(name, settled[name], defaults.get(name, ""))
            except AnsibleError as error:
                # A default that follows from another variable fails with it, and says no more.
                if name not in options or (given[name] == defaults.get(name) and not option.get("required")):
                    continue
                found = [Misfit(name, None, first_line(error))]
            if found:
                misfits += found
                settled.pop(name, None)
                if name in defaults or name not in options:
                    settled[name] = defaults[name] if name in defaults else default_of(name)
        return misfits, settled

    def _not_an_id(self, name: str, value: Any, default: Any) -> list[Misfit]:
        """A resource's id that is none, or that is empty where the role has one."""
        if not names_resource(name) or RESOURCE_ID.fullmatch(value) or not (value or self._templar.template(default)):
            return []
        return [Misfit(name, value, f"{shown(value)} is not a resource id (/subscriptions/…/resourceGroups/…/providers/…)")]

    def client_of_task(self) -> ArmClient:
        """A client with the credentials that the task gives."""
        self.render_arguments()
        _unused, arguments = self.validate_argument_spec(argument_spec=self.specification())
        return self.client(arguments)


class _Reader:
    """Asks Azure and the cluster, each question once."""

    def __init__(self, action: ActionModule) -> None:
        self._action = action
        self._stack = contextlib.ExitStack()
        self._answers: dict[str, Answer] = {}
        self._denied: dict[str, str] = {}

    def __enter__(self) -> _Reader:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    @property
    def check_mode(self) -> bool:
        return bool(self._action._task.check_mode)

    @property
    def cloud(self) -> str:
        return str(self._client.login.cloud.name)

    @property
    def place(self) -> dict[str, Any]:
        """Where a run with these credentials writes; empty where nobody was asked."""
        if "_client" not in vars(self):
            return {}
        login = self._client.login
        return {
            "cloud": {"name": login.cloud.name, "endpoint": login.cloud.endpoint},
            "tenant": login.tenant,
            "subscription_id": login.subscription_id,
        }

    @cached_property
    def _client(self) -> ArmClient:
        try:
            return self._stack.enter_context(self._action.client_of_task())
        except AnsibleError as error:
            raise Unanswered(first_line(error)) from error

    def azure(self, reads: Mapping[str, Mapping[str, Any]]) -> dict[str, Answer]:
        wanted = {name: (_question(read), read) for name, read in reads_of(reads).items()}
        missing = {question: read for question, read in wanted.values() if question not in self._answers}
        if missing:
            self._answers |= {question: Answer.of(read) for question, read in read_all(self._client, missing).items()}
        return {name: self._answers[question] for name, (question, _unused) in wanted.items()}

    def services(self, cluster_id: str, namespaces: Sequence[str]) -> list[Mapping[str, Any]] | None:
        return self._ask(
            cluster_id,
            "its Services are checked later, before the entrances are applied",
            lambda cluster: [service for namespace in dict.fromkeys(namespaces) for service in cluster.objects("Service", namespace=namespace)],
        )

    def named(self, cluster_id: str, objects: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]] | None:
        wanted: dict[tuple[str, str, str], set[str]] = {}
        for item in objects:
            wanted.setdefault((item["kind"], item["apiVersion"], item["metadata"].get("namespace") or ""), set()).add(item["metadata"]["name"])
        return self._ask(
            cluster_id,
            "objects of others with the entrances' names are not detected",
            lambda cluster: [
                found
                for (kind, version, namespace), names in wanted.items()
                for found in cluster.objects(kind, version, namespace=namespace)
                if found["metadata"]["name"] in names
            ],
        )

    def denied(self, cluster_id: str) -> str:
        return self._denied.get(cluster_id, "")

    def _ask(self, cluster_id: str, consequence: str, question: Callable[[Cluster], list[Mapping[str, Any]]]) -> list[Mapping[str, Any]] | None:
        answer = self.azure({"cluster": {"id": cluster_id}})["cluster"]
        # One that is being changed, or that does not answer, is asked again before the entrances are applied.
        if not answer.exists or state_of(dict(answer.body)) != "Succeeded":
            return None
        try:
            with Cluster(kubeconfig(self._client, dict(answer.body))) as cluster:
                return question(cluster)
        except NoAccess as error:
            self._deny(cluster_id, str(error).rstrip("."), consequence)
        except KubernetesFailure as error:
            if error.status == 403:
                self._deny(cluster_id, denial(error, answer.body), consequence)
            else:
                self.warn(f"{cluster_id} did not answer ({error}); {consequence}.")
        except ClusterNotReady as error:
            self.warn(f"{cluster_id} did not answer ({error}); {consequence}.")
        return None

    def _deny(self, cluster_id: str, reason: str, consequence: str) -> None:
        """In check mode a rule reports it. Any other run may give itself the role before it asks again."""
        self._denied[cluster_id] = reason
        if not self.check_mode:
            self.warn(f"{cluster_id} may not be read ({reason}); {consequence}.")

    def warn(self, text: str) -> None:
        _display.warning(text)


def _question(read: Read) -> str:
    """What tells two reads apart, whatever the rules call them."""
    return str(replace(read, id=read.id.lower()))
