"""Microsoft Entra ID as far as clients of Azure need it: discovery, tokens for a client secret, tokens for managed identities."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .errors import ArmError
from .kinds import Caller
from .options import Options

_LIFETIME = 3600
#: scopes of OpenID Connect, which client libraries (Go's among them) request beside the resource's
_OPENID_SCOPES = {"openid", "offline_access", "profile", "email"}


class Unauthorized(ArmError):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(401, code, message)


class Entra:
    """One tenant with the lab's service principals, ``secrets`` by their names, and the store's managed identities."""

    def __init__(self, options: Options, folder: Path, endpoint: str, secrets: Mapping[str, str]) -> None:
        self.options, self.endpoint, self._secrets = options, endpoint, secrets
        path = folder / "entra.key"
        if not path.exists():
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            path.touch(mode=0o600)
            path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        loaded = serialization.load_pem_private_key(path.read_bytes(), None)
        assert isinstance(loaded, rsa.RSAPrivateKey)
        self._key = loaded

    @property
    def issuer(self) -> str:
        return f"{self.endpoint}/{self.options.tenant}/v2.0"

    def answer(self, request: web.Request, raw: bytes) -> web.Response:
        """A request that needs no token: the cloud's metadata, discovery, keys and tokens. ``raw`` is its body."""
        segments = request.path.strip("/").split("/")
        match [segment for segment in request.path.lower().split("/") if segment]:
            case ["metadata", "endpoints"]:
                return web.json_response(self.metadata(request.query.get("api-version", "")))
            case ["common", "discovery", "instance"]:
                return web.json_response(self._instance_discovery())
            case [_, "v2.0", ".well-known", "openid-configuration"] | [_, ".well-known", "openid-configuration"]:
                return web.json_response(self.openid_configuration(segments[0]))
            case [_, "discovery", "v2.0", "keys"] | [_, "discovery", "keys"]:
                return web.json_response(self.keys())
            case [_, "oauth2", "v2.0", "token"] | [_, "oauth2", "token"] if request.method == "POST":
                try:
                    return web.json_response(self.client_token(dict(parse_qsl(raw.decode()))))
                except ArmError as error:
                    return web.json_response({"error": error.code, "error_description": error.message}, status=error.status)
        raise ArmError(404, "NotFound", f"The lab's Azure has nothing at {request.path}.")

    def _instance_discovery(self) -> dict[str, Any]:
        host = self.endpoint.removeprefix("https://")
        return {
            "tenant_discovery_endpoint": f"{self.endpoint}/{self.options.tenant}/v2.0/.well-known/openid-configuration",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }

    def openid_configuration(self, tenant: str) -> dict[str, Any]:
        login = f"{self.endpoint}/{tenant}"
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{login}/oauth2/v2.0/authorize",
            "token_endpoint": f"{login}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{login}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{self.endpoint}/{tenant}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token", "token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "tenant_region_scope": "EU",
        }

    def keys(self) -> dict[str, Any]:
        algorithm = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
        key: dict[str, Any] = dict(algorithm.to_jwk(self._key.public_key(), as_dict=True))
        return {"keys": [key | {"kid": "lab", "use": "sig", "alg": "RS256"}]}

    def metadata(self, api_version: str) -> Any:
        """``/metadata/endpoints``: how clients learn of a cloud. A list of clouds; since api-version 2022-09-01 only the one that is asked."""
        clouds = [
            {
                "name": "Lab",
                "portal": self.endpoint,
                "resourceManager": self.endpoint,
                "authentication": {
                    "loginEndpoint": self.endpoint,
                    "audiences": [self.endpoint, f"{self.endpoint}/"],
                    "tenant": self.options.tenant,
                    "identityProvider": "AAD",
                },
                "graph": f"{self.endpoint}/graph",
                "graphAudience": f"{self.endpoint}/graph",
                "microsoftGraphResourceId": f"{self.endpoint}/msgraph/",
                "media": self.endpoint,
                "batch": self.endpoint,
                "gallery": self.endpoint,
                "sqlManagement": self.endpoint,
                "activeDirectoryDataLake": self.endpoint,
                "suffixes": {
                    "keyVaultDns": "vault.azure.net",
                    "storage": "core.windows.net",
                    "acrLoginServer": "azurecr.io",
                    "sqlServerHostname": "database.windows.net",
                    "azureDataLakeStoreFileSystem": "azuredatalakestore.net",
                    "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
                },
            }
        ]
        return clouds if api_version < "2022-09-01" else clouds[0]

    def client_token(self, form: dict[str, str]) -> dict[str, Any]:
        """The client credentials grant (RFC 6749 4.4)."""
        if form.get("grant_type") != "client_credentials":
            raise ArmError(400, "unsupported_grant_type", "AADSTS70003: The lab knows the client credentials grant only.")
        given = form.get("client_secret", "").encode()
        for principal in self.options.principals:
            if form.get("client_id") == principal.client_id and hmac.compare_digest(given, self._secrets[principal.name].encode()):
                return self.token(_audience(form), principal.object_id, principal.client_id)
        raise ArmError(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")

    def token(self, audience: str, object_id: str, client_id: str) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "aud": audience,
            "iss": self.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + _LIFETIME,
            "appid": client_id,
            "azp": client_id,
            "idtyp": "app",
            "oid": object_id,
            "sub": object_id,
            "tid": self.options.tenant,
            "ver": "2.0",
        }
        encoded = jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": "lab"})
        return {
            "token_type": "Bearer",
            "expires_in": _LIFETIME,
            "ext_expires_in": _LIFETIME,
            "expires_on": str(now + _LIFETIME),
            "resource": audience,
            "access_token": encoded,
        }

    def verify(self, authorization: str, user_agent: str, *, graph: bool = False) -> Caller:
        """Who sent this ``Authorization`` header; signature, issuer, audience (ARM's, or Microsoft Graph's) and expiry are checked."""
        scheme, _, encoded = authorization.partition(" ")
        if scheme.lower() != "bearer" or not encoded:
            raise Unauthorized("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        audiences = [
            self.endpoint,
            f"{self.endpoint}/",
            "https://management.azure.com",
            "https://management.core.windows.net/",
            "https://management.azure.com/",
        ]
        if graph:
            audiences = [f"{self.endpoint}/msgraph", f"{self.endpoint}/msgraph/", "https://graph.microsoft.com", "https://graph.microsoft.com/"]
        required: Any = {"require": ["exp", "iss", "aud", "oid", "appid"]}
        try:
            claims = jwt.decode(encoded, self._key.public_key(), algorithms=["RS256"], audience=audiences, issuer=self.issuer, options=required)
        except jwt.ExpiredSignatureError as error:
            raise Unauthorized("ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time.") from error
        except jwt.PyJWTError as error:
            raise Unauthorized("InvalidAuthenticationToken", f"The access token is invalid: {error}.") from error
        return Caller(claims["oid"], claims["appid"], user_agent)


def _audience(form: dict[str, str]) -> str:
    """The resource that a token is requested for: ``scope`` of Entra's v2.0 endpoint, ``resource`` of its v1.0 endpoint."""
    scope = form.get("scope", "")
    resources = [text for text in scope.split() if text not in _OPENID_SCOPES]
    if not resources and form.get("resource"):
        return form["resource"]
    if len(resources) != 1 or not resources[0].endswith("/.default"):
        raise ArmError(
            400,
            "invalid_scope",
            f"AADSTS1002012: The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
            "/.default suffixed to the resource identifier (application ID URI).",
        )
    return resources[0].removesuffix("/.default")
