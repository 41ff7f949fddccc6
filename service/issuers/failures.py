"""What can go wrong with a request to an issuer, so far as callers distinguish it."""

from __future__ import annotations

import logging
import random
import re

from tornado.httpclient import HTTPResponse

from service.clock import Clock
from service.errors import IssuerUnavailable

_logger = logging.getLogger(__name__)

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


class Attempts:
    """The failed attempts in a row at one source, the pause after them, and their lines in the log.

    Args:
        name: The name of the source in log events and errors.

    Attributes:
        failure: The last failure, until an attempt succeeds.
        succeeded: The attempts that have succeeded so far.
        failed: The attempts that have failed so far.
    """

    def __init__(self, name: str, *, clock: Clock) -> None:
        self.failure: IssuerUnavailable | None = None
        self.succeeded = self.failed = 0
        self._name = name
        self._clock = clock
        self._failed_in_a_row = 0
        self._backoff_level = 0
        self._retry_at = 0.0

    @property
    def cooling_down(self) -> bool:
        """Whether the last attempt failed and the pause after it has not ended."""
        return self.failure is not None and self._clock.monotonic() < self._retry_at

    def succeed(self) -> None:
        """Record an attempt that has succeeded."""
        self.succeeded += 1
        if self.failure is not None:
            fields = {"resource": self._name, "failures": self._failed_in_a_row}
            _logger.warning("refresh recovered: resource=%(resource)s failures=%(failures)d", fields, extra=fields)
        self.failure, self._failed_in_a_row = None, 0
        self._backoff_level //= 2  # not reset, since one success among failures is not a recovery

    def fail(self, failure: IssuerUnavailable, *, longest_pause: float) -> None:
        """Record an attempt that has failed, and start the pause.

        Args:
            longest_pause: Seconds, unless the source requires a longer one.
        """
        self.failed += 1
        self._failed_in_a_row += 1
        backoff = min(2.0**self._backoff_level, longest_pause)
        self._backoff_level = min(self._backoff_level + 1, 16)
        pause = max(backoff, failure.retry_after) * random.uniform(0.8, 1.0)  # noqa: S311  # jitter
        self._retry_at = self._clock.monotonic() + pause
        if self.failure is None or self.failure.detail != failure.detail:
            # Logged once per kind of failure, not once per attempt.
            fields = {"resource": self._name, "reason": failure.detail}
            _logger.warning("refresh failed: resource=%(resource)s reason=%(reason)s", fields, extra=fields)
        self.failure = failure

    def error(self) -> IssuerUnavailable:
        """Return the error for a caller that needs the source now."""
        detail = self.failure.detail if self.failure else "not fetched yet"
        retry_after = max(1.0, self._retry_at - self._clock.monotonic())
        return IssuerUnavailable(f"{self._name}: {detail}", retry_after=retry_after)
