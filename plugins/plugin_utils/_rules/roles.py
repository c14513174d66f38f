"""Which rules each role applies, to which facts.

This file is private to the collection.

A role's facts are what its task ``validate`` gives: templates that are rendered when a rule first asks for them, so that a variable that cannot be
rendered hides only the rules that need it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from .._addresses.purposes import delegation_of, purpose_name
from .._azure.agent_pools import DEFAULT_VM_SIZE
from .._azure.preflight import live_network
from .._kubernetes.entrances import trusted_tags
from .._resource_id import folded, resource_id
from . import (
    Answer,
    Violation,
    aks,
    api_server,
    destroying,
    dns,
    endpoints,
    entrances,
    existing,
    keyvault,
    network,
    ownership,
    principals,
    registry,
    sizes,
    variables,
)
from .plans import plan_problems

#: name -> what the inventory declares; raises for what cannot be rendered
type Facts = Mapping[str, Any]


class Unanswered(Exception):
    """Azure could not be asked; the message says why."""


class Reader(Protocol):
    """Who asks Azure and the cluster, each question once."""

    @property
    def check_mode(self) -> bool: ...

    @property
    def cloud(self) -> str:
        """The name of the cloud that the credentials are for. Raises :class:`Unanswered`."""

    def azure(self, reads: Mapping[str, Mapping[str, Any]]) -> dict[str, Answer]:
        """The answers to reads as ``azure_resources_info`` takes them, by handle. Raises :class:`Unanswered`."""

    def services(self, cluster_id: str, namespaces: Sequence[str]) -> list[Mapping[str, Any]] | None:
        """The Services of these namespaces; None where the cluster cannot be asked yet."""

    def named(self, cluster_id: str, objects: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]] | None:
        """The live objects of the same kinds, namespaces and names; None where the cluster cannot be asked yet."""

    def denied(self, cluster_id: str) -> str:
        """Why the credentials may not read the cluster; empty where they may, or where it has not been asked."""

    def warn(self, text: str) -> None:
        """Tell the operator what does not stop the run."""


type Part = Callable[[Facts, Reader], Iterator[Violation]]


def _owned(facts: Facts, reader: Reader) -> Iterator[Violation]:
    owned = facts["owned"]
    ids = [identifier for identifiers in owned["ids"].values() for identifier in identifiers]
    answers = reader.azure({identifier: {"id": identifier} for identifier in ids})
    yield from ownership.CHAPTER.violations(ownership.Names(**owned, answers=answers))


def _diagnostics(facts: Facts, reader: Reader) -> Iterator[Violation]:
    declared = facts["diagnostics"]
    if declared["workspace_id"] and _live_cluster(facts, reader):
        settings = f"{facts['declared']['id']}/providers/Microsoft.Insights/diagnosticSettings"
        answer = reader.azure({"diagnostics": {"id": settings}})["diagnostics"]
        yield from ownership.DIAGNOSTICS.violations(ownership.Diagnostics(**declared, settings=answer))


def _network_in_azure(facts: Facts, reader: Reader) -> Iterator[Violation]:
    declared = facts["declared"]
    addresses = {identifier: {"id": identifier} for identifiers in declared["egress_address_ids"].values() for identifier in identifiers}
    answers = reader.azure({**facts["reads"], **addresses})
    yield from network.CHAPTER.violations(network.Network(**declared, answers=answers))
    yield from _existing("network_existing_vnet_id", declared["existing_vnet_id"], answers["vnet"], declared["location"])
    for family, identifier in declared["existing_entrance_ids"].items():
        yield from _existing(f"network_existing_entrance_{family}_id", identifier, answers[family], declared["location"])


def _network_plan(facts: Facts, reader: Reader) -> Iterator[Violation]:
    groups = {identifier: {"id": identifier} for identifier in facts["shared_security_group_ids"]}
    try:
        answers = reader.azure({"vnet": facts["reads"]["vnet"], **groups})
        existing = _security_rules(_existing_node_subnets(facts, reader), reader)
    except Unanswered:
        # The other part reports it.
        answers, existing = {}, {}
    live = {
        **(live_network(answers["vnet"].body, facts["specification"].get("subnets") or ()) if answers else {}),
        "existing_security_groups": existing,
        "live_security_rules": [
            found for name in groups if answers for found in (answers[name].body.get("properties") or {}).get("securityRules") or ()
        ],
    }
    yield from _plan("network", {**facts["specification"], **live}, facts["register"], reader)


def _existing_node_subnets(facts: Facts, reader: Reader) -> list[str]:
    """The ids of the nodes' subnets that the role does not write, each once."""
    network, brought, cluster = facts["reads"]["vnet"]["id"], facts["declared"]["existing_vnet_id"], facts["existing_cluster_id"]
    found = [f"{brought}/subnets/{name}" for name in facts["node_subnets"]] if brought else []
    if cluster:
        answer = reader.azure({"cluster": {"id": cluster}})["cluster"]
        pools = (answer.body.get("properties") or {}).get("agentPoolProfiles") or []
        found += [pool["vnetSubnetID"] for pool in pools if pool.get("vnetSubnetID")]
    elif facts["node_subnet_id"] and not endpoints.within(facts["node_subnet_id"], network, facts["declared"]["subnets"]):
        found.append(facts["node_subnet_id"])
    return list({identifier.lower(): identifier for identifier in found}.values())


