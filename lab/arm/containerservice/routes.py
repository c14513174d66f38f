"""The Kubernetes versions of a region."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..request import Request
from ..routes import SUBSCRIPTION, route
from .versions import VERSIONS

_SUPPORT = ["KubernetesOfficial", "AKSLongTermSupport"]


@route(f"{SUBSCRIPTION}/providers/microsoft.containerservice/locations/([^/]+)/kubernetesversions")
def kubernetes_versions(request: Request, location: str) -> web.Response:
    """Minor versions with their patches."""
    minors: dict[str, dict[str, Any]] = {}
    for version in sorted(set(VERSIONS.values())):
        minor = version.rpartition(".")[0]
        minors.setdefault(minor, {})[version] = {"upgrades": []}
    newest = max(minors, key=lambda minor: int(minor.partition(".")[2]))
    values = [
        {"version": minor, "isDefault": minor == newest, "capabilities": {"supportPlan": _SUPPORT}, "patchVersions": patches}
        for minor, patches in minors.items()
    ]
    return web.json_response({"values": values})


@route(f"{SUBSCRIPTION}/providers/microsoft.containerservice/locations/([^/]+)/orchestrators")
def orchestrators(request: Request, location: str) -> web.Response:
    """The same in the shape of older clients (api-version 2019-08-01)."""
    versions = sorted(set(VERSIONS.values()))
    return web.json_response(
        {
            "id": f"{request.azure.subscription_id}/providers/Microsoft.ContainerService/locations/{location}/orchestrators",
            "name": "default",
            "type": "Microsoft.ContainerService/locations/orchestrators",
            "properties": {"orchestrators": [{"orchestratorType": "Kubernetes", "orchestratorVersion": version} for version in versions]},
        }
    )
