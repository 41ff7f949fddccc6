"""A cache that processes share, in Redis or memcached through aiocache; its failures never fail a request."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import urllib.parse
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from service.caches.memory import MemoryBackend
from service.clock import Clock
from service.errors import SettingsError
from service.instrumentation import Instrumentation, NullInstrumentation

T = TypeVar("T")

_logger = logging.getLogger(__name__)

NAMESPACE = "resource-server:"
TIMEOUT = 0.05
"""Seconds that a request waits for the cache; an issuer responds in less than twice that."""
RETRY_INTERVAL = 1.0
"""Seconds without calls after a failure, so that an outage delays one request a second rather than all."""
_SCHEMES = ("memory", "redis", "rediss", "memcached")


class SharedCache:
    """Stores JSON values, any of which may disappear before its time.

    A failure is counted and logged once per outage; the caller gets a miss instead of an error.

    Args:
        backend: An aiocache backend, or one with its interface. Its serializer handles data only: with pickle, an
            attacker who can write to the cache could run code here.
        is_local: Whether the cache is in this process, so that no other process sees it.
        instrumentation: Receives a call for each failure.
    """

    def __init__(
        self, backend: Any, *, clock: Clock, is_local: bool, instrumentation: Instrumentation | None = None
    ) -> None:
        self._backend = backend
        self._instrumentation = instrumentation or NullInstrumentation()
        self._clock = clock
        self._retry_at = 0.0
        self._background: set[asyncio.Task[None]] = set()
        self.is_local = is_local
        self.failures = 0
        """Failed calls since the start."""

    async def get(self, key: str) -> Any:
        """Return the value of a key, or None if there is none."""
        return await self._call(lambda: self._backend.get(key), default=None)

    async def get_many(self, keys: Sequence[str]) -> list[Any]:
        """Return the value of each key, or None in its place."""
        return await self._call(lambda: self._backend.multi_get(list(keys)), default=[None] * len(keys))

    async def get_or_lock(self, key: str, *, seconds: int) -> tuple[Any, bool]:
        """Return the value of a key, and whether the caller got the lock to compute it.

        Args:
            seconds: The lifetime of the lock if its holder dies.
        """

        async def operation() -> tuple[Any, bool]:
            value = await self._backend.get(key)
            if value is not None:
                return value, False
            try:
                await self._backend.add(_lock_key(key), 1, ttl=seconds)
            except ValueError:  # aiocache raises it if the key exists
                return None, False
            # The previous holder may have stored the value and released the lock between the two calls.
            value = await self._backend.get(key)
            if value is None:
                return None, True
            await self._backend.delete(_lock_key(key))
            return value, False

        return await self._call(operation, default=(None, True))

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
            await self._backend.set(key, value, ttl=seconds)
            await self._backend.delete(_lock_key(key))

        self._run_in_background(set_and_unlock)

    async def append(self, log: str, value: Any, *, seconds: int) -> bool:
        """Append a value to a log: keys ``{log}:1`` and on, with the number of the last one in ``{log}:last``.

        Returns:
            Whether the value was written.
        """

        async def operation() -> bool:
            number = await self._backend.increment(f"{log}:last")
            await self._backend.set(f"{log}:{number}", value, ttl=seconds)
            return True

        return await self._call(operation, default=False)

    async def ping(self) -> bool:
        """Return whether a value can be written and read back."""

        async def operation() -> bool:
            await self._backend.set("ping", 1, ttl=1)
            return bool(await self._backend.get("ping") == 1)

        return await self._call(operation, default=False)

    async def close(self) -> None:
        """Wait for writes in the background, and close the connections."""
        await asyncio.gather(*self._background, return_exceptions=True)
        with contextlib.suppress(Exception):  # each backend has its own errors, and the connections are gone anyway
            async with asyncio.timeout(TIMEOUT):
                await self._backend.close()

    def _run_in_background(self, operation: Callable[[], Awaitable[Any]]) -> None:
        async def run() -> None:
            await self._call(operation, default=None)

        task = asyncio.get_running_loop().create_task(run())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _call(self, operation: Callable[[], Awaitable[T]], *, default: T) -> T:
        if self._clock.monotonic() < self._retry_at:
            return default
        try:
            async with asyncio.timeout(TIMEOUT):
                result = await operation()
        except Exception as exc:  # noqa: BLE001  # each backend has its own errors, and none may fail a request
            self.failures += 1
            self._instrumentation.on_cache_error()
            if not self._retry_at:
                fields = {"error": type(exc).__name__}  # its message may contain the URL with the password
                _logger.warning("shared cache unavailable: error=%(error)s", fields, extra=fields)
            self._retry_at = self._clock.monotonic() + RETRY_INTERVAL
            return default
        if self._retry_at:
            _logger.warning("shared cache available again")
            self._retry_at = 0.0
        return result


def open_cache(
    url: str, *, clock: Clock, ca_file: str | None = None, instrumentation: Instrumentation | None = None
) -> SharedCache:
    """Return the cache at a URL, without connecting to it yet.

    Args:
        url: ``memory://``, ``redis://[user:password@]host[:port][/database]``, ``rediss://…`` for TLS,
            or ``memcached://host[:port]``.
        ca_file: Path of the CA certificates to trust instead of the system's.
        instrumentation: Receives a call for each failure.

    Raises:
        SettingsError: The URL has another form, or the library for its scheme is not installed.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        port, database = parts.port, int(parts.path.strip("/") or 0)
    except ValueError:
        raise SettingsError([f"cache_url: is not a URL; {_EXPECTED}"]) from None  # it may contain a password
    if parts.scheme not in _SCHEMES or parts.query or parts.fragment:  # a query may be the end of a password
        raise SettingsError([f"cache_url: was {parts.scheme}://…; {_EXPECTED}"])
    if parts.scheme == "memory":
        return SharedCache(MemoryBackend(clock=clock), clock=clock, is_local=True, instrumentation=instrumentation)
    # aiocache imports every library of a backend that is installed, which takes as long as the rest of the service.
    from aiocache.serializers import JsonSerializer  # noqa: PLC0415  # see above

    options: dict[str, Any] = {
        "endpoint": parts.hostname or "127.0.0.1",
        "namespace": NAMESPACE,
        "serializer": JsonSerializer(),
        "timeout": None,
    }
    if parts.scheme == "memcached":
        cache_class = _load_backend("service.caches.memcached", "PatchedMemcachedCache", extra="memcached")
        backend = cache_class(port=port or 11211, pool_size=8, **options)
    else:
        backend = _redis(parts, port=port, database=database, ca_file=ca_file, options=options)
    return SharedCache(backend, clock=clock, is_local=False, instrumentation=instrumentation)