def _security_rules(subnet_ids: Sequence[str], reader: Reader) -> dict[str, list[Mapping[str, Any]]]:
    """Name of each network security group of these subnets -> its rules."""
    subnets = reader.azure({identifier: {"id": identifier} for identifier in subnet_ids})
    ids = {str(((answer.body.get("properties") or {}).get("networkSecurityGroup") or {}).get("id") or "") for answer in subnets.values()}
    groups = reader.azure({identifier: {"id": identifier} for identifier in sorted(ids - {""})})
    found = {identifier: (answer.body.get("properties") or {}).get("securityRules") or [] for identifier, answer in groups.items() if answer.exists}
    return {identifier.rpartition("/")[2]: rules for identifier, rules in found.items()}


def _network_nodes(facts: Facts, reader: Reader) -> Iterator[Violation]:
    vnet = reader.azure({"vnet": facts["reads"]["vnet"]})["vnet"].body
    for subnet in (vnet.get("properties") or {}).get("subnets") or ():
        if folded(subnet["name"]) in map(folded, facts["node_subnets"]):
            yield from aks.NODES.violations(aks.NodeSubnet(str(subnet.get("id") or subnet["name"]), True, Answer(True, subnet)))


def _plan(role: str, specification: Mapping[str, Any], register: Mapping[str, Any], reader: Reader) -> Iterator[Violation]:
    malformed, violations, warnings = plan_problems(specification, register)
    yield from variables.CHAPTER.violations(variables.Variables(role, malformed=malformed))
    yield from violations
    for text in warnings:
        reader.warn(text)


def _cluster_plan(facts: Facts, reader: Reader) -> Iterator[Violation]:
    try:
        live = _live_cluster(facts, reader)
    except Unanswered:
        # The other part reports it.
        live = {}
    pools = (live.get("properties") or {}).get("agentPoolProfiles") or []
    yield from _plan("aks", {**facts["specification"], "live_pools": pools}, facts["register"], reader)


def _live_cluster(facts: Facts, reader: Reader) -> Mapping[str, Any]:
    """The cluster that the role made earlier; empty where it is still to be made, or is never written."""
    return {} if facts["declared"]["existing_id"] else reader.azure({"cluster": facts["reads"]["cluster"]})["cluster"].body


