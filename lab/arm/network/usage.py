"""What uses what: the members of subnets and backend pools, the users of public addresses and prefixes, the addresses that are free."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterator
from typing import Any

from .. import errors
from ..azure import Azure
from ..store import Resource
from .bodies import LOAD_BALANCER, NAT_GATEWAY, PRIVATE_ENDPOINT, PUBLIC_IP, SCALE_SET_VM, nic_configurations, prefixes_of, reference, same_id

#: Public addresses come from the documentation ranges (RFC 5737, RFC 3849).
_PUBLIC_IPV4 = [ipaddress.ip_network("203.0.113.0/24"), ipaddress.ip_network("198.51.100.0/24")]
_PUBLIC_IPV6 = ipaddress.ip_network("2001:db8:f::/48")


def references_to(azure: Azure, resource_type: str, name: str, target: str) -> list[Resource]:
    """Resources of a type whose property ``name`` points at ``target``."""
    return [found for found in azure.store.of_type(resource_type) if same_id(reference(found.properties, name), target)]


def vm_ip_configurations(azure: Azure) -> Iterator[tuple[Resource, dict[str, Any], dict[str, Any]]]:
    """(scale set VM, its NIC's configuration, one IP configuration of that) for every VM."""
    for machine in azure.store.of_type(SCALE_SET_VM):
        for nic in nic_configurations(machine.properties):
            for configuration in nic["properties"].get("ipConfigurations") or []:
                yield machine, nic, configuration


def pool_members(azure: Azure, pool: str) -> list[str]:
    """Ids of the IP configurations that are in a backend pool."""
    return [
        f"{machine.id}/networkInterfaces/{nic['name']}/ipConfigurations/{configuration['name']}"
        for machine, nic, configuration in vm_ip_configurations(azure)
        if any(same_id(item["id"], pool) for item in configuration["properties"].get("loadBalancerBackendAddressPools") or [])
    ]


def is_balanced(azure: Azure, machine: str) -> bool:
    """Whether a VM is in a backend pool that a load balancing rule leads to."""
    used = {
        reference(rule["properties"], "backendAddressPool").lower()
        for balancer in azure.store.of_type(LOAD_BALANCER)
        for rule in balancer.properties["loadBalancingRules"]
    }
    return any(
        item["id"].lower() in used
        for found, _, configuration in vm_ip_configurations(azure)
        if same_id(found.id, machine)
        for item in configuration["properties"].get("loadBalancerBackendAddressPools") or []
    )


def _address_holders(azure: Azure) -> Iterator[tuple[str, dict[str, Any]]]:
    """(id, properties) of each IP configuration outside of scale sets: of network interfaces, load balancers, gateways."""
    for found in list(azure.store.resources.values()):
        if found.type.lower().startswith("microsoft.network/"):
            for part in ("ipConfigurations", "frontendIPConfigurations", "gatewayIPConfigurations"):
                for item in found.properties.get(part) or []:
                    yield f"{found.id}/{part}/{item.get('name', '')}", item.get("properties") or {}


def subnet_users(azure: Azure, subnet: str, family: str = "") -> Iterator[str]:
    """Ids of the IP configurations that sit in a subnet; with ``family`` those that have an address of it there."""
    for holder, properties in _configurations(azure):
        if same_id(reference(properties, "subnet"), subnet) and family in ("", properties.get("privateIPAddressVersion") or "IPv4"):
            yield holder


def _configurations(azure: Azure) -> Iterator[tuple[str, dict[str, Any]]]:
    """(id, properties) of every IP configuration."""
    for machine, nic, configuration in vm_ip_configurations(azure):
        yield f"{machine.id}/networkInterfaces/{nic['name']}/ipConfigurations/{configuration['name']}", configuration["properties"]
    yield from _address_holders(azure)


def public_ip_user(azure: Azure, public_ip: str) -> str:
    """Id of the IP configuration that a public address is bound to."""
    return next((holder for holder, properties in _address_holders(azure) if same_id(reference(properties, "publicIPAddress"), public_ip)), "")


def public_ip_gateway(azure: Azure, public_ip: str) -> Resource | None:
    """The NAT gateway that has a public address."""
    for gateway in azure.store.of_type(NAT_GATEWAY):
        for name in ("publicIpAddresses", "publicIpAddressesV6"):
            if any(same_id(item["id"], public_ip) for item in gateway.properties.get(name) or []):
                return gateway
    return None


def public_ip_prefix_users(azure: Azure, prefix: str) -> Iterator[str]:
    """Ids of the addresses, NAT gateways and load balancers that take from a prefix."""
    yield from (found.id for found in references_to(azure, PUBLIC_IP, "publicIPPrefix", prefix))
    for gateway in azure.store.of_type(NAT_GATEWAY):
        for name in ("publicIpPrefixes", "publicIpPrefixesV6"):
            if any(same_id(item["id"], prefix) for item in gateway.properties.get(name) or []):
                yield gateway.id
    yield from (holder for holder, properties in _address_holders(azure) if same_id(reference(properties, "publicIPPrefix"), prefix))


def used_private_addresses(azure: Azure) -> set[str | None]:
    """The private addresses of VMs, network interfaces, internal frontends and private endpoints."""
    used = {configuration["properties"].get("privateIPAddress") for _, _, configuration in vm_ip_configurations(azure)}
    used |= {properties.get("privateIPAddress") for _, properties in _address_holders(azure)}
    return used.union(*(found.hidden.get("addresses", {}).values() for found in azure.store.of_type(PRIVATE_ENDPOINT)))


def free_private_address(azure: Azure, subnet_id: str, version: str) -> str:
    """The next free address of a family in a subnet; Azure keeps the first four of each to itself."""
    subnet = azure.store.get(subnet_id)
    if subnet is None:
        raise errors.InvalidReference(subnet_id, "the load balancer")
    networks = [ipaddress.ip_network(prefix) for prefix in prefixes_of(subnet.properties)]
    network = next((found for found in networks if found.version == int(version[-1])), None)
    if network is None:
        raise errors.ArmError(400, "PrivateIPAddressVersionMismatch", f"Subnet {subnet_id} has no {version} prefix.")
    used = used_private_addresses(azure)
    return next(str(network[number]) for number in range(4, network.num_addresses) if str(network[number]) not in used)


def free_public_address(azure: Azure, version: str) -> str:
    """An address no other resource has: the cloud controller finds public addresses by their text."""
    used = {found.properties.get("ipAddress") for found in azure.store.of_type(PUBLIC_IP)}
    if version == "IPv6":
        candidates: Iterator[Any] = (_PUBLIC_IPV6[number] for number in itertools.count(0x10))
    else:
        candidates = itertools.chain.from_iterable(itertools.islice(network.hosts(), 9, None) for network in _PUBLIC_IPV4)
    for candidate in candidates:
        if str(candidate) not in used:
            return str(candidate)
    raise errors.ArmError(400, "PublicIPCountLimitReached", "Cannot create more public IP addresses for this subscription in this region.")
