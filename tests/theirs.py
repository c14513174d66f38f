"""A platform that another client made: a network, addresses, zones, identities, a registry, a vault and a dual-stack cluster.

``python -m tests.theirs FOLDER`` makes it in the lab whose state is in the folder, unless it is there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from lab.state import State

from .harness import Observer, until

GROUP = "rg-theirs"
CLUSTER = "theirs"
_WEST = {"location": "westeurope"}
_GLOBAL = {"location": "global"}
NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
CLUSTER_ADMIN = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"
_NODES = ["10.77.4.0/22", "fd77:0:0:5::/64"]


class Theirs:
    """The ids of what is on the platform."""

    def __init__(self, lab: Observer) -> None:
        self._lab = lab
        self.group = f"{lab.subscription}/resourceGroups/{GROUP}"
        self.network, self.identities = self.of("Network"), f"{self.of('ManagedIdentity')}/userAssignedIdentities"
        self.vnet = f"{self.network}/virtualNetworks/theirs"
        self.cluster = f"{self.of('ContainerService')}/managedClusters/{CLUSTER}"
        self.registry = f"{self.of('ContainerRegistry')}/registries/theirs123"
        self.vault = f"{self.of('KeyVault')}/vaults/theirs123"
        self.kubelets, self.control_plane = f"{self.identities}/kubelets", f"{self.identities}/control-plane"

    def of(self, provider: str) -> str:
        return f"{self.group}/providers/Microsoft.{provider}"

    def make(self) -> None:
        """Everything; the cluster is there when this returns."""
        lab = self._lab
        # The second one is for what roles make by themselves.
        for group in (self.group, f"{self.group}-westeurope"):
            lab.put(group, "2025-04-01", _WEST)
        subnets = [
            {"name": "nodes", "properties": {"addressPrefixes": _NODES}},
            {"name": "endpoints", "properties": {"addressPrefix": "10.77.8.0/26"}},
        ]
        space = {"addressPrefixes": ["10.77.0.0/20", "fd77::/56"]}
        lab.put(self.vnet, "2025-05-01", _WEST | {"properties": {"addressSpace": space, "subnets": subnets}})
        for family in ("IPv4", "IPv6"):
            properties = {"publicIPAddressVersion": family, "publicIPAllocationMethod": "Static"}
            address = _WEST | {"sku": {"name": "Standard"}, "zones": ["1", "2", "3"], "properties": properties}
            for name in ("entrance", "spare"):
                lab.put(f"{self.network}/publicIPAddresses/{name}-{family.lower()}", "2025-05-01", address)
        for zone in ("aks.example.org", "theirs.example"):
            lab.put(f"{self.network}/dnsZones/{zone}", "2018-05-01", _GLOBAL)
        for zone in ("internal.example.org", "theirs.internal"):
            lab.put(f"{self.network}/privateDnsZones/{zone}", "2024-06-01", _GLOBAL)
        for identity in (self.kubelets, self.control_plane):
            lab.put(identity, "2024-11-30", _WEST)
        lab.put(self.registry, "2025-11-01", _WEST | {"sku": {"name": "Premium"}})
        sku = {"family": "A", "name": "standard"}
        vault = {"tenantId": lab.environment["AZURE_TENANT"], "sku": sku, "enableRbacAuthorization": True, "accessPolicies": []}
        lab.put(self.vault, "2026-02-01", _WEST | {"properties": vault})
        nodes = f"{self.vnet}/subnets/nodes"
        lab.assign_role(self.group, NETWORK_CONTRIBUTOR, lab.get(self.control_plane, "2024-11-30")["properties"]["principalId"])
        lab.put(self.cluster, "2026-05-01", _cluster(nodes, self.control_plane))
        lab.assign_role(self.cluster, CLUSTER_ADMIN, lab.state.load().azure.client_object)
        until(lambda: CLUSTER in lab.state.kubeconfigs())

    def written_by_us(self, since: int = 0) -> list[str]:
        """Which of their resources the collection wrote; what it adds beside them, as role assignments, links and records, does not count."""
        beside = ("/roleassignments/", "/virtualnetworklinks/", "/aaaa/")
        paths = [write.partition(" ")[2] for write in self._lab.our_writes(since)]
        return [path for path in paths if f"/resourcegroups/{GROUP}/" in path.lower() and not any(kind in path.lower() for kind in beside)]


def _cluster(subnet: str, identity: str) -> dict[str, Any]:
    network = {
        "networkPlugin": "azure",
        "networkPluginMode": "overlay",
        "ipFamilies": ["IPv4", "IPv6"],
        "podCidrs": ["10.244.0.0/16", "fd77:0:0:100::/64"],
        "serviceCidrs": ["10.0.0.0/16", "fd77:0:0:200::/108"],
        "dnsServiceIP": "10.0.0.10",
    }
    pool = {"name": "system", "mode": "System", "count": 2, "vmSize": "Standard_D4ds_v5", "availabilityZones": ["1", "2"], "vnetSubnetID": subnet}
    properties = {
        "dnsPrefix": CLUSTER,
        "kubernetesVersion": "1.36",
        "agentPoolProfiles": [pool],
        "networkProfile": network,
        "aadProfile": {"managed": True, "enableAzureRBAC": True},
    }
    return _WEST | {"identity": {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}, "properties": properties}


if __name__ == "__main__":
    state = Observer(State(Path(sys.argv[1])))
    if CLUSTER not in state.state.kubeconfigs():
        Theirs(state).make()