def _cluster_in_azure(facts: Facts, reader: Reader) -> Iterator[Violation]:
    yield from principals.CHAPTER.violations(principals.Principals("aks_admin_principal_ids", facts["admin_principal_ids"]))
    declared, answers = facts["declared"], reader.azure({name: read for name, read in facts["reads"].items() if read["id"]})
    live = answers["cluster"].body.get("properties") or {}
    runs = str(live.get("currentKubernetesVersion") or live.get("kubernetesVersion") or "")
    version, moves = str(declared["kubernetes_version"]), facts["version_moves"]
    if not declared["existing_id"] and not (runs and (moves or f"{runs}.".startswith(f"{version}."))):
        answers |= reader.azure({"versions": {"id": facts["versions_id"]}})
    cluster = aks.Cluster(**declared, answers=answers)
    yield from aks.LIVE.violations(cluster)
    for text in aks.warnings(cluster):
        reader.warn(text)
    yield from _existing("aks_existing_id", declared["existing_id"], answers["cluster"], declared["location"])
    yield from _existing("aks_existing_workspace_id", declared["existing_workspace_id"], answers.get("workspace"))


def _new_pools(facts: Facts, reader: Reader) -> Iterator[Violation]:
    declared = facts["declared"]
    live = {str(pool["name"]) for pool in (_live_cluster(facts, reader).get("properties") or {}).get("agentPoolProfiles") or ()}
    pools = [] if declared["existing_id"] else [pool for pool in facts["node_pools"] if str(pool["name"]) not in live]
    if not pools:
        return
    names = sorted({str(pool.get("vm_size") or DEFAULT_VM_SIZE) for pool in pools})
    answers = reader.azure({"skus": {"id": facts["skus_id"], "names": names}, "usages": {"id": facts["usages_id"]}})
    for answer in answers.values():
        if answer.error:
            reader.warn(f"The sizes of new pools are not fully checked: {answer.error}")
    found = sizes.NewPools(declared["location"], pools, facts["pool_defaults"], answers["skus"], answers["usages"])
    yield from sizes.CHAPTER.violations(found)
    for text in sizes.warnings(found):
        reader.warn(text)


def _cluster_changes(facts: Facts, reader: Reader) -> Iterator[Violation]:
    live = _live_cluster(facts, reader)
    if live:
        pools = {"node_pools": facts["node_pools"], "pool_defaults": facts["pool_defaults"]}
        yield from aks.CHANGES.violations(aks.LiveCluster(**facts["changes"], **pools, live=live))


def _cluster_nodes(facts: Facts, reader: Reader) -> Iterator[Violation]:
    nodes, live = facts["nodes"], _live_cluster(facts, reader)
    outbound_type = ((live.get("properties") or {}).get("networkProfile") or {}).get("outboundType")
    if facts["declared"]["existing_id"] or folded(outbound_type) == folded(nodes["outbound_type"]):
        return
    asked = aks.NodeSubnet(
        nodes["subnet_id"],
        endpoints.within(nodes["subnet_id"], nodes["vnet_id"], nodes["subnets"]),
        reader.azure({"node_subnet": {"id": nodes["subnet_id"]}})["node_subnet"],
        nodes["outbound_type"],
        nodes["egress"] == "nat_gateway",
        nodes["ranges"],
    )
    needed = {"loadBalancer": "natGateway", "userAssignedNATGateway": "natGateway", "userDefinedRouting": "routeTable"}[asked.outbound_type]
    beside = reader.azure({needed: {"id": identifier}}) if (identifier := asked.reference(needed)) else {}
    yield from aks.NODES.violations(replace(asked, gateway=beside.get("natGateway"), route_table=beside.get("routeTable")))


def _api_server_access(facts: Facts, reader: Reader) -> Iterator[Violation]:
    access = facts["access"]
    if not access["has_allow_list"]:
        return
    gateway: dict[str, Answer] = {}
    if access["outbound_type"] == "userAssignedNATGateway":
        subnet = reader.azure({"node_subnet": {"id": facts["nodes"]["subnet_id"]}})["node_subnet"].body
        gateway_id = str(((subnet.get("properties") or {}).get("natGateway") or {}).get("id") or "")
        live = reader.azure({"natGateway": {"id": gateway_id}})["natGateway"].body.get("properties") or {} if gateway_id else {}
        sources = [str(found["id"]) for name in ("publicIpAddresses", "publicIpPrefixes") for found in live.get(name) or ()]
        gateway = reader.azure({identifier: {"id": identifier} for identifier in sources})
    yield from api_server.CHAPTER.violations(
        api_server.Access(access["allowed"], access["outbound_type"], access["egress_ranges"], access["address_ids"], gateway)
    )


