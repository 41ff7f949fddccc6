"""Messages to systemd about the state of the service (``sd_notify(3)``)."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import MutableMapping

_logger = logging.getLogger(__name__)

_SEND_TIMEOUT = 1.0
"""Seconds that a message may wait if systemd reads none."""
_MAX_STATUS_LENGTH = 500
"""Characters."""


class Notifier:
    """Sends the state of the service to the service manager, if there is one; a failure to send is logged once.

    Args:
        path: The path of the socket, where ``@`` begins the name of an abstract socket; None to send nothing.
        watchdog_timeout: Seconds without :meth:`watchdog` after which the service manager restarts the service; None if
            it does not.
    """

    def __init__(self, path: str | None = None, *, watchdog_timeout: float | None = None) -> None:
        self._path = path
        self._has_failed = False
        self.watchdog_interval = watchdog_timeout / 2 if path and watchdog_timeout else None
        """Seconds between two calls of :meth:`watchdog`; None if the service manager expects none."""

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str] = os.environ) -> Notifier:
        """Return the notifier for the variables of systemd, and remove them: only this process has to send messages."""
        path, usec, pid = (environ.pop(name, "") for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"))
        is_number = usec.isascii() and usec.isdecimal() and len(usec) < 19
        is_for_us = pid in {"", str(os.getpid())}
        return cls(path or None, watchdog_timeout=int(usec) / 1e6 if is_number and is_for_us else None)

    @property
    def is_enabled(self) -> bool:
        """Whether there is a service manager that reads the messages."""
        return self._path is not None

    def ready(self, status: str | None = None) -> None:
        """Report that the service serves, after a start or a reload, whether that succeeded or not.

        Args:
            status: A line for ``systemctl status``.
        """
        self._send("READY=1", *_status(status))

    def reloading(self, status: str | None = None) -> None:
        """Report the start of a reload; :meth:`ready` must follow, or ``systemctl reload`` waits for its timeout."""
        # With Type=notify-reload, systemd ignores the message without this time.
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send("RELOADING=1", f"MONOTONIC_USEC={now}", *_status(status))

    def stopping(self, status: str | None = None, *, within: float) -> None:
        """Report that the service stops.

        Args:
            within: Seconds that it takes at most; the service manager waits so long, even if its own timeout is
                shorter.
        """
        self._send("STOPPING=1", f"EXTEND_TIMEOUT_USEC={round(within * 1e6)}", *_status(status))

    def status(self, text: str) -> None:
        """Report a line for ``systemctl status``."""
        self._send(*_status(text))

    def watchdog(self) -> None:
        """Report that the service works; to be called every :attr:`watchdog_interval` seconds."""
        self._send("WATCHDOG=1")

    def _send(self, *assignments: str) -> None:
        if self._path is None:
            return
        address = f"\0{self._path[1:]}" if self._path.startswith("@") else self._path
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(_SEND_TIMEOUT)
                sender.connect(address)
                sender.send("\n".join(assignments).encode("utf-8", "replace"))
        except (OSError, ValueError) as exc:  # ValueError: the path contains a null character
            if not self._has_failed:
                self._has_failed = True
                reason = getattr(exc, "strerror", None) or str(exc)
                _logger.warning("systemd cannot be notified", extra={"error": reason, "notification": assignments[0]})
        else:
            self._has_failed = False


def _status(text: str | None) -> list[str]:
    """Return the assignment of a status; a line break in it would begin another assignment."""
    return [] if text is None else [f"STATUS={' '.join(text.split())[:_MAX_STATUS_LENGTH]}"]
