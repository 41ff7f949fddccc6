"""What may be used once and was: ids of assertions, each remembered for as long as it could be replayed."""

from __future__ import annotations


class Replays:
    """Ids that were used, under whatever they are unique in; an id whose time is over is forgotten."""

    def __init__(self) -> None:
        """Start without any."""
        self._until: dict[tuple[str, str], float] = {}

    def use(self, owner: str, name: str, *, until: float, now: float) -> bool:
        """Remember an id until a moment, in seconds since the epoch; tell whether this is its first use."""
        self._until = {used: moment for used, moment in self._until.items() if moment > now}
        if (owner, name) in self._until:
            return False
        self._until[owner, name] = until
        return True

    def clear(self) -> None:
        """Forget every id."""
        self._until.clear()
