"""What can go wrong with a request to an issuer, so far as callers distinguish it."""

from __future__ import annotations

from service.errors import IssuerUnavailable


class UnexpectedStatus(IssuerUnavailable):
    """The issuer responded with a status other than 200."""

    def __init__(self, method: str, url: str, status: int, *, retry_after: float) -> None:
        super().__init__(f"{method} {url}: expected 200, got {status}", retry_after=retry_after)
        self.status = status

    @property
    def is_absence(self) -> bool:
        """Whether there may be nothing at that URL; firewalls and storage services respond with 403 in place of 404."""
        return 400 <= self.status < 500 and self.status not in {408, 429}


class NotJSON(IssuerUnavailable):
    """The response is not a JSON object; many servers send an HTML page for every unknown URL."""


class NoDocument(IssuerUnavailable):
    """None of several URLs has the document."""


class NoFreeConnection(IssuerUnavailable):
    """The request was not sent, because other requests use every connection."""
