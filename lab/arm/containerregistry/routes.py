"""Whether the name of a registry is available."""

from __future__ import annotations

from aiohttp import web

from ..answers import name_availability
from ..request import Request
from ..routes import SUBSCRIPTION, route
from .kinds import REGISTRY


@route(f"{SUBSCRIPTION}/providers/microsoft.containerregistry/checknameavailability")
def check_name(request: Request) -> web.Response:
    return name_availability(request, REGISTRY)
