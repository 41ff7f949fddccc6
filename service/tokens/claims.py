"""The checks of a token's claims (RFC 7519 section 4.1, RFC 9068 section 4).

Each check is independent of the others.
The checks do not verify the signature; the caller does.
"""

from __future__ import annotations

from typing import Any

from service.errors import InvalidToken, Reason
from service.tokens.binding.confirmation import CONFIRMATION, read_confirmation
from service.tokens.claim_names import DEFAULT_NAMES
from service.tokens.claim_rules import ClaimCheck, ClaimRules, Claims, shorten
from service.tokens.token_kinds import MARKS, check_kind, describe_accepted_hashes

_LARGEST_DATE = 2**53
"""Seconds; a float represents larger integers inexactly."""
_TYPE_CLAIMS = ("typ", "token_type")
"""A bound token has the type ``DPoP`` in Keycloak's ``typ`` or the ``token_type`` of a response."""
_REQUIRED_BY_RFC9068 = ("iss", "exp", "aud", "sub", "client_id", "iat", "jti")


def check_issuer(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Reject a token of another issuer (RFC 9068 section 4)."""
    if claims.get("iss") != rules.issuer and not _may_lack("iss", claims, rules):
        issuer = _required(claims, "iss", str)
        raise InvalidToken(Reason.WRONG_ISSUER, f"expected {rules.issuer!r}, found {shorten(issuer)}", claim="iss")


def check_audience(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Reject a token for another audience (RFC 7519 section 4.1.3)."""
    aud = claims.get("aud")
    if aud.__class__ is str and aud in rules.audiences:
        return
    if _may_lack("aud", claims, rules) or (rules.accepts_without_audience and claims.get("aud", []) == []):
        return
    if "aud" not in claims:
        raise InvalidToken(Reason.MISSING_CLAIM, "no aud", claim="aud", setting="accept_tokens_without_audience")
    aud = _required(claims, "aud", (str, list))
    audiences = [aud] if isinstance(aud, str) else aud
    if not all([isinstance(audience, str) for audience in audiences]):  # noqa: C419  # faster for short lists
        raise InvalidToken(Reason.MALFORMED_CLAIM, "expected a string or a list of strings", claim="aud")
    if rules.audiences.isdisjoint(audiences):
        expected = " or ".join(map(repr, sorted(rules.audiences)))
        raise InvalidToken(Reason.WRONG_AUDIENCE, f"expected {expected}, found {shorten(aud)}", claim="aud")


def check_expiration(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Reject an expired token, and one without an expiration (RFC 7519 section 4.1.4)."""
    exp = numeric_date(claims, "exp")
    if exp is None and "exp" not in rules.required:
        return
    if exp is None:
        raise InvalidToken(Reason.MISSING_CLAIM, "without it the token would never expire", claim="exp")
    if now >= exp + rules.leeway:
        raise InvalidToken(Reason.EXPIRED, f"{now - exp:.0f} s ago, leeway {rules.leeway:.0f} s", claim="exp")


def check_not_before(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Reject a token that is not valid yet (RFC 7519 section 4.1.5)."""
    nbf = numeric_date(claims, "nbf")
    if nbf is not None and nbf > now + rules.leeway:
        raise InvalidToken(Reason.NOT_YET_VALID, f"in {nbf - now:.0f} s, leeway {rules.leeway:.0f} s", claim="nbf")


def check_issued_at(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Reject a token issued in the future (RFC 7519 section 4.1.6)."""
    iat = numeric_date(claims, "iat")
    if iat is not None and iat > now + rules.leeway:
        raise InvalidToken(Reason.ISSUED_IN_FUTURE, f"in {iat - now:.0f} s, leeway {rules.leeway:.0f} s", claim="iat")


def check_max_age(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Reject a token older than ``max_token_age`` (RFC 7519 section 4.1.6)."""
    if rules.max_token_age is None:
        return
    iat = numeric_date(claims, "iat")
    if iat is None and "iat" not in rules.required:
        return
    if iat is None:
        raise InvalidToken(Reason.MISSING_CLAIM, "without it the age of the token is unknown", claim="iat")
    if now >= iat + rules.max_token_age + rules.leeway:
        detail = f"{now - iat:.0f} s ago, at most {rules.max_token_age:.0f} s and {rules.leeway:.0f} s of leeway"
        raise InvalidToken(Reason.TOO_OLD, detail, claim="iat")


def check_client_id(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Reject a client that is not allowed (RFC 9068 section 2.2; other issuers call the claim ``cid`` or ``azp``)."""
    if rules.allowed_client_ids is None:
        return
    client_id = rules.names.find_client_id(claims)
    if client_id is None and "client_id" not in rules.required:
        return
    if client_id not in rules.allowed_client_ids:
        raise InvalidToken(Reason.CLIENT_NOT_TRUSTED, f"found {shorten(client_id)}", claim="client_id")


def check_confirmation(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Reject a token that is bound to a key in a way that cannot be checked, since a thief could use it.

    Whether the sender holds the key is checked for each request (RFC 7800 section 3.1, RFC 9449 section 6).
    """
    if CONFIRMATION in claims:
        read_confirmation(claims)
        return
    for name in _TYPE_CLAIMS:
        if name in claims and _is_dpop(claims[name]):
            raise InvalidToken(Reason.SENDER_CONSTRAINED, "it is bound to a key that it does not name", claim=name)


def check_rfc9068_claims(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Reject a token that lacks a claim of RFC 9068 section 2.2, if the rules require these claims."""
    if rules.requires_rfc9068:
        for name in _REQUIRED_BY_RFC9068:
            if name not in claims:
                raise InvalidToken(Reason.MISSING_CLAIM, "RFC 9068 section 2.2 requires it", claim=name)


_COMPARE_CLOCKS = "python -m service check compares the two clocks; correct the one that is wrong"


CHECKS: tuple[ClaimCheck, ...] = (
    ClaimCheck(
        "iss",
        "it is from the trusted issuer",
        check_issuer,
        expected="{issuer}",
        advice="request a token from the trusted issuer",
    ),
    ClaimCheck(
        "aud",
        "it is intended for this API",
        check_audience,
        expected="{audiences}",
        advice="request a token for this API; or, if this is the audience in your authorization server, "
        "set audience to it",
    ),
    ClaimCheck(
        "exp",
        "it has not expired",
        check_expiration,
        expected="a date after {earliest}{leeway}",
        advice=f"request a new token; if it is new, {_COMPARE_CLOCKS}",
    ),
    ClaimCheck(
        "nbf",
        "it is valid already",
        check_not_before,
        expected="none, or a date up to {latest}",
        advice=f"wait; or, if the token should be valid now, {_COMPARE_CLOCKS}",
    ),
    ClaimCheck(
        "iat",
        "it was not issued in the future",
        check_issued_at,
        expected="none, or a date up to {latest}",
        advice=_COMPARE_CLOCKS,
    ),
    ClaimCheck(
        "iat",
        "it was not issued too long ago",
        check_max_age,
        expected="{max_age}",
        advice="request a new token, or set a longer max_token_age",
    ),
    ClaimCheck(
        "jti",
        "it is an access token, and no ID token or other kind of token",
        check_kind,
        expected="none of the claims by which other kinds of token are recognised",
        advice="send the access token; an ID token that came with it is intended for the client",
        other_claims=tuple(mark.claim for mark in MARKS if mark.claim != "jti"),
        remark=describe_accepted_hashes,
    ),
    ClaimCheck(
        "client_id",
        "its client may call this API",
        check_client_id,
        expected="{clients}",
        advice="add the client to allowed_client_ids, if it may call this API; if two claims name two clients, "
        "set client_id_claims to the one that the issuer itself writes",
        other_claims=DEFAULT_NAMES.client_id[1:],
    ),
    ClaimCheck(
        "cnf",
        "it is a bearer token, or bound to a key that can be checked",
        check_confirmation,
        expected="none, or jkt, x5t#S256 or both",
        advice="request a bearer token, or one that is bound by DPoP or to a client certificate",
        other_claims=_TYPE_CLAIMS,
    ),
    ClaimCheck(
        None,
        "it has every required claim",
        check_rfc9068_claims,
        expected="{required_claims}",
        advice="configure the issuer to add the claim to its tokens, or set token_profile to lenient",
    ),
)
"""All checks in order; ``explain`` runs the same list."""

_CHECK_FUNCTIONS = tuple(rule.check for rule in CHECKS)


def check_claims(claims: Claims, rules: ClaimRules, *, now: float) -> None:
    """Run all checks.

    Args:
        now: Wall time in seconds since the epoch.

    Raises:
        InvalidToken: The first check that fails, with its reason and claim.
    """
    for check in _CHECK_FUNCTIONS:
        check(claims, rules, now)


def numeric_date(claims: Claims, name: str) -> float | None:
    """Return a NumericDate in seconds since the epoch, or None if the claim is absent (RFC 7519 section 2).

    Raises:
        InvalidToken: The value is not a finite number, is a boolean, or is too large to compare exactly.
    """
    value = claims.get(name)
    if (type(value) is int or type(value) is float) and -_LARGEST_DATE < value < _LARGEST_DATE:
        return value
    if name not in claims:
        return None
    raise InvalidToken(Reason.MALFORMED_CLAIM, f"expected a finite number, found {shorten(value)}", claim=name)


def _is_dpop(value: object) -> bool:
    return isinstance(value, str) and value.lower() == "dpop"


def _may_lack(name: str, claims: Claims, rules: ClaimRules) -> bool:
    return name not in claims and name not in rules.required


def _required(claims: Claims, name: str, kind: type | tuple[type, ...]) -> Any:
    if name not in claims:
        raise InvalidToken(Reason.MISSING_CLAIM, f"no {name}", claim=name)
    value = claims[name]
    if not isinstance(value, kind):
        raise InvalidToken(Reason.MALFORMED_CLAIM, f"found {shorten(value)}", claim=name)
    return value
