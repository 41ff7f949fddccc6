"""``/_fake/tokens``, ``/_fake/revoke``, and the catalogues: ``bad-tokens``, ``good-tokens`` and ``bad-proofs``."""

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
    """Minting of tokens."""

    path = "/tokens"

    def post(self) -> None:
        """Mint a token."""
        requested_url = f"{self.request.protocol}://{self.request.host}"
        self.send(self.control.mint_requested(self.read(MintRequest), requested_url))


class BadTokensHandler(ControlHandler):
    """The catalogue of bad tokens."""

    path = "/bad-tokens"

    def get(self) -> None:
        """Return one bad token of each kind."""
        self.send(self.control.bad_tokens(self.read_query(ServerQuery).server))


class GoodTokensHandler(ControlHandler):
    """The catalogue of good tokens."""

    path = "/good-tokens"

    def get(self) -> None:
        """Return one good token of each kind."""
        self.send(self.control.good_tokens(self.read_query(ServerQuery).server))


class BadProofsHandler(ControlHandler):
    """The catalogue of bad DPoP proofs."""

    path = "/bad-proofs"

    def post(self) -> None:
        """Return one bad proof of each kind for a request."""
        from fakeissuer.control.bad_proofs import BadProofsRequest  # noqa: PLC0415  # importing it slows the start

        self.send(self.control.bad_proofs_requested(self.read(BadProofsRequest)))


class RevokeHandler(ControlHandler):
    """Revocation without client authentication."""

    path = "/revoke"

    def post(self) -> None:
        """Revoke a token."""
        self.control.revoke(self.read(RevokeRequest).token)
        self.send({"revoked": True})
