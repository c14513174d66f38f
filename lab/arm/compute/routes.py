"""The sizes of VMs that a region offers, and the cores in use."""

from __future__ import annotations

import re

from aiohttp import web

from ..request import Request
from ..resources.subscription import LOCATIONS
from ..routes import SUBSCRIPTION, route
from ..store import Resource
from .kinds import SCALE_SET

#: vCPUs and GiB of the sizes that the samples, the tests and most readers' examples name (learn.microsoft.com/azure/virtual-machines/sizes)
_SIZES = {
    "Standard_D2ds_v5": (2, 8),
    "Standard_D4ds_v5": (4, 16),
    "Standard_D8ds_v5": (8, 32),
    "Standard_D16ds_v5": (16, 64),
}
_FAMILY = "standardDDSv5Family"


@route(f"{SUBSCRIPTION}/providers/microsoft.compute/skus")
def skus(request: Request) -> web.Response:
    """Each size in each region, in three zones."""
    chosen = re.search(r"location eq '([^']+)'", request.query.get("$filter", ""))
    value = [
        {
            "resourceType": "virtualMachines",
            "name": name,
            "tier": "Standard",
            "size": name.removeprefix("Standard_"),
            "family": _FAMILY,
            "locations": [location],
            "locationInfo": [{"location": location, "zones": ["1", "2", "3"], "zoneDetails": []}],
            "capabilities": [{"name": "vCPUs", "value": str(cores)}, {"name": "MemoryGB", "value": str(memory)}],
            "restrictions": [],
        }
        for location in ([chosen[1].replace(" ", "").lower()] if chosen else LOCATIONS)
        for name, (cores, memory) in _SIZES.items()
    ]
    return web.json_response({"value": value})


@route(f"{SUBSCRIPTION}/providers/microsoft.compute/locations/([^/]+)/vmsizes")
def vm_sizes(request: Request, location: str) -> web.Response:
    value = [
        {
            "name": name,
            "numberOfCores": cores,
            "memoryInMB": memory * 1024,
            "osDiskSizeInMB": 1047552,
            "resourceDiskSizeInMB": cores * 38400,
            "maxDataDiskCount": cores * 2,
        }
        for name, (cores, memory) in _SIZES.items()
    ]
    return web.json_response({"value": value})


@route(f"{SUBSCRIPTION}/providers/microsoft.compute/locations/([^/]+)/usages")
def usages(request: Request, location: str) -> web.Response:
    cores = sum(_cores(found) for found in request.azure.store.of_type(SCALE_SET) if found.body["location"] == location)
    return web.json_response({"value": [request.azure.usage(name, cores) for name in ("cores", _FAMILY)]})


def _cores(scale_set: Resource) -> int:
    digits = re.search(r"\d+", scale_set.body["sku"]["name"])
    return int(digits[0]) * int(scale_set.body["sku"]["capacity"]) if digits else 0
