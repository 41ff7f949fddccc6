from __future__ import annotations

import base64
from typing import Any, NoReturn

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from service.tokens import jwk
from service.tokens.jwk import JWK, MAX_CANDIDATES, KeySet


def _encode(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _integer(value: int) -> str:
    return _encode(value.to_bytes((value.bit_length() + 7) // 8))


def _rsa(bits: int = 2048) -> dict[str, Any]:
    numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
    return {"kty": "RSA", "n": _integer(numbers.n), "e": _integer(numbers.e)}


def _ec() -> dict[str, Any]:
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": _encode(numbers.x.to_bytes(32)), "y": _encode(numbers.y.to_bytes(32))}


def _okp() -> dict[str, Any]:
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": _encode(ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()),
    }


RSA, EC, OKP = _rsa(), _ec(), _okp()

USABLE: dict[str, tuple[dict[str, Any], set[str]]] = {
    "an RSA key": (RSA, {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    "an RSA key for one algorithm": (RSA | {"alg": "PS256"}, {"PS256"}),
    "an RSA key for verifying": (RSA | {"use": "sig", "key_ops": ["verify"]}, {"RS256", "PS512"}),
    "an RSA key with unknown members": (RSA | {"x5t": "a", "status": "ACTIVE"}, {"RS256"}),
    "an RSA key with null members": (RSA | dict.fromkeys(("kid", "alg", "use", "key_ops", "x5c", "d")), {"RS256"}),
    "an EC key": (EC, {"ES256"}),
    "an Ed25519 key": (OKP, {"EdDSA", "Ed25519"}),
}


@pytest.mark.parametrize(("parameters", "algorithms"), USABLE.values(), ids=USABLE.keys())
def test_a_usable_key_has_its_algorithms(parameters: dict[str, Any], algorithms: set[str]) -> None:
    assert algorithms <= JWK.read(parameters).algorithms


SKIPPED: dict[str, object] = {
    "not an object": "key",
    "no kty": {"n": "AQAB", "e": "AQAB"},
    "an unknown kty": {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"},
    "a kty that is a list": RSA | {"kty": ["RSA"]},
    "a symmetric key": {"kty": "oct", "k": "AAAA"},
    "a private RSA key": RSA | {"d": "AQAB"},
    "a private Ed25519 key": OKP | {"d": "AQAB"},
    "a key for encryption": RSA | {"use": "enc"},
    "a key for signing only": RSA | {"key_ops": ["sign"]},
    "key_ops that is a string": RSA | {"key_ops": "verify"},
    "a kid that is a number": RSA | {"kid": 1},
    "an alg of another kty": RSA | {"alg": "ES256"},
    "a symmetric alg": RSA | {"alg": "HS256"},
    "an RSA key of 1024 bits": _rsa(1024),
    "an RSA key of 20000 bits": RSA | {"n": _integer(1 << 19_999 | 1)},
    "an RSA key without modulus": {"kty": "RSA", "e": "AQAB"},
    "an RSA key with an even exponent": RSA | {"e": "Ag"},
    "an RSA key with padding": RSA | {"e": "AQAB="},
    "an unknown curve": EC | {"crv": "secp256k1"},
    "a point that is not on the curve": EC | {"y": EC["x"]},
    "a coordinate that is too short": EC | {"x": "AAAA"},
    "an Ed448 key": {"kty": "OKP", "crv": "Ed448", "x": _encode(bytes(57))},
    "an Ed25519 key that is too short": OKP | {"x": "AAAA"},
}


@pytest.mark.parametrize("parameters", SKIPPED.values(), ids=SKIPPED.keys())
def test_an_unusable_key_is_skipped(parameters: object) -> None:
    key_set = KeySet.read({"keys": [parameters, EC | {"kid": "good"}]})
    assert ["good"] == [key.kid for key in key_set.keys]
    assert 1 == len(key_set.skipped)


def test_a_key_that_the_crypto_library_does_not_support_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some builds, such as those for FIPS 140, lack Ed25519."""

    def raise_unsupported(parameters: object) -> NoReturn:
        raise UnsupportedAlgorithm("not in this build")

    monkeypatch.setitem(jwk._READERS, "OKP", raise_unsupported)
    assert 1 == len(KeySet.read({"keys": [OKP, EC]}).skipped)


@pytest.mark.parametrize("document", [{}, {"keys": {}}, {"keys": []}, {"keys": [{"kty": "oct", "k": "AA"}]}])
def test_a_key_set_without_a_usable_key_is_rejected(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="key set"):
        KeySet.read(document)


def test_a_key_is_selected_by_its_key_id() -> None:
    key_set = KeySet.read({"keys": [RSA | {"kid": "a"}, _rsa() | {"kid": "b"}]})
    assert ["b"] == [key.kid for key in key_set.select(algorithm="RS256", kid="b")]
    assert [] == key_set.select(algorithm="RS256", kid="c")


def test_keys_with_the_same_key_id_are_selected_by_type() -> None:
    key_set = KeySet.read({"keys": [RSA | {"kid": "a"}, EC | {"kid": "a"}]})
    assert [frozenset({"ES256"})] == [key.algorithms for key in key_set.select(algorithm="ES256", kid="a")]


def test_a_key_for_another_algorithm_is_not_selected() -> None:
    key_set = KeySet.read({"keys": [RSA | {"kid": "a", "alg": "RS512"}]})
    assert [] == key_set.select(algorithm="RS256", kid="a")


def test_without_a_key_id_a_few_keys_for_the_algorithm_are_selected() -> None:
    key_set = KeySet.read({"keys": [EC, *[RSA | {"kid": str(number)} for number in range(9)]]})
    candidates = key_set.select(algorithm="RS256", kid=None)
    assert MAX_CANDIDATES == len(candidates)
    assert all("RS256" in key.algorithms for key in candidates)


def test_a_key_set_contains_its_keys_and_no_other_key_with_their_key_id() -> None:
    first, second, other = (KeySet.read({"keys": [_okp() | {"kid": kid}]}) for kid in ("a", "b", "a"))
    both = KeySet(keys=first.keys + second.keys)
    assert [True, True, False] == [key in both.by_kid[key.kid] for (key,) in (first.keys, second.keys, other.keys)]
    assert [] == both.select(algorithm="EdDSA", kid="c")


def test_the_key_of_another_tenant_is_skipped() -> None:
    """A stolen key of personal accounts must not sign tokens of an organization."""
    own, others = "00000000-0000-0000-0000-000000000001", "9188040d-6c67-4c5b-b112-36a304b66dad"
    issuers = [f"https://login.microsoftonline.com/{tenant}/v2.0" for tenant in (own, "{tenantid}", others)]
    keys = [_okp() | {"kid": str(number), "issuer": issuer} for number, issuer in enumerate(issuers)]
    key_set = KeySet.read({"keys": [*keys, _okp() | {"kid": "3", "issuer": 7}]}, issuer=issuers[0])
    assert (["0", "1", "3"], ("it is the key of another tenant",)) == (
        [key.kid for key in key_set.keys],
        key_set.skipped,
    )
    assert 3 == len(KeySet.read({"keys": keys}, issuer="https://issuer.example").keys)
