# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Get access to a stamp's cluster and read its entrances. The documentation is in plugins/modules/entrances_info.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.aks import ClusterNotReady, kubeconfig, ready_cluster
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.base import AzureAction
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.client import ArmClient
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.marks import tags_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.output import plain
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.reading import read_all, reads_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.cluster import Cluster, KubernetesFailure
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.entrances import trusted_tags
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.permissions import denial
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.probes import ProbeHost, entrance_probes, probe_hosts, resolver_probes
from ansible_collections.dualstack.aks.plugins.plugin_utils._kubernetes.state import KINDS, entrances_in, ipv6_state
from ansible_collections.dualstack.aks.plugins.plugin_utils._role_variables import specified, typed_value
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import Answer, Violation, text
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.entrances import SERVICE_TAGS, ServiceTags, prefixes_of_tags
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules.ownership import OBJECTS, Objects
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
        "service_tags_id": {"type": "str", "default": ""},
        "upstream_namespaces": {"type": "list", "elements": "str", "default": []},
        "ipv6": {"type": "str", "required": True},
        "consent": {"type": "bool", "default": False},
        "switch": {"type": "bool", "default": False},
    }

    def answer(self, client: ArmClient, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        stamp, declaration, namespace = str(task_vars.get("inventory_hostname", "")), plain(arguments["declaration"]), arguments["namespace"]
        tags, violations = _service_tags(client, arguments["service_tags_id"], trusted_tags(declaration))
        declaration |= {"service_tags": tags}
        access = self._access(client, arguments, stamp)
        addresses = self._addresses(client, arguments)
        services, deployments, namespace_exists = access.pop("services"), access.pop("deployments"), access["namespace_exists"]
        own = [item for item in services or () if item["metadata"]["namespace"] == namespace]
        state = ipv6_state(
            stamp,
            mode=declaration["mode"],
            upstream=declaration["upstream"],
            desired=arguments["ipv6"],
            existing=entrances_in(own),
            deployed=entrances_in(deployments),
            namespace_exists=namespace_exists,
            hold=addresses["ipv6"]["hold"],
            consent=arguments["consent"],
        )
        hosts = probe_hosts(_probe_variables(task_vars))
        if arguments["switch"] or (arguments["required"] and state.action == "flip"):
            violations += SWITCHING.violations(_switch(arguments, access, addresses, hosts))
        if services is not None:
            own_families = {f"entrance-{family.lower()}": family for family in declaration["families"]}
            violations += service_violations(declaration, services, namespace, own_families)
            # Where the cluster was changing, validate_role could not look.
            violations += OBJECTS.violations(Objects([item for item in (*own, *deployments) if item["metadata"]["name"] in own_families]))
        if violations and (arguments["required"] or arguments["switch"]):
            raise AnsibleActionFail(text(violations))
        asked = {family.lower(): addresses[family.lower()]["address"] for family in declaration["families"]}
        return access | {
            "changed": False,
            "tenant": client.login.tenant,
            "addresses": addresses,
            "services": None if services is None else [_addressed(item) for item in services],
            "state": asdict(state),
            "service_tags": tags,
            "probes": [asdict(probe) for probe in entrance_probes(hosts, asked, declaration)],
            "resolvers": [asdict(probe) for probe in resolver_probes(hosts)],
            "violations": [str(violation) for violation in violations],
            # The token must not reach any output, whatever the task says.
            "_ansible_no_log": True,
        }

    def _access(self, client: ArmClient, arguments: Mapping[str, Any], stamp: str) -> dict[str, Any]:
        """The part of the result that needs the cluster, with ``services``, all of the namespaces that the entrances need (None when it was not
        asked), and ``deployments``, those of their own namespace."""
        found: dict[str, Any] = {
            "exists": False,
            "problem": "",
            "kubeconfig": {},
            "cluster_families": [],
            "namespace_exists": False,
            "may_write": True,
            "services": None,
            "deployments": [],
        }
        try:
            cluster = self._cluster(client, arguments, stamp)
            if cluster is None:
                return found
            access = kubeconfig(client, cluster)
            services, deployments, namespace_exists = _read(access, arguments)
            may_write = not (self._task.check_mode and namespace_exists) or _may_write(access, arguments["namespace"])
        except (ClusterNotReady, KubernetesFailure) as error:
            problem = str(error) if isinstance(error, ClusterNotReady) else f"{arguments['cluster_id']}: {denial(error, cluster or {})}"
            if arguments["required"]:
                # Ansible would append the text of the cause, which this one has in other words.
                raise AnsibleActionFail(problem) from None
            return found | {"problem": problem}
        families = (cluster["properties"].get("networkProfile") or {}).get("ipFamilies") or ["IPv4"]
        answered = {"exists": True, "kubeconfig": access, "cluster_families": families, "namespace_exists": namespace_exists, "may_write": may_write}
        return found | answered | {"services": services, "deployments": deployments}

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
                "hold": tags_of(answer["body"]).get("dualstack-hold") or "",
            }
            for family, answer in read_all(client, reads_of(reads)).items()
        }


