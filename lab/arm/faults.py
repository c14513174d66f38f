"""Faults on command: what Azure does on a bad day, at the n-th request that matches a filter (``python -m lab fault``)."""

from __future__ import annotations

import asyncio
import copy
import fnmatch
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import web

from . import errors
from .azure import Azure
from .operations import ForcedEnd


@dataclass
class Fault:
    """What goes wrong, and at which requests."""

    kind: str
    #: GET, PUT, …; empty: any method
    method: str = ""
    #: shell patterns of the path (case never matters) and of the User-Agent
    path: str = "*"
    client: str = "*"
    #: the first matching request that it strikes, counted from 1
    at: int = 1
    #: how many matching requests in a row; for ``stale`` how many reads after the one write
    times: int = 1
    #: matching requests so far
    seen: int = 0

    def matches(self, entry: dict[str, Any]) -> bool:
        return (
            (not self.method or entry["method"] == self.method.upper())
            and fnmatch.fnmatchcase(str(entry["path"]).lower(), self.path.lower())
            and fnmatch.fnmatchcase(str(entry["client"]), self.client)
        )


class NoAnswer(Exception):
    """The connection is closed without an answer."""


def _refusal(status: int, code: str, message: str) -> Callable[[], errors.ArmError]:
    return lambda: errors.ArmError(status, code, message)


#: kind -> what is answered instead
_REFUSALS = {
    "throttled": _refusal(429, "TooManyRequests", "The request is being throttled."),
    "throttled-without-time": _refusal(429, "TooManyRequests", "The request is being throttled."),
    "internal-error": _refusal(500, "InternalServerError", "An internal error occurred."),
    "bad-gateway": _refusal(502, "BadGateway", "The gateway did not get an answer."),
    "unavailable": _refusal(503, "ServiceUnavailable", "The service is unavailable."),
    "token-expired": _refusal(401, "ExpiredAuthenticationToken", "The access token expiry is before the current time."),
    "busy": _refusal(409, "AnotherOperationInProgress", "Another operation on this or dependent resource is in progress."),
    "changed-meanwhile": _refusal(412, "PreconditionFailed", "Precondition failed: the etag in the if-match header does not match."),
    "locked": _refusal(409, "ScopeLocked", "The scope cannot perform the operation because following scope(s) are locked: 'fault'. Remove the lock."),
    "principal-unknown": _refusal(400, "PrincipalNotFound", "The principal does not exist in the directory; it may not be replicated yet."),
}
#: kind -> how the operation that a write begins ends
_FORCED_ENDS = {
    "operation-fails": ForcedEnd("Failed", "InternalOperationError", "The operation failed for a reason of Azure's."),
    "operation-is-canceled": ForcedEnd("Canceled", "OperationCanceled", "The operation was canceled."),
    "operation-never-ends": ForcedEnd("InProgress"),
    "no-capacity": ForcedEnd("Failed", "ZonalAllocationFailed", "Allocation failed: the zone has no capacity for the requested size."),
}
#: kind -> the sentence that --help gives
KINDS = {
    "throttled": "429 with the time to retry after",
    "throttled-without-time": "429 without that time",
    "internal-error": "500",
    "bad-gateway": "502",
    "unavailable": "503",
    "token-expired": "401",
    "busy": "409: another operation is in progress",
    "changed-meanwhile": "412: the etag has changed",
    "locked": "409: a lock protects the resource",
    "principal-unknown": "400: a new principal is not replicated yet",
    "reset-before": "the connection is reset, nothing was done",
    "reset-after": "the connection is reset, the request took effect",
    "hangs": "the request takes effect, but no answer arrives",
    "truncated": "the answer ends in the middle",
    "not-json": "the answer is an HTML page",
    "operation-fails": "the write's operation fails",
    "operation-is-canceled": "the write's operation is canceled",
    "operation-never-ends": "the write's operation does not end until the fault is cleared",
    "operation-is-lost": "the write's operation continues, but its status answers 404",
    "no-capacity": "the write's operation fails because the zone is full",
    "stale": "the next reads do not see the write: 404 after a create, the former body after an update",
    "policy": "a policy changes a tag of the written resource",
}


