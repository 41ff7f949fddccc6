"""The issued tokens, for introspection (RFC 7662) and revocation (RFC 7009)."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from fakeissuer.model.claims import Claims, Grant
from fakeissuer.model.identifiers import derived_id, descends_from
from fakeissuer.model.records import parse_numeric_date

TokenKind = Literal["access", "id", "refresh", "device_secret"]

CAPACITY = 50_000
"""The default maximum number of tokens; the oldest is removed first and becomes inactive."""


@dataclass(kw_only=True)
class IssuedToken:
    """An issued token: its claims, its client and user, and whether it is revoked.

    A refresh token has the ``grant`` that it renews, and the time at which a rotation replaced it.
    """

    kind: TokenKind
    server: str
    client_id: str
    username: str | None
    scopes: tuple[str, ...]
    claims: Claims
    refresh_token_id: str | None = None
    device_id: str | None = None
    grant_id: str | None = None
    grant: Grant | None = None
    rotated_at: float | None = None
    revoked: bool = False

    @classmethod
    def of(cls, grant: Grant, kind: TokenKind, claims: Claims) -> IssuedToken:
        """Return the record of a new token of a grant."""
        return cls(
            kind=kind,
            server=grant.server.id,
            client_id=grant.client_id,
            username=grant.user.login if grant.user else None,
            scopes=grant.scopes,
            claims=claims,
            refresh_token_id=grant.refresh_token_id,
            grant_id=grant.grant_id,
        )

    @classmethod
    def of_refresh_token(cls, grant: Grant, claims: Claims) -> IssuedToken:
        """Return the record of a new refresh token of a grant."""
        issued = cls.of(grant, "refresh", claims)
        issued.device_id = derived_id("guo", grant.client_id)
        issued.grant = grant
        return issued

    def is_active(self, now: float) -> bool:
        """Return whether the token is valid at this time, in seconds since the epoch, without leeway."""
        expires, not_before = (
            parse_numeric_date(self.claims.get("exp")),
            parse_numeric_date(self.claims.get("nbf", now)),
        )
        return not self.revoked and expires is not None and not_before is not None and not_before <= now < expires


class TokenStore:
    """The issued tokens by the SHA-256 of the token."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._tokens: OrderedDict[bytes, IssuedToken] = OrderedDict()

    def add(self, token: str, issued: IssuedToken) -> None:
        """Store an issued token; an identical token that was revoked stays revoked."""
        previous = self._tokens.get(_digest(token))
        issued.revoked = issued.revoked or (previous is not None and previous.revoked)
        self._tokens[_digest(token)] = issued
        if len(self._tokens) > self._capacity:
            self._tokens.popitem(last=False)

    def find(self, token: str) -> IssuedToken | None:
        """Return the record of a token, or None if it was not issued here."""
        return self._tokens.get(_digest(token))

    def revoke(self, token: str) -> bool:
        """Revoke a token, and for a refresh token also its access tokens; return whether the token was found.

        Revoking an access token does not revoke its refresh token (RFC 7009 section 2.1 allows both).
        """
        issued = self.find(token)
        if issued is None:
            return False
        issued.revoked = True
        if issued.kind == "refresh":
            for other in self._tokens.values():
                if other.refresh_token_id == issued.refresh_token_id:
                    other.revoked = True
        return True

    def revoke_grant(self, grant_id: str) -> None:
        """Revoke all tokens of one authentication, after a code or refresh token was reused.

        Tokens exchanged for one of them are revoked, too, which RFC 8693 leaves to the server.
        """
        for issued in self._tokens.values():
            if descends_from(issued.grant_id, grant_id):
                issued.revoked = True

    def revoke_user(self, login: str) -> None:
        """Revoke all tokens of a user."""
        for issued in self._tokens.values():
            if issued.username == login:
                issued.revoked = True

    def clear(self) -> None:
        """Remove all tokens."""
        self._tokens.clear()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
