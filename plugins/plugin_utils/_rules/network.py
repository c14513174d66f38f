"""Rules of a stamp's network that Azure's answers decide: subscription, region, providers, quotas, and what exists already.

This file is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._azure.preflight import live_subnets
from . import Answer, Chapter, Finding

_PROVIDERS = "https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types"
_LIMITS = "https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits"
_ADDRESS = "https://learn.microsoft.com/azure/aks/static-ip"


@dataclass(frozen=True)
class Network:
    """What is declared of a stamp's network beside its plan, and what Azure answered: ``subscription``, ``locations``, ``providers``, ``usages`` of
    Microsoft.Network in the region, ``vnet``, the entrances' addresses ``ipv4`` and ``ipv6``, and each of ``egress_address_ids``."""

    subscription_id: str
    location: str
    providers: Sequence[str]
    register_providers: bool
    existing_vnet_id: str
    existing_entrance_ids: Mapping[str, str]
    egress_address_ids: Mapping[str, Sequence[str]]
    subnets: Sequence[str]
    answers: Mapping[str, Answer]

    def values(self, name: str) -> list[Mapping[str, Any]]:
        """The items of a list that Azure answered."""
        return list(self.answers[name].body.get("value") or ())


CHAPTER = Chapter[Network]("network")
rule = CHAPTER.rule


@rule("correct dualstack_subscription_id, or grant the credentials access to it")
def subscription(network: Network) -> Iterator[Finding]:
    """A subscription that the credentials cannot read."""
    if not network.answers["subscription"].exists:
        yield "network_subscription_id", f"{network.subscription_id} is not a subscription that the credentials may read"


@rule("name the stamp after its region or set dualstack_location")
def location(network: Network) -> Iterator[Finding]:
    """A region that the subscription does not have."""
    regions = [str(region["name"]) for region in network.values("locations")]
    if network.answers["subscription"].exists and network.location not in regions:
        yield (
            "network_location",
            f"{network.location} is not a region of the subscription",
            f"name the stamp after its region or set dualstack_location; regions are {', '.join(regions)}",
        )


@rule("register them (az provider register), or set network_register_providers to true", _PROVIDERS)
def providers(network: Network) -> Iterator[Finding]:
    """Resource providers that are not registered, where the run may not register them."""
    states = {str(provider["namespace"]): provider["registrationState"] for provider in network.values("providers")}
    unregistered = [namespace for namespace, state in states.items() if namespace in network.providers and state != "Registered"]
    if unregistered and not network.register_providers:
        yield "network_providers", f"not registered: {', '.join(unregistered)}"


@rule("request more quota for public addresses in this region", _LIMITS)
def public_address_quota(network: Network) -> Iterator[Finding]:
    """More new public addresses than the subscription has left in the region. Azure counts each family on its own, or, by an older name, both."""
    new = {family: sum(not network.answers[name].exists for name in (family, *network.egress_address_ids[family])) for family in ("ipv4", "ipv6")}
    for usage in network.values("usages"):
        match = re.fullmatch(r"(ipv[46])?StandardSkuPublicIpAddresses", usage["name"]["value"], re.IGNORECASE)
        if not match:
            continue
        wanted = new[match[1].lower()] if match[1] else sum(new.values())
        used, limit = int(usage["currentValue"]), int(usage["limit"])
        if wanted and used + wanted > limit:
            yield "network_location", f"{usage['name']['value']}: {wanted} wanted, {used} of {limit} in use"


@rule("correct the id, or leave it empty to create a virtual network")
def existing_vnet(network: Network) -> Iterator[Finding]:
    """An existing virtual network that Azure does not have."""
    if network.existing_vnet_id and not network.answers["vnet"].exists:
        yield "network_existing_vnet_id", f"{network.existing_vnet_id} {network.answers['vnet'].absence}"


@rule("create them, or name those that exist in dualstack_subnets; an existing virtual network is never written")
def existing_subnets(network: Network) -> Iterator[Finding]:
    """An existing virtual network without the subnets that are declared."""
    missing = [name for name in network.subnets if name not in live_subnets(network.answers["vnet"].body)]
    if network.existing_vnet_id and network.answers["vnet"].exists and missing:
        yield "network_existing_vnet_id", f"the virtual network lacks the subnets {', '.join(missing)}"


@rule("correct the id, or leave it empty to create an address", _ADDRESS)
def existing_entrance_address(network: Network) -> Iterator[Finding]:
    """An existing public address that a load balancer of AKS cannot use."""
    for family, identifier in network.existing_entrance_ids.items():
        version = family.replace("ip", "IP")
        if identifier and not _fits(network.answers[family], version):
            yield (
                f"network_existing_entrance_{family}_id",
                f"{identifier} does not exist, or is not a static {version} address of the SKU Standard",
            )


def _fits(address: Answer, version: str) -> bool:
    properties = address.body.get("properties") or {}
    return (
        (address.body.get("sku") or {}).get("name") == "Standard"
        and properties.get("publicIPAllocationMethod") == "Static"
        and properties.get("publicIPAddressVersion") == version
    )
