"""A recorded scenario against the lab: the same requests in the same order, and how its answers differ from Azure's."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import replace
from typing import Any

from lab.arm import errors, ids
from lab.arm.azure import Azure
from lab.arm.http import members, resources
from lab.arm.kinds import KINDS, Caller
from lab.arm.network.private_links import PrivatelyLinked
from lab.arm.options import Options
from lab.arm.request import Request
from lab.arm.store import Resource, Store

from .answers import compare
from .reader import Exchange, Scenario, error_code
from .report import Figures, Report

#: refusals that depend on when another operation ends
_BUSY = {"AnotherOperationInProgress", "RetryableError"}
#: refusals that depend on when Entra ID knows an identity
_UNKNOWN = {"PrincipalNotFound"}
#: the subscription and the tenant as the recordings have them
_NIL = "00000000-0000-0000-0000-000000000000"
_IDS = re.compile(r'"(/subscriptions/[^"]+)"')


def served(resource_type: str) -> str:
    """The type as the lab spells it, empty where clients cannot write it there."""
    kind = KINDS.get(resource_type.lower())
    if kind:
        return kind.type if kind.writable else ""
    member = members.list_of(resource_type)
    parent = KINDS.get(resource_type.lower().rpartition("/")[0])
    return f"{parent.type}/{member}" if parent and member else ""


class _NotServed(PrivatelyLinked):
    """What the lab knows of other types: that there is such a resource, and its name in the zone of a storage account's blobs."""

    writable = False
    private_link_domain = "blob.core.windows.net"

    def private_link_members(self, resource: Resource) -> dict[str, str]:
        return {"blob": resource.name}


