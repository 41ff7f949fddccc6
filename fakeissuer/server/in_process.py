"""A fake issuer in this process: ``with running() as issuer:``, or ``async with`` on the caller's own event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any

from fakeissuer.server.running_issuer import RunningIssuer
from fakeissuer.server.serving import ServingIssuer, ServingOptions


class _IssuerContext:
    def __init__(self, options: ServingOptions) -> None:
        self._options = options
        self._thread = ExitStack()
        self._tasks = AsyncExitStack()

    def __enter__(self) -> RunningIssuer:
        return self._thread.enter_context(_on_a_thread(self._options))

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._thread.close()

    async def __aenter__(self) -> RunningIssuer:
        return await self._tasks.enter_async_context(_on_this_loop(self._options))

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._tasks.aclose()


def running(**options: Any) -> _IssuerContext:
    """Return a context manager that runs a fake issuer for the duration of its block.

    ``with`` serves it on a separate thread with its own event loop, ``async with`` on the running event loop.
    The options are those of ``ServingOptions``: ``port``, ``address``, ``public_url`` and so on; the default is a free
    port on 127.0.0.1.

    Raises:
        SettingsError: an option is invalid.
    """
    return _IssuerContext(ServingOptions(**options))


@asynccontextmanager
async def _on_this_loop(options: ServingOptions) -> AsyncIterator[RunningIssuer]:
    serving = ServingIssuer(options)
    try:
        serving.start()
        yield RunningIssuer(serving.control, asyncio.get_running_loop())
    finally:
        await serving.stop()


@contextmanager
def _on_a_thread(options: ServingOptions) -> Iterator[RunningIssuer]:
    serving = ServingIssuer(options)  # on this thread, so that a SettingsError reaches the caller
    started: Future[tuple[RunningIssuer, Callable[[], object]]] = Future()
    # A daemon thread does not delay the exit of an interrupted test run.
    thread = threading.Thread(target=lambda: asyncio.run(_serve(serving, started)), name="fakeissuer", daemon=True)
    thread.start()
    issuer, stop = started.result()
    try:
        yield issuer
    finally:
        stop()
        thread.join()


async def _serve(serving: ServingIssuer, started: Future[tuple[RunningIssuer, Callable[[], object]]]) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    try:
        serving.start()
    except BaseException as exc:  # noqa: BLE001  # raised again in the thread that waits for the start
        started.set_exception(exc)
    else:
        started.set_result((RunningIssuer(serving.control, loop), lambda: loop.call_soon_threadsafe(stopping.set)))
        await stopping.wait()
    finally:
        await serving.stop()
