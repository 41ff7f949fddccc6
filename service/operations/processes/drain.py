"""Serves an application, and stops without interrupting requests."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import AsyncIterator

from service.operations.sockets.bound import BoundSockets
from service.operations.sockets.tls import TLSFiles
from service.settings.groups.limits import LimitSettings
from service.settings.groups.processes import ProcessSettings
from service.web.application.application import ResourceServerApplication
from service.web.application.protect import tracked
from service.web.connections.server import LimitedHTTPServer

_logger = logging.getLogger(__name__)

_DRAIN_TIMEOUT: float = ProcessSettings.model_fields["drain_timeout"].default


def make_server(service: ResourceServerApplication, *, limits: LimitSettings | None = None) -> LimitedHTTPServer:
    """Return the server of an application, or of the application that it guards.

    Args:
        limits: Those of the application by default.
    """
    return LimitedHTTPServer(tracked(service), limits=limits or service.limits)


@contextlib.asynccontextmanager
async def draining(
    service: ResourceServerApplication, server: LimitedHTTPServer, *, within: float
) -> AsyncIterator[None]:
    """Serve while the block runs; afterwards end each connection with its next response, and close the application.

    Args:
        within: Seconds until the requests in progress are dropped.
    """
    try:
        yield
    finally:
        deadline = time.monotonic() + within
        service.health.is_draining = True
        service.close_long_lived()
        is_finished = await server.drain(within=within)
        if not await service.finish_requests(within=max(0.0, deadline - time.monotonic())) or not is_finished:
            _logger.warning("pending requests dropped", extra={"timeout_s": within})
        await server.close_all_connections()
        await service.close()


@contextlib.asynccontextmanager
async def serving(
    service: ResourceServerApplication,
    bound: BoundSockets,
    *,
    limits: LimitSettings | None = None,
    tls: TLSFiles | None = None,
    drain_timeout: float = _DRAIN_TIMEOUT,
) -> AsyncIterator[str]:
    """Serve at these sockets while the block runs and yield their URL; afterwards drain."""
    server = make_server(service, limits=limits)
    if tls is not None:
        tls.serve_with(server)
    async with draining(service, server, within=drain_timeout):
        server.add_sockets(bound.sockets)
        yield bound.url
