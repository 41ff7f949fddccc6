"""What is kept for a while under a name that nobody can guess: codes, pushed requests, sessions."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")

CAPACITY = 10_000
"""How many things are kept; the one put longest ago is forgotten first.

All of a kind last equally long, so that it is the one that ends first too: what has ended goes before what has not.
"""


class Expiring(Generic[T]):
    """Things by name, each until its moment, in seconds since the epoch."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Start empty; hold at most so many things."""
        self._capacity = capacity
        self._kept: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def put(self, name: str, thing: T, *, until: float) -> None:
        """Keep a thing until a moment."""
        self._kept[name] = (until, thing)
        self._kept.move_to_end(name)
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)

    def find(self, name: str, now: float) -> T | None:
        """Return a thing whose moment has not come, None if there is none."""
        until, thing = self._kept.get(name, (now, None))
        return thing if now < until else None

    def take(self, name: str, now: float) -> T | None:
        """Return a thing whose moment has not come, and forget it: it is found once."""
        thing = self.find(name, now)
        self.drop(name)
        return thing

    def all(self, now: float) -> list[T]:
        """Return everything whose moment has not come, the oldest first."""
        return [thing for until, thing in self._kept.values() if now < until]

    def drop(self, name: str) -> None:
        """Forget a thing, if it is there."""
        self._kept.pop(name, None)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
