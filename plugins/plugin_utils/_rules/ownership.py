"""Rules of what exists already under a stamp's names.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._azure.marks import in_words, mark, tags_of
from .._resource_id import folded
from . import Answer, Chapter, Finding


@dataclass(frozen=True)
class Names:
    """The resources that a stamp makes, by the variable that names them, and what Azure answered of each id."""

    stamp: str
    ids: Mapping[str, Sequence[str]]
    answers: Mapping[str, Answer]


CHAPTER = Chapter[Names]("ownership")


@CHAPTER.rule("give it another name, or hand it over", "https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources")
def resource_not_ours(names: Names) -> Iterator[Finding]:
    """A resource with one of the stamp's names that somebody else created: a run would change it, and delete it with the stamp. Resource groups and
    zones are used as they are."""
    for variable, identifiers in names.ids.items():
        for identifier in identifiers:
            answer, ours = names.answers[identifier], mark(names.stamp)
            if answer.exists and not ours.items() <= tags_of(answer.body).items():
                tags = " ".join(f"{name}={value}" for name, value in ours.items())
                yield (
                    variable,
                    f"{identifier} exists, but its tags lack {in_words(ours)}",
                    f"give it another name, or hand it over: az tag update --operation merge --resource-id {identifier} --tags {tags}",
                )


#: name of the cluster's diagnostic setting
OUR_SETTING = "dualstack-aks"


@dataclass(frozen=True)
class Diagnostics:
    """Where a cluster's logs and metrics are to go, and the diagnostic settings that it has, as Azure lists them."""

    workspace_id: str
    categories: Sequence[str]
    settings: Answer


DIAGNOSTICS = Chapter[Diagnostics]("ownership")


@DIAGNOSTICS.rule(
    "add the missing categories to that setting, delete it, or set aks_monitoring to false",
    "https://learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings",
)
def diagnostics_taken(diagnostics: Diagnostics) -> Iterator[Finding]:
    """A diagnostic setting of somebody else that sends only some of the declared categories to the same workspace: Azure allows each category once.
    A setting that sends all of them is used as it is."""
    wanted = set(map(folded, diagnostics.categories))
    for setting in diagnostics.settings.body.get("value") or ():
        properties = setting.get("properties") or {}
        sent = {
            folded(item.get("category") or item.get("categoryGroup"))
            for part in ("logs", "metrics")
            for item in properties.get(part) or ()
            if item.get("enabled")
        }
        same = folded(properties.get("workspaceId")) == folded(diagnostics.workspace_id)
        if same and folded(setting["name"]) != OUR_SETTING and sent & wanted and not wanted <= sent:
            yield (
                "aks_workspace_id",
                f"the diagnostic setting {setting['name']} of the cluster sends {', '.join(sorted(sent & wanted))} to {diagnostics.workspace_id}, "
                f"but not {', '.join(sorted(wanted - sent))}",
            )


@dataclass(frozen=True)
class ZoneGroup:
    """The zone that a private endpoint's names are to be in, and the zone groups that the endpoint has, as Azure lists them."""

    role: str
    endpoint_id: str
    zone_id: str
    groups: Answer


ZONE_GROUPS = Chapter[ZoneGroup]("ownership")


@ZONE_GROUPS.rule("use its zone, or delete the group", "https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration")
def zone_group_taken(declared: ZoneGroup) -> Iterator[Finding]:
    """A private endpoint with a zone group of somebody else for other zones, for example from Azure Policy: an endpoint can have only one group.
    A group with the declared zone is used as it is."""
    groups = {
        group["name"]: [str(item["properties"]["privateDnsZoneId"]) for item in (group.get("properties") or {}).get("privateDnsZoneConfigs") or ()]
        for group in declared.groups.body.get("value") or ()
        if folded(group["name"]) != "default"
    }
    for name, zones in groups.items():
        if folded(declared.zone_id) not in map(folded, zones):
            yield (
                f"{declared.role}_existing_private_zone_id",
                f"{declared.endpoint_id} has the zone group {name} for {', '.join(zones) or 'no zone'}",
                f"set {declared.role}_existing_private_zone_id to that zone, or delete the group",
            )


MANAGED_BY = ("app.kubernetes.io/managed-by", "dualstack.aks")


@dataclass(frozen=True)
class Objects:
    """The live objects of a cluster that the entrances have the names of."""

    live: Sequence[Mapping[str, Any]]


OBJECTS = Chapter[Objects]("ownership")


@OBJECTS.rule(
    "set ingress_namespace to another name, or hand it over",
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels",
)
def object_not_ours(objects: Objects) -> Iterator[Finding]:
    """A namespace or object with one of the entrances' names that somebody else created: a run would change it."""
    for found in objects.live:
        metadata, (label, value) = found["metadata"], MANAGED_BY
        if (metadata.get("labels") or {}).get(label) == value:
            continue
        kind, place = found["kind"], f" --namespace {metadata['namespace']}" if metadata.get("namespace") else ""
        yield (
            "ingress_namespace",
            f"{kind} {'/'.join(filter(None, (metadata.get('namespace'), metadata['name'])))} exists without the label {label}={value}",
            f"set ingress_namespace to another name, or hand it over: kubectl label {kind.lower()} {metadata['name']}{place} {label}={value}",
        )
