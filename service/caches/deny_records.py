"""The records of the deny list: a set that processes merge in any order, without a lock, and without losing an entry.

Each entry that an operator adds is a record with a random tag, and removing the entry marks the record as removed.
Merging two sets is a union in which a removed record stays removed. An entry that one process adds while another
removes an earlier one is therefore kept: in doubt, the token is rejected.
"""

from __future__ import annotations

import hashlib
import math
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from service.clock import Clock

CLOCK_TOLERANCE = 600.0
"""Seconds by which the clocks of two machines may differ.

A process that starts cannot know whether an entry or its own clock is old, so it may keep an entry this much longer.
"""
Key = tuple[str, str, str | None]
"""What an entry matches: the kind, the value, and the issuer or None for all."""
_PRUNE_INTERVAL = 30.0
_TAG = re.compile(r"[0-9a-f]{24}")
_SHARD_LENGTH = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class DenyRecord:
    """One record; immutable but for its removal, so that two copies differ at most in ``removed``.

    Args:
        tag: The random name of the record.
        kind: The kind of the entry.
        value: What the entry matches.
        issuer: The issuer of the tokens to reject, or None for all issuers.
        expires_at: The end, in seconds since the epoch by the clock of the process that added the record.
        lifetime: Seconds from the addition to the end.
        removed: Whether the entry was removed before its end.
    """

    tag: str
    kind: str
    value: str
    issuer: str | None
    expires_at: float
    lifetime: float
    removed: bool = False

    @property
    def key(self) -> Key:
        """What the entry matches."""
        return self.kind, self.value, self.issuer

    @property
    def shard(self) -> str:
        """The name of the part of the set that contains the record, one of 256."""
        return self.tag[:_SHARD_LENGTH]

    def to_json(self) -> list[Any]:
        """Return the record in the form that :meth:`read` accepts."""
        return [self.tag, self.kind, self.value, self.issuer, self.expires_at, self.lifetime, self.removed]

    @classmethod
    def read(cls, document: object) -> DenyRecord | None:
        """Return the record in a JSON document, or None if it is malformed."""
        match document:
            case [
                str(tag),
                str(kind),
                str(value),
                issuer,
                int() | float() as end,
                int() | float() as lifetime,
                removed,
            ]:
                is_valid = _TAG.fullmatch(tag) and math.isfinite(end) and math.isfinite(lifetime)
                if is_valid and isinstance(issuer, str | None) and isinstance(removed, bool):
                    return cls(
                        tag=tag, kind=kind, value=value, issuer=issuer,
                        expires_at=end, lifetime=lifetime, removed=removed,
                    )  # fmt: skip
        return None

    @classmethod
    def read_all(cls, document: object) -> dict[str, DenyRecord]:
        """Return the well-formed records in a JSON document by their tags."""
        records = map(cls.read, document if isinstance(document, list) else [])
        return {record.tag: record for record in records if record is not None}


class DenyRecords:
    """The records that this process knows, and when each ends here.

    The end is counted from the arrival of a record by the monotonic clock, and its wall time only limits records
    that are old when they arrive: an entry of one minute is in force for one minute on every machine, whatever
    the difference between their clocks, up to :data:`CLOCK_TOLERANCE`.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._shards: dict[str, dict[str, DenyRecord]] = {}
        self._end_by_tag: dict[str, float] = {}
        self._tags: dict[Key, set[str]] = {}
        self._prune_at = 0.0
        self.ends: dict[Key, float] = {}
        """The monotonic time of the end of each entry that was not removed; some have ended already."""

    def __iter__(self) -> Iterator[DenyRecord]:
        """Iterate over all records, removed and ended ones too."""
        return (record for shard in self._shards.values() for record in shard.values())

    def __len__(self) -> int:
        return len(self._end_by_tag)

    def shards(self) -> frozenset[str]:
        """Return the names of the parts that contain a record."""
        return frozenset(self._shards)

    def shard(self, name: str) -> Mapping[str, DenyRecord]:
        """Return the records in one part by their tags."""
        return self._shards.get(name, {})

    def in_force(self, *, seconds: float = 0.0) -> Iterator[DenyRecord]:
        """Iterate over the records that are neither removed nor end within so many seconds."""
        end = self._clock.monotonic() + seconds
        return (record for record in self if not record.removed and end < self._end_by_tag[record.tag])

    def new(self, key: Key, *, expires_at: float) -> DenyRecord:
        """Return a record that starts now, without adding it."""
        kind, value, issuer = key
        return DenyRecord(
            tag=secrets.token_hex(12), kind=kind, value=value, issuer=issuer,
            expires_at=expires_at, lifetime=expires_at - self._clock.now(),
        )  # fmt: skip

    def merge(self, records: Iterable[DenyRecord]) -> list[DenyRecord]:
        """Add the records that are not known yet and remove those that are removed; return what has changed."""
        changed = []
        for record in records:
            known = self.shard(record.shard).get(record.tag)
            if known is None and self._remaining(record) > 0:
                end = self._clock.monotonic() + min(record.lifetime, self._remaining(record))
                self._end_by_tag[record.tag] = end
                if not record.removed:
                    self._tags.setdefault(record.key, set()).add(record.tag)
                    self.ends[record.key] = max(end, self.ends.get(record.key, end))
            elif known is not None and record.removed and not known.removed:
                self._forget(known)
            else:
                continue
            self._shards.setdefault(record.shard, {})[record.tag] = record
            changed.append(record)
        return changed

    def remove(self, key: Key) -> list[DenyRecord]:
        """Mark each record of an entry as removed, without its value, and return those that were not before."""
        matching = [self._shards[tag[:_SHARD_LENGTH]][tag] for tag in self._tags.get(key, ())]
        return self.merge([replace(record, value="", issuer=None, removed=True) for record in matching])

    def prune(self) -> frozenset[str]:
        """Forget the records that have ended everywhere, and return the names of their parts.

        A record that was forgotten earlier would be read again from a process that still has it.
        """
        now = self._clock.monotonic()
        if now < self._prune_at:
            return frozenset()
        self._prune_at = now + _PRUNE_INTERVAL
        ended = [record for record in self if now >= self._end_by_tag[record.tag] and self._remaining(record) <= 0]
        for record in ended:
            if not record.removed:
                self._forget(record)
            del self._end_by_tag[record.tag]
            del self._shards[record.shard][record.tag]
            if not self._shards[record.shard]:
                del self._shards[record.shard]
        return frozenset(record.shard for record in ended)

    def _forget(self, record: DenyRecord) -> None:
        """Leave a record out of :attr:`ends`."""
        tags = self._tags[record.key]
        tags.remove(record.tag)
        if tags:
            self.ends[record.key] = max(self._end_by_tag[tag] for tag in tags)
        else:
            del self.ends[record.key], self._tags[record.key]

    def _remaining(self, record: DenyRecord) -> float:
        """Return the most seconds until the end of a record by any clock within the tolerance."""
        return record.expires_at + CLOCK_TOLERANCE - self._clock.now()


def digest(records: Mapping[str, DenyRecord]) -> str:
    """Return a hash of one part, which differs if a record was added or removed; empty without records."""
    if not records:
        return ""
    text = ",".join(sorted(f"{record.tag}{'-' if record.removed else '+'}" for record in records.values()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
