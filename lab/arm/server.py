"""Azure Resource Manager and Entra ID over TLS on loopback."""

from __future__ import annotations

import asyncio
import copy
import hmac
import json
import re
import ssl
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from yarl import URL

from . import catalog, compute, containerservice, dns, errors, graph, ids, network, rules, services
from .azure import KINDS, QUOTAS, Azure, Caller, Options
from .entra import Entra
from .faults import Fault, Faults, NoAnswer
from .journal import Journal, without_secrets
from .store import Operation, Resource, Store

_ = (compute, containerservice, dns)  # imported for the kinds that they register

#: Regions the subscription has. Zones: the three of a zonal region.
LOCATIONS = {
    "westeurope": "West Europe",
    "northeurope": "North Europe",
    "germanywestcentral": "Germany West Central",
    "swedencentral": "Sweden Central",
    "eastus2": "East US 2",
    "japaneast": "Japan East",
}
NAMESPACES = [
    "Microsoft.Authorization",
    "Microsoft.Compute",
    "Microsoft.ContainerRegistry",
    "Microsoft.ContainerService",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.Resources",
]
#: children that Azure keeps in a list of their parent
_INLINE_LISTS = {
    "microsoft.network/networksecuritygroups/securityrules": "securityRules",
    "microsoft.network/routetables/routes": "routes",
    "microsoft.network/loadbalancers/backendaddresspools": "backendAddressPools",
}
#: the same, read only
_SHOWN_LISTS = {
    f"microsoft.network/loadbalancers/{name.lower()}": name
    for name in ("frontendIPConfigurations", "loadBalancingRules", "outboundRules", "probes", "inboundNatRules")
} | {
    "microsoft.network/virtualnetworks/virtualnetworkpeerings": "virtualNetworkPeerings",
    "microsoft.network/networksecuritygroups/defaultsecurityrules": "defaultSecurityRules",
}


