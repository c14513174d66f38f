"""Route tables."""

from __future__ import annotations

from ... import errors
from ...kinds import Write, kind
from ...store import Resource
from ..bodies import ROUTE_TABLE
from .base import NetworkKind


@kind
class RouteTable(NetworkKind):
    type = ROUTE_TABLE
    member_lists = ("routes",)
    refused_while_busy = errors.Retryable

    def defaults(self, write: Write) -> None:
        write.properties.setdefault("routes", [])
        write.properties.setdefault("disableBgpRoutePropagation", False)

    def accepted(self, write: Write, resource: Resource) -> None:
        super().accepted(write, resource)
        for route in resource.properties["routes"]:
            route["id"] = f"{resource.id}/routes/{route['name']}"
            route["type"] = f"{ROUTE_TABLE}/routes"
            route["etag"] = resource.body["etag"]
            route["properties"].setdefault("hasBgpOverride", False)
            route["properties"]["provisioningState"] = "Succeeded"
