"""The content of pods' volumes of the Secrets Store CSI driver, which the plugin on each node requests over a Unix socket of the lab.

This stands in for the driver's Azure provider, which goes to Entra ID and to the vault's private endpoint itself. Who may read what is
decided as there: by federated credentials, the identities of the nodes, and role assignments on the vault.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
import yaml
from aiohttp import web

from ..arm.azure import Azure
from ..arm.keyvault import secrets
from ..arm.keyvault.secrets import Refused
from ..arm.store import Resource
from .control_plane import ControlPlane

_CLASSES = "/apis/secrets-store.csi.x-k8s.io/v1/namespaces/{namespace}/secretproviderclasses/{name}"
_POD = "csi.storage.k8s.io/"


class SecretVolumes:
    """Answers the plugins of one cluster's nodes."""

    def __init__(self, azure: Azure, cluster: str, control_plane: ControlPlane, path: Path) -> None:
        self._azure, self._cluster, self._control_plane, self.path = azure, cluster, control_plane, path
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        application = web.Application()
        application.router.add_post("/volumes", self._answer)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        self.path.unlink(missing_ok=True)
        await web.UnixSite(self._runner, str(self.path)).start()

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            return web.json_response(await self._files(await request.json()))
        except Refused as refused:
            return web.Response(status=403, text=str(refused))

    async def _files(self, volume: Mapping[str, str]) -> dict[str, str]:
        """File name -> its content in base64."""
        place = {"namespace": volume[f"{_POD}pod.namespace"], "name": volume.get("secretProviderClass", "")}
        status, found = await self._control_plane.call("GET", _CLASSES.format(**place))
        if status != 200:
            raise Refused(f"SecretProviderClass {place['namespace']}/{place['name']}: {found.get('message', status)}")
        if found["spec"].get("provider") != "azure":
            raise Refused(f"provider {found['spec'].get('provider')!r} is not installed")
        parameters = found["spec"].get("parameters") or {}
        identity = self._identity(parameters, volume)
        files = {}
        for text in yaml.safe_load(parameters["objects"])["array"]:
            wanted = yaml.safe_load(text)
            value = secrets.secret(self._azure, parameters["keyvaultName"], wanted["objectName"], identity)
            files[wanted.get("objectAlias") or wanted["objectName"]] = base64.b64encode(value.encode()).decode()
        return files

    def _identity(self, parameters: Mapping[str, str], volume: Mapping[str, str]) -> Resource:
        """Whose rights count: those of a workload identity, by the pod's service account; or of an identity that the nodes have."""
        if parameters.get("tenantId") != self._azure.options.tenant:
            raise Refused(f"AADSTS90002: Tenant '{parameters.get('tenantId')}' not found.")
        if parameters.get("useVMManagedIdentity") == "true":
            return self._of_nodes(parameters.get("userAssignedIdentityID", ""))
        tokens: dict[str, Any] = json.loads(volume.get(f"{_POD}serviceAccount.tokens") or "{}")
        if secrets.EXCHANGE_AUDIENCE not in tokens:
            raise Refused(f"the pod's service account has no token for {secrets.EXCHANGE_AUDIENCE}")
        try:
            claims = jwt.decode(
                tokens[secrets.EXCHANGE_AUDIENCE]["token"],
                self._control_plane.service_account_key,
                algorithms=["RS256"],
                audience=secrets.EXCHANGE_AUDIENCE,
            )
        except jwt.PyJWTError as error:
            raise Refused(f"AADSTS50027: Invalid JWT token: {error}.") from error
        return secrets.exchange(self._azure, parameters.get("clientID", ""), claims)

    def _of_nodes(self, client_id: str) -> Resource:
        identity = secrets.identity_of(self._azure, client_id)
        cluster = self._azure.get(self._cluster)
        computed = cluster.hidden["computed"]
        attached = [
            computed["identityProfile"]["kubeletidentity"],
            *(profile["identity"] for profile in (computed.get("addonProfiles") or {}).values()),
        ]
        if client_id not in [facts["clientId"] for facts in attached]:
            raise Refused(f"400 Identity not found: no node has the identity {identity.id}.")
        return identity