class Server:
    def __init__(self, store: Store, options: Options, folder: Path, port: int, client_secret: str, latency: float = 0) -> None:
        self.azure = Azure(store, options, rules)
        self.endpoint = f"https://localhost:{port}"
        self.port, self.folder, self.latency = port, folder, latency
        self.entra = Entra(options, folder / "secrets", self.endpoint, client_secret)
        self.journal = Journal(folder / "journal.jsonl")
        self.faults = Faults(self.azure)
        self._runners: list[web.AppRunner] = []
        self.identity_port = 0
        #: App Service style managed identity: header value -> resource id of the identity
        self.identity_headers: dict[str, str] = {}
        #: where there are packets: cuts a zone off or brings it back, and says how many nodes it has
        self.lose_zone: Callable[[str, bool], Awaitable[int]] | None = None
        self._client_secret = client_secret

    async def start(self, certificate: Path, key: Path) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        application = web.Application(client_max_size=16 * 2**20)
        application.router.add_post("/lab/zones/{zone}", self._zone)
        application.router.add_route("*", "/lab/faults", self._faults)
        application.router.add_route("*", "/{path:.*}", self.handle)
        self._runners.append(web.AppRunner(application, access_log=None, keepalive_timeout=300))
        await self._runners[0].setup()
        await web.TCPSite(self._runners[0], "127.0.0.1", self.port, ssl_context=context).start()
        identity = web.Application()
        identity.router.add_get("/msi/token", self._managed_identity_token)
        self._runners.append(web.AppRunner(identity, access_log=None))
        await self._runners[1].setup()
        site = web.TCPSite(self._runners[1], "127.0.0.1", 0)
        await site.start()
        self.identity_port = self._runners[1].addresses[0][1]
        self.azure.resume()

    async def stop(self) -> None:
        for runner in self._runners:
            await runner.cleanup()
        await self.azure.stop()
        self.journal.close()

    async def _managed_identity_token(self, request: web.Request) -> web.Response:
        identity = self.azure.store.get(self.identity_headers.get(request.headers.get("X-IDENTITY-HEADER", ""), "/"))
        if identity is None:
            return web.json_response({"statusCode": 401, "message": "unknown identity header"}, status=401)
        return web.json_response(
            self.entra.token(request.query.get("resource", ""), identity.properties["principalId"], identity.properties["clientId"])
        )

    async def _zone(self, request: web.Request) -> web.Response:
        """The lab's own business, not Azure's: ``python -m lab zone``."""
        if not self._is_ours(request):
            return web.json_response({"error": "not for you"}, status=401)
        if self.lose_zone is None:
            return web.json_response({"error": "this lab has no packets, so no zone can be lost"}, status=409)
        zone, lost = request.match_info["zone"], bool((await request.json())["lost"])
        nodes = await self.lose_zone(zone, lost)
        self.journal.record(
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

    def _is_ours(self, request: web.Request) -> bool:
        return hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {self._client_secret}")

    async def _faults(self, request: web.Request) -> web.Response:
        """``python -m lab fault``: POST arms one, DELETE clears all, each answers with what is armed."""
        if not self._is_ours(request):
            return web.json_response({"error": "not for you"}, status=401)
        try:
            if request.method == "POST":
                self.faults.arm(Fault(**await request.json()))
        except (TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        if request.method == "DELETE":
            self.faults.clear()
        answer = web.json_response(self.faults.shown())
        if request.method == "DELETE":
            # what has struck is told once
            self.faults.struck.clear()
        return answer

    # One request

    async def handle(self, request: web.Request) -> web.StreamResponse:
        started = time.time()
        path = re.sub("/+", "/", request.path)
        if self.latency and path.lower().startswith("/subscriptions"):
            await asyncio.sleep(self.latency)
        entry: dict[str, Any] = {
            "time": round(started, 3),
            "client": request.headers.get("User-Agent", ""),
            "method": request.method,
            "path": request.path,
            "apiVersion": request.query.get("api-version", ""),
        }
        # what a batch asks for is read as requests like this one; after its body is read it cannot be copied any more
        template = request.clone() if path.lower().rstrip("/") == "/batch" else None
        raw = await request.read()
        body: Any = {}
        fault = self.faults.strike(entry)
        response: web.StreamResponse
        try:
            if raw and path.lower().startswith(("/subscriptions", "/msgraph", "/batch")):
                try:
                    body = json.loads(raw)
                except ValueError as error:
                    raise errors.ArmError(400, "InvalidRequestContent", f"The request content was invalid: {error}.") from error
                entry["body"] = without_secrets(body)
            answer = self.faults.before(fault, entry, body)
            if answer is None:
                answer = await self._batch(template, body) if template else await self._answer(request, body, raw, entry)
            self._name(request, answer)
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
                self._retry_after(response)
            self._name(request, response)
            if error.status == 401:
                response.headers["WWW-Authenticate"] = (
                    f'Bearer authorization_uri="{self.endpoint}/{self.azure.options.tenant}", error="invalid_token"'
                )
        except Exception as error:  # a fault of the lab is answered and journalled like one of Azure, with its traceback in the log
            traceback.print_exc()
            entry["error"] = "InternalServerError"
            response = web.json_response(errors.ArmError(500, "InternalServerError", f"{type(error).__name__}: {error}").body(), status=500)
            self._name(request, response)
        entry["status"] = response.status
        entry["seconds"] = round(time.time() - started, 4)
        self.journal.record(entry)
        return response

    @staticmethod
    def _name(request: web.Request, response: web.Response) -> None:
        """The ids by which Azure's support finds a request."""
        response.headers["x-ms-request-id"] = str(uuid.uuid4())
        response.headers["x-ms-correlation-request-id"] = request.headers.get("x-ms-correlation-request-id", str(uuid.uuid4()))

    async def _batch(self, template: web.Request, body: Any) -> web.Response:
        """Several GETs in one request (``POST /batch``): each is answered, and journalled, as if it had come alone."""
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

    async def _answer(self, request: web.Request, body: Any, raw: bytes, entry: dict[str, Any]) -> web.Response:
        path = re.sub("/+", "/", request.path).rstrip("/")
        lower = path.lower()
        if lower.startswith("/msgraph/"):
            self.entra.verify(request.headers.get("Authorization", ""), entry["client"], graph=True)
            return web.json_response(graph.answer(self.azure, request.method, lower.split("/", 3)[-1], request.query, body))
        if not lower.startswith(("/subscriptions", "/tenants", "/providers")):
            return self._public(request, lower, raw)
        caller = self.entra.verify(request.headers.get("Authorization", ""), entry["client"])
        if "api-version" not in request.query:
            raise errors.ArmError(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
        self.azure.rules.check_access(self.azure, caller, path, writing=request.method not in ("GET", "HEAD"))
        segments = lower.split("/")
        if segments[1] == "subscriptions" and len(segments) > 2 and segments[2] != self.azure.options.subscription.lower():
            raise errors.ArmError(404, "SubscriptionNotFound", f"The subscription '{segments[2]}' could not be found.")
        for pattern, method in _SUBSCRIPTION_ROUTES:
            match = re.fullmatch(pattern, lower)
            if match:
                answer: web.Response = await method(self, request, path, body, *match.groups())
                return answer
        parsed = ids.parse(path)
        if request.method == "GET" and parsed.names and not self.azure.store.get(path):
            view = self._view(parsed, request)
            if view is not None:
                return web.json_response(view)
        if parsed.tail:
            return await self._collection_or_action(request, parsed, path, body, caller)
        inline = _INLINE_LISTS.get(parsed.type.lower())
        if inline:
            return self._inline(request, parsed, inline, body, caller, entry)
        match request.method:
            case "GET":
                self.azure.check_scope(parsed)
                return self._show(self.azure.get(path))
            case "HEAD":
                return web.Response(status=204 if self.azure.store.get(path) else 404)
            case "PUT" | "PATCH":
                return self._write(request, path, body, caller, entry)
            case "DELETE":
                if not self.azure.store.get(path):
                    return web.Response(status=204)
                leaving = self.azure.get(path)
                shown = self.azure.render(leaving) if self.azure.kind_of(leaving.type).shows_deleted else None
                operation = self.azure.delete(path, if_match=request.headers.get("If-Match", ""))
                return web.json_response(shown) if shown else self._accepted(operation, None, 200)
        raise errors.ArmError(405, "MethodNotAllowed", f"{request.method} is not allowed on {path}.")

    def _view(self, parsed: ids.ResourceId, request: web.Request) -> Any:
        """What the resource above shows under this path, None when it shows nothing there."""
        above = parsed.text if parsed.tail else parsed.parent
        resource = self.azure.store.get(above)
        if resource is None or resource.type == services.GROUP:
            return None
        name = parsed.tail or f"{parsed.types[-1]}/{parsed.name}"
        return self.azure.kind_of(resource.type).view(self.azure, resource, name.lower(), request.query)

    def _public(self, request: web.Request, lower: str, raw: bytes) -> web.Response:
        """What needs no token: Entra's endpoints and the cloud's metadata."""
        if lower == "/metadata/endpoints":
            return web.json_response(self.entra.metadata(request.query.get("api-version", "")))
        if lower == "/common/discovery/instance":
            host = self.endpoint.removeprefix("https://")
            return web.json_response(
                {
                    "tenant_discovery_endpoint": f"{self.endpoint}/{self.azure.options.tenant}/v2.0/.well-known/openid-configuration",
                    "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
                }
            )
        segments = request.path.strip("/").split("/")
        match lower.strip("/").split("/")[1:]:
            case ["v2.0", ".well-known", "openid-configuration"] | [".well-known", "openid-configuration"]:
                return web.json_response(self.entra.openid_configuration(segments[0]))
            case ["discovery", "v2.0", "keys"] | ["discovery", "keys"]:
                return web.json_response(self.entra.keys())
            case ["oauth2", "v2.0", "token"] | ["oauth2", "token"] if request.method == "POST":
                try:
                    return web.json_response(self.entra.client_token(dict(parse_qsl(raw.decode()))))
                except errors.ArmError as error:
                    return web.json_response({"error": error.code, "error_description": error.message}, status=error.status)
        raise errors.ArmError(404, "NotFound", f"The lab's Azure has nothing at {request.path}.")

    # Resources

    def _show(self, resource: Resource, status: int = 200) -> web.Response:
        rendered = self.azure.render(resource)
        response = web.json_response(rendered, status=status)
        if "etag" in rendered:
            response.headers["ETag"] = rendered["etag"]
        response.headers["x-ms-ratelimit-remaining-subscription-reads"] = "11999"
        return response

    def _write(self, request: web.Request, path: str, body: Any, caller: Caller, entry: dict[str, Any]) -> web.Response:
        if not isinstance(body, dict):
            raise errors.ArmError(400, "InvalidRequestContent", "The request content was invalid: an object is expected.")
        resource, operation, created, checked = self.azure.write(
            path,
            body,
            request.query["api-version"],
            caller,
            patch=request.method == "PATCH",
            if_match=request.headers.get("If-Match", ""),
            if_none_match=request.headers.get("If-None-Match", ""),
        )
        entry["schema"] = checked.schema
        if checked.ignored:
            entry["ignored"] = checked.ignored
        if operation:
            entry["operation"] = operation.id
        return self._accepted(operation, resource, self.azure.kind_of(resource.type).created_status if created else 200)

    def _accepted(self, operation: Operation | None, resource: Resource | None, status: int) -> web.Response:
        if operation is None:
            return self._show(resource, status) if resource else web.Response(status=status)
        if resource is None or KINDS[resource.type.lower()].accepts_with_202:
            response = web.Response(status=202)
        else:
            response = self._show(resource, status)
        namespace = ids.parse(operation.resource).namespace or "Microsoft.Resources"
        base = f"{self.endpoint}{self.azure.subscription_id}/providers/{namespace}/locations/global"
        version = "api-version=2025-05-01"
        response.headers["Azure-AsyncOperation"] = f"{base}/operations/{operation.id}?{version}"
        if response.status == 202:
            response.headers["Location"] = f"{base}/operationResults/{operation.id}?{version}"
        self._retry_after(response)
        return response

    def _retry_after(self, response: web.Response) -> None:
        """Azure asks to come back in 10 s; scaled, as whole seconds where that is one at least, else in milliseconds."""
        seconds = 10 * self.azure.options.time_scale
        if seconds >= 1:
            response.headers["Retry-After"] = str(round(seconds))
        else:
            response.headers["retry-after-ms"] = response.headers["x-ms-retry-after-ms"] = str(max(20, round(seconds * 1000)))

    def _inline(self, request: web.Request, parsed: ids.ResourceId, name: str, body: Any, caller: Caller, entry: dict[str, Any]) -> web.Response:
        """A security rule, route or backend pool on its own: a view on its parent's list."""
        parent = self.azure.store.get(parsed.parent)
        if parent is None:
            raise errors.ParentNotFound(parsed.parent)
        items = self.azure.render(parent)["properties"][name]
        current = next((item for item in items if item["name"].lower() == parsed.name.lower()), None)
        if request.method == "GET":
            if current is None:
                raise errors.NotFound(parsed.text)
            return web.json_response(current)
        if request.method not in ("PUT", "DELETE") or not isinstance(body, dict):
            raise errors.ArmError(405, "MethodNotAllowed", f"{request.method} is not allowed on {parsed.text}.")
        changed = copy.deepcopy(parent.body)
        others = [item for item in changed["properties"][name] if item["name"].lower() != parsed.name.lower()]
        if request.method == "DELETE":
            if current is None:
                return web.Response(status=204)
            changed["properties"][name] = others
        else:
            changed["properties"][name] = [*others, {"name": parsed.name, "properties": body.get("properties") or {}}]
        response = self._write_inline(request, parent, changed, caller, entry)
        if request.method == "DELETE":
            return self._accepted(response, None, 200)
        shown = self.azure.render(self.azure.get(parent.id))["properties"][name]
        answer = web.json_response(next(item for item in shown if item["name"].lower() == parsed.name.lower()), status=200 if current else 201)
        if response:
            answer.headers.update(
                {key: value for key, value in self._accepted(response, None, 200).headers.items() if "async" in key.lower() or "retry" in key.lower()}
            )
        return answer

    def _write_inline(
        self, request: web.Request, parent: Resource, changed: dict[str, Any], caller: Caller, entry: dict[str, Any]
    ) -> Operation | None:
        _, operation, _, checked = self.azure.write(parent.id, changed, request.query["api-version"], caller)
        entry["schema"] = checked.schema
        return operation

    async def _collection_or_action(self, request: web.Request, parsed: ids.ResourceId, path: str, body: Any, caller: Caller) -> web.Response:
        owner = path.rsplit("/", 1)[0] if parsed.names else parsed.scope
        if request.method == "POST":
            resource = self.azure.get(owner)
            result = self.azure.kind_of(resource.type).action(self.azure, resource, parsed.tail, body, caller)
            if result is None:
                raise errors.ArmError(404, "NotFound", f"{resource.type} has no action {parsed.tail}.")
            return self._accepted(result, None, 202) if isinstance(result, Operation) else web.json_response(result)
        if request.method != "GET":
            raise errors.ArmError(405, "MethodNotAllowed", f"{request.method} is not allowed on a collection.")
        wanted = "/".join((parsed.namespace, *parsed.types, parsed.tail)).lower()
        listed = _INLINE_LISTS.get(wanted) or _SHOWN_LISTS.get(wanted)
        if listed:
            return web.json_response({"value": self.azure.render(self.azure.get(owner))["properties"][listed]})
        if wanted == "microsoft.insights/diagnosticsettingscategories":
            return web.json_response({"value": _diagnostic_categories(self.azure.get(parsed.scope))})
        if wanted == "microsoft.authorization/roledefinitions":
            return web.json_response({"value": _role_definitions(self.azure, request.query.get("$filter", ""))})
        served = self.azure.kind_of(wanted)
        if parsed.names:
            self.azure.get(owner)
            found = self.azure.store.children(owner, parsed.tail)
        elif wanted.startswith("microsoft.authorization/"):
            found = _at_scope(self.azure, wanted, parsed.scope, request.query.get("$filter", ""))
        else:
            self.azure.check_scope(ids.ResourceId(parsed.scope, "", (), ()))
            group = parsed.resource_group
            if group and not self.azure.store.get(parsed.scope):
                raise errors.GroupNotFound(group)
            found = [item for item in self.azure.store.of_type(served.type) if item.key.startswith(parsed.scope.lower() + "/")]
        return web.json_response({"value": [self.azure.render(item) for item in found]})

    # The subscription's own

    async def subscriptions(self, request: web.Request, path: str, body: Any) -> web.Response:
        return web.json_response({"value": [self._subscription()], "count": {"type": "Total", "value": 1}})

    async def subscription(self, request: web.Request, path: str, body: Any) -> web.Response:
        return web.json_response(self._subscription())

    def _subscription(self) -> dict[str, Any]:
        options = self.azure.options
        return {
            "id": self.azure.subscription_id,
            "subscriptionId": options.subscription,
            "tenantId": options.tenant,
            "displayName": "Lab",
            "state": "Enabled",
            "authorizationSource": "RoleBased",
            "subscriptionPolicies": {"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
            "managedByTenants": [],
        }

    async def tenants(self, request: web.Request, path: str, body: Any) -> web.Response:
        tenant = self.azure.options.tenant
        return web.json_response({"value": [{"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Lab", "tenantCategory": "Home"}]})

    async def locations(self, request: web.Request, path: str, body: Any) -> web.Response:
        value = [
            {
                "id": f"{self.azure.subscription_id}/locations/{name}",
                "name": name,
                "type": "Region",
                "displayName": display,
                "regionalDisplayName": display,
                "metadata": {"regionType": "Physical", "regionCategory": "Recommended", "geographyGroup": "Lab"},
                "availabilityZoneMappings": [{"logicalZone": zone, "physicalZone": f"{name}-az{zone}"} for zone in "123"],
            }
            for name, display in LOCATIONS.items()
        ]
        return web.json_response({"value": value})

    def _provider(self, namespace: str) -> dict[str, Any]:
        name = next((known for known in NAMESPACES if known.lower() == namespace.lower()), None)
        if name is None:
            raise errors.ArmError(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")
        types: list[dict[str, Any]] = [
            {"resourceType": found.type.partition("/")[2], "locations": list(LOCATIONS.values()), "apiVersions": ["2025-05-01"]}
            for found in KINDS.values()
            if found.type.startswith(name + "/")
        ]
        if name == "Microsoft.Compute":
            mappings = [{"location": display, "zones": ["1", "2", "3"]} for display in LOCATIONS.values()]
            types.append(
                {"resourceType": "virtualMachines", "locations": list(LOCATIONS.values()), "apiVersions": ["2025-04-01"], "zoneMappings": mappings}
            )
        return {
            "id": f"{self.azure.subscription_id}/providers/{name}",
            "namespace": name,
            "registrationState": self.azure.registration(name),
            "registrationPolicy": "RegistrationRequired",
            "resourceTypes": types,
        }

    async def providers(self, request: web.Request, path: str, body: Any) -> web.Response:
        return web.json_response({"value": [self._provider(name) for name in NAMESPACES]})

    async def provider(self, request: web.Request, path: str, body: Any, namespace: str) -> web.Response:
        return web.json_response(self._provider(namespace))

    async def register(self, request: web.Request, path: str, body: Any, namespace: str) -> web.Response:
        found = self._provider(namespace)
        self.azure.store.save_fact(f"registration/{found['namespace'].lower()}", "Registering")

        async def finish() -> None:
            await asyncio.sleep(20 * self.azure.options.time_scale)
            self.azure.store.save_fact(f"registration/{found['namespace'].lower()}", "Registered")

        self.azure.start(finish())
        return web.json_response(self._provider(namespace))

    async def groups(self, request: web.Request, path: str, body: Any) -> web.Response:
        fits = _generic_filter(request.query.get("$filter", ""))
        return web.json_response({"value": [self.azure.render(found) for found in self.azure.store.of_type(services.GROUP) if fits(found)]})

    async def resources(self, request: web.Request, path: str, body: Any, group: str | None = None) -> web.Response:
        scope = path.rsplit("/", 1)[0].lower()
        if group:
            self.azure.check_scope(ids.parse(scope))
        fits = _generic_filter(request.query.get("$filter", ""))
        value = []
        for found in list(self.azure.store.resources.values()):
            parsed = ids.parse(found.id)
            if len(parsed.names) == 1 and found.key.startswith(scope + "/") and "location" in found.body and fits(found):
                rendered = self.azure.render(found)
                value.append(
                    {key: rendered[key] for key in ("id", "name", "type", "location", "tags", "sku", "zones", "identity") if key in rendered}
                )
        return web.json_response({"value": value})

    async def operation(self, request: web.Request, path: str, body: Any, identifier: str) -> web.Response:
        found = self.azure.operation_status(identifier)
        answer: dict[str, Any] = {"id": path, "name": found.id, "status": found.status}
        if found.error:
            answer["error"] = found.error
        response = web.json_response(answer)
        if found.status == "InProgress":
            self._retry_after(response)
        return response

    async def operation_result(self, request: web.Request, path: str, body: Any, identifier: str) -> web.Response:
        found = self.azure.operation_status(identifier)
        if found.status == "InProgress":
            response = web.Response(status=202)
            response.headers["Location"] = f"{self.endpoint}{request.path_qs}"
            self._retry_after(response)
            return response
        if found.error:
            raise errors.ArmError(409, found.error["code"], found.error["message"])
        resource = self.azure.store.get(found.resource)
        return self._show(resource) if resource and found.verb in ("create", "update") else web.Response(status=204)

    async def tags(self, request: web.Request, path: str, body: Any, scope: str) -> web.Response:
        """The tags of a resource as a resource of their own."""
        resource = self.azure.get(scope) if ids.parse(scope).resource_group else None
        if resource is None:
            raise errors.ArmError(400, "BadRequest", "The lab's subscription has no tags.")
        sent = (body.get("properties") or {}).get("tags") or {}
        old = resource.body.get("tags") or {}
        match request.method, str(body.get("operation", "")).lower():
            case "GET", _:
                wanted = old
            case "PUT", _:
                wanted = sent
            case "PATCH", "merge":
                wanted = old | sent
            case "PATCH", "replace":
                wanted = sent
            case "PATCH", "delete":
                wanted = {key: value for key, value in old.items() if sent.get(key) != value}
            case "DELETE", _:
                wanted = {}
            case _:
                raise errors.ArmError(400, "InvalidRequestContent", f"{request.method} {body.get('operation')} is no operation on tags.")
        if request.method != "GET":
            self.azure.check_locks(resource.id, deleting=False)
            resource.body["tags"] = wanted
            self.azure.store.save(resource)
        if request.method == "DELETE":
            return web.Response(status=200)
        base = f"{resource.id}/providers/Microsoft.Resources/tags/default"
        return web.json_response({"id": base, "name": "default", "type": "Microsoft.Resources/tags", "properties": {"tags": wanted}})

    async def kubernetes_versions(self, request: web.Request, path: str, body: Any, location: str) -> web.Response:
        return web.json_response(catalog.kubernetes_versions(self.azure, location))

    async def orchestrators(self, request: web.Request, path: str, body: Any, location: str) -> web.Response:
        return web.json_response(catalog.orchestrators(self.azure, location))

    async def skus(self, request: web.Request, path: str, body: Any) -> web.Response:
        location = re.search(r"location eq '([^']+)'", request.query.get("$filter", ""))
        return web.json_response(catalog.skus(self.azure, [location[1].replace(" ", "").lower()] if location else list(LOCATIONS)))

    async def vm_sizes(self, request: web.Request, path: str, body: Any, location: str) -> web.Response:
        return web.json_response(catalog.vm_sizes(self.azure, location))

    async def managed_hsms(self, request: web.Request, path: str, body: Any) -> web.Response:
        """Clients that list vaults list these too; the lab has none."""
        return web.json_response({"value": []})

    async def usages(self, request: web.Request, path: str, body: Any, namespace: str, location: str) -> web.Response:
        if namespace == "microsoft.compute":
            cores = sum(self._cores(found) for found in self.azure.store.of_type(compute.SCALE_SET) if found.body["location"] == location)
            used = {"cores": cores, "standardDDSv5Family": cores}
        else:
            used = network.usages(self.azure, location)
        return web.json_response({"value": [self._usage(name, count) for name, count in used.items()]})

    def _usage(self, name: str, count: int) -> dict[str, Any]:
        return {"name": {"value": name, "localizedValue": QUOTAS[name][0]}, "currentValue": count, "limit": self.azure.quota(name), "unit": "Count"}

    @staticmethod
    def _cores(scale_set: Resource) -> int:
        digits = re.search(r"\d+", scale_set.body["sku"]["name"])
        return int(digits[0]) * int(scale_set.body["sku"]["capacity"]) if digits else 0

    async def name_availability(self, request: web.Request, path: str, body: Any, namespace: str) -> web.Response:
        name = str(body.get("name", ""))
        if path.lower().endswith("/checkmhsmnameavailability"):
            return web.json_response({"nameAvailable": True})
        served = services.VAULT if namespace == "microsoft.keyvault" else services.REGISTRY
        taken = any(found.name.lower() == name.lower() for found in self.azure.store.of_type(served)) or name.lower() in self.azure.store.facts.get(
            "taken", []
        )
        if namespace == "microsoft.keyvault" and name.lower() in self.azure.store.deleted_vaults:
            taken = True
        answer: dict[str, Any] = {"nameAvailable": not taken}
        if taken:
            answer |= {"reason": "AlreadyExists", "message": f"The name '{name}' is already in use."}
        return web.json_response(answer)

    def _deleted_vault(self, name: str) -> dict[str, Any]:
        found = self.azure.store.deleted_vaults.get(name.lower())
        if found is None:
            raise errors.ArmError(404, "DeletedVaultNotFound", f"The specified deleted vault '{name}' does not exist.")
        stamp = "%Y-%m-%dT%H:%M:%SZ"
        vault = found["id"].rsplit("/", 1)[1]
        return {
            "id": f"{self.azure.subscription_id}/providers/Microsoft.KeyVault/locations/{found['location']}/deletedVaults/{vault}",
            "name": vault,
            "type": "Microsoft.KeyVault/deletedVaults",
            "properties": {
                "vaultId": found["id"],
                "location": found["location"],
                "tags": found["body"].get("tags") or {},
                "deletionDate": time.strftime(stamp, time.gmtime(found["deleted"])),
                "scheduledPurgeDate": time.strftime(stamp, time.gmtime(found["purge"])),
                "purgeProtectionEnabled": found["body"]["properties"].get("enablePurgeProtection", False),
            },
        }

    async def deleted_vaults(self, request: web.Request, path: str, body: Any) -> web.Response:
        return web.json_response({"value": [self._deleted_vault(name) for name in self.azure.store.deleted_vaults]})

    async def deleted_vault(self, request: web.Request, path: str, body: Any, location: str, name: str) -> web.Response:
        return web.json_response(self._deleted_vault(name))

    async def purge_vault(self, request: web.Request, path: str, body: Any, location: str, name: str) -> web.Response:
        if self._deleted_vault(name)["properties"]["purgeProtectionEnabled"]:
            raise errors.ArmError(400, "MethodNotAllowed", "Operation is not allowed: the vault is protected against purge until its retention ends.")
        self.azure.store.save_deleted_vault(name, None)
        return web.Response(status=200)


def _generic_filter(text: str) -> Callable[[Resource], bool]:
    """``$filter`` of the generic lists: conjunctions of equalities."""
    tests = {name.lower(): value for name, value in re.findall(r"(\w+) eq '([^']*)'", text)}

    def fits(resource: Resource) -> bool:
        tags = {key.lower(): value for key, value in (resource.body.get("tags") or {}).items()}
        facts = {
            "resourcetype": resource.type,
            "name": resource.name,
            "location": str(resource.body.get("location", "")),
            "resourcegroup": ids.parse(resource.id).resource_group,
        }
        for name, wanted in tests.items():
            if name == "tagname":
                if wanted.lower() not in tags:
                    return False
            elif name == "tagvalue":
                if tags.get(tests.get("tagname", "").lower()) != wanted:
                    return False
            elif name in facts and facts[name].lower() != wanted.lower():
                return False
        return True

    return fits


def _diagnostic_categories(resource: Resource) -> list[dict[str, Any]]:
    base = f"{resource.id}/providers/Microsoft.Insights/diagnosticSettingsCategories"
    kinds = [(name, "Logs") for name in services.DIAGNOSTIC_CATEGORIES.get(resource.type.lower(), ())] + [("AllMetrics", "Metrics")]
    return [
        {
            "id": f"{base}/{name}",
            "name": name,
            "type": "Microsoft.Insights/diagnosticSettingsCategories",
            "properties": {"categoryType": category, "categoryGroups": ["allLogs"] if category == "Logs" else []},
        }
        for name, category in kinds
    ]


def _at_scope(azure: Azure, wanted: str, scope: str, query: str) -> list[Resource]:
    """Locks and role assignments that hold at a scope: those on it, above it and below it."""
    result = []
    principal = re.search(r"principalId eq '([^']+)'", query)
    for found in azure.store.of_type(wanted):
        at = ids.parse(found.id).scope.lower()
        related = scope.lower().startswith(at) or (at.startswith(scope.lower()) and "atscope()" not in query.lower())
        if related and (not principal or found.properties.get("principalId") == principal[1]):
            result.append(found)
    return result


def _role_definitions(azure: Azure, query: str) -> list[dict[str, Any]]:
    name = re.search(r"roleName eq '([^']+)'", query)
    return [_role_definition(azure, guid) for guid, role in services.BUILT_IN_ROLES.items() if not name or role.lower() == name[1].lower()]


def _role_definition(azure: Azure, guid: str) -> dict[str, Any]:
    if guid not in services.BUILT_IN_ROLES:
        raise errors.ArmError(404, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{guid}' does not exist.")
    return {
        "id": f"{azure.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        "name": guid,
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": services.BUILT_IN_ROLES[guid],
            "type": "BuiltInRole",
            "description": "",
            "assignableScopes": ["/"],
            "permissions": [],
        },
    }


async def _role_definition_route(server: Server, request: web.Request, path: str, body: Any, guid: str) -> web.Response:
    return web.json_response(_role_definition(server.azure, guid))


_S = "/subscriptions/[^/]+"
_SUBSCRIPTION_ROUTES: list[tuple[str, Any]] = [
    ("/subscriptions", Server.subscriptions),
    ("/tenants", Server.tenants),
    (_S, Server.subscription),
    (f"{_S}/locations", Server.locations),
    (f"{_S}/providers", Server.providers),
    (f"{_S}/providers/([^/]+)", Server.provider),
    (f"{_S}/providers/([^/]+)/register", Server.register),
    (f"{_S}/resourcegroups", Server.groups),
    (f"{_S}/resources", Server.resources),
    (f"{_S}/resourcegroups/([^/]+)/resources", Server.resources),
    (f"{_S}/providers/[^/]+/locations/[^/]+/operations/([^/]+)", Server.operation),
    (f"{_S}/providers/[^/]+/locations/[^/]+/operationresults/([^/]+)", Server.operation_result),
    (f"{_S}/providers/(microsoft.compute|microsoft.network)/locations/([^/]+)/usages", Server.usages),
    (f"{_S}/providers/(microsoft.keyvault|microsoft.containerregistry)/check(?:mhsm)?nameavailability", Server.name_availability),
    (f"{_S}/providers/microsoft.containerservice/locations/([^/]+)/kubernetesversions", Server.kubernetes_versions),
    (f"{_S}/providers/microsoft.containerservice/locations/([^/]+)/orchestrators", Server.orchestrators),
    (f"{_S}/providers/microsoft.compute/skus", Server.skus),
    (f"{_S}/providers/microsoft.compute/locations/([^/]+)/vmsizes", Server.vm_sizes),
    (f"{_S}(?:/resourcegroups/[^/]+)?/providers/microsoft.keyvault/(?:deletedmanagedhsms|managedhsms)", Server.managed_hsms),
    (f"({_S}.*)/providers/microsoft.resources/tags/default", Server.tags),
    (f"{_S}/providers/microsoft.keyvault/deletedvaults", Server.deleted_vaults),
    (f"{_S}/providers/microsoft.keyvault/locations/([^/]+)/deletedvaults/([^/]+)", Server.deleted_vault),
    (f"{_S}/providers/microsoft.keyvault/locations/([^/]+)/deletedvaults/([^/]+)/purge", Server.purge_vault),
    (f"(?:{_S})?/providers/microsoft.authorization/roledefinitions/([^/]+)", _role_definition_route),
]
