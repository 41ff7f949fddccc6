"""What can go wrong with a request to an issuer, so far as callers distinguish it."""

from __future__ import annotations

from service.errors import IssuerUnavailable


class UnexpectedStatus(IssuerUnavailable):
    """The issuer responded with a status other than 200."""

    def __init__(self, method: str, url: str, status: int, *, retry_after: float) -> None:
        super().__init__(f"{method} {url}: expected 200, got {status}", retry_after=retry_after)
        self.status = status


class NoFreeConnection(IssuerUnavailable):
    """The request was not sent, because other requests use every connection."""
