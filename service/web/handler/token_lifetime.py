"""Binds what stays open after its request was judged, a WebSocket or a stream, to the life of a token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tornado.websocket import WebSocketHandler

from service.errors import AccessDenied, Reason
from service.tokens.credentials import Credentials
from service.tokens.principal import Principal
from service.web.credentials.header import bearer
from service.web.handler.authentication import JudgingHandler
from service.web.handler.token_monitor import MonitoredToken
from service.web.handler.websocket import end_with_token


class LastingHandler(JudgingHandler):
    """Goes on for as long as a new request with the same token would be let in."""

    _credentials: Credentials | None = None
    _watched: tuple[MonitoredToken, ...] = ()
    _ended: bool = False
    _checks_origin: bool = False

    def watch_token(
        self, *, on_end: Callable[[], None] | None = None, on_stop: Callable[[], None] | None = None
    ) -> MonitoredToken:
        """Return what tells a handler that answers for long when its token has ended.

        Args:
            on_end: Called once the token has expired, or is denied or revoked.
            on_stop: Called when the service stops, whatever the token.

        Raises:
            MissingToken: The token is optional, and there was none.
        """
        principal = self.principal
        assert self._credentials is not None  # noqa: S101  # they are what the principal was found by
        watched = self._context.monitor.watch(
            principal, revalidate=self._judging(self._credentials), on_end=on_end, on_stop=on_stop
        )
        self._watched = (*self._watched, watched)
        return watched

    async def reauthenticate(self, token: str) -> None:
        """Go on with another token of the same user and client, or with the first, which a message brought.

        Raises:
            TokenError: It is refused, or speaks for somebody else; not caught, it closes the socket.
            IssuerUnavailable: Nobody can tell.
        """
        credentials = bearer(token if isinstance(token, str) else "")  # JSON brings anything, whatever the type says
        before = self._principal
        after = await self._authenticator.authenticate(credentials)
        if before is not None and not after.same_subject_and_client(before):
            # What was sent and is remembered belongs to the first one.
            raise AccessDenied(Reason.ACCESS_DENIED, "another user or client")
        try:
            waiting = self._admit(after)
            if waiting is not None:
                await waiting
        except BaseException:
            self._speak_for(before)  # a handler that goes on after a refusal, or is cancelled, goes on as it was
            raise
        self._credentials = credentials
        for watched in self._watched:
            watched.replace(after, revalidate=self._judging(credentials))
        if before is None and isinstance(self, WebSocketHandler):
            end_with_token(self)

    def _judging(self, credentials: Credentials) -> Callable[[], Awaitable[Principal] | None]:
        """Return what judges a token again as a new request would; None where that needs no waiting, and it is good."""
        authenticator = self._authenticator
        return lambda: None if authenticator.get_cached(credentials) else authenticator.authenticate(credentials)
