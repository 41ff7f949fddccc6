"""Checks the limits of the settings against those of the system, and the folders in which the service writes."""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

from service.caches.deny_file import DenyListFile
from service.clock import Clock
from service.errors import SettingsError
from service.operations.doctor.report import Finding, fail, ok, warn
from service.operations.metrics.folder import MULTIPROC_DIR_VARIABLE
from service.operations.sockets.descriptors import raise_descriptor_limit
from service.settings.program import Settings
from service.web.connections.server import MIN_SPARE_DESCRIPTORS, default_max_connections

_MIN_FREE = 4 << 20
"""Bytes; each process writes a few files of 64 KiB or more."""
_LOAD_BALANCER_IDLE = 60.0
"""Seconds for which common load balancers keep an idle connection to a server."""


def check_descriptors(settings: Settings) -> Finding:
    """Return whether a process may open a descriptor for each connection."""
    about = "file descriptors"
    raise_descriptor_limit()  # as the service does
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return ok(about, "no limit")
    wanted = settings.max_connections
    if wanted is None:
        return ok(about, f"{limit:,}, so max_connections is {default_max_connections(settings):,}")
    found = f"{limit:,}, for {wanted:,} connections"
    spare = MIN_SPARE_DESCRIPTORS + settings.health_check_connections + settings.admin_max_connections
    if wanted + spare <= limit:
        return ok(about, found)
    advice = (
        f"set max_connections to {max(1, limit - spare):,} at most, or raise the limit: LimitNOFILE= of systemd, "
        "--ulimit nofile= of a container, ulimit -Hn of a shell"
    )
    return fail(about, found, advice, expected=f"{spare} more descriptors than connections")


def check_limits(settings: Settings) -> Finding:
    """Return whether the limits suit each other and a load balancer."""
    about = "limits"
    found = (
        f"header {settings.max_header_size:,} bytes, body {settings.max_body_size:,} bytes, "
        f"token {settings.max_token_size:,} characters, idle connections {settings.keep_alive_timeout:g} s"
    )
    if settings.max_token_size >= settings.max_header_size:
        advice = "a token of max_token_size does not fit into the header; raise max_header_size"
        return warn(about, found, advice)
    if settings.keep_alive_timeout <= _LOAD_BALANCER_IDLE:
        advice = (
            "a load balancer may send a request on a connection that is closed just then, and respond 502; set "
            "keep_alive_timeout to more than its idle timeout, which is often 60 s"
        )
        return warn(about, found, advice)
    return ok(about, found)


def check_folders(settings: Settings, *, clock: Clock) -> Iterator[Finding]:
    """Yield whether the service can write where it has to."""
    if settings.deny_list_file is not None:
        yield _check_deny_list(settings.deny_list_file, clock=clock)
    if settings.has_admin_port:
        yield _check_metrics_folder()


def _check_deny_list(path: str, *, clock: Clock) -> Finding:
    about = "deny list file"
    try:
        records = DenyListFile(Path(path), clock=clock).read()
    except SettingsError as exc:
        return fail(about, str(exc), "the service does not start until this is fixed")
    free = os.statvfs(Path(path).resolve().parent).f_bavail
    if not free:
        return warn(about, f"{path}: its file system is full", "entries would be lost at a restart; make room there")
    return ok(about, f"{path}, with {len(records)} records")


def _check_metrics_folder() -> Finding:
    about = "metrics folder"
    named = os.environ.get(MULTIPROC_DIR_VARIABLE)
    try:
        folder = named or tempfile.gettempdir()
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as exc:
        where = f"{MULTIPROC_DIR_VARIABLE}: {named}" if named else "the temporary folder"
        advice = "create it, writable by this user" if named else "make /tmp writable, or set TMPDIR to another folder"
        return fail(about, f"{where}: {exc.strerror}", f"several processes write their metrics there: {advice}")
    status = os.statvfs(folder)
    if status.f_bavail * status.f_frsize < _MIN_FREE:
        advice = "make room there: a process that writes a metric to a full file system is killed"
        return warn(about, f"{folder}: less than {_MIN_FREE >> 20} MiB are free", advice)
    return ok(about, f"{folder}, which is writable")
