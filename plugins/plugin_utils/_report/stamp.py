"""What was read of one stamp, by the names that checks use for it.

This file is private to the collection.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .._azure.marks import tags_of
from .parity import family_of
from .reads import properties_of

RECORD_TYPES = {"ipv4": "a", "ipv6": "aaaa"}
WORDS = {"ipv4": "IPv4", "ipv6": "IPv6"}
_LENGTH = 200


class MalformedFacts(Exception):
    """What was handed over is not what verify.yml collects."""


def one_line(text: Any) -> str:
    """The first line of a message, short enough for a table."""
    lines = [line.strip() for line in str(text or "").splitlines() if line.strip()]
    found = lines[0] if lines else ""
    return found if len(found) <= _LENGTH else f"{found[:_LENGTH]}…"


def same_address(one: Any, another: Any) -> bool:
    try:
        return ipaddress.ip_address(str(one)) == ipaddress.ip_address(str(another))
    except ValueError:
        return False


@dataclass(frozen=True)
class Zone:
    """One view of the names: the zone's id, the stamp's name in it, and what was read and heard of it."""

    view: str
    identifier: str
    name: str


class Stamp:
    """The facts of a stamp; everything that may be missing has an empty value."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        if not isinstance(facts, Mapping) or not facts.get("stamp"):
            raise MalformedFacts("the facts of a stamp are a mapping that names it (stamp).")
        self.facts = facts
        self.name = str(facts["stamp"])
        self.answers: Mapping[str, Any] = facts.get("resources") or {}
        self.problem = one_line(facts.get("problem"))
        self.asked: list[Mapping[str, Any]] = list(facts.get("asked") or [])
        self.applications = sorted({(str(found["namespace"]), str(found["service"])) for found in facts.get("applications") or []})
        self.check_mode = bool(facts.get("check_mode"))

    # Azure

    @property
    def has_cluster(self) -> bool:
        return bool((self.answers.get("cluster") or {}).get("exists"))

    @property
    def cluster_id(self) -> str:
        return str((self.answers.get("cluster") or {}).get("id") or "")

    @cached_property
    def cluster_families(self) -> list[str]:
        profile = properties_of(self.answers, "cluster").get("networkProfile") or {}
        return [str(family).lower() for family in profile.get("ipFamilies") or ["IPv4"]]

    def address(self, family: str) -> str:
        """The entrance's public address; empty when it has none."""
        return str(properties_of(self.answers, family).get("ipAddress") or "")

    def refusal(self, name: str) -> str:
        """Why Azure did not give a resource."""
        error = (self.answers.get(name) or {}).get("error") or {}
        return one_line(f"{error.get('code')}: {error.get('message')}") if error else ""

    # The state of IPv6

    @property
    def desired(self) -> str:
        return str(self.facts.get("desired") or "enabled")

    @property
    def hold(self) -> str:
        return str(tags_of((self.answers.get("ipv6") or {}).get("body")).get("dualstack-hold") or "")

    @property
    def expected(self) -> str:
        """What IPv6 is to be: what it is held at, else what the inventory declares."""
        return self.hold.partition(" ")[0] if self.hold else self.desired

    @property
    def actual(self) -> str:
        return "enabled" if self.service("ipv6") else "disabled"

    def foreign(self, family: str) -> str:
        """Why a family's entrance is not ours; empty when it is."""
        return f"the running ingress has {WORDS[family]}" if family in (self.facts.get("running_ingress") or []) else ""

    def off(self, family: str) -> str:
        """Why a family is not to be there; empty when it is."""
        if family == "ipv4" or self.expected != "disabled":
            return ""
        return f"IPv6 is held: {self.hold}" if self.hold else "dualstack_ipv6 is disabled"

    @property
    def hold_age(self) -> str:
        """How long IPv6 has been held; empty when the tag has no time."""
        try:
            since = datetime.datetime.fromisoformat(self.hold.partition(" since ")[2].partition(": ")[0])
            seconds = (datetime.datetime.fromisoformat(str(self.facts.get("now"))) - since).total_seconds()
        except (ValueError, TypeError):
            return ""
        for length, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
            if seconds >= 2 * length:
                return f"{seconds // length:.0f} {unit}"
        return f"{max(seconds, 0):.0f} seconds"

    # Kubernetes

    def _results(self, kind: str) -> list[Mapping[str, Any]]:
        return [result for result in self.facts.get("objects") or [] if (result.get("item") or {}).get("kind") == kind]

    def objects(self, kind: str) -> list[dict[str, Any]]:
        return [item for result in self._results(kind) for item in result.get("resources") or []]

    def unreadable(self, kind: str) -> str:
        """Why a kind could not be read; empty when it was."""
        for result in self._results(kind):
            if "resources" not in result or result.get("api_found") is False:
                return f"{kind} cannot be read: {one_line(result.get('msg') or 'no answer')}"
        return ""

    def entrance(self, family: str) -> str:
        """The name of a family's entrance."""
        return f"entrance-{family}"

    def service(self, family: str) -> dict[str, Any]:
        return next((item for item in self.objects("Service") if item["metadata"]["name"] == self.entrance(family)), {})

    @cached_property
    def zones(self) -> dict[str, str]:
        """Node -> its availability zone. A label without a region is a fault domain of a node that is in no zone."""
        labels = {node["metadata"]["name"]: node["metadata"].get("labels") or {} for node in self.objects("Node")}
        found = {name: str(item.get("topology.kubernetes.io/zone") or "") for name, item in labels.items()}
        return {name: zone for name, zone in found.items() if zone and not zone.isdigit()}

    # Names

    def zone(self, view: str) -> Zone:
        found = (self.facts.get("zones") or {}).get(view) or {}
        return Zone(view, str(found.get("id") or ""), str(found.get("name") or ""))

    def stored(self, view: str, family: str) -> list[str]:
        """The addresses in a zone's record set."""
        records = {f"record {name}": answer for name, answer in (self.facts.get("records") or {}).items()}
        properties = {name.lower(): value for name, value in properties_of(records, f"record {view}_{RECORD_TYPES[family]}").items()}
        return [str(record[f"{family}Address"]) for record in properties.get(f"{RECORD_TYPES[family]}records") or []]

    def asked_of(self, family: str) -> Mapping[str, Any] | None:
        """What the entrance of a family said to the probe host; None when nobody could ask it."""
        return next((found for found in self.asked if found["key"] == family and not could_not_ask(found)), None)

    def unasked(self, family: str) -> str:
        """Why the probe host could not ask; empty when it could, or when there is none."""
        return next((could_not_ask(found) for found in self.asked if found["key"] == family), "")

    def resolved(self, view: str, family: str) -> Mapping[str, Any] | None:
        found = self.facts.get("resolved") or []
        return next((answer for answer in found if answer["view"] == view and answer["key"] == family), None)

    # Repair

    @property
    def withdrawn(self) -> list[str]:
        return list((self.facts.get("repairs") or {}).get("withdraw") or [])


