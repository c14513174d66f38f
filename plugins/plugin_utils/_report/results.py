"""The checks of a stamp in each family, with the value seen and the remedy.

This file is private to the collection.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .._azure.marks import tags_of
from .._leaves import leaves
from .._rules.aks import CONVERT
from .parity import Lack, family_of, policy_blocks, policy_blocks_without_twin, security_rules_without_twin
from .reads import outbound_addresses, outbound_type, pool_subnets, properties_of, subnets
from .stamp import RECORD_TYPES, WORDS, Stamp, answered, heard, message_of, one_line, same_address

PASS, FAIL, NOT_APPLICABLE = "pass", "fail", "not applicable"


@dataclass(frozen=True)
class Found:
    """``result`` of one check in one family, the value seen, and the remedy when it failed."""

    result: str
    evidence: str
    remedy: str = ""


def _passed(evidence: str) -> Found:
    return Found(PASS, evidence)


def _failed(evidence: str, remedy: str) -> Found:
    return Found(FAIL, evidence, remedy)


def _not_applicable(reason: str) -> Found:
    return Found(NOT_APPLICABLE, reason)


def _command(playbook: str, stamp: Stamp, *words: str) -> str:
    return " ".join(["ansible-playbook", f"dualstack.aks.{playbook}", "--limit", stamp.name, *words])


def _site(stamp: Stamp) -> str:
    return f"run {_command('site', stamp)}"


def _in_cluster(*kinds: str) -> Callable[[Callable[[Stamp, str], Found]], Callable[[Stamp, str], Found]]:
    """A check that needs objects of the cluster: without them it says why."""

    def guard(check: Callable[[Stamp, str], Found]) -> Callable[[Stamp, str], Found]:
        def guarded(stamp: Stamp, family: str) -> Found:
            if not stamp.has_cluster:
                return _not_applicable("there is no cluster")
            if family not in stamp.cluster_families:
                return _not_applicable(f"the cluster has no {WORDS[family]}")
            if kinds and stamp.problem:
                return _not_applicable("the cluster could not be read")
            for kind in kinds:
                if problem := stamp.unreadable(kind):
                    return _failed(problem, "check that the cluster is running, and that these credentials can read it")
            return check(stamp, family)

        return guarded

    return guard


def cluster(stamp: Stamp, family: str) -> Found:
    name = stamp.cluster_id.rpartition("/")[2]
    if not stamp.has_cluster:
        return _failed(stamp.refusal("cluster") or stamp.problem or f"there is no cluster {name}".rstrip(), _site(stamp))
    if stamp.problem:
        return _failed(stamp.problem, "check that the cluster is running and not being changed, and that these credentials can read it")
    state = properties_of(stamp.answers, "cluster").get("provisioningState")
    if family in stamp.cluster_families:
        return _passed(f"{name} {state}")
    if stamp.off(family):
        return _not_applicable(stamp.off(family))
    return _failed(
        f"{name} has only {', '.join(WORDS.get(found, found) for found in stamp.cluster_families)}",
        CONVERT,
    )


@_in_cluster("Node")
def nodes(stamp: Stamp, family: str) -> Found:
    found = stamp.objects("Node")
    lacks, seen = [], []
    for node in found:
        name, status = node["metadata"]["name"], node.get("status") or {}
        addresses = [
            item["address"] for item in status.get("addresses") or [] if item["type"] == "InternalIP" and family_of(item["address"]) == family
        ]
        specification = node.get("spec") or {}
        ranges = [item for item in specification.get("podCIDRs") or [specification.get("podCIDR")] if family_of(item) == family]
        if not any(item["type"] == "Ready" and item["status"] == "True" for item in status.get("conditions") or []):
            lacks.append(f"{name} is not Ready")
        lacks += [f"{name} has no {WORDS[family]} {what}" for what, values in (("InternalIP", addresses), ("podCIDR", ranges)) if not values]
        seen += [f"{address}, pods {prefix}" for address, prefix in zip(addresses, ranges, strict=False)]
    if not found:
        return _failed("the cluster has no nodes", "check its pools and their quota")
    if lacks:
        return _failed("; ".join(lacks), "kubectl describe node shows why")
    return _passed(f"{len(found)} Ready, as {seen[0]}")


def _on_zones(stamp: Stamp, what: str, names: list[str], zones: set[str], remedy: str) -> Found:
    """``names`` of pods that are Ready, which ought to be on two zones."""
    if not names:
        return _failed(f"{what}: none Ready", remedy)
    if not stamp.zones:
        return _not_applicable(f"no node has a zone; {what}: {len(names)} Ready")
    evidence = f"{what}: {len(names)} Ready on {', '.join(sorted(zones)) or 'no zone'}"
    return _passed(evidence) if len(zones) > 1 else _failed(f"{evidence}; two zones are needed", remedy)


@_in_cluster("Node", "Pod")
def pods(stamp: Stamp, family: str) -> Found:
    if reason := stamp.foreign(family) or stamp.off(family):
        return _not_applicable(reason)
    entrance = stamp.entrance(family)
    ready, lacks, zones = [], [], set()
    for pod in stamp.objects("Pod"):
        metadata, status = pod["metadata"], pod.get("status") or {}
        if (metadata.get("labels") or {}).get("app.kubernetes.io/name") != entrance or metadata.get("deletionTimestamp"):
            continue
        if any(item["type"] == "Ready" and item["status"] == "True" for item in status.get("conditions") or []):
            ready.append(metadata["name"])
            zones |= {zone for zone in [stamp.zones.get((pod.get("spec") or {}).get("nodeName", ""))] if zone}
            if family not in [family_of(item["ip"]) for item in status.get("podIPs") or []]:
                lacks.append(f"{metadata['name']} has no {WORDS[family]} address")
    if lacks:
        return _failed("; ".join(lacks), "delete the pods, so that they are created again with both families")
    return _on_zones(
        stamp, entrance, ready, zones, f"kubectl -n {stamp.facts.get('namespace')} describe pods shows what keeps them out of a second zone"
    )


@_in_cluster("EndpointSlice")
def applications(stamp: Stamp, family: str) -> Found:
    """Behind an entrance that translates an application has one family; in that one it must survive the loss of a zone."""
    if not stamp.applications:
        return _not_applicable("no route has an application")
    found = [_application(stamp, family, *target) for target in stamp.applications]
    failures = [item for item in found if item.result == FAIL]
    if failures:
        return _failed("; ".join(item.evidence for item in failures), failures[0].remedy)
    passes = [item.evidence for item in found if item.result == PASS]
    return _passed("; ".join(passes)) if passes else _not_applicable("; ".join(item.evidence for item in found))


def _application(stamp: Stamp, family: str, namespace: str, service: str) -> Found:
    name = f"{namespace}/{service}"
    metadata = [(item, item["metadata"]) for item in stamp.objects("EndpointSlice")]
    slices = [
        item
        for item, about in metadata
        if about.get("namespace") == namespace and (about.get("labels") or {}).get("kubernetes.io/service-name") == service
    ]
    own = [item for item in slices if item.get("addressType") == WORDS[family]]
    if slices and not own:
        return _not_applicable(f"{name} has no {WORDS[family]}; the entrance translates")
    ready = [end for item in own for end in item.get("endpoints") or [] if (end.get("conditions") or {}).get("ready") is not False]
    zones = {str(end["zone"]) for end in ready if end.get("zone") and not str(end["zone"]).isdigit()}
    return _on_zones(
        stamp, name, [str(end.get("addresses")) for end in ready], zones, f"spread the pods of {name} over zones (topologySpreadConstraints)"
    )


@_in_cluster("Service")
def service(stamp: Stamp, family: str) -> Found:
    if reason := stamp.foreign(family) or stamp.off(family):
        return _not_applicable(reason)
    found = stamp.service(family)
    if not found:
        return _failed(f"there is no Service {stamp.entrance(family)}", _site(stamp))
    specification = found.get("spec") or {}
    addresses = [item.get("ip") for item in ((found.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []]
    policy, families = specification.get("externalTrafficPolicy"), specification.get("ipFamilies") or []
    evidence = f"{', '.join(families)}, {policy}, {', '.join(map(str, addresses)) or 'no address'}"
    lacks = []
    if WORDS[family] not in families:
        lacks.append(f"ipFamilies lacks {WORDS[family]}")
    if policy != "Local":
        lacks.append("externalTrafficPolicy is not Local")
    if not any(same_address(address, stamp.address(family)) for address in addresses):
        lacks.append(f"the load balancer lacks its address {stamp.address(family) or '(none exists)'}")
    return (
        _failed(f"{evidence}: {'; '.join(lacks)}", f"{_site(stamp)}; kubectl describe service shows the cloud controller's events")
        if lacks
        else _passed(evidence)
    )


def entrance(stamp: Stamp, family: str) -> Found:
    if reason := stamp.foreign(family) or stamp.off(family):
        return _not_applicable(reason)
    asked = stamp.asked_of(family)
    if asked is None:
        if family not in stamp.answers:
            return _not_applicable("its public address was not read")
        if not stamp.address(family):
            return _failed(f"there is no public address for the {WORDS[family]} entrance", _site(stamp))
        if problem := stamp.unasked(family):
            return _failed(
                problem,
                f"check that Ansible can log in to the host, and that it has {WORDS[family]}; until then, the entrance is not tested",
            )
        return _not_applicable(f"no host of the group probes has {family} in probe_families")
    question = f"{asked.get('address')} from {asked.get('probe')}"
    if not answered(asked):
        return _failed(
            f"{question}: {message_of(asked)}",
            f"look at the pods of {stamp.facts.get('namespace')}, the certificates, the load balancer's health probes, "
            f"the network security groups in {WORDS[family]}",
        )
    return _passed(one_line(f"{question}: {'; '.join(f'{found["name"]}: {found["said"]}' for found in asked['listeners'])}"))


def _record(view: str) -> Callable[[Stamp, str], Found]:
    def record(stamp: Stamp, family: str) -> Found:
        kind = RECORD_TYPES[family].upper()
        if not stamp.zone(view).identifier:
            return _not_applicable(f"dns_{view}_zone is empty")
        stored = stamp.stored(view, family)
        if reason := stamp.foreign(family):
            return _not_applicable(reason)
        if reason := stamp.off(family):
            if not stored:
                return _not_applicable(reason)
            return _failed(
                f"{kind} {', '.join(stored)} is stored although {reason}", f"run {_command('toggle_ipv6', stamp, '-e dualstack_ipv6=disabled')}"
            )
        asked = stamp.asked_of(family)
        silent = asked is not None and not answered(asked)
        if not stored:
            if asked is None:
                return _not_applicable(f"no {kind}: no probe host requested the entrance")
            if silent:
                return _not_applicable(f"no {kind}: the entrance does not answer")
            return _failed(f"no {kind}, although the entrance answers", _site(stamp))
        values = f"{kind} {', '.join(stored)}"
        if family in stamp.withdrawn:
            done = "would be withdrawn by this run" if stamp.check_mode else "withdrawn by this run"
            return _failed(
                f"{values} of an entrance that does not answer; {done}",
                f"once the entrance answers, {_site(stamp)}, which publishes the record again",
            )
        if silent:
            return _failed(
                f"{values} of an entrance that does not answer", f"run {_command('verify', stamp, '-e dns_repair=true')}, which withdraws it"
            )
        if len(stored) != 1 or not same_address(stored[0], stamp.address(family)):
            return _failed(f"{values}, but the entrance has {stamp.address(family) or 'no address'}", _site(stamp))
        return _passed(values)

    return record


def _answer(view: str) -> Callable[[Stamp, str], Found]:
    def answer(stamp: Stamp, family: str) -> Found:
        kind = RECORD_TYPES[family].upper()
        if not stamp.zone(view).identifier:
            return _not_applicable(f"dns_{view}_zone is empty")
        resolved = stamp.resolved(view, family)
        if resolved is None:
            wanted = "probe_private: true" if view == "private" else f"{family} in probe_families"
            return _not_applicable(f"no host of the group probes has {wanted}")
        if resolved.get("rc") not in (0, 2):
            problem = one_line(resolved.get("msg") or resolved.get("stderr")) or f"getent failed with {resolved.get('rc')}"
            return _failed(
                f"{resolved.get('probe')}: {problem}", f"check that Ansible can log in to {resolved.get('probe')}, and that the host has getent"
            )
        addresses, stored = heard(resolved, family), stamp.stored(view, family)
        said = f"{resolved.get('probe')} resolves {', '.join(addresses) or f'no {kind}'}"
        if sorted(addresses) == sorted(heard({"stdout": "\n".join(stored)}, family)):
            return _passed(said) if addresses else _not_applicable(f"no {kind} is stored, and {said}")
        return _failed(
            f"{said}; stored {'is ' + ', '.join(stored) if stored else 'is none'}",
            f"verify again after the TTL; then check the resolver of {resolved.get('probe')}, and where {stamp.zone(view).name} is delegated to",
        )

    return answer


def outbound(stamp: Stamp, family: str) -> list[str]:
    """The addresses, or ranges of them, that the nodes leave by in a family."""
    found = [properties_of(stamp.answers, f"outbound {identifier.lower()}") for identifier in outbound_addresses(stamp.answers)]
    return [
        str(properties.get("ipAddress") or properties.get("ipPrefix"))
        for properties in found
        if str(properties.get("publicIPAddressVersion")).lower() == family
    ]


@_in_cluster()
def egress(stamp: Stamp, family: str) -> Found:
    kind = outbound_type(stamp.answers)
    if kind in ("userDefinedRouting", "none", "block"):
        return _not_applicable(f"outboundType {kind}: the cluster does not own its outbound addresses")
    if own := outbound(stamp, family):
        return _passed(f"{kind}: {', '.join(own)}")
    remedy = {
        "loadBalancer": f"set aks_outbound_{family}_count to 1 or more, and {_site(stamp)}",
        "userAssignedNATGateway": f"give the gateway an {WORDS[family]} address; for IPv6 its SKU must be StandardV2",
    }.get(kind, "use your own StandardV2 NAT gateway (network_egress: nat_gateway), which supports both families")
    return _failed(f"{kind}: no {WORDS[family]} address", remedy)


@_in_cluster()
def security_rules(stamp: Stamp, family: str) -> Found:
    groups = _security_groups(stamp)
    if not groups:
        return _not_applicable("no network security group on a subnet or node that has both families")
    # What the cluster opens for one entrance has no twin while the other is not there, or is the user's.
    entrances = [] if stamp.off("ipv6") or any(map(stamp.foreign, RECORD_TYPES)) else [stamp.address(key) for key in RECORD_TYPES]
    lacks: list[Lack] = []
    for name, rules in groups.items():
        lacks += [Lack(lack.family, f"{name}/{lack.text}") for lack in security_rules_without_twin(rules, entrances)]
    return _parity(
        family, lacks, f"{sum(map(len, groups.values()))} rules in {', '.join(groups)}", "network_security_rules with prefixes of both families"
    )


def _security_groups(stamp: Stamp) -> dict[str, list[Any]]:
    """The groups that guard the stamp's nodes, and those that the collection made; of a subnet with one family none."""
    found: dict[str, list[Any]] = {}
    for group in ((stamp.answers.get("node_groups") or {}).get("body") or {}).get("value") or []:
        found[str(group["name"])] = (group.get("properties") or {}).get("securityRules") or []
    for subnet in subnets(stamp.answers):
        properties = subnet.get("properties") or {}
        prefixes = properties.get("addressPrefixes") or [properties.get("addressPrefix")]
        identifier = str((properties.get("networkSecurityGroup") or {}).get("id") or "").lower()
        body = (stamp.answers.get(f"group {identifier}") or {}).get("body") or {}
        ours = tags_of(body).get("dualstack-stamp") == stamp.name
        if (
            body
            and {family_of(prefix) for prefix in prefixes} >= set(RECORD_TYPES)
            and (ours or str(subnet["id"]).lower() in pool_subnets(stamp.answers))
        ):
            found[str(body["name"])] = (body.get("properties") or {}).get("securityRules") or []
    return found


