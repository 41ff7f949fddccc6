"""The checks of a DPoP proof (RFC 9449 section 4.3).

They await nothing and store nothing: whether a proof was used before, and whether its nonce is one of ours, is checked
by :class:`service.binding.BindingCheck`.
"""

from __future__ import annotations

import functools
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from service.errors import InvalidProof, InvalidToken, Reason
from service.tokens import encoding
from service.tokens.binding.http_url import normalize_http_url
from service.tokens.binding.thumbprint import encode_sha256, jwk_thumbprint
from service.tokens.claims import numeric_date
from service.tokens.jose_header import FORBIDDEN_PARAMETERS, JOSEHeader
from service.tokens.jwk import JWK
from service.tokens.jws import CompactJWS, is_signed_by, split

PROOF_ALGORITHMS = ("ES256", "ES384", "ES512", "EdDSA", "Ed25519", "PS256", "RS256")
"""The algorithms of proofs, which the client chooses; each is asymmetric."""
MAX_PROOF_SIZE = 8 * 1024
"""Characters; a proof with an RSA key of 8192 bits has about 3,500."""
MAX_JTI_SIZE = 256
"""Characters of ``jti`` and of ``nonce``."""
PROOF_TYPE = "dpop+jwt"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProofRules:
    """What a proof has to satisfy.

    Args:
        algorithms: The accepted algorithms.
        max_age: Seconds after ``iat`` for which a proof is accepted.
        max_future: Seconds by which the client's clock may be ahead.
    """

    algorithms: Collection[str] = PROOF_ALGORITHMS
    max_age: float = 60.0
    max_future: float = 5.0


class ProofHeader(NamedTuple):
    """The header of a proof, and its public key; the proofs of one client have the same header."""

    header: JOSEHeader
    key: JWK
    thumbprint: str


class DPoPProof(NamedTuple):
    """A proof whose signature has been verified, and whose claims have been checked."""

    thumbprint: str
    """The JWK thumbprint of its key (RFC 7638), to which the token must be bound."""
    jti: str
    nonce: str | None


def check_proof(
    text: str, *, rules: ProofRules, method: str, url: str, token: str, thumbprint: str, now: float
) -> DPoPProof:
    """Return a proof after all checks that need nothing but the request (RFC 9449 section 4.3).

    The signature is verified last, since it costs more than all other checks.

    Args:
        text: The value of the header field ``DPoP``.
        method: The method of the request.
        url: The URL of the request as the client sees it, never from a field that the client can choose.
        token: The access token that was sent with the proof.
        thumbprint: The thumbprint of the key to which the token is bound.
        now: Seconds since the epoch.

    Raises:
        InvalidProof: A check fails.
    """
    (header, key, own_thumbprint), jws, claims = _parse(text)
    algorithm = _check_header(header, key, rules)
    if claims.get("htm") != method:
        raise InvalidProof(Reason.PROOF_METHOD, f"expected {method}", claim="htm")
    _check_url(claims, url)
    _check_time(claims, rules, now)
    jti = _text(claims, "jti")
    nonce = _text(claims, "nonce") if "nonce" in claims else None
    if claims.get("ath") != encode_sha256(token.encode("ascii")):
        raise InvalidProof(Reason.PROOF_TOKEN, "expected the hash of the token that was sent with it", claim="ath")
    if own_thumbprint != thumbprint:
        # A thief of the token has a key too, but not the one to which the token is bound.
        raise InvalidProof(Reason.PROOF_KEY_MISMATCH, "signed with another key", claim="jwk")
    if not is_signed_by(jws, key, algorithm):
        raise InvalidProof(Reason.PROOF_SIGNATURE)
    return DPoPProof(thumbprint=own_thumbprint, jti=jti, nonce=nonce)


def _parse(text: str) -> tuple[ProofHeader, CompactJWS, dict[str, Any]]:
    if len(text) > MAX_PROOF_SIZE:
        raise InvalidProof(Reason.MALFORMED_PROOF, f"{len(text)} characters, at most {MAX_PROOF_SIZE}")
    try:
        encoded_header, encoded_payload, signing_input, signature = split(text)
        proof_header = _read_header(encoded_header)
        payload = encoding.decode_base64url(encoded_payload)
        claims = encoding.decode_json_object(payload)
        jws = CompactJWS(proof_header.header, payload, signing_input, encoding.decode_base64url(signature))
    except ValueError as exc:
        # The message of a decoding error quotes a part of the proof.
        raise InvalidProof(Reason.MALFORMED_PROOF, str(exc) if type(exc) is ValueError else "") from None
    return proof_header, jws, claims


@functools.lru_cache(maxsize=1024)
def _read_header(encoded: bytes) -> ProofHeader:
    """Return a header with its key; cached, because all proofs of a client have the same header.

    Raises:
        ValueError: It is not a JSON object in base64url.
        InvalidProof: It has no usable public key.
    """
    parameters = encoding.decode_json_object(encoding.decode_base64url(encoded))
    jwk: Any = parameters.get("jwk")
    try:
        key = JWK.read(jwk)
    except ValueError as exc:
        detail = str(exc) if type(exc) is ValueError else "a member is malformed"
        raise InvalidProof(Reason.PROOF_KEY, detail, claim="jwk") from None
    return ProofHeader(JOSEHeader.of(parameters), key, jwk_thumbprint(jwk))


def _check_header(header: JOSEHeader, key: JWK, rules: ProofRules) -> str:
    """Return the algorithm."""
    if header.forbidden is not None:
        raise InvalidProof(Reason.MALFORMED_PROOF, FORBIDDEN_PARAMETERS[header.forbidden], claim=header.forbidden)
    if header.typ != PROOF_TYPE:
        # A client signs other JWTs with the same key, such as assertions, and none of them is a proof.
        raise InvalidProof(Reason.PROOF_TYPE, f"expected {PROOF_TYPE}", claim="typ")
    if header.alg is None or header.alg not in rules.algorithms:
        raise InvalidProof(Reason.PROOF_ALGORITHM, f"expected one of {', '.join(rules.algorithms)}", claim="alg")
    if header.alg not in key.algorithms:
        raise InvalidProof(Reason.PROOF_KEY, "the key does not fit the algorithm", claim="jwk")
    return header.alg


def _check_url(claims: dict[str, Any], url: str) -> None:
    htu, expected = claims.get("htu"), normalize_http_url(url)
    try:
        found = normalize_http_url(htu) if isinstance(htu, str) else None
    except ValueError:
        found = None
    if found != expected:
        raise InvalidProof(Reason.PROOF_URL, f"expected {expected}, found {str(htu)[:200]!r}", claim="htu")


def _check_time(claims: dict[str, Any], rules: ProofRules, now: float) -> None:
    try:
        iat = numeric_date(claims, "iat")
    except InvalidToken as exc:
        raise InvalidProof(Reason.MALFORMED_PROOF, exc.detail, claim="iat") from None
    if iat is None:
        raise InvalidProof(Reason.MALFORMED_PROOF, "without it the age of the proof is unknown", claim="iat")
    if iat > now + rules.max_future:
        detail = f"in {iat - now:.1f} s, at most {rules.max_future:g} s"
        raise InvalidProof(Reason.PROOF_IN_FUTURE, detail, claim="iat")
    if iat < now - rules.max_age:
        raise InvalidProof(Reason.PROOF_TOO_OLD, f"{now - iat:.1f} s ago, at most {rules.max_age:g} s", claim="iat")


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_JTI_SIZE:
        raise InvalidProof(Reason.MALFORMED_PROOF, f"expected a string of 1 to {MAX_JTI_SIZE} characters", claim=name)
    return value
