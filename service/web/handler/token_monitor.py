"""Ends WebSockets and streams when their token has expired, or is denied or revoked, or when the service stops."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import weakref
from collections.abc import Awaitable, Callable

from service.clock import Clock
from service.errors import MissingToken, RetryLater, TokenError
from service.tokens.principal import Principal
from service.tracing.current import outside_requests

_logger = logging.getLogger(__name__)

Revalidate = Callable[[], Awaitable[Principal] | None]
"""Validates a token again; returns None if it is cached and still valid.

The function, or its awaitable, raises the error that would reject a new request.
"""

_PERIOD = 1.0
"""Seconds between two checks of all tokens, which cost less than a timer for each token."""
_BATCH_SIZE = 100
"""Tokens that are checked before pending requests get a turn."""


class MonitoredToken:
    """The token of a WebSocket or a stream, or its lack of one.

    Attributes:
        ended: Set once the token has expired or is revoked, or the service stops.
    """

    def __init__(
        self,
        principal: Principal | None,
        *,
        revalidate: Revalidate | None,
        on_end: Callable[[], None] | None = None,
        on_stop: Callable[[], None] | None = None,
    ) -> None:
        self._principal = principal
        self.ended = asyncio.Event()
        self._revalidate = revalidate
        self._on_end = on_end
        self._on_stop = on_stop
        self._validation: asyncio.Future[Principal] | None = None
        self._context = contextvars.copy_context()  # that of the request, whose ID is on the lines about the connection

    @property
    def is_anonymous(self) -> bool:
        """Whether the client has sent no token, so that only the end of the service concerns it."""
        return self._principal is None

    @property
    def principal(self) -> Principal:
        """The principal of the token.

        Raises:
            MissingToken: The client has sent none.
        """
        if self._principal is None:
            raise MissingToken
        return self._principal

    def replace(self, principal: Principal, *, revalidate: Revalidate) -> None:
        """Monitor another token in place of the current one."""
        self._cancel_validation()  # a rejection of the earlier token must not end the connection of the new one
        self._principal = principal
        self._revalidate = revalidate

    def check(self, is_over: Callable[[Principal], bool]) -> None:
        """End the token if it is over or cannot be validated; start its validation if it is not cached.

        Awaits nothing, so that no token waits for the validator of another one. Raises no exception.

        Args:
            is_over: Returns whether a principal's token has expired or is denied, which no validation can change.
        """
        try:
            if self._principal is None or self._revalidate is None:
                return
            if is_over(self._principal):
                self.end()
            elif self._validation is None and not self.ended.is_set():
                validation = self._revalidate()
                if validation is not None:
                    self._validation = self._context.copy().run(asyncio.ensure_future, validation)
                    self._validation.add_done_callback(self._validated)
        except Exception as exc:  # noqa: BLE001  # an error of one validator must not end the checks of other tokens
            self._end_after(exc)

    def end(self) -> None:
        """Set :attr:`ended` and call ``on_end``, once."""
        self._finish(self._on_end)

    def stop(self) -> None:
        """Set :attr:`ended` and call ``on_stop``, once."""
        self._finish(self._on_stop)

    def detach(self) -> None:
        """Call neither callback any more."""
        self._on_end = self._on_stop = None
        self._cancel_validation()

    def _finish(self, callback: Callable[[], None] | None) -> None:
        if self.ended.is_set():
            return
        self.ended.set()
        self._cancel_validation()
        if callback is not None:
            try:
                self._context.copy().run(callback)
            except Exception:
                _logger.exception("the callback of an ended token failed")

    def _cancel_validation(self) -> None:
        if self._validation is not None:
            self._validation.cancel()
            self._validation = None

    def _validated(self, validation: asyncio.Future[Principal]) -> None:
        if validation is not self._validation:
            return  # cancelled, or of an earlier token
        self._validation = None
        error = None if validation.cancelled() else validation.exception()
        if isinstance(error, Exception):
            self._end_after(error)

    def _end_after(self, error: Exception) -> None:
        """End the token after an error of its validation, as the error would reject a new request."""
        if isinstance(error, RetryLater):
            return  # an outage ends no connection; the token is checked again and expires in any case
        if not isinstance(error, TokenError):
            _logger.error("the validation of a monitored token failed, which ends its connection", exc_info=error)
        self.end()


class TokenMonitor:
    """Checks every monitored token once a second, and holds only weak references to them.

    Args:
        clock: Its wall time is compared with each expiry, without leeway.
        is_denied: Returns whether a principal is on the deny list; awaits nothing.
    """

    def __init__(self, *, clock: Clock, is_denied: Callable[[Principal], bool] | None = None) -> None:
        self._clock = clock
        self._is_denied = is_denied
        self._tokens: weakref.WeakSet[MonitoredToken] = weakref.WeakSet()
        self._is_stopped = False
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """Return the number of monitored tokens, without the anonymous clients."""
        return sum(not token.is_anonymous for token in list(self._tokens))

    def watch(
        self,
        principal: Principal | None,
        *,
        revalidate: Revalidate | None,
        on_end: Callable[[], None] | None = None,
        on_stop: Callable[[], None] | None = None,
    ) -> MonitoredToken:
        """Return a token that is monitored for as long as the caller holds it."""
        token = MonitoredToken(principal, revalidate=revalidate, on_end=on_end, on_stop=on_stop)
        self._tokens.add(token)
        if self._is_stopped:
            asyncio.get_running_loop().call_soon(token.stop)  # once its WebSocket or stream is open
        elif self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), context=outside_requests())
        return token

    def is_expired_or_denied(self, principal: Principal) -> bool:
        """Return whether a principal's token has expired or is on the deny list; awaits nothing."""
        if self._clock.now() >= principal.expires_at:
            return True
        return self._is_denied is not None and self._is_denied(principal)

    async def check_all(self) -> None:
        """Check every token now; validations that take time go on afterwards."""
        for number, token in enumerate(list(self._tokens), start=1):
            token.check(self.is_expired_or_denied)
            if number % _BATCH_SIZE == 0:
                await asyncio.sleep(0)
        for token in [token for token in self._tokens if token.ended.is_set()]:
            self._tokens.discard(token)

    def stop(self) -> None:
        """End every connection, since the service stops, and each later one at once."""
        self._is_stopped = True
        for token in list(self._tokens):
            token.stop()
        self._tokens.clear()

    async def close(self) -> None:
        """End every connection and cancel the periodic check."""
        self.stop()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while self._tokens:
            await asyncio.sleep(_PERIOD)
            await self.check_all()
