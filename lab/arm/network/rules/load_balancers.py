"""What load balancers refuse."""

from __future__ import annotations

import ipaddress

from ...azure import Azure
from ...errors import ArmError, InvalidReference
from ...kinds import Write
from ...rules import delete_rule, rule
from ...store import Resource
from ..bodies import BALANCER_PARTS, LOAD_BALANCER, prefixes_of, reference
from ..usage import pool_members
from .shared import PUBLIC_ADDRESSES, RESOURCE_NAMES, check_is_free, check_names_are_unique, networks

_BALANCER = "learn.microsoft.com/azure/load-balancer/components"
_BALANCER_API = "learn.microsoft.com/rest/api/load-balancer/load-balancers/create-or-update"


@rule("load-balancer-names", LOAD_BALANCER, RESOURCE_NAMES)
def names_in_a_balancer_are_unique(write: Write) -> None:
    check_names_are_unique(write, *BALANCER_PARTS)


@rule("load-balancer-references", LOAD_BALANCER, _BALANCER)
def what_a_balancer_names_exists(write: Write) -> None:
    parts = {
        part: {f"{write.id}/{part}/{item['name']}".lower() for item in write.properties[part]}
        for part in ("frontendIPConfigurations", "backendAddressPools", "probes")
    }
    for owner in ("loadBalancingRules", "outboundRules", "inboundNatRules", "inboundNatPools"):
        for item in write.properties[owner]:
            for part, one, many in (
                ("frontendIPConfigurations", "frontendIPConfiguration", "frontendIPConfigurations"),
                ("backendAddressPools", "backendAddressPool", "backendAddressPools"),
                ("probes", "probe", ""),
            ):
                targets = [reference(item["properties"], one), *(found["id"] for found in item["properties"].get(many) or [])]
                for target in targets:
                    if target and target.lower() not in parts[part]:
                        raise InvalidReference(target, f"{write.id}/{owner}/{item['name']}")
    for item in write.properties["frontendIPConfigurations"]:
        for name in ("publicIPAddress", "publicIPPrefix", "subnet"):
            target = reference(item["properties"], name)
            if target and not write.azure.store.get(target):
                raise InvalidReference(target, f"{write.id}/frontendIPConfigurations/{item['name']}")


@rule("load-balancer-rule-frontend", LOAD_BALANCER, _BALANCER_API)
def rule_has_a_frontend(write: Write) -> None:
    for item in write.properties["loadBalancingRules"]:
        if not reference(item["properties"], "frontendIPConfiguration"):
            target = f"{write.id}/loadBalancingRules/{item['name']}"
            raise ArmError(400, "LoadBalancingRuleMustHaveFrontendIPConfiguration", f"Load balancing rule {target} has no frontend IP configuration.")


@rule("load-balancer-frontend-place", LOAD_BALANCER, _BALANCER_API)
def frontend_has_a_place(write: Write) -> None:
    for item in write.properties["frontendIPConfigurations"]:
        if not any(reference(item["properties"], name) for name in ("publicIPAddress", "publicIPPrefix", "subnet")):
            target = f"{write.id}/frontendIPConfigurations/{item['name']}"
            message = f"Frontend IP Configuration {target} must reference either a Subnet or a Public IP Address."
            raise ArmError(400, "FrontendIPConfigHasNoSubnetOrPublicIP", message)


@rule("load-balancer-sku", LOAD_BALANCER, PUBLIC_ADDRESSES)
def frontend_address_has_the_sku(write: Write) -> None:
    """Addresses of SKU StandardV2 are for NAT gateways of that SKU."""
    for item in write.properties["frontendIPConfigurations"]:
        public = write.azure.store.get(reference(item["properties"], "publicIPAddress"))
        if public and public.body["sku"]["name"] != write.body["sku"]["name"]:
            raise ArmError(
                400,
                "DifferentSkuLoadBalancersAndPublicIPAddressNotAllowed",
                f"Different sku load balancers and public IP addresses are not allowed: {write.id} and {public.id}.",
            )


@rule("load-balancer-basic-retired", LOAD_BALANCER, "learn.microsoft.com/azure/load-balancer/load-balancer-basic-upgrade-guidance")
def basic_is_retired(write: Write) -> None:
    """Basic is also what a balancer without a SKU gets."""
    if write.body["sku"]["name"] == "Basic":
        raise ArmError(400, "BasicSkuLoadBalancerNotAllowed", f"{write.id}: load balancers of SKU Basic were retired on 2025-09-30.")


