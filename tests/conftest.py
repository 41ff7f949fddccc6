"""Fixtures of all tests: the event loop, a manual clock, programs and WebSockets."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Generator, Iterator
from pathlib import Path

import pytest
from programs import LOG_PIPE_SIZE, Start, clean_environment
from tornado.httpclient import HTTPRequest
from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketClientConnection, websocket_connect

from service.binding import BindingCheck
from service.caches.deny_list import DenyList
from service.caches.shared import SharedCache, open_cache
from service.caches.tokens import ValidatedTokenCache
from service.clock import ManualClock


@pytest.fixture
def io_loop() -> Iterator[IOLoop]:
    """The event loop of one test, without the calls in pytest-tornado's fixture that Tornado has deprecated."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # pytest-tornado turns the coroutine into a task before it runs the loop
    io_loop = IOLoop(make_current=False, asyncio_loop=loop)
    yield io_loop
    # What a test leaves would be collected in a later test, whose log or result would show it.
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    io_loop.close(all_fds=True)
    asyncio.set_event_loop(None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failure in CI, where every program is installed."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped, and nothing may be skipped in CI: {report.longrepr}"
    return report


@pytest.fixture
def open_socket(io_loop: IOLoop) -> Iterator[Callable[..., Awaitable[WebSocketClientConnection]]]:
    """Return a function that opens a WebSocket at an HTTP URL; all are closed at the end."""
    opened: list[WebSocketClientConnection] = []

    async def opening(url: str, *subprotocols: str, **headers: str) -> WebSocketClientConnection:
        request = HTTPRequest(url.replace("http", "ws", 1), headers=headers)
        opened.append(await websocket_connect(request, subprotocols=list(subprotocols) or None))
        return opened[-1]

    yield opening
    for socket in opened:
        socket.close()


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    """Undo what a program of ours that ran in this process has configured, for the tests that follow."""
    root, general, client = map(logging.getLogger, (None, "tornado.general", "tornado.curl_httpclient"))
    before = root.handlers[:], root.level, general.filters[:], client.level
    yield
    root.handlers[:], general.filters[:] = before[0], before[2]
    root.setLevel(before[1])
    client.setLevel(before[3])


@pytest.fixture
def no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the variables of our programs, and work in an empty folder."""
    for name in os.environ.keys() - clean_environment().keys():
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment of a started program."""
    return clean_environment()


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts ``python -m`` with its arguments in an empty folder."""
    started: list[subprocess.Popen[str]] = []

    def popen(*arguments: str, **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=tmp_path,
            env=environment | {"PYTHONUNBUFFERED": "1"} | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pipesize=LOG_PIPE_SIZE,
            text=True,
        )
        started.append(process)
        return process

    yield popen
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def token_cache(clock: ManualClock) -> ValidatedTokenCache:
    return ValidatedTokenCache(clock=clock)


@pytest.fixture
def cache(clock: ManualClock) -> SharedCache:
    return open_cache("memory://", clock=clock)


@pytest.fixture
def binding(cache: SharedCache, clock: ManualClock) -> BindingCheck:
    return BindingCheck(cache, clock=clock)


@pytest.fixture
def deny_list(cache: SharedCache, clock: ManualClock) -> DenyList:
    return DenyList(cache, clock=clock)
