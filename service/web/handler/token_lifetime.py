"""Binds a WebSocket or a stream to the lifetime of its token."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from service.authenticator import Authenticator
from service.binding import SCHEME
from service.errors import AccessDenied, Reason
from service.tokens.credentials import Credentials
from service.tokens.principal import Principal
from service.web.credentials.sources import parse_token
from service.web.handler import websocket
from service.web.handler.prepare import authorize
from service.web.handler.token_monitor import MonitoredToken, Revalidate


class TokenLifetime:
    """The monitored tokens of one handler.

    Args:
        handler: The handler, a :class:`~service.web.handler.mixin.BearerAuthMixin`.
    """

    __slots__ = ("_calls", "_current_call", "_handler", "_lock", "_monitored")

    def __init__(self, handler: Any) -> None:
        self._handler = handler
        self._monitored: list[MonitoredToken] = []
        self._calls = 0
        self._current_call = 0
        self._lock = asyncio.Lock()

    def watch(self, *, on_end: Callable[[], None] | None, on_stop: Callable[[], None] | None) -> MonitoredToken:
        """Return a monitored token, which a later :meth:`reauthenticate` replaces."""
        handler = self._handler
        revalidate = None if handler._principal is None else self._revalidation()
        monitored: MonitoredToken = handler._context.monitor.watch(
            handler._principal, revalidate=revalidate, on_end=on_end, on_stop=on_stop
        )
        self._monitored.append(monitored)
        return monitored

    async def reauthenticate(self, token: object, proof: object) -> None:
        """Authenticate with another token of the same user and client, and monitor it in place of the current one.

        Of concurrent calls, the last one whose token is accepted determines the token, whichever is validated first.
        A token of another user or client closes a WebSocket, even if the handler catches the error.

        Raises:
            TokenError: The token is rejected, or has another subject or client.
            IssuerUnavailable: The token cannot be validated now.
            TooManyRequests: The client's address has caused too many introspection requests.
        """
        handler = self._handler
        self._calls += 1
        call = self._calls
        text = token if isinstance(token, str) else ""  # a message may hold any JSON type
        credentials = parse_token(text, scheme="Bearer" if proof is None else SCHEME)
        context = handler._context
        if proof is not None or handler._requirements.dpop is not None or context.possession.certificate_of is not None:
            # The URL is that of the handshake, whose connection belongs to the WebSocket now.
            before = handler._credentials and handler._credentials.possession
            possession = before or context.read_possession(handler)
            proofs = (proof,) if isinstance(proof, str) else ()
            credentials = replace(credentials, possession=replace(possession, proofs=proofs, next_nonce=None))
        principal = await handler._authenticator.authenticate(credentials, peer=handler.request.remote_ip)
        async with self._lock:
            self._check_bearer(principal)
            if call > self._current_call:
                await self._replace(principal, credentials)
                self._current_call = call

    def detach(self) -> None:
        """Call no callback any more, since the connection is closed."""
        for monitored in self._monitored:
            monitored.detach()

    def _check_bearer(self, principal: Principal) -> None:
        handler = self._handler
        current: Principal | None = handler._principal
        if current is None or principal.same_subject_and_client(current):
            return
        # What the handler has sent and stored belongs to the first user.
        if handler._is_websocket:
            websocket.close(handler, websocket.FORBIDDEN, "another user or client")
        raise AccessDenied(Reason.ACCESS_DENIED, "another user or client")

    async def _replace(self, principal: Principal, credentials: Credentials) -> None:
        handler = self._handler
        before: Principal | None = handler._principal
        try:
            authorization = authorize(handler, principal)
            if authorization is not None:
                await authorization
        except BaseException:
            handler._set_principal(before)  # the handler may catch the error and continue
            raise
        handler._credentials = credentials
        for monitored in self._monitored:
            monitored.replace(principal, revalidate=self._revalidation())

    def _revalidation(self) -> Revalidate:
        return revalidation(self._handler._authenticator, self._handler._credentials)


def revalidation(authenticator: Authenticator, credentials: Credentials) -> Revalidate:
    """Return a function that validates a token as a new request would; None if it is cached and still valid."""
    token = credentials.token
    return lambda: None if authenticator.is_known(token) else authenticator.revalidate(token)
