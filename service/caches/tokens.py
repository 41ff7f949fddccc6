"""A bounded cache of validated tokens in this process; a lookup awaits nothing."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from service.clock import Clock
from service.tokens.principal import Principal

CAPACITY = 8192
"""Tokens; at about 3 KB each, a flood of distinct tokens uses at most 25 MB."""


class ValidatedToken(NamedTuple):
    """The principal of a validated token, and a function that returns whether the validation is still current.

    It is current while the key is still published, or the introspection response has not expired.
    """

    principal: Principal
    is_current: Callable[[], bool]


class ValidatedTokenCache:
    """Caches the principals of validated tokens by the hash of the token.

    The tokens themselves are not stored, so that a memory dump does not leak them. Rejections are not cached,
    since an attacker can send a different invalid token with each request.
    """

    def __init__(self, *, clock: Clock, capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._capacity = capacity
        self._entries: OrderedDict[bytes, ValidatedToken] = OrderedDict()  # the most recently used last
        self.hits = self.misses = self.evictions = 0

    def __len__(self) -> int:
        """Return the number of tokens, of which some may have expired."""
        return len(self._entries)

    def put(self, token: str, entry: ValidatedToken) -> Principal:
        """Store a validated token until it expires or is no longer current, and return its principal."""
        self._entries[_digest(token)] = entry
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)
            self.evictions += 1
        return entry.principal

    def clear(self) -> None:
        """Remove all tokens, so that each is validated again."""
        self._entries.clear()

    def get(self, token: str) -> Principal | None:
        """Return the principal of a token, or None if the token has to be validated."""
        digest = _digest(token)
        entry = self._entries.get(digest)
        if entry is None:
            self.misses += 1
            return None
        if self._clock.now() < entry.principal.expires_at and entry.is_current():
            self._entries.move_to_end(digest)
            self.hits += 1
            return entry.principal
        del self._entries[digest]
        self.misses += 1
        return None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
