"""What Azure has of IPv4 in front of a stamp: the load balancer's IPv4 parts, the address and the A records.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._leaves import leaves

#: lists that Azure derives from other objects
_DERIVED = frozenset({"loadbalancingrules", "outboundrules", "inboundnatrules", "backendipconfigurations", "loadbalancerbackendaddresses"})
_PARTS = ("frontendIPConfigurations", "backendAddressPools", "loadBalancingRules", "probes", "outboundRules")


def frontend_state(resources: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Dotted name -> value of what counts.

    ``resources`` are answers of ``azure_resources_info``: ``load_balancer``, ``address``, and records whose names end in ``_a``.
    """
    state: dict[str, Any] = {}
    balancer = (resources.get("load_balancer") or {}).get("body") or {}
    for part, items in _balancer_parts(balancer.get("properties") or {}).items():
        for item in items:
            properties = {key: value for key, value in item["properties"].items() if key.lower() not in _DERIVED}
            state |= leaves(f"load balancer.{part}.{item['name']}", properties)
    state |= leaves("address", _body(resources.get("address")))
    for name, answer in resources.items():
        if name.endswith("_a"):
            state |= leaves(f"record {name}", _body(answer))
    return state


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
