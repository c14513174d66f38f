"""A security rule, route or backend pool on its own: the member of a list that its parent's body has."""

from __future__ import annotations

import copy

from aiohttp import web

from .. import answers, errors, ids, preconditions
from ..kinds import KINDS
from ..request import Request


def list_of(resource_type: str, *, shown: bool = False) -> str:
    """The property of the parent that lists what has this type, empty when none does; ``shown`` includes what clients can only read."""
    parent, _, wanted = resource_type.lower().rpartition("/")
    served = KINDS.get(parent)
    names = (*served.member_lists, *(served.shown_lists if shown else ())) if served else ()
    return next((name for name in names if name.lower() == wanted), "")


def answer(request: Request, parsed: ids.ResourceId, name: str) -> web.Response:
    """GET, PUT or DELETE of one member of the list ``name``."""
    azure = request.azure
    preconditions.check_scope(azure, parsed)
    parent = azure.store.get(parsed.parent)
    if parent is None:
        raise errors.ParentNotFound(parsed.parent)
    render = azure.kind_of(parent.type).render_member
    items = azure.render(parent)["properties"][name]
    current = next((item for item in items if item["name"].lower() == parsed.name.lower()), None)
    if request.method == "GET":
        if current is None:
            raise errors.NotFound(parsed.text)
        return web.json_response(render(name, current))
    if request.method not in ("PUT", "DELETE") or not isinstance(request.body, dict):
        raise errors.ArmError(405, "MethodNotAllowed", f"{request.method} is not allowed on {parsed.text}.")
    changed = copy.deepcopy(parent.body)
    others = [item for item in changed["properties"][name] if item["name"].lower() != parsed.name.lower()]
    if request.method == "DELETE":
        if current is None:
            return web.Response(status=204)
        changed["properties"][name] = others
    else:
        changed["properties"][name] = [*others, {"name": parsed.name, "properties": request.body.get("properties") or {}}]
    _, operation, _, checked = azure.write(parent.id, changed, request.query["api-version"], request.caller)
    request.entry["schema"] = checked.schema
    if request.method == "DELETE":
        return answers.accepted(request, operation, None, 200)
    shown = azure.render(azure.get(parent.id))["properties"][name]
    written = next(item for item in shown if item["name"].lower() == parsed.name.lower())
    response = web.json_response(render(name, written), status=200 if current else 201)
    if operation:
        headers = answers.accepted(request, operation, None, 200).headers
        response.headers.update({key: value for key, value in headers.items() if "async" in key.lower() or "retry" in key.lower()})
    return response
