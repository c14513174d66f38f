"""The definitions of the built-in roles."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from .. import errors
from ..azure import Azure
from ..request import Request
from ..routes import SUBSCRIPTION, route
from .roles import BUILT_IN_ROLES


@route(".*/providers/microsoft.authorization/roledefinitions", method="GET")
def role_definitions(request: Request) -> web.Response:
    name = re.search(r"roleName eq '([^']+)'", request.query.get("$filter", ""))
    found = [guid for guid, role in BUILT_IN_ROLES.items() if not name or role.lower() == name[1].lower()]
    return web.json_response({"value": [_definition(request.azure, guid) for guid in found]})


@route(f"(?:{SUBSCRIPTION})?/providers/microsoft.authorization/roledefinitions/([^/]+)")
def role_definition(request: Request, guid: str) -> web.Response:
    if guid not in BUILT_IN_ROLES:
        raise errors.ArmError(404, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{guid}' does not exist.")
    return web.json_response(_definition(request.azure, guid))


def _definition(azure: Azure, guid: str) -> dict[str, Any]:
    return {
        "id": f"{azure.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        "name": guid,
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": BUILT_IN_ROLES[guid],
            "type": "BuiltInRole",
            "description": "",
            "assignableScopes": ["/"],
            "permissions": [],
        },
    }
