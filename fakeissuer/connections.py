"""Numbers for TCP connections, so that the journal can tell how many there were."""

from __future__ import annotations

from itertools import count
from weakref import WeakKeyDictionary


class Connections:
    """Numbers connections in the order in which they first ask for something, and keeps none of them alive."""

    def __init__(self) -> None:
        """Start with number 1."""
        self._next_number = count(1)
        self._numbers: WeakKeyDictionary[object, int] = WeakKeyDictionary()

    def number(self, connection: object) -> int:
        """Return the number of a connection: the same for as long as it lasts."""
        if connection not in self._numbers:
            self._numbers[connection] = next(self._next_number)
        return self._numbers[connection]
