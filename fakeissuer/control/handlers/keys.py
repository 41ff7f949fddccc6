"""``/_fake/keys``: the life of a server's keys, in a test's own time."""

from __future__ import annotations

from fakeissuer.control.handlers.base import ControlHandler, ServerQuery
from fakeissuer.model.records import Record


class WithdrawRequest(Record, frozen=True, kw_only=True):
    """A key by its kid; the server is known by it, and may be named all the same."""

    kid: str
    server: str | None = None


class PublicationDelayRequest(Record, frozen=True, kw_only=True):
    """Which server lags, and for how many seconds: without them until it is told to stop."""

    server: str = "default"
    seconds: float | None = None


class KeysHandler(ControlHandler):
    """The keys of a server."""

    def get(self) -> None:
        """Tell each key's kid, status, and whether it is published."""
        self.send(self.issuer.keys(self.read_query(ServerQuery).server))


class RotateHandler(ControlHandler):
    """NEXT becomes ACTIVE."""

    def post(self) -> None:
        """Rotate the keys of a server."""
        self.send(self.issuer.rotate(self.read(ServerQuery).server))


class WithdrawHandler(ControlHandler):
    """A key leaves the key set."""

    def post(self) -> None:
        """Withdraw a key."""
        query = self.read(WithdrawRequest)
        self.send(self.issuer.withdraw(query.kid, query.server))


class PublicationDelayHandler(ControlHandler):
    """The new key signs before it is published."""

    def post(self) -> None:
        """Sign with a key that the key set does not show yet."""
        query = self.read(PublicationDelayRequest)
        self.send(self.issuer.delay_publication(query.server, query.seconds))

    def delete(self) -> None:
        """Publish the key that was kept back."""
        self.send(self.issuer.publish_now(self.read_query(ServerQuery).server))
