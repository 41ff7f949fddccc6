"""Tokens that were judged before: a bounded memory in this process, read without awaiting anything."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from service.clock import Clock
from service.tokens.principal import Principal

__all__ = ["Verdict", "Verdicts"]

CAPACITY = 8192
"""How many tokens are remembered; at some 3 KB each, a flood of distinct tokens costs at most 25 MB."""


class Verdict(NamedTuple):
    """Who a token speaks for, and whether what that rests on still holds: a key, or an answer that is not old yet."""

    principal: Principal
    still_holds: Callable[[], bool]


class Verdicts:
    """Remembers good verdicts, and never the tokens: what leaks from a memory must not open a door.

    A refusal is not remembered, since making up another bad token costs an attacker nothing.
    """

    def __init__(self, *, clock: Clock, capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._capacity = capacity
        self._verdicts: OrderedDict[bytes, Verdict] = OrderedDict()  # the one used last stands last

    def remember(self, token: str, verdict: Verdict) -> Principal:
        """Return who a token speaks for, and remember it until the token expires, or the verdict holds no longer."""
        self._verdicts[_digest(token)] = verdict
        if len(self._verdicts) > self._capacity:
            self._verdicts.popitem(last=False)
        return verdict.principal

    def forget_all(self) -> None:
        """Have every token judged again."""
        self._verdicts.clear()

    def recall(self, token: str) -> Principal | None:
        """Return who a token speaks for, or None when it has to be judged, again or for the first time."""
        digest = _digest(token)
        verdict = self._verdicts.get(digest)
        if verdict is None:
            return None
        if self._clock.now() < verdict.principal.expires_at and verdict.still_holds():
            self._verdicts.move_to_end(digest)
            return verdict.principal
        del self._verdicts[digest]
        return None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
