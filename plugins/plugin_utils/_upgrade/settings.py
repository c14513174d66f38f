"""Upgrade settings that pools have while their nodes are replaced. What they had before is in a tag of each pool, so that a run that was killed
leaves it behind.

This file is private to the collection.

Setting and tag are written together, and so are restoring and removal of the tag.
Source: learn.microsoft.com/azure/aks/upgrade-aks-node-pools-rolling.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

#: the tag of a pool, with what its settings were
TAG = "dualstack-upgrade-settings"
#: the tag of a cluster whose network policy engine was removed, and which gets Cilium in a later step
POLICIES_TAG = "dualstack-upgrade-policies"
#: what may be set; ``upgradeSettings.overrideSettings`` would override budgets
NAMES = ("maxSurge", "maxUnavailable", "drainTimeoutInMinutes", "nodeSoakDurationInMinutes", "undrainableNodeBehavior")
#: in place of a pool's name: those of all pools that are not named
ALL = "all"

type Wanted = Mapping[str, Mapping[str, Any]]


def settings_of(name: str, wanted: Wanted) -> dict[str, Any]:
    """What a pool is to have."""
    found = wanted.get(name, wanted.get(ALL)) or {}
    return {key: str(value) if key.startswith("max") else value for key, value in found.items()}


def with_settings(body: Mapping[str, Any], wanted: Wanted) -> dict[str, Any]:
    """A cluster's body whose pools have these settings, and a tag with what they had; the same where they have them already."""
    result: dict[str, Any] = copy.deepcopy(dict(body))
    for pool in result["properties"].get("agentPoolProfiles") or []:
        settings = pool.get("upgradeSettings") or {}
        changes = {name: value for name, value in settings_of(str(pool["name"]), wanted).items() if settings.get(name) != value}
        if changes:
            # What a run before has noted is older.
            noted = {name: settings.get(name) for name in changes} | _noted(pool)
            pool["upgradeSettings"] = settings | changes
            pool["tags"] = (pool.get("tags") or {}) | {TAG: json.dumps(noted, separators=(",", ":"))}
    return result


def restored(body: Mapping[str, Any]) -> dict[str, Any]:
    """A cluster's body with the settings that its pools had, and without our tags; the same where nothing is left to restore."""
    result: dict[str, Any] = copy.deepcopy(dict(body))
    for pool in result["properties"].get("agentPoolProfiles") or []:
        if TAG not in (pool.get("tags") or {}):
            continue
        settings = (pool.get("upgradeSettings") or {}) | _noted(pool)
        pool["upgradeSettings"] = {name: value for name, value in settings.items() if value is not None}
        _drop_tag(pool, TAG)
    _drop_tag(result, POLICIES_TAG)
    return result


def _drop_tag(tagged: dict[str, Any], name: str) -> None:
    """Remove one tag. A body without tags might be read as one that leaves them as they are, so that an empty mapping stays."""
    if name in (tagged.get("tags") or {}):
        tagged["tags"] = {other: value for other, value in tagged["tags"].items() if other != name}


def _noted(pool: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = json.loads((pool.get("tags") or {}).get(TAG) or "{}")
    except ValueError:
        return {}
    return {name: found[name] for name in NAMES if name in found} if isinstance(found, dict) else {}
