"""Zones, record sets and the links of private zones to virtual networks."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from .. import ids
from ..azure import Azure
from ..kinds import Kind, Write, kind
from ..store import Resource

PUBLIC_ZONE = "Microsoft.Network/dnsZones"
PRIVATE_ZONE = "Microsoft.Network/privateDnsZones"
LINK = PRIVATE_ZONE + "/virtualNetworkLinks"
#: how Azure spells it in answers
_SHOWN_ZONE = "Microsoft.Network/dnszones"
RECORD_TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT")


class _Zone(Kind):
    has_etag = True
    honours_if_match = True
    #: names under which all record sets are listed, whatever their type
    all_record_sets: tuple[str, ...] = ()

    def defaults(self, write: Write) -> None:
        write.body.setdefault("location", "global")

    def view(self, azure: Azure, resource: Resource, name: str, query: Mapping[str, str]) -> Any:
        if name not in self.all_record_sets:
            return None
        found = [item for item in azure.store.below(resource.id) if isinstance(azure.kind_of(item.type), _RecordSet)]
        return {"value": [azure.render(item) for item in found]}


@kind
class PublicZone(_Zone):
    type = PUBLIC_ZONE
    all_record_sets = ("recordsets", "all")
    delete_seconds = 5
    has_provisioning_state = False

    def defaults(self, write: Write) -> None:
        super().defaults(write)
        write.body.setdefault("tags", {})
        write.properties.setdefault("zoneType", "Public")

    def accepted(self, write: Write, resource: Resource) -> None:
        resource.properties["maxNumberOfRecordSets"] = 10000
        shard = int(ids.stable_uuid(resource.id)[:2], 16) % 10 + 1
        resource.properties["nameServers"] = [
            f"ns{number}-{shard:02}.azure-dns.{end}." for number, end in enumerate(("com", "net", "org", "info"), 1)
        ]

    def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> None:
        if before is None:
            names = [{"nsdname": name} for name in resource.properties["nameServers"]]
            azure.make(f"{resource.id}/NS/@", {"properties": {"TTL": 172800, "NSRecords": names}})
            azure.make(
                f"{resource.id}/SOA/@",
                {"properties": {"TTL": 3600, "SOARecord": _start_of_authority(resource.properties["nameServers"][0], "minimumTTL")}},
            )

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource) | {"type": _SHOWN_ZONE}
        body["properties"]["numberOfRecordSets"] = len(
            [found for found in azure.store.below(resource.id) if found.type.lower().startswith(PUBLIC_ZONE.lower() + "/")]
        )
        return body


@kind
class PrivateZone(_Zone):
    type = PRIVATE_ZONE
    all_record_sets = ("all",)
    seconds = 10
    delete_seconds = 10
    accepts_with_202 = True
    #: while a link is being deleted, Azure says that it is in the way
    delete_interrupts = True

    def accepted(self, write: Write, resource: Resource) -> None:
        resource.properties["internalId"] = base64.b64encode(f"ImmutableZoneIdentity;{ids.stable_uuid(resource.id)};0".encode()).decode()
        resource.properties["maxNumberOfRecordSets"] = 25000
        resource.properties["maxNumberOfVirtualNetworkLinks"] = 1000
        resource.properties["maxNumberOfVirtualNetworkLinksWithRegistration"] = 100

    def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> None:
        # An update makes it too, since the creation may have failed.
        if not azure.store.get(f"{resource.id}/SOA/@"):
            azure.make(f"{resource.id}/SOA/@", {"properties": {"ttl": 3600, "soaRecord": _start_of_authority("azureprivatedns.net.", "minimumTtl")}})

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        properties = body["properties"]
        links = azure.store.children(resource.id, "virtualNetworkLinks")
        properties["numberOfVirtualNetworkLinks"] = len(links)
        properties["numberOfVirtualNetworkLinksWithRegistration"] = len([link for link in links if link.properties["registrationEnabled"]])
        properties["numberOfRecordSets"] = len(azure.store.below(resource.id)) - len(links)
        return body


def _start_of_authority(host: str, minimum: str) -> dict[str, Any]:
    return {
        "email": "azuredns-hostmaster.microsoft.com",
        "host": host,
        "expireTime": 2419200,
        minimum: 300,
        "refreshTime": 3600,
        "retryTime": 300,
        "serialNumber": 1,
    }


class _RecordSet(Kind):
    """Record sets are written at once. Addresses are answered in the text in which they were sent."""

    has_provisioning_state = False
    has_etag = True
    honours_if_match = True
    public = True

    def defaults(self, write: Write) -> None:
        write.body.setdefault("properties", {})

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        properties = body["properties"]
        zone = ids.parse(resource.id).names[0]
        properties["fqdn"] = f"{zone}." if resource.name == "@" else f"{resource.name}.{zone}."
        if self.public:
            body["type"] = f"{_SHOWN_ZONE}/{ids.parse(resource.id).types[-1]}"
            properties.setdefault("metadata", {})
            properties.setdefault("targetResource", {})
            properties["provisioningState"] = "Succeeded"
        else:
            properties["isAutoRegistered"] = False
        return body


def _record_kinds() -> None:
    """One kind for each record type of each provider; they differ in nothing but their names."""
    for zone, is_public in ((PUBLIC_ZONE, True), (PRIVATE_ZONE, False)):
        for record in RECORD_TYPES:
            if is_public or record not in ("CAA", "NS"):
                kind(type(f"{record}RecordSet", (_RecordSet,), {"type": f"{zone}/{record}", "public": is_public}))


_record_kinds()


@kind
class VirtualNetworkLink(Kind):
    type = LINK
    seconds = 10
    delete_seconds = 10
    accepts_with_202 = True
    has_etag = True
    honours_if_match = True
    #: clients that send a whole virtual network where its id is meant (azure.azcollection) are served all the same
    overlooked = frozenset({"properties.virtualNetwork.properties"})

    def busy_with(self, resource: ids.ResourceId) -> str:
        return resource.parent

    def defaults(self, write: Write) -> None:
        write.body.setdefault("location", "global")
        write.properties.setdefault("registrationEnabled", False)
        write.properties.setdefault("resolutionPolicy", "Default")

    def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> None:
        resource.properties["virtualNetworkLinkState"] = "Completed"
