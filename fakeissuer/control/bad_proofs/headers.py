"""Proofs with a wrong type or algorithm, or with extensions (RFC 9449 section 4.2, RFC 7515 section 4)."""

from __future__ import annotations

from functools import partial
from typing import Any

from fakeissuer.control.bad_proofs.proof_builder import Fields, ProofBuilder, Row
from fakeissuer.control.jws_parts import ABSENT
from fakeissuer.jose import raw_jws
from fakeissuer.jose.raw_jws import base64url

_TYPE = "typ is dpop+jwt, so that no other JWT of the client is a proof"
_ASYMMETRIC = "alg is an asymmetric algorithm"
_ALGORITHM = "alg is the name of an accepted algorithm"
_CRITICAL = "an extension that is not understood makes a proof invalid"


def _with_header(changes: dict[str, Any], builder: ProofBuilder) -> Fields:
    """Return a proof that is valid except for these header parameters."""
    return builder.fields(builder.proof(header=builder.header(**changes)))


def _unsigned(builder: ProofBuilder) -> Fields:
    """Return a proof without a signature."""
    return builder.fields(builder.proof(header=builder.header(alg="none"), sign=raw_jws.no_signature))


def _keyed_with_public_key(builder: ProofBuilder) -> Fields:
    """Return a proof with an HMAC whose key is the public key, which is in each proof."""
    from fakeissuer.jose import keys  # noqa: PLC0415  # slow to import, needed with the first key

    sign = raw_jws.hs256(keys.public_pem(builder.key))
    return builder.fields(builder.proof(header=builder.header(alg="HS256"), sign=sign))


def _unencoded_payload(builder: ProofBuilder) -> Fields:
    """Return a proof whose signature covers the payload itself instead of its encoding (RFC 7797)."""
    header = raw_jws.json_object(builder.header(b64=False, crit=["b64"]).items())
    payload = raw_jws.json_object(builder.claims().items())
    signature = builder.signer()(f"{base64url(header)}.".encode() + payload)
    return builder.fields(f"{base64url(header)}.{base64url(payload)}.{base64url(signature)}")


ROWS = (
    *(
        Row(f"typ-{name}", _TYPE, partial(_with_header, {"typ": value}))
        for name, value in {
            "missing": ABSENT,
            "null": None,
            "list": ["dpop+jwt"],
            "jwt": "JWT",
            "at-jwt": "at+jwt",
            "client-authentication": "client-authentication+jwt",
            "longer": "dpop+jwt2",
        }.items()
    ),
    Row("alg-none", _ASYMMETRIC, _unsigned),
    Row("alg-hs256-public-key", _ASYMMETRIC, _keyed_with_public_key),
    *(
        Row(f"alg-{name}", _ALGORITHM, partial(_with_header, {"alg": value}))
        for name, value in {
            "missing": ABSENT,
            "null": None,
            "list": ["ES256"],
            "in-lower-case": "es256",
            "unknown": "ES257",
        }.items()
    ),
    Row("alg-of-another-curve", "alg fits the key", partial(_with_header, {"alg": "ES384"})),
    Row("alg-of-another-kind-of-key", "alg fits the key", partial(_with_header, {"alg": "RS256"})),
    Row("crit-unknown", _CRITICAL, partial(_with_header, {"crit": ["exp2"], "exp2": True})),
    Row("crit-empty", "crit is not an empty list", partial(_with_header, {"crit": []})),
    Row("b64-false", _CRITICAL, _unencoded_payload),
    Row("zip", "a proof is not compressed", partial(_with_header, {"zip": "DEF"})),
)
