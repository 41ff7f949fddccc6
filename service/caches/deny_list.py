"""Tokens, people and clients that are turned away here and now, whatever their issuer says, in every process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from service.caches.shared import SharedCache
from service.clock import Clock
from service.errors import InvalidToken, Reason
from service.tokens.principal import Principal

KINDS = ("jti", "sub", "cid")
"""What can be denied: one token, one subject, one client; named as Okta names the claims."""
MAX_AGE = 1.0
"""Seconds after which what others denied is looked up again: how long an entry takes to reach every process."""
CAPACITY = 10_000
_LOG_KEY = "denied"
_BATCH = 500
_PENDING_TIMEOUT = 10.0
"""Seconds for which a numbered place is waited for whose entry is still on its way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DenyEntry:
    """Who is turned away.

    Args:
        kind: One of :data:`KINDS`.
        issuer: The issuer whose tokens are meant; None for those of all.
        expires_at: When it ends, in seconds since the epoch.
    """

    kind: str
    value: str
    issuer: str | None
    expires_at: float

    @property
    def key(self) -> tuple[str, str, str | None]:
        """What it is about, whenever it ends."""
        return self.kind, self.value, self.issuer

    @classmethod
    def read(cls, entry: Any) -> DenyEntry | None:
        """Return the entry that an entry of the shared log holds, or None when it holds none."""
        match entry:
            case {"kind": str(kind), "value": str(value), "issuer": issuer, "expires_at": int(end) | float(end)}:
                if kind in KINDS and (issuer is None or isinstance(issuer, str)):
                    return cls(kind=kind, value=value, issuer=issuer, expires_at=end)
        return None


class DenyList:
    """The deny list in force, kept in this process and appended to a log in the shared cache.

    There is no timer: while others may have written, the first request of each second reads what is new.
    A shared cache that is down leaves the deny list that this process knows.
    """

    def __init__(self, shared: SharedCache, *, clock: Clock) -> None:
        self._shared = shared
        self._clock = clock
        self._entries: dict[tuple[str, str, str | None], DenyEntry] = {}
        self._read_up_to = 0
        self._pending: dict[int, float] = {}
        self._fresh_until = float("inf") if shared.is_local else 0.0
        self._refreshing: asyncio.Task[None] | None = None
        self._on_change: list[Callable[[], None]] = []

    def __iter__(self) -> Iterator[DenyEntry]:
        """Go through the entries in force."""
        now = self._clock.now()
        return iter([entry for entry in self._entries.values() if now < entry.expires_at])

    @property
    def fresh(self) -> bool:
        """Whether what others denied was looked up a moment ago."""
        return self._clock.monotonic() < self._fresh_until

    def on_change(self, callback: Callable[[], None]) -> None:
        """Have somebody told when an entry comes or goes."""
        self._on_change.append(callback)

    def check(self, principal: Principal) -> None:
        """Let a principal pass, or not; awaits nothing.

        Raises:
            InvalidToken: It is denied.
        """
        kind = self.denied_by(principal)
        if kind is not None:
            raise InvalidToken(Reason.REVOKED, f"denied here by its {kind}", claim=kind)

    def denied_by(self, principal: Principal) -> str | None:
        """Return by which of :data:`KINDS` a principal is denied; None where it is not."""
        if not self._entries:
            return None
        values = {"jti": principal.claims.get("jti"), "sub": principal.subject, "cid": principal.client_id}
        for kind, value in values.items():
            if isinstance(value, str) and self._is_listed(kind, value, principal.issuer):
                return kind
        return None

    async def add(self, entry: DenyEntry) -> bool:
        """Deny, in this process at once and in the others within :data:`MAX_AGE`.

        Returns:
            Whether the others will know of it: False while the shared cache is down.

        Raises:
            OverflowError: There are too many.
        """
        self._prune()
        if len(self._entries) >= CAPACITY and entry.key not in self._entries:
            raise OverflowError(
                f"{CAPACITY} deny list entries are in force; remove some, or deny the client or the subject"
            )
        self._apply(entry)
        return await self._append(entry)

    async def remove(self, kind: str, value: str, issuer: str | None) -> bool:
        """Deny no longer; returns whether the others will know of it."""
        removed = DenyEntry(kind=kind, value=value, issuer=issuer, expires_at=0.0)
        self._apply(removed)
        return await self._append(removed)

    async def refresh(self) -> None:
        """Read what others denied; whoever asks while somebody does waits for the same look."""
        if self._refreshing is None:
            self._refreshing = asyncio.get_running_loop().create_task(self._poll())
            self._refreshing.add_done_callback(lambda _: setattr(self, "_refreshing", None))
        await asyncio.shield(self._refreshing)

    async def close(self) -> None:
        """Let a look at the shared cache that is under way come to its end."""
        if self._refreshing is not None:
            await asyncio.gather(self._refreshing, return_exceptions=True)

    async def _append(self, entry: DenyEntry) -> bool:
        lifetime = max(entry.expires_at - self._clock.now(), 24 * 3600.0)  # what lifts one lives as long as it might
        return self._shared.is_local or await self._shared.append(_LOG_KEY, asdict(entry), seconds=int(lifetime) + 1)

    async def _poll(self) -> None:
        last = await self._shared.get(f"{_LOG_KEY}:last")
        last = last if isinstance(last, int) else self._read_up_to
        if last < self._read_up_to:  # the cache was emptied, and counts from nothing again
            self._read_up_to = 0
        now = self._clock.monotonic()
        first = max(self._read_up_to, last - CAPACITY) + 1
        self._pending |= dict.fromkeys(range(first, last + 1), now + _PENDING_TIMEOUT)
        self._read_up_to = last
        await self._read_entries()
        self._prune()
        self._fresh_until = self._clock.monotonic() + MAX_AGE

    async def _read_entries(self) -> None:
        """Read the numbered places that are new, or whose number was given out before their entry was written."""
        numbers = sorted(self._pending)
        for start in range(0, len(numbers), _BATCH):
            batch = numbers[start : start + _BATCH]
            entries = await self._shared.get_many([f"{_LOG_KEY}:{number}" for number in batch])
            for number, document in zip(batch, entries, strict=True):
                entry = DenyEntry.read(document)
                if entry is not None:
                    self._apply(entry)
                if entry is not None or self._clock.monotonic() >= self._pending[number]:
                    del self._pending[number]

    def _apply(self, entry: DenyEntry) -> None:
        """Keep an entry, or drop the one that it removes, and call the functions given to ``on_change``."""
        if entry.expires_at > self._clock.now():
            self._entries[entry.key] = entry
        elif self._entries.pop(entry.key, None) is None:
            return
        for callback in self._on_change:
            callback()

    def _is_listed(self, kind: str, value: str, issuer: str) -> bool:
        """Return whether a value is denied for this issuer, or for all."""
        matches = (self._entries.get((kind, value, one)) for one in (issuer, None))
        return any(entry is not None and self._clock.now() < entry.expires_at for entry in matches)

    def _prune(self) -> None:
        now = self._clock.now()
        self._entries = {key: entry for key, entry in self._entries.items() if now < entry.expires_at}
