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

__all__ = ["Answers", "Kept"]

INACTIVE_LIFETIME = 10.0
"""Seconds: long enough to blunt a flood of one bad token, and short for one that is only not known yet."""
CAPACITY = 8192
"""Answers in this process; at some 1 KB each."""
CLAIM_LIFETIME = 6
"""Seconds for which one process asks for all; a little more than a question may take."""
POLL = 0.02
"""Seconds between two looks at what another process may have found out."""

Document = Mapping[str, Any]
Ask = Callable[[], Awaitable[dict[str, Any]]]


class Kept(NamedTuple):
    """An answer, and until when it is believed, by the monotonic clock."""

    document: Document
    until: float


class Answers:
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
        self._memory: TLRUCache[str, Kept] = TLRUCache(
            maxsize=CAPACITY, ttu=lambda _name, kept, _now: kept.until, timer=clock.monotonic
        )
        self._asking: dict[str, asyncio.Task[Kept]] = {}

    async def get(self, token: str, ask: Ask) -> Kept:
        """Return what is known of a token, asking the issuer only where nobody knows.

        Raises:
            IssuerUnavailable: ``ask`` raised it.
        """
        name = self._name(token)
        kept = self._memory.get(name)
        if kept is not None:
            return kept
        task = self._asking.get(name)
        if task is None:
            task = self._asking[name] = asyncio.get_running_loop().create_task(self._find_out(name, ask))
            task.add_done_callback(lambda done: self._answered(name, done))
        return await asyncio.shield(task)  # a waiter that hangs up must not take the answer away from the others

    def forget(self, token: str) -> None:
        """Drop what this process knows of a token, and what it told the others."""
        name = self._name(token)
        self._memory.pop(name, None)
        self._shared.drop(name)

    async def close(self) -> None:
        """Abandon the questions under way."""
        while tasks := list(self._asking.values()):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=0.1)  # again, for a library that swallowed it
            await asyncio.sleep(0)

    def _answered(self, name: str, task: asyncio.Task[Kept]) -> None:
        del self._asking[name]
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not complain when everybody has hung up

    async def _find_out(self, name: str, ask: Ask) -> Kept:
        for _ in range(int(CLAIM_LIFETIME / POLL)):
            value, is_ours = await self._shared.get_or_claim(name, seconds=CLAIM_LIFETIME)
            if (kept := self._believed(value)) is not None:
                return self._keep(name, kept)
            if is_ours or value is not None:
                break
            await asyncio.sleep(POLL)  # another process asks right now
        return await self._ask(name, ask)

    async def _ask(self, name: str, ask: Ask) -> Kept:
        try:
            document = await ask()
        except BaseException:
            self._shared.give_up(name)
            raise
        age = self._left(document)
        if age <= 0:
            self._shared.give_up(name)
            return Kept(document, -math.inf)
        self._shared.put(name, {"answer": document, "at": self._clock.now()}, seconds=math.ceil(age))
        return self._keep(name, Kept(document, self._clock.monotonic() + age))

    def _keep(self, name: str, kept: Kept) -> Kept:
        self._memory[name] = kept
        return kept

    def _believed(self, value: Any) -> Kept | None:
        """Return an answer from the shared cache for what is left of its life, or None when it is not one."""
        match value:
            case {"answer": dict(document), "at": int(at) | float(at)}:
                spent = max(0.0, self._clock.now() - at)  # another machine's clock may be ahead of ours
                left = self._left(document, spent=spent)
                return Kept(document, self._clock.monotonic() + left) if left > 0 else None
        return None

    def _left(self, document: Document, *, spent: float = 0.0) -> float:
        """Return for how many seconds an answer is believed; none when it is neither yes nor no."""
        active = document.get("active")
        if not isinstance(active, bool):
            return 0.0
        lifetime = self._lifetime if active else min(INACTIVE_LIFETIME, self._lifetime)
        try:
            exp = numeric_date(document, "exp")
        except InvalidToken:
            return 0.0
        return min(lifetime - spent, math.inf if exp is None else exp - self._clock.now())

    def _name(self, token: str) -> str:
        return hmac.new(self._secret, token.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
