"""What is kept for a while under a name that nobody can guess: codes, pushed requests, sessions."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")

CAPACITY = 10_000
"""How many things are kept; the one put longest ago is forgotten first.

All of a kind last equally long, so that it is the one that ends first too: what has ended goes before what has not.
"""


class ExpiringStore(Generic[T]):
    """Things by name, each until its moment, in seconds since the epoch."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Start empty; hold at most so many things."""
        self._capacity = capacity
        self._values: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def put(self, name: str, value: T, *, expires_at: float) -> None:
        """Keep a thing until a moment."""
        self._values[name] = (expires_at, value)
        self._values.move_to_end(name)
        if len(self._values) > self._capacity:
            self._values.popitem(last=False)

    def get(self, name: str, now: float) -> T | None:
        """Return a thing whose moment has not come, None if there is none."""
        expires_at, value = self._values.get(name, (now, None))
        return value if now < expires_at else None

    def pop(self, name: str, now: float) -> T | None:
        """Return a thing whose moment has not come, and forget it: it is found once."""
        value = self.get(name, now)
        self.delete(name)
        return value

    def all(self, now: float) -> list[T]:
        """Return everything whose moment has not come, the oldest first."""
        return [value for expires_at, value in self._values.values() if now < expires_at]

    def delete(self, name: str) -> None:
        """Forget a thing, if it is there."""
        self._values.pop(name, None)

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
