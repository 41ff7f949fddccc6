"""Proofs whose key is missing, private, weak, malformed, or not the token's (RFC 9449 section 4.3, RFC 7517)."""

from __future__ import annotations

import hashlib
import json
import secrets
from functools import partial
from typing import Any

from fakeissuer.control.bad_proofs.proof_builder import Fields, ProofBuilder, Row, public_jwk
from fakeissuer.control.jws_parts import ABSENT
from fakeissuer.jose import raw_jws
from fakeissuer.jose.raw_jws import base64url, decode_base64url
from fakeissuer.model.identifiers import random_text
from fakeissuer.oauth.dpop import jwk_thumbprint

_RSA_OCTETS = 256
_SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
"""The start of the DigestInfo of a SHA-256 hash (RFC 8017 section 9.2)."""

_KEY_IS_THERE = "jwk is a public key"
_PURPOSE = "jwk is a key for verifying signatures"


def _with_jwk(value: Any, builder: ProofBuilder) -> Fields:
    """Return a proof with this value in place of its key."""
    return builder.fields(builder.proof(header=builder.header(jwk=value)))


def _with_members(members: dict[str, Any], builder: ProofBuilder) -> Fields:
    """Return a proof with more members in its key, which do not change its thumbprint."""
    return _with_jwk(builder.jwk | members, builder)


def _private(builder: ProofBuilder) -> Fields:
    """Return a proof that gives the private key away."""
    from fakeissuer.jose import keys  # noqa: PLC0415  # slow to import, needed with the first key

    return _with_members({"d": keys.dump_key(builder.key)["d"]}, builder)


def _symmetric(builder: ProofBuilder) -> Fields:
    """Return a proof with an HMAC, and its key."""
    secret = secrets.token_bytes(32)
    jwk = {"k": base64url(secret), "kty": "oct"}
    thumbprint = base64url(hashlib.sha256(json.dumps(jwk, separators=(",", ":")).encode()).digest())
    return builder.with_key(jwk, thumbprint, raw_jws.hs256(secret), "HS256")


def _small_rsa(builder: ProofBuilder) -> Fields:
    """Return a proof with an RSA key of 1024 bits."""
    from fakeissuer.jose import keys  # noqa: PLC0415  # as above

    key = keys.create_key(random_text(), "RS256", "RSA-1024")
    jwk = public_jwk(key)
    return builder.with_key(jwk, jwk_thumbprint(jwk), builder.signer(key, "RS256"), "RS256")


def _exponent_of_one(builder: ProofBuilder) -> Fields:
    """Return a proof with an RSA key of the exponent 1, with which anyone can sign: the signature is the message."""
    modulus = b"\xff" + secrets.token_bytes(_RSA_OCTETS - 2) + b"\x01"
    jwk = {"kty": "RSA", "n": base64url(modulus), "e": base64url(b"\x01")}

    def sign(signing_input: bytes) -> bytes:
        digest_info = _SHA256_PREFIX + hashlib.sha256(signing_input).digest()
        return b"\x00\x01" + b"\xff" * (_RSA_OCTETS - 3 - len(digest_info)) + b"\x00" + digest_info

    return builder.with_key(jwk, jwk_thumbprint(jwk), sign, "RS256")


def _off_the_curve(builder: ProofBuilder) -> Fields:
    """Return a proof whose key is no point of its curve."""
    y = decode_base64url(builder.jwk["y"])
    jwk = builder.jwk | {"y": base64url(y[:-1] + bytes([y[-1] ^ 1]))}
    return builder.with_key(jwk, jwk_thumbprint(jwk), builder.signer())


def _long_coordinate(builder: ProofBuilder) -> Fields:
    """Return a proof with a zero in front of a coordinate: one key would have two thumbprints."""
    jwk = builder.jwk | {"x": base64url(b"\0" + decode_base64url(builder.jwk["x"]))}
    return builder.with_key(jwk, jwk_thumbprint(jwk), builder.signer())


def _unknown_curve(builder: ProofBuilder) -> Fields:
    """Return a proof whose key is on a curve that does not exist."""
    jwk = builder.jwk | {"crv": "P-257"}
    return builder.with_key(jwk, jwk_thumbprint(jwk), builder.signer())


def _without(name: str, jwk: dict[str, Any]) -> dict[str, Any]:
    return {member: value for member, value in jwk.items() if member != name}


def _other_key(builder: ProofBuilder) -> Fields:
    """Return a proof of a thief of the token: it is correctly signed, with the thief's key."""
    header = builder.header(jwk=public_jwk(builder.attacker_key))
    return builder.fields(builder.proof(header=header, sign=builder.signer(builder.attacker_key)))


ROWS = (
    Row("jwk-missing", _KEY_IS_THERE, partial(_with_jwk, ABSENT)),
    Row("jwk-null", _KEY_IS_THERE, partial(_with_jwk, None)),
    Row("jwk-text", _KEY_IS_THERE, lambda builder: _with_jwk(json.dumps(builder.jwk), builder)),
    Row("jwk-list", _KEY_IS_THERE, lambda builder: _with_jwk([builder.jwk], builder)),
    Row("jwk-set", "jwk is one key, not a set", lambda builder: _with_jwk({"keys": [builder.jwk]}, builder)),
    Row("jwk-without-y", _KEY_IS_THERE, lambda builder: _with_jwk(_without("y", builder.jwk), builder)),
    Row("jwk-private", "jwk has no private member", _private),
    Row("jwk-symmetric", "the key is asymmetric", _symmetric),
    Row("jwk-small-rsa", "an RSA key has at least 2048 bits", _small_rsa),
    Row("jwk-exponent-one", "the exponent of an RSA key is at least 3", _exponent_of_one),
    Row("jwk-off-the-curve", "the key is a point of its curve", _off_the_curve),
    Row("jwk-long-coordinate", "a coordinate has its full length, and no more", _long_coordinate),
    Row("jwk-unknown-curve", "crv is the name of a curve", _unknown_curve),
    Row("jwk-for-encryption", _PURPOSE, partial(_with_members, {"use": "enc"})),
    Row("jwk-key-ops", _PURPOSE, partial(_with_members, {"key_ops": ["encrypt"]})),
    Row("jwk-for-another-alg", "alg is that of the key", partial(_with_members, {"alg": "ES384"})),
    Row("jwk-of-another-client", "the token is bound to the key of the proof", _other_key),
)
