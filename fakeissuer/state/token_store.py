"""Every token that was issued, so that introspection and revocation can tell the truth (RFC 7662, RFC 7009)."""

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
"""How many tokens are remembered; the oldest is forgotten first, and is then no longer active."""


@dataclass(kw_only=True)
class IssuedToken:
    """What is known about one token: its claims, for whom it was made, whether it was revoked.

    A refresh token keeps the ``grant`` that it renews, and the moment when another one took its place.
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
        """Return what is known of a token that was just made of a grant."""
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
        """Return what is known of a refresh token, which renews its grant."""
        issued = cls.of(grant, "refresh", claims)
        issued.device_id = derived_id("guo", grant.client_id)
        issued.grant = grant
        return issued

    def is_active(self, now: float) -> bool:
        """Tell whether the token may be used at this moment, in seconds since the epoch; there is no leeway here."""
        expires, not_before = (
            parse_numeric_date(self.claims.get("exp")),
            parse_numeric_date(self.claims.get("nbf", now)),
        )
        return not self.revoked and expires is not None and not_before is not None and not_before <= now < expires


class TokenStore:
    """The issued tokens, found by the token itself; only a hash of it is kept."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Start empty; hold at most so many tokens."""
        self._capacity = capacity
        self._tokens: OrderedDict[bytes, IssuedToken] = OrderedDict()

    def add(self, token: str, issued: IssuedToken) -> None:
        """Remember a token that has just been issued; one that is the same to the letter stays revoked."""
        known = self._tokens.get(_digest(token))
        issued.revoked = issued.revoked or (known is not None and known.revoked)
        self._tokens[_digest(token)] = issued
        if len(self._tokens) > self._capacity:
            self._tokens.popitem(last=False)

    def find(self, token: str) -> IssuedToken | None:
        """Return what is known about a token, None for one that was never issued here."""
        return self._tokens.get(_digest(token))

    def revoke(self, token: str) -> bool:
        """Revoke a token, and with a refresh token its access tokens; tell whether it was known.

        Revoking an access token leaves its refresh token alone (RFC 7009 section 2.1 allows both).
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
        """Revoke all tokens of one authentication: somebody else has been seen with a piece of it.

        What was exchanged for one of them goes too, which RFC 8693 leaves to the server.
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
        """Forget every token."""
        self._tokens.clear()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
