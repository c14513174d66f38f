"""The usages of a region, how much of each quota is in use, and its service tags."""

from __future__ import annotations

from aiohttp import web

from ..request import Request
from ..routes import SUBSCRIPTION, route
from . import quotas, service_tags


@route(f"{SUBSCRIPTION}/providers/microsoft.network/locations/([^/]+)/usages")
def usages(request: Request, location: str) -> web.Response:
    used = quotas.usages(request.azure, location)
    return web.json_response({"value": [request.azure.usage(name, count) for name, count in used.items()]})


@route(f"{SUBSCRIPTION}/providers/microsoft.network/locations/([^/]+)/servicetags")
def tags(request: Request, _location: str) -> web.Response:
    return web.json_response(service_tags.listed(request.azure.subscription_id))
