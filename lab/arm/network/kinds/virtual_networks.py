"""Virtual networks and their subnets."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Mapping
from typing import Any

from ... import errors, ids
from ...azure import Azure
from ...kinds import Write, kind
from ...store import Resource
from ..bodies import PEERING, PRIVATE_ENDPOINT, SUBNET, VNET, canonical, prefixes_of, reference, same_id
from ..usage import references_to, subnet_users, used_private_addresses
from .base import NetworkKind

_PEERING = {
    "allowVirtualNetworkAccess": True,
    "allowForwardedTraffic": False,
    "allowGatewayTransit": False,
    "useRemoteGateways": False,
    "doNotVerifyRemoteGateways": False,
    "peerCompleteVnets": True,
}


@kind
class VirtualNetwork(NetworkKind):
    type = VNET
    seconds = 4
    delete_seconds = 8
    inline_children = {"subnets": "subnets"}

    def defaults(self, write: Write) -> None:
        # Azure keeps the peerings of a network, whatever a body says of them.
        write.properties.pop("virtualNetworkPeerings", None)
        write.properties.setdefault("enableDdosProtection", False)
        write.properties.setdefault("privateEndpointVNetPolicies", "Disabled")

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        space = body["properties"]["addressSpace"]
        space["addressPrefixes"] = [canonical(prefix) for prefix in space["addressPrefixes"]]
        body["properties"]["subnets"] = [azure.render(child) for child in azure.store.children(resource.id, "subnets")]
        body["properties"]["virtualNetworkPeerings"] = [azure.render(child) for child in azure.store.children(resource.id, "virtualNetworkPeerings")]
        return body

    def view(self, azure: Azure, resource: Resource, name: str, query: Mapping[str, str]) -> Any:
        if name != "checkipaddressavailability":
            return None
        return _address_availability(azure, resource, query.get("ipAddress") or "")


def _address_availability(azure: Azure, vnet: Resource, text: str) -> dict[str, Any]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise errors.ArmError(400, "InvalidRequestFormat", f"The IP address '{text}' is not valid.") from error
    subnets = azure.store.children(vnet.id, "subnets")
    for network in (ipaddress.ip_network(prefix) for subnet in subnets for prefix in prefixes_of(subnet.properties)):
        if address in network:
            used = used_private_addresses(azure) | {str(network[number]) for number in range(4)}
            free = (str(network[number]) for number in range(4, network.num_addresses) if str(network[number]) not in used)
            if str(address) in used:
                return {"available": False, "availableIPAddresses": list(itertools.islice(free, 5)), "isPlatformReserved": False}
            return {"available": True, "isPlatformReserved": False}
    raise errors.ArmError(400, "PrivateIPAddressNotInAnySubnet", f"Private static IP address {text} does not belong to the range of any subnet.")


@kind
class Subnet(NetworkKind):
    type = SUBNET
    seconds = 3

    def busy_with(self, resource: ids.ResourceId) -> str:
        return resource.parent

    def defaults(self, write: Write) -> None:
        write.properties.setdefault("privateEndpointNetworkPolicies", "Disabled")
        write.properties.setdefault("privateLinkServiceNetworkPolicies", "Enabled")

    def accepted(self, write: Write, resource: Resource) -> None:
        properties = resource.properties
        for delegation in properties.get("delegations") or []:
            delegation["id"] = f"{resource.id}/delegations/{delegation['name']}"
            delegation["type"] = f"{SUBNET}/delegations"
            delegation["properties"] |= {"provisioningState": "Succeeded", "actions": ["Microsoft.Network/virtualNetworks/subnets/join/action"]}
        for endpoint in properties.get("serviceEndpoints") or []:
            endpoint.setdefault("locations", ["*"])
            endpoint["provisioningState"] = "Succeeded"

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        properties = body["properties"]
        prefixes = [canonical(prefix) for prefix in prefixes_of(properties)]
        if len(prefixes) == 1:
            properties.pop("addressPrefixes", None)
            properties["addressPrefix"] = prefixes[0]
        else:
            properties["addressPrefixes"] = prefixes
        for delegation in properties.setdefault("delegations", []):
            delegation["etag"] = body["etag"]
        users = list(subnet_users(azure, resource.id))
        if users:
            properties["ipConfigurations"] = [{"id": user} for user in users]
        endpoints = list(references_to(azure, PRIVATE_ENDPOINT, "subnet", resource.id))
        if endpoints:
            properties["privateEndpoints"] = [{"id": endpoint.id} for endpoint in endpoints]
        return body


@kind
class VirtualNetworkPeering(NetworkKind):
    """One side of a peering. Packets do not follow it."""

    type = PEERING
    refused_while_busy = errors.Retryable
    #: Azure answers with it, and takes it back
    overlooked = frozenset({"properties.routeServiceVips"})

    def busy_with(self, resource: ids.ResourceId) -> str:
        return resource.parent

    def defaults(self, write: Write) -> None:
        for name, value in _PEERING.items():
            write.properties.setdefault(name, value)

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        network, remote = ids.parse(resource.id).parent, azure.store.get(reference(resource.properties, "remoteVirtualNetwork"))
        returned = azure.store.children(remote.id, "virtualNetworkPeerings") if remote else []
        is_mutual = any(same_id(reference(other.properties, "remoteVirtualNetwork"), network) for other in returned)
        body["properties"] |= {
            "peeringState": "Connected" if is_mutual else "Initiated" if remote else "Disconnected",
            "peeringSyncLevel": "FullyInSync" if is_mutual else "RemoteNotInSync",
            "routeServiceVips": {},
        }
        if remote:
            for name in ("remoteAddressSpace", "remoteVirtualNetworkAddressSpace"):
                body["properties"][name] = {"addressPrefixes": [canonical(prefix) for prefix in remote.properties["addressSpace"]["addressPrefixes"]]}
        return body
