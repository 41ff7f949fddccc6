"""What may be used once and was: ids of assertions, each remembered for as long as it could be replayed."""

from __future__ import annotations

import hashlib
import heapq
import json


class UsedJTIs:
    """Ids that were used, under whatever they are unique in; an id whose time is over is forgotten.

    A hash of each is kept, so that a client that sends long ones takes no more room than others.
    """

    def __init__(self) -> None:
        """Start without any."""
        self._used: set[bytes] = set()
        self._expirations: list[tuple[float, bytes]] = []

    def add_once(self, owner: str, name: str, *, expires_at: float, now: float) -> bool:
        """Remember an id until a moment, in seconds since the epoch; tell whether this is its first use."""
        while self._expirations and self._expirations[0][0] <= now:
            self._used.discard(heapq.heappop(self._expirations)[1])
        digest = hashlib.sha256(json.dumps([owner, name]).encode()).digest()
        if digest in self._used:
            return False
        self._used.add(digest)
        heapq.heappush(self._expirations, (expires_at, digest))
        return True

    def clear(self) -> None:
        """Forget every id."""
        self._used.clear()
        self._expirations.clear()
