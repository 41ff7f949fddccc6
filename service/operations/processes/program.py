"""The program: binds the sockets and supervises the workers, or serves in this process."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from service.errors import SettingsError
from service.operations.logs import announce, configure_logging
from service.operations.processes.cpu_quota import usable_processors
from service.operations.processes.refusal import REFUSAL_TIME, refuse_connections
from service.operations.processes.signals import call_at_stop_signal, ignore_stop_signals
from service.operations.processes.supervision.supervisor import Program, Supervisor
from service.operations.processes.supervision.worker_process import Plan
from service.operations.processes.watched_files import WatchedFiles, secret_and_key_files
from service.operations.processes.worker import WorkerLife, run_worker
from service.operations.sockets.bound import BoundSockets
from service.operations.sockets.descriptors import raise_descriptor_limit
from service.operations.sockets.listeners import Listeners
from service.operations.sockets.notifier import Notifier
from service.operations.sockets.tls import TLSFiles
from service.settings.program import Settings

_logger = logging.getLogger(__name__)

_BOUND_AT_START = ("address", "port", "admin_address", "admin_port", "unix_socket_mode", "backlog")
"""The settings of the sockets, which the workers share."""


def run(settings: Settings, *, reload: Callable[[], Settings] | None = None) -> int:
    """Serve in worker processes until SIGINT or SIGTERM, and return the exit code.

    Args:
        reload: Reads the settings again, at SIGHUP or when a file of a secret has changed.

    Raises:
        SettingsError: The routes or the application, the certificate or an issuer's settings are invalid.
        OSError: An address cannot be bound, or the current folder does not exist any more.
    """
    Path.cwd()  # without a current folder, no worker can be started
    raise_descriptor_limit()
    notifier = Notifier.from_environment()
    configure_logging(log_format=settings.log_format, log_level=settings.log_level)
    if settings.tracing:
        from service.operations.logs.export import find_exporters  # noqa: PLC0415  # only for tracing

        find_exporters()
    TLSFiles.from_settings(settings)  # an error before the sockets are bound
    listeners = Listeners.open(settings)
    with contextlib.ExitStack() as stack:
        stack.callback(listeners.close)
        current = _Current(settings, listeners, handover_file=_open_temporary_files(settings, stack))
        program = Program(
            plan=current.make_plan(),
            reload=None if reload is None else functools.partial(current.reload, reload),
            watched_files=current.watched_files,
            prepare_reload=current.prepare_reload,
            announce=current.announce,
            refuse_connections=functools.partial(refuse_connections, listeners.public),
            close_sockets=listeners.close,
        )
        return Supervisor(program, notifier=notifier).run()


def _open_temporary_files(settings: Settings, stack: contextlib.ExitStack) -> Path | None:
    """Let the workers combine their metrics, and return the file in which they hand over deny entries, if needed.

    Raises:
        SettingsError: There is no writable temporary folder.
    """
    if not settings.has_admin_port:
        return None
    from service.operations.metrics.folder import multiprocess_metrics  # noqa: PLC0415  # only for the admin port

    try:
        stack.enter_context(multiprocess_metrics())
        if not settings.is_cache_local or settings.deny_list_file is not None:
            return None
        return Path(stack.enter_context(TemporaryDirectory(prefix="resource-server-"))) / "deny-list.json"
    except OSError as exc:
        problem = "admin_port: needs a temporary folder that is writable, such as /tmp or the one that TMPDIR names"
        raise SettingsError([f"{problem}: {exc.strerror}"]) from None


async def serve(settings: Settings, *, on_listening: Callable[[str], None] | None = None) -> None:
    """Serve in this process until SIGINT or SIGTERM; a second signal ends the process at once.

    Args:
        on_listening: Called with the URL before it is announced.

    Raises:
        SettingsError: The routes or the application, the certificate or an issuer's settings are invalid.
        OSError: An address cannot be bound.
    """
    from service.operations.processes.running import running  # noqa: PLC0415  # as below

    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    tls = TLSFiles.from_settings(settings)
    listeners = Listeners.open(settings)
    try:
        async with running(settings, listeners, tls) as served:
            call_at_stop_signal(loop, stopped.set)
            served.serve_admin()
            warm_up = loop.create_task(served.warm_up())
            if on_listening is not None:
                on_listening(listeners.public.url)
            _announce(listeners.public, settings)
            await stopped.wait()
            _logger.info("stopping, waiting for pending requests", extra={"timeout_s": settings.drain_timeout})
            warm_up.cancel()
            refuse_connections(listeners.public)
            await asyncio.sleep(REFUSAL_TIME)
    finally:
        ignore_stop_signals(loop)
        listeners.close()


class _Current:
    """The current settings of the supervised program, and what follows from them."""

    def __init__(self, settings: Settings, listeners: Listeners, *, handover_file: Path | None) -> None:
        self._settings = settings
        self._listeners = listeners
        self._handover_file = handover_file
        self._failing_checks: frozenset[str] = frozenset()

    def make_plan(self) -> Plan:
        """Return the plan for the current settings.

        Raises:
            SettingsError: The certificate cannot be used.
        """
        settings = self._settings
        serve = functools.partial(
            _serve_in_worker, settings, self._listeners, TLSFiles.from_settings(settings), self._handover_file
        )
        return Plan(
            work=functools.partial(run_worker, serve, settings),
            count=settings.processes or usable_processors(),
            limits=settings,
            has_admin=self._listeners.admin is not None,
        )

    def reload(self, read: Callable[[], Settings]) -> Plan:
        """Read the settings again, and return their plan.

        Raises:
            SettingsError: A setting is invalid, the certificate cannot be used, or a check fails.
        """
        from service.operations.doctor.host.reload import check_before_reload  # noqa: PLC0415  # as below

        before, self._settings = self._settings, read()
        try:
            plan = self.make_plan()
            self._failing_checks = check_before_reload(self._settings, failing=self._failing_checks)
        except SettingsError:
            self._settings = before
            raise
        for name in _BOUND_AT_START:
            if getattr(before, name) != getattr(self._settings, name):
                _logger.warning("the new value applies only after a restart", extra={"setting": name})
        configure_logging(log_format=self._settings.log_format, log_level=self._settings.log_level)
        return plan

    def watched_files(self) -> WatchedFiles:
        """Return the files of secrets and keys that the current settings name."""
        return WatchedFiles(secret_and_key_files(self._settings))

    def prepare_reload(self) -> None:
        """Note which checks fail already."""
        from service.operations.doctor.host.reload import failing_checks  # noqa: PLC0415  # the workers start first

        self._failing_checks = failing_checks(self._settings)

    def announce(self) -> None:
        """Print the URLs."""
        _announce(self._listeners.public, self._settings)


async def _serve_in_worker(
    settings: Settings,
    listeners: Listeners,
    tls: TLSFiles | None,
    handover_file: Path | None,
    number: int,
    life: WorkerLife,
) -> None:
    from service.operations.processes.running import running  # noqa: PLC0415  # the supervisor needs no handlers

    if settings.has_admin_port:
        from service.operations.metrics.processes import use_worker_number  # noqa: PLC0415  # only for the admin port

        use_worker_number(number)
    async with running(
        settings, listeners, tls, handover_file=handover_file, program_state=lambda: life.program
    ) as served:
        await life.run(served)
        if life.is_orphaned:
            refuse_connections(listeners.public)
            await asyncio.sleep(REFUSAL_TIME)


def _announce(bound: BoundSockets, settings: Settings) -> None:
    if settings.public_url is None and not bound.is_local:
        _logger.warning(
            "public_url is not set, so the protected resource metadata repeats the Host of each request",
            extra={"address": bound.host},
        )
    for url in bound.urls:
        announce(url)
