"""Client authentication by a signed assertion (RFC 7523 section 3, OpenID Connect Core 1.0 section 9)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fakeissuer.errors import InvalidRequestError, OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.jose.public_keys import KeySet
from fakeissuer.jose.raw_jws import decode_base64url
from fakeissuer.model.clients import MIN_HMAC_SECRET_LENGTH, AuthMethod, Client
from fakeissuer.model.records import parse_numeric_date, read_members
from fakeissuer.state.used_jtis import UsedJTIs

_HMAC_DIGESTS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
_ASYMMETRIC_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "ES256", "ES384", "ES512"})

_MAX_LIFETIME_S = 3600


class AssertionProblem(StrEnum):
    """Why an assertion is rejected; the value completes the error description."""

    UNREADABLE = "it is not a JWT"
    ALGORITHM = "its alg is not one that this way to authenticate allows"
    SUBJECT = "its iss and sub are not both the id of a client"
    AUDIENCE = "its aud is not the URL of the endpoint that was called"
    NO_EXPIRY = "it has no exp that is a number"
    EXPIRED = "it has expired"
    LIFETIME_TOO_LONG = "its exp is more than an hour away"
    NOT_YET_VALID = "its iat or nbf is no moment that has come"
    USED = "its jti was used before"
    JTI = "its jti is not a text"
    SIGNATURE = "its signature is wrong"
    SHORT_SECRET = "the client secret has fewer than 32 characters"  # noqa: S105  # a message
    NO_KEY_SET = "no key set is registered for the client"
    KEY_ID = "its kid does not name one key of the client"
    KEY_USE = "the key that it names is not for signatures"


@dataclass(frozen=True, kw_only=True, repr=False)
class Assertion:
    """A decoded assertion whose signature and claims are not verified."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def method(self) -> AuthMethod:
        """The client authentication method that the algorithm belongs to."""
        return "client_secret_jwt" if self.alg in _HMAC_DIGESTS else "private_key_jwt"

    @property
    def alg(self) -> str:
        """The ``alg`` of the header, or an empty string if it is not a string."""
        alg = self.header.get("alg")
        return alg if isinstance(alg, str) else ""

    @property
    def unverified_client_id(self) -> str:
        """The client id that is both ``iss`` and ``sub``.

        Raises:
            OAuthError: The two differ or are not a client id.
        """
        subject = self.claims.get("sub")
        if not isinstance(subject, str) or not subject or self.claims.get("iss") != subject:
            raise assertion_rejected(AssertionProblem.SUBJECT)
        return subject


def assertion_rejected(problem: AssertionProblem) -> OAuthError:
    """Return the error that rejects an assertion for this problem."""
    return OAuthError(ErrorCase.ASSERTION_REFUSED, problem)


def read_assertion(text: str) -> Assertion:
    """Decode an assertion without verifying it.

    Raises:
        OAuthError: The text is not a JWS in compact serialization with a JSON object, or its header has ``crit``,
            because no extension is supported.
    """
    try:
        header, payload, _ = (decode_base64url(part) for part in text.split("."))
        assertion = Assertion(text=text, header=read_members(header), claims=read_members(payload))
    except (ValueError, InvalidRequestError) as exc:
        raise assertion_rejected(AssertionProblem.UNREADABLE) from exc
    if "crit" in assertion.header:
        raise assertion_rejected(AssertionProblem.UNREADABLE)
    return assertion


def check_assertion(assertion: Assertion, client: Client, audience: str, now: float, used: UsedJTIs) -> None:
    """Check signature, audience and times of an assertion, and record its ``jti`` as used.

    Raises:
        OAuthError: One of the checks fails.
    """
    verify_client_signature(assertion, client)
    if assertion.claims.get("aud") not in (audience, [audience]):
        raise assertion_rejected(AssertionProblem.AUDIENCE)
    check_time_claims(assertion.claims, now, client.id, used)


def verify_client_signature(assertion: Assertion, client: Client) -> None:
    """Verify that a client signed the assertion, with its secret or with one of its keys.

    Raises:
        OAuthError: The signature does not verify.
    """
    if assertion.method == "client_secret_jwt":
        _check_hmac(assertion, client.secret or "")
    else:
        verify_signature(assertion, client.jwks)


def check_time_claims(claims: Mapping[str, Any], now: float, signer: str, used: UsedJTIs) -> None:
    """Check the time claims of a verified assertion, and record its ``jti`` as used.

    Raises:
        OAuthError: The assertion is expired, not yet valid, valid for more than an hour, or was used before.
    """
    expires = parse_numeric_date(claims.get("exp"))
    if expires is None:
        raise assertion_rejected(AssertionProblem.NO_EXPIRY)
    if expires <= now:
        raise assertion_rejected(AssertionProblem.EXPIRED)
    if expires > now + _MAX_LIFETIME_S:
        raise assertion_rejected(AssertionProblem.LIFETIME_TOO_LONG)
    for name in ("iat", "nbf"):
        seconds = parse_numeric_date(claims.get(name, 0))
        if seconds is None or seconds > now:
            raise assertion_rejected(AssertionProblem.NOT_YET_VALID)
    jti = claims.get("jti")
    if jti is not None and not isinstance(jti, str):
        raise assertion_rejected(AssertionProblem.JTI)
    # Last: otherwise an attacker could use up the jti of another client with an assertion that is rejected.
    if jti is not None and not used.add_once(signer, jti, expires_at=expires, now=now):
        raise assertion_rejected(AssertionProblem.USED)


def _check_hmac(assertion: Assertion, secret: str) -> None:
    if len(secret) < MIN_HMAC_SECRET_LENGTH:
        raise assertion_rejected(AssertionProblem.SHORT_SECRET)
    signing_input, _, signature = assertion.text.rpartition(".")
    # jwcrypto requires 64 characters for HS512, as RFC 7518 section 3.2 does; Okta requires only 32.
    expected = hmac.digest(secret.encode(), signing_input.encode(), _HMAC_DIGESTS[assertion.alg])
    if not hmac.compare_digest(expected, decode_base64url(signature)):
        raise assertion_rejected(AssertionProblem.SIGNATURE)


def verify_signature(assertion: Assertion, jwks: KeySet | None) -> None:
    """Verify that a key of this set signed the assertion.

    Raises:
        OAuthError: No key matches, the key does not fit the algorithm, or the signature does not verify.
    """
    from fakeissuer.jose import keys  # noqa: PLC0415  # loading jwcrypto takes longer than the rest of the start

    if assertion.alg not in _ASYMMETRIC_ALGORITHMS:
        raise assertion_rejected(AssertionProblem.ALGORITHM)
    key = _matching_key(assertion.header.get("kid"), jwks)
    if key.get("use", "sig") != "sig":
        raise assertion_rejected(AssertionProblem.KEY_USE)
    if key.get("alg", assertion.alg) != assertion.alg or key["kty"] != keys.KEY_TYPES[assertion.alg[:2]]:
        raise assertion_rejected(AssertionProblem.ALGORITHM)
    if not keys.is_signed_by(key, assertion.alg, assertion.text):
        raise assertion_rejected(AssertionProblem.SIGNATURE)


def _matching_key(kid: object, jwks: KeySet | None) -> dict[str, Any]:
    if jwks is None:
        raise assertion_rejected(AssertionProblem.NO_KEY_SET)
    keys = jwks["keys"]
    # Without a kid the set must have a single key.
    matching = keys if kid is None else [key for key in keys if key.get("kid") == kid]
    if len(matching) != 1:
        raise assertion_rejected(AssertionProblem.KEY_ID)
    return matching[0]
