"""Private endpoints, their network interfaces and their groups of private zones."""

from __future__ import annotations

import copy
from typing import Any

from ... import errors, ids
from ...azure import Azure
from ...kinds import Kind, Write, kind
from ...store import Resource
from ..bodies import NIC, PRIVATE_ENDPOINT, ZONE_GROUP, reference
from ..usage import free_private_address
from .base import NetworkKind


@kind
class NetworkInterface(NetworkKind):
    """Only those of private endpoints exist; Azure makes them, clients read them."""

    type = NIC
    writable = False


@kind
class PrivateEndpoint(NetworkKind):
    type = PRIVATE_ENDPOINT

    seconds = 20
    delete_seconds = 15

    def accepted(self, write: Write, resource: Resource) -> None:
        """Microsoft's type has no resourceGuid, and Azure accepts what it answers."""

    def defaults(self, write: Write) -> None:
        write.properties.setdefault("ipVersionType", "IPv4")
        write.properties.setdefault("customDnsConfigs", [])
        write.properties.setdefault("manualPrivateLinkServiceConnections", [])

    def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> None:
        properties = resource.properties
        if "address" not in resource.hidden:
            resource.hidden["address"] = free_private_address(azure, reference(properties, "subnet"), "IPv4")
        name = f"{resource.name}.nic.{ids.stable_uuid(resource.id)}"
        interface = f"{ids.parse(resource.id).scope}/providers/{NIC}/{name}"
        azure.make(
            interface,
            {
                "location": resource.body["location"],
                "properties": {
                    "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
                    "enableAcceleratedNetworking": False,
                    "enableIPForwarding": False,
                    "primary": False,
                    "privateEndpoint": {"id": resource.id},
                    "ipConfigurations": [
                        {
                            "name": "privateEndpointIpConfig",
                            "properties": {
                                "privateIPAddress": resource.hidden["address"],
                                "privateIPAllocationMethod": "Dynamic",
                                "privateIPAddressVersion": "IPv4",
                                "subnet": copy.deepcopy(properties["subnet"]),
                                "primary": True,
                            },
                        }
                    ],
                },
            },
        )
        resource.hidden["nic"] = interface
        for connection in properties.get("privateLinkServiceConnections") or []:
            connection["id"] = f"{resource.id}/privateLinkServiceConnections/{connection['name']}"
            connection["properties"]["privateLinkServiceConnectionState"] = {
                "status": "Approved",
                "description": "Auto-Approved",
                "actionsRequired": "None",
            }
            connection["properties"]["provisioningState"] = "Succeeded"
        properties["customDnsConfigs"] = [
            {"fqdn": name, "ipAddresses": [resource.hidden["address"]]} for name in _private_link_names(azure, properties)
        ]

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        if "nic" in resource.hidden:
            body["properties"]["networkInterfaces"] = [{"id": resource.hidden["nic"]}]
        return body

    def deleted(self, azure: Azure, resource: Resource) -> None:
        azure.store.remove(resource.hidden.get("nic", ""))


def _private_link_names(azure: Azure, properties: dict[str, Any]) -> list[str]:
    names = []
    for connection in properties.get("privateLinkServiceConnections") or []:
        target = azure.store.get(connection["properties"]["privateLinkServiceId"])
        if target:
            names.append(target.properties.get("loginServer") or str(target.properties.get("vaultUri", "")).removeprefix("https://").rstrip("/"))
    return [name for name in names if name]


@kind
class PrivateDnsZoneGroup(Kind):
    type = ZONE_GROUP
    seconds = 5
    delete_seconds = 5
    has_etag = True

    def busy_with(self, resource: ids.ResourceId) -> str:
        return resource.parent

    def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> None:
        endpoint = azure.get(ids.parse(resource.id).parent)
        for zone in resource.properties.get("privateDnsZoneConfigs") or []:
            target = azure.store.get(zone["properties"]["privateDnsZoneId"])
            if target is None:
                raise errors.InvalidReference(zone["properties"]["privateDnsZoneId"], resource.id)
            for full_name in _private_link_names(azure, endpoint.properties):
                # privatelink.azurecr.io holds "name" for name.azurecr.io
                label = full_name.partition(".")[0]
                azure.make(
                    f"{target.id}/A/{label}",
                    {
                        "properties": {
                            "ttl": 10,
                            "aRecords": [{"ipv4Address": endpoint.hidden["address"]}],
                            "metadata": {"creator": f"created by private endpoint {endpoint.name}"},
                        }
                    },
                )

    def deleted(self, azure: Azure, resource: Resource) -> None:
        """Remove the records that it made."""
        creator = f"created by private endpoint {ids.parse(resource.id).parent.rpartition('/')[2]}"
        for zone in resource.properties.get("privateDnsZoneConfigs") or []:
            for record in azure.store.children(zone["properties"]["privateDnsZoneId"], "A"):
                if (record.properties.get("metadata") or {}).get("creator") == creator:
                    azure.store.remove(record.id)


@kind
class PrivateLinkService(NetworkKind):
    """The lab makes none; the cloud controller lists them."""

    type = "Microsoft.Network/privateLinkServices"
    writable = False
