"""The deny list: tokens, users, clients, keys and issuers that every process rejects, regardless of the issuer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from service.caches.deny_file import DenyListFile
from service.caches.deny_records import DenyRecord, Key
from service.caches.deny_store import DenyStore, Reach
from service.caches.shared import SharedCache
from service.clock import Clock
from service.errors import InvalidToken, Reason
from service.text import did_you_mean
from service.tokens.principal import Principal

KINDS = ("jti", "sub", "cid", "kid", "iss")
"""The kinds of entries: a token, a user, a client, a signing key and an issuer, named after claims and parameters."""
CAPACITY = 10_000
"""Entries in force."""
_MAX_LISTED = 5
"""Issuers that a message lists."""
_KEY_REFRESH = "key set"
"""The kind of the records that request a refresh of key sets; they reach every process as entries do."""
_KEY_REFRESH_LIFETIME = 3600.0
"""Seconds; no process uses a key set for longer without a refresh."""

RefreshKeySets = Callable[[str | None], Awaitable[Mapping[str, bool]]]
"""Fetches the key set of one issuer, or of all if None; returns whether the fetch has succeeded, by issuer."""


class UnknownIssuer(ValueError):
    """An entry names an issuer that is not configured, so it would match no token; the message names the nearest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DenyEntry:
    """One entry of the deny list.

    Args:
        kind: One of :data:`KINDS`.
        value: The value of the claim, the key ID or the issuer.
        issuer: The issuer of the tokens to reject, or None for all issuers.
        expires_at: The end of the entry, in seconds since the epoch.
    """

    kind: str
    value: str
    issuer: str | None
    expires_at: float

    @property
    def key(self) -> Key:
        """The entry without its end; adding an entry with the same key replaces it."""
        return self.kind, self.value, self.issuer


