"""A cluster with IPv4 alone that another client made, as playbooks are given it, and what runs on it.

``python -m tests.running FOLDER`` makes it in the lab whose state is in the folder, unless it is there.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from lab.arm.azure import merge
from lab.state import State

from .harness import Lab, Observer, Run, until
from .theirs import CLUSTER_ADMIN, NETWORK_CONTRIBUTOR

Body = dict[str, Any]

NAME, GROUP = "shop", "rg-shop"
VERSION = "2026-05-01"
#: the policy of an application that all of IPv4 and the cluster's own pods may reach
POLICY: Body = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "web", "namespace": "apps"},
    "spec": {
        "podSelector": {"matchLabels": {"app": "web"}},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"ipBlock": {"cidr": "10.244.0.0/16"}}, {"ipBlock": {"cidr": "0.0.0.0/0"}}]}],
    },
}
#: as ``az aks create --ip-families ipv4`` sends it (recorded of azure-cli 2.67)
AZ_POOL: Body = {
    "count": 3,
    "vmSize": "Standard_DS2_v2",
    "osType": "Linux",
    "enableAutoScaling": False,
    "type": "VirtualMachineScaleSets",
    "mode": "System",
    "orchestratorVersion": "",
    "upgradeSettings": {},
    "enableNodePublicIP": False,
    "scaleSetPriority": "Regular",
    "scaleSetEvictionPolicy": "Delete",
    "spotMaxPrice": -1.0,
    "nodeTaints": [],
    "enableEncryptionAtHost": False,
    "enableUltraSSD": False,
    "enableFIPS": False,
    "name": "nodepool1",
}
AZ_CLUSTER: Body = {
    "location": "westeurope",
    "identity": {"type": "SystemAssigned"},
    "properties": {
        "kubernetesVersion": "",
        "dnsPrefix": "cliakstest-clitest-79a739",
        "agentPoolProfiles": [AZ_POOL],
        "linuxProfile": {"adminUsername": "azureuser", "ssh": {"publicKeys": [{"keyData": "ssh-rsa AAAA azureuser@example.com\n"}]}},
        "addonProfiles": {},
        "enableRBAC": True,
        "networkProfile": {"outboundType": "loadBalancer", "loadBalancerSku": "standard", "ipFamilies": ["IPv4"]},
        "disableLocalAccounts": False,
        "storageProfile": {},
    },
}
NAMESPACE: Body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "apps"}}


class RunningCluster[Client: Observer]:
    """A cluster in a group and a network of its owner's."""

    def __init__(self, lab: Client) -> None:
        self.lab = lab
        lab.cluster = NAME
        self.group = f"{lab.subscription}/resourceGroups/{GROUP}"
        self.network = f"{self.group}/providers/Microsoft.Network"
        self.group_id, self.vnet = f"{self.network}/networkSecurityGroups/theirs", f"{self.network}/virtualNetworks/theirs"
        self.identity = f"{self.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{NAME}"
        self.id = f"{self.group}/providers/Microsoft.ContainerService/managedClusters/{NAME}"

    def make(self, count: int, *rules: Body, **profile: Any) -> None:
        """With Entra ID, an identity of its own and no local accounts, as Terraform makes it; it has succeeded when this returns."""
        lab, west = self.lab, {"location": "westeurope"}
        lab.put(self.group, "2025-04-01", west)
        lab.put(self.group_id, "2025-05-01", west | {"properties": {"securityRules": rules}})
        subnet = {"name": "aks", "properties": {"addressPrefix": "10.77.4.0/22", "networkSecurityGroup": {"id": self.group_id}}}
        space = {"addressPrefixes": ["10.77.0.0/16"]}
        lab.put(self.vnet, "2025-05-01", west | {"properties": {"addressSpace": space, "subnets": [subnet]}})
        made = lab.put(self.identity, "2024-11-30", west)
        lab.assign_role(self.vnet, NETWORK_CONTRIBUTOR, made["properties"]["principalId"])
        pool = {"count": count, "vmSize": "Standard_D2s_v3", "vnetSubnetID": f"{self.vnet}/subnets/aks"}
        own = {
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {self.identity: {}}},
            "tags": {"team": "shop"},
            "properties": {
                "dnsPrefix": NAME,
                "kubernetesVersion": "1.36",
                "disableLocalAccounts": True,
                "aadProfile": {"managed": True, "enableAzureRBAC": True},
                "agentPoolProfiles": [AZ_POOL | pool],
                "networkProfile": profile,
            },
        }
        answer = lab.call("PUT", self.id, VERSION, merge(AZ_CLUSTER, own))
        assert answer.status_code < 300, answer.text
        lab.assign_role(self.id, CLUSTER_ADMIN, lab.state.load().azure.client_object)
        until(lambda: bool(self.body()["properties"]["provisioningState"] in ("Succeeded", "Failed")))
        assert self.body()["properties"]["provisioningState"] == "Succeeded", self.body()["properties"]

    def body(self) -> Body:
        return self.lab.get(self.id, VERSION)

    def rules(self) -> dict[str, Body]:
        """Name -> properties of each security rule."""
        found = self.lab.get(self.group_id)["properties"]["securityRules"]
        return {rule["name"]: rule["properties"] for rule in found}

    def nodes(self) -> list[Body]:
        """None while the API server starts, for the first time or again with the ranges of both families."""
        try:
            found: list[Body] = self.lab.kubectl("get", "nodes")["items"]
        except (AssertionError, KeyError):
            return []
        return found

    def words(self, playbook: str, folder: Path, *arguments: str) -> list[str]:
        """The command of a playbook that knows this cluster, and the inventory that it becomes."""
        variables = ("-e", f"cluster_id={self.id}", "-e", f"assess_inventory_dir={folder}")
        return ["ansible-playbook", f"dualstack.aks.{playbook}", *variables, *arguments]

    def upgrade(self: RunningCluster[Lab], folder: Path, *arguments: str) -> Run:
        return self.lab.run(*self.words("upgrade_dual_stack", folder, *arguments))

    def apply(self, *objects: Body) -> None:
        self.lab.apply(yaml.safe_dump_all(objects))

    def policy_blocks(self) -> list[Body]:
        """What the policy of the application admits."""
        policy = self.lab.kubectl("-n", "apps", "get", "networkpolicy", "web")
        return [peer["ipBlock"] for peer in policy["spec"]["ingress"][0]["from"]]