@dataclass
class Faults:
    """The armed faults of one lab, and the effects that outlast their requests."""

    azure: Azure
    armed: list[Fault] = field(default_factory=list)
    #: how often one struck, by kind
    struck: dict[str, int] = field(default_factory=dict)
    _lost_operations: set[str] = field(default_factory=set)
    #: path -> [what reads see of it, how many more]
    _stale: dict[str, list[Any]] = field(default_factory=dict)

    def arm(self, fault: Fault) -> None:
        """Raises ``ValueError`` for an unknown kind, and for counts below 1."""
        if fault.kind not in KINDS:
            raise ValueError(f"{fault.kind!r} is not a fault; the kinds are {', '.join(KINDS)}")
        if fault.at < 1 or fault.times < 1:
            raise ValueError(f"at ({fault.at}) and times ({fault.times}) count from 1")
        self.armed.append(fault)

    def clear(self) -> None:
        """Disarm all faults; operations that never ended end now."""
        self.armed.clear()
        self._stale.clear()
        self._lost_operations.clear()
        forced = self.azure.operations.forced
        for operation in [name for name, end in forced.items() if end.status == "InProgress"]:
            del forced[operation]

    def shown(self) -> dict[str, Any]:
        return {"armed": [asdict(fault) for fault in self.armed], "struck": self.struck}

    def strike(self, entry: dict[str, Any]) -> Fault | None:
        """The fault that strikes this request, if any; every fault counts the requests that it matches."""
        found = None
        for fault in self.armed:
            if fault.matches(entry):
                fault.seen += 1
                times = 1 if fault.kind == "stale" else fault.times
                if found is None and fault.at <= fault.seen < fault.at + times:
                    found = fault
        if found:
            self.struck[found.kind] = self.struck.get(found.kind, 0) + 1
            entry["fault"] = found.kind
        return found

    def before(self, fault: Fault | None, entry: dict[str, Any], body: Any) -> web.Response | None:
        """The answer in Azure's place, if there is one. Raises :class:`~.errors.ArmError` or :class:`NoAnswer`."""
        path = str(entry["path"]).rstrip("/").lower()
        if path.rpartition("/")[2] in self._lost_operations:
            raise errors.ArmError(404, "ResourceNotFound", "The status of the operation was not found.")
        if entry["method"] == "GET" and path in self._stale:
            former, left = self._stale[path]
            self._stale[path][1] = left - 1
            if left <= 1:
                del self._stale[path]
            if former is None:
                raise errors.NotFound(entry["path"])
            return web.json_response(former)
        if fault is None:
            return None
        if fault.kind == "reset-before":
            raise NoAnswer
        if fault.kind in _REFUSALS:
            raise _REFUSALS[fault.kind]()
        if fault.kind == "policy" and isinstance(body, dict) and body.get("tags"):
            name = next(iter(body["tags"]))
            body["tags"] = body["tags"] | {name: "changed by a policy"}
        if fault.kind == "stale":
            resource = self.azure.store.get(path)
            entry["former"] = copy.deepcopy(self.azure.render(resource)) if resource else None
        return None

    async def after(self, fault: Fault, request: web.Request, entry: dict[str, Any], response: web.Response) -> web.StreamResponse:
        """The answer as the client gets it. Raises :class:`NoAnswer`."""
        former = entry.pop("former", None)
        if response.status >= 400:
            return response
        match fault.kind:
            case "reset-after":
                raise NoAnswer
            case "hangs":
                # The client closes the connection first.
                while request.transport and not request.transport.is_closing():
                    await asyncio.sleep(0.01)
                raise NoAnswer
            case "truncated" if response.body:
                return await _half(request, response)
            case "not-json":
                return web.Response(status=response.status, text="<html><body>Service</body></html>", content_type="text/html")
            case "stale":
                self._stale[str(entry["path"]).rstrip("/").lower()] = [former, fault.times]
            case "operation-is-lost":
                self._lost_operations |= _operations(response)
            case kind if kind in _FORCED_ENDS:
                self.azure.operations.forced |= dict.fromkeys(_operations(response), _FORCED_ENDS[kind])
        return response


def _operations(response: web.Response) -> set[str]:
    """The operation that an answer says to poll."""
    location = response.headers.get("Azure-AsyncOperation", "")
    return {location.partition("?")[0].rpartition("/")[2].lower()} - {""}


async def _half(request: web.Request, response: web.Response) -> web.StreamResponse:
    """The head of an answer and half its body."""
    assert isinstance(response.body, bytes)
    cut = web.StreamResponse(status=response.status, headers={"Content-Type": response.headers["Content-Type"]})
    cut.content_length = len(response.body)
    await cut.prepare(request)
    await cut.write(response.body[: len(response.body) // 2])
    if request.transport:
        request.transport.close()
    return cut
