"""Replay detection for assertions: the used IDs, each until its assertion expires."""

from __future__ import annotations

import hashlib
import heapq
import json


class UsedJTIs:
    """The used IDs by owner, removed when they expire.

    Only hashes are stored, so that long IDs use no more memory than short ones.
    """

    def __init__(self) -> None:
        self._used: set[bytes] = set()
        self._expirations: list[tuple[float, bytes]] = []

    def add_once(self, owner: str, name: str, *, expires_at: float, now: float) -> bool:
        """Store an ID until it expires, in seconds since the epoch, and return whether this is its first use."""
        while self._expirations and self._expirations[0][0] <= now:
            self._used.discard(heapq.heappop(self._expirations)[1])
        digest = hashlib.sha256(json.dumps([owner, name]).encode()).digest()
        if digest in self._used:
            return False
        self._used.add(digest)
        heapq.heappush(self._expirations, (expires_at, digest))
        return True

    def clear(self) -> None:
        """Remove all IDs."""
        self._used.clear()
        self._expirations.clear()