def deployment(name: str, container: Body, volumes: Sequence[Body] = ()) -> list[Body]:
    """Two pods on different nodes that end after the load balancer knows of it, and a budget that lets one go at a time."""
    labels = {"app": name}
    metadata = {"name": name, "namespace": "apps"}
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": labels}}
    affinity = {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": term}]}}
    ending = {"preStop": {"sleep": {"seconds": 5}}}
    spec = {"affinity": affinity, "containers": [{"name": name, "lifecycle": ending} | container], "volumes": list(volumes)}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
        },
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata,
            "spec": {"minAvailable": 1, "selector": {"matchLabels": labels}},
        },
    ]


def register_in(folder: Path) -> dict[str, Any]:
    """The stamp's part of the register."""
    found: dict[str, Any] = yaml.safe_load((folder / "group_vars" / "regions" / "addresses.yml").read_text())["dualstack_register"]
    ranges: dict[str, Any] = found["stamps"]["westeurope"]
    return ranges


def addresses_of(node: Body) -> list[str]:
    return [item["address"] for item in node["status"]["addresses"] if item["type"] == "InternalIP"]


def versions(texts: Iterable[str]) -> list[int]:
    """The version of IP of each address or prefix."""
    return [ipaddress.ip_network(text).version for text in texts]


if __name__ == "__main__":
    observer = Observer(State(Path(sys.argv[1])))
    if NAME not in observer.state.kubeconfigs():
        RunningCluster(observer).make(1, networkPlugin="azure", networkPluginMode="overlay")
