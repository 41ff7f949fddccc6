"""Checks whether the address of the service can be bound, or what listens there."""

from __future__ import annotations

import asyncio
import errno
import json
import socket
import ssl
import urllib.request

from service.operations.doctor.report import Finding, fail, ok, warn
from service.operations.start_errors import explain
from service.settings.program import Settings
from service.settings.types import unix_path

_TIMEOUT = 2.0
"""Seconds."""
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # compared with, not listened on


async def check_port(settings: Settings) -> Finding:
    """Return whether the address and the port are free, or a service runs there already."""
    about, address, port = "address", settings.address, settings.port
    if unix_path(address) is not None:
        return ok(about, address)  # to bind it would replace the file of a socket
    try:
        _bind(address, port)
    except OSError as exc:
        found, advice = explain(exc)
        if exc.errno != errno.EADDRINUSE:
            return fail(about, found, advice)
        if await asyncio.to_thread(_is_alive, settings):
            return ok(about, f"{address}:{port}, where a service runs already")
        return warn(about, found, advice)
    return ok(about, f"{address}:{port}, which is free" if port else f"{address}, any free port")


def _bind(address: str, port: int) -> None:
    """Bind each address of a host for a moment, as the service would.

    Raises:
        OSError: One cannot be bound.
    """
    host = f"[{address}]" if ":" in address else address
    try:
        for family, kind, protocol, _, name in socket.getaddrinfo(
            address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            with socket.socket(family, kind, protocol) as bound:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                bound.bind(name)
    except OSError as exc:
        raise OSError(exc.errno, f"{host}:{port}: {exc.strerror}") from None


def _is_alive(settings: Settings) -> bool:
    """Return whether a service of this kind responds there."""
    host = _LOOPBACK.get(settings.address, settings.address)
    authority = f"{f'[{host}]' if ':' in host else host}:{settings.port}"
    # Unverified, since only the health of our own machine is read, and the certificate names another host.
    context = ssl._create_unverified_context()  # noqa: S323, SLF001  # as above
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    scheme = "http" if settings.certfile is None else "https"
    try:
        with opener.open(f"{scheme}://{authority}/healthz", timeout=_TIMEOUT) as response:
            return bool(json.loads(response.read(1024))["status"] == "alive")
    except (OSError, ValueError, KeyError, TypeError):
        return False
