"""A cache that processes share, in Redis or memcached through aiocache; its failures never fail a request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from service.caches.authentication import ValueAuthenticator
from service.caches.backends.failures import explain_failure
from service.caches.backends.memory import MemoryBackend
from service.caches.backends.opening import open_backend
from service.clock import Clock
from service.instrumentation import Instrumentation, Observers

T = TypeVar("T")

_logger = logging.getLogger(__name__)

TIMEOUT = 0.05
"""Seconds that a request waits for the cache; an issuer responds in less than twice that."""
PATIENT_TIMEOUT = 1.0
"""Seconds for calls that no request waits for; they are made although other calls have just failed."""
ADD_TIMEOUT = 0.5
"""Seconds that a request waits to learn whether a key is new; two processes could accept it otherwise."""
RETRY_INTERVAL = 1.0
"""Seconds without calls after a failure, so that an outage delays one request a second rather than all."""
_LOG_INTERVAL = 60.0
"""Seconds between two log lines about values that are not authentic, since an attacker decides how many there are."""


class SharedCache:
    """Stores JSON values, any of which may disappear before its time.

    A failure is counted and logged once per outage; the caller gets a miss instead of an error.
    The values are authenticated: one that another program has written, or copied from another key, is a miss.

    Args:
        backend: An aiocache backend that stores text, or a :class:`MemoryBackend`.
        authenticator: Seals the values; a cache in this process stores them as they are.
        instrumentation: Receives a call for each failure.
    """

    def __init__(
        self,
        backend: Any,
        *,
        authenticator: ValueAuthenticator,
        clock: Clock,
        instrumentation: Instrumentation | None = None,
    ) -> None:
        self._backend = backend
        self._authenticator = authenticator
        self._instrumentation = instrumentation or Observers()
        self._clock = clock
        self._retry_at = 0.0
        self._log_unauthentic_at = 0.0
        self._background: set[asyncio.Task[None]] = set()
        self.is_local = isinstance(backend, MemoryBackend)
        """Whether the cache is in this process, so that no other process sees it."""
        self.failures = 0
        """Failed calls since the start."""

    @property
    def is_available(self) -> bool:
        """Whether the last call has succeeded; True before the first."""
        return self._retry_at == 0.0

    @property
    def key_id(self) -> str:
        """The name of the key that authenticates the values."""
        return self._authenticator.key_id

    def derive_key(self, purpose: str) -> bytes:
        """Return a secret key for another purpose, the same in every process that shares the cache."""
        return self._authenticator.derive_key(purpose)

    async def get_many(self, keys: Sequence[str]) -> list[Any] | None:
        """Return the value of each key, or None in its place; return None if the cache is unavailable.

        It takes up to :data:`PATIENT_TIMEOUT`, so no request may wait for it.
        """
        stored = await self._call(lambda: self._backend.multi_get(list(keys)), default=None, patient=True)
        return None if stored is None else [self._open(key, value) for key, value in zip(keys, stored, strict=True)]

    async def set_many(self, values: Mapping[str, Any]) -> bool:
        """Store values without an expiry, which keeps them if the server evicts only values that have one.

        It takes up to :data:`PATIENT_TIMEOUT`, so no request may wait for it.

        Returns:
            Whether the cache has accepted them.
        """
        sealed = [(key, self._seal(key, value)) for key, value in values.items()]
        return bool(await self._call(lambda: self._backend.multi_set(sealed), default=False, patient=True))

    async def get_or_lock(self, key: str, *, seconds: int) -> tuple[Any, bool]:
        """Return the value of a key, and whether the caller got the lock to compute it.

        Args:
            seconds: The lifetime of the lock if its holder dies.
        """

        async def operation() -> tuple[Any, bool]:
            value = self._open(key, await self._backend.get(key))
            if value is not None:
                return value, False
            try:
                await self._backend.add(_lock_key(key), "1", ttl=seconds)
            except ValueError:  # aiocache raises it if the key exists
                return None, False
            # The previous holder may have stored the value and released the lock between the two calls.
            value = self._open(key, await self._backend.get(key))
            if value is None:
                return None, True
            await self._backend.delete(_lock_key(key))
            return value, False

        return await self._call(operation, default=(None, True))

    async def add(self, key: str, *, seconds: int) -> bool | None:
        """Record a key for so many seconds, and return whether it was new; return None if the cache is unavailable.

        Of concurrent callers in all processes, one gets True.
        """

        async def operation() -> bool:
            try:
                await self._backend.add(key, "1", ttl=seconds)
            except ValueError:  # aiocache raises it if the key exists
                return False
            return True

        return await self._call(operation, default=None, seconds=ADD_TIMEOUT)

    def release(self, key: str) -> None:
        """Release the lock of a key in the background."""
        self._run_in_background(lambda: self._backend.delete(_lock_key(key)))

    def delete(self, key: str) -> None:
        """Delete the value of a key in the background."""
        self._run_in_background(lambda: self._backend.delete(key))

    def put(self, key: str, value: Any, *, seconds: int) -> None:
        """Store a value and release the lock of its key, in the background.

        Args:
            value: A value that JSON can represent.
            seconds: The lifetime of the value.
        """

        async def set_and_unlock() -> None:
            await self._backend.set(key, self._seal(key, value), ttl=seconds)
            await self._backend.delete(_lock_key(key))

        self._run_in_background(set_and_unlock)

    async def close(self) -> None:
        """Wait for writes in the background, and close the connections."""
        await asyncio.gather(*self._background, return_exceptions=True)
        with contextlib.suppress(Exception):  # each backend has its own errors, and the connections are gone anyway
            async with asyncio.timeout(TIMEOUT):
                await self._backend.close()

    def _seal(self, key: str, value: Any) -> Any:
        return value if self.is_local else self._authenticator.seal(key, value)

    def _open(self, key: str, stored: Any) -> Any:
        """Return the value in what is stored under a key, or None if it is not authentic."""
        if stored is None or self.is_local:
            return stored
        try:
            return self._authenticator.open(key, stored)
        except ValueError:
            if self._clock.monotonic() >= self._log_unauthentic_at:
                self._log_unauthentic_at = self._clock.monotonic() + _LOG_INTERVAL
                _logger.error("value in the shared cache is not authentic; another program has written it")  # noqa: TRY400  # a stack says no more
            return None

    def _run_in_background(self, operation: Callable[[], Awaitable[Any]]) -> None:
        async def run() -> None:
            await self._call(operation, default=None)

        task = asyncio.get_running_loop().create_task(run())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _call(
        self, operation: Callable[[], Awaitable[T]], *, default: T, patient: bool = False, seconds: float | None = None
    ) -> T:
        if self._clock.monotonic() < self._retry_at and not patient:
            return default
        try:
            async with asyncio.timeout(PATIENT_TIMEOUT if patient else seconds or TIMEOUT):
                result = await operation()
        except Exception as exc:  # noqa: BLE001  # each backend has its own errors, and none may fail a request
            self.failures += 1
            self._instrumentation.on_cache_error()
            if not self._retry_at:
                # Its message may contain the URL with the password.
                fields = {"error": type(exc).__name__, "cause": explain_failure(exc).cause}
                _logger.warning("shared cache unavailable: error=%(error)s cause=%(cause)r", fields, extra=fields)
            self._retry_at = self._clock.monotonic() + RETRY_INTERVAL
            return default
        if self._retry_at:
            _logger.warning("shared cache available again")
            self._retry_at = 0.0
        return result


def open_cache(
    url: str,
    *,
    clock: Clock,
    key: bytes | None = None,
    ca_file: str | None = None,
    instrumentation: Instrumentation | None = None,
) -> SharedCache:
    """Return the cache at a URL, without connecting to it yet.

    Args:
        url: As for :func:`service.caches.backends.address.parse_cache_url`.
        key: Authenticates the values; by default a random key, with which no other process can read them.
        ca_file: Path of the CA certificates to trust instead of the system's.
        instrumentation: Receives a call for each failure.

    Raises:
        SettingsError: The URL has another form, or the library for its scheme is not installed.
    """
    return SharedCache(
        open_backend(url, clock=clock, ca_file=ca_file),
        authenticator=ValueAuthenticator(key or secrets.token_bytes(32)),
        clock=clock,
        instrumentation=instrumentation,
    )


def _lock_key(key: str) -> str:
    return f"{key}:lock"
