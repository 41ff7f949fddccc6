"""What tracing offers to the code that is traced; the implementation is imported only if tracing is on."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from service.errors import SettingsError


class RequestSpan(Protocol):
    """The span of a request."""

    def ids(self) -> tuple[str, str]:
        """Return the ID of the trace and of the innermost current span, in hexadecimal digits."""

    def active(self) -> AbstractContextManager[None]:
        """Return a context in which new spans are children of this one."""

    def end(self, *, name: str, attributes: dict[str, str | int | bool], is_error: bool) -> None:
        """End the span; further calls have no effect."""


class IssuerSpan(Protocol):
    """The span of a request to an issuer."""

    headers: dict[str, str]
    """The header fields that propagate the trace."""

    def respond(self, status: int) -> None:
        """Note the status of the response."""


class Tracing(Protocol):
    """Creates spans."""

    def start_request(
        self, *, started_at: float, headers: dict[str, str], attributes: dict[str, str | int | bool]
    ) -> RequestSpan:
        """Start the span of a request.

        Args:
            started_at: Seconds since the epoch.
            headers: The fields ``traceparent`` and ``tracestate`` of a trusted proxy; empty for a new trace.
            attributes: What the sampler may decide by.
        """

    def issuer_request(self, name: str, *, method: str, url: str) -> AbstractContextManager[IssuerSpan]:
        """Return a context that is the span of a request to an issuer; an exception in it is an error of the span."""


def open_tracing(*, is_on: bool) -> Tracing | None:
    """Return the tracing of OpenTelemetry's global provider, or None if it is off.

    Raises:
        SettingsError: It is on, and OpenTelemetry is not installed.
    """
    if not is_on:
        return None
    try:
        from service.tracing.opentelemetry import OpenTelemetry  # noqa: PLC0415  # an optional extra
    except ModuleNotFoundError as exc:
        problem = (
            f"tracing: is on, but {exc.name} is not installed; "
            "run pip install 'tornado-resource-server[otel]', or leave tracing out"
        )
        raise SettingsError([problem]) from None
    return OpenTelemetry()
