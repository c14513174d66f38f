"""Rules of zones, and what is worth a warning about them.

This file is private to the collection.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .._azure.marks import in_words, mark
from . import Answer, Chapter, Finding

_PRIVATE_DNS = "https://learn.microsoft.com/azure/dns/private-dns-overview"

_RECORDS = "https://learn.microsoft.com/azure/dns/dns-zones-records"


@dataclass(frozen=True)
class Zones:
    """The zones that a stamp's names are published in, and what Azure answered: ``public`` and ``private``, each only where its id is not empty,
    the stamp's records of ``families`` as ``public_a`` and so on, and in those without an A record the CNAME of its name as ``public_cname`` and
    ``private_cname``."""

    public_zone_id: str
    private_zone_id: str
    vnet_id: str
    record: str
    stamp: str
    ttls: Mapping[str, int]
    addresses: Mapping[str, str]
    families: Sequence[str]
    take_over: bool
    check_mode: bool
    answers: Mapping[str, Answer]

    @property
    def missing(self) -> list[str]:
        return [name for name in ("public", "private") if name in self.answers and not self.answers[name].exists]


CHAPTER = Chapter[Zones]("dns")
rule = CHAPTER.rule


@rule("run shared.yml, which creates it, or set dns_public_zone_id")
def public_zone(zones: Zones) -> Iterator[Finding]:
    """A public zone that does not exist. Check mode only warns, since shared.yml may not have run yet."""
    if "public" in zones.missing and not zones.check_mode:
        yield "dns_public_zone", f"{zones.public_zone_id} does not exist"


@rule("run shared.yml, which creates it, or set dns_private_zone_id")
def private_zone(zones: Zones) -> Iterator[Finding]:
    """A private zone that does not exist. Check mode only warns."""
    if "private" in zones.missing and not zones.check_mode:
        yield "dns_private_zone", f"{zones.private_zone_id} does not exist"


@rule("remove dns_addresses: the role ingress sets it", "https://www.rfc-editor.org/rfc/rfc3596")
def dns_addresses(zones: Zones) -> Iterator[Finding]:
    """A record address that is not an address of the record's family."""
    for family, address in zones.addresses.items():
        if address and not _is_address(address, family):
            yield f"dns_addresses.{family}", f"{address!r} is not an {family.replace('ip', 'IP')} address"


def _is_address(address: str, family: str) -> bool:
    try:
        return f"ipv{ipaddress.ip_address(address).version}" == family
    except ValueError:
        return False


@rule("use labels of 1 to 63 letters, digits, '-' and '_', separated by dots, or '*' for the first", _RECORDS)
def dns_record(zones: Zones) -> Iterator[Finding]:
    """A record name that Azure DNS refuses."""
    if not re.fullmatch(r"(\*|[\w-]{1,63})(\.[\w-]{1,63})*", zones.record, re.ASCII):
        yield "dns_record", f"{zones.record!r}"


@rule("use 1 to 2,147,483,647 seconds", _RECORDS)
def dns_ttl(zones: Zones) -> Iterator[Finding]:
    """A time to live that Azure DNS refuses."""
    for variable, seconds in zones.ttls.items():
        if not 1 <= seconds <= 2**31 - 1:
            yield variable, f"{seconds}"


@rule("delete the CNAME, or set dns_record to another name", f"{_RECORDS}#cname-records")
def record_is_cname(zones: Zones) -> Iterator[Finding]:
    """A CNAME with the name of the stamp's records: DNS allows no other record with that name."""
    for name, zone_id in (("public", zones.public_zone_id), ("private", zones.private_zone_id)):
        answer = zones.answers.get(f"{name}_cname")
        if answer and answer.exists:
            properties = answer.body.get("properties") or {}
            target = (properties.get("CNAMERecord") or properties.get("cnameRecord") or {}).get("cname")
            yield "dns_record", f"{zones.record}.{zones.stamp} in {zone_id.rpartition('/')[2]} is a CNAME of {target}"


#: family -> the type of its records
RECORD_TYPES = {"ipv4": "A", "ipv6": "AAAA"}


@rule("set dns_record to another name, or hand the record over with dns_take_over: true, which replaces its addresses")
def record_not_ours(zones: Zones) -> Iterator[Finding]:
    """A record with the stamp's name that somebody else created: a run would overwrite it, and delete it with the stamp."""
    for view, zone_id in (("public", zones.public_zone_id), ("private", zones.private_zone_id)):
        for family in zones.families:
            answer = zones.answers.get(f"{view}_{RECORD_TYPES[family].lower()}")
            metadata = (answer.body.get("properties") or {}).get("metadata") or {} if answer and answer.exists else {}
            if answer and answer.exists and not zones.take_over and not mark(zones.stamp).items() <= metadata.items():
                yield (
                    "dns_record",
                    f"{zones.record}.{zones.stamp} in {zone_id.rpartition('/')[2]} has {RECORD_TYPES[family]} records whose metadata lack "
                    f"{in_words(mark(zones.stamp))}",
                )


def warnings(zones: Zones) -> Iterator[str]:
    """What a run may do, and an operator should know."""
    public, private = (identifier.rpartition("/")[2].lower() for identifier in (zones.public_zone_id, zones.private_zone_id))
    # In a linked network a private zone answers for every name below its own, also those of the public zone that it does not hold.
    if public and private and (f".{public}".endswith(f".{private}") or f".{private}".endswith(f".{public}")):
        yield (
            f"The private zone {private} answers for names of the public zone {public} in {zones.vnet_id.rpartition('/')[2]}: clients there cannot "
            f"resolve public names that the private zone lacks. Use another name for dns_private_zone, or copy these records into it. "
            f"See {_PRIVATE_DNS}"
        )
    if zones.missing and zones.check_mode:
        yield f"Not created yet: the {' and the '.join(zones.missing)} zone. Without check mode, a run is refused until shared.yml has created them."
