"""``/_fake/tokens`` and ``/_fake/revoke``: any token in one call, and the end of one."""

from __future__ import annotations

from typing import ClassVar

from fakeissuer.control.handlers.base import ControlHandler, ServerQuery
from fakeissuer.control.mint_request import MintRequest
from fakeissuer.model.records import Record


class RevokeRequest(Record, frozen=True, kw_only=True):
    """The token to revoke."""

    secret_members: ClassVar[frozenset[str]] = frozenset({"token"})

    token: str


class TokensHandler(ControlHandler):
    """Minting."""

    def post(self) -> None:
        """Mint a token."""
        requested_url = f"{self.request.protocol}://{self.request.host}"
        self.send(self.issuer.mint(self.read(MintRequest), requested_url))


class BadTokensHandler(ControlHandler):
    """The catalogue of bad tokens."""

    def get(self) -> None:
        """Give a bad token of each kind."""
        self.send(self.issuer.bad_tokens(self.read_query(ServerQuery).server))


class RevokeHandler(ControlHandler):
    """Revoking, without being the client that the token belongs to."""

    def post(self) -> None:
        """Revoke a token."""
        self.issuer.revoke(self.read(RevokeRequest).token)
        self.send({"revoked": True})
