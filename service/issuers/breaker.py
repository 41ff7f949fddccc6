"""Pauses introspection while it fails for every token, and not only for a token that an attacker has chosen."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from cachetools import TTLCache

from service.clock import Clock
from service.errors import IssuerUnavailable
from service.issuers.client import TOTAL_TIMEOUT
from service.issuers.failures import NoFreeConnection, UnexpectedStatus
from service.issuers.rate_limit import RateLimit

T = TypeVar("T")

_logger = logging.getLogger(__name__)

FAILURE_LIFETIME = 3.0
"""Seconds for which a token that got no usable response is not sent again."""
PAUSE = 2.0
"""Seconds between attempts at a failing issuer; short, so that its recovery is noticed."""
PAUSE_AFTER_REJECTION = 10.0
"""Seconds before the next request after the issuer rejected our credentials; more attempts could lock the client."""
_WINDOW = 10.0
"""Seconds for which the outcome of a token counts."""
_MAX_OUTCOMES = 100
_MAX_FAILED_TOKENS = 8192
_MIN_FAILED, _MIN_SHARE = 3, 0.5
"""The number and the share of failed tokens that cause a probe; a single slow response is not an outage."""
_MIN_IN_A_ROW = 2
"""The failed requests, without a success in the window, that cause one: with few tokens, no share says anything."""
_PROBE_BURST, _PROBE_INTERVAL = 10, 1.0
"""Probes in a row, and seconds between further ones: an attacker decides how often one is needed."""
_WARNING_BURST, _WARNING_INTERVAL = 5, 10.0


class CredentialsRejected(IssuerUnavailable):
    """Our client authentication failed: the settings are wrong, not the token."""


class _Pause(NamedTuple):
    failure: IssuerUnavailable
    until: float
    """Monotonic time of the next attempt."""


class Breaker:
    """Stops introspection requests while the endpoint fails for a token of our own making as well.

    Until then a failure counts only against its own token: an attacker who finds a token that a firewall rejects, or
    on which the issuer fails, must not stop introspection for the tokens of others.

    Args:
        issuer: The issuer identifier, for the log.
        probe: Introspects a random token; raises :class:`IssuerUnavailable` if that fails.
    """

    def __init__(self, issuer: str, *, probe: Callable[[], Awaitable[object]], clock: Clock) -> None:
        self._issuer = issuer
        self._probe = probe
        self._clock = clock
        self._pause: _Pause | None = None
        self._logged = ""
        self._outcomes: OrderedDict[int, tuple[float, bool]] = OrderedDict()
        self._failed_in_a_row = 0
        self._succeeded_at = -math.inf
        self._failed: TTLCache[int, str] = TTLCache(_MAX_FAILED_TOKENS, FAILURE_LIFETIME, timer=clock.monotonic)
        self._probes = RateLimit(burst=_PROBE_BURST, every=_PROBE_INTERVAL, clock=clock)
        self._warnings = RateLimit(burst=_WARNING_BURST, every=_WARNING_INTERVAL, clock=clock)
        self._probe_task: asyncio.Task[IssuerUnavailable | None] | None = None

    @property
    def failure(self) -> IssuerUnavailable | None:
        """The reason for the current pause, until a request has succeeded; None if there is no pause.

        A rate limit ends with its time: nothing is known of it until the next request.
        """
        if self._pause is None or (
            _is_rate_limit(self._pause.failure) and self._pause.until <= self._clock.monotonic()
        ):
            return None
        return self._pause.failure

    async def run(self, token: str, request: Callable[[], Awaitable[T]]) -> T:
        """Return the result of a request about a token, and count its outcome.

        Raises:
            CredentialsRejected: The issuer rejects our client credentials.
            IssuerUnavailable: The request failed, or :meth:`check` raises it.
        """
        self.check(token)
        if self._pause is not None:  # this request is the next attempt; others fail fast until it ends
            self._pause = self._pause._replace(until=self._clock.monotonic() + TOTAL_TIMEOUT)
        try:
            result = await request()
        except NoFreeConnection:
            raise  # nothing was sent
        except IssuerUnavailable as exc:
            raise await self._fail(token, exc) from exc
        self._record(token, failed=False)
        self._succeed()
        if self._pause is not None and not _is_rate_limit(self._pause.failure):
            self._resume()
        return result

    def check(self, token: str) -> None:
        """Return if a request about a token may be sent now.

        Raises:
            IssuerUnavailable: Requests are paused, or the one about this token failed a moment ago.
        """
        if self._pause is not None:
            seconds = self._pause.until - self._clock.monotonic()
            if seconds > 0:
                raise IssuerUnavailable(self._pause.failure.detail, retry_after=seconds)
            if _is_rate_limit(self._pause.failure):
                self._resume()
        if (detail := self._failed.get(hash(token))) is not None:
            raise IssuerUnavailable(detail, retry_after=FAILURE_LIFETIME)

    async def close(self) -> None:
        """Cancel a probe in progress."""
        if self._probe_task is not None:
            self._probe_task.cancel()
            await asyncio.gather(self._probe_task, return_exceptions=True)

    async def _fail(self, token: str, failure: IssuerUnavailable) -> IssuerUnavailable:
        """Count a failure, and return the one to raise: that of the token, or that of every token."""
        if isinstance(failure, CredentialsRejected) or _is_rate_limit(failure):
            return self._start_pause(failure)
        self._record(token, failed=True)
        self._failed_in_a_row += 1
        is_suspicious = self._pause is not None or _is_rejection(failure) or self._may_be_outage()
        if is_suspicious and self._probes.take():
            cause = await self._run_probe()
            if cause is not None:
                return self._start_pause(cause)
            self._succeed()
            if self._pause is not None:
                self._resume()
        self._failed[hash(token)] = failure.detail
        self._log(failure)
        return failure

    async def _run_probe(self) -> IssuerUnavailable | None:
        """Return why a token of our own making fails, or None if it does not; concurrent callers share one request."""
        if self._probe_task is None or self._probe_task.done():
            self._probe_task = asyncio.get_running_loop().create_task(self._probe_failure())
        return await asyncio.shield(self._probe_task)

    async def _probe_failure(self) -> IssuerUnavailable | None:
        try:
            await self._probe()
        except NoFreeConnection:
            return None  # the issuer did not fail
        except IssuerUnavailable as exc:
            return exc
        return None

    def _start_pause(self, failure: IssuerUnavailable) -> IssuerUnavailable:
        """Pause requests for the time that a failure calls for, and return it."""
        if isinstance(failure, UnexpectedStatus) and _is_rejection(failure):
            problem = "the issuer rejected our client credentials; run python -m service check"
            failure = CredentialsRejected(f"{failure.detail}, {problem}", retry_after=PAUSE_AFTER_REJECTION)
        seconds = failure.retry_after if _is_rate_limit(failure) else max(PAUSE, failure.retry_after)
        self._pause = _Pause(failure, self._clock.monotonic() + seconds)
        self._log(failure)
        return failure

    def _resume(self) -> None:
        self._pause = None
        self._logged = ""
        self._outcomes.clear()
        self._failed.clear()
        fields = {"issuer": self._issuer}
        _logger.warning("introspection available again: issuer=%(issuer)s", fields, extra=fields)

    def _record(self, token: str, *, failed: bool) -> None:
        key = hash(token)
        self._outcomes[key] = (self._clock.monotonic(), failed)
        self._outcomes.move_to_end(key)
        if len(self._outcomes) > _MAX_OUTCOMES:
            self._outcomes.popitem(last=False)

    def _succeed(self) -> None:
        self._failed_in_a_row, self._succeeded_at = 0, self._clock.monotonic()

    def _may_be_outage(self) -> bool:
        since = self._clock.monotonic() - _WINDOW
        if self._failed_in_a_row >= _MIN_IN_A_ROW and self._succeeded_at <= since:
            return True
        recent = [failed for at, failed in self._outcomes.values() if at > since]
        return sum(recent) >= max(_MIN_FAILED, _MIN_SHARE * len(recent))

    def _log(self, failure: IssuerUnavailable) -> None:
        """Log a failure, once until there is another kind; an attacker must not be able to fill the log."""
        is_ours = isinstance(failure, CredentialsRejected)
        if failure.detail != self._logged and (is_ours or self._warnings.take()):
            self._logged = failure.detail
            level = logging.ERROR if is_ours else logging.WARNING
            fields = {"issuer": self._issuer, "reason": failure.detail}
            _logger.log(level, "introspection failed: issuer=%(issuer)s reason=%(reason)s", fields, extra=fields)


def _is_rate_limit(failure: IssuerUnavailable) -> bool:
    return isinstance(failure, UnexpectedStatus) and failure.status == 429


def _is_rejection(failure: IssuerUnavailable) -> bool:
    return isinstance(failure, UnexpectedStatus) and failure.status in {401, 403}
