"""What an issuer said about tokens: kept for a short time, asked for once for all who wait."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from cachetools import TLRUCache

from service.caches.shared import SharedCache
from service.clock import Clock
from service.errors import InvalidToken
from service.tokens.claims import numeric_date

INACTIVE_LIFETIME = 10.0
"""Seconds: long enough to blunt a flood of one bad token, and short for one that is only not known yet."""
CAPACITY = 8192
"""Responses in this process; at some 1 KB each."""
LOCK_LIFETIME = 6
"""Seconds for which one process asks for all; a little more than a question may take."""
POLL_INTERVAL = 0.02
"""Seconds between two looks at what another process may have found out."""

Document = Mapping[str, Any]
Introspect = Callable[[], Awaitable[dict[str, Any]]]


class CachedResponse(NamedTuple):
    """A response, and until when it is used, by the monotonic clock."""

    document: Document
    expires_at: float


class IntrospectionCache:
    """The answers of one issuer to one client, in this process and in the cache that all processes share.

    An answer is believed for its lifetime from the moment it was given, never past the token's ``exp``,
    and using it does not make it younger.

    Args:
        secret: Keys the names of the answers: they hold no token, and nobody who reads the cache can
            try tokens out on them, or finds what another client was told.
        lifetime: Seconds for which an answer is believed that says the token is active.
    """

    def __init__(self, shared: SharedCache, *, clock: Clock, secret: bytes, lifetime: float) -> None:
        self._shared = shared
        self._clock = clock
        self._secret = secret
        self._lifetime = lifetime
        self._memory: TLRUCache[str, CachedResponse] = TLRUCache(
            maxsize=CAPACITY, ttu=lambda _key, cached, _now: cached.expires_at, timer=clock.monotonic
        )
        self._in_flight: dict[str, asyncio.Task[CachedResponse]] = {}

    async def get(self, token: str, introspect: Introspect) -> CachedResponse:
        """Return what is known of a token, asking the issuer only where nobody knows.

        Raises:
            IssuerUnavailable: ``ask`` raised it.
        """
        key = self._key(token)
        cached = self._memory.get(key)
        if cached is not None:
            return cached
        task = self._in_flight.get(key)
        if task is None:
            task = self._in_flight[key] = asyncio.get_running_loop().create_task(self._fetch(key, introspect))
            task.add_done_callback(lambda done: self._on_done(key, done))
        return await asyncio.shield(task)  # a waiter that hangs up must not take the answer away from the others

    def delete(self, token: str) -> None:
        """Drop what this process knows of a token, and what it told the others."""
        key = self._key(token)
        self._memory.pop(key, None)
        self._shared.delete(key)

    async def close(self) -> None:
        """Abandon the questions under way."""
        while tasks := list(self._in_flight.values()):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=0.1)  # again, for a library that swallowed it
            await asyncio.sleep(0)

    def _on_done(self, key: str, task: asyncio.Task[CachedResponse]) -> None:
        del self._in_flight[key]
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not complain when everybody has hung up

    async def _fetch(self, key: str, introspect: Introspect) -> CachedResponse:
        for _ in range(int(LOCK_LIFETIME / POLL_INTERVAL)):
            value, is_ours = await self._shared.get_or_lock(key, seconds=LOCK_LIFETIME)
            if (cached := self._from_shared(value)) is not None:
                return self._store(key, cached)
            if is_ours or value is not None:
                break
            await asyncio.sleep(POLL_INTERVAL)  # another process asks right now
        return await self._introspect(key, introspect)

    async def _introspect(self, key: str, introspect: Introspect) -> CachedResponse:
        try:
            document = await introspect()
        except BaseException:
            self._shared.release(key)
            raise
        age = self._remaining_lifetime(document)
        if age <= 0:
            self._shared.release(key)
            return CachedResponse(document, -math.inf)
        self._shared.put(key, {"answer": document, "at": self._clock.now()}, seconds=math.ceil(age))
        return self._store(key, CachedResponse(document, self._clock.monotonic() + age))

    def _store(self, key: str, cached: CachedResponse) -> CachedResponse:
        self._memory[key] = cached
        return cached

    def _from_shared(self, value: Any) -> CachedResponse | None:
        """Return an answer from the shared cache for what is left of its life, or None when it is not one."""
        match value:
            case {"answer": dict(document), "at": int(at) | float(at)}:
                elapsed = max(0.0, self._clock.now() - at)  # another machine's clock may be ahead of ours
                left = self._remaining_lifetime(document, elapsed=elapsed)
                return CachedResponse(document, self._clock.monotonic() + left) if left > 0 else None
        return None

    def _remaining_lifetime(self, document: Document, *, elapsed: float = 0.0) -> float:
        """Return for how many seconds an answer is believed; none when it is neither yes nor no."""
        active = document.get("active")
        if not isinstance(active, bool):
            return 0.0
        lifetime = self._lifetime if active else min(INACTIVE_LIFETIME, self._lifetime)
        try:
            exp = numeric_date(document, "exp")
        except InvalidToken:
            return 0.0
        return min(lifetime - elapsed, math.inf if exp is None else exp - self._clock.now())

    def _key(self, token: str) -> str:
        return hmac.new(self._secret, token.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
