"""Who may read which secret of a vault: role assignments, federated credentials, the nodes' identities."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lab.arm.azure import Azure
from lab.arm.keyvault import secrets
from lab.kubernetes.volumes import SecretVolumes
from tests.lab.test_requests import GROUP, IDENTITY, OPTIONS, VAULT, Client, against

READER = f"/subscriptions/{OPTIONS.subscription}/providers/Microsoft.Authorization/roleDefinitions/4633458b-17de-408a-b874-0445c86b69e6"
ISSUER, SUBJECT = "https://issuer.example.org/", "system:serviceaccount:dualstack-ingress:entrance"
POD = {"csi.storage.k8s.io/pod.namespace": "dualstack-ingress", "secretProviderClass": "entrance"}
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class ControlPlane:
    """The two things that volumes ask of one."""

    service_account_key = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def __init__(self, parameters: dict[str, str]) -> None:
        objects = {"array": [yaml.safe_dump({"objectName": "shop", "objectType": "secret", "objectAlias": "shop.pem"})]}
        self._spec = {"provider": "azure", "parameters": {"keyvaultName": "vault1", "objects": yaml.safe_dump(objects)} | parameters}

    async def call(self, _method: str, path: str) -> tuple[int, Any]:
        assert path.endswith("/namespaces/dualstack-ingress/secretproviderclasses/entrance")
        return 200, {"spec": self._spec}


def token(subject: str = SUBJECT, issuer: str = ISSUER, audience: str = secrets.EXCHANGE_AUDIENCE) -> dict[str, str]:
    encoded = jwt.encode({"iss": issuer, "sub": subject, "aud": [audience]}, KEY, algorithm="RS256")
    return {"csi.storage.k8s.io/serviceAccount.tokens": json.dumps({audience: {"token": encoded}})}


async def files(azure: Azure, parameters: dict[str, str], volume: dict[str, str]) -> dict[str, str]:
    plane: Any = ControlPlane({"tenantId": OPTIONS.tenant} | parameters)
    return await SecretVolumes(azure, f"{GROUP}/none", plane, Path("unused"))._files(POD | volume)


def with_secret(folder: Path, work: Any) -> None:
    """Run ``work(client, azure, client id)`` where an identity may read a vault that holds a secret."""

    async def prepared(client: Client) -> None:
        azure = client.server.azure
        await client.put(f"{VAULT}/secrets/shop", {"properties": {"value": "a certificate and its key", "contentType": "application/x-pem-file"}})
        identity = azure.get(IDENTITY)
        properties = {"issuer": ISSUER, "subject": SUBJECT, "audiences": [secrets.EXCHANGE_AUDIENCE]}
        await client.put(f"{IDENTITY}/federatedIdentityCredentials/entrance", {"properties": properties})
        granted = {"roleDefinitionId": READER, "principalId": identity.properties["principalId"], "principalType": "ServicePrincipal"}
        assignment = f"{VAULT}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-0000000000aa"
        await client.put(assignment, {"properties": granted})
        await work(client, azure, identity.properties["clientId"])

    against(folder, prepared)


def test_a_pod_reads_what_its_identity_may_read(tmp_path: Path) -> None:
    async def work(client: Client, azure: Azure, client_id: str) -> None:
        assert await files(azure, {"clientID": client_id}, token()) == {"shop.pem": "YSBjZXJ0aWZpY2F0ZSBhbmQgaXRzIGtleQ=="}
        shown = json.dumps(await client.get(f"{VAULT}/secrets/shop"))
        assert "a certificate and its key" not in shown

    with_secret(tmp_path, work)


#: what is wrong -> parameters, the pod's token, what the answer says
REFUSED: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "another service account": ({}, token(subject="system:serviceaccount:default:default"), "AADSTS700213"),
    "another cluster": ({}, token(issuer="https://other.example.org/"), "AADSTS700213"),
    "no token for Entra ID": ({}, token(audience="https://kubernetes.default.svc"), "has no token"),
    "an unknown identity": ({"clientID": "00000000-0000-4000-8000-0000000000bb"}, token(), "AADSTS700016"),
    "an identity that no node has": ({"useVMManagedIdentity": "true"}, {}, "AADSTS700016"),
    "another tenant": ({"tenantId": "00000000-0000-4000-8000-0000000000cc"}, token(), "AADSTS90002"),
    "an unknown vault": ({"keyvaultName": "vault2"}, token(), "vault2.vault.azure.net"),
    "a secret that is not there": ({"objects": yaml.safe_dump({"array": ["objectName: other\n"]})}, token(), "SecretNotFound"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_others_are_refused(tmp_path: Path, case: str) -> None:
    parameters, volume, said = REFUSED[case]

    async def work(_client: Client, azure: Azure, client_id: str) -> None:
        with pytest.raises(secrets.Refused, match=said):
            await files(azure, {"clientID": client_id} | parameters, volume)

    with_secret(tmp_path, work)


def test_without_a_role_on_the_vault_it_is_forbidden(tmp_path: Path) -> None:
    async def work(client: Client, azure: Azure, client_id: str) -> None:
        assignment = f"{VAULT}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-0000000000aa"
        assert (await client.call("DELETE", assignment))[0] in (200, 204)
        await asyncio.gather(*client.server.azure.operations.tasks)
        with pytest.raises(secrets.Refused, match="403 Forbidden"):
            await files(azure, {"clientID": client_id}, token())

    with_secret(tmp_path, work)
