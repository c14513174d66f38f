"""What public addresses and their prefixes refuse."""

from __future__ import annotations

from ...azure import Azure
from ...errors import ArmError, ReferenceNotFound
from ...kinds import Write
from ...resources.subscription import zones_of
from ...rules import delete_rule, rule
from ...store import Resource
from ..bodies import PUBLIC_IP, PUBLIC_IP_PREFIX, reference
from ..quotas import address_usage, usages
from ..usage import public_ip_gateway, public_ip_prefix_users, public_ip_user
from .shared import PUBLIC_ADDRESSES, SUBSCRIPTION_LIMITS

_PREFIX = "learn.microsoft.com/azure/virtual-network/ip-services/public-ip-address-prefix"


@rule("public-ip-static", PUBLIC_IP, PUBLIC_ADDRESSES)
def standard_is_static(write: Write) -> None:
    if write.properties["publicIPAllocationMethod"] != "Static" and write.body["sku"]["name"] != "Basic":
        raise ArmError(
            400, "StandardSkuPublicIPAddressesMustBeStatic", f"{write.id}: public addresses of SKU {write.body['sku']['name']} must be Static."
        )


@rule("public-ip-basic-retired", PUBLIC_IP, "github.com/skypilot-org/skypilot/issues/7977")
def basic_is_retired(write: Write) -> None:
    """Basic is also what an address without a SKU gets."""
    version = write.properties["publicIPAddressVersion"]
    if write.body["sku"]["name"] == "Basic":
        message = f"Cannot create more than 0 {version} Basic SKU public IP addresses for this subscription in this region."
        raise ArmError(400, f"{version}BasicSkuPublicIpCountLimitReached", message)


@rule("public-ip-immutable", PUBLIC_IP, PUBLIC_ADDRESSES)
def version_sku_and_zones_stay(write: Write) -> None:
    if write.before is None:
        return
    old = write.before.body
    for what, before, after in (
        ("publicIPAddressVersion", write.old_properties["publicIPAddressVersion"], write.properties["publicIPAddressVersion"]),
        ("sku", old["sku"]["name"], write.body["sku"]["name"]),
        ("zones", sorted(old.get("zones") or []), sorted(write.body.get("zones") or [])),
    ):
        if before != after:
            raise ArmError(400, "PublicIPPropertyCannotBeChanged", f"{what} of {write.id} is fixed at creation: {before}, not {after}.", target=what)


@rule("public-ip-zones", PUBLIC_IP, "github.com/aztfmod/terraform-azurerm-caf/issues/1744")
def zones_are_the_regions(write: Write) -> None:
    wanted, offered = set(write.body.get("zones") or []), zones_of(write.body["location"])
    name = f"{write.type}/{write.id.rpartition('/')[2]}"
    if wanted and not offered:
        raise ArmError(
            400,
            "LocationNotSupportAvailabilityZones",
            f"The resource '{name}' does not support availability zones at location '{write.body['location']}'.",
        )
    if not wanted <= set(offered):
        message = f"The zone(s) '{','.join(sorted(wanted - set(offered)))}' for resource '{name}' is not supported."
        raise ArmError(
            400, "InvalidAvailabilityZone", f"{message} The supported zones for location '{write.body['location']}' are '{','.join(offered)}'"
        )


@rule("public-ip-quota", PUBLIC_IP, SUBSCRIPTION_LIMITS)
def a_region_has_a_limit(write: Write) -> None:
    usage = address_usage(write.body)
    limit = write.azure.quota(usage)
    if write.before is None and usages(write.azure, write.body["location"])[usage] >= limit:
        raise ArmError(400, "PublicIPCountLimitReached", f"Cannot create more than {limit} public IP addresses for this subscription in this region.")


@rule("public-ip-in-prefix", PUBLIC_IP, _PREFIX)
def prefix_has_the_address_family(write: Write) -> None:
    target = reference(write.properties, "publicIPPrefix")
    prefix = write.azure.store.get(target) if target else None
    if target and prefix is None:
        raise ReferenceNotFound(target)
    if prefix and prefix.properties["publicIPAddressVersion"] != write.properties["publicIPAddressVersion"]:
        raise ArmError(400, "PublicIpAndPublicIpPrefixVersionMismatch", f"{write.id} and its prefix {prefix.id} are of different IP versions.")


@delete_rule("public-ip-in-use", PUBLIC_IP, PUBLIC_ADDRESSES)
def public_ip_in_use(azure: Azure, resource: Resource) -> None:
    gateway = public_ip_gateway(azure, resource.id)
    user = public_ip_user(azure, resource.id) or (gateway.id if gateway else "")
    if user:
        raise ArmError(
            400, "PublicIPAddressCannotBeDeleted", f"Public IP address {resource.id} can not be deleted since it is still allocated to {user}."
        )


@rule("public-ip-prefix-length", PUBLIC_IP_PREFIX, _PREFIX)
def prefix_length(write: Write) -> None:
    length, version = write.properties["prefixLength"], write.properties["publicIPAddressVersion"]
    low, high = (124, 127) if version == "IPv6" else (21, 31)
    if not low <= length <= high:
        raise ArmError(400, "PublicIpPrefixLengthOutOfRange", f"prefixLength {length} of {version} is out of range: {low} to {high}.")


@rule("public-ip-prefix-immutable", PUBLIC_IP_PREFIX, _PREFIX)
def prefix_is_not_resized(write: Write) -> None:
    if write.before and write.old_properties["prefixLength"] != write.properties["prefixLength"]:
        raise ArmError(400, "PublicIpPrefixCannotBeResized", f"The prefixLength of {write.id} is fixed at creation.")


@delete_rule("public-ip-prefix-in-use", PUBLIC_IP_PREFIX, _PREFIX)
def prefix_in_use(azure: Azure, resource: Resource) -> None:
    for user in public_ip_prefix_users(azure, resource.id):
        raise ArmError(400, "PublicIpPrefixCannotBeDeleted", f"Public IP prefix {resource.id} can not be deleted since it is in use by {user}.")
