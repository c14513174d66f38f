"""Tokens: what the lab's Entra ID hands out, and what Azure Resource Manager takes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import jwt
import pytest

from lab.arm.entra import Entra
from lab.arm.errors import ArmError
from lab.arm.kinds import Caller
from lab.arm.options import Options

OPTIONS = Options()
ENDPOINT = "https://localhost:8443"
SECRET = "correct horse"
SECRETS = {"client": SECRET, "reader": "battery staple"}
FORM = {"grant_type": "client_credentials", "client_id": OPTIONS.client, "client_secret": SECRET, "scope": f"{ENDPOINT}/.default"}
HOUR = 3600


@pytest.fixture(scope="module")
def entra(tmp_path_factory: pytest.TempPathFactory) -> Entra:
    return Entra(OPTIONS, tmp_path_factory.mktemp("entra"), ENDPOINT, SECRETS)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Entra:
    """The same tenant with another key."""
    return Entra(OPTIONS, tmp_path_factory.mktemp("stranger"), ENDPOINT, SECRETS)


def public_key(entra: Entra) -> jwt.PyJWK:
    return jwt.PyJWKSet.from_dict(entra.keys())["lab"]


def claims_of(entra: Entra, token: str) -> dict[str, Any]:
    return jwt.decode(token, public_key(entra), algorithms=["RS256"], options={"verify_aud": False})


def signed(entra: Entra, changes: dict[str, Any]) -> str:
    """A token of ``entra`` with other claims, signed with its key; None leaves a claim out."""
    claims = claims_of(entra, entra.client_token(FORM)["access_token"]) | changes
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, entra._key, algorithm="RS256", headers={"kid": "lab"})


def refusal(entra: Entra, authorization: str) -> tuple[int, str]:
    with pytest.raises(ArmError) as caught:
        entra.verify(authorization, "")
    return caught.value.status, caught.value.code


def test_a_client_token_says_who_and_for_whom(entra: Entra) -> None:
    before = int(time.time())
    answer = entra.client_token(FORM)
    claims = claims_of(entra, answer["access_token"])
    issued = claims.pop("iat")
    assert before <= issued <= time.time()
    assert claims == {
        "aud": ENDPOINT,
        "iss": f"{ENDPOINT}/{OPTIONS.tenant}/v2.0",
        "nbf": issued,
        "exp": issued + HOUR,
        "appid": OPTIONS.client,
        "azp": OPTIONS.client,
        "idtyp": "app",
        "oid": OPTIONS.client_object,
        "sub": OPTIONS.client_object,
        "tid": OPTIONS.tenant,
        "ver": "2.0",
    }
    assert (answer["token_type"], answer["expires_in"], answer["expires_on"]) == ("Bearer", HOUR, str(issued + HOUR))


@pytest.mark.parametrize(
    ("form", "audience"),
    [
        ({"scope": "https://management.azure.com/.default"}, "https://management.azure.com"),
        # Clients append the suffix to a resource that ends in a slash.
        ({"scope": "https://management.core.windows.net//.default"}, "https://management.core.windows.net/"),
        ({"scope": "", "resource": f"{ENDPOINT}/"}, f"{ENDPOINT}/"),
        ({"scope": f"openid {ENDPOINT}/.default profile"}, ENDPOINT),
    ],
)
def test_the_audience_is_the_scope_or_the_resource(entra: Entra, form: dict[str, str], audience: str) -> None:
    token = entra.client_token(FORM | form)["access_token"]
    assert claims_of(entra, token)["aud"] == audience
    assert entra.verify(f"Bearer {token}", "") == Caller(OPTIONS.client_object, OPTIONS.client)


def test_discovery_leads_to_the_issuer_and_the_key(entra: Entra) -> None:
    found = entra.openid_configuration(OPTIONS.tenant)
    token = entra.client_token(FORM)["access_token"]
    assert claims_of(entra, token)["iss"] == found["issuer"]
    assert jwt.get_unverified_header(token)["kid"] == entra.keys()["keys"][0]["kid"]
    assert "d" not in entra.keys()["keys"][0]


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_secret": "pässwort"}, 401, "invalid_client"),
        ({"client_id": OPTIONS.client_object}, 401, "invalid_client"),
        ({"client_id": OPTIONS.reader}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": "openid offline_access profile"}, 400, "invalid_scope"),
        ({"scope": f"{ENDPOINT}/user_impersonation"}, 400, "invalid_scope"),
        ({"scope": f"{ENDPOINT}/.default https://vault.azure.net/.default"}, 400, "invalid_scope"),
    ],
)
def test_refused_client(entra: Entra, form: dict[str, str], status: int, code: str) -> None:
    with pytest.raises(ArmError) as caught:
        entra.client_token(FORM | form)
    assert (caught.value.status, caught.value.code) == (status, code)


def test_the_reader_has_a_secret_of_its_own(entra: Entra) -> None:
    token = entra.client_token(FORM | {"client_id": OPTIONS.reader, "client_secret": SECRETS["reader"]})["access_token"]
    assert entra.verify(f"Bearer {token}", "") == Caller(OPTIONS.reader_object, OPTIONS.reader)


def test_a_managed_identity_is_the_caller(entra: Entra) -> None:
    token = entra.token(ENDPOINT, "identity-object", "identity-client")["access_token"]
    assert entra.verify(f"bearer {token}", "agent/1") == Caller("identity-object", "identity-client", "agent/1")


INVALID = "InvalidAuthenticationToken"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aud": "https://vault.azure.net"}, INVALID),
        ({"aud": None}, INVALID),
        ({"iss": f"{ENDPOINT}/{OPTIONS.client}/v2.0"}, INVALID),
        ({"iss": None}, INVALID),
        ({"exp": 1}, "ExpiredAuthenticationToken"),
        ({"exp": None}, INVALID),
        ({"nbf": 4102444800}, INVALID),
        ({"oid": None}, INVALID),
    ],
    ids=str,
)
def test_refused_claims(entra: Entra, changes: dict[str, Any], code: str) -> None:
    assert entra.verify(f"Bearer {signed(entra, {})}", "").object_id == OPTIONS.client_object
    assert refusal(entra, f"Bearer {signed(entra, changes)}") == (401, code)


def test_refused_signature(entra: Entra, stranger: Entra) -> None:
    token = entra.client_token(FORM)["access_token"]
    head, payload, _ = token.split(".")
    unsigned = jwt.encode(claims_of(entra, token), "", algorithm="none")
    with_public_key = jwt.encode(claims_of(entra, token), "shared secret of thirty-two bytes", algorithm="HS256")
    for forged in (stranger.client_token(FORM)["access_token"], f"{head}.{payload}.", unsigned, with_public_key, "nonsense"):
        assert refusal(entra, f"Bearer {forged}") == (401, INVALID)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Basic bGFiOmxhYg=="])
def test_no_token(entra: Entra, authorization: str) -> None:
    assert refusal(entra, authorization) == (401, "AuthenticationFailed")


def test_the_key_is_kept_and_private(tmp_path: Path) -> None:
    first = Entra(OPTIONS, tmp_path, ENDPOINT, SECRETS)
    token = first.client_token(FORM)["access_token"]
    assert Entra(OPTIONS, tmp_path, ENDPOINT, SECRETS).verify(f"Bearer {token}", "").client_id == OPTIONS.client
    assert (tmp_path / "entra.key").stat().st_mode & 0o777 == 0o600
