"""The endpoint where managed identities get tokens, as App Service has it: a header tells which identity asks."""

from __future__ import annotations

from aiohttp import web

from ..azure import Azure
from ..entra import Entra


class IdentityEndpoint:
    """HTTP on a port of loopback that the kernel chooses."""

    def __init__(self, azure: Azure, entra: Entra) -> None:
        self._azure, self._entra = azure, entra
        #: value of the header X-IDENTITY-HEADER -> resource id of the identity, or of the resource that has one of its own
        self.headers: dict[str, str] = {}
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        application = web.Application()
        application.router.add_get("/msi/token", self._token)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _token(self, request: web.Request) -> web.Response:
        identity = self._azure.store.get(self.headers.get(request.headers.get("X-IDENTITY-HEADER", ""), "/"))
        if identity is None:
            return web.json_response({"statusCode": 401, "message": "unknown identity header"}, status=401)
        facts = identity.properties if "clientId" in identity.properties else identity.body["identity"]
        client = facts.get("clientId") or facts["principalId"]
        return web.json_response(self._entra.token(request.query.get("resource", ""), facts["principalId"], client))
