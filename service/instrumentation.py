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


class NullInstrumentation:
    """Ignores all events."""

    def on_response(self, *, method: str, status: int, seconds: float, reason: str | None) -> None:
        """Do nothing."""

    def on_issuer_request(self, *, url: str, outcome: str, seconds: float) -> None:
        """Do nothing."""

    def on_cache_error(self) -> None:
        """Do nothing."""
