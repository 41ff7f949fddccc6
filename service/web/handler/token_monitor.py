"""Ends WebSockets and streams when their token has expired, or is denied or revoked."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import Awaitable, Callable

from service.clock import Clock
from service.errors import IssuerUnavailable, TokenError
from service.tokens.principal import Principal

Revalidate = Callable[[], Awaitable[Principal] | None]
"""Validates a token again; returns None if it is cached and still valid.

The function, or its awaitable, raises the error that would reject a new request.
"""

_PERIOD = 1.0
"""Seconds between two checks of all tokens, which cost less than a timer for each token."""
_BATCH_SIZE = 100
"""Tokens that are checked before pending requests get a turn."""


class MonitoredToken:
    """The token of a WebSocket or a stream.

    Attributes:
        principal: The principal of the token.
        ended: Set once the token has expired or is revoked, or the service stops.
    """

    def __init__(
        self,
        principal: Principal,
        *,
        revalidate: Revalidate,
        on_end: Callable[[], None] | None = None,
        on_stop: Callable[[], None] | None = None,
    ) -> None:
        self.principal = principal
        self.ended = asyncio.Event()
        self._revalidate = revalidate
        self._on_end = on_end
        self._on_stop = on_stop

    def replace(self, principal: Principal, *, revalidate: Revalidate) -> None:
        """Monitor another token in place of the current one."""
        self.principal = principal
        self._revalidate = revalidate

    def check(self, now: float) -> Awaitable[None] | None:
        """End the token if it has expired or is denied; return an awaitable if its validator must be asked.

        Args:
            now: Wall time in seconds since the epoch.
        """
        if now >= self.principal.expires_at:
            self.end()
            return None
        try:
            validation = self._revalidate()
        except TokenError:
            self.end()
            return None
        return None if validation is None else self._await_validation(validation)

    def end(self) -> None:
        """Set :attr:`ended` and call ``on_end``, once."""
        self._finish(self._on_end)

    def stop(self) -> None:
        """Set :attr:`ended` and call ``on_stop``, once."""
        self._finish(self._on_stop)

    def detach(self) -> None:
        """Call neither callback any more."""
        self._on_end = self._on_stop = None

    def _finish(self, callback: Callable[[], None] | None) -> None:
        if not self.ended.is_set():
            self.ended.set()
            if callback is not None:
                callback()

    async def _await_validation(self, validation: Awaitable[Principal]) -> None:
        try:
            await validation
        except TokenError:
            self.end()
        except IssuerUnavailable:
            pass  # an outage ends no connection; the token is checked again and expires in any case


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
        self._task: asyncio.Task[None] | None = None

    def watch(
        self,
        principal: Principal,
        *,
        revalidate: Revalidate,
        on_end: Callable[[], None] | None = None,
        on_stop: Callable[[], None] | None = None,
    ) -> MonitoredToken:
        """Return a token that is monitored for as long as the caller holds it."""
        token = MonitoredToken(principal, revalidate=revalidate, on_end=on_end, on_stop=on_stop)
        self._tokens.add(token)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
        return token

    def is_expired_or_denied(self, principal: Principal) -> bool:
        """Return whether a principal's token has expired or is on the deny list; awaits nothing."""
        if self._clock.now() >= principal.expires_at:
            return True
        return self._is_denied is not None and self._is_denied(principal)

    async def check_all(self) -> None:
        """Check every token now."""
        validations = []
        for number, token in enumerate(list(self._tokens), start=1):
            if self.is_expired_or_denied(token.principal):
                token.end()  # also while the issuer is unavailable, which keeps other connections open
            elif (validation := token.check(self._clock.now())) is not None:
                validations.append(validation)
            if number % _BATCH_SIZE == 0:
                await asyncio.sleep(0)
        await asyncio.gather(*validations)
        for token in [token for token in self._tokens if token.ended.is_set()]:
            self._tokens.discard(token)

    def stop(self) -> None:
        """End every connection, since the service stops."""
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