def _answers(facts: Facts, reader: Reader, resource: str) -> dict[str, Answer]:
    """The role's reads that have an id, and where its resource is absent those that only a new one needs."""
    answers = reader.azure({name: read for name, read in facts["reads"].items() if read["id"]})
    return answers if answers[resource].exists else answers | reader.azure(facts["reads_if_absent"])


def _zone_group(role: str, declared: Mapping[str, Any], reader: Reader) -> Iterator[Violation]:
    if declared["enabled"]:
        groups = reader.azure({"groups": {"id": f"{declared['id']}/privateDnsZoneGroups"}})["groups"]
        yield from ownership.ZONE_GROUPS.violations(ownership.ZoneGroup(role, declared["id"], declared["zone_id"], groups))


def _registry(facts: Facts, reader: Reader) -> Iterator[Violation]:
    if not facts["enabled"]:
        return
    yield from _zone_group("registry", facts["endpoint"], reader)
    answers = _answers(facts, reader, "registry")
    yield from registry.CHAPTER.violations(registry.Registry(**facts["declared"], answers=answers))
    yield from _identities("registry_puller_identity_id", [facts["puller_id"]], facts["made_identity_ids"], reader)
    yield from _existing("registry_existing_id", facts["declared"]["existing_id"], answers["registry"])
    if not answers["registry"].exists or facts["declared"]["existing_id"]:
        yield from _endpoint("registry", facts["endpoint"], reader)


def _vault(facts: Facts, reader: Reader) -> Iterator[Violation]:
    if not facts["enabled"]:
        return
    yield from _zone_group("keyvault", facts["endpoint"], reader)
    yield from principals.CHAPTER.violations(principals.Principals("keyvault_secret_user_principal_ids", facts["principal_ids"]))
    answers = _answers(facts, reader, "vault")
    yield from keyvault.CHAPTER.violations(keyvault.Vault(**facts["declared"], answers=answers))
    yield from _identities("keyvault_secret_user_identity_ids", facts["identity_ids"], facts["made_identity_ids"], reader)
    yield from _existing("keyvault_existing_id", facts["declared"]["existing_id"], answers["vault"])
    if not answers["vault"].exists or facts["declared"]["existing_id"]:
        yield from _endpoint("keyvault", facts["endpoint"], reader)


def _endpoint(role: str, declared: Mapping[str, Any], reader: Reader) -> Iterator[Violation]:
    """What a private endpoint needs and the run does not make; nothing is read where the run makes everything."""
    if not declared["enabled"]:
        return
    reads, name = dict[str, Any](), str(declared["subnet_id"]).rpartition("/")[2]
    if not endpoints.within(declared["subnet_id"], declared["network_id"], list(declared["subnets"])):
        reads["subnet"] = {"id": declared["subnet_id"]}
    own = {} if "subnet" in reads else {known.lower(): found for known, found in declared["subnets"].items()}
    subnet = own.get(name.lower(), {})
    if declared["existing_zone_id"]:
        reads["zone"] = {"id": declared["existing_zone_id"]}
        if existing.is_private_zone(declared["existing_zone_id"]):
            reads["links"] = {"id": f"{declared['existing_zone_id']}/virtualNetworkLinks"}
    elif declared["vnet_id"].lower() != declared["network_id"].lower():
        reads["vnet"] = {"id": declared["vnet_id"]}
    answers = reader.azure(reads)
    endpoint = endpoints.Endpoint(
        role,
        declared["subnet_id"],
        declared["existing_zone_id"],
        declared["zone_name"],
        answers.get("subnet"),
        answers.get("zone"),
        purpose_name(name, subnet),
        delegation_of(name, subnet),
        reader.cloud,
        declared["zone_names"],
        declared["vnet_id"],
        answers.get("links"),
    )
    yield from endpoints.CHAPTER.violations(endpoint)
    yield from _existing(f"{role}_existing_private_zone_id", declared["existing_zone_id"], answers.get("zone"))
    for text in endpoints.warnings(endpoint):
        reader.warn(text)
    yield from endpoints.LINKS.violations(endpoints.Link(role, declared["vnet_id"], answers.get("vnet")))


