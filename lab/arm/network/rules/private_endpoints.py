"""What private endpoints refuse."""

from __future__ import annotations

from ... import ids
from ...errors import ArmError, InvalidReference
from ...kinds import Write
from ...rules import rule
from ..bodies import PRIVATE_ENDPOINT, ZONE_GROUP, reference


@rule("private-endpoint-ipv4", PRIVATE_ENDPOINT, "learn.microsoft.com/azure/container-registry/container-registry-ipv6-dual-stack")
def private_endpoints_are_ipv4(write: Write) -> None:
    for connection in write.properties.get("privateLinkServiceConnections") or []:
        target = connection["properties"].get("privateLinkServiceId", "").lower()
        if write.properties["ipVersionType"] != "IPv4" and ("/registries/" in target or "/vaults/" in target):
            raise ArmError(400, "PrivateEndpointIpVersionNotSupported", f"{target} serves private endpoints over IPv4 only.")


@rule("private-endpoint-references", PRIVATE_ENDPOINT, "learn.microsoft.com/azure/private-link/private-endpoint-overview")
def what_an_endpoint_names_exists(write: Write) -> None:
    subnet = reference(write.properties, "subnet")
    if not write.azure.store.get(subnet):
        raise InvalidReference(subnet, write.id)
    for connection in write.properties.get("privateLinkServiceConnections") or []:
        target = connection["properties"].get("privateLinkServiceId", "")
        if not write.azure.store.get(target):
            raise InvalidReference(target, write.id)


@rule("private-endpoint-zone-group", ZONE_GROUP, "learn.microsoft.com/azure/private-link/private-endpoint-dns-integration")
def zones_of_a_group_exist(write: Write) -> None:
    for item in write.properties.get("privateDnsZoneConfigs") or []:
        zone = item["properties"].get("privateDnsZoneId", "")
        if not write.azure.store.get(zone):
            raise InvalidReference(zone, write.id)


@rule("private-endpoint-one-zone-group", ZONE_GROUP, "github.com/pulumi/pulumi-azure-native/issues/2179")
def an_endpoint_has_one_group(write: Write) -> None:
    """The code is assumed; the source has the message alone."""
    endpoint = ids.parse(write.id).parent
    for other in write.azure.store.children(endpoint, "privateDnsZoneGroups"):
        if other.key != write.id.lower():
            raise ArmError(
                400,
                "MoreThanOnePrivateDnsZoneGroupPerPrivateEndpointNotAllowed",
                f"Cannot create more than one private dns zone groups in the private endpoint {endpoint}.",
            )
