"""NAT gateways."""

from __future__ import annotations

from typing import Any

from ...azure import Azure
from ...kinds import Write, kind
from ...store import Resource
from ..bodies import AWAITED, NAT_GATEWAY, SUBNET
from ..usage import references_to
from .base import NetworkKind


@kind
class NatGateway(NetworkKind):
    type = NAT_GATEWAY
    awaited = AWAITED
    seconds = 5
    #: Azure answers with these, and takes them back
    overlooked = frozenset({"sku.tier", "properties.type"})

    def defaults(self, write: Write) -> None:
        write.properties.setdefault("idleTimeoutInMinutes", 4)

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        body["sku"]["tier"] = "Regional"
        body["properties"]["type"] = "Public"
        subnets = references_to(azure, SUBNET, "natGateway", resource.id)
        if subnets:
            body["properties"]["subnets"] = [{"id": subnet.id} for subnet in subnets]
        return body
