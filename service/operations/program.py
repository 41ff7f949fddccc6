"""The program: binds the sockets, starts the worker processes, and serves the API and the admin port."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import sys
from collections.abc import Callable
from dataclasses import replace

from service.clock import SystemClock
from service.operations.loading import load_service
from service.operations.logs import configure_logging
from service.operations.server import run_until_stopped, serving, serving_admin
from service.operations.sockets.bound import BoundSockets
from service.operations.sockets.descriptors import raise_descriptor_limit
from service.operations.sockets.listeners import Listeners
from service.operations.sockets.tls import TLSFiles
from service.operations.workers import cores, run_workers
from service.settings.program import Settings
from service.web.connections.trusted_proxies import TrustedProxies

_logger = logging.getLogger(__name__)


def run(settings: Settings) -> int:
    """Serve until SIGINT or SIGTERM, in the configured number of processes; return the exit code.

    Raises:
        SettingsError: The routes or the application, the certificate or an issuer's settings are invalid.
        OSError: An address cannot be bound.
    """
    configure_logging(log_format=settings.log_format, log_level=settings.log_level)
    raise_descriptor_limit()
    # Before an event loop opens descriptors, which could be those that systemd announces.
    with contextlib.closing(Listeners.open(settings)) as listeners:
        if settings.processes == 1:
            asyncio.run(_serve_alone(settings, listeners))
            return 0
        return _run_workers(settings, listeners)


async def serve(settings: Settings, *, on_listening: Callable[[str], None]) -> None:
    """Serve in this process until SIGINT or SIGTERM.

    Args:
        on_listening: Called with the URL before it is announced.

    Raises:
        SettingsError: The routes or the application, the certificate or an issuer's settings are invalid.
        OSError: An address cannot be bound.
    """
    with contextlib.closing(Listeners.open(settings)) as listeners:
        await _serve_alone(settings, listeners, on_listening=on_listening)


async def _serve_alone(
    settings: Settings, listeners: Listeners, *, on_listening: Callable[[str], None] = lambda _: None
) -> None:
    def announce() -> None:
        on_listening(listeners.public.url)
        _announce(listeners.public, settings)

    await _serve_at(listeners, settings, TLSFiles.from_settings(settings), announce=announce)


def _run_workers(settings: Settings, listeners: Listeners) -> int:
    asyncio.run(_check_startup(settings))
    tls = TLSFiles.from_settings(settings)
    with contextlib.ExitStack() as stack:
        if settings.has_admin_port:
            from service.operations.metrics import multiprocess_metrics  # noqa: PLC0415  # only for the admin port

            stack.enter_context(multiprocess_metrics())
        has_served = run_workers(
            functools.partial(_run_worker, settings, listeners, tls),
            count=settings.processes or cores(),
            announce=functools.partial(_announce, listeners.public, settings),
            at_stop=listeners.close,
        )
    return 0 if has_served else 1


def _announce(bound: BoundSockets, settings: Settings) -> None:
    if settings.public_url is None and not bound.is_local:
        _logger.warning(
            "public_url is not set, so the protected resource metadata repeats the Host of each request",
            extra={"address": bound.host},
        )
    for url in bound.urls:
        print(f"listening on {url}", file=sys.stderr, flush=True)


async def _check_startup(settings: Settings) -> None:
    """Raise a start error once, here, instead of once in each worker."""
    service = await load_service(settings)
    await service.close()


def _run_worker(
    settings: Settings, listeners: Listeners, tls: TLSFiles | None, number: int, announce: Callable[[], None]
) -> None:
    """Serve in a worker process; only the first has the admin port, and the shared cache informs the others."""
    if number > 0 and listeners.admin is not None:
        listeners.admin.close()  # an open socket that is not served would accept connections without a response
        listeners = replace(listeners, admin=None)
    if settings.has_admin_port:
        from service.operations.metrics import use_worker_id  # noqa: PLC0415  # only for the admin port

        use_worker_id(number)
    asyncio.run(_serve_at(listeners, settings, tls, announce=announce))


async def _serve_at(
    listeners: Listeners, settings: Settings, tls: TLSFiles | None, *, announce: Callable[[], None]
) -> None:
    log = configure_logging(log_format=settings.log_format, log_level=settings.log_level)
    metrics = None
    if settings.has_admin_port:
        from service.operations.metrics import Metrics  # noqa: PLC0415  # only for the admin port

        metrics = Metrics()
    service = await load_service(settings, instrumentation=metrics, access_log=log.log_response)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(log.flush)
        if tls is not None:
            await stack.enter_async_context(tls.watched(interval=settings.certificate_check_interval))
        if listeners.admin is not None and metrics is not None:
            from service.operations.admin.application import make_admin_app  # noqa: PLC0415  # as above
            from service.operations.admin.hosts import ForeignHost  # noqa: PLC0415  # as above

            admin = make_admin_app(
                service.deny_list,
                clock=SystemClock(),
                tokens=settings.operator_tokens,
                metrics=metrics,
                check_ready=service.authenticators.check_ready,
                foreign_host=ForeignHost(listeners.admin.host, settings.admin_hosts),
                trusted_proxies=TrustedProxies(settings.trusted_proxies) if settings.trusted_proxies else None,
            )
            await stack.enter_async_context(serving_admin(admin, listeners.admin, limits=settings, tls=tls))
            if not listeners.admin.tls and not listeners.admin.is_local:
                _logger.warning(
                    "the admin port is reachable without TLS, so its token can be read on the network; "
                    "set certfile and keyfile, or a loopback admin_address",
                    extra={"url": listeners.admin.url},
                )
        await stack.enter_async_context(serving(service, listeners.public, limits=settings, tls=tls))
        await run_until_stopped(service, announce=announce)
