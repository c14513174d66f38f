"""Credentials and clouds, with azure.azcollection's option names and environment variables.

This file is private to the collection.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .._libraries import (
    AzureCliCredential,
    AzureClouds,
    ClientSecretCredential,
    ManagedIdentityCredential,
    RequestsTransport,
    TokenCredential,
    get_arm_endpoints,
    requests,
)
from .connections import session
from .types import version_of

#: what a Resource Manager says of its cloud, to anybody
_METADATA = "/metadata/endpoints"
_NAMED_CLOUDS = {
    "AzureCloud": ("AZURE_PUBLIC_CLOUD", "https://login.microsoftonline.com"),
    "AzureChinaCloud": ("AZURE_CHINA_CLOUD", "https://login.partner.microsoftonline.cn"),
    "AzureUSGovernment": ("AZURE_US_GOVERNMENT", "https://login.microsoftonline.us"),
}

#: option -> environment variable, as azure.azcollection reads them
ENVIRONMENT = {
    "subscription_id": "AZURE_SUBSCRIPTION_ID",
    "client_id": "AZURE_CLIENT_ID",
    "secret": "AZURE_SECRET",
    "tenant": "AZURE_TENANT",
    "cloud_environment": "AZURE_CLOUD_ENVIRONMENT",
    "profile": "AZURE_PROFILE",
    "auth_source": "ANSIBLE_AZURE_AUTH_SOURCE",
}


class CredentialError(ValueError):
    """No usable credentials; the message says what to set."""


@dataclass(frozen=True)
class Cloud:
    """Where Azure is: Resource Manager's endpoint, the scope of its tokens, and the login authority."""

    name: str
    endpoint: str
    scope: str
    authority: str


@dataclass(frozen=True)
class Login:
    """A credential with what it is for."""

    credential: TokenCredential
    cloud: Cloud
    subscription_id: str
    tenant: str


def cloud_of(name: str, timeout: float = 30) -> Cloud:
    """A cloud by its name, or by the URL of its Resource Manager (asked for its metadata)."""
    if name in _NAMED_CLOUDS:
        named, authority = _NAMED_CLOUDS[name]
        endpoints = get_arm_endpoints(AzureClouds[named])
        return Cloud(name, endpoints["resource_manager"], endpoints["credential_scopes"][0], authority)
    if urlsplit(name).scheme != "https":
        raise CredentialError(f"cloud_environment {name!r} is neither {', '.join(_NAMED_CLOUDS)} nor an https URL.")
    url = os.environ.get("ARM_CLOUD_METADATA_URL") or f"{name.rstrip('/')}{_METADATA}?api-version={version_of(_METADATA)}"
    try:
        with session() as asking:
            answer = asking.get(url, timeout=timeout)
        answer.raise_for_status()
        clouds = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise CredentialError(f"cloud_environment {name!r}: its metadata at {url} cannot be read: {error}.") from error
    metadata = next((item for item in clouds if item["resourceManager"].rstrip("/").lower() == name.rstrip("/").lower()), None)
    if metadata is None:
        raise CredentialError(f"cloud_environment {name!r}: {url} does not describe a cloud with this endpoint.")
    audience = metadata["authentication"]["audiences"][0].rstrip("/")
    return Cloud(
        metadata["name"], metadata["resourceManager"].rstrip("/"), f"{audience}/.default", metadata["authentication"]["loginEndpoint"].rstrip("/")
    )


def _from_file(profile: str) -> dict[str, str]:
    """``~/.azure/credentials``, azure.azcollection's file."""
    path = Path.home() / ".azure" / "credentials"
    parser = configparser.ConfigParser()
    parser.read(path)
    return dict(parser[profile]) if parser.has_section(profile) else {}


def login(options: Mapping[str, Any]) -> Login:
    """The credential that the options, the environment or the credentials file give, in this order.

    ``auth_source``: ``auto`` (a client secret if there is one, else the Azure CLI), ``env``, ``credential_file``, ``cli``, ``msi``.
    Raises :class:`CredentialError`.
    """

    def option(name: str) -> str:
        return str(options.get(name) or os.environ.get(ENVIRONMENT[name]) or stored.get(name) or "")

    stored: dict[str, str] = {}
    source = option("auth_source") or "auto"
    if source in ("auto", "credential_file"):
        stored = _from_file(option("profile") or "default")
    cloud = cloud_of(option("cloud_environment") or "AzureCloud")
    subscription, tenant = option("subscription_id"), option("tenant")
    if not subscription:
        raise CredentialError("No subscription: set dualstack_subscription_id, or AZURE_SUBSCRIPTION_ID.")
    discovery = os.environ.get("AZURE_DISABLE_INSTANCE_DISCOVERY", "").lower() not in ("", "0", "false")
    if source == "msi":
        return Login(ManagedIdentityCredential(client_id=option("client_id") or None), cloud, subscription, tenant)
    if source == "cli":
        return Login(AzureCliCredential(tenant_id=tenant), cloud, subscription, tenant)
    missing = [name for name in ("client_id", "secret", "tenant") if not option(name)]
    if missing and source == "auto" and len(missing) == 3:
        return Login(AzureCliCredential(tenant_id=tenant), cloud, subscription, tenant)
    if missing:
        names = ", ".join(f"{name} ({ENVIRONMENT[name]})" for name in missing)
        raise CredentialError(f"Credentials are incomplete: {names} not set. Set them, or log in with az and use auth_source: cli.")
    credential = ClientSecretCredential(
        tenant,
        option("client_id"),
        option("secret"),
        authority=cloud.authority,
        disable_instance_discovery=discovery,
        transport=RequestsTransport(session=session(), session_owner=False),
    )
    return Login(credential, cloud, subscription, tenant)
