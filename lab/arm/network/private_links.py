"""What private endpoints can lead to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .. import ids
from ..azure import Azure
from ..kinds import Kind
from ..store import Resource
from .bodies import PRIVATE_ENDPOINT


class PrivatelyLinked(Kind):
    """What private endpoints can lead to."""

    #: what a private endpoint asks for, the domain of its public names and the zone of its private ones
    private_link_group = ""
    private_link_domain = ""
    private_link_zone = ""

    def private_link_members(self, resource: Resource) -> dict[str, str]:
        """What of the resource gets an address of its own, and its name in the domain and in the zone."""
        return {}

    def view(self, azure: Azure, resource: Resource, name: str, query: Mapping[str, str]) -> Any:
        match name:
            case "privatelinkresources":
                group = self.private_link_group
                members = list(self.private_link_members(resource))
                properties = {"groupId": group, "requiredMembers": members, "requiredZoneNames": [self.private_link_zone]}
                path = f"{resource.id}/privateLinkResources/{group}"
                return {"value": [{"id": path, "name": group, "type": f"{self.type}/privateLinkResources", "properties": properties}]}
            case "privateendpointconnections":
                return {"value": list(self.private_endpoint_connections(azure, resource))}
        return None

    def private_endpoint_connections(self, azure: Azure, resource: Resource) -> Iterator[dict[str, Any]]:
        for endpoint in azure.store.of_type(PRIVATE_ENDPOINT):
            for connection in endpoint.properties.get("privateLinkServiceConnections") or []:
                properties = connection["properties"]
                if properties["privateLinkServiceId"].lower() == resource.key and "privateLinkServiceConnectionState" in properties:
                    name = f"{endpoint.name}.{ids.stable_uuid(endpoint.id, 'connection')}"
                    yield {
                        "id": f"{resource.id}/privateEndpointConnections/{name}",
                        "name": name,
                        "type": f"{self.type}/privateEndpointConnections",
                        "properties": {
                            "privateEndpoint": {"id": endpoint.id},
                            "privateLinkServiceConnectionState": properties["privateLinkServiceConnectionState"],
                            "provisioningState": "Succeeded",
                        },
                    }
