"""Listening sockets that are bound before the workers start, so that all of them share the sockets."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass

from tornado.netutil import bind_sockets

from service.operations.sockets.unix import SocketFile, bind_unix_socket
from service.settings.groups.limits import LimitSettings
from service.settings.groups.sockets import SocketSettings
from service.settings.types import unix_path
from service.urls import is_loopback

_BACKLOG: int = LimitSettings.model_fields["backlog"].default
_UNIX_MODE: int = int(SocketSettings.model_fields["unix_socket_mode"].default, 8)


@dataclass(frozen=True, kw_only=True, slots=True)
class BoundSockets:
    """Listening sockets and their URLs.

    Args:
        host: The host in the first URL; ``localhost`` for a Unix socket.
        urls: ``http://host:port``, or ``unix:/path``.
        tls: Whether TLS is to be served on them.
        file: The file of a Unix socket that this program has bound.
        is_shared: Whether systemd holds the sockets as well, and keeps them open after the program has ended.
    """

    sockets: list[socket.socket]
    urls: tuple[str, ...]
    host: str
    tls: bool = False
    file: SocketFile | None = None
    is_shared: bool = False

    @property
    def url(self) -> str:
        """The first URL."""
        return self.urls[0]

    @property
    def is_local(self) -> bool:
        """Whether only processes on this machine can connect."""
        return is_local(self.sockets)

    def close(self) -> None:
        """Close the sockets in this process, and remove the file of a Unix socket if this process has bound it.

        Other processes keep their copies of the sockets.
        """
        if self.file is not None:
            self.file.remove()  # before the socket is closed, since the system may use its inode again
        for bound_socket in self.sockets:
            bound_socket.close()


def bind(
    address: str, port: int, *, tls: bool = False, backlog: int = _BACKLOG, unix_mode: int = _UNIX_MODE
) -> BoundSockets:
    """Return listening sockets, which queue connections until they are served.

    Args:
        address: A host, or ``unix:/path``.
        port: 0 for any free port; unused for a Unix socket.
        tls: Whether TLS is to be served.
        backlog: The connections that wait to be accepted.
        unix_mode: The permissions of the file of a Unix socket.

    Raises:
        OSError: The address cannot be bound.
    """
    if (path := unix_path(address)) is not None:
        listening, file = bind_unix_socket(path, mode=unix_mode, backlog=backlog)
        return BoundSockets(sockets=[listening], urls=(f"unix:{path}",), host="localhost", tls=tls, file=file)
    try:
        sockets = bind_sockets(port, address, backlog=backlog)
    except OSError as exc:
        raise OSError(exc.errno, f"{_authority(address, port)}: {exc.strerror or exc}") from None
    url = f"{_scheme(tls=tls)}://{_authority(address, sockets[0].getsockname()[1])}"
    return BoundSockets(sockets=sockets, urls=(url,), host=address, tls=tls)


def adopt(sockets: Sequence[socket.socket], *, tls: bool = False) -> BoundSockets:
    """Return sockets that systemd listens on; the file of a Unix socket remains when they are closed.

    Args:
        tls: Whether TLS is to be served.
    """
    names = [each.getsockname() for each in sockets]
    hosts = ["localhost" if isinstance(name, str | bytes) else name[0] for name in names]
    urls = [_url_of(name, tls=tls) for name in names]
    return BoundSockets(sockets=list(sockets), urls=tuple(urls), host=hosts[0], tls=tls, is_shared=True)


def is_local(sockets: Sequence[socket.socket]) -> bool:
    """Return whether only processes on this machine can connect to any of these sockets."""
    return all(each.family == socket.AF_UNIX or is_loopback(each.getsockname()[0]) for each in sockets)


def _url_of(name: str | bytes | tuple[str, int], *, tls: bool) -> str:
    if isinstance(name, tuple):
        return f"{_scheme(tls=tls)}://{_authority(*name[:2])}"
    path = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    return f"unix:{path.replace(chr(0), '@', 1)}"  # the name of an abstract socket begins with a null character


def _scheme(*, tls: bool) -> str:
    return "https" if tls else "http"


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