@_in_cluster("NetworkPolicy")
def network_policies(stamp: Stamp, family: str) -> Found:
    policies = stamp.objects("NetworkPolicy")
    blocks = policy_blocks(policies)
    if not blocks:
        return _not_applicable(f"{len(policies)} NetworkPolicies, none with an ipBlock")
    what = f"{len(blocks)} ipBlocks in {len(policies)} NetworkPolicies"
    return _parity(family, policy_blocks_without_twin(blocks), what, "an ipBlock of the other family for the same pods and ports")


def _parity(family: str, lacks: list[Lack], what: str, wanted: str) -> Found:
    own = [lack.text for lack in lacks if lack.family == family]
    if own:
        return _failed(f"no twin in {WORDS[family]}: {', '.join(own)}", f"declare {wanted}, or remove what only the other family has")
    return _passed(f"{what}, none without twin")


def declared(stamp: Stamp, family: str) -> Found:
    """Azure's resources and the cluster's objects against the inventory. What has no address and is no family's concerns both."""
    found = stamp.facts.get("declared")
    if not found:
        return _not_applicable("no resource was compared with the inventory")
    if found.get("problems"):
        return _failed(one_line(found["problems"][0]), _site(stamp))
    texts = [_sentence(drift) for drift in drifts(stamp) if family in drift["families"]]
    if texts:
        return _failed("; ".join(texts), f"{_site(stamp)}, which restores it, or declare the actual value")
    return _passed(f"{len(found['resources']) + len(found['objects'])} compared, none differs")


