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
        self._ends: dict[str, float] = {}

    def __iter__(self) -> Iterator[DenyRecord]:
        """Iterate over all records, removed and ended ones too."""
        return (record for shard in self._shards.values() for record in shard.values())

    def __len__(self) -> int:
        return len(self._ends)

    def shards(self) -> frozenset[str]:
        """Return the names of the parts that contain a record."""
        return frozenset(self._shards)

    def shard(self, name: str) -> Mapping[str, DenyRecord]:
        """Return the records in one part by their tags."""
        return self._shards.get(name, {})

    def in_force(self) -> Iterator[tuple[DenyRecord, float]]:
        """Iterate over the records that are neither removed nor ended, with the monotonic time of their end."""
        now = self._clock.monotonic()
        for record in self:
            if not record.removed and now < self._ends[record.tag]:
                yield record, self._ends[record.tag]

    def new(self, *, kind: str, value: str, issuer: str | None, expires_at: float) -> DenyRecord:
        """Return a record that starts now, without adding it."""
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
                self._ends[record.tag] = self._clock.monotonic() + min(record.lifetime, self._remaining(record))
            elif known is None or known.removed or not record.removed:
                continue
            self._shards.setdefault(record.shard, {})[record.tag] = record
            changed.append(record)
        return changed

    def remove(self, *, kind: str, value: str, issuer: str | None) -> list[DenyRecord]:
        """Mark each record of an entry as removed, without its value, and return those that were not before."""
        matching = [r for r in self if not r.removed and (r.kind, r.value, r.issuer) == (kind, value, issuer)]
        return self.merge([replace(record, value="", issuer=None, removed=True) for record in matching])

    def prune(self) -> frozenset[str]:
        """Forget the records that have ended everywhere, and return the names of their parts.

        A record that was forgotten earlier would be read again from a process that still has it.
        """
        now = self._clock.monotonic()
        ended = [record for record in self if now >= self._ends[record.tag] and self._remaining(record) <= 0]
        for record in ended:
            del self._ends[record.tag]
            del self._shards[record.shard][record.tag]
            if not self._shards[record.shard]:
                del self._shards[record.shard]
        return frozenset(record.shard for record in ended)

    def _remaining(self, record: DenyRecord) -> float:
        """Return the most seconds until the end of a record by any clock within the tolerance."""
        return record.expires_at + CLOCK_TOLERANCE - self._clock.now()


def digest(records: Mapping[str, DenyRecord]) -> str:
    """Return a hash of one part, which differs if a record was added or removed; empty without records."""
    if not records:
        return ""
    text = ",".join(sorted(f"{record.tag}{'-' if record.removed else '+'}" for record in records.values()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
