"""What one process serves: the application, and the admin port if it is this process's turn."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.caches.deny_file import DenyListFile
from service.clock import SystemClock
from service.operations.loading import load_service
from service.operations.logs import configure_logging
from service.operations.logs.export import exporting
from service.operations.processes.deny_handover import FollowedDenyFile
from service.operations.processes.drain import draining, make_server
from service.operations.processes.supervision.link import ProgramState
from service.operations.sockets.listeners import Listeners
from service.operations.sockets.tls import TLSFiles
from service.settings.program import Settings
from service.web.application.application import ResourceServerApplication
from service.web.connections.server import LimitedHTTPServer
from service.web.connections.trusted_proxies import TrustedProxies

if TYPE_CHECKING:
    from service.operations.metrics.metrics import Metrics

_logger = logging.getLogger(__name__)

_ADMIN_DRAIN_TIMEOUT = 1.0
"""Seconds."""


class RunningService:
    """The servers of one process.

    Args:
        metrics: What the admin port shows; None if it is off.
        program_state: Returns what the supervisor knows of all workers; None without supervisor, or not yet.
    """

    def __init__(
        self,
        settings: Settings,
        listeners: Listeners,
        *,
        service: ResourceServerApplication,
        server: LimitedHTTPServer,
        tls: TLSFiles | None,
        metrics: Metrics | None,
        program_state: Callable[[], ProgramState | None],
    ) -> None:
        self.service = service
        self._settings = settings
        self._listeners = listeners
        self._server = server
        self._tls = tls
        self._metrics = metrics
        self._program_state = program_state
        self._admin: LimitedHTTPServer | None = None

    @property
    def requests(self) -> int:
        """The number of requests so far."""
        return self._server.requests

    @property
    def missing_keys(self) -> frozenset[str]:
        """The issuers whose keys are not there."""
        return frozenset(each.issuer for each in self.service.health.issuers() if each.keys == "none")

    async def warm_up(self) -> None:
        """Fetch what the first requests need."""
        await self.service.warm_up()

    def serve_admin(self) -> None:
        """Serve the admin port, if it is on."""
        bound, settings = self._listeners.admin, self._settings
        if bound is None or self._metrics is None or self._admin is not None:
            return
        from service.operations.admin.application import make_admin_app  # noqa: PLC0415  # only for the admin port
        from service.operations.admin.hosts import ForeignHost  # noqa: PLC0415  # as above

        application = make_admin_app(
            self.service.deny_list,
            clock=SystemClock(),
            tokens=settings.operator_tokens,
            metrics=self._metrics,
            health=self.service.health,
            foreign_host=ForeignHost(bound.host, settings.admin_hosts),
            trusted_proxies=TrustedProxies(settings.trusted_proxies) if settings.trusted_proxies else None,
            workers=self._describe_workers,
        )
        self._admin = LimitedHTTPServer(application, limits=settings.of_admin_port())
        if self._tls is not None and bound.tls:
            self._tls.serve_with(self._admin, client_certificates=False)
        self._admin.add_sockets(bound.sockets)
        _logger.info("admin port listening", extra={"url": bound.url})
        if not bound.tls and not bound.is_local:
            _logger.warning(
                "the admin port is reachable without TLS, so its token can be read on the network; "
                "set certfile and keyfile, or a loopback admin_address",
                extra={"url": bound.url},
            )

    def _describe_workers(self) -> list[dict[str, Any]] | None:
        program = self._program_state()
        return None if program is None else [asdict(worker) for worker in program.workers]

    def stop_admin(self) -> None:
        """Accept no connection at the admin port any more, since another worker does."""
        if self._admin is not None:
            self._admin.stop()

    async def close_admin(self) -> None:
        """End the connections of the admin port."""
        if self._admin is not None:
            await self._admin.drain(within=_ADMIN_DRAIN_TIMEOUT)
            await self._admin.close_all_connections()


@contextlib.asynccontextmanager
async def running(
    settings: Settings,
    listeners: Listeners,
    tls: TLSFiles | None,
    *,
    handover_file: Path | None = None,
    program_state: Callable[[], ProgramState | None] = lambda: None,
) -> AsyncIterator[RunningService]:
    """Serve the application while the block runs, and drain afterwards.

    Args:
        handover_file: The file of deny entries for the workers that run before and after this one, or None.
        program_state: Returns what the supervisor knows of all workers; None without supervisor, or not yet.

    Raises:
        SettingsError: The routes or the application, the certificate or an issuer's settings are invalid.
    """
    log = configure_logging(log_format=settings.log_format, log_level=settings.log_level)
    metrics: Any = None
    if settings.has_admin_port:
        from service.operations.metrics.metrics import Metrics  # noqa: PLC0415  # only for the admin port

        metrics = Metrics(restarts=lambda: {} if (program := program_state()) is None else program.restarts)
    service = await load_service(settings, instrumentation=metrics, access_log=log.log_response)
    server = make_server(service, limits=settings)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(log.flush)
        await stack.enter_async_context(exporting(is_on=settings.tracing))
        if handover_file is not None:
            following = FollowedDenyFile(service.deny_list, DenyListFile(handover_file, clock=SystemClock()))
            stack.callback(asyncio.ensure_future(following.run()).cancel)
        if tls is not None:
            tls.serve_with(server)
            await stack.enter_async_context(tls.watched(interval=settings.file_check_interval))
        if metrics is not None:
            await stack.enter_async_context(_published(metrics, service, server, tls))
        served = RunningService(
            settings,
            listeners,
            service=service,
            server=server,
            tls=tls,
            metrics=metrics,
            program_state=program_state,
        )
        stack.push_async_callback(served.close_admin)
        await stack.enter_async_context(draining(service, server, within=settings.drain_timeout))
        server.add_sockets(listeners.public.sockets)
        yield served


def _published(
    metrics: Metrics, service: ResourceServerApplication, server: LimitedHTTPServer, tls: TLSFiles | None
) -> contextlib.AbstractAsyncContextManager[None]:
    """Publish the state of this process as metrics while the block runs."""
    from service.operations.metrics.state import StateMetrics  # noqa: PLC0415  # only for the admin port

    return StateMetrics(
        metrics.registry,
        service.health,
        connections=lambda: server.connection_counts,
        monitored_tokens=lambda: len(service.monitor),
        certificate_expiry=None if tls is None else lambda: tls.not_after,
    ).published()
