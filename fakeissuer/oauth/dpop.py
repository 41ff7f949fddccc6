"""DPoP proofs at the issuer's own endpoints (RFC 9449 sections 4.3, 5 and 8)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fakeissuer.errors import InvalidRequestError, OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.jose.public_keys import PRIVATE_KEY_MEMBERS
from fakeissuer.jose.raw_jws import base64url, decode_base64url
from fakeissuer.model.records import parse_numeric_date, read_members
from fakeissuer.state.dpop_nonces import DPoPNonces
from fakeissuer.state.used_jtis import UsedJTIs

PROOF_ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
"""Okta's ``dpop_signing_alg_values_supported``."""
_MAX_AGE_S = 300
"""Okta rejects a proof that was issued more than five minutes ago."""
_CLOCK_DIFFERENCE_S = 5
_THUMBPRINT_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
    "RSA": ("e", "kty", "n"),
}
"""The members of the thumbprint of a key, in their order (RFC 7638 section 3.2)."""


class ProofProblem(StrEnum):
    """Why a proof is rejected."""

    MISSING = "the request has none, and the client needs one"
    SEVERAL = "the request has more than one"
    UNREADABLE = "it is not a JWT in compact serialization"
    TYPE = "its typ is not dpop+jwt"
    ALGORITHM = "its alg is not one that the metadata lists"
    KEY = "its jwk is not a public key for its alg"
    SIGNATURE = "its signature is wrong"
    METHOD = "its htm is not the method of the request"
    URL = "its htu is not the URL of the endpoint"
    ISSUED_AT = "its iat is missing, in the future, or more than five minutes ago"
    JTI = "its jti is missing"
    USED = "its jti was used before"
    TOKEN = "its ath is not the hash of the access token"  # noqa: S105  # a message
    OTHER_KEY = "it is signed with another key than that of the authorization request or the refresh token"


@dataclass(frozen=True, kw_only=True)
class ProofContext:
    """What a proof must match, and what the issuer remembers of earlier ones.

    ``access_token`` is the token that was sent with the proof, at UserInfo. ``nonces`` is None where Okta wants none.
    """

    method: str
    url: str
    now: float
    used: UsedJTIs
    nonces: DPoPNonces | None = None
    access_token: str | None = None


def proof_rejected(problem: ProofProblem) -> OAuthError:
    """Return the error that rejects a proof for this problem."""
    return OAuthError(ErrorCase.DPOP_PROOF, problem)


def check_proof(fields: Sequence[str], context: ProofContext) -> str:
    """Return the thumbprint of the key that signed the proof in the ``DPoP`` fields of a request (RFC 7638).

    Raises:
        OAuthError: There is not exactly one proof, a check fails, or its nonce is missing or old.
    """
    if len(fields) != 1:
        raise proof_rejected(ProofProblem.SEVERAL if fields else ProofProblem.MISSING)
    (text,) = fields
    try:
        header, claims = (read_members(decode_base64url(part)) for part in text.split(".")[:2])
    except (ValueError, InvalidRequestError) as exc:
        raise proof_rejected(ProofProblem.UNREADABLE) from exc
    jwk = _check_header(header, text)
    _check_claims(claims, context)
    if context.nonces is not None and not context.nonces.accepts(str(claims.get("nonce")), context.now):
        raise OAuthError(ErrorCase.DPOP_NONCE)
    thumbprint = jwk_thumbprint(jwk)
    # Last: a rejected proof must not use up the jti of another client.
    if not context.used.add_once(thumbprint, claims["jti"], expires_at=context.now + _MAX_AGE_S, now=context.now):
        raise proof_rejected(ProofProblem.USED)
    return thumbprint


def jwk_thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the SHA-256 thumbprint of a public key (RFC 7638 section 3)."""
    members = {name: jwk[name] for name in _THUMBPRINT_MEMBERS[jwk["kty"]]}
    return base64url(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def bound_key(claims: Mapping[str, Any]) -> str | None:
    """Return the thumbprint of the key to which a token with these claims is bound, or None (RFC 9449 section 6.1)."""
    confirmation = claims.get("cnf")  # of any type in a minted token
    thumbprint = confirmation.get("jkt") if isinstance(confirmation, dict) else None
    return thumbprint if isinstance(thumbprint, str) else None


def _check_header(header: Mapping[str, Any], text: str) -> Mapping[str, Any]:
    from fakeissuer.jose import keys  # noqa: PLC0415  # loading jwcrypto takes longer than the rest of the start

    if header.get("typ") != "dpop+jwt" or "crit" in header:
        raise proof_rejected(ProofProblem.TYPE)
    alg, jwk = header.get("alg"), header.get("jwk")
    if alg not in PROOF_ALGORITHMS:
        raise proof_rejected(ProofProblem.ALGORITHM)
    if not isinstance(jwk, dict) or PRIVATE_KEY_MEMBERS & jwk.keys() or jwk.get("kty") != keys.KEY_TYPES[alg[:2]]:
        raise proof_rejected(ProofProblem.KEY)
    if not all(isinstance(jwk.get(name), str) for name in _THUMBPRINT_MEMBERS[jwk["kty"]]):
        raise proof_rejected(ProofProblem.KEY)
    if not keys.is_signed_by(jwk, alg, text):
        raise proof_rejected(ProofProblem.SIGNATURE)
    return jwk


def _check_claims(claims: Mapping[str, Any], context: ProofContext) -> None:
    if claims.get("htm") != context.method:
        raise proof_rejected(ProofProblem.METHOD)
    if str(claims.get("htu")).partition("?")[0].partition("#")[0] != context.url:
        raise proof_rejected(ProofProblem.URL)
    iat = parse_numeric_date(claims.get("iat"))
    if iat is None or not context.now - _MAX_AGE_S <= iat <= context.now + _CLOCK_DIFFERENCE_S:
        raise proof_rejected(ProofProblem.ISSUED_AT)
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        raise proof_rejected(ProofProblem.JTI)
    if context.access_token is not None:
        expected = base64url(hashlib.sha256(context.access_token.encode()).digest())
        if claims.get("ath") != expected:
            raise proof_rejected(ProofProblem.TOKEN)
