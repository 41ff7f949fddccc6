"""Who is told what happens, as numbers: the metrics of the program, or whatever else an operator plugs in."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Observer", "Unobserved"]


class Observer(Protocol):
    """Is told what happens, while it happens: it returns at once, and raises nothing."""

    def answered(self, *, method: str, status: int, seconds: float, reason: str | None) -> None:
        """Note an answer.

        Args:
            seconds: From the first byte of the request on.
            reason: Why it refuses, a :class:`service.errors.Reason` or ``issuer_unavailable``; None where no token was
                at fault.
        """

    def asked_issuer(self, *, url: str, outcome: str, seconds: float) -> None:
        """Note a question to an issuer.

        Args:
            url: Without its query.
            outcome: The status of the reply, or ``failed`` where none came.
        """

    def cache_failed(self) -> None:
        """Note that the memory that processes share could not be asked."""


class Unobserved:
    """Tells nobody."""

    def answered(self, *, method: str, status: int, seconds: float, reason: str | None) -> None:
        """Forget it."""

    def asked_issuer(self, *, url: str, outcome: str, seconds: float) -> None:
        """Forget it."""

    def cache_failed(self) -> None:
        """Forget it."""
