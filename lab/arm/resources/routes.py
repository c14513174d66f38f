"""Lists of resources and groups whatever their type, tags as a resource of their own, and the status of operations."""

from __future__ import annotations

import re
from collections.abc import Callable

from aiohttp import web

from .. import answers, errors, ids, preconditions
from ..request import Request
from ..routes import SUBSCRIPTION, route
from ..store import Resource
from .kinds import GROUP


@route(f"{SUBSCRIPTION}/resourcegroups")
def groups(request: Request) -> web.Response:
    fits = _filter(request.query.get("$filter", ""))
    return web.json_response({"value": [request.azure.render(found) for found in request.azure.store.of_type(GROUP) if fits(found)]})


@route(f"{SUBSCRIPTION}/resources")
@route(f"{SUBSCRIPTION}/resourcegroups/[^/]+/resources")
def resources(request: Request) -> web.Response:
    """The tracked resources of the subscription or of a group, with a part of each."""
    azure = request.azure
    scope = request.path.rsplit("/", 1)[0].lower()
    preconditions.check_scope(azure, ids.parse(scope))
    fits = _filter(request.query.get("$filter", ""))
    value = []
    for found in list(azure.store.resources.values()):
        if len(ids.parse(found.id).names) == 1 and found.key.startswith(scope + "/") and "location" in found.body and fits(found):
            rendered = azure.render(found)
            value.append({key: rendered[key] for key in ("id", "name", "type", "location", "tags", "sku", "zones", "identity") if key in rendered})
    return web.json_response({"value": value})


def _filter(text: str) -> Callable[[Resource], bool]:
    """``$filter`` of the generic lists: conjunctions of equalities."""
    tests = {name.lower(): value for name, value in re.findall(r"(\w+) eq '([^']*)'", text)}

    def fits(resource: Resource) -> bool:
        tags = {key.lower(): value for key, value in (resource.body.get("tags") or {}).items()}
        facts = {
            "resourcetype": resource.type,
            "name": resource.name,
            "location": str(resource.body.get("location", "")),
            "resourcegroup": ids.parse(resource.id).resource_group,
        }
        for name, wanted in tests.items():
            if name == "tagname":
                if wanted.lower() not in tags:
                    return False
            elif name == "tagvalue":
                if tags.get(tests.get("tagname", "").lower()) != wanted:
                    return False
            elif name in facts and facts[name].lower() != wanted.lower():
                return False
        return True

    return fits


@route(f"({SUBSCRIPTION}.*)/providers/microsoft.resources/tags/default")
def tags(request: Request, scope: str) -> web.Response:
    """The tags of a resource as a resource of their own."""
    azure = request.azure
    resource = azure.get(scope) if ids.parse(scope).resource_group else None
    if resource is None:
        raise errors.ArmError(400, "BadRequest", "The lab's subscription has no tags.")
    sent = (request.body.get("properties") or {}).get("tags") or {}
    old = resource.body.get("tags") or {}
    match request.method, str(request.body.get("operation", "")).lower():
        case "GET", _:
            wanted = old
        case "PUT", _:
            wanted = sent
        case "PATCH", "merge":
            wanted = old | sent
        case "PATCH", "replace":
            wanted = sent
        case "PATCH", "delete":
            wanted = {key: value for key, value in old.items() if sent.get(key) != value}
        case "DELETE", _:
            wanted = {}
        case _:
            raise errors.ArmError(400, "InvalidRequestContent", f"{request.method} {request.body.get('operation')} is not an operation on tags.")
    if request.method != "GET":
        preconditions.check_locks(azure, resource.id, deleting=False)
        resource.body["tags"] = wanted
        azure.store.save(resource)
    if request.method == "DELETE":
        return web.Response(status=200)
    base = f"{resource.id}/providers/Microsoft.Resources/tags/default"
    return web.json_response({"id": base, "name": "default", "type": "Microsoft.Resources/tags", "properties": {"tags": wanted}})


@route(f"{SUBSCRIPTION}/providers/[^/]+/locations/[^/]+/operations/([^/]+)")
def operation_status(request: Request, identifier: str) -> web.Response:
    """What ``Azure-AsyncOperation`` leads to."""
    found = request.azure.operations.get(identifier)
    answer = {"id": request.path, "name": found.id, "status": found.status} | ({"error": found.error} if found.error else {})
    response = web.json_response(answer)
    if found.status == "InProgress":
        answers.retry_after(response, request.azure.options.time_scale)
    return response


@route(f"{SUBSCRIPTION}/providers/[^/]+/locations/[^/]+/operationresults/([^/]+)")
def operation_result(request: Request, identifier: str) -> web.Response:
    """What ``Location`` leads to."""
    azure = request.azure
    found = azure.operations.get(identifier)
    if found.status == "InProgress":
        response = web.Response(status=202)
        response.headers["Location"] = f"{request.endpoint}{request.target}"
        answers.retry_after(response, azure.options.time_scale)
        return response
    if found.error:
        raise errors.ArmError(409, found.error["code"], found.error["message"])
    resource = azure.store.get(found.resource)
    return answers.show(azure, resource) if resource and found.verb in ("create", "update") else web.Response(status=204)