def drifts(stamp: Stamp) -> list[dict[str, Any]]:
    """Each thing that is not as declared: ``resource``, ``path``, its ``actual`` and ``declared`` value, and the ``families`` that it concerns.

    What is not there has no path.
    """
    found = stamp.facts.get("declared") or {}
    drifted = [drift for resource in found.get("resources") or [] for drift in _drifts(resource)]
    return drifted + [drift for result in found.get("objects") or [] if result["changed"] for drift in _object_drifts(result)]


def _drift(resource: str, families: set[str], path: str = "", actual: Any = None, declared: Any = None) -> dict[str, Any]:
    concerned = [family for family in RECORD_TYPES if family in (families or RECORD_TYPES)]
    return {"resource": resource, "path": path, "actual": _shown(actual), "declared": _shown(declared), "families": concerned}


def _sentence(drift: Mapping[str, Any]) -> str:
    if not drift["path"]:
        return f"{drift['resource']} does not exist"
    return f"{drift['resource']} {drift['path']} is {drift['actual']}, declared {drift['declared']}"


def _drifts(resource: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What of a resource is not as declared."""
    name = "/".join(str(resource["id"]).split("/")[-2:])
    if resource["action"] == "create":
        yield _drift(name, set())
    elif resource["action"] != "none":
        for item in resource["differences"]:
            families = {family for value in (item["before"], item["after"], item["path"]) for family in _families_in(value)}
            yield _drift(name, families, item["path"], item["before"], item["after"])


def _object_drifts(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What of a Kubernetes object is not as declared. It concerns its entrance's family, where it is one of an entrance."""
    kind, name = result["result"]["kind"], result["result"]["metadata"]["name"]
    of_entrance = {family for family in RECORD_TYPES if name.startswith(f"entrance-{family}")}
    before, after = (leaves("", result["diff"].get(side) or {}) for side in ("before", "after"))
    if ".metadata.name" in after:
        yield _drift(f"{kind}/{name}", of_entrance)
        return
    for path in sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path)):
        families = of_entrance or _families_in([before.get(path), after.get(path)])
        yield _drift(f"{kind}/{name}", families, path.removeprefix("."), before.get(path), after.get(path))


