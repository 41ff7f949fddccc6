"""Storage for values with an expiration, such as codes, pushed requests and sessions."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")

CAPACITY = 10_000
"""The default maximum number of values; the one stored first is removed first.

All values of a store have the same lifetime, so expired values are removed before others.
"""


class ExpiringStore(Generic[T]):
    """Values by name, each until it expires, in seconds since the epoch."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._values: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def put(self, name: str, value: T, *, expires_at: float) -> None:
        """Store a value until it expires."""
        self._values[name] = (expires_at, value)
        self._values.move_to_end(name)
        if len(self._values) > self._capacity:
            self._values.popitem(last=False)

    def get(self, name: str, now: float) -> T | None:
        """Return a value that has not expired, or None."""
        expires_at, value = self._values.get(name, (now, None))
        return value if now < expires_at else None

    def pop(self, name: str, now: float) -> T | None:
        """Remove and return a value that has not expired, or return None."""
        value = self.get(name, now)
        self.delete(name)
        return value

    def all(self, now: float) -> list[T]:
        """Return all values that have not expired, oldest first."""
        return [value for expires_at, value in self._values.values() if now < expires_at]

    def delete(self, name: str) -> None:
        """Remove a value, if it exists."""
        self._values.pop(name, None)

    def clear(self) -> None:
        """Remove all values."""
        self._values.clear()
