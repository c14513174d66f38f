"""``/lab/…``: what the command line asks of a running lab, and Azure has nothing of: faults, lost zones, services that enter subnets."""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from ..faults import Fault, Faults
from ..journal import Journal
from ..network.bodies import NAVIGATION_LINKS, SUBNET


class Control:
    """Answers requests that carry the lab's client secret."""

    def __init__(self, faults: Faults, journal: Journal, client_secret: str) -> None:
        self._faults, self._journal, self._client_secret = faults, journal, client_secret
        #: where there are packets: cuts a zone off or restores it, and returns how many nodes it has
        self.lose_zone: Callable[[str, bool], Awaitable[int]] | None = None

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/lab/zones/{zone}", self._zone)
        router.add_route("*", "/lab/faults", self._change_faults)
        router.add_post("/lab/links", self._link)

    def _is_authorized(self, request: web.Request) -> bool:
        return hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {self._client_secret}")

    async def _zone(self, request: web.Request) -> web.Response:
        """``python -m lab zone``."""
        if not self._is_authorized(request):
            return web.json_response({"error": "the client secret is missing or wrong"}, status=401)
        if self.lose_zone is None:
            return web.json_response({"error": "this lab has no packets, so no zone can be lost"}, status=409)
        zone, lost = request.match_info["zone"], bool((await request.json())["lost"])
        nodes = await self.lose_zone(zone, lost)
        self._journal.record(
            {
                "time": round(time.time(), 3),
                "client": "lab",
                "method": "POST",
                "path": request.path,
                "apiVersion": "",
                "status": 200,
                "body": {"lost": lost, "nodes": nodes},
            }
        )
        return web.json_response({"nodes": nodes})

    async def _link(self, request: web.Request) -> web.Response:
        """``python -m lab links``."""
        if not self._is_authorized(request):
            return web.json_response({"error": "the client secret is missing or wrong"}, status=401)
        body, azure = await request.json(), self._faults.azure
        subnet = azure.store.get(str(body["subnet"]))
        if subnet is None or subnet.type != SUBNET:
            return web.json_response({"error": f"there is no subnet {body['subnet']}"}, status=404)
        subnet.hidden[NAVIGATION_LINKS] = [str(body["service"])] if body["linked"] else []
        azure.store.save(subnet)
        return web.json_response({"links": subnet.hidden[NAVIGATION_LINKS]})

    async def _change_faults(self, request: web.Request) -> web.Response:
        """``python -m lab fault``: POST arms one, DELETE clears all, each answers with what is armed."""
        if not self._is_authorized(request):
            return web.json_response({"error": "the client secret is missing or wrong"}, status=401)
        try:
            if request.method == "POST":
                self._faults.arm(Fault(**await request.json()))
        except (TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        if request.method == "DELETE":
            self._faults.clear()
        answer = web.json_response(self._faults.shown())
        if request.method == "DELETE":
            # What has struck is reported once.
            self._faults.struck.clear()
        return answer