class DenyList:
    """The deny list of this process, synchronized with other processes through the shared cache.

    While the shared cache is unavailable, the entries of this process stay in force.

    Args:
        shared: The cache; with a local one, no other process sees the list.
        file: The file that restores the list at start, or None.
        issuers: The issuers that an entry can name, as in the ``iss`` claim of their tokens; None for any.

    Raises:
        SettingsError: The file is unusable.
    """

    def __init__(
        self,
        shared: SharedCache,
        *,
        clock: Clock,
        file: DenyListFile | None = None,
        issuers: Collection[str] | None = None,
    ) -> None:
        self._issuers = issuers
        self._clock = clock
        self._store = DenyStore(shared, clock=clock, file=file, on_received=self._receive)
        self._ends = self._store.records.ends
        self._on_change: list[Callable[[], None]] = []
        self._refresh_key_sets: RefreshKeySets | None = None

    def __iter__(self) -> Iterator[DenyEntry]:
        """Iterate over the entries in force."""
        entries: dict[Key, DenyEntry] = {}
        for record in self._store.records.in_force():
            key = record.key
            if record.kind in KINDS and (key not in entries or entries[key].expires_at < record.expires_at):
                entries[key] = DenyEntry(
                    kind=record.kind, value=record.value, issuer=record.issuer, expires_at=record.expires_at
                )
        return iter(entries.values())

    @property
    def fresh(self) -> bool:
        """Whether the list is up to date; if not, :meth:`refresh` is needed before the next check."""
        return self._clock.monotonic() < self._store.fresh_until

    def __len__(self) -> int:
        """Return the number of entries in force."""
        return sum(1 for _ in self)

    @property
    def age(self) -> float | None:
        """The seconds since the last contact with the shared cache; None before the first, and without one."""
        since = self._store.synchronized_at
        return None if since is None else max(self._clock.monotonic() - since, 0.0)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Register a function to call when an entry is added or removed."""
        self._on_change.append(callback)

    def on_key_refresh(self, callback: RefreshKeySets) -> None:
        """Register the function that fetches key sets."""
        self._refresh_key_sets = callback

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
        if not self._ends:
            return None
        now, issuer = self._clock.monotonic(), principal.issuer
        for kind, value in (
            ("jti", principal.claims.get("jti")),
            ("sub", principal.subject),
            ("cid", principal.client_id),
            ("kid", principal.key_id),
            ("iss", issuer),
        ):
            if not isinstance(value, str):
                continue
            for scope in (issuer, None):
                end = self._ends.get((kind, value, scope))
                if end is not None and now < end:
                    return kind
        return None

    async def add(self, entry: DenyEntry) -> Reach:
        """Add an entry, which takes effect here at once and in other processes within a second.

        Raises:
            UnknownIssuer: The issuer of the entry is not configured.
            OverflowError: The deny list is full; no other entry is dropped.
        """
        self._check_issuer(entry.value if entry.kind == "iss" else entry.issuer)
        self._store.prune()
        if len(self._ends) >= CAPACITY and self._count_others(entry) >= CAPACITY:
            raise OverflowError(
                f"the deny list has {CAPACITY} entries; remove some, or add the client, the user or the issuer instead"
            )
        changed = self._replace(entry)
        self._notify(changed)
        return await self._store.publish(changed)

    async def remove(self, kind: str, value: str, issuer: str | None) -> Reach:
        """Remove an entry."""
        if not self.fresh:
            await self.refresh()  # another process may have added it
        changed = self._store.records.remove((kind, value, issuer))
        self._notify(changed)
        return await self._store.publish(changed)

    async def refresh_key_sets(self, issuer: str | None) -> tuple[Mapping[str, bool], Reach]:
        """Fetch the key set of an issuer, or all of them, here at once and in every other process.

        Returns:
            Whether the fetch has succeeded here, by issuer; empty if no key set of the issuer is in use.

        Raises:
            UnknownIssuer: The issuer is not configured.
            OverflowError: There were too many such calls within an hour.
        """
        results = {} if self._refresh_key_sets is None else await self._refresh_key_sets(issuer)
        if not results:
            self._check_issuer(issuer)
            return results, Reach(shared=False, saved=None)
        end = self._clock.now() + _KEY_REFRESH_LIFETIME
        request = DenyEntry(kind=_KEY_REFRESH, value=issuer or "", issuer=None, expires_at=end)
        return results, await self._store.publish(self._replace(request))

    async def refresh(self) -> None:
        """Poll the shared cache; concurrent callers share one poll."""
        await self._store.refresh()

    def hand_over(self, file: DenyListFile) -> None:
        """Keep the entries also in a file of the processes that run before and after this one, and read theirs.

        Raises:
            SettingsError: The file is unusable.
        """
        self._store.hand_over(file)

    async def close(self) -> None:
        """Stop polling, and wait for polls and writes in progress."""
        await self._store.close()

    def _check_issuer(self, name: str | None) -> None:
        if name is None or self._issuers is None or name in self._issuers:
            return
        known = sorted(self._issuers)
        hint = did_you_mean(name, known) or f"; expected {' or '.join(known[:_MAX_LISTED])}"
        raise UnknownIssuer(f"no tokens of the issuer {name!r} are accepted here, so this would have no effect{hint}")

    def _count_others(self, entry: DenyEntry) -> int:
        now = self._clock.monotonic()
        return sum(now < end for key, end in self._ends.items() if key[0] in KINDS and key != entry.key)

    def _replace(self, entry: DenyEntry) -> list[DenyRecord]:
        """Add a record, remove the previous ones of the same entry, and return all of them.

        Raises:
            OverflowError: So many entries were added and removed that their records fill the list.
        """
        records = self._store.records
        if len(records) >= 2 * CAPACITY:
            raise OverflowError(
                f"the deny list has {CAPACITY} changes of entries that have not ended yet; wait until some have ended"
            )
        removed = records.remove(entry.key)
        return [*removed, *records.merge([records.new(entry.key, expires_at=entry.expires_at)])]

    def _receive(self, records: list[DenyRecord]) -> None:
        """Apply the records of other processes."""
        self._notify(records)
        for record in records:
            if record.kind == _KEY_REFRESH and not record.removed and self._refresh_key_sets is not None:
                self._store.run_in_background(self._refresh_key_sets(record.value or None))

    def _notify(self, changed: Iterable[DenyRecord]) -> None:
        """Call the functions given to ``on_change`` if an entry has changed."""
        if any(record.kind in KINDS for record in changed):
            for callback in self._on_change:
                callback()
