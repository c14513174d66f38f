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
from ..bodies import NAVIGATION_LINKS, PEERING, PRIVATE_ENDPOINT, SUBNET, VNET, canonical, prefixes_of, reference, same_id
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
    #: Azure answers with it, and takes it back
    overlooked = frozenset({"properties.virtualNetworkPeerings[].properties.routeServiceVips"})

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
        links = resource.hidden.get(NAVIGATION_LINKS)
        if links:
            properties[NAVIGATION_LINKS] = [
                {"id": f"{resource.id}/{NAVIGATION_LINKS}/{number}", "name": str(number), "properties": {"linkedResourceType": kind_of_service}}
                for number, kind_of_service in enumerate(links)
            ]
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

    def accepted(self, write: Write, resource: Resource) -> None:
        """A peering knows the other network's address space as of when it was made or last synced."""
        super().accepted(write, resource)
        remote = write.azure.get(reference(resource.properties, "remoteVirtualNetwork"))
        if write.before is None:
            for other in _returning(write.azure, write.id, remote):
                other.hidden[_SYNCED] = _space(write.azure.get(ids.parse(write.id).parent))
                write.azure.store.save(other)
        if write.before is None or write.query.get("syncRemoteAddressSpace", "").lower() == "true":
            resource.hidden[_SYNCED] = _space(remote)

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        remote = azure.store.get(reference(resource.properties, "remoteVirtualNetwork"))
        returned = _returning(azure, resource.id, remote) if remote else []
        body["properties"] |= {
            "peeringState": "Connected" if returned else "Initiated" if remote else "Disconnected",
            "peeringSyncLevel": _sync_level(azure, resource, remote, returned),
            "routeServiceVips": {},
        }
        if remote:
            known = {"remoteAddressSpace": resource.hidden.get(_SYNCED), "remoteVirtualNetworkAddressSpace": _space(remote)}
            for name, space in known.items():
                body["properties"][name] = {"addressPrefixes": [canonical(prefix) for prefix in space or _space(remote)]}
        return body


_SYNCED = "remoteAddressSpace"


def _space(vnet: Resource) -> list[str]:
    return list(vnet.properties["addressSpace"]["addressPrefixes"])


def _returning(azure: Azure, peering: str, remote: Resource) -> list[Resource]:
    """The peerings from the other network back to this one's."""
    network = ids.parse(peering).parent
    others = azure.store.children(remote.id, "virtualNetworkPeerings")
    return [other for other in others if same_id(reference(other.properties, "remoteVirtualNetwork"), network)]


def _sync_level(azure: Azure, peering: Resource, remote: Resource | None, returned: list[Resource]) -> str:
    """Which side has to be synced since an address space has changed (Microsoft's description of ``peeringSyncLevel``)."""
    if remote is None or not returned:
        return "RemoteNotInSync"
    local = _space(azure.get(ids.parse(peering.id).parent))
    is_current = {
        "Local": all(other.hidden.get(_SYNCED, local) == local for other in returned),
        "Remote": peering.hidden.get(_SYNCED, _space(remote)) == _space(remote),
    }
    behind = [side for side, current in is_current.items() if not current]
    return f"{'And'.join(behind)}NotInSync" if behind else "FullyInSync"
