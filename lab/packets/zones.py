"""The stored DNS zones as master files: public ones for the internet, and for a VNet the private ones that it is linked to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..arm import ids
from ..arm.azure import Azure
from ..arm.dns.kinds import LINK, PRIVATE_ZONE, PUBLIC_ZONE
from ..arm.network.bodies import reference, same_id
from ..arm.store import Resource


def public_zones(azure: Azure) -> dict[str, str]:
    """Zone name -> its records in master file format (RFC 1035 section 5)."""
    return {zone.name.lower(): _records(azure, zone) for zone in azure.store.of_type(PUBLIC_ZONE)}


def private_zones(azure: Azure, vnet: str) -> dict[str, str]:
    """The private zones that a VNet is linked to; inside it they hide public ones of the same name."""
    linked = {ids.parse(link.id).parent.lower() for link in azure.store.of_type(LINK) if same_id(reference(link.properties, "virtualNetwork"), vnet)}
    return {zone.name.lower(): _records(azure, zone) for zone in azure.store.of_type(PRIVATE_ZONE) if zone.key in linked}


def _records(azure: Azure, zone: Resource) -> str:
    lines = []
    for record in azure.store.below(zone.id):
        kind = record.type.rsplit("/", 1)[1].upper()
        properties = {name.lower(): value for name, value in record.properties.items()}
        name = ids.parse(record.id).names[-1]
        data = _alias(azure, kind, properties) or _data(kind, properties)
        lines += [f"{name} {properties.get('ttl', 3600)} IN {kind} {item}" for item in data]
    return "\n".join(sorted(lines))


def _alias(azure: Azure, kind: str, properties: Mapping[str, Any]) -> list[str]:
    """The address that an alias record leads to, where it is of the record's family."""
    target = azure.store.get(reference(dict(properties), "targetresource") or "/")
    address = target.properties.get("ipAddress") if target else None
    return [address] if address and (":" in address) == (kind == "AAAA") and kind in ("A", "AAAA") else []


def _quoted(text: str) -> str:
    """Character strings of up to 255 octets (RFC 1035 section 5.1)."""
    octets = text.encode()
    parts = [octets[start : start + 255] for start in range(0, len(octets), 255)] or [b""]
    return " ".join(f'"{"".join(_escaped(octet) for octet in part)}"' for part in parts)


def _escaped(octet: int) -> str:
    if octet in b'"\\':
        return f"\\{octet:c}"
    return chr(octet) if 32 <= octet < 127 else f"\\{octet:03}"


def _data(kind: str, properties: Mapping[str, Any]) -> list[str]:
    """The right-hand sides of a record set."""

    def each(*names: str) -> list[str]:
        return [" ".join(str(item[name]) for name in names) for item in properties.get(f"{kind.lower()}records") or []]

    match kind:
        case "A":
            return each("ipv4Address")
        case "AAAA":
            return each("ipv6Address")
        case "CNAME":
            record = properties.get("cnamerecord")
            return [f"{record['cname'].rstrip('.')}."] if record else []
        case "MX":
            return [f"{text.rstrip('.')}." for text in each("preference", "exchange")]
        case "NS":
            return [f"{text.rstrip('.')}." for text in each("nsdname")]
        case "PTR":
            return [f"{text.rstrip('.')}." for text in each("ptrdname")]
        case "SRV":
            return [f"{text.rstrip('.')}." for text in each("priority", "weight", "port", "target")]
        case "TXT":
            return [" ".join(_quoted(part) for part in item["value"]) for item in properties.get("txtrecords") or []]
        case "CAA":
            return [f"{item['flags']} {item['tag']} {_quoted(item['value'])}" for item in properties.get("caarecords") or []]
    return []
