"""Requests that are about no single resource: each service registers the paths that it answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from .request import Request

#: a subscription's path, for the patterns of routes
SUBSCRIPTION = "/subscriptions/[^/]+"

#: takes the request, and what the groups of its pattern matched
Handler = Callable[..., web.Response]

#: (pattern, method or "" for any, handler)
ROUTES: list[tuple[re.Pattern[str], str, Handler]] = []


def route(pattern: str, method: str = "") -> Callable[[Handler], Handler]:
    """Decorator: answer requests whose path in lower case is ``pattern``, a regular expression; of any method when none is given."""

    def register(handler: Handler) -> Handler:
        ROUTES.append((re.compile(pattern), method, handler))
        return handler

    return register


def answer(request: Request) -> web.Response | None:
    """The answer of the route that fits; None when none does."""
    path = request.path.lower()
    for pattern, method, handler in ROUTES:
        match = pattern.fullmatch(path)
        if match and method in ("", request.method):
            groups: tuple[Any, ...] = match.groups()
            return handler(request, *groups)
    return None
