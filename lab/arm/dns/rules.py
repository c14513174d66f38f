"""What the zones of Microsoft.Network refuse."""

from __future__ import annotations

import ipaddress

from ..azure import Azure
from ..errors import ArmError, InvalidReference
from ..kinds import Write
from ..network.bodies import PUBLIC_IP, reference, same_id
from ..rules import delete_rule, rule
from ..store import Resource
from .kinds import PRIVATE_ZONE, PUBLIC_ZONE, RECORD_TYPES

_CNAME = "learn.microsoft.com/azure/dns/dns-zones-records#cname-records"


def _cname_alone(write: Write) -> None:
    zone, kind, name = write.id.rsplit("/", 2)
    if name == "@":
        raise ArmError(400, "BadRequest", f"A CNAME record set cannot be made at the apex of the zone {zone}.")
    if any(write.azure.store.get(f"{zone}/{other}/{name}") for other in RECORD_TYPES if not same_id(other, kind)):
        message = "The CNAME record could not be created because another record with the same name already exists in this zone."
        raise ArmError(409, "Conflict", message)


def _beside_no_cname(write: Write) -> None:
    zone, _, name = write.id.rsplit("/", 2)
    if write.azure.store.get(f"{zone}/CNAME/{name}"):
        raise ArmError(409, "Conflict", "The record could not be created because a CNAME record with the same name already exists in this zone.")


def _cname_rules() -> None:
    """A CNAME stands alone, in the zones of both providers: one rule for each of their record types."""
    for prefix, zone in (("dns", PUBLIC_ZONE), ("private-dns", PRIVATE_ZONE)):
        rule(f"{prefix}-cname-alone", f"{zone}/CNAME", _CNAME)(_cname_alone)
        for record in ("A", "AAAA", "TXT"):
            rule(f"{prefix}-{record.lower()}-beside-cname", f"{zone}/{record}", _CNAME)(_beside_no_cname)


_cname_rules()


def _alias_of(write: Write, version: str, records: str) -> None:
    target = reference(write.properties, "targetResource")
    if target and write.properties.get(records):
        raise ArmError(400, "BadRequest", f"The record set has both {records} and a target resource: it can have one of the two.", target=records)
    found = write.azure.store.get(target) if target else None
    if target and found is None:
        raise InvalidReference(target, write.id)
    if found and same_id(found.type, PUBLIC_IP) and found.properties["publicIPAddressVersion"] != version:
        raise ArmError(400, "AliasRecordTypeMismatch", f"{target} is not an {version} address: it cannot be the target of this alias record set.")


@rule("dns-alias-a", "Microsoft.Network/dnsZones/A", "learn.microsoft.com/azure/dns/dns-alias")
def alias_a_is_ipv4(write: Write) -> None:
    _alias_of(write, "IPv4", "ARecords")


@rule("dns-alias-aaaa", "Microsoft.Network/dnsZones/AAAA", "learn.microsoft.com/azure/dns/dns-alias")
def alias_aaaa_is_ipv6(write: Write) -> None:
    _alias_of(write, "IPv6", "AAAARecords")


def _addresses_are(write: Write, list_name: str, field: str, version: int) -> None:
    for record in write.properties.get(list_name) or []:
        try:
            found = ipaddress.ip_address(record.get(field))
        except ValueError:
            found = None
        if found is None or found.version != version:
            raise ArmError(400, "BadRequest", f"{record.get(field)!r} is not an IPv{version} address.", target=list_name)


@rule("dns-aaaa-address", "Microsoft.Network/dnsZones/AAAA", "RFC 3596")
def aaaa_holds_ipv6(write: Write) -> None:
    _addresses_are(write, "AAAARecords", "ipv6Address", 6)


@rule("private-dns-aaaa-address", "Microsoft.Network/privateDnsZones/AAAA", "RFC 3596")
def private_aaaa_holds_ipv6(write: Write) -> None:
    _addresses_are(write, "aaaaRecords", "ipv6Address", 6)


@rule("dns-a-address", "Microsoft.Network/dnsZones/A", "RFC 1035")
def a_holds_ipv4(write: Write) -> None:
    _addresses_are(write, "ARecords", "ipv4Address", 4)


@rule("private-dns-a-address", "Microsoft.Network/privateDnsZones/A", "RFC 1035")
def private_a_holds_ipv4(write: Write) -> None:
    _addresses_are(write, "aRecords", "ipv4Address", 4)


@rule("private-dns-link", "Microsoft.Network/privateDnsZones/virtualNetworkLinks", "learn.microsoft.com/azure/dns/private-dns-virtual-network-links")
def link_names_a_vnet_once(write: Write) -> None:
    target = reference(write.properties, "virtualNetwork")
    if not write.azure.store.get(target):
        raise InvalidReference(target, write.id)
    for other in write.azure.store.children(write.id.rsplit("/", 2)[0], "virtualNetworkLinks"):
        if other.key != write.id.lower() and same_id(reference(other.properties, "virtualNetwork"), target):
            raise ArmError(409, "Conflict", f"The virtual network {target} is already linked to this zone by '{other.name}'.")


@delete_rule("private-dns-zone-linked", "Microsoft.Network/privateDnsZones", "learn.microsoft.com/azure/dns/private-dns-privatednszone")
def zone_with_links_stays(azure: Azure, resource: Resource) -> None:
    for link in azure.store.children(resource.id, "virtualNetworkLinks"):
        message = f"Cannot delete resource while nested resources exist. Some existing nested resource IDs include: '{link.id}'."
        raise ArmError(409, "CannotDeleteResource", message)
