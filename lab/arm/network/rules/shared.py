"""What rules of several types have in common; the IP rules of registries and vaults too."""

from __future__ import annotations

import ipaddress

from ...errors import ArmError, Malformed
from ...kinds import Write
from ...schema import Problem
from ..usage import public_ip_gateway, public_ip_user

RESOURCE_NAMES = "learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules"
PUBLIC_ADDRESSES = "learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses"
SUBSCRIPTION_LIMITS = "learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits"
IPV6_OVERVIEW = "learn.microsoft.com/azure/virtual-network/ip-services/ipv6-overview"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(prefixes: list[str], target: str) -> list[Network]:
    """Prefixes as networks; one that is malformed, or has host bits, is refused as an error in ``target``."""
    try:
        return [ipaddress.ip_network(prefix) for prefix in prefixes]
    except ValueError as error:
        raise ArmError(400, "InvalidCIDRNotation", f"The address prefix in {target} is not valid: {error}.", target=target) from error


def version_of(prefix: str) -> int | None:
    """4 or 6 for an address or a prefix; None for anything else, such as a service tag."""
    try:
        return ipaddress.ip_network(prefix, strict=False).version
    except ValueError:
        return None


def check_names_are_unique(write: Write, *parts: str) -> None:
    """No two items of one of these lists have the same name, whatever its case."""
    for part in parts:
        seen: set[str] = set()
        for item in write.properties.get(part) or []:
            if item["name"].lower() in seen:
                message = f"Resource {write.id} has two child resources with the same name ({item['name']})."
                raise Malformed([Problem("DuplicateResourceName", f"properties.{part}", message)])
            seen.add(item["name"].lower())


def check_is_free(write: Write, address: str, user: str) -> None:
    """An address belongs to one frontend or one NAT gateway; the written resource may keep its own."""
    gateway = public_ip_gateway(write.azure, address)
    for owner in (public_ip_user(write.azure, address), gateway.id if gateway else ""):
        if owner and not f"{owner}/".lower().startswith(f"{write.id}/".lower()):
            message = f"Resource {user} is referencing public IP address {address} that is already allocated to resource {owner}."
            raise ArmError(400, "PublicIPAddressInUse", message)


def check_only_ipv4(entries: list[dict[str, str]], what: str) -> None:
    """The IP rules of a firewall are IPv4 addresses and ranges; ``what`` names them in the message."""
    for entry in entries:
        try:
            found = ipaddress.ip_network(entry["value"], strict=False)
        except ValueError:
            found = None
        if found is None or found.version != 4:
            raise ArmError(
                400, "InvalidIpRule", f"{what}: {entry['value']!r} is not an IPv4 address or CIDR; only IPv4 is allowed.", target="ipRules"
            )
