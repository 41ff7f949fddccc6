"""The TLS of a server: its certificate, and the reload of renewed files without an interruption."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import threading
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from service.errors import SettingsError
from service.operations.sockets.certificates import find_expiry, load_context, load_context_of, read_file
from service.settings.program import Settings

_logger = logging.getLogger(__name__)

_MIN_AGE = 2.0
"""Seconds since the last change of a file after which a further change is certain to change its time stamp."""
_DAY = 86400


class HasTLS(Protocol):
    """A server that wraps each new connection with its ``ssl_options``."""

    ssl_options: Any


class _Contexts(NamedTuple):
    """The contexts with client certificates and without, and the expiration of the certificate."""

    public: ssl.SSLContext
    admin: ssl.SSLContext
    not_after: float | None

    def apply(self, servers: Iterable[tuple[HasTLS, bool]]) -> None:
        for server, client_certificates in servers:
            server.ssl_options = self.public if client_certificates else self.admin


class TLSFiles:
    """The files of a certificate, and the TLS context for the content that was last found valid.

    If the content becomes invalid, as in the middle of a renewal, the context remains, and an error is logged once.
    A copy that is pickled for a worker process begins with the content of the original.

    Args:
        client_ca: The file with the CA certificates of client certificates; None to request none.

    Raises:
        SettingsError: A file cannot be read, or the certificate and its key do not match.
    """

    def __init__(self, certfile: str, keyfile: str, *, client_ca: str | None = None) -> None:
        self._set_up({"certfile": certfile, "keyfile": keyfile} | ({"client_ca": client_ca} if client_ca else {}))
        self._signature = self._sign()
        self._contents = self._read()
        self._contexts = self._load(self._contents)

    @classmethod
    def from_settings(cls, settings: Settings) -> TLSFiles | None:
        """Return the files that settings name, or None without a certificate.

        Raises:
            SettingsError: A file cannot be read, or the certificate and its key do not match.
        """
        if settings.certfile is None:
            return None
        return cls(settings.certfile, settings.keyfile or settings.certfile, client_ca=settings.client_ca)

    def __getstate__(self) -> tuple[dict[str, str], tuple[bytes, ...]]:
        self.reload_if_changed()  # the certificate may have been renewed since the program has started
        return self._files, self._contents

    def __setstate__(self, state: tuple[dict[str, str], tuple[bytes, ...]]) -> None:
        files, contents = state
        self._set_up(files)
        self._signature = None
        self._contents = contents
        try:
            with_client_ca, without = load_context_of(contents), load_context_of(contents[:2])
            self._contexts = _Contexts(with_client_ca, without, find_expiry(contents[0]))
        except OSError:  # the system has no files in memory
            self._contents = self._read()
            self._contexts = self._load(self._contents)

    def _set_up(self, files: dict[str, str]) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._servers: list[tuple[HasTLS, bool]] = []
        self._problem = ""

    @property
    def not_after(self) -> float | None:
        """When the certificate expires, in seconds since the epoch; None if it cannot be parsed."""
        return self._contexts.not_after

    @property
    def days_left(self) -> float | None:
        """Days until the certificate expires, negative afterwards; None if it cannot be parsed."""
        expiry = self.not_after
        return None if expiry is None else (expiry - time.time()) / _DAY

    @property
    def context(self) -> ssl.SSLContext:
        """The context for the next handshakes."""
        return self._contexts.public

    def serve_with(self, server: HasTLS, *, client_certificates: bool = True) -> None:
        """Set the context of a server, now and after each reload; connections that are open remain.

        Args:
            client_certificates: Whether clients are requested to send a certificate, if ``client_ca`` is set.
        """
        self._servers.append((server, client_certificates))
        self._contexts.apply(self._servers[-1:])

    def reload_if_changed(self) -> bool:
        """Load the files if they have changed, and return whether there is a new context.

        It reads files, so an event loop should call it in a thread.
        """
        with self._lock:
            signature = self._sign()
            if signature is not None and signature == self._signature:
                return False
            try:
                contents = self._read()
                contexts = None if contents == self._contents else self._load(contents)
            except SettingsError as exc:
                self._log_problem(str(exc))
                return False
            self._signature, self._problem = signature, ""
            if contexts is None:
                return False
            self._contents, self._contexts = contents, contexts
            contexts.apply(self._servers)
            left = self.days_left
            _logger.info(
                "TLS certificate reloaded",
                extra={"certfile": self._files["certfile"], "days_left": None if left is None else round(left, 1)},
            )
            return True

    @contextlib.asynccontextmanager
    async def watched(self, *, interval: float) -> AsyncIterator[None]:
        """Reload changed files while the block runs, and at once those that have changed before.

        Args:
            interval: Seconds between two checks; 0 for the first one alone.
        """
        self.reload_if_changed()
        if not interval:
            yield
            return
        task = asyncio.get_running_loop().create_task(self._watch(interval))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _watch(self, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await asyncio.to_thread(self.reload_if_changed)

    def _load(self, contents: tuple[bytes, ...]) -> _Contexts:
        certfile, keyfile = self._files["certfile"], self._files["keyfile"]
        with_client_ca = load_context(certfile, keyfile, client_ca=self._files.get("client_ca"))
        return _Contexts(with_client_ca, load_context(certfile, keyfile), find_expiry(contents[0]))

    def _read(self) -> tuple[bytes, ...]:
        return tuple(read_file(name, path) for name, path in self._files.items())

    def _sign(self) -> tuple[tuple[int, ...], ...] | None:
        """Return numbers that change with the files.

        Returns None if a file is missing, or has changed so recently that a further change may not show.
        """
        try:
            found = [Path(path).stat() for path in self._files.values()]
        except (OSError, ValueError):  # ValueError: the path contains a null character
            return None
        if any(abs(time.time() - each.st_ctime) < _MIN_AGE for each in found):
            return None
        return tuple((each.st_dev, each.st_ino, each.st_size, each.st_mtime_ns, each.st_ctime_ns) for each in found)

    def _log_problem(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            _logger.error("TLS certificate not reloaded, the previous one remains", extra={"error": problem})
