"""Rules of resources that exist already and are named by their ids: of all that is used of them, and never written.

What only one type has (access policies of a vault, Entra ID of a cluster) is in the chapter of its subject.
This file is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .._resource_id import folded, type_of
from . import Answer, Chapter, Finding

_CLUSTER = "Microsoft.ContainerService/managedClusters"
_ADDRESS = "Microsoft.Network/publicIPAddresses"
_PRIVATE_ZONE = "Microsoft.Network/privateDnsZones"

#: variable -> the type of the resource that it names
TYPES = {
    "network_existing_vnet_id": "Microsoft.Network/virtualNetworks",
    "network_existing_entrance_ipv4_id": _ADDRESS,
    "network_existing_entrance_ipv6_id": _ADDRESS,
    "aks_existing_id": _CLUSTER,
    "aks_existing_workspace_id": "Microsoft.OperationalInsights/workspaces",
    "registry_existing_id": "Microsoft.ContainerRegistry/registries",
    "registry_existing_private_zone_id": _PRIVATE_ZONE,
    "keyvault_existing_id": "Microsoft.KeyVault/vaults",
    "keyvault_existing_private_zone_id": _PRIVATE_ZONE,
}


@dataclass(frozen=True)
class Existing:
    """One such resource: the variable that names it, its id, what Azure answered, and the stamp's region where it must be in that one."""

    variable: str
    id: str
    answer: Answer
    region: str = ""


def is_out_of_reach(answer: Answer) -> bool:
    """Whether a registry or a vault is closed to the public and has no private endpoint either."""
    properties = answer.body.get("properties") or {}
    return folded(properties.get("publicNetworkAccess")) == "disabled" and not properties.get("privateEndpointConnections")


def _type_of(identifier: str) -> str:
    try:
        return type_of(identifier)
    except ValueError:
        return "no resource"


def is_private_zone(identifier: str) -> bool:
    """Whether an id names a private DNS zone."""
    return _type_of(identifier).lower() == _PRIVATE_ZONE.lower()


CHAPTER = Chapter[Existing]("existing")
rule = CHAPTER.rule


@rule("use the id of a resource of that type, as `az resource show --query id` prints it")
def existing_type(existing: Existing) -> Iterator[Finding]:
    """An id of a resource of the wrong type."""
    wanted, found = TYPES[existing.variable], _type_of(existing.id)
    if found.lower() != wanted.lower():
        yield existing.variable, f"{existing.id} names {found}, not {wanted}"


@rule("repair it, or use another one", "https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/overview")
def existing_state(existing: Existing) -> Iterator[Finding]:
    """A resource that failed or is being deleted, or a cluster that is stopped or changing."""
    properties = existing.answer.body.get("properties") or {}
    state, power = str(properties.get("provisioningState") or "Succeeded"), str((properties.get("powerState") or {}).get("code") or "Running")
    is_cluster = TYPES[existing.variable] == _CLUSTER
    if is_cluster and power != "Running":
        yield existing.variable, f"{existing.id} is {power.lower()}", "start it (az aks start)"
    elif state.lower() in ("failed", "canceled", "deleting"):
        yield existing.variable, f"{existing.id} is in the state {state}"
    elif is_cluster and state.lower() != "succeeded":
        yield existing.variable, f"{existing.id} is in the state {state}", "wait for the end of the change (az aks wait --updated) and run again"


@rule("use one in the stamp's region, or set dualstack_location to its region", "https://learn.microsoft.com/azure/aks/static-ip")
def existing_region(existing: Existing) -> Iterator[Finding]:
    """A resource in another region than the stamp, while Azure requires the same region."""
    found = existing.answer.body.get("location")
    if existing.region and found and folded(found) != folded(existing.region):
        yield existing.variable, f"{existing.id} is in {found}, but the stamp is in {existing.region}"
