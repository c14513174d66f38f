"""What the page shows of a stamp beside its checks: its addresses, the path of each family, and what is not as declared.

This file is private to the collection. Everything comes from what the checks have read; what was not read is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._addresses.allocations import STAMP_RANGES
from .._addresses.ranges import network_of, prefixes_in
from .._kubernetes.entrances import upstream_family
from .parity import family_of
from .reads import properties_of
from .results import drifts, outbound
from .stamp import WORDS, Stamp

#: kinds of addresses, and what a topology has of the stamp and of each family
KINDS = ("vnet", "subnet", "pods", "services")
TOPOLOGY = {"mode", "upstream", "cluster", "nodes", "names", "applications", "families"}
FAMILY = {"absent", "records", "address", "listeners", "pods", "upstream", "outbound", "nodes"}
#: what is known of a stamp that could not be read
NOTHING: dict[str, Any] = {"addresses": [], "topology": {}, "drift": []}


def details(facts: Mapping[str, Any]) -> dict[str, Any]:
    """``addresses``, ``topology`` and ``drift`` of a stamp, from the facts that its checks are made of."""
    stamp = Stamp(facts)
    addresses = [address for address in _addresses(stamp) if is_prefix(address["prefix"])]
    return {"addresses": addresses, "topology": _topology(stamp) if stamp.has_cluster else {}, "drift": drifts(stamp)}


def registered_addresses(register: Mapping[str, Any], stamp: str, part: str = "stamps") -> list[dict[str, str]]:
    """A stamp's addresses as the register plans them, in the form of :func:`details`. The playbook ``plan`` refuses what is no prefix."""
    entry = (register.get(part) or {}).get(stamp) or {}
    return [
        {"kind": name if name in STAMP_RANGES else "subnet", "name": str(name), "prefix": prefix}
        for name, families in entry.items()
        for prefix in prefixes_in(families or {})
        if is_prefix(prefix)
    ]


def is_prefix(text: object) -> bool:
    """Whether a text can be drawn."""
    try:
        network_of(str(text))
    except ValueError:
        return False
    return True


def _addresses(stamp: Stamp) -> Iterator[dict[str, str]]:
    for name in stamp.answers:
        if name.startswith("network "):
            properties = properties_of(stamp.answers, name)
            for prefix in (properties.get("addressSpace") or {}).get("addressPrefixes") or []:
                yield {"kind": "vnet", "name": name.rpartition("/")[2], "prefix": str(prefix)}
            for subnet in properties.get("subnets") or []:
                about = subnet.get("properties") or {}
                for prefix in about.get("addressPrefixes") or [about.get("addressPrefix")]:
                    yield {"kind": "subnet", "name": str(subnet["id"]).rpartition("/")[2], "prefix": str(prefix)}
    profile = properties_of(stamp.answers, "cluster").get("networkProfile") or {}
    for kind, one, several in (("pods", "podCidr", "podCidrs"), ("services", "serviceCidr", "serviceCidrs")):
        for prefix in profile.get(several) or [profile.get(one)]:
            yield {"kind": kind, "name": kind, "prefix": str(prefix)}


def _topology(stamp: Stamp) -> dict[str, Any]:
    mode, upstream = str(stamp.facts.get("mode") or "native"), str(stamp.facts.get("upstream") or "services")
    return {
        "mode": mode,
        "upstream": upstream,
        "cluster": stamp.cluster_id.rpartition("/")[2],
        "nodes": len(stamp.objects("Node")),
        "names": {view: stamp.zone(view).name for view in ("public", "private") if stamp.zone(view).identifier},
        "applications": [f"{namespace}/{service}" for namespace, service in stamp.applications],
        "families": {family: _family(stamp, family, mode) for family in WORDS},
    }


def _family(stamp: Stamp, family: str, mode: str) -> dict[str, Any]:
    asked = stamp.asked_of(family) or {}
    entrances = [pod for pod in stamp.objects("Pod") if (pod["metadata"].get("labels") or {}).get("app.kubernetes.io/name") == stamp.entrance(family)]
    return {
        "absent": stamp.foreign(family) or stamp.off(family) or ("" if family in stamp.cluster_families else f"the cluster has no {WORDS[family]}"),
        "records": {view: stamp.stored(view, family) for view in ("public", "private")},
        "address": stamp.address(family),
        "listeners": [str(listener["name"]) for listener in asked.get("listeners") or []],
        "pods": len(entrances),
        "upstream": upstream_family(mode, WORDS[family]).lower(),
        "outbound": outbound(stamp, family),
        "nodes": sum(
            any(item["type"] == "InternalIP" and family_of(item["address"]) == family for item in (node.get("status") or {}).get("addresses") or [])
            for node in stamp.objects("Node")
        ),
    }