def _families_in(value: Any) -> set[str]:
    """The families of the addresses and prefixes in a value; a path has them in brackets."""
    words = re.split(r"[^0-9A-Fa-f:./]+", value if isinstance(value, str) else json.dumps(value))
    return {family for family in map(family_of, words) if family}


def _shown(value: Any) -> str:
    return "absent" if value is None else one_line(value if isinstance(value, str) else json.dumps(value))


def hold(stamp: Stamp, family: str) -> Found:
    if not stamp.hold:
        return _not_applicable("IPv6 is not held")
    return _passed(f"{f'for {stamp.hold_age}: ' if stamp.hold_age else ''}{stamp.hold}")


def desired_state(stamp: Stamp, family: str) -> Found:
    if reason := stamp.foreign(family):
        return _not_applicable(reason)
    if not stamp.has_cluster:
        return _not_applicable("there is no cluster")
    if stamp.problem or stamp.unreadable("Service"):
        return _not_applicable("the cluster could not be read")
    evidence = f"desired {stamp.desired}, actual {stamp.actual}"
    if stamp.hold:
        evidence = f"{evidence}, held at {stamp.expected}"
    if stamp.actual == stamp.expected:
        return _passed(evidence)
    return _failed(evidence, f"run {_command('toggle_ipv6', stamp, f'-e dualstack_ipv6={stamp.expected}')}")


