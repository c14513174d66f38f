"""What IPv4 clients of a stamp depend on, in a form that two moments can be compared by.

This file is private to the collection.

IPv4 is untouched when its frontends, rules, probes, pools, addresses, A records, and the spec and labels of its Kubernetes objects are equal
before and after; what the services write into them by themselves (etags, provisioning states, resource versions, status, counts of an
autoscaler) does not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: what Azure and Kubernetes write by themselves, at any depth
_VOLATILE = frozenset(
    {"etag", "resourceguid", "provisioningstate", "systemdata", "resourceversion", "managedfields", "generation", "status", "creationtimestamp"}
)
#: lists that Azure derives from other objects
_DERIVED = frozenset({"loadbalancingrules", "outboundrules", "inboundnatrules", "backendipconfigurations", "loadbalancerbackendaddresses"})
_PARTS = ("frontendIPConfigurations", "backendAddressPools", "loadBalancingRules", "probes", "outboundRules")


def ipv4_state(resources: Mapping[str, Mapping[str, Any]], objects: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Dotted name -> value of all that counts.

    ``resources`` are answers of ``azure_resources_info``: ``load_balancer``, ``address``, and records whose names end in ``_a``;
    ``objects`` are Kubernetes objects of any kinds.
    """
    found: dict[str, Any] = {}
    balancer = (resources.get("load_balancer") or {}).get("body") or {}
    for part, items in _balancer_parts(balancer.get("properties") or {}).items():
        for item in items:
            found |= leaves(f"load balancer.{part}.{item['name']}", {key: value for key, value in item["properties"].items() if not _skipped(key)})
    found |= leaves("address", _body(resources.get("address")))
    for name, answer in resources.items():
        if name.endswith("_a"):
            found |= leaves(f"record {name}", _body(answer))
    for item in objects:
        name = f"{item['kind']} {item['metadata']['name']}"
        found |= leaves(f"{name}.labels", item["metadata"].get("labels") or {})
        found |= leaves(f"{name}.spec", {key: value for key, value in (item.get("spec") or {}).items() if key != "replicas"})
        found |= leaves(f"{name}.data", item.get("data") or {})
    return found


def _skipped(name: str) -> bool:
    return name.lower() in _VOLATILE or name.lower() in _DERIVED


def _body(answer: Mapping[str, Any] | None) -> dict[str, Any]:
    body = (answer or {}).get("body") or {}
    return {"tags": body.get("tags") or {}, **(body.get("properties") or {})}


def _balancer_parts(properties: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Each part's IPv4 items: those of IPv6 hang on a frontend whose address is IPv6's, or are named after it by AKS."""
    rules = [*(properties.get("loadBalancingRules") or []), *(properties.get("outboundRules") or [])]
    six = {
        str(reference["id"]).lower()
        for rule in rules
        if str(((rule["properties"].get("backendAddressPool") or {}).get("id")) or "").lower().endswith("-ipv6")
        for reference in _references(rule["properties"])
    }
    return {part: [item for item in properties.get(part) or [] if item["id"].lower() not in six and not _is_six(item, six)] for part in _PARTS}


def _is_six(item: Mapping[str, Any], six: set[str]) -> bool:
    frontend = str((item["properties"].get("frontendIPConfiguration") or {}).get("id") or "").lower()
    return item["name"].lower().endswith("-ipv6") or frontend in six


def _references(properties: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What only a rule of one family refers to: its frontends and its probe."""
    for name in ("frontendIPConfiguration", "probe"):
        if properties.get(name):
            yield properties[name]
    yield from properties.get("frontendIPConfigurations") or []


def leaves(path: str, value: Any) -> dict[str, Any]:
    """Leaves by their dotted path, without what services write by themselves; lists of named things by name, others by position."""
    if isinstance(value, Mapping):
        pairs = ((f"{path}.{key}", item) for key, item in value.items() if str(key).lower() not in _VOLATILE)
    elif isinstance(value, list):
        pairs = ((f"{path}[{item['name'] if isinstance(item, Mapping) and 'name' in item else number}]", item) for number, item in enumerate(value))
    else:
        return {path: value}
    return {key: leaf for below, item in pairs for key, leaf in leaves(below, item).items()}


def state_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """One line for each thing that is not what it was."""
    lines = []
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            lines.append(f"{name} is gone; it was {before[name]!r}")
        elif name not in before:
            lines.append(f"{name} is new: {after[name]!r}")
        elif before[name] != after[name]:
            lines.append(f"{name} was {before[name]!r} and is {after[name]!r}")
    return lines