def message_of(asked: Mapping[str, Any]) -> str:
    """What is silent and why, or why nobody could ask."""
    return one_line("; ".join(f"{found['name']}: {found['said']}" for found in _silent(asked)) or asked.get("msg")) or "no answer"


def could_not_ask(asked: Mapping[str, Any]) -> str:
    """Why a probe host that was told to ask could not: it says nothing of the entrance then. Empty when it asked.

    A host that has no way into the family has none to any listener; a silent one is a time-out or a refusal.
    """
    if all(found["unreachable"] for found in asked.get("listeners") or []):
        return f"{asked.get('probe')} could not request {asked.get('address')}: {message_of(asked)}"
    return ""


def answered(asked: Mapping[str, Any]) -> bool:
    """Whether everything that the entrance listens on answered."""
    return bool(asked.get("listeners")) and not _silent(asked)


def _silent(asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [found for found in asked.get("listeners") or [] if not found["answered"]]


def heard(resolved: Mapping[str, Any], family: str) -> list[str]:
    """The addresses of a family in what getent printed; an IPv4 address written as IPv6 is no answer of IPv6."""
    words = [line.split()[0] for line in str(resolved.get("stdout") or "").splitlines() if line.split()]
    addresses = (ipaddress.ip_address(word) for word in words if family_of(word) == family)
    return sorted({str(address) for address in addresses if not getattr(address, "ipv4_mapped", None)})
