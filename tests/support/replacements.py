"""What replaces or stops the workers of a program while clients send requests."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

from keep_alive_load import KeepAliveLoad
from supervised import LIMIT_S, Supervised

Action = Callable[[Supervised, KeepAliveLoad], Awaitable[None]]


async def under_load(program: Supervised, act: Action, load: KeepAliveLoad, *, begin: float) -> KeepAliveLoad:
    """Act while the clients send requests, and return them once each has finished its last one.

    Args:
        begin: Seconds of requests before something happens.
    """
    clients = asyncio.ensure_future(load.run())
    await asyncio.sleep(begin)
    await act(program, load)
    load.stop()
    await clients
    return load


async def until(holds: Callable[[], object]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(LIMIT_S):
        while not holds():  # noqa: ASYNC110  # a process has no event
            await asyncio.sleep(0.02)


async def reload(program: Supervised, _load: KeepAliveLoad) -> None:
    before = program.workers()
    program.signal(signal.SIGHUP)
    await until(lambda: "reload finished" in program.log and not program.workers() & before)


async def drain_each(program: Supervised, _load: KeepAliveLoad) -> None:
    before = program.workers()
    for worker in sorted(before):
        os.kill(worker, signal.SIGTERM)
        await until(lambda worker=worker: worker not in program.workers())  # type: ignore[misc]  # no annotation
    await until(lambda: len(program.workers() - before) == 2)


async def drain(program: Supervised, load: KeepAliveLoad) -> None:
    program.signal(signal.SIGTERM)
    await until(lambda: load.tally.refused == 64)
