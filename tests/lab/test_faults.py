"""Faults on command: what a client gets, and what of it took effect."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from lab.arm.faults import KINDS, Fault
from tests.lab.test_requests import GROUP, LOCATION, NETWORK, Client, against

ROUTES = f"{NETWORK}/routeTables/r"
ADDRESS = f"{NETWORK}/publicIPAddresses/a"
ADDRESS_BODY = LOCATION | {"sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
STATUS = {
    "throttled": (429, "TooManyRequests"),
    "throttled-without-time": (429, "TooManyRequests"),
    "internal-error": (500, "InternalServerError"),
    "bad-gateway": (502, "BadGateway"),
    "unavailable": (503, "ServiceUnavailable"),
    "token-expired": (401, "ExpiredAuthenticationToken"),
    "busy": (409, "AnotherOperationInProgress"),
    "changed-meanwhile": (412, "PreconditionFailed"),
    "locked": (409, "ScopeLocked"),
    "principal-unknown": (400, "PrincipalNotFound"),
}


def arm(client: Client, kind: str, method: str = "PUT", path: str = "*", **more: Any) -> None:
    client.server.faults.arm(Fault(kind, method, path, **more))


async def stored(client: Client, path: str) -> bool:
    """Whether Azure has it, whatever its answers say."""
    return client.server.azure.store.get(path) is not None


@pytest.mark.parametrize("kind", STATUS)
def test_a_refusal_changes_nothing_and_the_next_request_passes(tmp_path: Path, kind: str) -> None:
    async def work(client: Client) -> None:
        arm(client, kind)
        status, body = await client.call("PUT", ROUTES, LOCATION)
        assert (status, body["error"]["code"]) == STATUS[kind]
        assert not await stored(client, ROUTES)
        assert (await client.call("PUT", ROUTES, LOCATION))[0] == 201

    against(tmp_path, work)


@pytest.mark.parametrize(("kind", "effect"), [("reset-before", False), ("reset-after", True)])
def test_a_reset_is_no_answer(tmp_path: Path, kind: str, effect: bool) -> None:
    async def work(client: Client) -> None:
        arm(client, kind)
        with pytest.raises(aiohttp.ClientError):
            await client.call("PUT", ROUTES, LOCATION)
        assert await stored(client, ROUTES) == effect

    against(tmp_path, work)


def test_a_hanging_request_took_effect(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        arm(client, "hangs")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.call("PUT", ROUTES, LOCATION), 2)
        assert await stored(client, ROUTES)

    against(tmp_path, work)


def test_half_an_answer_and_a_page_in_html(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        arm(client, "truncated", "GET")
        with pytest.raises(aiohttp.ClientPayloadError):
            await client.get(GROUP)
        arm(client, "not-json", "GET")
        with pytest.raises((aiohttp.ContentTypeError, json.JSONDecodeError)):
            await client.get(GROUP)
        assert (await client.get(GROUP))["name"] == "rg"

    against(tmp_path, work)


@pytest.mark.parametrize(("kind", "state"), [("operation-fails", "Failed"), ("no-capacity", "Failed"), ("operation-is-canceled", "Canceled")])
def test_an_operation_ends_as_ordered_and_the_next_write_repairs(tmp_path: Path, kind: str, state: str) -> None:
    async def work(client: Client) -> None:
        arm(client, kind)
        await client.put(ADDRESS, ADDRESS_BODY)
        assert (await client.get(ADDRESS))["properties"]["provisioningState"] == state
        client.server.faults.clear()
        await client.put(ADDRESS, ADDRESS_BODY)
        assert (await client.get(ADDRESS))["properties"]["provisioningState"] == "Succeeded"

    against(tmp_path, work)


def test_an_operation_that_never_ends_ends_with_the_fault(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        arm(client, "operation-never-ends")
        await client.call("PUT", ADDRESS, ADDRESS_BODY)
        await asyncio.sleep(0.1)
        assert (await client.get(ADDRESS))["properties"]["provisioningState"] == "Creating"
        client.server.faults.clear()
        await asyncio.gather(*client.server.azure.operations.tasks)
        assert (await client.get(ADDRESS))["properties"]["provisioningState"] == "Succeeded"

    against(tmp_path, work)


def test_a_lost_status_is_404_while_the_work_goes_on(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        arm(client, "operation-is-lost")
        await client.put(ADDRESS, ADDRESS_BODY)
        [operation] = [found for found in client.server.azure.store.operations.values() if found.resource == ADDRESS]
        provider = f"{GROUP.partition('/resourceGroups')[0]}/providers/Microsoft.Network/locations/global/operations/{operation.id}"
        assert (await client.call("GET", provider))[0] == 404
        assert (await client.get(ADDRESS))["properties"]["provisioningState"] == "Succeeded"

    against(tmp_path, work)


def test_stale_reads(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        arm(client, "stale", times=2)
        await client.put(ROUTES, LOCATION)
        assert [(await client.call("GET", ROUTES))[0] for _ in range(3)] == [404, 404, 200]
        arm(client, "stale")
        await client.put(ROUTES, LOCATION | {"tags": {"a": "b"}})
        assert [(await client.get(ROUTES)).get("tags") for _ in range(2)] == [None, {"a": "b"}]

    against(tmp_path, work)


def test_a_policy_changes_what_is_written(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        arm(client, "policy")
        await client.put(ROUTES, LOCATION | {"tags": {"a": "b", "c": "d"}})
        assert (await client.get(ROUTES))["tags"] == {"a": "changed by a policy", "c": "d"}

    against(tmp_path, work)


# name: (filter, requests, which of them fail)
FILTERS: dict[str, tuple[dict[str, Any], list[tuple[str, str]], list[int]]] = {
    "the second": ({"at": 2}, [("GET", GROUP)] * 4, [1]),
    "two in a row": ({"at": 2, "times": 2}, [("GET", GROUP)] * 4, [1, 2]),
    "a method": ({"method": "PUT"}, [("GET", GROUP), ("PUT", GROUP)], [1]),
    "a path, whatever its case": ({"path": "*/ROUTEtables/*"}, [("GET", GROUP), ("GET", ROUTES)], [1]),
    "another client": ({"client": "dualstack.aks/*"}, [("GET", GROUP)], []),
}


@pytest.mark.parametrize("name", FILTERS)
def test_which_requests(tmp_path: Path, name: str) -> None:
    wanted, requests, failing = FILTERS[name]

    async def work(client: Client) -> None:
        client.server.faults.arm(Fault("unavailable", **wanted))
        answers = [(await client.call(method, path, LOCATION if method == "PUT" else None))[0] for method, path in requests]
        assert [number for number, status in enumerate(answers) if status == 503] == failing

    against(tmp_path, work)


@pytest.mark.parametrize(("fault", "told"), [(Fault("unheard-of"), "is not a fault; the kinds are throttled"), (Fault("busy", at=0), "count from 1")])
def test_what_is_no_fault(tmp_path: Path, fault: Fault, told: str) -> None:
    async def work(client: Client) -> None:
        with pytest.raises(ValueError, match=told):
            client.server.faults.arm(fault)

    against(tmp_path, work)


def test_every_kind_is_tried_here() -> None:
    source = Path(__file__).read_text()
    assert [kind for kind in KINDS if f'"{kind}"' not in source] == []
