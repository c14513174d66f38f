"""Answers that several handlers give: a resource, an operation that was accepted, the time after which to ask again."""

from __future__ import annotations

from collections.abc import Container

from aiohttp import web

from . import ids
from .azure import Azure
from .request import Request
from .store import Operation, Resource


def show(azure: Azure, resource: Resource, status: int = 200, *, api_version: str = "") -> web.Response:
    """A resource as Azure answers it; with ``api_version`` as the answer to a GET of it."""
    rendered = azure.render(resource, api_version=api_version)
    response = web.json_response(rendered, status=status)
    if "etag" in rendered:
        response.headers["ETag"] = rendered["etag"]
    response.headers["x-ms-ratelimit-remaining-subscription-reads"] = "11999"
    return response


def accepted(request: Request, operation: Operation | None, resource: Resource | None, status: int) -> web.Response:
    """The answer to a write or an action, with the operation to poll where one is in progress."""
    azure = request.azure
    if operation is None:
        return show(azure, resource, status) if resource else web.Response(status=status)
    if resource is None or azure.kind_of(resource.type).accepts_with_202:
        response = web.Response(status=202)
    else:
        response = show(azure, resource, status)
    namespace = ids.parse(operation.resource).namespace or "Microsoft.Resources"
    base = f"{request.endpoint}{azure.subscription_id}/providers/{namespace}/locations/global"
    version = "api-version=2025-05-01"
    response.headers["Azure-AsyncOperation"] = f"{base}/operations/{operation.id}?{version}"
    if response.status == 202:
        response.headers["Location"] = f"{base}/operationResults/{operation.id}?{version}"
    retry_after(response, azure.options.time_scale)
    return response


def retry_after(response: web.Response, time_scale: float) -> None:
    """Azure asks to retry in 10 s; scaled, in whole seconds if that is at least one, else in milliseconds."""
    seconds = 10 * time_scale
    if seconds >= 1:
        response.headers["Retry-After"] = str(round(seconds))
    else:
        response.headers["retry-after-ms"] = response.headers["x-ms-retry-after-ms"] = str(max(20, round(seconds * 1000)))


def name_availability(request: Request, resource_type: str, reserved: Container[str] = ()) -> web.Response:
    """Whether a name that is unique in all of Azure is available; ``reserved`` holds names in lower case that are not."""
    azure, name = request.azure, str(request.body.get("name", ""))
    taken = any(found.name.lower() == name.lower() for found in azure.store.of_type(resource_type))
    if taken or name.lower() in azure.store.facts.get("taken", []) or name.lower() in reserved:
        return web.json_response({"nameAvailable": False, "reason": "AlreadyExists", "message": f"The name '{name}' is already in use."})
    return web.json_response({"nameAvailable": True})