@rule("load-balancer-private-address", LOAD_BALANCER, "learn.microsoft.com/azure/virtual-network/ip-services/private-ip-addresses")
def private_address_is_the_subnets(write: Write) -> None:
    for item in write.properties["frontendIPConfigurations"]:
        text, subnet = item["properties"].get("privateIPAddress"), write.azure.store.get(reference(item["properties"], "subnet"))
        if not text or subnet is None or item["properties"].get("privateIPAllocationMethod") == "Dynamic":
            continue
        try:
            address = ipaddress.ip_address(text)
        except ValueError as error:
            raise ArmError(400, "InvalidIPAddress", f"The private address of frontend {item['name']} is not valid: {error}.") from error
        prefixes = networks(prefixes_of(subnet.properties), subnet.id)
        home = next((prefix for prefix in prefixes if address in prefix), None)
        if home is None:
            raise ArmError(
                400, "PrivateIPAddressNotInSubnet", f"Private static IP address {text} does not belong to the range of subnet prefix {subnet.id}."
            )
        if address in [home[number] for number in range(4)] or (home.version == 4 and address == home.broadcast_address):
            raise ArmError(
                400, "PrivateIPAddressInReservedRange", f"Private static IP address {text} falls within reserved IP range of subnet prefix {home}."
            )


@rule("public-ip-one-frontend", LOAD_BALANCER, _BALANCER)
def public_ip_has_one_frontend(write: Write) -> None:
    used = [reference(item["properties"], "publicIPAddress").lower() for item in write.properties["frontendIPConfigurations"]]
    for target in {target for target in used if target}:
        if used.count(target) > 1:
            message = f"Public ip address {target} is referenced by multiple ipconfigs in resource {write.id}."
            raise ArmError(400, "PublicIPReferencedByMultipleIPConfigs", message)


@rule("load-balancer-address-in-use", LOAD_BALANCER, PUBLIC_ADDRESSES)
def frontend_address_is_free(write: Write) -> None:
    for item in write.properties["frontendIPConfigurations"]:
        target = reference(item["properties"], "publicIPAddress")
        if target:
            check_is_free(write, target, f"{write.id}/frontendIPConfigurations/{item['name']}")


@rule("load-balancer-one-rule-a-port", LOAD_BALANCER, _BALANCER)
def one_rule_a_port(write: Write) -> None:
    seen: dict[tuple[str, str, int], str] = {}
    for item in write.properties["loadBalancingRules"]:
        properties = item["properties"]
        place = (reference(properties, "frontendIPConfiguration").lower(), properties["protocol"].lower(), properties["frontendPort"])
        if place in seen:
            raise ArmError(
                400, "RulesUseSameFrontendPortProtocolAndIPConfig", f"Rules {seen[place]} and {item['name']} share frontend, protocol and port."
            )
        seen[place] = item["name"]


@rule("load-balancer-ipv4-frontend", LOAD_BALANCER, "github.com/kubernetes-sigs/cloud-provider-azure/issues/1831")
def ipv6_frontend_needs_an_ipv4_one(write: Write) -> None:
    versions = set()
    for item in write.properties["frontendIPConfigurations"]:
        public = write.azure.store.get(reference(item["properties"], "publicIPAddress"))
        versions.add(public.properties["publicIPAddressVersion"] if public else item["properties"].get("privateIPAddressVersion", "IPv4"))
    if versions == {"IPv6"}:
        raise ArmError(
            400, "AtleastOneIpV4RequiredForIpV6LbFrontendIpConfiguration", f"{write.id} has an IPv6 frontend and needs at least one IPv4 frontend."
        )


@rule("load-balancer-pool-in-use", LOAD_BALANCER, _BALANCER)
def pool_in_use_stays(write: Write) -> None:
    names = {item["name"].lower() for item in write.properties["backendAddressPools"]}
    for pool in write.old_properties.get("backendAddressPools") or []:
        if pool["name"].lower() not in names and pool_members(write.azure, pool["id"]):
            raise ArmError(400, "InUseBackendAddressPoolCannotBeDeleted", f"Backend address pool {pool['id']} is in use.")


@delete_rule("load-balancer-in-use", LOAD_BALANCER, _BALANCER)
def balancer_in_use(azure: Azure, resource: Resource) -> None:
    if any(pool_members(azure, pool["id"]) for pool in resource.properties["backendAddressPools"]):
        raise ArmError(
            400, "LoadBalancerInUseByVirtualMachineScaleSet", f"Cannot delete load balancer {resource.id}: its child resources are in use."
        )
