"""The usages of a region: how much of each quota is in use."""

from __future__ import annotations

from aiohttp import web

from ..request import Request
from ..routes import SUBSCRIPTION, route
from . import quotas


@route(f"{SUBSCRIPTION}/providers/microsoft.network/locations/([^/]+)/usages")
def usages(request: Request, location: str) -> web.Response:
    used = quotas.usages(request.azure, location)
    return web.json_response({"value": [request.azure.usage(name, count) for name, count in used.items()]})
