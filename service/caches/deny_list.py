"""The deny list: tokens, subjects and clients that every process rejects at once, regardless of the issuer."""

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
"""The kinds of entries: a token, a subject or a client, named after Okta's claims."""
MAX_AGE = 1.0
"""Seconds between polls of the shared cache, and so the time within which an entry reaches every process."""
CAPACITY = 10_000
"""Entries in force."""
_LOG_KEY = "denied"
_BATCH = 500
_PENDING_TIMEOUT = 10.0
"""Seconds to poll for an entry whose number is reserved but which is not written yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DenyEntry:
    """One entry of the deny list.

    Args:
        kind: One of :data:`KINDS`.
        value: The value of the claim.
        issuer: The issuer of the tokens to reject, or None for all issuers.
        expires_at: The end of the entry, in seconds since the epoch.
    """

    kind: str
    value: str
    issuer: str | None
    expires_at: float

    @property
    def key(self) -> tuple[str, str, str | None]:
        """The entry without its end; adding an entry with the same key replaces it."""
        return self.kind, self.value, self.issuer

    @classmethod
    def read(cls, entry: Any) -> DenyEntry | None:
        """Return the entry in a record of the shared log, or None if the record is malformed."""
        match entry:
            case {"kind": str(kind), "value": str(value), "issuer": issuer, "expires_at": int(end) | float(end)}:
                if kind in KINDS and (issuer is None or isinstance(issuer, str)):
                    return cls(kind=kind, value=value, issuer=issuer, expires_at=end)
        return None


class DenyList:
    """The deny list of this process, synchronized through a log in the shared cache.

    There is no timer: the first request of each second polls the log for new entries.
    While the shared cache is unavailable, the entries of this process stay in force.
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
        """Iterate over the entries in force."""
        now = self._clock.now()
        return iter([entry for entry in self._entries.values() if now < entry.expires_at])

    @property
    def fresh(self) -> bool:
        """Whether the log was polled within :data:`MAX_AGE`; always true for a local cache."""
        return self._clock.monotonic() < self._fresh_until

    def on_change(self, callback: Callable[[], None]) -> None:
        """Register a function to call when an entry is added or removed."""
        self._on_change.append(callback)

    def check(self, principal: Principal) -> None:
        """Check that no entry matches a principal; awaits nothing.

        Raises:
            InvalidToken: An entry matches.
        """
        kind = self.denied_by(principal)
        if kind is not None:
            raise InvalidToken(Reason.REVOKED, f"its {kind} is on the deny list", claim=kind)

    def denied_by(self, principal: Principal) -> str | None:
        """Return the kind of the entry that matches a principal, or None if no entry does."""
        if not self._entries:
            return None
        values = {"jti": principal.claims.get("jti"), "sub": principal.subject, "cid": principal.client_id}
        for kind, value in values.items():
            if isinstance(value, str) and self._is_listed(kind, value, principal.issuer):
                return kind
        return None

    async def add(self, entry: DenyEntry) -> bool:
        """Add an entry, which takes effect here at once and in other processes within :data:`MAX_AGE` seconds.

        Returns:
            Whether the entry reaches the other processes; False while the shared cache is unavailable.

        Raises:
            OverflowError: The deny list is full.
        """
        self._prune()
        if len(self._entries) >= CAPACITY and entry.key not in self._entries:
            raise OverflowError(
                f"the deny list has {CAPACITY} entries; remove some, or add the client or the subject instead"
            )
        self._apply(entry)
        return await self._append(entry)

    async def remove(self, kind: str, value: str, issuer: str | None) -> bool:
        """Remove an entry; return whether the removal reaches the other processes."""
        removed = DenyEntry(kind=kind, value=value, issuer=issuer, expires_at=0.0)
        self._apply(removed)
        return await self._append(removed)

    async def refresh(self) -> None:
        """Poll the log for entries of other processes; concurrent callers share one poll."""
        if self._refreshing is None:
            self._refreshing = asyncio.get_running_loop().create_task(self._poll())
            self._refreshing.add_done_callback(lambda _: setattr(self, "_refreshing", None))
        await asyncio.shield(self._refreshing)

    async def close(self) -> None:
        """Wait for a poll in progress."""
        if self._refreshing is not None:
            await asyncio.gather(self._refreshing, return_exceptions=True)

    async def _append(self, entry: DenyEntry) -> bool:
        lifetime = max(entry.expires_at - self._clock.now(), 24 * 3600.0)  # a removal lives as long as the entry might
        return self._shared.is_local or await self._shared.append(_LOG_KEY, asdict(entry), seconds=int(lifetime) + 1)

    async def _poll(self) -> None:
        last = await self._shared.get(f"{_LOG_KEY}:last")
        last = last if isinstance(last, int) else self._read_up_to
        if last < self._read_up_to:  # the cache was cleared, and numbers start from 1 again
            self._read_up_to = 0
        now = self._clock.monotonic()
        first = max(self._read_up_to, last - CAPACITY) + 1
        self._pending |= dict.fromkeys(range(first, last + 1), now + _PENDING_TIMEOUT)
        self._read_up_to = last
        await self._read_entries()
        self._prune()
        self._fresh_until = self._clock.monotonic() + MAX_AGE

    async def _read_entries(self) -> None:
        """Read the new records, and those whose number was reserved before the record was written."""
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
        """Store an entry, or delete the one that it removes, and call the functions given to ``on_change``."""
        if entry.expires_at > self._clock.now():
            self._entries[entry.key] = entry
        elif self._entries.pop(entry.key, None) is None:
            return
        for callback in self._on_change:
            callback()

    def _is_listed(self, kind: str, value: str, issuer: str) -> bool:
        """Return whether an entry matches a value, for this issuer or for all issuers."""
        matches = (self._entries.get((kind, value, scope)) for scope in (issuer, None))
        return any(entry is not None and self._clock.now() < entry.expires_at for entry in matches)

    def _prune(self) -> None:
        now = self._clock.now()
        self._entries = {key: entry for key, entry in self._entries.items() if now < entry.expires_at}
