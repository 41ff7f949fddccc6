"""A short-lived cache of introspection responses (RFC 7662 section 4), in this process and in the shared cache."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from cachetools import LRUCache, TLRUCache

from service.caches.shared import SharedCache
from service.clock import Clock
from service.errors import InvalidToken
from service.tokens.claims import numeric_date

INACTIVE_LIFETIME = 10.0
"""Seconds; long enough to absorb a flood of one inactive token, short for a token the issuer does not know yet."""
CAPACITY = 8192
"""Responses in this process, of about 1 KB each."""
LOCK_LIFETIME = 6
"""Seconds for which one process holds the lock to introspect a token; slightly more than a request may take."""
POLL_INTERVAL = 0.02
"""Seconds between polls for the response that another process is fetching."""
_MAX_CLOCK_DIFFERENCE = 5.0
"""Seconds by which the clock of the machine that stored a response may be ahead."""

Document = Mapping[str, Any]
Introspect = Callable[[], Awaitable[dict[str, Any]]]


class CachedResponse(NamedTuple):
    """A response, and the monotonic time at which it expires."""

    document: Document
    expires_at: float


class IntrospectionCache:
    """The introspection responses of one issuer to one client.

    A response is used for its lifetime from the moment it was received, but never past the token's ``exp``.

    Args:
        secret: The HMAC key of the cache keys, so that they reveal no token: an attacker who reads the shared
            cache can neither test tokens against it nor find the responses to other clients. It differs by issuer
            and client.
        lifetime: Seconds for which a response is used if the token is active.
    """

    def __init__(self, shared: SharedCache, *, clock: Clock, secret: bytes, lifetime: float) -> None:
        self._shared = shared
        self._clock = clock
        self._secret = secret
        self._lifetime = lifetime
        self._memory: TLRUCache[str, CachedResponse] = TLRUCache(
            maxsize=CAPACITY, ttu=lambda _key, cached, _now: cached.expires_at, timer=clock.monotonic
        )
        self._active: LRUCache[str, None] = LRUCache(CAPACITY)
        self._in_flight: dict[str, asyncio.Task[CachedResponse]] = {}
        self.hits = self.misses = self.evictions = 0

    def __len__(self) -> int:
        """Return the number of responses in this process."""
        return len(self._memory)

    async def get(self, token: str, introspect: Introspect) -> CachedResponse:
        """Return the cached response for a token, or call ``introspect``; concurrent callers share one call.

        Raises:
            IssuerUnavailable: ``introspect`` raised it.
        """
        key = self._key(token)
        cached = self._memory.get(key)
        if cached is not None:
            self.hits += 1
            return cached
        self.misses += 1
        task = self._in_flight.get(key)
        if task is None:
            task = self._in_flight[key] = asyncio.get_running_loop().create_task(self._fetch(key, introspect))
            task.add_done_callback(lambda done: self._on_done(key, done))
        return await asyncio.shield(task)  # cancelling one caller must not cancel the request for the others

    def was_active(self, token: str) -> bool:
        """Return whether the last response for a token, which may have expired, reported it as active."""
        return self._key(token) in self._active

    def delete(self, token: str) -> None:
        """Delete the response for a token, here and in the shared cache."""
        key = self._key(token)
        self._memory.pop(key, None)
        self._shared.delete(key)

    async def close(self) -> None:
        """Cancel pending requests."""
        while tasks := list(self._in_flight.values()):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=0.1)  # repeated, in case a library suppressed the cancellation
            await asyncio.sleep(0)

    def _on_done(self, key: str, task: asyncio.Task[CachedResponse]) -> None:
        del self._in_flight[key]
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not log it when all callers are gone

    async def _fetch(self, key: str, introspect: Introspect) -> CachedResponse:
        for _ in range(int(LOCK_LIFETIME / POLL_INTERVAL)):
            value, is_ours = await self._shared.get_or_lock(key, seconds=LOCK_LIFETIME)
            if (cached := self._from_shared(value)) is not None:
                self._note_active(key, cached.document)
                return self._store(key, cached)
            if is_ours or value is not None:
                break
            await asyncio.sleep(POLL_INTERVAL)  # another process holds the lock
        return await self._introspect(key, introspect)

    async def _introspect(self, key: str, introspect: Introspect) -> CachedResponse:
        try:
            document = await introspect()
        except BaseException:
            self._shared.release(key)
            raise
        self._note_active(key, document)
        age = self._remaining_lifetime(document)
        if age <= 0:
            self._shared.release(key)
            return CachedResponse(document, -math.inf)
        self._shared.put(key, {"response": document, "at": self._clock.now()}, seconds=math.ceil(age))
        return self._store(key, CachedResponse(document, self._clock.monotonic() + age))

    def _store(self, key: str, cached: CachedResponse) -> CachedResponse:
        if key not in self._memory and len(self._memory) >= CAPACITY:
            self.evictions += 1
        self._memory[key] = cached
        return cached

    def _note_active(self, key: str, document: Document) -> None:
        if document.get("active") is True:
            self._active[key] = None
        else:
            self._active.pop(key, None)

    def _from_shared(self, value: Any) -> CachedResponse | None:
        """Return a response from the shared cache with its remaining lifetime, or None if malformed or expired."""
        match value:
            case {"response": dict(document), "at": int(at) | float(at)}:
                elapsed = self._clock.now() - at
                if elapsed < -_MAX_CLOCK_DIFFERENCE:
                    return None  # an attacker who stores it again and again would extend its lifetime
                left = self._remaining_lifetime(document, elapsed=max(elapsed, 0.0))
                return CachedResponse(document, self._clock.monotonic() + left) if left > 0 else None
        return None

    def _remaining_lifetime(self, document: Document, *, elapsed: float = 0.0) -> float:
        """Return the seconds for which a response may be used; 0 if ``active`` or ``exp`` is malformed."""
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
