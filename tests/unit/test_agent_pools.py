"""Node pools as AKS gets them: what is declared, what is AKS' to choose, and the figures that the rules count with."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.agent_pools import agent_pool_profile
from ansible_collections.dualstack.aks.plugins.plugin_utils._rules import aks

DEFAULTS = {"subnet_id": "/s", "os_sku": "Ubuntu", "max_pods": 110, "kubernetes_version": "1.36"}


def profile(kubernetes_version: str = "1.36", **changes: Any) -> dict[str, Any]:
    pool = {"name": "a", "min_count": 2, "max_count": 10, "zones": ["1", "2"], **changes}
    return agent_pool_profile(pool, {**DEFAULTS, "kubernetes_version": kubernetes_version})


@pytest.mark.parametrize(
    ("version", "image"),
    [("1.36", "Windows2022"), ("1.36.3", "Windows2022"), ("1.37", "Windows2025"), ("1.40.1", "Windows2025"), ("", "Windows2022")],
)
def test_a_windows_pool_gets_an_image_that_runs_its_kubernetes(version: str, image: str) -> None:
    assert profile(version, os_type="Windows")["osSKU"] == image
    assert profile(version)["osSKU"] == "Ubuntu"
    assert profile(version, os_type="Windows", os_sku="Windows2019")["osSKU"] == "Windows2019"


def test_what_is_not_declared_is_left_to_aks() -> None:
    assert {"osDiskType", "osDiskSizeGB"}.isdisjoint(profile())
    assert "availabilityZones" not in profile(zones=[])
    declared = profile(os_disk_type="Ephemeral", os_disk_size_gb=60)
    assert (declared["osDiskType"], declared["osDiskSizeGB"], declared["availabilityZones"]) == ("Ephemeral", 60, ["1", "2"])


@pytest.mark.parametrize("declared", [{}, {"max_surge": "50%"}, {"max_surge": "1"}, {"max_surge": 3}])
def test_rules_count_with_the_surge_that_is_sent(declared: dict[str, Any]) -> None:
    sent = profile(**declared)
    assert aks._surge({"max_count": sent["maxCount"], **declared}) == aks._surge(
        {"max_count": sent["maxCount"], "max_surge": sent["upgradeSettings"]["maxSurge"]}
    )
