"""What can go wrong with a request to an issuer, so far as callers distinguish it."""

from __future__ import annotations

import re

from tornado.httpclient import HTTPResponse

from service.errors import IssuerUnavailable

_MAX_SHOWN_LENGTH = 200
"""Characters of a header field that a message repeats."""


class UnexpectedStatus(IssuerUnavailable):
    """The issuer responded with a status other than 200."""

    def __init__(self, method: str, url: str, status: int, *, retry_after: float, advice: str = "") -> None:
        super().__init__(f"{method} {url}: expected 200, got {status}{advice}", retry_after=retry_after)
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


def check_response(method: str, url: str, response: HTTPResponse) -> None:
    """Check that a response is neither a redirect nor coded.

    Raises:
        UnexpectedStatus: It is a redirect; the detail has its ``Location`` without credentials and query.
        IssuerUnavailable: Its body has a content coding, such as gzip (RFC 9110 section 8.4).
    """
    location = response.headers.get("Location")
    if location is not None and 300 <= response.code < 400:
        target = location.partition("#")[0].partition("?")[0]
        target = re.sub("//[^/]*@", "//", target)  # as sent: resolving it fails for malformed ones
        advice = f" to {target[:_MAX_SHOWN_LENGTH]!r}; redirects are not followed, so name the final URL"
        raise UnexpectedStatus(method, url, response.code, retry_after=1.0, advice=advice)
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if response.code == 200 and coding not in {"", "identity"}:
        raise IssuerUnavailable(
            f"{method} {url}: the response has the content coding {coding[:_MAX_SHOWN_LENGTH]!r} although only identity"
            " was accepted; switch compression off for this URL at the issuer or its proxy"
        )