def _identities(variable: str, identifiers: Sequence[str], made: Sequence[str], reader: Reader) -> Iterator[Violation]:
    """The identities that no role makes exist."""
    ours = {identifier.lower() for identifier in made}
    for identifier, answer in reader.azure({name: {"id": name} for name in identifiers if name.lower() not in ours}).items():
        yield from principals.IDENTITIES.violations(principals.Identity(variable, identifier, answer))


def _existing(variable: str, identifier: str, answer: Answer | None, region: str = "") -> Iterator[Violation]:
    """What every use of an existing resource needs; nothing where none is named, and its own chapter reports one that is not there."""
    if identifier and answer:
        yield from existing.CHAPTER.violations(existing.Existing(variable, identifier, answer, region))


def _zones(facts: Facts, reader: Reader) -> Iterator[Violation]:
    declared = facts["declared"]
    name = f"{declared['record']}.{declared['stamp']}"
    ids = {zone: declared[f"{zone}_zone_id"] for zone in ("public", "private") if declared[f"{zone}_zone_id"]}
    types = ["A", *(dns.RECORD_TYPES[family] for family in declared["families"] if family != "ipv4")]
    records = reader.azure({f"{zone}_{kind.lower()}": {"id": f"{identifier}/{kind}/{name}"} for zone, identifier in ids.items() for kind in types})
    # A zone that holds the stamp's record exists, and no CNAME stands beside the record: one read tells it.
    answers = records | {zone: records[f"{zone}_a"] for zone in ids if records[f"{zone}_a"].exists}
    new = {zone: identifier for zone, identifier in ids.items() if zone not in answers}
    reads = {zone: {"id": identifier} for zone, identifier in new.items()}
    reads |= {f"{zone}_cname": {"id": f"{identifier}/CNAME/{name}"} for zone, identifier in new.items()}
    if "private" in new and declared["vnet_id"].lower() != facts["network_id"].lower():
        reads["vnet"] = {"id": declared["vnet_id"]}
    answers |= reader.azure(reads)
    zones = dns.Zones(**declared, check_mode=reader.check_mode, answers=answers)
    yield from dns.CHAPTER.violations(zones)
    yield from endpoints.LINKS.violations(endpoints.Link("dns", declared["vnet_id"], answers.get("vnet")))
    for text in dns.warnings(zones):
        reader.warn(text)


def _entrances(facts: Facts, reader: Reader) -> Iterator[Violation]:
    declaration = facts["declaration"]
    found = entrances.PROXIES.violations(entrances.Proxies(**facts["proxies"])) + entrances.CHAPTER.violations(declaration)
    if not found:
        # What is declared wrongly cannot be rendered.
        found = entrances.MANIFESTS.violations(entrances.Manifests(facts["objects"], str(facts["kubernetes_version"])))
    yield from found
    is_malformed = any(violation.rule == entrances.ingress_trusted_proxies.__name__ for violation in found)
    if not is_malformed and (tags := trusted_tags(declaration)):
        answer = reader.azure({"service_tags": {"id": facts["service_tags_id"]}})["service_tags"]
        yield from entrances.SERVICE_TAGS.violations(entrances.ServiceTags(tags, answer))
    # A run of other tags comes before the applications, as when a new cluster waits for them, and is not theirs to stop.
    if found or not facts["is_applied"]:
        return
    if set(declaration["families"]) == {"IPv6"}:
        yield from entrances.FIRST_ENTRANCES.violations(_first_entrances(facts, reader))
    live = reader.named(facts["cluster_id"], facts["objects"])
    if reader.check_mode:
        access = entrances.ClusterAccess(facts["cluster_id"], reader.denied(facts["cluster_id"]))
        yield from entrances.CLUSTER_ACCESS.violations(access)
    yield from ownership.OBJECTS.violations(ownership.Objects(live or ()))
    if not facts["upstream_namespaces"]:
        return
    services = reader.services(facts["cluster_id"], [*facts["upstream_namespaces"], facts["namespace"]])
    if services is not None:
        yield from service_violations(declaration, services, facts["namespace"], facts["own_families"])


