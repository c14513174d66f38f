"""Azure Resource Manager over azure-core: retries, Retry-After, authentication and operation polling are the library's.

This file is private to the collection.
"""

from __future__ import annotations

import base64
import json
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from .._libraries import (
    ARMChallengeAuthenticationPolicy,
    ARMPipelineClient,
    ARMPolling,
    AzureError,
    HeadersPolicy,
    HttpRequest,
    HttpResponseError,
    OperationFailed,
    PipelineRequest,
    PipelineResponse,
    RequestIdPolicy,
    RequestsTransport,
    RetryPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from .._resource_id import type_of
from .connections import session
from .credentials import Login
from .errors import ArmFailure, StatusUnknown, TimedOut
from .permissions import allows, denial
from .types import version_of
from .waiting import Wait

#: written by hand: the collection is not a package with metadata at run time; a test compares it with galaxy.yml
VERSION = "1.0.0"
USER_AGENT = f"dualstack.aks/{VERSION}"
#: provisioning states that a resource stays in; of these what has to be put again
TERMINAL = ("succeeded", "failed", "canceled")
UNFINISHED = ("failed", "canceled")
#: seconds between two looks at an operation where Azure names none
_POLL_SECONDS = 2


class _Counter(SansIOHTTPPolicy[Any, Any]):  # type: ignore[misc]  # azure-core ships no types for its base classes
    """Counts what is really sent, repetitions included."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def on_request(self, request: PipelineRequest[Any]) -> None:
        with self._lock:
            self.count += 1


class _Pace(SansIOHTTPPolicy[Any, Any]):  # type: ignore[misc]  # azure-core ships no types for its base classes
    """Goes slower before Azure refuses: its answers say how many reads, writes and deletions are left.

    Source: learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling.
    """

    def __init__(self, in_flight: int) -> None:
        # as many again as may be under way already, since other controllers take of the same
        self._reserve = 2 * in_flight
        self._left: dict[str, int] = {}
        self._turn = threading.Lock()

    def on_request(self, request: PipelineRequest[Any]) -> None:
        kind = {"GET": "reads", "DELETE": "deletes"}.get(request.http_request.method, "writes")
        with self._turn:
            is_short = any(left < self._reserve for name, left in self._left.items() if name.endswith(kind))
        if is_short:
            # Ten writes and 25 reads come back each second.
            time.sleep(1)

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:
        headers = {name.lower(): value for name, value in response.http_response.headers.items()}
        with self._turn:
            self._left |= {name: int(value) for name, value in headers.items() if name.startswith("x-ms-ratelimit-remaining-") and value.isdigit()}


class _Authentication(ARMChallengeAuthenticationPolicy):  # type: ignore[misc]  # azure-mgmt-core ships no types
    """Threads that begin together wait for one token, where the library lets each fetch its own."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._turn = threading.Lock()
        self._failure: tuple[float, Exception] | None = None

    def on_request(self, request: PipelineRequest[Any]) -> None:
        began = time.monotonic()
        with self._turn:
            if self._failure and self._failure[0] >= began:
                # It failed while this thread waited: one after the other they would take as many times as long to say the same.
                raise self._failure[1]
            try:
                super().on_request(request)
            except Exception as error:
                self._failure = (time.monotonic(), error)
                raise


class _Polling(ARMPolling):  # type: ignore[misc]  # azure-mgmt-core ships no types
    """Polls in the caller's own thread, reports what is awaited, and stops at the limit."""

    def __init__(self, limit: float, progress: Callable[[float], None]) -> None:
        super().__init__(timeout=_POLL_SECONDS)
        self._wait = Wait(limit, progress)

    def _delay(self) -> None:
        """Sleep as long as Azure asks for, but not past the limit."""
        self._wait.sleep(self._extract_delay())
        if self._wait.is_over:
            raise TimedOut


class ArmClient:
    """One login's client. Safe for threads."""

    def __init__(
        self,
        login: Login,
        *,
        connections: int = 8,
        read_timeout: float = 120,
        correlation: str = "",
        api_versions: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """``api_versions``: resource type in lower case -> the version to ask it and the types below it with, in place of the callers'."""
        self._api_versions = api_versions
        self._counter = _Counter()
        policies = [
            RequestIdPolicy(),
            HeadersPolicy(
                {"Accept": "application/json", "x-ms-correlation-request-id": correlation} if correlation else {"Accept": "application/json"}
            ),
            UserAgentPolicy(USER_AGENT, user_agent_overwrite=True),
            RetryPolicy(retry_total=8, retry_status=8, retry_backoff_factor=0.4, retry_backoff_max=30),
            _Authentication(login.credential, login.cloud.scope),
            self._counter,
            _Pace(connections),
        ]
        transport = RequestsTransport(session=session(connections), session_owner=True, read_timeout=read_timeout)
        self._client = ARMPipelineClient(base_url=login.cloud.endpoint, policies=policies, transport=transport)
        self.login = login

    @property
    def requests(self) -> int:
        """Requests sent so far."""
        return self._counter.count

    def principal_id(self) -> str:
        """Object id of whoever the credentials are: the token's ``oid``.

        Source: learn.microsoft.com/entra/identity-platform/access-token-claims-reference.
        """
        payload = self.login.credential.get_token(self.login.cloud.scope).token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims.get("oid", ""))

    def may(self, action: str, identifier: str) -> bool:
        """Whether the credentials are allowed an action on a resource, as far as they may learn that.

        Source: learn.microsoft.com/rest/api/authorization/permissions/list-for-resource.
        """
        asked = f"{identifier}/providers/Microsoft.Authorization/permissions"
        try:
            found = self.get(asked, version_of(asked))
        except ArmFailure:
            found = None
        return found is None or any(allows(permission, action) for permission in found.get("value") or ())

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> ArmClient:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _version(self, identifier: str, api_version: str) -> dict[str, str]:
        if self._api_versions:
            types = type_of(identifier.partition("?")[0]).lower().split("/")
            names = ("/".join(types[:length]) for length in range(len(types), 1, -1))
            api_version = next((self._api_versions[name] for name in names if name in self._api_versions), api_version)
        return {"api-version": api_version}

    def get(self, identifier: str, api_version: str) -> dict[str, Any] | None:
        """The resource, or the list with the items of all its pages; None when there is none. Raises :class:`ArmFailure`."""
        answer = self._send(HttpRequest("GET", self._url(identifier), params=self._version(identifier, api_version)))
        if answer.http_response.status_code == 404:
            code = _error(answer)[0]
            if code not in ("SubscriptionNotFound", "InvalidSubscriptionId", "InvalidResourceNamespace", "InvalidResourceType"):
                return None
        return self._with_all_pages(self._json(answer))

    def _with_all_pages(self, first: dict[str, Any] | None) -> dict[str, Any] | None:
        """As long as an answer has a nextLink, the list goes on there, however little that page held (learn.microsoft.com/rest/api/azure, paging)."""
        if not first or not first.get("nextLink"):
            return first
        items, link, asked = list(first.get("value") or []), first["nextLink"], set[str]()
        while link:
            # The token goes along.
            if link in asked or not link.lower().startswith(self._client.format_url("/").lower()):
                raise ArmFailure(0, "InvalidNextLink", f"The list continues at {link}, which is not a new page of this cloud.")
            asked.add(link)
            page = self._json(self._send(HttpRequest("GET", link))) or {}
            items += page.get("value") or []
            link = page.get("nextLink")
        return {"value": items}

    def post(self, identifier: str, api_version: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer of an action."""
        return self._json(self.begin(identifier, api_version, body)) or {}

    def begin(self, identifier: str, api_version: str, body: dict[str, Any] | None = None) -> PipelineResponse[Any, Any]:
        """Send an action; pass the answer to :meth:`wait`."""
        answer = self._send(HttpRequest("POST", self._url(identifier), params=self._version(identifier, api_version), json=body or {}))
        self._json(answer)
        return answer

    def put(self, identifier: str, api_version: str, body: dict[str, Any], etag: str = "") -> PipelineResponse[Any, Any]:
        """Send a PUT; pass the answer to :meth:`wait`."""
        headers = {"If-Match": etag} if etag else {}
        answer = self._send(HttpRequest("PUT", self._url(identifier), params=self._version(identifier, api_version), json=body, headers=headers))
        self._json(answer)
        return answer

    def delete(self, identifier: str, api_version: str) -> PipelineResponse[Any, Any]:
        """Send a DELETE; pass the answer to :meth:`wait`."""
        answer = self._send(HttpRequest("DELETE", self._url(identifier), params=self._version(identifier, api_version)))
        if answer.http_response.status_code != 404:
            self._json(answer)
        return answer

    def wait(self, answer: PipelineResponse[Any, Any], timeout: float, progress: Callable[[float], None]) -> dict[str, Any] | None:
        """Poll the operation that ``answer`` began until it ends.

        The last body that was read: after the operation of a PUT the library reads the resource. None where nothing was read after ``answer``.
        Raises :class:`ArmFailure` (:class:`StatusUnknown` when only the asking failed) or :class:`TimedOut`.
        """
        if answer.http_response.status_code in (204, 404):
            return None
        polling = _Polling(timeout, progress)
        try:
            polling.initialize(self._client, answer, lambda last: None if last is answer else body_of(last))
            polling.run()
            read: dict[str, Any] | None = polling.resource()
            return read
        except HttpResponseError as error:
            failure = _failure(error)
            if isinstance(error.__cause__, OperationFailed) and polling.status().lower() in UNFINISHED:
                raise failure from error
            raise StatusUnknown(failure.status, failure.code, failure.message, failure.correlation) from error
        except (AzureError, ValueError) as error:
            raise StatusUnknown(0, type(error).__name__, str(error)) from error

    def settle(
        self, identifier: str, api_version: str, body: dict[str, Any], timeout: float, progress: Callable[[float], None]
    ) -> dict[str, Any] | None:
        """Wait for an operation that someone else began: poll until ``provisioningState`` is a final one. None: it is gone."""
        for number in Wait(timeout, progress).tries():
            current = self.get(identifier, api_version) if number else body
            if current is None or state_of(current).lower() in TERMINAL:
                return current
        raise TimedOut

    def _url(self, identifier: str) -> str:
        formatted: str = self._client.format_url(urllib.parse.quote(identifier, safe="/@()'$=&?:,"))
        return formatted

    def _send(self, request: HttpRequest) -> PipelineResponse[Any, Any]:
        try:
            # The pipeline response carries what LROPoller needs.
            return self._client._pipeline.run(request, stream=False)
        except HttpResponseError as error:
            raise _failure(error) from error
        except AzureError as error:
            raise ArmFailure(0, type(error).__name__, str(error)) from error

    def _json(self, answer: PipelineResponse[Any, Any]) -> dict[str, Any] | None:
        response = answer.http_response
        if response.status_code >= 400:
            code, message = _error(answer)
            raise ArmFailure(response.status_code, code, denial(message), response.headers.get("x-ms-correlation-request-id", ""))
        try:
            body = response.json() if response.content else None
        except ValueError as error:
            raise ArmFailure(response.status_code, "InvalidResponse", f"The answer is not JSON: {error}.") from error
        return body if isinstance(body, dict) else None


def body_of(answer: PipelineResponse[Any, Any]) -> dict[str, Any] | None:
    """The mapping that an answer consists of; None for one without."""
    try:
        body = answer.http_response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def state_of(body: dict[str, Any]) -> str:
    """A resource's provisioningState; ``Succeeded`` for types that have none."""
    return str((body.get("properties") or {}).get("provisioningState") or "Succeeded")


def failure_of(body: dict[str, Any]) -> str:
    """What a failed resource says of its failure, as the end of a sentence; empty for types that say nothing."""
    error = ((body.get("properties") or {}).get("status") or {}).get("provisioningError") or {}
    return f": {error.get('code')}: {str(error.get('message')).rstrip('.')}" if error else ""


def _error(answer: PipelineResponse[Any, Any]) -> tuple[str, str]:
    response = answer.http_response
    try:
        error = response.json().get("error") or {}
        return str(error.get("code") or response.status_code), str(error.get("message") or response.reason)
    except (ValueError, AttributeError):
        return str(response.status_code), str(response.reason)


def _failure(error: HttpResponseError) -> ArmFailure:
    code = str(getattr(error.error, "code", "") or type(error).__name__)
    message = str(getattr(error.error, "message", "") or error.message)
    headers = error.response.headers if error.response else {}
    return ArmFailure(error.status_code or 0, code, denial(message), headers.get("x-ms-correlation-request-id", ""))
