"""site.yml against the lab: what it stored, and that a second run stores nothing."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.harness import ABSENT, Lab, until

KINDS = "namespaces,configmaps,services,networkpolicies,deployments,horizontalpodautoscalers,poddisruptionbudgets"
#: nobody but us writes these once they are there; controllers write the status of the others
OURS_ALONE = ("Namespace", "ConfigMap", "Service", "NetworkPolicy")


def test_a_second_run_changes_nothing(stamp: Lab) -> None:
    before = len(stamp.entries())
    versions = _versions(stamp)
    run = stamp.playbook("site")
    assert run.code == 0, run.output
    assert run.changed == 0, run.output
    assert stamp.our_writes(before) == []
    assert _versions(stamp) == versions


def _versions(stamp: Lab) -> dict[str, str]:
    """The resourceVersion of each of our objects; where controllers move it by themselves, when our field manager last wrote."""
    words = ("get", KINDS, "--all-namespaces", "--selector", "app.kubernetes.io/managed-by=dualstack.aks", "--show-managed-fields")
    found = {}
    for item in stamp.kubectl(*words)["items"]:
        ours = next(field["time"] for field in item["metadata"]["managedFields"] if field["manager"] == "dualstack.aks")
        name = f"{item['kind']}/{item['metadata']['name']}"
        found[name] = item["metadata"]["resourceVersion"] if item["kind"] in OURS_ALONE else ours
    assert len(found) == 13
    return found


def test_check_mode_after_a_run(stamp: Lab) -> None:
    before = len(stamp.entries())
    run = stamp.playbook("site", "--check", "--diff")
    assert run.code == 0, run.output
    assert run.changed == 0, run.output
    assert stamp.our_writes(before) == []


#: tags of site.yml -> a task of each role, which finds nothing of what the role did before it
STARTS = {
    "network": "Apply | Create the network",
    "registry": "Apply | Create the registry and let the kubelets pull",
    "keyvault": "Apply | Look for a deleted vault with this name",
    "aks": "Complete | Wait for the cluster and apply pools, maintenance windows and administrators",
    "ingress,dns": "Access | Wait for the cluster and read the entrances",
    "dns": "Publish | Write the records of the families that answered",
}


@pytest.mark.parametrize("tags", STARTS)
def test_site_started_at_a_task(stamp: Lab, tags: str) -> None:
    run = stamp.playbook("site", "--tags", tags, "--start-at-task", STARTS[tags])
    assert run.code == 0, run.output
    assert run.changed == 0, run.output


def test_foreign_things_stay_and_ours_that_were_dropped_go(stamp: Lab) -> None:
    group_path = f"{stamp.group()}/providers/Microsoft.Network/networkSecurityGroups/nsg-example-westeurope-nodes"
    vnet_path = f"{stamp.group()}/providers/Microsoft.Network/virtualNetworks/vnet-example-westeurope"
    group = stamp.get(group_path)
    group["properties"]["securityRules"].append(_foreign_rule())
    group["tags"]["costs"] = "4711"
    stamp.put(group_path, "2025-05-01", group)
    vnet = stamp.get(vnet_path)
    vnet["properties"]["addressSpace"]["addressPrefixes"].append("10.99.0.0/16")
    stamp.put(vnet_path, "2025-05-01", {name: vnet[name] for name in ("location", "tags", "properties")})
    stamp.put(f"{vnet_path}/subnets/theirs", "2025-05-01", {"properties": {"addressPrefixes": ["10.99.24.0/24"]}})
    stamp.set(
        network_security_rules_shared=True,
        network_security_rules=[{"name": "ours", "priority": 300, "source": ["198.51.100.0/24", "2001:db8:1::/48"], "protocol": "Tcp"}],
    )
    added = stamp.playbook("site", "--tags", "network")
    assert added.code == 0, added.output
    names = {rule["name"] for rule in stamp.get(group_path)["properties"]["securityRules"]}
    assert {"theirs", "ours", "ours-ipv6"} <= names
    assert stamp.get(group_path)["tags"]["costs"] == "4711"
    assert stamp.get(f"{vnet_path}/subnets/theirs")
    again = stamp.playbook("site", "--tags", "network")
    assert again.changed == 0, again.output
    assert "10.99.0.0/16" in stamp.get(vnet_path)["properties"]["addressSpace"]["addressPrefixes"]
    stamp.set()
    told = stamp.playbook("site", "--tags", "network", "--check")
    assert "would remove undeclared items: " in told.output and "properties.securityRules[theirs]" in told.output
    dropped = stamp.playbook("site", "--tags", "network", "--diff")
    assert dropped.code == 0, dropped.output
    assert "-properties.securityRules[ours-ipv6]:" in dropped.output
    left = {rule["name"] for rule in stamp.get(group_path)["properties"]["securityRules"]}
    assert not left & {"theirs", "ours", "ours-ipv6"}


def _foreign_rule() -> dict[str, Any]:
    properties = {
        "access": "Allow",
        "direction": "Inbound",
        "priority": 4000,
        "protocol": "Tcp",
        "sourceAddressPrefix": "198.51.100.7",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "22",
    }
    return {"name": "theirs", "properties": properties}


def test_a_foreign_pool_and_tag_stay_on_the_cluster(stamp: Lab) -> None:
    cluster = stamp.get(stamp.cluster_id, "2026-05-01")
    nodes = cluster["properties"]["agentPoolProfiles"][0]["vnetSubnetID"]
    pool = {"count": 1, "vmSize": "Standard_D4ds_v5", "osType": "Linux", "mode": "User", "vnetSubnetID": nodes}
    stamp.put(f"{stamp.cluster_id}/agentPools/theirs", "2026-05-01", {"properties": pool})
    tags = {"tags": {**cluster["tags"], "costs": "4711"}}
    # Its node starts first; Azure refuses a second change of a cluster meanwhile.
    deadline = time.monotonic() + ABSENT
    while (answer := stamp.call("PATCH", stamp.cluster_id, "2026-05-01", tags)).status_code == 409:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.2)
    assert answer.status_code in (200, 202), answer.text
    until(lambda: bool(stamp.get(stamp.cluster_id, "2026-05-01")["properties"]["provisioningState"] == "Succeeded"))
    before = _theirs(stamp)
    run = stamp.playbook("site", "--tags", "aks")
    assert (run.code, run.changed) == (0, 0), run.output
    assert _theirs(stamp) == before
    assert stamp.get(stamp.cluster_id, "2026-05-01")["tags"]["costs"] == "4711"


def _theirs(stamp: Lab) -> dict[str, Any]:
    """The foreign pool without its etag, which moves whenever anything of the cluster does."""
    properties: dict[str, Any] = stamp.get(f"{stamp.cluster_id}/agentPools/theirs", "2026-05-01")["properties"]
    return {name: value for name, value in properties.items() if name != "eTag"}


def test_objects_of_others_under_our_names_are_refused(stamp: Lab) -> None:
    label = ("-n", "dualstack-ingress", "label", "service/entrance-ipv4", "networkpolicy/entrance-ipv4")
    stamp.kubectl_text(*label, "app.kubernetes.io/managed-by-")
    refused = stamp.playbook("site", "--tags", "ingress", "--check")
    stamp.kubectl_text(*label, "app.kubernetes.io/managed-by=dualstack.aks")
    assert refused.code == 2
    for kind in ("Service", "NetworkPolicy"):
        assert f"{kind} dualstack-ingress/entrance-ipv4 exists without the label app.kubernetes.io/managed-by=dualstack.aks" in refused.output
    # The label is somebody else's field until a run has applied it again.
    assert stamp.playbook("site", "--tags", "ingress").code == 0
