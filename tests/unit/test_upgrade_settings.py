"""Upgrade settings that pools have for a while: noted, changed again by a later run, and restored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._upgrade.settings import POLICIES_TAG, TAG, Wanted, restored, with_settings
from tests.unit.upgrade_samples import body

BEFORE = {"maxSurge": "10%", "maxUnavailable": "0"}

#: wanted settings -> the pool's settings while they last, and what its tag notes
SETTINGS: list[tuple[Wanted, dict[str, Any], dict[str, Any] | None]] = [
    ({}, BEFORE, None),
    ({"all": {"maxSurge": "10%"}}, BEFORE, None),
    ({"all": {"maxSurge": 2}}, {"maxSurge": "2", "maxUnavailable": "0"}, {"maxSurge": "10%"}),
    ({"system": {"maxSurge": "1"}, "all": {"maxSurge": "2"}}, {"maxSurge": "1", "maxUnavailable": "0"}, {"maxSurge": "10%"}),
    ({"other": {"maxSurge": "2"}}, BEFORE, None),
    (
        {"all": {"drainTimeoutInMinutes": 60, "undrainableNodeBehavior": "Cordon"}},
        {**BEFORE, "drainTimeoutInMinutes": 60, "undrainableNodeBehavior": "Cordon"},
        {"drainTimeoutInMinutes": None, "undrainableNodeBehavior": None},
    ),
]


@pytest.mark.parametrize(("wanted", "settings", "noted"), SETTINGS)
def test_settings(wanted: Wanted, settings: dict[str, Any], noted: dict[str, Any] | None) -> None:
    found = body(pools=[{"tags": {"team": "shop"}}])
    changed = with_settings(found, wanted)
    [pool] = changed["properties"]["agentPoolProfiles"]
    assert pool["upgradeSettings"] == settings
    assert pool["tags"] == {"team": "shop"} | ({TAG: json.dumps(noted, separators=(",", ":"))} if noted else {})
    assert with_settings(changed, wanted) == changed
    assert restored(changed) == found
    assert all(len(text) <= 256 for text in pool["tags"].values())


def test_the_oldest_note_counts() -> None:
    found = body(pools=[{"tags": {}}])
    twice = with_settings(with_settings(found, {"all": {"maxSurge": 2}}), {"all": {"maxSurge": 3, "drainTimeoutInMinutes": 5}})
    assert twice["properties"]["agentPoolProfiles"][0]["upgradeSettings"] == {"maxSurge": "3", "maxUnavailable": "0", "drainTimeoutInMinutes": 5}
    assert restored(twice) == found


@pytest.mark.parametrize("note", ["nonsense", "[]", '{"overrideSettings": {}}'])
def test_a_note_of_somebody_elses_is_removed(note: str) -> None:
    found = body(pools=[{"tags": {TAG: note}}], tags={POLICIES_TAG: "cilium", "team": "shop"})
    assert restored(found) == body(pools=[{"tags": {}}], tags={"team": "shop"})
