"""What NAT gateways refuse."""

from __future__ import annotations

from ...azure import Azure, plain_location
from ...errors import ArmError, ReferenceNotFound
from ...kinds import Write
from ...rules import delete_rule, rule
from ...store import Resource
from ..bodies import NAT_GATEWAY, SUBNET
from ..usage import references_to
from .shared import PUBLIC_ADDRESSES, check_is_free

_NAT_SKU = "learn.microsoft.com/azure/nat-gateway/nat-sku"


@rule("nat-gateway-ipv6", NAT_GATEWAY, _NAT_SKU)
def only_standard_v2_has_ipv6(write: Write) -> None:
    sixes = write.properties.get("publicIpAddressesV6") or write.properties.get("publicIpPrefixesV6")
    if sixes and (write.body.get("sku") or {}).get("name") != "StandardV2":
        raise ArmError(400, "NatGatewayIPv6NotSupported", "IPv6 addresses need a NAT gateway of SKU StandardV2.")


@rule("nat-gateway-addresses", NAT_GATEWAY, _NAT_SKU)
def gateway_addresses(write: Write) -> None:
    sku = (write.body.get("sku") or {}).get("name")
    for name, version in (("publicIpAddresses", "IPv4"), ("publicIpAddressesV6", "IPv6")):
        found = write.properties.get(name) or []
        if len(found) > 16:
            raise ArmError(400, "NatGatewayTooManyAddresses", f"{name}: 16 addresses at most, not {len(found)}.")
        for item in found:
            address = write.azure.store.get(item["id"])
            if address is None:
                raise ReferenceNotFound(item["id"])
            if address.properties["publicIPAddressVersion"] != version:
                raise ArmError(400, "NatGatewayAddressVersionMismatch", f"{item['id']} in {name} is not {version}.")
            if address.body["sku"]["name"] != sku:
                raise ArmError(400, "NatGatewayAddressSkuMismatch", f"{item['id']} has SKU {address.body['sku']['name']}; the gateway needs {sku}.")


@rule("nat-gateway-prefixes", NAT_GATEWAY, _NAT_SKU)
def gateway_prefixes(write: Write) -> None:
    for name, version in (("publicIpPrefixes", "IPv4"), ("publicIpPrefixesV6", "IPv6")):
        for item in write.properties.get(name) or []:
            prefix = write.azure.store.get(item["id"])
            if prefix is None:
                raise ReferenceNotFound(item["id"])
            if prefix.properties["publicIPAddressVersion"] != version:
                raise ArmError(400, "NatGatewayAddressVersionMismatch", f"{item['id']} in {name} is not {version}.")


@rule("nat-gateway-address-in-use", NAT_GATEWAY, PUBLIC_ADDRESSES)
def gateway_address_is_free(write: Write) -> None:
    for name in ("publicIpAddresses", "publicIpAddressesV6"):
        for item in write.properties.get(name) or []:
            check_is_free(write, item["id"], write.id)


@rule("nat-gateway-region", NAT_GATEWAY, _NAT_SKU)
def standard_v2_regions(write: Write) -> None:
    without = {"canadaeast", "indonesiacentral", "israelnorthwest", "qatarcentral", "swedensouth", "westindia"}
    location = plain_location(write.body.get("location", ""))
    if (write.body.get("sku") or {}).get("name") == "StandardV2" and location in without:
        raise ArmError(400, "SkuNotSupportedInRegion", f"NAT gateways of SKU StandardV2 are not available in {location}.")


@delete_rule("nat-gateway-in-use", NAT_GATEWAY, _NAT_SKU)
def nat_gateway_in_use(azure: Azure, resource: Resource) -> None:
    for subnet in references_to(azure, SUBNET, "natGateway", resource.id):
        raise ArmError(400, "InUseNatGatewayCannotBeDeleted", f"{resource.id} cannot be deleted: it is in use by {subnet.id}.")
