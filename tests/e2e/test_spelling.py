"""The same stamp, spelt otherwise: what means the same changes nothing."""

from __future__ import annotations

import ipaddress
from typing import Any

import yaml

from tests.harness import Lab

OFFICE = "2001:db8:ffff:1::/64"


def test_the_same_inventory_spelt_otherwise() -> None:
    lab = Lab()
    try:
        lab.set(dualstack_ipv6_prefix="2001:db8:100::/40", network_security_rules=[_office(OFFICE)])
        register = lab.inventories / "group_vars" / "regions" / "addresses.yml"
        register.write_text("dualstack_register: {}\n")
        assert lab.playbook("plan", "-e", "plan_write=true").code == 0
        for name in ("shared", "site"):
            run = lab.playbook(name)
            assert run.code == 0, run.output
        register.write_text(yaml.safe_dump(_respelt(yaml.safe_load(register.read_text()))))
        lab.set(dualstack_ipv6_prefix="2001:0DB8:0100:0:0:0:0:0/40", network_security_rules=[_office(_exploded(OFFICE))], **_recased(lab))
        before = len(lab.entries())
        again = lab.playbook("site", "--diff")
        assert again.code == 0, again.output
        assert again.changed == 0, again.output
        assert lab.our_writes(before) == []
        subnet = lab.network("virtualNetworks/vnet-example-westeurope/subnets/nodes")["properties"]["addressPrefixes"]
        assert any(ipaddress.IPv6Network(text).subnet_of(ipaddress.IPv6Network("2001:db8:100::/40")) for text in subnet if ":" in text)
    finally:
        lab.close()


def _office(source: str) -> dict[str, Any]:
    return {"name": "office", "priority": 300, "protocol": "Tcp", "source": ["198.51.100.0/24", source], "destination_ports": ["443"]}


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
