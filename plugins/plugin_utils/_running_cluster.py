"""What the actions for running clusters share: their options, and a client for the cluster's own subscription.

This file is private to the collection.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail

from ._azure.base import AzureAction
from ._azure.client import ArmClient
from ._azure.output import plain
from ._resource_id import type_of
from ._upgrade.chain import KEEP, POLICIES
from ._upgrade.facts import RunningCluster
from ._upgrade.files import FileFailure
from ._upgrade.inventory import Wishes
from ._upgrade.reading import NotReadable

_TYPE = "microsoft.containerservice/managedclusters"
RUNNING_CLUSTER_OPTIONS: dict[str, dict[str, Any]] = {
    "cluster_id": {"type": "str", "required": True},
    "network_policies": {"type": "str", "choices": list(POLICIES), "default": KEEP},
    "stamp": {"type": "str", "default": ""},
    "organisation": {"type": "str", "default": ""},
    "ipv6_prefix": {"type": "str", "default": ""},
    "inventory_dir": {"type": "path"},
}


class RunningClusterAction(AzureAction):
    """An action for one running cluster."""

    def client(self, arguments: Mapping[str, Any]) -> ArmClient:
        """A client for the cluster's own subscription, whichever the environment names."""
        return super().client({**arguments, "subscription_id": subscription_of(arguments["cluster_id"])})

    def answer(self, client: ArmClient, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        try:
            # What Ansible has tagged cannot be written as YAML.
            return self.result(client, plain(arguments), task_vars)
        except (NotReadable, FileFailure) as error:
            raise AnsibleActionFail(str(error)) from error

    @abstractmethod
    def result(self, client: ArmClient, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """What the task results in, of plain arguments."""


def folder_of(arguments: Mapping[str, Any]) -> Path | None:
    """The folder of the inventory, if one is named."""
    return Path(arguments["inventory_dir"]) if arguments["inventory_dir"] else None


def wishes_of(cluster: RunningCluster, arguments: Mapping[str, Any]) -> Wishes:
    """The stamp's name and the origin of its ranges: as named, or by the cluster's region and subscription."""
    return Wishes(arguments["stamp"] or cluster.location, arguments["organisation"] or cluster.subscription_id, arguments["ipv6_prefix"])


def subscription_of(identifier: str) -> str:
    """The subscription of a cluster's id. Raises :class:`~ansible.errors.AnsibleActionFail` for what is no such id."""
    try:
        if type_of(identifier).lower() == _TYPE:
            return identifier.split("/")[2]
    except ValueError:
        pass
    raise AnsibleActionFail(
        f"cluster_id: {identifier!r} is not the id of a managed cluster. Give it as `az aks show --query id` prints it (/subscriptions/…)."
    )
