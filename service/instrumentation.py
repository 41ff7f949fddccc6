"""The interface for metrics: callbacks for responses, requests to issuers, and cache errors."""

from __future__ import annotations

from typing import Protocol


class Instrumentation(Protocol):
    """Receives events as they happen; the methods return at once and never raise."""

    def on_response(self, *, method: str, status: int, seconds: float, reason: str | None) -> None:
        """Record a response.

        Args:
            seconds: The time since the first byte of the request.
            reason: Why the token was rejected, a :class:`service.errors.Reason` or ``issuer_unavailable``; None if it
                was not.
        """

    def on_issuer_request(self, *, url: str, outcome: str, seconds: float) -> None:
        """Record a request to an issuer.

        Args:
            url: The URL without its query.
            outcome: The status of the response, or ``failed`` if there was none.
        """

    def on_cache_error(self) -> None:
        """Record a failed call of the shared cache."""


class Observers:
    """Passes each event to any number of receivers, which can be added at any time.

    Args:
        receivers: The first receivers; None is ignored.
    """

    def __init__(self, *receivers: Instrumentation | None) -> None:
        self.receivers = [receiver for receiver in receivers if receiver is not None]

    def on_response(self, *, method: str, status: int, seconds: float, reason: str | None) -> None:
        """Pass on a response."""
        for receiver in self.receivers:
            receiver.on_response(method=method, status=status, seconds=seconds, reason=reason)

    def on_issuer_request(self, *, url: str, outcome: str, seconds: float) -> None:
        """Pass on a request to an issuer."""
        for receiver in self.receivers:
            receiver.on_issuer_request(url=url, outcome=outcome, seconds=seconds)

    def on_cache_error(self) -> None:
        """Pass on a failed call of the shared cache."""
        for receiver in self.receivers:
            receiver.on_cache_error()
