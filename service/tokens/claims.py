"""The rules for a token's claims, one small check for each (RFC 7519 section 4.1, RFC 9068 section 4).

Each check looks at one thing, and assumes nothing of the ones before it.
None of them verifies a signature: whoever calls them has done that, or does not trust the answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from service.errors import InvalidToken, Reason
from service.tokens.jose_header import JOSEHeader

Claims = Mapping[str, Any]

_ACCESS_TOKEN_TYPES = frozenset({"", "jwt", "at+jwt"})
_STRICT_TYPES = frozenset({"at+jwt"})
_LARGEST_DATE = 2**53
"""Beyond it an integer and a float are no longer compared exactly, and no issuer lives that long."""
_REQUIRED_BY_RFC9068 = ("iss", "exp", "aud", "sub", "client_id", "iat", "jti")


REQUIRED_OF_JWT = frozenset({"iss", "aud", "exp"})
"""What a token must have that speaks for itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimRules:
    """What this resource server expects of one issuer's tokens.

    Args:
        issuer: The issuer, compared character by character.
        audiences: Our resource identifiers; one of them must be in the token.
        allowed_client_ids: The clients that may present tokens; None allows all.
        leeway: Seconds by which the issuer's clock and ours may disagree.
        max_token_age: Seconds since ``iat`` after which a token is refused, expired or not; None for no limit.
        required: Which of ``iss``, ``aud`` and ``exp`` must be there; an answer to introspection may lack them.
        requires_rfc9068: Whether a token must have the type and all the claims that RFC 9068 section 2 requires.
    """

    issuer: str
    audiences: frozenset[str]
    allowed_client_ids: frozenset[str] | None = None
    leeway: float = 120.0
    max_token_age: float | None = None
    requires_rfc9068: bool = False
    required: frozenset[str] = REQUIRED_OF_JWT


def check_type(header: JOSEHeader, rules: ClaimRules) -> None:
    """Refuse a header type that no access token has (RFC 8725 section 3.11, RFC 9068 section 4).

    Okta sends none, and many issuers send ``JWT``; any other type was made for another purpose.
    """
    accepted = _STRICT_TYPES if rules.requires_rfc9068 else _ACCESS_TOKEN_TYPES
    if header.typ in accepted:
        return
    if header.is_of_okta_org_token:
        detail = "a token of an Okta org server, which only Okta can judge; ask a custom authorization server for one"
    else:
        typ = header.parameters.get("typ", "")
        detail = f"expected {' or '.join(filter(None, sorted(accepted)))}, saw {_shown(typ)}"
    raise InvalidToken(Reason.UNSUPPORTED_TYPE, detail, claim="typ")


