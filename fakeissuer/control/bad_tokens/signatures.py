"""Tokens with a missing, wrong or forged signature (RFC 8725 sections 2.1, 3.1 and 3.2, RFC 7515 section 5.2)."""

from __future__ import annotations

import base64
from functools import partial

from fakeissuer.control.bad_tokens.token_builder import Row, TokenBuilder
from fakeissuer.control.jws_parts import ABSENT
from fakeissuer.jose import raw_jws
from fakeissuer.jose.raw_jws import base64url

_UNSIGNED = "a token is signed: alg none has no signature"
_ALGORITHM_CONFUSION = "the allow-list has no HMAC: its key would be the public key"
_NOT_ALLOWED = "only the algorithms of the allow-list are accepted"


def _unsigned(spelling: str, builder: TokenBuilder) -> str:
    """Return an unsecured JWS."""
    return builder.token(header=builder.header(alg=spelling), sign=raw_jws.no_signature)


def _keyed_with_pem(builder: TokenBuilder) -> str:
    """Return a token with an HMAC keyed with the public key as PEM."""
    return builder.token(header=builder.header(alg="HS256"), sign=raw_jws.hs256(_public_pem(builder)))


def _keyed_with_der(builder: TokenBuilder) -> str:
    """Return a token with an HMAC keyed with the public key as DER."""
    lines = _public_pem(builder).splitlines()
    der = base64.b64decode(b"".join(line for line in lines if not line.startswith(b"-")))
    return builder.token(header=builder.header(alg="HS256"), sign=raw_jws.hs256(der))


def _keyed_with_modulus(builder: TokenBuilder) -> str:
    """Return a token with an HMAC keyed with the modulus as published in the key set."""
    return builder.token(header=builder.header(alg="HS256"), sign=raw_jws.hs256(builder.key.public["n"].encode()))


def _other_algorithm(alg: str, builder: TokenBuilder) -> str:
    """Return a token signed with the server's key, but another algorithm."""
    return builder.token(header=builder.header(alg=alg), sign=builder.signer(alg=alg))


def _signed_by_unpublished_key(kid: object, builder: TokenBuilder) -> str:
    """Return a token signed with a key that is never published."""
    return builder.token(header=builder.header(kid=kid), sign=builder.signer(builder.attacker_key))


def _signed_by_other_server(builder: TokenBuilder) -> str:
    """Return a token of this server signed with the key of another server on the same host."""
    key = builder.state.key_rings.for_server(builder.other_server).signing_key()
    return builder.token(header=builder.header(kid=key.kid), sign=builder.signer(key))


def _flipped_bit(builder: TokenBuilder) -> str:
    """Return a token with one bit of its signature flipped."""
    sign = builder.signer()
    return builder.token(sign=lambda signing_input: _flip(sign(signing_input)))


def _truncated_signature(builder: TokenBuilder) -> str:
    """Return a token with half of its signature."""
    sign = builder.signer()
    return builder.token(sign=lambda signing_input: sign(signing_input)[:128])


def _changed_payload(builder: TokenBuilder) -> str:
    """Return a token whose scope was changed after signing."""
    header, _, signature = builder.token().split(".")
    widened = raw_jws.json_object(builder.claims(scp=["api:read", "api:write"]).items())
    return f"{header}.{base64url(widened)}.{signature}"


def _flip(signature: bytes) -> bytes:
    return signature[:-1] + bytes([signature[-1] ^ 0b1000_0000])


def _public_pem(builder: TokenBuilder) -> bytes:
    from fakeissuer.jose import keys  # noqa: PLC0415  # slow to import, needed with the first key

    return keys.public_pem(builder.key)


ROWS = (
    *(Row(f"alg-{spelling}", _UNSIGNED, partial(_unsigned, spelling)) for spelling in ("none", "None", "NONE", "nOnE")),
    Row("alg-none-but-signed", _UNSIGNED, lambda builder: builder.token(header=builder.header(alg="none"))),
    Row("alg-hs256-public-key-pem", _ALGORITHM_CONFUSION, _keyed_with_pem),
    Row("alg-hs256-public-key-der", _ALGORITHM_CONFUSION, _keyed_with_der),
    Row("alg-hs256-public-key-modulus", _ALGORITHM_CONFUSION, _keyed_with_modulus),
    Row(
        "alg-hs256-empty-secret",
        _ALGORITHM_CONFUSION,
        lambda builder: builder.token(header=builder.header(alg="HS256"), sign=raw_jws.hs256(b"")),
    ),
    *(Row(f"alg-{alg.lower()}", _NOT_ALLOWED, partial(_other_algorithm, alg)) for alg in ("RS384", "RS512", "PS256")),
    Row(
        "alg-in-lower-case",
        "algorithm names are compared with their case",
        lambda builder: builder.token(header=builder.header(alg="rs256")),
    ),
    Row(
        "alg-missing", "the header names an algorithm", lambda builder: builder.token(header=builder.header(alg=ABSENT))
    ),
    Row("alg-null", "alg is a text", lambda builder: builder.token(header=builder.header(alg=None))),
    Row("alg-number", "alg is a text", lambda builder: builder.token(header=builder.header(alg=256))),
    Row("alg-list", "alg is a text", lambda builder: builder.token(header=builder.header(alg=["RS256"]))),
    Row(
        "key-wrong-under-known-kid",
        "the signature is made by the key that the kid names",
        lambda builder: _signed_by_unpublished_key(builder.key.kid, builder),
    ),
    Row(
        "kid-unpublished",
        "the key is in the issuer's key set",
        lambda builder: _signed_by_unpublished_key(builder.attacker_key.kid, builder),
    ),
    Row(
        "kid-missing-and-key-unpublished",
        "the signature is made by a key of the issuer's key set",
        partial(_signed_by_unpublished_key, ABSENT),
    ),
    Row("key-of-another-server", "the key belongs to the issuer that iss names", _signed_by_other_server),
    Row(
        "signature-empty",
        "a signature is there",
        lambda builder: builder.token(sign=raw_jws.no_signature),
    ),
    Row("signature-bit-flipped", "the signature verifies", _flipped_bit),
    Row("signature-cut", "the signature is as long as the key", _truncated_signature),
    Row("payload-changed-after-signing", "the signature covers the payload", _changed_payload),
)
