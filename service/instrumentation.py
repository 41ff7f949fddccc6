"""The interface for metrics: callbacks for responses, validations, requests to issuers, and cache errors."""

from __future__ import annotations


class Instrumentation:
    """Receives events as they happen; a subclass overrides the methods for the events that it uses.

    The methods return at once and never raise. A later version may add arguments, which ``**_`` accepts.
    """

    def on_response(
        self, *, method: str, status: int, seconds: float, reason: str | None, route: str | None, scheme: str
    ) -> None:
        """Record a response.

        Args:
            seconds: The time since the first byte of the request.
            reason: Why the token was rejected, a :class:`service.errors.Reason` or ``issuer_unavailable``; None if it
                was not.
            route: The template of the route, such as ``/orders/{id}``; None if no route matches the request.
            scheme: ``http`` or ``https``, as the client has sent the request.
        """

    def on_validation(self, *, validator: str, issuer: str, outcome: str, reason: str, seconds: float) -> None:
        """Record the validation of a token that was not in the cache of validated tokens.

        Args:
            validator: The name of the validator's class; "" if no validator accepts such tokens.
            issuer: The issuer whose tokens the validator accepts; "" if it does not say.
            outcome: ``accepted``, ``rejected`` or ``unavailable``.
            reason: Why it was not accepted, a :class:`service.errors.Reason` or ``issuer_unavailable``; "" if it was.
        """

    def on_issuer_request(self, *, url: str, outcome: str, seconds: float) -> None:
        """Record a request to an issuer.

        Args:
            url: The URL without its query.
            outcome: The status of the response, or ``failed`` if there was none.
        """

    def on_cache_error(self) -> None:
        """Record a failed call of the shared cache."""


class Observers(Instrumentation):
    """Passes each event to any number of receivers, which can be added at any time.

    Args:
        receivers: The first receivers; None is ignored.

    Attributes:
        receivers: The receivers so far.

    Raises:
        TypeError: A receiver does not inherit :class:`Instrumentation`.
    """

    def __init__(self, *receivers: Instrumentation | None) -> None:
        self.receivers: list[Instrumentation] = []
        for receiver in receivers:
            if receiver is not None:
                self.add(receiver)

    def add(self, receiver: Instrumentation) -> None:
        """Add a receiver.

        Raises:
            TypeError: It does not inherit :class:`Instrumentation`.
        """
        if not isinstance(receiver, Instrumentation):
            raise TypeError(
                f"instrumentation: {type(receiver).__name__} does not inherit service.Instrumentation, which has a "
                "method for each event; inherit it, and override the methods for the events that you use"
            )
        self.receivers.append(receiver)

    def on_response(
        self, *, method: str, status: int, seconds: float, reason: str | None, route: str | None, scheme: str
    ) -> None:
        """Pass on a response."""
        for receiver in self.receivers:
            receiver.on_response(
                method=method, status=status, seconds=seconds, reason=reason, route=route, scheme=scheme
            )

    def on_validation(self, *, validator: str, issuer: str, outcome: str, reason: str, seconds: float) -> None:
        """Pass on a validation."""
        for receiver in self.receivers:
            receiver.on_validation(validator=validator, issuer=issuer, outcome=outcome, reason=reason, seconds=seconds)

    def on_issuer_request(self, *, url: str, outcome: str, seconds: float) -> None:
        """Pass on a request to an issuer."""
        for receiver in self.receivers:
            receiver.on_issuer_request(url=url, outcome=outcome, seconds=seconds)

    def on_cache_error(self) -> None:
        """Pass on a failed call of the shared cache."""
        for receiver in self.receivers:
            receiver.on_cache_error()