def check_issuer(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Refuse a token of another issuer (RFC 9068 section 4)."""
    if claims.get("iss") != rules.issuer and not _may_lack("iss", claims, rules):
        issuer = _required(claims, "iss", str)
        raise InvalidToken(Reason.WRONG_ISSUER, f"expected {rules.issuer!r}, saw {_shown(issuer)}", claim="iss")


def check_audience(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Refuse a token that was made for somebody else (RFC 7519 section 4.1.3)."""
    aud = claims.get("aud")
    if aud.__class__ is str and aud in rules.audiences:
        return
    if _may_lack("aud", claims, rules):
        return
    aud = _required(claims, "aud", (str, list))
    audiences = [aud] if isinstance(aud, str) else aud
    if not all([isinstance(audience, str) for audience in audiences]):  # noqa: C419  # faster for the one or two
        raise InvalidToken(Reason.MALFORMED_CLAIM, "expected text or a list of texts", claim="aud")
    if rules.audiences.isdisjoint(audiences):
        expected = " or ".join(map(repr, sorted(rules.audiences)))
        raise InvalidToken(Reason.WRONG_AUDIENCE, f"expected {expected}, saw {_shown(aud)}", claim="aud")


def check_expiration(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Refuse a token that has expired, and one that never would (RFC 7519 section 4.1.4)."""
    exp = numeric_date(claims, "exp")
    if exp is None and "exp" not in rules.required:
        return
    if exp is None:
        raise InvalidToken(Reason.MISSING_CLAIM, "a token without it would be good for ever", claim="exp")
    if now >= exp + rules.leeway:
        raise InvalidToken(Reason.EXPIRED, f"{now - exp:.0f} s ago, leeway {rules.leeway:.0f} s", claim="exp")


def check_not_before(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Refuse a token whose time has not come (RFC 7519 section 4.1.5)."""
    nbf = numeric_date(claims, "nbf")
    if nbf is not None and nbf > now + rules.leeway:
        raise InvalidToken(Reason.NOT_YET_VALID, f"in {nbf - now:.0f} s, leeway {rules.leeway:.0f} s", claim="nbf")


def check_issued_at(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Refuse a token from the future: its issuer's clock, or its issuer, is not to be trusted (RFC 7519 4.1.6)."""
    iat = numeric_date(claims, "iat")
    if iat is not None and iat > now + rules.leeway:
        raise InvalidToken(Reason.ISSUED_IN_FUTURE, f"in {iat - now:.0f} s, leeway {rules.leeway:.0f} s", claim="iat")


def check_max_age(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Refuse a token that was issued too long ago, where there is a limit (RFC 7519 section 4.1.6)."""
    if rules.max_token_age is None:
        return
    iat = numeric_date(claims, "iat")
    if iat is None:
        raise InvalidToken(Reason.MISSING_CLAIM, "the age of the token cannot be told without it", claim="iat")
    if now >= iat + rules.max_token_age + rules.leeway:
        detail = f"{now - iat:.0f} s ago, at most {rules.max_token_age:.0f} s and {rules.leeway:.0f} s of leeway"
        raise InvalidToken(Reason.TOO_OLD, detail, claim="iat")


def check_client_id(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Refuse a client that is not on the list (RFC 9068 section 2.2; Okta calls the claim ``cid``)."""
    if rules.allowed_client_ids is None:
        return
    client_id = claims.get("client_id", claims.get("cid"))
    if not isinstance(client_id, str) or client_id not in rules.allowed_client_ids:
        raise InvalidToken(Reason.CLIENT_NOT_TRUSTED, f"saw {_shown(client_id)}", claim="client_id")


def check_not_id_token(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Refuse an ID token, which tells a client who signed in and opens no door (RFC 9068 section 5)."""
    jti = claims.get("jti")
    marked_by_okta = isinstance(jti, str) and jti.startswith("ID.")
    if marked_by_okta or "at_hash" in claims or "c_hash" in claims:  # these two only ID tokens have
        raise InvalidToken(Reason.ID_TOKEN, "an ID token was sent where an access token is needed")


def check_not_sender_constrained(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Refuse a sender-constrained token: without its proof, whoever stole it could use it (RFC 9449 section 7.1)."""
    if "cnf" in claims:
        raise InvalidToken(Reason.SENDER_CONSTRAINED, "its proof cannot be checked here", claim="cnf")


def check_rfc9068_claims(claims: Claims, rules: ClaimRules, now: float) -> None:
    """Check that a token has every claim that RFC 9068 section 2.2 requires, where the issuer follows it."""
    if rules.requires_rfc9068:
        for name in _REQUIRED_BY_RFC9068:
            if name not in claims:
                raise InvalidToken(Reason.MISSING_CLAIM, "RFC 9068 section 2.2 requires it", claim=name)


class ClaimCheck(NamedTuple):
    """One rule: the claim it is about, what it says in words for people, and the check that asks it."""

    claim: str
    description: str
    check: Callable[[Claims, ClaimRules, float], None]


CHECKS: tuple[ClaimCheck, ...] = (
    ClaimCheck("iss", "it is from the issuer that is trusted", check_issuer),
    ClaimCheck("aud", "it is meant for this API", check_audience),
    ClaimCheck("exp", "it has not expired", check_expiration),
    ClaimCheck("nbf", "its time has come", check_not_before),
    ClaimCheck("iat", "it was not issued in the future", check_issued_at),
    ClaimCheck("iat", "it was not issued too long ago", check_max_age),
    ClaimCheck("client_id", "its client may call this API", check_client_id),
    ClaimCheck("jti", "it is an access token and no ID token", check_not_id_token),
    ClaimCheck("cnf", "it is not bound to a key whose proof cannot be checked", check_not_sender_constrained),
    ClaimCheck("sub", "it has every claim that is demanded", check_rfc9068_claims),
)
"""Every rule in the order in which it is asked; ``explain`` and the tests walk the same list."""

_IN_ORDER = tuple(rule.check for rule in CHECKS)


def check_claims(claims: Claims, rules: ClaimRules, *, now: float) -> None:
    """Ask every rule.

    Args:
        now: Wall time in seconds since the epoch.

    Raises:
        InvalidToken: The first rule that says no, with its reason and the claim it is about.
    """
    for check in _IN_ORDER:
        check(claims, rules, now)


def numeric_date(claims: Claims, name: str) -> float | None:
    """Return a NumericDate in seconds since the epoch, or None where the claim is absent (RFC 7519 section 2).

    Raises:
        InvalidToken: It is text, a boolean (``True > 0`` in Python), null, not finite, or too large to compare.
    """
    value = claims.get(name)
    if type(value) is int and -_LARGEST_DATE < value < _LARGEST_DATE:
        return value
    if name not in claims:
        return None
    if type(value) is float and math.isfinite(value):
        return value
    raise InvalidToken(Reason.MALFORMED_CLAIM, f"expected a finite number, saw {_shown(value)}", claim=name)


def _may_lack(name: str, claims: Claims, rules: ClaimRules) -> bool:
    return name not in claims and name not in rules.required


def _required(claims: Claims, name: str, kind: type | tuple[type, ...]) -> Any:
    if name not in claims:
        raise InvalidToken(Reason.MISSING_CLAIM, claim=name)
    value = claims[name]
    if not isinstance(value, kind):
        raise InvalidToken(Reason.MALFORMED_CLAIM, f"saw {_shown(value)}", claim=name)
    return value


def _shown(value: object) -> str:
    """Return a claim value for the log: short, on one line, and never long enough to be a token."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
