"""JWTs that a client signs: with a secret, with a key, or not at all."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from functools import cache
from typing import Any

from jwcrypto.jwa import JWA
from jwcrypto.jwk import JWK

from fakeissuer.jose.raw_jws import encode_compact, no_signature
from fakeissuer.model.records import to_json

LONG_SECRET = "s" * 32


CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


def key(alg: str = "ES256") -> JWK:
    """The key with which the client signs by this algorithm."""
    return _key(CURVES.get(alg))


@cache
def _key(curve: str | None) -> JWK:
    kind: dict[str, Any] = {"kty": "RSA", "size": 2048} if curve is None else {"kty": "EC", "crv": curve}
    return JWK.generate(**kind, kid="mine")


def public_key(by: str = "ES256", **members: str) -> dict[str, Any]:
    """Its public half."""
    return {**key(by).export_public(as_dict=True), **members}


def signed(claims: Mapping[str, Any], *, alg: str = "ES256", kid: str = "mine", secret: str = "") -> str:
    """A JWT over these claims; those that are None are left out."""
    header, payload = to_json({"alg": alg, "kid": kid}), to_json({n: v for n, v in claims.items() if v is not None})
    if alg == "none":
        return encode_compact(header, payload, no_signature)
    if secret:
        return encode_compact(header, payload, lambda text: hmac.digest(secret.encode(), text, f"sha{alg[2:]}"))
    return encode_compact(header, payload, lambda text: JWA.signing_alg(alg).sign(key(alg), text))
