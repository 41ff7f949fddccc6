"""Clients that keep their connections and repeat no request lose none, whatever replaces or stops the workers."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from keep_alive_load import KeepAliveLoad
from programs import Start
from replacements import Action, drain, drain_each, reload, under_load, until
from supervised import Supervised

from service.web.connections import registry

_OPTIONS = (
    "service",
    "--processes",
    "2",
    "--port",
    "0",
    "--issuer",
    "http://127.0.0.1:9",
    "--audience",
    "api://default",
)
_BEGIN = 0.3
"""Seconds before something happens."""


async def _retire(program: Supervised, load: KeepAliveLoad) -> None:
    before = program.workers()
    await until(lambda: not program.workers() & before)


async def _stop_all_processes(program: Supervised, load: KeepAliveLoad) -> None:
    """As systemd does with ``KillMode=control-group``, and a terminal at Ctrl-C."""
    for pid in (*program.workers(), program.process.pid):
        os.kill(pid, signal.SIGTERM)
    await until(lambda: load.tally.refused == 64)


async def _kill_supervisor(program: Supervised, load: KeepAliveLoad) -> None:
    program.process.kill()
    await until(lambda: load.tally.refused == 64)


@pytest.mark.parametrize(
    ("act", "setting"),
    [
        (reload, {}),
        (_retire, {"SERVICE_MAX_REQUESTS": "300"}),
        (drain_each, {}),
        (drain, {}),
        (_stop_all_processes, {}),
        (_kill_supervisor, {}),
    ],
    ids=["reload", "retirement", "drain of each worker", "drain", "signal to all processes", "death of the supervisor"],
)
def test_no_request_is_lost(act: Action, setting: dict[str, str], start: Start) -> None:
    program = Supervised(start(*_OPTIONS, **setting))
    program.wait_for_workers(2)
    load = asyncio.run(under_load(program, act, KeepAliveLoad(program.port), begin=_BEGIN))
    assert "lost 0" in str(load.tally), f"{load.tally}\n{program.log[-3000:]}"
    assert load.tally.sent > 100
    assert load.tally.announced >= 1
    assert {200} == set(load.tally.statuses)
    if act is not _kill_supervisor:
        if load.tally.refused == 0:
            program.signal(signal.SIGTERM)
        assert 0 == program.wait()
    assert "Traceback" not in program.log


def test_a_killed_worker_loses_only_the_requests_inside_it(start: Start) -> None:
    inside = 0

    async def kill(program: Supervised, load: KeepAliveLoad) -> None:
        nonlocal inside
        before = program.workers()
        inside = load.tally.sent - load.tally.answered
        os.kill(max(before), signal.SIGKILL)
        await until(lambda: len(program.workers() - {max(before)}) == 2)

    program = Supervised(start(*_OPTIONS))
    program.wait_for_workers(2)
    load = asyncio.run(under_load(program, kill, KeepAliveLoad(program.port), begin=_BEGIN))
    # The worker dies a few milliseconds after the signal, in which it gets some of a thousand requests a second.
    assert sum(load.tally.lost.values()) <= inside + 16, load.tally
    assert max(load.tally.lost_by_client.values(), default=0) <= 1, load.tally
    assert load.tally.refused == 0


def test_idle_connections_are_closed_and_the_program_ends(start: Start) -> None:
    async def idle() -> None:
        load = KeepAliveLoad(program.port, clients=8, rate=8.0)
        clients = asyncio.ensure_future(load.run())
        await until(lambda: load.tally.answered == 8)
        await asyncio.sleep(registry._IDLE_TIME)
        load.stop()
        program.signal(signal.SIGTERM)
        await clients
        assert "lost 0" in str(load.tally)

    program = Supervised(start(*_OPTIONS))
    asyncio.run(idle())
    assert 0 == program.wait()
