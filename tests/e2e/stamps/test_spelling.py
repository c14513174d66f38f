"""The same stamp, spelt otherwise: what means the same changes nothing."""

from __future__ import annotations

import ipaddress
from typing import Any

import yaml

from tests.harness import Lab

from .conftest import OFFICE, PREFIX, office


def test_the_same_inventory_spelt_otherwise(stamps: Lab) -> None:
    """After all that its neighbours did to the stamp."""
    stamps.register.write_text(yaml.safe_dump(_respelt(yaml.safe_load(stamps.register.read_text()))))
    stamps.set(dualstack_ipv6_prefix="2001:0DB8:0100:0:0:0:0:0/40", network_security_rules=[office(_exploded(OFFICE))], **_recased(stamps))
    before = len(stamps.entries())
    again = stamps.playbook("site", "--diff")
    assert (again.code, again.changed) == (0, 0), again.output
    assert stamps.our_writes(before) == []
    subnet = stamps.network("virtualNetworks/vnet-example-westeurope/subnets/nodes")["properties"]["addressPrefixes"]
    assert any(ipaddress.IPv6Network(text).subnet_of(ipaddress.IPv6Network(PREFIX)) for text in subnet if ":" in text)


def _exploded(text: str) -> str:
    return ipaddress.ip_network(text).exploded.upper()


def _respelt(value: Any) -> Any:
    """Every IPv6 prefix in full and in capitals."""
    if isinstance(value, dict):
        return {name: _respelt(item) for name, item in value.items()}
    return _exploded(value) if isinstance(value, str) and ":" in value else value


def _recased(lab: Lab) -> dict[str, Any]:
    """Every id, name and region that the roles' interfaces take and Azure has without case, in capitals."""
    shared = f"{lab.group('shared')}/providers/Microsoft.Network"
    network, identities = f"{lab.group()}/providers/Microsoft.Network", f"{lab.group()}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
    vnet = f"{network}/virtualNetworks/vnet-example-westeurope"
    entrances = {family: f"{network}/publicIPAddresses/pip-example-westeurope-{family}" for family in ("ipv4", "ipv6")}
    kubelet = f"{identities}/id-aks-example-westeurope-kubelet"
    registry = lab.get(f"{lab.group()}/providers/Microsoft.ContainerRegistry/registries", "2025-11-01")["value"][0]["id"]
    vault = lab.get(f"{lab.group()}/providers/Microsoft.KeyVault/vaults", "2026-02-01")["value"][0]["id"]
    found: dict[str, Any] = {
        "dualstack_location": "westeurope",
        "aks_node_resource_group": lab.get(lab.cluster_id, "2026-05-01")["properties"]["nodeResourceGroup"],
        "aks_dns_prefix": "aks-example-westeurope",
        "network_vnet_id": vnet,
        "network_entrance_ids": entrances,
        "aks_id": lab.cluster_id,
        "aks_node_subnet_id": f"{vnet}/subnets/nodes",
        "aks_entrance_resource_group_ids": [lab.group()],
        "aks_identity_id": f"{identities}/id-aks-example-westeurope",
        "aks_kubelet_identity_id": kubelet,
        "registry_id": registry,
        "registry_vnet_id": vnet,
        "registry_subnet_id": f"{vnet}/subnets/endpoints",
        "registry_puller_identity_id": kubelet,
        "keyvault_id": vault,
        "keyvault_vnet_id": vnet,
        "keyvault_subnet_id": f"{vnet}/subnets/endpoints",
        "dns_vnet_id": vnet,
        "dns_public_zone_id": f"{shared}/dnsZones/aks.example.org",
        "dns_private_zone_id": f"{shared}/privateDnsZones/internal.example.org",
        "ingress_cluster_id": lab.cluster_id,
        "ingress_entrance_ipv4_id": entrances["ipv4"],
        "ingress_entrance_ipv6_id": entrances["ipv6"],
    }
    return {name: _upper(value) for name, value in found.items()}


def _upper(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _upper(item) for name, item in value.items()}
    return [_upper(item) for item in value] if isinstance(value, list) else value.upper()
