"""Ends what stays open after its request was judged, once its token has ended: WebSockets and streams."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import Awaitable, Callable

from service.clock import Clock
from service.errors import IssuerUnavailable, TokenError
from service.tokens.principal import Principal

Revalidate = Callable[[], Awaitable[Principal] | None]
"""Judges a token again; None where it is known to be good, and nothing has to be awaited.

Raises, or has its awaitable raise, what a new request would be refused with.
"""

_PERIOD = 1.0
"""Seconds between two looks; one for all that is open costs less than a timer for each."""
_BREATH = 100
"""Tokens that are looked at in one go, so that a look at many thousands does not hold up the requests."""


class MonitoredToken:
    """The token of something that is open.

    Attributes:
        principal: Who it speaks for.
        ended: Set once it has expired or is revoked, or the service stops.
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
        """Take another token in place of the one that was watched."""
        self.principal = principal
        self._revalidate = revalidate

    def check(self, now: float) -> Awaitable[None] | None:
        """End what has ended by wall time, or by what is known here; return what is to be awaited for the rest."""
        if now >= self.principal.expires_at:
            self.end()
            return None
        try:
            judging = self._revalidate()
        except TokenError:
            self.end()
            return None
        return None if judging is None else self._wait_for(judging)

    def end(self) -> None:
        """Let whoever holds it know that it has ended, once."""
        self._tell(self._on_end)

    def stop(self) -> None:
        """Let whoever holds it know that the service stops."""
        self._tell(self._on_stop)

    def detach(self) -> None:
        """Tell nobody any more."""
        self._on_end = self._on_stop = None

    def _tell(self, on: Callable[[], None] | None) -> None:
        if not self.ended.is_set():
            self.ended.set()
            if on is not None:
                on()

    async def _wait_for(self, judging: Awaitable[Principal]) -> None:
        try:
            await judging
        except TokenError:
            self.end()
        except IssuerUnavailable:
            pass  # nobody can tell: what was let in goes on until its token expires, or somebody can


class TokenMonitor:
    """Looks at every token that is in use for long, and holds none of them longer than whoever uses it.

    Args:
        clock: Its wall time is compared with each expiry; no leeway is added, since the token was good before.
        is_denied: Asked before each message about its principal; it awaits nothing.
    """

    def __init__(self, *, clock: Clock, is_denied: Callable[[Principal], bool] | None = None) -> None:
        self._clock = clock
        self._is_denied = is_denied
        self._tokens: weakref.WeakSet[MonitoredToken] = weakref.WeakSet()
        self._looking: asyncio.Task[None] | None = None

    def watch(
        self,
        principal: Principal,
        *,
        revalidate: Revalidate,
        on_end: Callable[[], None] | None = None,
        on_stop: Callable[[], None] | None = None,
    ) -> MonitoredToken:
        """Return a token that is watched for as long as it is held."""
        token = MonitoredToken(principal, revalidate=revalidate, on_end=on_end, on_stop=on_stop)
        self._tokens.add(token)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._run())
        return token

    def is_expired_or_denied(self, principal: Principal) -> bool:
        """Return whether a principal's token has expired, or is denied here."""
        if self._clock.now() >= principal.expires_at:
            return True
        return self._is_denied is not None and self._is_denied(principal)

    async def check_all(self) -> None:
        """End what is over; a test that has moved the clock need not wait for the next time."""
        waiting = []
        for number, token in enumerate(list(self._tokens), start=1):
            if (judging := token.check(self._clock.now())) is not None:
                waiting.append(judging)
            if number % _BREATH == 0:
                await asyncio.sleep(0)
        await asyncio.gather(*waiting)
        for token in [one for one in self._tokens if one.ended.is_set()]:
            self._tokens.discard(token)

    def stop(self) -> None:
        """Have everything that is open come to its end, since the service does."""
        for token in list(self._tokens):
            token.stop()
        self._tokens.clear()

    async def close(self) -> None:
        """Look no more."""
        self.stop()
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking

    async def _run(self) -> None:
        while self._tokens:
            await asyncio.sleep(_PERIOD)
            await self.check_all()