_EXPECTED = "expected memory://, redis[s]://host:6379/0 or memcached://host:11211, with its password percent-encoded"


def _redis(
    parts: urllib.parse.SplitResult, *, port: int | None, database: int, ca_file: str | None, options: dict[str, Any]
) -> Any:
    cache_class = _load_backend("aiocache.backends.redis", "RedisCache", extra="redis")
    retries = importlib.import_module("redis.asyncio.retry").Retry
    no_backoff = importlib.import_module("redis.backoff").NoBackoff
    connection: dict[str, Any] = {"retry": retries(no_backoff(), 0)}  # a retry would take longer than TIMEOUT
    if parts.username:
        connection["username"] = urllib.parse.unquote(parts.username)
    if parts.scheme == "rediss" and ca_file:
        connection["ssl_ca_certs"] = ca_file
    return cache_class(
        port=port or 6379,
        db=database,
        password=urllib.parse.unquote(parts.password) if parts.password else None,
        ssl=parts.scheme == "rediss",
        connection_pool_kwargs=connection,
        **(options | {"namespace": NAMESPACE.rstrip(":")}),  # aiocache adds a colon for Redis only
    )


def _load_backend(module: str, name: str, *, extra: str) -> Callable[..., Any]:
    """Import a backend whose library is an optional dependency."""
    try:
        cache_class: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except ImportError:
        problem = f"cache_url: the library for {extra} is missing; pip install 'tornado-resource-server[{extra}]'"
        raise SettingsError([problem]) from None
    return cache_class


def _lock_key(key: str) -> str:
    return f"{key}:lock"
