"""What our roles made, as the Azure CLI and azure.azcollection's modules read it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import Lab

from .conftest import Ansible, Az

GROUP = ("--resource-group", "rg-example-westeurope")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--no-kubernetes") as found:
        found.build("--tags", "network,aks,registry,keyvault")
        yield found


def families(prefixes: list[str]) -> list[int]:
    return sorted(ipaddress.ip_network(text).version for text in prefixes)


def test_the_cluster_as_az_shows_it(az: Az) -> None:
    cluster: dict[str, Any] = az("aks", "show", *GROUP, "--name", "aks-example-westeurope")
    network = cluster["networkProfile"]
    assert (network["ipFamilies"], network["networkDataplane"], network["networkPluginMode"]) == (["IPv4", "IPv6"], "cilium", "overlay")
    assert (families(network["podCidrs"]), families(network["serviceCidrs"])) == ([4, 6], [4, 6])
    assert (cluster["disableLocalAccounts"], cluster["oidcIssuerProfile"]["enabled"]) == (True, True)
    pools = az("aks", "nodepool", "list", *GROUP, "--cluster-name", "aks-example-westeurope")
    assert {pool["name"]: pool["mode"] for pool in pools} == {"system": "System", "apps": "User"}


def test_the_network_as_az_shows_it(az: Az) -> None:
    subnets = az("network", "vnet", "subnet", "list", *GROUP, "--vnet-name", "vnet-example-westeurope")
    shown = {subnet["name"]: families(subnet.get("addressPrefixes") or [subnet["addressPrefix"]]) for subnet in subnets}
    assert shown == {"nodes": [4, 6], "endpoints": [4]}
    addresses = az("network", "public-ip", "list", *GROUP)
    assert sorted((found["publicIPAddressVersion"], found["publicIPAllocationMethod"]) for found in addresses) == [
        ("IPv4", "Static"),
        ("IPv6", "Static"),
    ]
    rules = az("network", "nsg", "rule", "list", *GROUP, "--nsg-name", "nsg-example-westeurope-nodes")
    assert {"pods-to-pods", "pods-to-pods-ipv6", "deny-the-rest"} <= {rule["name"] for rule in rules}


def test_registry_and_vault_as_az_shows_them(az: Az) -> None:
    [registry] = az("acr", "list", *GROUP)
    assert (registry["sku"]["name"], registry["adminUserEnabled"], registry["publicNetworkAccess"]) == ("Premium", False, "Disabled")
    [vault] = az("keyvault", "list", *GROUP)
    properties = az("keyvault", "show", "--name", vault["name"])["properties"]
    assert (properties["enableRbacAuthorization"], properties["enablePurgeProtection"]) == (True, True)
    assert az("acr", "check-name", "--name", registry["name"])["nameAvailable"] is False


def test_the_stamp_as_azcollection_reads_it(ansible: Ansible) -> None:
    group = "rg-example-westeurope"
    clusters, vnets, subnets, addresses = ansible.tasks(
        ("aks_info", {"resource_group": group, "name": "aks-example-westeurope"}),
        ("virtualnetwork_info", {"resource_group": group, "name": "vnet-example-westeurope"}),
        ("subnet_info", {"resource_group": group, "virtual_network_name": "vnet-example-westeurope", "name": "nodes"}),
        ("publicipaddress_info", {"resource_group": group}),
    )
    assert clusters["aks"][0]["provisioning_state"] == "Succeeded"
    assert families(vnets["virtualnetworks"][0]["address_prefixes"]) == [4, 6]
    assert families(subnets["subnets"][0]["address_prefixes_cidr"]) == [4, 6]
    assert sorted(found["version"] for found in addresses["publicipaddresses"]) == ["ipv4", "ipv6"]
