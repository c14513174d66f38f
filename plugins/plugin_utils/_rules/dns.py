"""Rules of zones, and what is worth a warning about them.

This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from . import Answer, Chapter, Finding

_PRIVATE_DNS = "https://learn.microsoft.com/azure/dns/private-dns-overview"


@dataclass(frozen=True)
class Zones:
    """The zones that a stamp's names are published in, and what Azure answered: ``public`` and ``private``, each only where its id is not empty."""

    public_zone_id: str
    private_zone_id: str
    vnet_id: str
    check_mode: bool
    answers: Mapping[str, Answer]

    @property
    def missing(self) -> list[str]:
        return [name for name, answer in self.answers.items() if not answer.exists]


CHAPTER = Chapter[Zones]("dns")
rule = CHAPTER.rule


@rule("run shared.yml, which creates it, or give dns_public_zone_id")
def public_zone(zones: Zones) -> Iterator[Finding]:
    """A public zone that does not exist. Check mode warns instead: shared.yml may be part of the same first run."""
    if "public" in zones.missing and not zones.check_mode:
        yield "dns_public_zone", f"{zones.public_zone_id} does not exist"


@rule("run shared.yml, which creates it, or give dns_private_zone_id")
def private_zone(zones: Zones) -> Iterator[Finding]:
    """A private zone that does not exist. Check mode warns instead."""
    if "private" in zones.missing and not zones.check_mode:
        yield "dns_private_zone", f"{zones.private_zone_id} does not exist"


def warnings(zones: Zones) -> Iterator[str]:
    """What a run may do, and an operator should know."""
    public, private = (identifier.rpartition("/")[2].lower() for identifier in (zones.public_zone_id, zones.private_zone_id))
    # In a linked network a private zone answers for every name below its own, also those of the public zone that it does not hold.
    if public and private and (f".{public}".endswith(f".{private}") or f".{private}".endswith(f".{public}")):
        yield (
            f"The private zone {private} answers for names of the public zone {public} in {zones.vnet_id.rpartition('/')[2]}: public names that "
            f"the private zone does not hold cannot be resolved there. Use another name for dns_private_zone, or copy these records into it. "
            f"See {_PRIVATE_DNS}"
        )
    if zones.missing and zones.check_mode:
        yield f"The {' and the '.join(zones.missing)} zone does not exist yet. Outside check mode the run is refused until shared.yml has created it."
