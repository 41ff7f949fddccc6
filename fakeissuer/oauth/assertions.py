"""Client authentication by a signed assertion (RFC 7523 section 3, OpenID Connect Core 1.0 section 9)."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fakeissuer.errors import Refused, Unacceptable
from fakeissuer.errors.error_responses import Problem
from fakeissuer.jose.public_keys import KeySet
from fakeissuer.model.clients import SHORTEST_HMAC_SECRET, AuthMethod, Client
from fakeissuer.model.records import moment_of, read_members
from fakeissuer.state.used_jtis import Replays

HMAC_DIGESTS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
ASYMMETRIC = frozenset({"RS256", "RS384", "RS512", "ES256", "ES384", "ES512"})

LONGEST_LIFE_S = 3600


class Flaw(StrEnum):
    """What can be wrong with an assertion; each is a clause of the sentence that the client reads."""

    UNREADABLE = "it is not a JWT"
    ALGORITHM = "its alg is not one that this way to authenticate allows"
    SUBJECT = "its iss and sub are not both the id of a client"
    AUDIENCE = "its aud is not the URL of the endpoint that was called"
    NO_EXPIRY = "it has no exp that is a number"
    EXPIRED = "it has expired"
    LIVES_TOO_LONG = "its exp is more than an hour away"
    ISSUED_LATER = "its iat or nbf is no moment that has come"
    USED = "its jti was used before"
    JTI = "its jti is not a text"
    SIGNATURE = "its signature is wrong"
    SHORT_SECRET = "the client secret has fewer than 32 characters"  # noqa: S105 - a sentence
    NO_KEY_SET = "no key set is registered for the client"
    KEY_ID = "its kid does not name one key of the client"
    KEY_USE = "the key that it names is not for signatures"


@dataclass(frozen=True, kw_only=True, repr=False)
class Assertion:
    """An assertion that nobody has verified yet: its text, and what it says of itself."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def method(self) -> AuthMethod:
        """The way to authenticate that its algorithm belongs to."""
        return "client_secret_jwt" if self.alg in HMAC_DIGESTS else "private_key_jwt"

    @property
    def alg(self) -> str:
        """The algorithm of the header, empty when that is no text."""
        alg = self.header.get("alg")
        return alg if isinstance(alg, str) else ""

    @property
    def unverified_client_id(self) -> str:
        """The client that it names twice, as issuer and as subject."""
        subject = self.claims.get("sub")
        if not isinstance(subject, str) or not subject or self.claims.get("iss") != subject:
            raise flawed(Flaw.SUBJECT)
        return subject


def flawed(flaw: Flaw) -> Refused:
    """Return the refusal of an assertion with this flaw."""
    return Refused(Problem.ASSERTION_REFUSED, flaw)


def read_assertion(text: str) -> Assertion:
    """Return what an assertion says, believing nothing of it.

    Raises:
        Refused: it is not a JWS in compact serialization over a JSON object, or has a `crit` that nobody understands.
    """
    try:
        header, payload, _ = (_decoded(part) for part in text.split("."))
        assertion = Assertion(text=text, header=read_members(header), claims=read_members(payload))
    except (ValueError, Unacceptable) as exc:
        raise flawed(Flaw.UNREADABLE) from exc
    if "crit" in assertion.header:
        raise flawed(Flaw.UNREADABLE)
    return assertion


def check_assertion(assertion: Assertion, client: Client, audience: str, now: float, used: Replays) -> None:
    """Check that the client signed the assertion, for this endpoint and for this moment, and use it up.

    Raises:
        Refused: it did not.
    """
    verify_client_signature(assertion, client)
    if assertion.claims.get("aud") not in (audience, [audience]):
        raise flawed(Flaw.AUDIENCE)
    check_moments(assertion.claims, now, client.id, used)


def verify_client_signature(assertion: Assertion, client: Client) -> None:
    """Verify that a client signed this, with its secret or with a key of its own.

    Raises:
        Refused: it did not.
    """
    if assertion.method == "client_secret_jwt":
        _check_hmac(assertion, client.secret or "")
    else:
        verify_signature(assertion, client.jwks)


def check_moments(claims: Mapping[str, Any], now: float, signer: str, used: Replays) -> None:
    """Check that a verified assertion is for this moment, and use it up.

    Raises:
        Refused: it is not, lives longer than an hour, or was used before.
    """
    expires = moment_of(claims.get("exp"))
    if expires is None:
        raise flawed(Flaw.NO_EXPIRY)
    if expires <= now:
        raise flawed(Flaw.EXPIRED)
    if expires > now + LONGEST_LIFE_S:
        raise flawed(Flaw.LIVES_TOO_LONG)
    for name in ("iat", "nbf"):
        moment = moment_of(claims.get(name, 0))
        if moment is None or moment > now:
            raise flawed(Flaw.ISSUED_LATER)
    jti = claims.get("jti")
    if jti is not None and not isinstance(jti, str):
        raise flawed(Flaw.JTI)
    # Last, so that nobody uses up somebody else's jti with an assertion that would have been refused.
    if jti is not None and not used.use(signer, jti, until=expires, now=now):
        raise flawed(Flaw.USED)


def _check_hmac(assertion: Assertion, secret: str) -> None:
    if len(secret) < SHORTEST_HMAC_SECRET:
        raise flawed(Flaw.SHORT_SECRET)
    signing_input, _, signature = assertion.text.rpartition(".")
    # Not by jwcrypto, which wants 64 characters for HS512: Okta is content with 32 (RFC 7518 section 3.2 is not).
    expected = hmac.digest(secret.encode(), signing_input.encode(), HMAC_DIGESTS[assertion.alg])
    if not hmac.compare_digest(expected, _decoded(signature)):
        raise flawed(Flaw.SIGNATURE)


def verify_signature(assertion: Assertion, jwks: KeySet | None) -> None:
    """Verify that a key of this set signed the assertion.

    Raises:
        Refused: no key of the set did, or not with an algorithm and a key that are fit for it.
    """
    from fakeissuer.jose import keys  # noqa: PLC0415 - loaded with the first key, see jose

    if assertion.alg not in ASYMMETRIC:
        raise flawed(Flaw.ALGORITHM)
    key = _key(assertion.header.get("kid"), jwks)
    if key.get("use", "sig") != "sig":
        raise flawed(Flaw.KEY_USE)
    if key.get("alg", assertion.alg) != assertion.alg or key["kty"] != keys.KEY_TYPES[assertion.alg[:2]]:
        raise flawed(Flaw.ALGORITHM)
    if not keys.is_signed_by(key, assertion.alg, assertion.text):
        raise flawed(Flaw.SIGNATURE)


def _key(kid: object, jwks: KeySet | None) -> dict[str, Any]:
    if jwks is None:
        raise flawed(Flaw.NO_KEY_SET)
    keys = jwks["keys"]
    # A single key needs no name; among several the header has to say which.
    fitting = keys if kid is None else [key for key in keys if key.get("kid") == kid]
    if len(fitting) != 1:
        raise flawed(Flaw.KEY_ID)
    return fitting[0]


def _decoded(part: str) -> bytes:
    # The library's decoder skips what is no base64url: two texts would then be one assertion.
    if not part.isascii() or set("+/=") & set(part):
        raise ValueError("this is not base64url")
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error as exc:
        raise ValueError("this is not base64url") from exc
