"""The whole book: every chapter, and every rule by its id.

This file is private to the collection.
"""

from __future__ import annotations

from typing import Any

from . import (
    Chapter,
    Rule,
    addresses,
    aks,
    api_server,
    destroying,
    dns,
    endpoints,
    entrances,
    existing,
    keyvault,
    network,
    ownership,
    principals,
    registry,
    security_groups,
    sizes,
    switching,
    upgrading,
    variables,
)

CHAPTERS: tuple[Chapter[Any], ...] = (
    variables.CHAPTER,
    addresses.CHAPTER,
    security_groups.CHAPTER,
    network.CHAPTER,
    aks.CHAPTER,
    aks.LIVE,
    sizes.CHAPTER,
    aks.CHANGES,
    aks.NODES,
    api_server.CHAPTER,
    existing.CHAPTER,
    registry.CHAPTER,
    keyvault.CHAPTER,
    endpoints.CHAPTER,
    endpoints.LINKS,
    principals.CHAPTER,
    principals.IDENTITIES,
    ownership.CHAPTER,
    ownership.OBJECTS,
    ownership.DIAGNOSTICS,
    ownership.ZONE_GROUPS,
    dns.CHAPTER,
    entrances.PROXIES,
    entrances.CHAPTER,
    entrances.SERVICE_TAGS,
    entrances.MANIFESTS,
    entrances.CLUSTER_ACCESS,
    entrances.UPSTREAMS,
    entrances.OWN_SERVICES,
    entrances.FIRST_ENTRANCES,
    switching.CHAPTER,
    upgrading.CHAPTER,
    upgrading.PREFLIGHT,
    upgrading.START,
    upgrading.CAUTIONS,
    destroying.CHAPTER,
)
RULES: dict[str, Rule[Any]] = {rule.id: rule for chapter in CHAPTERS for rule in chapter.rules}
