"""Keeps the records of the deny list in this process and in the shared cache the same, whatever the cache loses.

The shared cache holds the records in up to 256 parts, and an index with a digest of each part. A poll reads the index
and the parts whose digest has changed, merges them, and writes back each part that lacks a record of this process.
After a restart, a flush or an eviction of the server, every live process restores what is missing.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from service.caches.deny_records import DenyRecord, DenyRecords, digest
from service.caches.shared import SharedCache

_logger = logging.getLogger(__name__)

CHECKED_PER_SYNC = 8
"""Parts that each poll reads although their digest is unchanged, since the server may have evicted them."""
_BATCH_SIZE = 16
"""Parts in one call, which then takes a fraction of the cache's timeout."""


class Synced(NamedTuple):
    """The result of one synchronization."""

    corrected: frozenset[str] | None
    """The parts that the cache did not have completely, and which were written; None if it is unavailable."""
    changed: list[DenyRecord]
    """The records that other processes have added or removed."""
    has_lost: bool = False
    """Whether the cache lacks the index, or a part that the index lists."""


class DenyReplica:
    """Synchronizes the records of this process with the shared cache.

    Args:
        records: The records of this process.
        shared: A cache that other processes see.
    """

    def __init__(self, records: DenyRecords, shared: SharedCache) -> None:
        self._records = records
        self._shared = shared
        self._prefix = f"deny-list:{shared.key_id}"  # programs with another key could not read these values
        self._synced: dict[str, str] = {}  # by part, the digest of what was last read or written
        self._touched: set[str] = set()
        self._sample_start = 0
        self._restored = 0
        self._has_lost = False

    def touch(self, shards: Iterable[str]) -> None:
        """Compare these parts in the next :meth:`sync`, since this process has changed them."""
        self._touched |= set(shards)

    async def sync(self, *, check: frozenset[str] = frozenset()) -> Synced:
        """Merge the records of other processes, and write those that the cache lacks; not to be called concurrently.

        Args:
            check: The parts to read even if their digest is unchanged.
        """
        changed: list[DenyRecord] = []
        stored = await self._shared.get_many([self._key("index")])
        if stored is None:
            return Synced(None, changed)
        index = _read_index(stored[0])
        touched, self._touched = self._touched, set()
        corrected: set[str] = set()
        self._restored, self._has_lost = 0, stored[0] is None
        to_read = self._names_to_read(index, check | touched | self._sample())
        for start in range(0, len(to_read), _BATCH_SIZE):
            names = to_read[start : start + _BATCH_SIZE]
            written = await self._sync_parts(names, index, touched, changed)
            if written is None:
                break
            corrected |= written | {name for name in names if index.get(name, "") != self._synced[name]}
        else:
            if self._restored:
                _logger.warning("deny list entries restored in the shared cache", extra={"entries": self._restored})
            is_current = not corrected and stored[0] is not None
            if is_current or await self._write_index(index, corrected):
                return Synced(frozenset(corrected), changed, self._has_lost)
        self._touched |= touched
        return Synced(None, changed)

    def _names_to_read(self, index: Mapping[str, str], always: Iterable[str]) -> list[str]:
        known = self._records.shards() | index.keys()
        differing = {name for name in known if index.get(name, "") != self._synced.get(name)}
        return sorted(differing | set(always))

    async def _sync_parts(
        self,
        names: list[str],
        index: Mapping[str, str],
        touched: set[str],
        changed: list[DenyRecord],
    ) -> frozenset[str] | None:
        """Merge some parts and write those that are incomplete; return their names, or None if that failed."""
        values = await self._shared.get_many([self._key(name) for name in names])
        if values is None:
            return None
        writes: dict[str, Any] = {}
        digests: dict[str, str] = {}
        for name, value in zip(names, values, strict=True):
            stored = DenyRecord.read_all(value)
            changed += self._records.merge(stored.values())
            ours = self._records.shard(name)
            lacking = sum(stored.get(tag) != record for tag, record in ours.items())
            if lacking or (name in touched and stored.keys() != ours.keys()):
                writes[name] = [record.to_json() for record in ours.values()]
                self._restored += lacking if name not in touched and self._synced.get(name) else 0
            self._has_lost |= name in index and not stored
            digests[name] = digest(ours if name in writes else stored)
        updates = {self._key(name): value for name, value in writes.items()}
        if updates and not await self._shared.set_many(updates):
            return None
        self._synced |= digests
        return frozenset(writes)

    async def _write_index(self, index: Mapping[str, str], corrected: Iterable[str]) -> bool:
        """Write the index with the digests of the parts that were corrected.

        If two processes write at the same time, the index of the first is lost; its next poll finds the difference.
        """
        updated = dict(index) | {name: self._synced[name] for name in corrected}
        document = {name: code for name, code in updated.items() if code}
        return await self._shared.set_many({self._key("index"): document})

    def _sample(self) -> frozenset[str]:
        """Return some parts, others each time."""
        names = sorted(self._records.shards())
        start = self._sample_start % max(len(names), 1)
        self._sample_start = start + CHECKED_PER_SYNC
        return frozenset(itertools.islice(itertools.cycle(names), start, start + min(CHECKED_PER_SYNC, len(names))))

    def _key(self, name: str) -> str:
        return f"{self._prefix}:{name}"


def _read_index(document: object) -> dict[str, str]:
    members = document if isinstance(document, dict) else {}
    return {name: code for name, code in members.items() if isinstance(code, str)}
