"""Two stamps in one run; one goes, leaves nothing but its vault's name, and comes back; the other never notices."""

from __future__ import annotations

import ipaddress
import itertools
from typing import Any

from lab.arm.store import Store
from tests.harness import Lab


def _ranges(lab: Lab, stamp: str) -> list[Any]:
    """What Azure stores of a stamp's ranges."""
    vnet = lab.network(f"virtualNetworks/vnet-example-{stamp}", stamp)["properties"]["addressSpace"]["addressPrefixes"]
    cluster = lab.get(f"{lab.group(stamp)}/providers/Microsoft.ContainerService/managedClusters/aks-example-{stamp}", "2026-05-01")
    profile = cluster["properties"]["networkProfile"]
    return [ipaddress.ip_network(text) for text in [*vnet, *profile["podCidrs"], *profile["serviceCidrs"]]]


def test_no_range_of_one_is_inside_a_range_of_the_other(stamps: Lab) -> None:
    west, north = _ranges(stamps, "westeurope"), _ranges(stamps, "northeurope")
    assert len(west) == len(north) == 6
    assert [pair for pair in itertools.product(west, north) if pair[0].version == pair[1].version and pair[0].overlaps(pair[1])] == []


def test_destroy_asks_for_the_stamp_by_name(stamps: Lab) -> None:
    before = len(stamps.entries())
    refused = stamps.playbook("destroy")
    assert refused.code == 2
    assert "-e destroy_confirm=westeurope" in refused.output
    assert stamps.our_writes(before) == []


def test_destroyed_and_back(stamps: Lab) -> None:
    [folder] = [path.parent for name, path in stamps.state.kubeconfigs().items() if name == "aks-example-westeurope"]
    assert stamps.processes(str(folder))
    other = _all_of(stamps, "northeurope")
    run = stamps.playbook("destroy", "-e", "destroy_confirm=westeurope")
    assert run.code == 0, run.output
    assert "its name is reserved" in run.output
    assert _all_of(stamps, "northeurope") == other
    left = Store(stamps.state.store)
    assert [key for key in left.resources if "westeurope" in key] == []
    assert len(left.deleted_vaults) == 1
    assert not folder.exists()
    assert stamps.processes(str(folder)) == []

    before = len(stamps.entries())
    refused = stamps.playbook("site", "-e", "keyvault_on_deleted=fail")
    assert refused.code == 2
    assert "was deleted and its name is reserved" in refused.output
    assert stamps.our_writes(before) == []

    back = stamps.playbook("site")
    assert back.code == 0, back.output
    assert stamps.get(stamps.cluster_id, "2026-05-01")["properties"]["provisioningState"] == "Succeeded"
    assert Store(stamps.state.store).deleted_vaults == {}


def _all_of(lab: Lab, stamp: str) -> Any:
    """A stamp's resources, its records, and its objects with their versions."""
    stored = {key: body for key, body in Store(lab.state.store).snapshot().items() if stamp in key}
    services = lab.kubectl("get", "services,configmaps,namespaces", "--all-namespaces", cluster=f"aks-example-{stamp}")["items"]
    return stored, {item["metadata"]["uid"]: item["metadata"]["resourceVersion"] for item in services}
