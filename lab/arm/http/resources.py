"""Requests for one resource, and what is below it: GET, HEAD, PUT, PATCH and DELETE, views, collections and actions."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from .. import answers, errors, ids, preconditions, routes
from ..kinds import KINDS
from ..request import Request
from ..store import Operation
from . import members
from .access import check_access


def answer(request: Request) -> web.Response:
    """Answer a request to Azure Resource Manager. Raises :class:`~lab.arm.errors.ArmError`."""
    azure, path = request.azure, request.path
    if "api-version" not in request.query:
        raise errors.ArmError(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
    segments = path.lower().split("/")
    if segments[1] == "subscriptions" and len(segments) > 2 and segments[2] != azure.options.subscription.lower():
        raise errors.ArmError(404, "SubscriptionNotFound", f"The subscription '{segments[2]}' could not be found.")
    check_access(azure, request.caller, request.method, path)
    routed = routes.answer(request)
    if routed is not None:
        return routed
    parsed = ids.parse(path)
    if parsed.namespace and not any(name.startswith(f"{parsed.namespace.lower()}/") for name in KINDS):
        raise errors.NotServed("/".join((parsed.namespace, *parsed.types, *filter(None, (parsed.tail,)))))
    if request.method == "GET" and parsed.names and not azure.store.get(path):
        view = _view(request, parsed)
        if view is not None:
            return web.json_response(view)
    if parsed.tail:
        return _action(request, parsed) if request.method == "POST" else _collection(request, parsed)
    name = members.list_of(parsed.type)
    if name:
        return members.answer(request, parsed, name)
    match request.method:
        case "GET":
            preconditions.check_scope(azure, parsed)
            return answers.show(azure, azure.get(path), api_version=request.query["api-version"])
        case "HEAD":
            return web.Response(status=204 if azure.store.get(path) else 404)
        case "PUT" | "PATCH":
            return _write(request)
        case "DELETE":
            return _delete(request)
    raise errors.ArmError(405, "MethodNotAllowed", f"{request.method} is not allowed on {path}.")


def _view(request: Request, parsed: ids.ResourceId) -> Any:
    """What the resource above shows under this path, None when it shows nothing there."""
    resource = request.azure.store.get(parsed.text if parsed.tail else parsed.parent)
    if resource is None:
        return None
    name = parsed.tail or f"{parsed.types[-1]}/{parsed.name}"
    return request.azure.kind_of(resource.type).view(request.azure, resource, name.lower(), request.query)


def _write(request: Request) -> web.Response:
    azure = request.azure
    if not isinstance(request.body, dict):
        raise errors.ArmError(400, "InvalidRequestContent", "The request content was invalid: an object is expected.")
    resource, operation, created, checked = azure.write(
        request.path,
        request.body,
        request.query["api-version"],
        request.caller,
        patch=request.method == "PATCH",
        if_match=request.headers.get("If-Match", ""),
        if_none_match=request.headers.get("If-None-Match", ""),
        query=request.query,
    )
    request.entry["schema"] = checked.schema
    if checked.ignored:
        request.entry["ignored"] = checked.ignored
    if operation:
        request.entry["operation"] = operation.id
    return answers.accepted(request, operation, resource, azure.kind_of(resource.type).created_status if created else 200)


def _delete(request: Request) -> web.Response:
    azure = request.azure
    resource = azure.store.get(request.path)
    if resource is None:
        parsed = ids.parse(request.path)
        if azure.kind_of(parsed.type).needs_group or ids.parse(parsed.scope).names:
            preconditions.check_scope(azure, parsed)
            preconditions.check_parents(azure, parsed)
        return web.Response(status=204)
    shown = azure.render(resource) if azure.kind_of(resource.type).shows_deleted else None
    operation = azure.delete(request.path, if_match=request.headers.get("If-Match", ""))
    return web.json_response(shown) if shown else answers.accepted(request, operation, None, 200)


def _owner(request: Request, parsed: ids.ResourceId) -> str:
    """What a collection or an action belongs to."""
    return request.path.rsplit("/", 1)[0] if parsed.names else parsed.scope


def _action(request: Request, parsed: ids.ResourceId) -> web.Response:
    if parsed.namespace and not parsed.names:
        raise errors.NotServed(f"{parsed.namespace}/{parsed.tail}")
    resource = request.azure.get(_owner(request, parsed))
    result = request.azure.kind_of(resource.type).action(request.azure, resource, parsed.tail, request.body, request.caller)
    if result is None:
        raise errors.ArmError(404, "NotFound", f"{resource.type} has no action {parsed.tail}.")
    return answers.accepted(request, result, None, 202) if isinstance(result, Operation) else web.json_response(result)


def _collection(request: Request, parsed: ids.ResourceId) -> web.Response:
    azure, owner = request.azure, _owner(request, parsed)
    if request.method != "GET":
        raise errors.ArmError(405, "MethodNotAllowed", f"{request.method} is not allowed on a collection.")
    wanted = "/".join((parsed.namespace, *parsed.types, parsed.tail))
    name = members.list_of(wanted, shown=True)
    if name:
        return web.json_response({"value": azure.render(azure.get(owner))["properties"][name]})
    served = azure.kind_of(wanted)
    if parsed.names:
        azure.get(owner)
        found = azure.store.children(owner, parsed.tail)
    else:
        found = served.listed(azure, parsed.scope, request.query)
    return web.json_response({"value": [azure.render(item) for item in found]})