def _first_entrances(facts: Facts, reader: Reader) -> entrances.FirstEntrances:
    """Of the cluster as it is, where there is one: an existing one's outbound type is in no inventory."""
    cluster_id, families = str(facts["cluster_id"]), facts["declaration"]["families"]
    live = reader.azure({"cluster": {"id": cluster_id}})["cluster"].body.get("properties") or {}
    outbound_type = (live.get("networkProfile") or {}).get("outboundType") or facts["outbound_type"]
    has_ipv4 = bool(live) and outbound_type != "loadBalancer" and _has_ipv4_frontend(cluster_id, live["nodeResourceGroup"], reader)
    return entrances.FirstEntrances(families, outbound_type, has_ipv4)


def _has_ipv4_frontend(cluster_id: str, group: str, reader: Reader) -> bool:
    """Whether the load balancer that AKS makes for public Services has an IPv4 address; ``group`` is the cluster's node resource group."""
    subscription_id = cluster_id.split("/")[2]
    identifier = resource_id("kubernetes", "Microsoft.Network/loadBalancers", subscription_id=subscription_id, resource_group=group)
    balancer = reader.azure({"balancer": {"id": identifier}})["balancer"].body
    frontends = [found["properties"] for found in (balancer.get("properties") or {}).get("frontendIPConfigurations") or ()]
    identifiers = [str(found["publicIPAddress"]["id"]) for found in frontends if found.get("publicIPAddress")]
    addresses = reader.azure({identifier: {"id": identifier} for identifier in identifiers})
    return any((found.body.get("properties") or {}).get("publicIPAddressVersion") == "IPv4" for found in addresses.values())


def service_violations(
    declaration: Mapping[str, Any], services: Sequence[Mapping[str, Any]], namespace: str, families: Mapping[str, str]
) -> Iterator[Violation]:
    """What the entrances cannot use of a cluster's Services; ``families`` has the family of each entrance by the name of its own Service."""
    yield from entrances.UPSTREAMS.violations(entrances.Upstreams(declaration, services))
    own = [
        (service, families[service["metadata"]["name"]])
        for service in services
        if service["metadata"]["namespace"] == namespace and service["metadata"]["name"] in families
    ]
    yield from entrances.OWN_SERVICES.violations(entrances.OwnServices(own))


def _deletion(facts: Facts, _reader: Reader) -> Iterator[Violation]:
    yield from destroying.CHAPTER.violations(destroying.Deletion(**facts))


#: role and entry point -> its parts; one that cannot be carried out does not keep the others from it
ROLES: dict[tuple[str, str], tuple[Part, ...]] = {
    ("network", "main"): (_owned, _network_in_azure, _network_plan, _network_nodes),
    ("network", "confirm"): (_deletion,),
    ("aks", "main"): (_owned, _cluster_plan, _cluster_in_azure, _new_pools, _cluster_changes, _cluster_nodes, _api_server_access, _diagnostics),
    ("registry", "main"): (_owned, _registry),
    ("keyvault", "main"): (_owned, _vault),
    ("dns", "main"): (_zones,),
    ("ingress", "main"): (_entrances,),
}
