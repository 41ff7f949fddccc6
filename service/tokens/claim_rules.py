"""The types of claim validation: the expected claims of an issuer's tokens, and one check of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from service.tokens.claim_names import DEFAULT_NAMES, ClaimNames

Claims = Mapping[str, Any]

REQUIRED_OF_JWT = frozenset({"iss", "aud", "exp", "iat", "client_id"})
"""The claims that a JWT must have, the last two only where a rule reads them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimRules:
    """The expected claims of one issuer's tokens.

    Args:
        issuer: The issuer, compared character by character.
        audiences: Our resource identifiers; the token must contain one of them.
        allowed_client_ids: The clients that may present tokens, or None to allow all.
        leeway: Seconds of tolerance for clock skew.
        max_token_age: Seconds since ``iat`` after which a token is rejected even if it has not expired, or None.
        requires_rfc9068: Whether a token must have the type and all the claims that RFC 9068 section 2 requires.
        accepts_id_token_hashes: Whether a token may have ``at_hash`` and the other hashes of ID tokens.
        accepts_without_audience: Whether a token may lack ``aud``; its client is then the only restriction, so
            ``allowed_client_ids`` must be set too.
        requires_client: Whether a token without a client is an ID token.
        id_token_claims: Claims of ID tokens that no access token of the issuer has.
        names: The claims of client, scopes, groups and roles.
        required: Which of the claims in :data:`REQUIRED_OF_JWT` must be present.
    """

    issuer: str
    audiences: frozenset[str]
    allowed_client_ids: frozenset[str] | None = None
    leeway: float = 120.0
    max_token_age: float | None = None
    requires_rfc9068: bool = False
    accepts_id_token_hashes: bool = False
    accepts_without_audience: bool = False
    requires_client: bool = False
    id_token_claims: tuple[str, ...] = ()
    names: ClaimNames = DEFAULT_NAMES
    required: frozenset[str] = REQUIRED_OF_JWT


class ClaimCheck(NamedTuple):
    """One check, with its texts for ``explain``."""

    claim: str | None
    """The claim that the check is about; None for the claims set as a whole."""
    description: str
    check: Callable[[Claims, ClaimRules, float], None]
    expected: str = ""
    """The expected value; ``explain`` replaces the placeholders, such as ``{issuer}`` and ``{latest}``."""
    advice: str = ""
    """What to do about a token that the check rejects."""
    other_claims: tuple[str, ...] = ()
    """Further claims that the check reads."""
    remark: Callable[[Claims, ClaimRules], str] = lambda _claims, _rules: ""
    """Returns what ``explain`` adds to the claims that it found."""


def shorten(value: object) -> str:
    """Return a claim value for the log, on one line and too short to contain a whole token."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
