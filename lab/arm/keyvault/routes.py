"""Names of vaults, and vaults that were deleted: listed, shown and purged."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from .. import errors
from ..answers import name_availability
from ..azure import Azure
from ..request import Request
from ..routes import SUBSCRIPTION, route
from .kinds import VAULT

_PROVIDER = f"{SUBSCRIPTION}/providers/microsoft.keyvault"


@route(f"{_PROVIDER}/checknameavailability")
def check_name(request: Request) -> web.Response:
    return name_availability(request, VAULT, request.azure.store.deleted_vaults)


@route(f"{_PROVIDER}/checkmhsmnameavailability")
def check_hsm_name(request: Request) -> web.Response:
    return web.json_response({"nameAvailable": True})


@route(f"{SUBSCRIPTION}(?:/resourcegroups/[^/]+)?/providers/microsoft.keyvault/(?:deletedmanagedhsms|managedhsms)")
def managed_hsms(request: Request) -> web.Response:
    """Clients that list vaults list these too; the lab has none."""
    return web.json_response({"value": []})


@route(f"{_PROVIDER}/deletedvaults")
def deleted_vaults(request: Request) -> web.Response:
    return web.json_response({"value": [_deleted_vault(request.azure, name) for name in request.azure.store.deleted_vaults]})


@route(f"{_PROVIDER}/locations/[^/]+/deletedvaults/([^/]+)")
def deleted_vault(request: Request, name: str) -> web.Response:
    return web.json_response(_deleted_vault(request.azure, name))


@route(f"{_PROVIDER}/locations/[^/]+/deletedvaults/([^/]+)/purge")
def purge_vault(request: Request, name: str) -> web.Response:
    if _deleted_vault(request.azure, name)["properties"]["purgeProtectionEnabled"]:
        raise errors.ArmError(400, "MethodNotAllowed", "Operation is not allowed: the vault is protected against purge until its retention ends.")
    request.azure.store.save_deleted_vault(name, None)
    return web.Response(status=200)


def _deleted_vault(azure: Azure, name: str) -> dict[str, Any]:
    found = azure.store.deleted_vaults.get(name.lower())
    if found is None:
        raise errors.ArmError(404, "DeletedVaultNotFound", f"The specified deleted vault '{name}' does not exist.")
    stamp = "%Y-%m-%dT%H:%M:%SZ"
    vault = found["id"].rsplit("/", 1)[1]
    return {
        "id": f"{azure.subscription_id}/providers/Microsoft.KeyVault/locations/{found['location']}/deletedVaults/{vault}",
        "name": vault,
        "type": "Microsoft.KeyVault/deletedVaults",
        "properties": {
            "vaultId": found["id"],
            "location": found["location"],
            "tags": found["body"].get("tags") or {},
            "deletionDate": time.strftime(stamp, time.gmtime(found["deleted"])),
            "scheduledPurgeDate": time.strftime(stamp, time.gmtime(found["purge"])),
            "purgeProtectionEnabled": found["body"]["properties"].get("enablePurgeProtection", False),
        },
    }
