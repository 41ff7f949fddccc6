"""The program: binds the sockets, starts the worker processes, and serves the API and the admin port."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from service.clock import SystemClock
from service.operations.loading import load_service
from service.operations.logs import announce as announce_listening
from service.operations.logs import configure_logging, exporting, find_exporters
from service.operations.server import run_until_stopped, serving, serving_admin, tls_context
from service.operations.sockets import BoundSockets, bind
from service.operations.workers import cores, run_workers
from service.settings.program import Settings
from service.urls import is_loopback, is_secure

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Listeners:
    """The sockets of the API and of the admin port, if it is on."""

    public: BoundSockets
    admin: BoundSockets | None = None

    @classmethod
    def bind(cls, settings: Settings) -> _Listeners:
        public = bind(settings.address, settings.port, tls=settings.certfile is not None)
        admin = None
        if settings.admin_port is not None:
            admin = bind(settings.admin_address, settings.admin_port, tls=settings.admin_has_tls)
        return cls(public=public, admin=admin)

    def close(self) -> None:
        self.public.close()
        if self.admin is not None:
            self.admin.close()


def run(settings: Settings) -> int:
    """Serve until SIGINT or SIGTERM, in the configured number of processes; return the exit code.

    Raises:
        SettingsError: The routes or the application, the certificate or an issuer's settings are invalid.
        OSError: An address cannot be bound.
    """
    configure_logging(log_format=settings.log_format, log_level=settings.log_level)
    if settings.processes == 1:
        asyncio.run(serve(settings))
        return 0
    asyncio.run(_check_startup(settings))
    listeners = _Listeners.bind(settings)
    with contextlib.ExitStack() as stack:
        if settings.admin_port is not None:
            from service.operations.metrics import multiprocess_metrics  # noqa: PLC0415  # only for the admin port

            stack.enter_context(multiprocess_metrics())
        has_served = run_workers(
            functools.partial(_run_worker, settings, listeners),
            count=settings.processes or cores(),
            announce=functools.partial(_announce, listeners.public.url, settings),
            at_stop=listeners.close,
        )
    return 0 if has_served else 1


async def serve(settings: Settings, *, on_listening: Callable[[str], None] | None = None) -> None:
    """Serve in this process until SIGINT or SIGTERM.

    Args:
        on_listening: Called with the URL before it is announced.

    Raises:
        SettingsError: The routes or the application, the certificate or an issuer's settings are invalid.
        OSError: An address cannot be bound.
    """
    listeners = _Listeners.bind(settings)

    def announce() -> None:
        if on_listening is not None:
            on_listening(listeners.public.url)
        _announce(listeners.public.url, settings)

    await _serve_at(listeners, settings, announce=announce)


def _announce(url: str, settings: Settings) -> None:
    if settings.public_url is None and not is_loopback(settings.address):
        _logger.warning(
            "public_url is not set, so the protected resource metadata repeats the Host of each request",
            extra={"address": settings.address},
        )
    announce_listening(url)


async def _check_startup(settings: Settings) -> None:
    """Raise a start error once, here, instead of once in each worker."""
    tls_context(settings.certfile, settings.keyfile, client_ca=settings.client_ca)
    service = await load_service(settings)
    await service.close()
    if settings.tracing:
        find_exporters()


def _run_worker(settings: Settings, listeners: _Listeners, number: int, announce: Callable[[], None]) -> None:
    """Serve in a worker process; only the first has the admin port, and the shared cache informs the others."""
    if number > 0 and listeners.admin is not None:
        listeners.admin.close()  # an open socket that is not served would accept connections without a response
        listeners = replace(listeners, admin=None)
    if settings.admin_port is not None:
        from service.operations.metrics import use_worker_id  # noqa: PLC0415  # only for the admin port

        use_worker_id(number)
    asyncio.run(_serve_at(listeners, settings, announce=announce))


async def _serve_at(listeners: _Listeners, settings: Settings, *, announce: Callable[[], None]) -> None:
    log = configure_logging(log_format=settings.log_format, log_level=settings.log_level)
    tls = tls_context(settings.certfile, settings.keyfile, client_ca=settings.client_ca)
    metrics = None
    if settings.admin_port is not None:
        from service.operations.metrics import Metrics  # noqa: PLC0415  # only for the admin port

        metrics = Metrics()
    service = await load_service(settings, instrumentation=metrics, access_log=log.log_response)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(log.flush)
        await stack.enter_async_context(exporting(is_on=settings.tracing))
        if listeners.admin is not None and metrics is not None:
            from service.operations.admin import make_admin_app  # noqa: PLC0415  # as above
            from service.operations.admin_hosts import ForeignHost  # noqa: PLC0415  # as above

            admin = make_admin_app(
                service.deny_list,
                clock=SystemClock(),
                token=settings.admin_secret,
                metrics=metrics,
                check_ready=service.authenticators.check_ready,
                foreign_host=ForeignHost(settings.admin_address, settings.admin_hosts),
            )
            admin_tls = tls_context(settings.certfile, settings.keyfile) if settings.admin_has_tls else None
            await stack.enter_async_context(serving_admin(admin, listeners.admin, tls=admin_tls))
            if not is_secure(listeners.admin.url):
                _logger.warning(
                    "the admin port is reachable without TLS, so its token can be read on the network; "
                    "set certfile and keyfile, or a loopback admin_address",
                    extra={"url": listeners.admin.url},
                )
        await stack.enter_async_context(serving(service, listeners.public, limits=settings, tls=tls))
        await run_until_stopped(service, announce=announce)
