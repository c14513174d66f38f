"""The definitions of the built-in roles."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from .. import errors
from ..azure import Azure
from ..request import Request
from ..routes import SUBSCRIPTION, route
from .roles import BUILT_IN_ROLES, roles_on


@route(".*/providers/microsoft.authorization/roledefinitions", method="GET")
def role_definitions(request: Request) -> web.Response:
    name = re.search(r"roleName eq '([^']+)'", request.query.get("$filter", ""))
    found = [guid for guid, role in BUILT_IN_ROLES.items() if not name or role.name.lower() == name[1].lower()]
    return web.json_response({"value": [_definition(request.azure, guid) for guid in found]})


@route(f"(?:{SUBSCRIPTION})?/providers/microsoft.authorization/roledefinitions/([^/]+)")
def role_definition(request: Request, guid: str) -> web.Response:
    if guid not in BUILT_IN_ROLES:
        raise errors.ArmError(404, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{guid}' does not exist.")
    return web.json_response(_definition(request.azure, guid))


@route(".*/providers/microsoft.authorization/permissions", method="GET")
def permissions(request: Request) -> web.Response:
    """What the caller's roles allow on a resource, one item a role."""
    roles = roles_on(request.azure, request.caller.object_id, request.path)
    found = [BUILT_IN_ROLES[role] for role in sorted(roles & BUILT_IN_ROLES.keys())]
    return web.json_response({"value": [{"actions": list(role.actions), "notActions": list(role.not_actions)} for role in found]})


def _definition(azure: Azure, guid: str) -> dict[str, Any]:
    return {
        "id": f"{azure.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        "name": guid,
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": BUILT_IN_ROLES[guid].name,
            "type": "BuiltInRole",
            "description": "",
            "assignableScopes": ["/"],
            "permissions": [],
        },
    }
