"""A stamp goes, leaves nothing but its vault's name, and comes back."""

from __future__ import annotations

import os
import signal
import time

from tests.e2e.conftest import Lab


def test_killed_destroyed_and_back() -> None:
    lab = Lab()
    try:
        assert lab.playbook("shared").code == 0
        _kill_while_the_cluster_is_made(lab)
        run = lab.playbook("site")
        assert run.code == 0, run.output
        assert lab.playbook("site").changed == 0
        _destroy(lab)
        back = lab.playbook("site")
        assert back.code == 0, back.output
        assert lab.get(lab.cluster_id, "2026-05-01")["properties"]["provisioningState"] == "Succeeded"
    finally:
        lab.close()


def _kill_while_the_cluster_is_made(lab: Lab) -> None:
    """SIGKILL to the whole run as soon as the cluster's PUT stands in the journal."""
    process = lab.popen("ansible-playbook", "-i", str(lab.inventories / "westeurope.yml"), "dualstack.aks.site")
    deadline = time.monotonic() + 120
    while not any(entry["method"] == "PUT" and entry["path"].endswith("managedClusters/aks-example-westeurope") for entry in lab.entries()):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert lab.get(lab.cluster_id, "2026-05-01")["properties"]["provisioningState"] == "Creating"


def _destroy(lab: Lab) -> None:
    refused = lab.playbook("destroy")
    assert refused.code == 2
    assert "-e destroy_confirm=westeurope" in refused.output
    run = lab.playbook("destroy", "-e", "destroy_confirm=westeurope")
    assert run.code == 0, run.output
    assert "its name is reserved" in run.output
    assert lab.get(lab.group(), "2025-04-01") == {}
    left = lab.get(f"{lab.subscription}/resources", "2021-04-01")["value"]
    assert {item["id"].split("/")[4] for item in left} == {"rg-example-shared"}
    deleted = lab.get(f"{lab.subscription}/providers/Microsoft.KeyVault/deletedVaults", "2026-02-01")["value"]
    assert len(deleted) == 1
    assert list(lab.state.clusters.iterdir()) == []
