"""Public addresses and their prefixes."""

from __future__ import annotations

from typing import Any

from ...azure import Azure, plain_location
from ...kinds import Write, kind
from ...store import Resource
from ..bodies import PUBLIC_IP, PUBLIC_IP_PREFIX
from ..usage import free_public_address, public_ip_gateway, public_ip_user, references_to
from .base import NetworkKind


@kind
class PublicIPAddress(NetworkKind):
    type = PUBLIC_IP
    seconds = 3

    def defaults(self, write: Write) -> None:
        write.body.setdefault("sku", {}).setdefault("name", "Basic")
        write.body["sku"].setdefault("tier", "Regional")
        properties = write.properties
        properties.setdefault("publicIPAddressVersion", "IPv4")
        properties.setdefault("publicIPAllocationMethod", "Static")
        properties.setdefault("idleTimeoutInMinutes", 4)
        properties.setdefault("ipTags", [])
        properties.setdefault("ddosSettings", {"protectionMode": "VirtualNetworkInherited"})
        # Writable in the schema, server-assigned in practice.
        properties.pop("ipAddress", None)

    def accepted(self, write: Write, resource: Resource) -> None:
        super().accepted(write, resource)
        if write.before:
            resource.properties["ipAddress"] = write.old_properties.get("ipAddress")

    def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> None:
        if not resource.properties.get("ipAddress"):
            resource.properties["ipAddress"] = free_public_address(azure, resource.properties["publicIPAddressVersion"])

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        label = (body["properties"].get("dnsSettings") or {}).get("domainNameLabel")
        if label:
            region = plain_location(body["location"])
            body["properties"]["dnsSettings"].setdefault("fqdn", f"{label}.{region}.cloudapp.azure.com")
        owner = public_ip_user(azure, resource.id)
        if owner:
            body["properties"]["ipConfiguration"] = {"id": owner}
        gateway = public_ip_gateway(azure, resource.id)
        if gateway:
            body["properties"]["natGateway"] = {"id": gateway.id}
        if body["properties"].get("ipAddress") is None:
            body["properties"].pop("ipAddress", None)
        return body


@kind
class PublicIPPrefix(NetworkKind):
    type = PUBLIC_IP_PREFIX
    seconds = 3

    def defaults(self, write: Write) -> None:
        write.body.setdefault("sku", {}).setdefault("name", "Standard")
        write.body["sku"].setdefault("tier", "Regional")
        write.properties.setdefault("publicIPAddressVersion", "IPv4")
        write.properties.setdefault("ipTags", [])
        write.properties.setdefault("prefixLength", 28 if write.properties["publicIPAddressVersion"] == "IPv4" else 124)

    def finished(self, azure: Azure, resource: Resource, before: dict[str, Any] | None) -> None:
        number = len(list(azure.store.of_type(PUBLIC_IP_PREFIX)))
        properties = resource.properties
        if "ipPrefix" not in properties:
            if properties["publicIPAddressVersion"] == "IPv6":
                properties["ipPrefix"] = f"2001:db8:e:{number:x}::/{properties['prefixLength']}"
            else:
                properties["ipPrefix"] = f"198.51.100.{(number * 16) % 256}/{properties['prefixLength']}"

    def render(self, azure: Azure, resource: Resource) -> dict[str, Any]:
        body = super().render(azure, resource)
        addresses = list(references_to(azure, PUBLIC_IP, "publicIPPrefix", resource.id))
        if addresses:
            body["properties"]["publicIPAddresses"] = [{"id": address.id} for address in addresses]
        return body
