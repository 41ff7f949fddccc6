"""The backend of ``memory://``: a bounded cache in this process."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from cachetools import TLRUCache

from service.clock import Clock

CAPACITY = 8192
"""Entries; the least recently used is evicted first."""


class _Entry(NamedTuple):
    value: Any
    lifetime: float


class MemoryBackend:
    """Stores values with aiocache's interface, so that a service without a shared cache need not import aiocache."""

    def __init__(self, *, clock: Clock) -> None:
        self._entries: TLRUCache[str, _Entry] = TLRUCache(
            maxsize=CAPACITY, ttu=lambda _key, entry, now: now + entry.lifetime, timer=clock.monotonic
        )

    async def get(self, key: str) -> Any:
        """Return the value of a key, or None if there is none."""
        entry = self._entries.get(key)
        return None if entry is None else entry.value

    async def multi_get(self, keys: Sequence[str]) -> list[Any]:
        """Return the value of each key, or None in its place."""
        return [await self.get(key) for key in keys]

    async def set(self, key: str, value: Any, *, ttl: float = math.inf) -> None:
        """Store a value for so many seconds."""
        self._entries[key] = _Entry(value, ttl)

    async def multi_set(self, pairs: Iterable[tuple[str, Any]]) -> bool:
        """Store values for ever, and return True."""
        for key, value in pairs:
            await self.set(key, value)
        return True

    async def add(self, key: str, value: Any, *, ttl: float) -> None:
        """Store a value for so many seconds.

        Raises:
            ValueError: The key exists.
        """
        if key in self._entries:
            raise ValueError(f"the key {key} exists")
        await self.set(key, value, ttl=ttl)

    async def delete(self, key: str) -> None:
        """Delete the value of a key, if there is one."""
        self._entries.pop(key, None)

    async def close(self) -> None:
        """Release nothing."""
