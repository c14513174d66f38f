"""Get access to a stamp's cluster and read its entrances. The documentation is in plugins/modules/entrances_info.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.aks import ClusterNotReady, kubeconfig, ready_cluster
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.base import AzureAction
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.client import ArmClient
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.output import plain
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.reading import read_all, reads_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.cluster import Cluster, KubernetesFailure
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.probes import entrance_probes, probe_hosts, resolver_probes
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.state import entrances_in, ipv6_state
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import Violation, text
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.roles import service_violations
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.switching import CHAPTER as SWITCHING
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.switching import Switch

_display = Display()


class ActionModule(AzureAction):
    OPTIONS = {
        "cluster_id": {"type": "str", "required": True},
        "timeout": {"type": "float", "default": 3600},
        "required": {"type": "bool", "default": True},
        "ipv4_address_id": {"type": "str", "required": True},
        "ipv6_address_id": {"type": "str", "required": True},
        "namespace": {"type": "str", "required": True},
        "declaration": {"type": "dict", "required": True},
        "upstream_namespaces": {"type": "list", "elements": "str", "default": []},
        "ipv6": {"type": "str", "required": True},
        "consent": {"type": "bool", "default": False},
        "switch": {"type": "bool", "default": False},
    }

    def answer(self, client: ArmClient, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        stamp, declaration = str(task_vars.get("inventory_hostname", "")), plain(arguments["declaration"])
        found: dict[str, Any] = {"exists": False, "problem": "", "kubeconfig": {}, "cluster_families": [], "tenant": client.login.tenant}
        services: list[dict[str, Any]] | None = None
        namespace_exists = False
        try:
            cluster = self._cluster(client, arguments, stamp)
            if cluster is not None:
                profile = cluster["properties"].get("networkProfile") or {}
                access = kubeconfig(client, cluster)
                services, namespace_exists = _read(access, arguments)
                found |= {"exists": True, "kubeconfig": access, "cluster_families": profile.get("ipFamilies") or ["IPv4"]}
        except (ClusterNotReady, KubernetesFailure) as error:
            problem = str(error) if isinstance(error, ClusterNotReady) else f"{arguments['cluster_id']}: {error}"
            if arguments["required"]:
                raise AnsibleActionFail(problem) from error
            found["problem"] = problem
        addresses = self._addresses(client, arguments)
        families = [family.lower() for family in declaration["families"]]
        own = [item for item in services or () if item["metadata"]["namespace"] == arguments["namespace"]]
        state = ipv6_state(
            stamp,
            mode=declaration["mode"],
            upstream=declaration["upstream"],
            desired=arguments["ipv6"],
            existing=entrances_in(own),
            namespace_exists=namespace_exists,
            hold=addresses["ipv6"]["hold"],
            consent=arguments["consent"],
        )
        hosts = probe_hosts((task_vars.get("groups") or {}).get("probes", ()), task_vars.get("hostvars") or {})
        probes = entrance_probes(hosts, {family: addresses[family]["address"] for family in families})
        violations: list[Violation] = []
        if arguments["switch"] or state.action == "flip":
            violations += SWITCHING.violations(
                Switch(
                    desired=arguments["ipv6"],
                    cluster_id=arguments["cluster_id"],
                    problem=found["problem"],
                    cluster_families=tuple(found["cluster_families"]),
                    address_id=arguments["ipv6_address_id"],
                    address_exists=addresses["ipv6"]["exists"],
                    probe_families=tuple({family for host in hosts for family in host.families}),
                )
            )
        if services is not None:
            names = {f"entrance-{family.lower()}": family for family in declaration["families"]}
            violations += service_violations(declaration, services, arguments["namespace"], names)
        if violations and (arguments["required"] or arguments["switch"]):
            raise AnsibleActionFail(text(violations))
        return found | {
            "changed": False,
            "addresses": addresses,
            "namespace_exists": namespace_exists,
            "services": None if services is None else [_addressed(item) for item in services],
            "state": asdict(state),
            "probes": [asdict(probe) for probe in probes],
            "resolvers": [asdict(probe) for probe in resolver_probes(hosts)],
            "violations": [str(violation) for violation in violations],
            # The token must not reach any output, whatever the task says.
            "_ansible_no_log": True,
        }

    def _cluster(self, client: ArmClient, arguments: Mapping[str, Any], stamp: str) -> dict[str, Any] | None:
        identifier = arguments["cluster_id"]
        return ready_cluster(
            client,
            identifier,
            arguments["timeout"],
            lambda seconds: _display.display(f"[{stamp}] waiting for the cluster {identifier.rsplit('/', 1)[-1]}: {seconds:.0f} s"),
            expected=not (self._task.check_mode and arguments["required"]),
        )

    def _addresses(self, client: ArmClient, arguments: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Family -> its entrance's public address, named as Azure spells it: the cloud controller looks for that spelling."""
        reads = {family: {"id": arguments[f"{family}_address_id"]} for family in ("ipv4", "ipv6")}
        unknown = "(known after apply)" if self._task.check_mode else ""
        return {
            family: {
                "exists": answer["exists"],
                "name": answer["body"].get("name") or answer["id"].rpartition("/")[2],
                "address": (answer["body"].get("properties") or {}).get("ipAddress") or unknown,
                "hold": (answer["body"].get("tags") or {}).get("dualstack-hold") or "",
            }
            for family, answer in read_all(client, reads_of(reads)).items()
        }


def _read(access: Mapping[str, Any], arguments: Mapping[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    """The Services of all namespaces that the entrances need, and whether their own namespace exists."""
    namespace = arguments["namespace"]
    with Cluster(access) as cluster:
        services = [item for place in sorted({*arguments["upstream_namespaces"], namespace}) for item in cluster.objects("Service", namespace=place)]
        # Where it has a Service, it exists.
        exists = any(item["metadata"]["namespace"] == namespace for item in services) or bool(
            cluster.objects("Namespace", field_selector=f"metadata.name={namespace}")
        )
    return services, exists


def _addressed(service: Mapping[str, Any]) -> dict[str, Any]:
    """What the proxies' configuration needs of a Service; Ansible keeps the result for every host."""
    return {"metadata": {key: service["metadata"][key] for key in ("name", "namespace")}, "spec": service.get("spec") or {}}
