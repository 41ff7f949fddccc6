"""``/_fake/requests``: what was asked of the issuer."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from fakeissuer.control.handlers.base import ControlHandler
from fakeissuer.model.endpoints import EndpointName
from fakeissuer.model.records import Record


class RequestsQuery(Record, frozen=True, kw_only=True):
    """Which requests are meant, and how many of the latest are told in full; what is left out means any, and all."""

    endpoint: EndpointName | None = None
    server: str | None = None
    latest: Annotated[str, Meta(pattern=r"^[0-9]{1,5}\Z")] | None = None


class RequestsHandler(ControlHandler):
    """The journal."""

    def get(self) -> None:
        """Tell how many requests there were, over how many connections, and which."""
        query = self.read_query(RequestsQuery)
        latest = None if query.latest is None else int(query.latest)
        self.send(self.issuer.requests(query.endpoint, query.server, latest))

    def delete(self) -> None:
        """Forget the requests so far."""
        self.issuer.state.journal.clear()
        self.send(self.issuer.requests())
