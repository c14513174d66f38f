"""Private endpoints, their network interfaces and their groups of private zones."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from ... import errors, ids
from ...azure import Azure
from ...kinds import Kind, Write, kind
from ...store import Resource
from ..bodies import AWAITED, NIC, PRIVATE_ENDPOINT, ZONE_GROUP, reference
from ..private_links import PrivatelyLinked
from ..usage import free_private_address
from .base import NetworkKind

#: seconds that the records of a zone group live
_TTL = 10


@kind
class NetworkInterface(NetworkKind):
    """Only those of private endpoints exist; Azure makes them, clients read them."""

    type = NIC
    writable = False


@kind
class PrivateEndpoint(NetworkKind):
    type = PRIVATE_ENDPOINT
    awaited = AWAITED

    seconds = 20
    delete_seconds = 15
    #: Azure answers with these, and takes them back
    overlooked = frozenset({"properties.resourceGuid", "properties.isIPv6EnabledPrivateEndpoint"})

    def defaults(self, write: Write) -> None:
        write.properties.setdefault("ipVersionType", "IPv4")
        for name in ("manualPrivateLinkServiceConnections", "ipConfigurations"):
            write.properties.setdefault(name, [])
        write.properties.setdefault("customNetworkInterfaceName", "")

    def accepted(self, write: Write, resource: Resource) -> None:
        super().accepted(write, resource)
        azure, properties, addresses = write.azure, resource.properties, resource.hidden.setdefault("addresses", {})
        for member in _members(azure, resource):
            if member not in addresses:
                addresses[member] = free_private_address(azure, reference(properties, "subnet"), "IPv4")
                azure.store.save(resource)
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
                            "name": f"privateEndpointIpConfig.{ids.stable_uuid(resource.id, member)}",
                            "properties": {
                                "privateIPAddress": address,
                                "privateIPAllocationMethod": "Dynamic",
                                "privateIPAddressVersion": "IPv4",
                                "subnet": copy.deepcopy(properties["subnet"]),
                                "primary": number == 0,
                            },
                        }
                        for number, (member, address) in enumerate(addresses.items())
                    ],
                },
            },
        )
        resource.hidden["nic"] = interface

    def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> None:
        for connection in resource.properties.get("privateLinkServiceConnections") or []:
            connection["id"] = f"{resource.id}/privateLinkServiceConnections/{connection['name']}"
            connection["properties"]["privateLinkServiceConnectionState"] = {
                "status": "Approved",
                "description": "Auto-Approved",
                "actionsRequired": "None",
            }
            connection["type"] = f"{PRIVATE_ENDPOINT}/privateLinkServiceConnections"
            connection["etag"] = resource.body["etag"]
            connection["properties"]["provisioningState"] = "Succeeded"

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        body["properties"]["isIPv6EnabledPrivateEndpoint"] = body["properties"]["ipVersionType"] != "IPv4"
        body["properties"]["networkInterfaces"] = [{"id": resource.hidden["nic"]}]
        # The names are in the zones of a group once there is one.
        has_group = any(azure.store.children(resource.id, "privateDnsZoneGroups"))
        body["properties"]["customDnsConfigs"] = [] if has_group else _dns_configurations(azure, resource)
        return body

    def deleted(self, azure: Azure, resource: Resource) -> None:
        azure.store.remove(resource.hidden["nic"])


def _targets(azure: Azure, endpoint: Resource) -> Iterator[tuple[Resource, PrivatelyLinked]]:
    """What an endpoint leads to, as long as it is there."""
    for connection in endpoint.properties.get("privateLinkServiceConnections") or []:
        target = azure.store.get(connection["properties"]["privateLinkServiceId"])
        served = azure.kind_of(target.type) if target else None
        if target and isinstance(served, PrivatelyLinked):
            yield target, served


def _members(azure: Azure, endpoint: Resource) -> dict[str, str]:
    """What gets an address of the endpoint, and its name in a zone."""
    return {member: label for target, served in _targets(azure, endpoint) for member, label in served.private_link_members(target).items()}


def _dns_configurations(azure: Azure, endpoint: Resource) -> list[dict[str, Any]]:
    addresses = endpoint.hidden.get("addresses", {})
    return [
        {"fqdn": f"{label}.{served.private_link_domain}", "ipAddresses": [addresses[member]]}
        for target, served in _targets(azure, endpoint)
        for member, label in served.private_link_members(target).items()
        if member in addresses
    ]


@kind
class PrivateDnsZoneGroup(Kind):
    type = ZONE_GROUP
    seconds = 5
    delete_seconds = 5
    has_etag = True
    #: Azure answers with it, and takes it back
    overlooked = frozenset({"properties.privateDnsZoneConfigs[].properties.provisioningState"})

    def busy_with(self, resource: ids.ResourceId) -> str:
        return resource.parent

    def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> None:
        endpoint = azure.get(ids.parse(resource.id).parent)
        for zone in resource.properties.get("privateDnsZoneConfigs") or []:
            target = azure.store.get(zone["properties"]["privateDnsZoneId"])
            if target is None:
                raise errors.InvalidReference(zone["properties"]["privateDnsZoneId"], resource.id)
            for member, label in _members(azure, endpoint).items():
                azure.make(
                    f"{target.id}/A/{label}",
                    {
                        "properties": {
                            "ttl": _TTL,
                            "aRecords": [{"ipv4Address": endpoint.hidden["addresses"][member]}],
                            "metadata": {"creator": f"created by private endpoint {endpoint.name}"},
                        }
                    },
                )

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        endpoint, state = azure.get(ids.parse(resource.id).parent), body["properties"]["provisioningState"]
        for item in body["properties"].get("privateDnsZoneConfigs") or []:
            zone = item["properties"]["privateDnsZoneId"].rpartition("/")[2]
            path = f"{resource.id}/privateDnsZoneConfigs/{item['name']}"
            item |= {"id": path, "type": f"{ZONE_GROUP}/privateDnsZoneConfigs", "etag": body["etag"]}
            item["properties"] |= {
                "provisioningState": state,
                "recordSets": [
                    {
                        "recordType": "A",
                        "recordSetName": label,
                        "fqdn": f"{label}.{zone}",
                        "ttl": _TTL,
                        "provisioningState": state,
                        "ipAddresses": [endpoint.hidden["addresses"][member]],
                    }
                    for member, label in _members(azure, endpoint).items()
                ],
            }
        return body

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
