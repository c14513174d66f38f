from __future__ import annotations

import concurrent.futures
import re
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline import PipelineContext, PipelineRequest, PipelineResponse
from azure.core.rest import HttpRequest
from azure.mgmt.core import ARMPipelineClient

from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.client import ArmClient, _Authentication, _Pace, failure_of
from ansible_collections.dualstack.aks.plugins.plugin_utils._azure.errors import ArmFailure


class Credential:
    """Takes its time, so that all threads come meanwhile."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure, self.asked = failure, 0

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        self.asked += 1
        time.sleep(1)
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
    monkeypatch.setattr("time.sleep", slept.append)
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


def paging(*bodies: dict[str, Any], api_versions: dict[str, str] | None = None) -> tuple[Any, list[str]]:
    """A client whose cloud answers with these bodies, one after the other; and what it was asked."""
    found: Any = object.__new__(ArmClient)
    found._api_versions = api_versions or {}
    asked, left = list[str](), list(bodies)

    def send(request: HttpRequest) -> Any:
        asked.append(request.url)
        body = left.pop(0)
        return SimpleNamespace(http_response=SimpleNamespace(status_code=200, content=b"x", json=lambda: body, headers={}))

    found._client, found._send = ARMPipelineClient(base_url="https://management.example.org/", policies=[]), send
    return found, asked


GROUP = "/subscriptions/one/resourceGroups/rg/resources"
NEXT = "https://management.example.org/next"


@pytest.mark.parametrize(
    ("bodies", "found"),
    [
        ([{"value": [1]}], {"value": [1]}),
        ([{"id": "one"}], {"id": "one"}),
        ([{"value": [1], "nextLink": ""}], {"value": [1], "nextLink": ""}),
        ([{"value": [], "nextLink": NEXT}, {"value": [1], "nextLink": f"{NEXT}2"}, {"value": [2]}], {"value": [1, 2]}),
        ([{"value": [1], "nextLink": NEXT}, {}], {"value": [1]}),
    ],
)
def test_a_list_has_the_items_of_all_its_pages(bodies: list[dict[str, Any]], found: dict[str, Any]) -> None:
    pages, asked = paging(*bodies)
    assert pages.get(GROUP, "2025-04-01") == found
    assert len(asked) == len(bodies)


@pytest.mark.parametrize("link", ["https://elsewhere.example.org/next", "https://management.example.org.elsewhere.example/next", NEXT])
def test_the_token_goes_to_no_other_cloud_and_no_list_is_endless(link: str) -> None:
    pages, asked = paging(*({"value": [number], "nextLink": link} for number in range(3)))
    with pytest.raises(ArmFailure, match="not a new page of this cloud"):
        pages.get(GROUP, "2025-04-01")
    assert len(asked) == 1 + (link == NEXT)


VAULT = "Microsoft.KeyVault/vaults"
NETWORK = "Microsoft.Network/virtualNetworks"


@pytest.mark.parametrize(
    ("declared", "path", "version"),
    [
        ({}, f"{NETWORK}/a", "3000-01-01"),
        ({VAULT: "2020-01-01"}, f"{NETWORK}/a", "3000-01-01"),
        ({NETWORK: "2020-01-01"}, f"{NETWORK}/a", "2020-01-01"),
        ({NETWORK: "2020-01-01"}, f"{NETWORK}/a?$filter=atScope()", "2020-01-01"),
        ({NETWORK: "2020-01-01"}, f"{NETWORK}/a/subnets/b".upper(), "2020-01-01"),
        ({NETWORK: "2020-01-01", f"{NETWORK}/subnets": "2021-01-01"}, f"{NETWORK}/a/subnets/b", "2021-01-01"),
        ({f"{NETWORK}/subnets": "2021-01-01"}, f"{NETWORK}/a", "3000-01-01"),
    ],
    ids=str,
)
def test_a_declared_version_is_sent(declared: dict[str, str], path: str, version: str) -> None:
    versions = {name.lower(): value for name, value in declared.items()}
    identifier = f"/subscriptions/one/resourceGroups/rg/providers/{path}"
    client, asked = paging({}, {}, {}, {}, api_versions=versions)
    client.get(identifier, "3000-01-01")
    client.put(identifier, "3000-01-01", {})
    client.delete(identifier, "3000-01-01")
    client.post(f"{identifier}/check", "3000-01-01")
    assert [re.findall(r"api-version=([-0-9]+)", url) for url in asked] == [[version]] * 4
