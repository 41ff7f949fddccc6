from __future__ import annotations

import re
from typing import Any, NoReturn

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from public_keys import ec_jwk, encode, encode_integer, okp_jwk, rsa_jwk

from service.tokens import jwk
from service.tokens.jwk import JWK

RSA, EC, OKP = rsa_jwk(), ec_jwk(), okp_jwk()

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


WRONG: dict[str, tuple[object, str]] = {
    "not an object": ("key", "it is not a JSON object"),
    "no kty": ({"n": "AQAB", "e": "AQAB"}, "kty is missing"),
    "an unknown kty": ({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}, "kty is 'AKP'; supported are RSA, EC, OKP"),
    "a kty that is a list": (RSA | {"kty": ["RSA"]}, "kty is ['RSA']"),
    "a symmetric key": ({"kty": "oct", "k": "AAAA"}, "it is symmetric, so that every reader"),
    "a private RSA key": (RSA | {"d": "AQAB", "p": "AQAB"}, "it has private members (d, p)"),
    "a private Ed25519 key": (OKP | {"d": "AQAB"}, "it has private members (d)"),
    "a key for encryption": (RSA | {"use": "enc"}, "use is 'enc' instead of 'sig'"),
    "a key of SPIFFE": (RSA | {"use": "jwt-svid"}, "use is 'jwt-svid'"),
    "a key for signing only": (RSA | {"key_ops": ["sign"]}, "key_ops does not contain verify"),
    "key_ops that is a string": (RSA | {"key_ops": "verify"}, "key_ops does not contain verify"),
    "a kid that is a number": (RSA | {"kid": 1}, "kid is 1, which is not a string"),
    "an alg of another kty": (RSA | {"alg": "ES256"}, "alg is 'ES256'; expected one of PS256, PS384, PS512, RS256"),
    "a symmetric alg": (RSA | {"alg": "HS256"}, "alg is 'HS256'"),
    "an alg for encryption": (RSA | {"alg": "RSA-OAEP"}, "alg is 'RSA-OAEP'"),
    "an alg that is a number": (RSA | {"alg": 256}, "alg is 256"),
    "an RSA key of 1024 bits": (rsa_jwk(1024), "an RSA key has 2048 to 8192 bits, not 1024"),
    "an RSA key of 20000 bits": (RSA | {"n": encode_integer(1 << 19_999 | 1)}, "n is too long"),
    "an RSA key without modulus": ({"kty": "RSA", "e": "AQAB"}, "n is missing"),
    "a modulus that is a number": (RSA | {"n": 7}, "n is not a string"),
    "an RSA key with an even exponent": (RSA | {"e": "BA"}, "e must be odd"),
    "an RSA key with padding": (RSA | {"e": "AQAB="}, "e has padding (=)"),
    "an RSA key in base64": (RSA | {"n": "+/+/"}, "n is base64, with + or /, instead of base64url"),
    "an RSA key with a line end": (RSA | {"n": "AQAB\nAQAB"}, "n contains white space"),
    "an RSA key with another letter": (RSA | {"n": "ÄQAB"}, "n is not canonical base64url"),
    "a certificate alone": ({"kty": "RSA", "x5c": ["MIIB"]}, "n is missing; x5c only repeats a key"),
    "an EC certificate alone": ({"kty": "EC", "crv": "P-256", "x5c": ["MIIB"]}, "x is missing; x5c only repeats a key"),
    "no curve": ({"kty": "EC", "x": EC["x"], "y": EC["y"]}, "crv is missing; supported are P-256, P-384, P-521"),
    "an unknown curve": (EC | {"crv": "secp256k1"}, "crv is 'secp256k1'; supported are P-256"),
    "a point that is not on the curve": (EC | {"y": EC["x"]}, "the point (x, y) is not on P-256"),
    "a coordinate that is too short": (EC | {"x": "AAAA"}, "x has 3 bytes; expected 32"),
    "an Ed448 key": ({"kty": "OKP", "crv": "Ed448", "x": encode(bytes(57))}, "crv is 'Ed448'; supported are Ed25519"),
    "an Ed25519 key that is too short": (OKP | {"x": "AAAA"}, "x has 3 bytes; expected 32"),
}


@pytest.mark.parametrize(("parameters", "reason"), WRONG.values(), ids=WRONG.keys())
def test_an_unusable_key_is_rejected_with_the_reason(parameters: object, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        JWK.read(parameters)


def test_a_key_that_the_crypto_library_does_not_support_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some builds, such as those for FIPS 140, lack Ed25519."""

    def raise_unsupported(parameters: object) -> NoReturn:
        raise UnsupportedAlgorithm("not in this build")

    monkeypatch.setitem(jwk._READERS, "OKP", raise_unsupported)
    with pytest.raises(ValueError, match="the crypto library does not support"):
        JWK.read(OKP)
