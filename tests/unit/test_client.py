from __future__ import annotations

import concurrent.futures
import threading
import time
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline import PipelineContext, PipelineRequest, PipelineResponse
from azure.core.rest import HttpRequest

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure import client
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.client import _Authentication, _Pace, failure_of


class Credential:
    """Takes its time, so that all threads come meanwhile."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure, self.asked = failure, 0

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        self.asked += 1
        time.sleep(0.2)
        if self.failure:
            raise self.failure
        return AccessToken("token", int(time.time()) + 3600)


def ask(policy: _Authentication, together: threading.Barrier) -> str:
    request = PipelineRequest(HttpRequest("GET", "https://localhost/"), PipelineContext(None))
    together.wait(10)
    policy.on_request(request)
    return str(request.http_request.headers["Authorization"])


def answers(credential: Credential) -> list[str | BaseException | None]:
    """What each of eight threads that begin together gets."""
    policy, together = _Authentication(credential, "scope"), threading.Barrier(8)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, policy, together) for _ in range(8)]
        return [found.exception() or found.result() for found in asked]


def test_threads_that_begin_together_share_one_token() -> None:
    credential = Credential()
    assert (answers(credential), credential.asked) == (["Bearer token"] * 8, 1)


def test_threads_that_begin_together_share_one_failure() -> None:
    failure = ValueError("refused")
    credential = Credential(failure)
    assert (answers(credential), credential.asked) == ([failure] * 8, 1)


class Answer:
    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers


# what Azure said last, the next request, and whether it waits, with 8 in flight
LEFT: list[tuple[dict[str, str], str, bool]] = [
    ({}, "GET", False),
    ({"x-ms-ratelimit-remaining-subscription-reads": "16"}, "GET", False),
    ({"x-ms-ratelimit-remaining-subscription-reads": "15"}, "GET", True),
    ({"X-Ms-Ratelimit-Remaining-Subscription-Global-Reads": "3"}, "GET", True),
    ({"x-ms-ratelimit-remaining-subscription-reads": "0"}, "PUT", False),
    ({"x-ms-ratelimit-remaining-subscription-writes": "0"}, "PUT", True),
    ({"x-ms-ratelimit-remaining-subscription-writes": "0"}, "POST", True),
    ({"x-ms-ratelimit-remaining-subscription-deletes": "0"}, "DELETE", True),
    ({"x-ms-ratelimit-remaining-resource": "Microsoft.Compute/GetVM3Min;10"}, "GET", False),
]


@pytest.mark.parametrize(("headers", "method", "waits"), LEFT)
def test_it_goes_slower_before_azure_refuses(monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], method: str, waits: bool) -> None:
    slept: list[float] = []
    monkeypatch.setattr(client.time, "sleep", slept.append)
    policy, request = _Pace(8), PipelineRequest(HttpRequest(method, "https://localhost/"), PipelineContext(None))
    policy.on_response(request, PipelineResponse(request.http_request, Answer(headers), request.context))
    policy.on_request(request)
    assert bool(slept) == waits


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"status": {"provisioningError": {"code": "Full", "message": "There is no room."}}}, ": Full: There is no room"),
        ({"status": {"provisioningError": None}}, ""),
        ({"status": None}, ""),
        ({}, ""),
    ],
)
def test_failure_at_the_end_of_a_sentence(properties: dict[str, Any], said: str) -> None:
    assert failure_of({"properties": properties}) == said
