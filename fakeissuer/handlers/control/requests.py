"""`/_fake/requests`: what was asked of the issuer."""

from __future__ import annotations

from fakeissuer.endpoints import EndpointName
from fakeissuer.handlers.control.base import ControlHandler
from fakeissuer.records import Record


class WhichRequests(Record, frozen=True, kw_only=True):
    """Which requests are meant; what is left out means any."""

    endpoint: EndpointName | None = None
    server: str | None = None


class RequestsHandler(ControlHandler):
    """The journal."""

    def get(self) -> None:
        """Tell how many requests there were, over how many connections, and which."""
        wanted = self.read_query(WhichRequests)
        self.send(self.issuer.requests(wanted.endpoint, wanted.server))

    def delete(self) -> None:
        """Forget the requests so far."""
        self.issuer.state.journal.clear()
        self.send(self.issuer.requests())
