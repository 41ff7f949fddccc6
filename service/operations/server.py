"""Serves an application with the limits of an API, and stops without interrupting responses."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
from collections.abc import AsyncIterator, Callable

from tornado.web import Application

from service.operations.sockets.bound import BoundSockets
from service.operations.sockets.tls import TLSFiles
from service.operations.stop_signals import call_at_stop_signal
from service.settings.groups.limits import LimitSettings
from service.web.application.application import ResourceServerApplication
from service.web.application.protect import tracked
from service.web.connections.server import LimitedHTTPServer

_logger = logging.getLogger(__name__)

STOP_TIMEOUT = 10.0
"""Seconds that pending requests have when the service stops."""


@contextlib.asynccontextmanager
async def serving(
    service: ResourceServerApplication,
    bound: BoundSockets,
    *,
    limits: LimitSettings | None = None,
    tls: TLSFiles | None = None,
) -> AsyncIterator[str]:
    """Serve while the block runs and yield the URL; afterwards wait for pending requests.

    Args:
        service: The application, or the guard of the application to serve.
        limits: Those of the application by default.
    """
    server = LimitedHTTPServer(tracked(service), limits=limits or service.limits)
    if tls is not None:
        tls.serve_with(server)
    server.add_sockets(bound.sockets)
    try:
        yield bound.url
    finally:
        server.stop()
        service.close_long_lived()
        if not await service.finish_requests(within=STOP_TIMEOUT):
            _logger.warning("pending requests dropped", extra={"timeout_s": STOP_TIMEOUT})
        await server.close_all_connections()
        await service.close()


@contextlib.asynccontextmanager
async def serving_admin(
    application: Application, bound: BoundSockets, *, limits: LimitSettings, tls: TLSFiles | None = None
) -> AsyncIterator[None]:
    """Serve the admin port while the block runs; with TLS, it requests no client certificates.

    Args:
        limits: Those of the API, of which the admin port uses its own number of connections.
    """
    server = LimitedHTTPServer(application, limits=limits.of_admin_port())
    if tls is not None and bound.tls:
        tls.serve_with(server, client_certificates=False)
    server.add_sockets(bound.sockets)
    _logger.info("admin port listening", extra={"url": bound.url})
    try:
        yield
    finally:
        server.stop()
        await server.close_all_connections()


async def run_until_stopped(service: ResourceServerApplication, *, announce: Callable[[], None]) -> None:
    """Announce that the service listens, and return on SIGINT or SIGTERM, or when the parent process has exited."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    call_at_stop_signal(loop, stopped.set)
    if (parent := multiprocessing.parent_process()) is not None:
        loop.add_reader(parent.sentinel, stopped.set)  # a worker without a parent would never be stopped
    warm_up = loop.create_task(service.warm_up())
    announce()
    await stopped.wait()
    if parent is not None:
        loop.remove_reader(parent.sentinel)
    warm_up.cancel()
    _logger.info("stopping, waiting for pending requests", extra={"timeout_s": STOP_TIMEOUT})