class _Replay:
    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        options = Options(subscription=_NIL, tenant=_NIL, time_scale=0, any_version=True, kubernetes=False)
        self._azure = Azure(Store(), options)
        self._caller = Caller(options.client_object, options.client)
        #: what Azure is deleting of types that the lab does not serve
        self._leaving: list[str] = []
        #: a GUID that Azure drew -> the lab's
        self._guids: dict[str, str] = {}
        #: what resources that the lab does not serve were given: they may change it
        self._changed_elsewhere: set[str] = set()
        self.report = Report()

    async def run(self) -> Report:
        held: list[Exchange] = []
        for exchange in self._scenario.exchanges:
            kind = served(exchange.type)
            if not kind:
                self._know(exchange)
            elif exchange.code in _BUSY and not self._collides(exchange):
                # Azure answered it before the request that it collided with.
                held.append(exchange)
            else:
                await self._replay(kind, exchange)
                for refused in [other for other in held if self._collides(other)]:
                    held.remove(refused)
                    await self._replay(served(refused.type), refused)
        for refused in held:
            await self._replay(served(refused.type), refused)
        await self._azure.operations.stop()
        return self.report

    def _collides(self, exchange: Exchange) -> bool:
        """Whether an operation is in progress in the same resource with its children, or on what the body refers to."""
        resource = ids.parse(exchange.path)
        whole = replace(resource, types=resource.types[:1], names=resource.names[:1]).text.lower()
        text = json.dumps(exchange.body).lower()
        return any(f"{found}/".startswith(f"{whole}/") or f'"{found}"' in text for found in self._running())

    def _know(self, exchange: Exchange) -> None:
        """Give the lab what Azure has of a type that the lab does not serve, for what refers to it."""
        if exchange.writes:
            self.report.not_served[exchange.type] += 1
            self._changed_elsewhere.update(_IDS.findall(json.dumps(exchange.body).lower()))
        shown = exchange.answer or exchange.body
        if isinstance(shown, dict) and not exchange.code and exchange.method in ("PUT", "GET") and ids.parse(exchange.path).names:
            KINDS.setdefault(exchange.type.lower(), _NotServed())
            known = self._azure.store.get(exchange.path)
            hidden = known.hidden if known else {"born": time.time()}
            self._azure.store.save(Resource(exchange.path, exchange.type, shown, hidden=hidden))
        elif exchange.status in (200, 204, 404):
            self._azure.store.remove(exchange.path)
        elif exchange.method == "DELETE" and not exchange.code:
            self._leaving.append(exchange.path)

    async def _replay(self, kind: str, exchange: Exchange) -> None:
        where = f"{self._scenario.name}: {exchange.method} {exchange.path}"
        figures = self.report.of(kind)
        if not exchange.writes:
            if exchange.method == "GET" and exchange.is_settled:
                if self._is_changing(exchange.path):
                    await self._settle()
                status, answer = self._send(exchange)
                if code := error_code(status, answer):
                    figures.gap(f"GET 200, the lab refuses: {status} {code}", where)
                else:
                    self._compare(figures, exchange, answer, where)
            return
        if exchange.status == 404:
            # Azure had removed it, or what it is in.
            await self._settle()
        status, answer = self._send(exchange)
        if not exchange.code and error_code(status, answer):
            # An operation of Azure's had ended, although the recording shows that only later.
            await self._settle()
            status, answer = self._send(exchange)
        figures.writes += 1
        code = error_code(status, answer)
        figures.alike += bool(code) == bool(exchange.code)
        if code != exchange.code or (code and status != exchange.status):
            here = f"the lab refuses: {status} {code}" if code else "the lab accepts"
            message = (answer.get("error") or {}).get("message", "") if isinstance(answer, dict) else ""
            figures.gap(f"{exchange.method} {exchange.status} {exchange.code}".strip() + f", {here}", f"{where}\n{exchange.body}\n{message}")
        if exchange.is_settled and not code and exchange.method != "DELETE":
            if self._is_changing(exchange.path):
                # Azure needed no time for it.
                await self._settle()
                _, answer = self._send(replace(exchange, method="GET", body=None))
            self._compare(figures, exchange, answer, where)

    def _is_changing(self, path: str) -> bool:
        """Whether an operation is in progress on the resource or below it."""
        return any(f"{found}/".startswith(f"{path.lower()}/") for found in self._running())

    def _running(self) -> list[str]:
        """Ids of the resources that operations in progress change, in lower case."""
        return [found.resource.lower() for found in self._azure.store.operations.values() if found.status == "InProgress"]

    async def _settle(self) -> None:
        """Let the operations in progress end, with what they begin."""
        for path in self._leaving:
            self._azure.store.remove(path)
        while tasks := list(self._azure.operations.tasks):
            await asyncio.gather(*tasks)

    def _send(self, exchange: Exchange) -> tuple[int, Any]:
        body = self._in_the_lab(exchange.body) if exchange.body is not None else {}
        query = {"api-version": exchange.api_version}
        self._azure.options.time_scale = 1e6 if exchange.code in _UNKNOWN else 0
        request = Request(self._azure, "https://localhost", exchange.method, exchange.path, query, {}, body, self._caller, {}, exchange.path)
        try:
            response = resources.answer(request)
        except errors.ArmError as error:
            return error.status, error.body()
        return response.status, json.loads(response.text) if response.text else None

    def _in_the_lab(self, body: Any) -> Any:
        text = json.dumps(body)
        for azure, lab in self._guids.items():
            text = re.sub(azure, lab, text, flags=re.IGNORECASE)
        return json.loads(text)

    def _compare(self, figures: Figures, exchange: Exchange, answer: Any, where: str) -> None:
        if exchange.path.lower() in self._changed_elsewhere:
            return
        for found in compare(exchange.answer, answer):
            figures.properties += 1
            figures.present += found.present
            figures.equal += found.present and found.equal
            if found.is_guid and found.azure != found.lab and found.azure != _NIL:
                self._guids[found.azure] = found.lab
            if not found.present:
                figures.gap(f"missing {found.path}", f"{where}\nAzure: {found.azure!r}")
            elif not found.equal:
                figures.gap(f"different {found.path}", f"{where}\nAzure: {found.azure!r}\nlab:   {found.lab!r}")


def replay(scenario: Scenario) -> Report:
    """Replay one scenario against an empty lab."""
    return asyncio.run(_Replay(scenario).run())
