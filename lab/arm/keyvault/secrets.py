"""Key Vault's data plane, as far as volumes of pods need it: a secret's value, for an identity that may read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..authorization.roles import roles_on
from ..azure import Azure
from ..managedidentity.kinds import CREDENTIAL, IDENTITY
from ..store import Resource
from .kinds import SECRET, VAULT

#: roles that may read secrets (learn.microsoft.com/azure/key-vault/general/rbac-guide)
_READERS = {
    "4633458b-17de-408a-b874-0445c86b69e6",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "00482a5a-887f-4fb3-b363-3b7fe8e74483",
}
#: the audience of service accounts' tokens (learn.microsoft.com/azure/aks/workload-identity-overview)
EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"


class Refused(Exception):
    """The refusal of Entra ID or of the vault."""


def identity_of(azure: Azure, client_id: str) -> Resource:
    """The managed identity with this client id."""
    for identity in azure.store.of_type(IDENTITY):
        if client_id and identity.properties.get("clientId") == client_id:
            return identity
    raise Refused(f"AADSTS700016: Application with identifier '{client_id}' was not found in the directory.")


def exchange(azure: Azure, client_id: str, claims: Mapping[str, Any]) -> Resource:
    """The identity that a service account's token stands for: one of its federated credentials names issuer, subject and audience."""
    identity = identity_of(azure, client_id)
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    for credential in azure.store.of_type(CREDENTIAL):
        properties = credential.properties
        if (
            credential.key.startswith(f"{identity.key}/")
            and properties["issuer"] == claims["iss"]
            and properties["subject"] == claims["sub"]
            and set(properties["audiences"]) & set(audiences)
        ):
            return identity
    raise Refused(
        f"AADSTS700213: No matching federated identity record found for presented assertion subject '{claims['sub']}', "
        f"issuer '{claims['iss']}', audience '{', '.join(audiences)}'."
    )


def secret(azure: Azure, vault: str, name: str, identity: Resource) -> str:
    """The newest value of a secret; certificates are among them, with their keys."""
    found = next((item for item in azure.store.of_type(VAULT) if item.name.lower() == vault.lower()), None)
    if found is None:
        raise Refused(f"{vault}.vault.azure.net: no such host")
    if not found.properties.get("enableRbacAuthorization") or not roles_on(azure, identity.properties["principalId"], found.id) & _READERS:
        raise Refused(
            f"403 Forbidden: Caller is not authorized to perform action on resource {found.id}. "
            f"Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'. Caller: oid={identity.properties['principalId']}"
        )
    held = azure.store.get(f"{found.id}/secrets/{name}")
    if held is None or held.type.lower() != SECRET.lower() or "value" not in held.hidden:
        raise Refused(f"404 SecretNotFound: A secret with (name/id) {name} was not found in this key vault.")
    return str(held.hidden["value"])
