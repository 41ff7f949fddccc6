"""``/_fake/keys``: the life cycle of a server's keys."""

from __future__ import annotations

from fakeissuer.control.handlers.base import ControlHandler, ServerQuery
from fakeissuer.model.records import Record


class WithdrawRequest(Record, frozen=True, kw_only=True):
    """A key by its key ID, optionally restricted to one server."""

    kid: str
    server: str | None = None


class PublicationDelayRequest(Record, frozen=True, kw_only=True):
    """The server whose next key is not published, and for how many seconds; by default until the lag is deleted."""

    server: str = "default"
    seconds: float | None = None


class KeysHandler(ControlHandler):
    """The keys of a server."""

    path = "/keys"

    def get(self) -> None:
        """Return the key ID and status of each key, and whether it is published."""
        self.send(self.control.keys(self.read_query(ServerQuery).server))


class RotateHandler(ControlHandler):
    """Key rotation."""

    path = "/keys/rotate"

    def post(self) -> None:
        """Rotate the keys of a server."""
        self.send(self.control.rotate(self.read(ServerQuery).server))


class WithdrawHandler(ControlHandler):
    """Removal of a key from the key set."""

    path = "/keys/withdraw"

    def post(self) -> None:
        """Withdraw a key."""
        query = self.read(WithdrawRequest)
        self.send(self.control.withdraw(query.kid, query.server))


class PublicationDelayHandler(ControlHandler):
    """A key that signs before it is published."""

    path = "/keys/lag"

    def post(self) -> None:
        """Sign with a new key that is not published."""
        query = self.read(PublicationDelayRequest)
        self.send(self.control.delay_publication(query.server, seconds=query.seconds))

    def delete(self) -> None:
        """Publish the key."""
        self.send(self.control.publish_now(self.read_query(ServerQuery).server))
