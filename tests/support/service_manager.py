"""A process that acts as systemd: it listens for a service, hands over the sockets, and reads its messages."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from programs import LOG_PIPE_SIZE

_TIMEOUT = 30
"""Seconds."""
_LAUNCHER = """
import fcntl, json, os, sys
descriptors, arguments = json.loads(sys.argv[1])
copies = [fcntl.fcntl(each, fcntl.F_DUPFD, 100) for each in descriptors]  # one may be in the place of another
for number, copy in enumerate(copies, start=3):
    os.dup2(copy, number, inheritable=True)
    os.close(copy)
if descriptors:
    os.environ["LISTEN_PID"] = os.environ.get("LISTEN_PID") or str(os.getpid())
if "WATCHDOG_USEC" in os.environ:
    os.environ["WATCHDOG_PID"] = str(os.getpid())
os.execv(sys.executable, [sys.executable, "-m", *arguments])
"""
"""Does what systemd does between fork and exec."""


@dataclass
class ServiceManager:
    """Starts services in a folder, with these variables."""

    folder: Path
    environment: Mapping[str, str]
    notifications: socket.socket
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(
        self, *arguments: str, sockets: Sequence[socket.socket | int] = (), names: str | None = None, **variables: str
    ) -> subprocess.Popen[str]:
        """Start ``python -m``, and hand over the sockets from the descriptor 3 on."""
        descriptors = [each if isinstance(each, int) else each.fileno() for each in sockets]
        own = {"NOTIFY_SOCKET": str(self.folder / "notify"), "PYTHONUNBUFFERED": "1"}
        if descriptors:
            own["LISTEN_FDS"] = str(len(descriptors))
        if names is not None:
            own["LISTEN_FDNAMES"] = names
        process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCHER, json.dumps([descriptors, arguments])],
            cwd=self.folder,
            env=dict(self.environment) | own | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=descriptors,
            pipesize=LOG_PIPE_SIZE,
            text=True,
        )
        self.started.append(process)
        return process

    def next_message(self, *, timeout: float = _TIMEOUT) -> dict[str, str]:
        """Return the next message of a service."""
        assert select.select([self.notifications], [], [], timeout)[0], "the service has sent no message"
        return parse(self.notifications.recv(65536))

    def pending(self) -> bool:
        """Discard a message that has arrived, and return whether there was one."""
        has_message = bool(select.select([self.notifications], [], [], 0)[0])
        if has_message:
            self.notifications.recv(65536)
        return has_message

    def wait_for(self, name: str) -> dict[str, str]:
        """Return the next message with this assignment."""
        end = time.monotonic() + _TIMEOUT
        while name not in (message := self.next_message()):
            assert time.monotonic() < end
        return message


def parse(message: bytes) -> dict[str, str]:
    """Return the assignments of a message."""
    return dict(line.split("=", 1) for line in message.decode().split("\n"))


@contextlib.contextmanager
def service_manager(folder: Path, environment: Mapping[str, str]) -> Iterator[ServiceManager]:
    """Run the manager; all services that are still running are killed at the end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifications:
        notifications.bind(str(folder / "notify"))
        manager = ServiceManager(folder, environment, notifications)
        try:
            yield manager
        finally:
            for process in manager.started:
                process.kill()
                process.communicate()
            (folder / "notify").unlink()
