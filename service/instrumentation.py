"""Who is told what happens, as numbers: the metrics of the program, or whatever else an operator plugs in."""

from __future__ import annotations

from typing import Protocol


class Instrumentation(Protocol):
    """Is told what happens, while it happens: it returns at once, and raises nothing."""

    def on_response(self, *, method: str, status: int, seconds: float, reason: str | None) -> None:
        """Note an answer.

        Args:
            seconds: From the first byte of the request on.
            reason: Why it refuses, a :class:`service.errors.Reason` or ``issuer_unavailable``; None where no token was
                at fault.
        """

    def on_issuer_request(self, *, url: str, outcome: str, seconds: float) -> None:
        """Note a question to an issuer.

        Args:
            url: Without its query.
            outcome: The status of the reply, or ``failed`` where none came.
        """

    def on_cache_error(self) -> None:
        """Note that the memory that processes share could not be asked."""


class NullInstrumentation:
    """Tells nobody."""

    def on_response(self, *, method: str, status: int, seconds: float, reason: str | None) -> None:
        """Forget it."""

    def on_issuer_request(self, *, url: str, outcome: str, seconds: float) -> None:
        """Forget it."""

    def on_cache_error(self) -> None:
        """Forget it."""
