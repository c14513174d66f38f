"""The whole book: every chapter, and every rule by its id.

This file is private to the collection.
"""

from __future__ import annotations

from typing import Any

from . import Chapter, Rule, addresses, aks, dns, entrances, keyvault, network, registry, security_groups, variables

CHAPTERS: tuple[Chapter[Any], ...] = (
    variables.CHAPTER,
    addresses.CHAPTER,
    security_groups.CHAPTER,
    network.CHAPTER,
    aks.CHAPTER,
    aks.LIVE,
    registry.CHAPTER,
    keyvault.CHAPTER,
    dns.CHAPTER,
    entrances.PROXIES,
    entrances.CHAPTER,
    entrances.MANIFESTS,
    entrances.UPSTREAMS_CHAPTER,
    entrances.OWN_SERVICES,
)
RULES: dict[str, Rule[Any]] = {rule.id: rule for chapter in CHAPTERS for rule in chapter.rules}