def _service_tags(client: ArmClient, identifier: str, names: Sequence[str]) -> tuple[dict[str, list[str]], list[Violation]]:
    """The prefixes of these service tags, and what is wrong with them: without its prefixes a proxy would not be believed."""
    if not names:
        return {}, []
    answer = read_all(client, reads_of({"tags": {"id": identifier}}))["tags"]
    known = prefixes_of_tags(answer["body"])
    asked = ServiceTags(names, Answer(answer["exists"], answer["body"], str(answer["error"].get("message") or "")))
    return {name: known.get(name.lower(), []) for name in names}, SERVICE_TAGS.violations(asked)


def _probe_variables(task_vars: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Each host of the group ``probes``, with its own variables that say what it can ask for."""
    hosts = {host: task_vars["hostvars"][host] for host in (task_vars.get("groups") or {}).get("probes", ())}
    names = [name for name in specified() if name.startswith("probe_")]
    try:
        return {host: {name: typed_value(name, own[name]) for name in names if name in own} for host, own in hosts.items()}
    except ValueError as error:
        raise AnsibleActionFail(f"A host of the inventory group probes is invalid: {error}.") from error


def _switch(arguments: Mapping[str, Any], access: Mapping[str, Any], addresses: Mapping[str, Any], hosts: Sequence[ProbeHost]) -> Switch:
    return Switch(
        desired=arguments["ipv6"],
        cluster_id=arguments["cluster_id"],
        problem=access["problem"],
        cluster_families=tuple(access["cluster_families"]),
        address_id=arguments["ipv6_address_id"],
        address_exists=addresses["ipv6"]["exists"],
        probe_families=tuple({family for host in hosts for family in host.families}),
    )


def _read(access: Mapping[str, Any], arguments: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]], bool]:
    """The Services of all namespaces that the entrances need, the Deployments of their own, and whether that exists."""
    namespace = arguments["namespace"]
    with Cluster(access) as cluster:
        services = [item for place in sorted({*arguments["upstream_namespaces"], namespace}) for item in cluster.objects("Service", namespace=place)]
        # Where it has a Service, it exists.
        exists = any(item["metadata"]["namespace"] == namespace for item in services) or bool(
            cluster.objects("Namespace", field_selector=f"metadata.name={namespace}")
        )
        deployments = cluster.objects("Deployment", KINDS["Deployment"], namespace=namespace) if exists else []
    return services, deployments, exists


def _may_write(access: Mapping[str, Any], namespace: str) -> bool:
    """Whether the credentials may write a namespace and what is in it, so that the API server lets them try."""
    with Cluster(access) as cluster:
        return cluster.may("patch", "Namespace", "v1") and cluster.may("patch", "Deployment", KINDS["Deployment"], namespace)


def _addressed(service: Mapping[str, Any]) -> dict[str, Any]:
    """What the proxies' configuration needs of a Service; Ansible keeps the result for every host."""
    return {"metadata": {key: service["metadata"][key] for key in ("name", "namespace")}, "spec": service.get("spec") or {}}
