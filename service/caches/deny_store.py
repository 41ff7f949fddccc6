"""Stores the records of the deny list: in this process, in the shared cache by polling, and in a file."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from service.caches.deny_file import DenyListFile
from service.caches.deny_records import DenyRecord, DenyRecords
from service.caches.deny_replica import DenyReplica
from service.caches.shared import SharedCache
from service.clock import Clock
from service.tracing.current import outside_requests

_logger = logging.getLogger(__name__)

MAX_AGE = 1.0
"""Seconds until a poll of the shared cache is too old, and so the time within which an entry reaches every process."""
RESTORE_TIME = 1.5 * MAX_AGE
"""Seconds for which a process that starts and finds entries missing waits for another one to restore them."""
_POLL_INTERVAL = 0.8 * MAX_AGE
_REQUEST_TIMEOUT = 0.05
"""Seconds that one request each :data:`MAX_AGE` waits for a slow poll, and then continues with the entries known."""
_POLLS_AT_START = 2
"""Polls for which requests wait to the end; a cache that is slow once must not let a denied token in."""
_ATTEMPTS_TO_SHARE = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """How far a change has come.

    Args:
        shared: Whether other processes can read it in the shared cache.
        saved: Whether it is on the disk; None without a file.
    """

    shared: bool
    saved: bool | None


class DenyStore:
    """Keeps the records of this process, of other processes and of the file the same.

    Args:
        shared: The cache; with a local one, no other process sees the records.
        file: The file that restores the records at start, or None.
        on_received: Receives the records that other processes have added or removed.

    Raises:
        SettingsError: The file is unusable.
    """

    def __init__(
        self,
        shared: SharedCache,
        *,
        clock: Clock,
        file: DenyListFile | None,
        on_received: Callable[[list[DenyRecord]], None],
    ) -> None:
        self.records = DenyRecords(clock=clock)
        self._clock = clock
        self._file = file
        self._successors: DenyListFile | None = None
        self._on_received = on_received
        self.records.merge(file.read() if file else [])
        self._replica = None if shared.is_local else DenyReplica(self.records, shared)
        self._replica_lock = asyncio.Lock()
        self.fresh_until = float("inf") if shared.is_local else 0.0
        """The monotonic time until which the last poll is not older than :data:`MAX_AGE`."""
        self.synchronized_at: float | None = None
        """The monotonic time of the last contact with the shared cache; None before the first, and without one."""
        self._refreshing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._background: set[asyncio.Future[Any]] = set()
        self._settled_at: float | None = None
        self._polls_at_start = _POLLS_AT_START
        self._closed = asyncio.Event()

    async def publish(self, changed: list[DenyRecord]) -> Reach:
        """Write records that this process has added or removed to the shared cache and to the file."""
        shards = frozenset(record.shard for record in changed)
        shared, saved, _ = await asyncio.gather(self._share(shards), self._save(), self._save_for_successors())
        return Reach(shared=shared, saved=saved)

    def hand_over(self, file: DenyListFile) -> None:
        """Keep the records also in a file of the processes that run before and after this one, and read theirs.

        A worker with a local cache would otherwise lose them to the worker that replaces it.

        Raises:
            SettingsError: The file is unusable.
        """
        self._successors = file
        received = self.records.merge(file.read())
        if received:
            self._on_received(received)

    async def refresh(self) -> None:
        """Poll the shared cache; concurrent callers share one poll, and do not wait for a slow one after the start."""
        if self._refreshing is None:
            self._refreshing = asyncio.get_running_loop().create_task(self._poll())
            self._refreshing.add_done_callback(self._schedule)
        timeout = None if self._polls_at_start else _REQUEST_TIMEOUT
        done, _ = await asyncio.wait([self._refreshing], timeout=timeout)
        if not done:
            self.fresh_until = self._clock.monotonic() + MAX_AGE

    def prune(self) -> None:
        """Forget the records that have ended."""
        ended = self.records.prune()
        if self._replica is not None:
            self._replica.touch(ended)

    def run_in_background(self, work: Awaitable[Any]) -> None:
        """Run something that :meth:`close` waits for."""
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def close(self) -> None:
        """Stop polling, and wait for polls and writes in progress."""
        self._closed.set()
        if self._refreshing is not None:
            await asyncio.gather(self._refreshing, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    async def _share(self, shards: frozenset[str]) -> bool:
        """Write parts to the shared cache; return whether another process can read them there."""
        if self._replica is None:
            return False
        self._replica.touch(shards)
        for _ in range(_ATTEMPTS_TO_SHARE):  # the first writes, and the next reads what is there now
            corrected = await self._sync(self._replica, check=shards)
            if corrected is not None and not corrected & shards:
                return True
        return False

    async def _save(self) -> bool | None:
        return None if self._file is None else await self._file.write(self.records)

    async def _save_for_successors(self) -> None:
        if self._successors is not None:
            await self._successors.write(self.records)

    async def _poll(self) -> None:
        if self._replica is not None:
            await self._sync(self._replica)
            await self._wait_until_settled(self._replica)
            self._polls_at_start = 0 if self._settled_at is not None else max(self._polls_at_start - 1, 0)
            self.fresh_until = self._clock.monotonic() + MAX_AGE

    async def _sync(self, replica: DenyReplica, *, check: frozenset[str] = frozenset()) -> frozenset[str] | None:
        """Synchronize with the shared cache; return the parts that it did not have, or None if it is unavailable."""
        async with self._replica_lock:
            self.prune()
            corrected, received, has_lost = await replica.sync(check=check)
        if corrected is not None:
            self.synchronized_at = self._clock.monotonic()
        if self._settled_at is None and corrected is not None:
            self._settled_at = asyncio.get_running_loop().time() + (RESTORE_TIME if has_lost else 0.0)
        if received:
            self._on_received(received)
            self.run_in_background(self._save())
        return corrected

    async def _wait_until_settled(self, replica: DenyReplica) -> None:
        """Wait once for other processes to restore entries that the cache had lost when this process started.

        A process that starts after a flush would otherwise accept denied tokens until then.
        """
        wait = 0.0 if self._settled_at is None else self._settled_at - asyncio.get_running_loop().time()
        if wait > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), wait)
            await self._sync(replica)

    def _schedule(self, poll: asyncio.Task[None]) -> None:
        """Poll again later, so that a process without requests, too, restores what the shared cache has lost."""
        self._refreshing = None
        if not poll.cancelled() and (exc := poll.exception()) is not None:
            _logger.error("poll of the deny list failed unexpectedly", exc_info=exc)
        if self._timer is not None:
            self._timer.cancel()
        if not self._closed.is_set() and self._replica is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(
                _POLL_INTERVAL, lambda: self.run_in_background(self.refresh()), context=outside_requests()
            )
