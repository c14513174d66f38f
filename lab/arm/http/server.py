"""HTTPS on loopback: reads a request, lets faults strike, hands it to whoever answers, and writes it into the journal."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import time
import traceback
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web
from yarl import URL

from .. import errors
from ..answers import retry_after
from ..authorization.kinds import grant_roles
from ..azure import Azure
from ..entra import Entra
from ..faults import Faults, NoAnswer
from ..journal import Journal, without_secrets
from ..options import Options
from ..request import Request
from ..store import Store
from . import msgraph, resources
from .control import Control
from .identities import IdentityEndpoint


class Server:
    """One lab's Azure on one port: Azure Resource Manager, Entra ID, Microsoft Graph and the lab's own ``/lab``."""

    def __init__(self, store: Store, options: Options, folder: Path, port: int, secrets: Mapping[str, str], latency: float = 0) -> None:
        self.azure = Azure(store, options)
        grant_roles(self.azure)
        self.endpoint = f"https://localhost:{port}"
        self.entra = Entra(options, folder / "secrets", self.endpoint, secrets)
        self.identities = IdentityEndpoint(self.azure, self.entra)
        self.journal = Journal(folder / "journal.jsonl")
        self.faults = Faults(self.azure)
        self.control = Control(self.faults, self.journal, secrets["client"])
        self._port, self._latency = port, latency
        self._runner: web.AppRunner | None = None

    async def start(self, certificate: Path, key: Path) -> None:
        """Listen, and continue the operations that were in progress."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        application = web.Application(client_max_size=16 * 2**20)
        self.control.add_routes(application.router)
        application.router.add_route("*", "/{path:.*}", self.handle)
        self._runner = web.AppRunner(application, access_log=None, keepalive_timeout=300)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=context).start()
        await self.identities.start()
        self.azure.operations.resume()

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()
        await self.identities.stop()
        await self.azure.operations.stop()
        self.journal.close()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request. What is wrong with it, or in the lab, is an answer too."""
        started = time.time()
        path = re.sub("/+", "/", request.path).lower()
        if self._latency and path.startswith("/subscriptions"):
            await asyncio.sleep(self._latency)
        entry: dict[str, Any] = {
            "time": round(started, 3),
            "client": request.headers.get("User-Agent", ""),
            "method": request.method,
            "path": request.path,
            "apiVersion": request.query.get("api-version", ""),
        }
        # The requests of a batch are read as requests like this one; once its body is read it cannot be cloned.
        template = request.clone() if path.rstrip("/") == "/batch" else None
        raw = await request.read()
        body: Any = {}
        fault = self.faults.strike(entry)
        response: web.StreamResponse
        try:
            if raw and path.startswith(("/subscriptions", "/msgraph", "/batch")):
                try:
                    body = json.loads(raw)
                except ValueError as error:
                    raise errors.ArmError(400, "InvalidRequestContent", f"The request content was invalid: {error}.") from error
                entry["body"] = without_secrets(body)
            answer = self.faults.before(fault, entry, body)
            if answer is None:
                answer = await self._batch(template, body) if template else self._answer(request, body, raw, entry)
            _add_request_ids(request, answer)
            response = await self.faults.after(fault, request, entry, answer) if fault else answer
        except NoAnswer:
            entry["error"] = "NoAnswer"
            if request.transport:
                request.transport.abort()
            response = web.Response(status=500)
        except errors.ArmError as error:
            entry["error"] = error.code
            if error.rule:
                entry["rule"] = error.rule
            response = web.json_response(error.body(), status=error.status)
            if fault and fault.kind == "throttled":
                retry_after(response, self.azure.options.time_scale)
            _add_request_ids(request, response)
            if error.status == 401:
                response.headers["WWW-Authenticate"] = (
                    f'Bearer authorization_uri="{self.endpoint}/{self.azure.options.tenant}", error="invalid_token"'
                )
        except Exception as error:  # a defect of the lab is answered and recorded like an error of Azure, with its traceback in the log
            traceback.print_exc()
            entry["error"] = "InternalServerError"
            response = web.json_response(errors.ArmError(500, "InternalServerError", f"{type(error).__name__}: {error}").body(), status=500)
            _add_request_ids(request, response)
        entry["status"] = response.status
        entry["seconds"] = round(time.time() - started, 4)
        self.journal.record(entry)
        return response

    async def _batch(self, template: web.Request, body: Any) -> web.Response:
        """Several GETs in one request (``POST /batch``): each is answered, and recorded, as if it had been sent alone."""
        responses = []
        for item in body.get("requests") or []:
            if item.get("httpMethod", "GET") != "GET":
                raise errors.ArmError(400, "InvalidRequestContent", "The lab's batches hold GET requests only.")
            target = URL(item["url"])
            target = target.relative() if target.absolute else target
            answer = await self.handle(template.clone(method="GET", rel_url=target))
            assert isinstance(answer, web.Response)
            content = json.loads(answer.text) if answer.text else None
            headers = {key: value for key, value in answer.headers.items() if key.lower().startswith("x-ms-")}
            responses.append({"name": item.get("name"), "httpStatusCode": answer.status, "headers": headers, "content": content})
        return web.json_response({"responses": responses})

    def _answer(self, request: web.Request, body: Any, raw: bytes, entry: dict[str, Any]) -> web.Response:
        """Microsoft Graph, Entra ID or Azure Resource Manager, by the path."""
        path = re.sub("/+", "/", request.path).rstrip("/")
        authorization = request.headers.get("Authorization", "")
        if path.lower().startswith("/msgraph/"):
            self.entra.verify(authorization, entry["client"], graph=True)
            return web.json_response(msgraph.answer(self.azure, request.method, path.lower().split("/", 3)[-1], request.query, body))
        if not path.lower().startswith(("/subscriptions", "/tenants", "/providers")):
            return self.entra.answer(request, raw)
        caller = self.entra.verify(authorization, entry["client"])
        return resources.answer(
            Request(self.azure, self.endpoint, request.method, path, request.query, request.headers, body, caller, entry, request.path_qs)
        )


def _add_request_ids(request: web.Request, response: web.Response) -> None:
    """The ids by which Azure's support finds a request."""
    response.headers["x-ms-request-id"] = str(uuid.uuid4())
    response.headers["x-ms-correlation-request-id"] = request.headers.get("x-ms-correlation-request-id", str(uuid.uuid4()))
