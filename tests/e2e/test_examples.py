"""Each inventory of examples/ passes the checks of site.yml, and would do what its comment says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.state import CHECKOUT
from tests.harness import Lab, Run, until
from tests.pages import blocks
from tests.reading import Reader

#: the guide that names what the examples name
PAGES = ["docs/docsite/rst/existing_ingress.rst"]
#: inventory -> what its check run says, beside having no problem
EXAMPLES = {
    "nat64": ("would create Deployment entrance-ipv4", "would create Deployment entrance-ipv6"),
    "nat46": ("would create Deployment entrance-ipv4", "would create Deployment entrance-ipv6"),
    "split": ("would create Deployment entrance-ipv4", "would create Deployment entrance-ipv6"),
    "native": ("would create Deployment entrance-ipv4", "would create Deployment entrance-ipv6"),
    "existing_network": ("managedClusters/aks-aks-westeurope",),
    "existing_services": (
        "registries/theirs123/providers/Microsoft.Authorization/roleAssignments/",
        "privateDnsZones/internal.example.org/virtualNetworkLinks/",
    ),
    "existing_cluster": ("would create Deployment entrance-ipv4", "would create Deployment entrance-ipv6"),
    "existing_ingress": ("would create Deployment entrance-ipv6",),
}
#: what the entrances of a running ingress's own family would be
_NOT_SAID = {"existing_ingress": "entrance-ipv4", "existing_network": "virtualNetworks/theirs (", "existing_services": "registries/theirs123 ("}
_CLUSTER_ADMIN = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"
_POOL = {"name": "system", "mode": "System", "count": 3, "vmSize": "Standard_D4ds_v5", "availabilityZones": ["1", "2", "3"]}


@pytest.fixture(scope="module")
def platform() -> Iterator[Lab]:
    """A subscription with what the brownfield examples name: a network, a cluster, zones, a registry, a vault, and an ingress in the cluster."""
    with Lab() as lab:
        group = f"{lab.subscription}/resourceGroups/rg-theirs"
        kinds = f"{group}/providers/Microsoft"
        lab.put(group, "2025-04-01", {"location": "westeurope"})
        subnets = [
            {"name": "nodes", "properties": {"addressPrefixes": ["10.77.4.0/22", "fd77:0:0:5::/64"]}},
            {"name": "endpoints", "properties": {"addressPrefix": "10.77.8.0/26"}},
        ]
        space = {"addressPrefixes": ["10.77.0.0/20", "fd77::/56"]}
        network = f"{kinds}.Network/virtualNetworks/theirs"
        lab.put(network, "2025-05-01", {"location": "westeurope", "properties": {"addressSpace": space, "subnets": subnets}})
        lab.put(f"{kinds}.Network/dnsZones/aks.example.org", "2018-05-01", {"location": "global"})
        lab.put(f"{kinds}.Network/privateDnsZones/internal.example.org", "2024-06-01", {"location": "global"})
        lab.put(f"{kinds}.ManagedIdentity/userAssignedIdentities/kubelets", "2024-11-30", {"location": "westeurope"})
        lab.put(f"{kinds}.ContainerRegistry/registries/theirs123", "2025-11-01", {"location": "westeurope", "sku": {"name": "Premium"}})
        vault = {
            "tenantId": lab.environment["AZURE_TENANT"],
            "sku": {"family": "A", "name": "standard"},
            "enableRbacAuthorization": True,
            "accessPolicies": [],
        }
        lab.put(f"{kinds}.KeyVault/vaults/theirs123", "2026-02-01", {"location": "westeurope", "properties": vault})
        cluster = f"{kinds}.ContainerService/managedClusters/theirs"
        lab.put(cluster, "2026-05-01", _cluster(f"{network}/subnets/nodes"))
        roles = f"{lab.subscription}/providers/Microsoft.Authorization/roleDefinitions"
        admin = {
            "principalId": lab.state.load().azure.client_object,
            "principalType": "ServicePrincipal",
            "roleDefinitionId": f"{roles}/{_CLUSTER_ADMIN}",
        }
        assignment = f"{cluster}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-000000000042"
        lab.put(assignment, "2022-04-01", {"properties": admin})
        until(lambda: bool(lab.state.kubeconfigs()), 120)
        lab.kubectl_text("create", "namespace", "ingress-nginx", cluster="theirs")
        service = ("create", "service", "clusterip", "ingress-nginx-controller", "--tcp=80", "--tcp=443")
        lab.kubectl_text("--namespace", "ingress-nginx", *service, cluster="theirs")
        yield lab


def _cluster(subnet: str) -> dict[str, Any]:
    network = {
        "networkPlugin": "azure",
        "networkPluginMode": "overlay",
        "ipFamilies": ["IPv4", "IPv6"],
        "podCidrs": ["10.244.0.0/16", "fd77:0:0:100::/64"],
        "serviceCidrs": ["10.0.0.0/16", "fd77:0:0:200::/108"],
        "dnsServiceIP": "10.0.0.10",
    }
    entra = {"managed": True, "enableAzureRBAC": True}
    properties = {
        "dnsPrefix": "theirs",
        "kubernetesVersion": "1.36",
        "agentPoolProfiles": [_POOL | {"vnetSubnetID": subnet}],
        "networkProfile": network,
        "aadProfile": entra,
    }
    return {"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": properties}


def _check(lab: Lab, name: str) -> Run:
    return lab.run("ansible-playbook", "-i", str(CHECKOUT / "examples" / f"{name}.yml"), "dualstack.aks.site", "--check", "--diff")


def test_every_example_is_checked() -> None:
    assert {path.stem for path in (CHECKOUT / "examples").glob("*.yml")} == EXAMPLES.keys()
    for name in EXAMPLES:
        assert (CHECKOUT / "examples" / f"{name}.yml").read_text().startswith("# "), f"{name} does not say what it is for"


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example(platform: Lab, name: str) -> None:
    run = _check(platform, name)
    assert run.code == 0, run.output
    for words in EXAMPLES[name]:
        assert words in run.output, run.output
    assert _NOT_SAID.get(name, "\0") not in run.output
    assert platform.our_writes() == []


@pytest.mark.parametrize("page", PAGES)
def test_the_guide(platform: Lab, page: str, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """As far as nothing is written."""
    [first, *_] = [block for block in blocks("README.md") if block.path]
    (tmp_path / "inventories").mkdir()
    (tmp_path / first.path).write_text(first.text)
    reader = Reader(platform, tmp_path)
    reader.follow(page)
    record_property("measured", f"{page}: {reader.commands} commands ran")
    assert platform.our_writes() == []
