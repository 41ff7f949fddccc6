"""Unix sockets: the file of a process that has died is replaced, and that of one that lives is left alone."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LOCK_ATTEMPTS = 100
_LOCK_PAUSE = 0.02
"""Seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SocketFile:
    """The file of a Unix socket, which the process that has bound it removes.

    Args:
        identity: Device, inode and time of creation; another process may have replaced the file.
        owner: The ID of the process.
    """

    path: str
    identity: tuple[int, int, int]
    owner: int

    def remove(self) -> None:
        """Remove the file, unless it belongs to another process by now, or this process is not the owner."""
        if os.getpid() != self.owner:
            return
        with _lock(Path(self.path).parent), contextlib.suppress(OSError):
            if _identify(self.path) == self.identity:
                Path(self.path).unlink()


def bind_unix_socket(path: str, *, mode: int, backlog: int) -> tuple[socket.socket, SocketFile]:
    """Return a listening socket and its file.

    Args:
        mode: The permissions of the file.

    Raises:
        OSError: Another process listens there, or the file cannot be created; ``strerror`` names the path.
    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _lock(Path(path).parent):
            _remove_stale(path)
            listening.bind(path)
            # Before `listen`, connections are refused, so none is made with wider permissions.
            Path(path).chmod(mode)
            listening.settimeout(0)
            listening.listen(backlog)
            return listening, SocketFile(path=path, identity=_identify(path), owner=os.getpid())
    except OSError as exc:
        listening.close()
        if exc.filename is None and str(path) in str(exc.strerror):
            raise
        raise OSError(exc.errno, f"unix:{path}: {exc.strerror or exc}") from None


def _remove_stale(path: str) -> None:
    """Remove the file of a socket on which no process listens.

    Raises:
        OSError: The file is in use, or is not a socket.
    """
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(status.st_mode):
        raise OSError(errno.EEXIST, f"unix:{path}: the file exists and is not a socket; remove it")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink()
            return
        except BlockingIOError:
            pass  # the queue of a process that listens is full
    raise OSError(errno.EADDRINUSE, f"unix:{path}: another process listens there")


def _identify(path: str) -> tuple[int, int, int]:
    status = os.lstat(path)
    return status.st_dev, status.st_ino, status.st_mtime_ns


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, so that of two programs that start at once, one does not remove the other's file.

    Without the permission, or if another program keeps the lock, go on without it.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            for _ in range(_LOCK_ATTEMPTS):
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    time.sleep(_LOCK_PAUSE)
        yield
