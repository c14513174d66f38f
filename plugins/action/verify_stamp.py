# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Verify a stamp in each family. The documentation is in plugins/modules/verify_stamp.py."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.base import AzureAction
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.client import ArmClient
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.output import plain
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.reading import read_all, reads_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.cluster import Cluster, KubernetesFailure
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.entrances import applications_of, families_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.state import MANAGED_BY
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.details import NOTHING, details
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.reads import reads
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.repairs import repairs
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.results import results
from ansible_collections.dualstack.aks.plugins.plugin_utils._report.stamp import WORDS, Stamp

#: reads that may each lead to more: subnets and load balancer, then groups and gateways, then outbound addresses
_ROUNDS = 3


class ActionModule(AzureAction):
    OPTIONS = {
        "problem": {"type": "str", "default": ""},
        "cluster_id": {"type": "str"},
        "ipv4_address_id": {"type": "str"},
        "ipv6_address_id": {"type": "str"},
        "access": {"type": "dict", "default": {}, "no_log": True},
        "namespace": {"type": "str", "default": ""},
        "declaration": {"type": "dict", "default": {}},
        "ipv6": {"type": "str", "default": "enabled"},
        "zones": {"type": "dict", "default": {}},
        "records": {"type": "dict", "default": {}},
        "asked": {"type": "list", "elements": "dict", "default": []},
        "resolved": {"type": "list", "elements": "dict", "default": []},
        "compared": {"type": "list", "elements": "dict", "default": []},
        "applied": {"type": "dict", "default": {}},
        "problems": {"type": "list", "elements": "str", "default": []},
        "repair": {"type": "bool", "default": False},
        "repair_all": {"type": "bool", "default": False},
    }

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        problem = self._task.args.get("problem")
        if not problem:
            return super().run(tmp, task_vars)
        # Nothing is read, since the credentials themselves may be the problem.
        facts = {"stamp": (task_vars or {})["inventory_hostname"], "problem": str(problem)}
        result: dict[str, Any] = ActionBase.run(self, tmp, task_vars)
        return result | {"changed": False, "checks": results(facts), "details": NOTHING, "withdraw": [], "lines": []}

    def answer(self, client: ArmClient, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        declaration, access = plain(arguments["declaration"]), arguments["access"]
        applications = applications_of(declaration)
        own = {family.lower() for family in families_of(declaration["mode"], declaration["upstream"])}
        facts = {
            "stamp": task_vars["inventory_hostname"],
            "now": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "check_mode": self._task.check_mode,
            "desired": arguments["ipv6"],
            "resources": _resources(client, arguments),
            "problem": access.get("problem", ""),
            "objects": list(_objects(access["kubeconfig"], arguments["namespace"], applications)) if access.get("exists") else [],
            "namespace": arguments["namespace"],
            "mode": declaration["mode"],
            "upstream": declaration["upstream"],
            "running_ingress": [family for family in WORDS if family not in own],
            "applications": [{"namespace": namespace, "service": service} for namespace, service in applications],
            "zones": arguments["zones"],
            "records": arguments["records"],
            "asked": [
                {**result["item"], "listeners": result.get("listeners") or [], **_told(result, "msg")}
                for result in arguments["asked"]
                if "item" in result
            ],
            "resolved": [{**result["item"], **_told(result, "rc", "stdout", "msg")} for result in arguments["resolved"] if "item" in result],
            "declared": {
                "resources": [resource for result in arguments["compared"] for resource in (result.get("resources") or {}).values()],
                "objects": (arguments["applied"].get("result") or {}).get("results") or [],
                "problems": [*arguments["problems"], *access.get("violations", [])],
            },
        }
        repaired = repairs(Stamp(facts), everything=arguments["repair_all"]) if arguments["repair"] else {"withdraw": [], "lines": []}
        return {"changed": False, "checks": results({**facts, "repairs": repaired}), "details": details(facts), **repaired}


def _told(result: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """What a probe host's result says; a host that could not be reached says less."""
    return {name: result[name] for name in names if name in result}


def _resources(client: ArmClient, arguments: Mapping[str, Any]) -> dict[str, Any]:
    first = {"cluster": arguments["cluster_id"], "ipv4": arguments["ipv4_address_id"], "ipv6": arguments["ipv6_address_id"]}
    found = read_all(client, reads_of({name: {"id": identifier} for name, identifier in first.items()}))
    for _attempt in range(_ROUNDS):
        found |= read_all(client, reads_of(reads(found)))
    return found


def _objects(kubeconfig: Mapping[str, Any], namespace: str, applications: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """Each kind with its objects, or with the reason why it cannot be read."""
    own = {"namespace": namespace, "label_selector": f"app.kubernetes.io/managed-by={MANAGED_BY}"}
    questions: list[tuple[str, str, dict[str, str]]] = [
        ("Node", "v1", {}),
        ("Service", "v1", own),
        ("Pod", "v1", own),
        ("NetworkPolicy", "networking.k8s.io/v1", {}),
    ]
    for place, service in applications:
        questions.append(("EndpointSlice", "discovery.k8s.io/v1", {"namespace": place, "label_selector": f"kubernetes.io/service-name={service}"}))
    with Cluster(kubeconfig) as cluster:
        for kind, api_version, selection in questions:
            try:
                yield {"item": {"kind": kind}, "resources": cluster.objects(kind, api_version, **selection)}
            except KubernetesFailure as error:
                yield {"item": {"kind": kind}, "msg": str(error)}