#: name -> check, and the families it is made in
CHECKS: dict[str, tuple[Callable[[Stamp, str], Found], tuple[str, ...]]] = {
    "cluster": (cluster, ("ipv4", "ipv6")),
    "nodes": (nodes, ("ipv4", "ipv6")),
    "pods": (pods, ("ipv4", "ipv6")),
    "applications": (applications, ("ipv4", "ipv6")),
    "service": (service, ("ipv4", "ipv6")),
    "entrance": (entrance, ("ipv4", "ipv6")),
    "public record": (_record("public"), ("ipv4", "ipv6")),
    "public answer": (_answer("public"), ("ipv4", "ipv6")),
    "private record": (_record("private"), ("ipv4", "ipv6")),
    "private answer": (_answer("private"), ("ipv4", "ipv6")),
    "egress": (egress, ("ipv4", "ipv6")),
    "security rules": (security_rules, ("ipv4", "ipv6")),
    "network policies": (network_policies, ("ipv4", "ipv6")),
    "as declared": (declared, ("ipv4", "ipv6")),
    "hold": (hold, ("ipv6",)),
    "desired state": (desired_state, ("ipv6",)),
}


def results(facts: Mapping[str, Any]) -> list[dict[str, str]]:
    """``check``, ``family``, ``result``, ``evidence`` and ``remedy`` of everything that is checked of a stamp."""
    stamp = Stamp(facts)
    return [{"check": name, "family": family, **asdict(check(stamp, family))} for name, (check, families) in CHECKS.items() for family in families]
