"""Binds a WebSocket or a stream to the lifetime of its token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from service.errors import AccessDenied, Reason
from service.tokens.principal import Principal
from service.web.credentials.sources import parse_bearer
from service.web.handler import websocket
from service.web.handler.token_monitor import MonitoredToken


class TokenLifetime:
    """The monitored tokens of one handler.

    Args:
        handler: The handler, a :class:`~service.web.handler.mixin.BearerAuthMixin`.
    """

    __slots__ = ("_handler", "_monitored")

    def __init__(self, handler: Any) -> None:
        self._handler = handler
        self._monitored: list[MonitoredToken] = []

    def watch(
        self, principal: Principal, *, on_end: Callable[[], None] | None, on_stop: Callable[[], None] | None
    ) -> MonitoredToken:
        """Return a monitored token, which a later :meth:`reauthenticate` replaces."""
        monitor = self._handler._context.monitor
        monitored: MonitoredToken = monitor.watch(
            principal, revalidate=self._revalidation(), on_end=on_end, on_stop=on_stop
        )
        self._monitored.append(monitored)
        return monitored

    async def reauthenticate(self, token: object) -> None:
        """Authenticate with another token of the same user and client, and monitor it in place of the current one.

        Raises:
            TokenError: The token is rejected, or has another subject or client.
            IssuerUnavailable: The token cannot be validated now.
        """
        handler = self._handler
        credentials = parse_bearer(token if isinstance(token, str) else "")  # a message may hold any JSON type
        before: Principal | None = handler._principal
        after = await handler._authenticator.authenticate(credentials)
        if before is not None and not after.same_subject_and_client(before):
            # What the handler has sent and stored belongs to the first user.
            raise AccessDenied(Reason.ACCESS_DENIED, "another user or client")
        try:
            authorization = handler._authorize(after)
            if authorization is not None:
                await authorization
        except BaseException:
            handler._set_principal(before)  # the handler may catch the error and continue
            raise
        handler._credentials = credentials
        for monitored in self._monitored:
            monitored.replace(after, revalidate=self._revalidation())
        if before is None and handler._is_websocket:
            websocket.close_at_expiry(handler)

    def detach(self) -> None:
        """Call no callback any more, since the connection is closed."""
        for monitored in self._monitored:
            monitored.detach()

    def _revalidation(self) -> Callable[[], Awaitable[Principal] | None]:
        """Return a function that validates the token as a new request would; None if it is cached and still valid."""
        authenticator, credentials = self._handler._authenticator, self._handler._credentials
        return lambda: None if authenticator.get_cached(credentials) else authenticator.authenticate(credentials)
