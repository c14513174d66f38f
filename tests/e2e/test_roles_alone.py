"""Each role by itself, on what another client made: in check mode, for real, and again; and site.yml in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from tests.harness import WITHOUT_ZONES, Lab

STAMP = "westeurope"
LOCATION = {"location": STAMP}
NODES = ["10.50.0.0/22", "fd12:3456:789a::/64"]
ENDPOINTS = ["10.50.4.0/26"]
#: the register of a user who brings a network
REGISTER = {
    "stamps": {
        STAMP: {
            "vnet": {"ipv4": "10.50.0.0/20", "ipv6": "fd12:3456:789a::/56"},
            "pods": {"ipv4": "10.128.0.0/16", "ipv6": "fd12:3456:789a:100::/64"},
            "services": {"ipv4": "10.192.0.0/20", "ipv6": "fd12:3456:789a:200::/108"},
            "nodes": {"ipv4": NODES[0], "ipv6": NODES[1]},
            "endpoints": {"ipv4": ENDPOINTS[0]},
        }
    }
}


class Foreign:
    """A platform that another client made."""

    def __init__(self, lab: Lab) -> None:
        group = f"{lab.subscription}/resourceGroups/rg-theirs"
        network, identities = f"{group}/providers/Microsoft.Network", f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
        self.vnet = f"{network}/virtualNetworks/theirs"
        self.nodes, self.endpoints = f"{self.vnet}/subnets/nodes", f"{self.vnet}/subnets/endpoints"
        self.addresses = {family: f"{network}/publicIPAddresses/their-{family}" for family in ("ipv4", "ipv6")}
        self.public_zone, self.private_zone = f"{network}/dnsZones/theirs.example", f"{network}/privateDnsZones/theirs.internal"
        self.identity, self.puller = f"{identities}/their-cluster", f"{identities}/their-kubelets"
        lab.put(f"{lab.subscription}/resourceGroups/rg-theirs", "2025-04-01", LOCATION)
        lab.put(lab.group(), "2025-04-01", LOCATION)
        space = {"addressSpace": {"addressPrefixes": ["10.50.0.0/20", "fd12:3456:789a::/56"]}}
        lab.put(self.vnet, "2025-05-01", {**LOCATION, "properties": space})
        for subnet, prefixes in ((self.nodes, NODES), (self.endpoints, ENDPOINTS)):
            lab.put(subnet, "2025-05-01", {"properties": {"addressPrefixes": prefixes}})
        for family, identifier in self.addresses.items():
            properties = {"publicIPAddressVersion": family.replace("ip", "IP"), "publicIPAllocationMethod": "Static"}
            lab.put(identifier, "2025-05-01", {**LOCATION, "sku": {"name": "Standard"}, "zones": ["1", "2", "3"], "properties": properties})
        lab.put(self.public_zone, "2018-05-01", {"location": "global"})
        lab.put(self.private_zone, "2024-06-01", {"location": "global"})
        for identity in (self.identity, self.puller):
            lab.put(identity, "2024-11-30", LOCATION)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as found:
        (found.inventories / "group_vars" / "regions" / "addresses.yml").write_text(yaml.safe_dump({"dualstack_register": REGISTER}))
        yield found


@pytest.fixture(scope="module")
def foreign(lab: Lab) -> Foreign:
    return Foreign(lab)


#: role -> its variables on a foreign platform
ROLES: dict[str, Callable[[Foreign], dict[str, Any]]] = {
    "network": lambda foreign: {
        "network_existing_vnet_id": foreign.vnet,
        "network_existing_entrance_ipv4_id": foreign.addresses["ipv4"],
        "network_existing_entrance_ipv6_id": foreign.addresses["ipv6"],
    },
    "registry": lambda foreign: {
        "registry_vnet_id": foreign.vnet,
        "registry_subnet_id": foreign.endpoints,
        "registry_puller_identity_id": foreign.puller,
    },
    "keyvault": lambda foreign: {
        "keyvault_vnet_id": foreign.vnet,
        "keyvault_subnet_id": foreign.endpoints,
        "keyvault_secret_user_identity_ids": [foreign.identity],
    },
    "dns": lambda foreign: {
        "dns_vnet_id": foreign.vnet,
        "dns_public_zone_id": foreign.public_zone,
        "dns_private_zone_id": foreign.private_zone,
    },
    "aks": lambda foreign: {
        "aks_node_subnet_id": foreign.nodes,
        "aks_entrance_resource_group_ids": [foreign.vnet.partition("/providers/")[0]],
    },
    # It takes the cluster that the role aks has just made, as it would take any other's.
    "ingress": lambda foreign: {
        "ingress_entrance_ipv4_id": foreign.addresses["ipv4"],
        "ingress_entrance_ipv6_id": foreign.addresses["ipv6"],
    },
}


@pytest.mark.parametrize("role", ROLES)
def test_role_alone(lab: Lab, foreign: Foreign, role: str) -> None:
    lab.set(**ROLES[role](foreign))
    play = [{"hosts": "regions", "connection": "local", "gather_facts": False, "roles": [f"dualstack.aks.{role}"]}]
    playbook = lab.folder / f"{role}.yml"
    playbook.write_text(yaml.safe_dump(play))
    words = ["ansible-playbook", "-i", str(lab.inventories / f"{STAMP}.yml"), str(playbook)]
    theirs = _theirs(lab, foreign)
    before = len(lab.entries())
    checked = lab.run(*words, "--check", "--diff")
    assert checked.code == 0, checked.output
    assert lab.our_writes(before) == []
    run = lab.run(*words)
    assert run.code == 0, run.output
    assert (checked.changed > 0) == (run.changed > 0)
    before = len(lab.entries())
    again = lab.run(*words)
    assert (again.code, again.changed) == (0, 0), again.output
    assert lab.our_writes(before) == []
    assert _theirs(lab, foreign) == theirs


def _theirs(lab: Lab, foreign: Foreign) -> dict[str, Any]:
    """What is read and checked, and never written by us; load balancers show in an address, and an endpoint in its subnet."""
    found = {
        identifier: lab.get(identifier, version)
        for identifier, version in {foreign.vnet: "2025-05-01", foreign.public_zone: "2018-05-01", foreign.puller: "2024-11-30"}.items()
    }
    vnet = found[foreign.vnet]
    return found | {foreign.vnet: {"tags": vnet.get("tags"), "space": vnet["properties"]["addressSpace"]}}


def test_ids_that_lead_nowhere(lab: Lab, foreign: Foreign) -> None:
    lab.set(
        network_existing_vnet_id=f"{foreign.vnet}-not",
        # The families are taken for each other.
        network_existing_entrance_ipv4_id=foreign.addresses["ipv6"],
        network_existing_entrance_ipv6_id=foreign.addresses["ipv4"],
        aks_existing_workspace_id=f"{lab.group()}/providers/Microsoft.OperationalInsights/workspaces/no",
    )
    before = len(lab.entries())
    run = lab.playbook("site", *WITHOUT_ZONES)
    assert run.code == 2
    for text in (f"{foreign.vnet}-not does not exist", "workspaces/no does not exist", "not a static IPv4 address", "not a static IPv6 address"):
        assert text in run.output.replace("\n", " "), run.output
    assert lab.our_writes(before) == []


def test_site_by_tags() -> None:
    lab = Lab()
    try:
        assert lab.playbook("shared").code == 0
        for tag in ("network", "aks", "registry", "keyvault", "dns", "ingress"):
            checked = lab.playbook("site", "--tags", tag, "--check")
            assert checked.code == 0, checked.output
            run = lab.playbook("site", "--tags", tag)
            assert run.code == 0, run.output
            assert run.changed > 0, run.output
        rest = lab.playbook("site")
        assert rest.code == 0, rest.output
        # Records wait for entrances that answered somebody in the same run; without packets nobody can be asked.
        assert rest.changed == 0, rest.output
    finally:
        lab.close()
