"""Ends what stays open after its request was judged, once its token has ended: WebSockets and streams."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import Callable

from service.clock import Clock
from service.tokens.principal import Principal

__all__ = ["TokenWatch", "WatchedToken"]

_PERIOD = 1.0
"""Seconds between two looks; one for all that is open costs less than a timer for each."""


class WatchedToken:
    """The token of something that is open.

    Attributes:
        principal: Who it speaks for.
        ended: Set once it has expired or is revoked.
    """

    def __init__(self, principal: Principal, *, on_end: Callable[[], None] | None = None) -> None:
        self.principal = principal
        self.ended = asyncio.Event()
        self._on_end = on_end

    def end(self) -> None:
        """Let whoever holds it know that it has ended, once."""
        if not self.ended.is_set():
            self.ended.set()
            if self._on_end is not None:
                self._on_end()

    def forget(self) -> None:
        """Tell nobody any more."""
        self._on_end = None


class TokenWatch:
    """Looks at every token that is in use for long, and holds none of them longer than whoever uses it.

    Args:
        clock: Its wall time is compared with each expiry; no leeway is added, since the token was good before.
        is_revoked: Asked on each look about each principal; it awaits nothing.
    """

    def __init__(self, *, clock: Clock, is_revoked: Callable[[Principal], bool] | None = None) -> None:
        self._clock = clock
        self._is_revoked = is_revoked
        self._tokens: weakref.WeakSet[WatchedToken] = weakref.WeakSet()
        self._looking: asyncio.Task[None] | None = None

    def watch(self, principal: Principal, *, on_end: Callable[[], None] | None = None) -> WatchedToken:
        """Return a token that is watched for as long as it is held."""
        token = WatchedToken(principal, on_end=on_end)
        self._tokens.add(token)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look_on())
        return token

    def is_over(self, principal: Principal) -> bool:
        """Return whether a principal's token has expired, or is revoked."""
        if self._clock.now() >= principal.expires_at:
            return True
        return self._is_revoked is not None and self._is_revoked(principal)

    def look(self) -> None:
        """End what is over; a test that has moved the clock need not wait for the next time."""
        for token in list(self._tokens):
            if self.is_over(token.principal):
                self._tokens.discard(token)
                token.end()

    async def close(self) -> None:
        """Let every stream end, since the service does."""
        for token in list(self._tokens):
            token.forget()  # a socket is not to be told that its token ended, when the service did
            token.end()
        self._tokens.clear()
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking

    async def _look_on(self) -> None:
        while self._tokens:
            await asyncio.sleep(_PERIOD)
            self.look()
