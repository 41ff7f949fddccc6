"""``/_fake/requests``: the requests that the issuer received."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from fakeissuer.control.handlers.base import ControlHandler
from fakeissuer.model.endpoints import EndpointName
from fakeissuer.model.records import Record


class RequestsQuery(Record, frozen=True, kw_only=True):
    """Filters, and how many of the latest requests are returned in full; an absent member does not restrict."""

    endpoint: EndpointName | None = None
    server: str | None = None
    latest: Annotated[str, Meta(pattern=r"^[0-9]{1,5}\Z")] | None = None


class RequestsHandler(ControlHandler):
    """The journal of requests."""

    path = "/requests"

    def get(self) -> None:
        """Return the number of requests and connections, and the requests."""
        query = self.read_query(RequestsQuery)
        latest = None if query.latest is None else int(query.latest)
        self.send(self.control.requests(query.endpoint, server=query.server, latest=latest))

    def delete(self) -> None:
        """Delete the recorded requests."""
        self.control.clear_requests()
        self.send(self.control.requests())
