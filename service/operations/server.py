"""Sockets, with limits set for an API, and an end that breaks no answer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import ssl
import sys
from collections.abc import AsyncIterator

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from service.web.application import Service

__all__ = ["run_until_stopped", "serving", "serving_admin", "tls_context"]

_logger = logging.getLogger(__name__)

MAX_HEADER_SIZE = 32 * 1024
"""Bytes; a token has at most 16 KiB."""
MAX_BODY_SIZE = 1024 * 1024
"""Bytes; Tornado would take 100 MB into memory for whoever asks."""
HEADER_TIMEOUT = 10.0
"""Seconds until the header must be there, and for which an idle connection is kept; Tornado waits an hour."""
BODY_TIMEOUT = 10.0
"""Seconds until the body must be there; Tornado waits for ever."""
STOP_TIMEOUT = 10.0
"""Seconds that requests in flight have left once the service is told to stop."""


@contextlib.asynccontextmanager
async def serving(
    service: Service, *, address: str, port: int, certfile: str | None = None, keyfile: str | None = None
) -> AsyncIterator[str]:
    """Serve while the block runs, and give it the URL; afterwards let requests in flight finish.

    Raises:
        OSError: The address cannot be bound, or the certificate cannot be read.
    """
    server, url = _listen(service, address=address, port=port, tls=tls_context(certfile, keyfile))
    try:
        yield url
    finally:
        server.stop()
        service.end_open()
        if not await service.finish_requests(within=STOP_TIMEOUT):
            _logger.warning("some requests were not answered within %.0f s and are cut off", STOP_TIMEOUT)
        await server.close_all_connections()
        await service.close()


@contextlib.asynccontextmanager
async def serving_admin(application: Application, *, address: str, port: int) -> AsyncIterator[str]:
    """Serve the admin port while the block runs, and give it the URL.

    Raises:
        OSError: The address cannot be bound.
    """
    server, url = _listen(application, address=address, port=port, tls=None)
    _logger.info("admin port at %s", url)
    try:
        yield url
    finally:
        server.stop()
        await server.close_all_connections()


def _listen(application: Application, *, address: str, port: int, tls: ssl.SSLContext | None) -> tuple[HTTPServer, str]:
    server = HTTPServer(
        application,
        ssl_options=tls,
        max_header_size=MAX_HEADER_SIZE,
        max_body_size=MAX_BODY_SIZE,
        idle_connection_timeout=HEADER_TIMEOUT,
        body_timeout=BODY_TIMEOUT,
    )
    sockets = bind_sockets(port, address)
    server.add_sockets(sockets)
    host = f"[{address}]" if ":" in address else address
    return server, f"{'http' if tls is None else 'https'}://{host}:{sockets[0].getsockname()[1]}"


async def run_until_stopped(service: Service, *, url: str) -> None:
    """Announce the URL, and return on SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    warm_up = loop.create_task(service.warm_up())
    print(f"listening on {url}", file=sys.stderr, flush=True)
    await stopped.wait()
    warm_up.cancel()
    _logger.info("stopping: no new connections, requests in flight have %.0f s", STOP_TIMEOUT)


def tls_context(certfile: str | None, keyfile: str | None) -> ssl.SSLContext | None:
    """Return what serves TLS with this certificate; None where there is none.

    Raises:
        OSError: The certificate or its key cannot be read, or they do not belong together.
    """
    if certfile is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certfile, keyfile)
    return context
