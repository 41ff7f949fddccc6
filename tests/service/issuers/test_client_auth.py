from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from service.clock import ManualClock
from service.errors import SettingsError
from service.issuers.client_auth import ClientAuthentication, read_private_key
from service.settings.issuers import ClientCredentials

ENDPOINT = "https://issuer.example/v1/introspect"
ALL = ("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none")
LONG_SECRET = "s" * 32
RSA = rsa.generate_private_key(65537, 2048)


def _pem(key: Any, encryption: Any = None) -> bytes:
    data: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return data


def _authentication(clock: ManualClock, **credentials: Any) -> ClientAuthentication:
    secret = credentials.pop("secret", None)
    others = {"client_id": "me", **credentials}
    return ClientAuthentication(ClientCredentials(secret=SecretStr(secret) if secret else None, **others), clock=clock)


def test_basic_credentials_are_form_encoded_before_they_are_joined(clock: ManualClock) -> None:
    authenticated = _authentication(clock, client_id="a:b c", secret="s%:é").apply(ENDPOINT, supported=None)
    scheme, _, encoded = authenticated.headers["Authorization"].partition(" ")
    assert ("Basic", "a%3Ab+c", quote_plus("s%:é")) == (scheme, *base64.b64decode(encoded).decode().split(":"))


def test_the_methods_post_and_none_use_the_form(clock: ManualClock) -> None:
    posted = _authentication(clock, secret="hush").apply(ENDPOINT, supported=["client_secret_post"])
    assert {"client_id": "me", "client_secret": "hush"} == posted.form
    assert {"client_id": "me"} == _authentication(clock).apply(ENDPOINT, supported=ALL).form


@pytest.mark.parametrize(
    ("credentials", "supported", "chosen"),
    [
        ({"secret": LONG_SECRET}, None, "client_secret_basic"),
        ({"secret": LONG_SECRET}, ALL, "client_secret_basic"),
        ({"secret": LONG_SECRET}, ["client_secret_jwt", "client_secret_post"], "client_secret_post"),
        ({"secret": LONG_SECRET}, ["client_secret_jwt"], "client_secret_jwt"),
        ({"secret": LONG_SECRET, "method": "client_secret_jwt"}, ALL, "client_secret_jwt"),
        ({}, ALL, "none"),
    ],
)
def test_the_method_is_chosen(credentials: dict[str, Any], supported: Any, chosen: str, clock: ManualClock) -> None:
    authenticated = _authentication(clock, **credentials).apply(ENDPOINT, supported=supported)
    used = {
        "client_secret_basic": "Authorization" in authenticated.headers,
        "client_secret_post": "client_secret" in authenticated.form,
        "client_secret_jwt": "client_assertion" in authenticated.form,
        "none": authenticated.form == {"client_id": "me"},
    }
    assert [chosen] == [name for name, is_used in used.items() if is_used]


def test_a_server_that_supports_none_of_our_methods_is_an_error(clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="it supports private_key_jwt; our credentials allow client_secret_basic"):
        _authentication(clock, secret="short").apply(ENDPOINT, supported=["private_key_jwt"])


@pytest.mark.parametrize("method", ["private_key_jwt", "client_secret_jwt", "none"])
def test_a_method_that_the_credentials_do_not_allow_is_rejected(method: str, clock: ManualClock) -> None:
    with pytest.raises(SettingsError, match="introspection_auth_method"):
        _authentication(clock, secret="short", method=method)


KEYS: dict[str, tuple[Any, str]] = {
    "RSA": (RSA, "RS256"),
    "P-256": (ec.generate_private_key(ec.SECP256R1()), "ES256"),
    "P-384": (ec.generate_private_key(ec.SECP384R1()), "ES384"),
    "P-521": (ec.generate_private_key(ec.SECP521R1()), "ES512"),
}


@pytest.mark.parametrize(("key", "alg"), KEYS.values(), ids=KEYS.keys())
def test_an_assertion_is_for_one_endpoint_short_lived_and_unique(
    key: Any, alg: str, clock: ManualClock, tmp_path: Path
) -> None:
    (tmp_path / "key.pem").write_bytes(_pem(key))
    authentication = _authentication(clock, private_key_file=str(tmp_path / "key.pem"))
    forms = [authentication.apply(ENDPOINT, supported=ALL).form for _ in range(2)]
    assert {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"} == {
        form["client_assertion_type"] for form in forms
    }
    first, second = (
        jwt.decode(form["client_assertion"], key.public_key(), [alg], audience=ENDPOINT, options={"verify_exp": False,
                   "verify_iat": False}) for form in forms
    )  # fmt: skip
    assert ("me", "me", int(clock.now())) == (first["iss"], first["sub"], first["iat"])
    assert 0 < first["exp"] - first["iat"] <= 3600
    assert first["jti"] != second["jti"]


def test_a_jwk_provides_its_key_id(tmp_path: Path) -> None:
    parameters = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA)) | {"kid": "mine"}
    (tmp_path / "key.json").write_text(json.dumps(parameters))
    key = read_private_key(tmp_path / "key.json")
    assert ("RS256", "mine") == (key.alg, key.kid)


UNUSABLE: dict[str, bytes] = {
    "an empty file": b"",
    "a public key": b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    "a key with a password": _pem(RSA, BestAvailableEncryption(b"pw")),
    "another type of key": _pem(ed25519.Ed25519PrivateKey.generate()),
    "another curve": _pem(ec.generate_private_key(ec.SECP256K1())),
    "a malformed JWK": b'{"kty": "RSA", "d": "private-part"}',
}


@pytest.mark.parametrize("data", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_unusable_private_key_file_is_rejected(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(data)
    with pytest.raises(SettingsError, match="private_key_file") as exc_info:
        read_private_key(tmp_path / "key")
    assert "private-part" not in str(exc_info.value)


def test_a_missing_private_key_file_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        read_private_key(tmp_path / "none")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
def test_a_configured_method_is_used_whatever_the_metadata_lists(method: str) -> None:
    credentials = ClientCredentials(client_id="api", secret=SecretStr("s" * 32), method=method)
    authentication = ClientAuthentication(credentials, clock=ManualClock())
    used = authentication.apply("https://issuer.example/introspect", supported=["private_key_jwt"])
    assert used.headers or used.form
