"""The subscription itself: its tenant, its regions, and the resource providers with their registration."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from .. import errors
from ..azure import Azure
from ..kinds import KINDS
from ..request import Request
from ..routes import SUBSCRIPTION, route

#: Regions the subscription has: three zones each, but for those without.
LOCATIONS = {
    "westeurope": "West Europe",
    "northeurope": "North Europe",
    "germanywestcentral": "Germany West Central",
    "swedencentral": "Sweden Central",
    "eastus2": "East US 2",
    "japaneast": "Japan East",
    "westcentralus": "West Central US",
}
_WITHOUT_ZONES = {"westcentralus"}
_NAMESPACES = [
    "Microsoft.Authorization",
    "Microsoft.Compute",
    "Microsoft.ContainerRegistry",
    "Microsoft.ContainerService",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.Resources",
]


def zones_of(location: str) -> list[str]:
    """The zones of a region."""
    return [] if location in _WITHOUT_ZONES else ["1", "2", "3"]


@route("/subscriptions")
def subscriptions(request: Request) -> web.Response:
    return web.json_response({"value": [_subscription(request.azure)], "count": {"type": "Total", "value": 1}})


@route(SUBSCRIPTION)
def subscription(request: Request) -> web.Response:
    return web.json_response(_subscription(request.azure))


def _subscription(azure: Azure) -> dict[str, Any]:
    return {
        "id": azure.subscription_id,
        "subscriptionId": azure.options.subscription,
        "tenantId": azure.options.tenant,
        "displayName": "Lab",
        "state": "Enabled",
        "authorizationSource": "RoleBased",
        "subscriptionPolicies": {"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
        "managedByTenants": [],
    }


@route("/tenants")
def tenants(request: Request) -> web.Response:
    tenant = request.azure.options.tenant
    return web.json_response({"value": [{"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Lab", "tenantCategory": "Home"}]})


@route(f"{SUBSCRIPTION}/locations")
def locations(request: Request) -> web.Response:
    value = [
        {
            "id": f"{request.azure.subscription_id}/locations/{name}",
            "name": name,
            "type": "Region",
            "displayName": display,
            "regionalDisplayName": display,
            "metadata": {"regionType": "Physical", "regionCategory": "Recommended", "geographyGroup": "Lab"},
            "availabilityZoneMappings": [{"logicalZone": zone, "physicalZone": f"{name}-az{zone}"} for zone in zones_of(name)],
        }
        for name, display in LOCATIONS.items()
    ]
    return web.json_response({"value": value})


@route(f"{SUBSCRIPTION}/providers")
def providers(request: Request) -> web.Response:
    return web.json_response({"value": [_provider(request.azure, name) for name in _NAMESPACES]})


@route(f"{SUBSCRIPTION}/providers/([^/]+)")
def provider(request: Request, namespace: str) -> web.Response:
    return web.json_response(_provider(request.azure, namespace))


@route(f"{SUBSCRIPTION}/providers/([^/]+)/register")
def register(request: Request, namespace: str) -> web.Response:
    azure = request.azure
    fact = f"registration/{_provider(azure, namespace)['namespace'].lower()}"
    azure.store.save_fact(fact, "Registering")

    async def finish() -> None:
        await asyncio.sleep(20 * azure.options.time_scale)
        azure.store.save_fact(fact, "Registered")

    azure.operations.run(finish())
    return web.json_response(_provider(azure, namespace))


def _provider(azure: Azure, namespace: str) -> dict[str, Any]:
    name = next((known for known in _NAMESPACES if known.lower() == namespace.lower()), None)
    if name is None:
        raise errors.ArmError(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")
    types: list[dict[str, Any]] = [
        {"resourceType": found.type.partition("/")[2], "locations": list(LOCATIONS.values()), "apiVersions": ["2025-05-01"]}
        for found in KINDS.values()
        if found.type.startswith(name + "/")
    ]
    if name == "Microsoft.Compute":
        mappings = [{"location": display, "zones": zones_of(region)} for region, display in LOCATIONS.items() if zones_of(region)]
        types.append(
            {"resourceType": "virtualMachines", "locations": list(LOCATIONS.values()), "apiVersions": ["2025-04-01"], "zoneMappings": mappings}
        )
    return {
        "id": f"{azure.subscription_id}/providers/{name}",
        "namespace": name,
        "registrationState": azure.registration(name),
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": types,
    }
