"""Tokens that were judged before: a bounded memory in this process, read without awaiting anything."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from service.clock import Clock
from service.tokens.principal import Principal

CAPACITY = 8192
"""How many tokens are remembered; at some 3 KB each, a flood of distinct tokens costs at most 25 MB."""


class ValidatedToken(NamedTuple):
    """Who a token speaks for, and whether what that rests on still holds: a key, or an answer that is not old yet."""

    principal: Principal
    is_current: Callable[[], bool]


class ValidatedTokenCache:
    """Caches who validated tokens speak for, and never the tokens: what leaks from a memory must not open a door.

    A refusal is not remembered, since making up another bad token costs an attacker nothing.
    """

    def __init__(self, *, clock: Clock, capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._capacity = capacity
        self._entries: OrderedDict[bytes, ValidatedToken] = OrderedDict()  # the one used last stands last

    def put(self, token: str, entry: ValidatedToken) -> Principal:
        """Return who a token speaks for, and remember it until the token expires, or the entry holds no longer."""
        self._entries[_digest(token)] = entry
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)
        return entry.principal

    def clear(self) -> None:
        """Have every token judged again."""
        self._entries.clear()

    def get(self, token: str) -> Principal | None:
        """Return who a token speaks for, or None when it has to be judged, again or for the first time."""
        digest = _digest(token)
        entry = self._entries.get(digest)
        if entry is None:
            return None
        if self._clock.now() < entry.principal.expires_at and entry.is_current():
            self._entries.move_to_end(digest)
            return entry.principal
        del self._entries[digest]
        return None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
