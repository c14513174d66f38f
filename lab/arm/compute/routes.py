"""The sizes of VMs that a region offers, and the cores in use."""

from __future__ import annotations

import re

from aiohttp import web

from ..azure import plain_location
from ..request import Request
from ..resources.subscription import LOCATIONS
from ..routes import SUBSCRIPTION, route
from . import quotas
from .sizes import described, sizes_in


@route(f"{SUBSCRIPTION}/providers/microsoft.compute/skus")
def skus(request: Request) -> web.Response:
    """Each size in each region, or in the one that is asked for."""
    chosen = re.search(r"location eq '([^']+)'", request.query.get("$filter", ""))
    locations = [plain_location(chosen[1])] if chosen else LOCATIONS
    return web.json_response({"value": [described(size, location) for location in locations for size in sizes_in(location)]})


@route(f"{SUBSCRIPTION}/providers/microsoft.compute/locations/([^/]+)/vmsizes")
def vm_sizes(request: Request, location: str) -> web.Response:
    value = [
        {
            "name": size.name,
            "numberOfCores": size.vcpus,
            "memoryInMB": int(size.memory * 1024),
            "osDiskSizeInMB": 1047552,
            "resourceDiskSizeInMB": size.temporary,
            "maxDataDiskCount": size.vcpus * 2,
        }
        for size in sizes_in(plain_location(location))
    ]
    return web.json_response({"value": value})


@route(f"{SUBSCRIPTION}/providers/microsoft.compute/locations/([^/]+)/usages")
def usages(request: Request, location: str) -> web.Response:
    cores = quotas.usages(request.azure, plain_location(location))
    return web.json_response({"value": [request.azure.usage(name, cores[name]) for name in quotas.NAMES]})
