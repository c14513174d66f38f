"""A real name server (CoreDNS) with the zones of the lab's Azure: public ones for the internet, and inside a VNet what it is linked to as well."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import images
from ..arm import ids
from ..arm.azure import Azure
from ..arm.dns import LINK, PRIVATE_ZONE, PUBLIC_ZONE
from ..arm.network import reference, same_id
from ..arm.store import Resource
from ..process import Process

if TYPE_CHECKING:
    from ..network.namespaces import Namespace


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
    """What an alias record follows: a public address of its family."""
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


class NameServer:
    """CoreDNS on addresses of a namespace, answering from a folder of zone files that it reads again within a second."""

    def __init__(self, namespace: Namespace, folder: Path, addresses: tuple[str, ...]) -> None:
        self._namespace, self._folder, self._addresses = namespace, folder, addresses
        self._written: dict[str, str] = {}
        self._process: Process | None = None
        self._serial = int(time.time())

    async def start(self, zones: Mapping[str, str]) -> None:
        (self._folder / "zones").mkdir(parents=True, exist_ok=True)
        for path in (self._folder / "zones").iterdir():
            path.unlink()
        self.write(zones)
        configuration = self._folder / "Corefile"
        configuration.write_text(
            ".:53 {\n"
            f"  bind {' '.join(self._addresses)}\n"
            f"  auto {{\n    directory {self._folder}/zones (.*)\\.zone {{1}}\n    reload 1s\n  }}\n"
            "  errors\n"
            "}\n"
        )
        self._process = Process("coredns", self._namespace.program(images.program("coredns"), "-conf", configuration), self._folder / "coredns.log")
        await self._process.start()

    def write(self, zones: Mapping[str, str]) -> None:
        """Make the zone files say this; a file's serial number moves with its records."""
        for name in self._written.keys() - zones.keys():
            (self._folder / "zones" / f"{name}.zone").unlink()
        for name, records in zones.items():
            if self._written.get(name) != records:
                self._serial += 1
                head = f"$ORIGIN {name}.\n@ 3600 IN SOA ns1.{name}. azuredns-hostmaster.microsoft.com. {self._serial} 3600 300 2419200 300\n"
                path = self._folder / "zones" / f"{name}.zone"
                # Replaced whole: the server may be reading it.
                temporary = path.with_suffix(".new")
                temporary.write_text(head + records + "\n")
                temporary.replace(path)
        self._written = dict(zones)

    async def stop(self) -> None:
        if self._process:
            await self._process.stop()
