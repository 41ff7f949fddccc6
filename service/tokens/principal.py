"""Who a validated token speaks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.errors import InvalidToken
from service.tokens.claims import numeric_date
from service.tokens.frozen import freeze


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """Who a validated token speaks for, and what it allows.

    Args:
        issuer: Who vouches for it.
        subject: Whom the token is about; unique only together with its issuer (RFC 9068 section 2.2).
        client_id: The client that the token was issued to.
        scopes: What the client may do, as one set, however the issuer spelt it.
        groups: The groups of the user, where the issuer tells them.
        acr: How the user was authenticated, in the issuer's words (RFC 9470 section 6).
        auth_time: When the user was authenticated, in seconds since the epoch.
        expires_at: When the token ends, in seconds since the epoch.
        claims: The whole JWT claims set, read-only.
    """

    issuer: str
    subject: str | None
    client_id: str | None
    scopes: frozenset[str]
    expires_at: float
    claims: Mapping[str, Any] = field(repr=False)
    groups: frozenset[str] = frozenset()
    acr: str | None = None
    auth_time: float | None = None

    def same_subject_and_client(self, other: Principal) -> bool:
        """Return whether two tokens speak for the same user and client; a subject means nothing without its issuer."""
        mine, others = (self.issuer, self.subject, self.client_id), (other.issuer, other.subject, other.client_id)
        return mine == others

    @classmethod
    def from_claims(
        cls, claims: dict[str, Any], *, max_token_age: float | None = None, default_expiry: float = 0.0
    ) -> Principal:
        """Return the principal of claims that have been checked; trusts ``iss`` to be there.

        Args:
            max_token_age: Seconds since ``iat`` after which the token is refused although it has not expired.
            default_expiry: When the token ends if it does not say so, in seconds since the epoch.

        Raises:
            InvalidToken: ``exp`` is not a NumericDate, which no checked token has.
        """
        return cls(
            issuer=claims["iss"],
            subject=_text(claims.get("sub")),
            client_id=_text(claims.get("client_id", claims.get("cid"))),
            scopes=_scopes(claims),
            expires_at=_end(claims, max_token_age, default_expiry),
            claims=freeze(claims),
            groups=_groups(claims),
            acr=_text(claims.get("acr")),
            auth_time=_auth_time(claims),
        )


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the scope tokens of ``scope`` (RFC 9068 section 2.2.3) or Okta's ``scp``, text or list."""
    value = claims.get("scope", claims.get("scp"))
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list):
        return frozenset([scope for scope in value if isinstance(scope, str)])
    return frozenset()


def _groups(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the names in ``groups``; a text is one name, since the names of groups have spaces in them."""
    value = claims.get("groups")
    names = value if isinstance(value, list) else [value]
    return frozenset([name for name in names if isinstance(name, str)])


def _auth_time(claims: Mapping[str, Any]) -> float | None:
    """Return ``auth_time``; what is no date proves nothing, and is as good as none."""
    try:
        return numeric_date(claims, "auth_time")
    except InvalidToken:
        return None


def _end(claims: Mapping[str, Any], max_token_age: float | None, default_expiry: float) -> float:
    exp = numeric_date(claims, "exp")
    exp = default_expiry if exp is None else exp
    if max_token_age is None:
        return exp
    iat = numeric_date(claims, "iat")
    return exp if iat is None else min(exp, iat + max_token_age)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
