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
LONG = "s" * 32
RSA = rsa.generate_private_key(65537, 2048)


def _pem(key: Any, encryption: Any = None) -> bytes:
    written: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return written


def _authentication(clock: ManualClock, **credentials: Any) -> ClientAuthentication:
    secret = credentials.pop("secret", None)
    named = {"client_id": "me", **credentials}
    return ClientAuthentication(ClientCredentials(secret=SecretStr(secret) if secret else None, **named), clock=clock)


def test_basic_is_form_encoded_before_it_is_joined(clock: ManualClock) -> None:
    authenticated = _authentication(clock, client_id="a:b c", secret="s%:é").apply(ENDPOINT, supported=None)
    scheme, _, encoded = authenticated.headers["Authorization"].partition(" ")
    assert ("Basic", "a%3Ab+c", quote_plus("s%:é")) == (scheme, *base64.b64decode(encoded).decode().split(":"))


def test_post_and_none_go_into_the_form(clock: ManualClock) -> None:
    posted = _authentication(clock, secret="hush").apply(ENDPOINT, supported=["client_secret_post"])
    assert {"client_id": "me", "client_secret": "hush"} == posted.form
    assert {"client_id": "me"} == _authentication(clock).apply(ENDPOINT, supported=ALL).form


@pytest.mark.parametrize(
    ("credentials", "supported", "chosen"),
    [
        ({"secret": LONG}, None, "client_secret_basic"),
        ({"secret": LONG}, ALL, "client_secret_basic"),
        ({"secret": LONG}, ["client_secret_jwt", "client_secret_post"], "client_secret_post"),
        ({"secret": LONG}, ["client_secret_jwt"], "client_secret_jwt"),
        ({"secret": LONG, "method": "client_secret_jwt"}, ALL, "client_secret_jwt"),
        ({}, ALL, "none"),
    ],
)
def test_chooses(credentials: dict[str, Any], supported: Any, chosen: str, clock: ManualClock) -> None:
    authenticated = _authentication(clock, **credentials).apply(ENDPOINT, supported=supported)
    seen = {
        "client_secret_basic": "Authorization" in authenticated.headers,
        "client_secret_post": "client_secret" in authenticated.form,
        "client_secret_jwt": "client_assertion" in authenticated.form,
        "none": authenticated.form == {"client_id": "me"},
    }
    assert [chosen] == [name for name, is_so in seen.items() if is_so]


def test_says_when_the_server_offers_nothing_that_we_can_do(clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="it offers private_key_jwt, and we can do client_secret_basic"):
        _authentication(clock, secret="short").apply(ENDPOINT, supported=["private_key_jwt"])


@pytest.mark.parametrize("method", ["private_key_jwt", "client_secret_jwt", "none"])
def test_refuses_a_method_that_lacks_what_it_needs(method: str, clock: ManualClock) -> None:
    with pytest.raises(SettingsError, match="introspection_auth_method"):
        _authentication(clock, secret="short", method=method)


KEYS: dict[str, tuple[Any, str]] = {
    "RSA": (RSA, "RS256"),
    "P-256": (ec.generate_private_key(ec.SECP256R1()), "ES256"),
    "P-384": (ec.generate_private_key(ec.SECP384R1()), "ES384"),
    "P-521": (ec.generate_private_key(ec.SECP521R1()), "ES512"),
}


@pytest.mark.parametrize(("key", "alg"), KEYS.values(), ids=KEYS.keys())
def test_an_assertion_is_for_one_endpoint_short_lived_and_never_the_same(
    key: Any, alg: str, clock: ManualClock, tmp_path: Path
) -> None:
    (tmp_path / "key.pem").write_bytes(_pem(key))
    ours = _authentication(clock, private_key_file=str(tmp_path / "key.pem"))
    forms = [ours.apply(ENDPOINT, supported=ALL).form for _ in range(2)]
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


def test_a_jwk_brings_its_key_id(tmp_path: Path) -> None:
    parameters = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA)) | {"kid": "mine"}
    (tmp_path / "key.json").write_text(json.dumps(parameters))
    key = read_private_key(tmp_path / "key.json")
    assert ("RS256", "mine") == (key.alg, key.kid)


BAD: dict[str, bytes] = {
    "nothing": b"",
    "a public key": b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    "a key with a password": _pem(RSA, BestAvailableEncryption(b"pw")),
    "a key of another kind": _pem(ed25519.Ed25519PrivateKey.generate()),
    "a curve of another kind": _pem(ec.generate_private_key(ec.SECP256K1())),
    "a broken JWK": b'{"kty": "RSA", "d": "private-part"}',
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_refuses_a_file_with(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(data)
    with pytest.raises(SettingsError, match="private_key_file") as refusal:
        read_private_key(tmp_path / "key")
    assert "private-part" not in str(refusal.value)


def test_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        read_private_key(tmp_path / "none")
