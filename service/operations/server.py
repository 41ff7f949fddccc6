"""Serves an application with the limits of an API, and stops without interrupting responses."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from tornado.web import Application

from service.errors import SettingsError
from service.operations.sockets import BoundSockets
from service.operations.stop_signals import call_at_stop_signal
from service.settings.files import show_path
from service.settings.groups.limits import LimitSettings
from service.web.application.application import ResourceServerApplication
from service.web.application.protect import tracked
from service.web.connections.server import LimitedHTTPServer

_logger = logging.getLogger(__name__)

STOP_TIMEOUT = 10.0
"""Seconds that pending requests have when the service stops."""
_ADMIN_CONNECTIONS = 8
"""Few, since the API leaves their descriptors free."""


@contextlib.asynccontextmanager
async def serving(
    service: ResourceServerApplication,
    bound: BoundSockets,
    *,
    limits: LimitSettings | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[str]:
    """Serve while the block runs and yield the URL; afterwards wait for pending requests.

    Args:
        service: The application, or the guard of the application to serve.
        limits: Those of the application by default.
    """
    server = LimitedHTTPServer(tracked(service), limits=limits or service.limits, ssl_options=tls)
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
    application: Application, bound: BoundSockets, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[None]:
    """Serve the admin port while the block runs."""
    server = LimitedHTTPServer(application, limits=LimitSettings(max_connections=_ADMIN_CONNECTIONS), ssl_options=tls)
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


def tls_context(certfile: str | None, keyfile: str | None, *, client_ca: str | None = None) -> ssl.SSLContext | None:
    """Return the TLS context for a certificate, or None without one.

    Args:
        client_ca: The CA certificates of client certificates, which are optional; None to request none.

    Raises:
        SettingsError: The certificate or its key cannot be read, or they do not match.
    """
    if certfile is None:
        return None
    for name, path in (("certfile", certfile), ("keyfile", keyfile or certfile)):
        try:
            Path(path).read_bytes()
        except (OSError, ValueError) as exc:  # ValueError: the path contains a null character
            reason = getattr(exc, "strerror", None) or "no such file"
            raise SettingsError([f"{name}: {show_path(path)}: {reason}"]) from None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # Without a password of ours, OpenSSL would prompt for that of an encrypted key.
        context.load_cert_chain(certfile, keyfile, password=b"")
    except (OSError, ValueError):
        problem = (
            f"certfile: {certfile} and keyfile: {keyfile} are not a certificate and its private key; "
            "expected both in PEM, the key without a password"
        )
        raise SettingsError([problem]) from None
    if client_ca is not None:
        context.load_verify_locations(cafile=client_ca)  # the settings have checked that it can be read
        context.verify_mode = ssl.CERT_OPTIONAL  # health checks and bearer tokens need none
    return context
