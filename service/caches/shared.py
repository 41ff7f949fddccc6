"""One memory for many machines: Redis or memcached through aiocache, and never a reason to wait or to fail."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import urllib.parse
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from aiocache import SimpleMemoryCache
from aiocache.base import BaseCache
from aiocache.serializers import JsonSerializer, NullSerializer

from service.clock import Clock
from service.errors import SettingsError
from service.instrumentation import Instrumentation, NullInstrumentation

T = TypeVar("T")

_logger = logging.getLogger(__name__)

NAMESPACE = "resource-server:"
TIMEOUT = 0.05
"""Seconds that a request waits for the cache; an issuer answers in less than twice that."""
RETRY_INTERVAL = 1.0
"""Seconds for which a cache that failed is not asked, so that its outage costs one request a second and not all."""
MEMORY_CAPACITY = 8192
"""Entries of ``memory://``, where aiocache itself would keep every one."""
_SCHEMES = ("memory", "redis", "rediss", "memcached")


class SharedCache:
    """Keeps JSON values for a time, and forgets them whenever it likes.

    Whatever goes wrong with it, the answer is that nothing is known: it is counted, logged once, and no error.

    Args:
        backend: An aiocache with a serializer that carries data only; one that unpickles runs what it is sent.
        instrumentation: Is told of each failure.
    """

    def __init__(
        self, backend: BaseCache, *, clock: Clock, is_local: bool, instrumentation: Instrumentation | None = None
    ) -> None:
        self._backend = backend
        self._instrumentation = instrumentation or NullInstrumentation()
        self._clock = clock
        self._retry_at = 0.0
        self._background: set[asyncio.Task[None]] = set()
        self.is_local = is_local
        """Whether nobody but this process sees it."""
        self.failures = 0
        """How often it could not be asked, since the start."""

    async def get(self, key: str) -> Any:
        """Return what is kept under a key, or None."""
        return await self._call(lambda: self._backend.get(key), default=None)

    async def get_many(self, keys: Sequence[str]) -> list[Any]:
        """Return what is kept under each key, or None in its place."""
        return await self._call(lambda: self._backend.multi_get(list(keys)), default=[None] * len(keys))

    async def get_or_lock(self, key: str, *, seconds: int) -> tuple[Any, bool]:
        """Return what is kept under a key, or whether it falls to the caller to find it out.

        Args:
            seconds: How long the claim holds if whoever makes it dies.
        """

        async def operation() -> tuple[Any, bool]:
            value = await self._backend.get(key)
            if value is not None:
                return value, False
            try:
                await self._backend.add(_lock_key(key), 1, ttl=seconds)
            except ValueError:  # aiocache's word for a key that is there
                return None, False
            # Whoever held the claim may have answered and ended it between the two questions.
            value = await self._backend.get(key)
            if value is None:
                return None, True
            await self._backend.delete(_lock_key(key))
            return value, False

        return await self._call(operation, default=(None, True))

    def release(self, key: str) -> None:
        """Let somebody else claim a key; waits for nothing."""
        self._run_in_background(lambda: self._backend.delete(_lock_key(key)))

    def delete(self, key: str) -> None:
        """Forget what is kept under a key; waits for nothing."""
        self._run_in_background(lambda: self._backend.delete(key))

    def put(self, key: str, value: Any, *, seconds: int) -> None:
        """Keep a value, and end the claim on its key; waits for nothing.

        Args:
            value: What JSON can hold.
        """

        async def set_and_unlock() -> None:
            await self._backend.set(key, value, ttl=seconds)
            await self._backend.delete(_lock_key(key))

        self._run_in_background(set_and_unlock)

    async def append(self, log: str, value: Any, *, seconds: int) -> bool:
        """Add a value to a log, under ``{log}:1`` and on; ``{log}:last`` is the number of the last one.

        Returns:
            Whether the others will see it.
        """

        async def operation() -> bool:
            number = await self._backend.increment(f"{log}:last")
            await self._backend.set(f"{log}:{number}", value, ttl=seconds)
            return True

        return await self._call(operation, default=False)

    async def ping(self) -> bool:
        """Return whether it gives back what it was given."""

        async def operation() -> bool:
            await self._backend.set("works", 1, ttl=1)
            return bool(await self._backend.get("works") == 1)

        return await self._call(operation, default=False)

    async def close(self) -> None:
        """Finish what is being written, and close the connections."""
        await asyncio.gather(*self._background, return_exceptions=True)
        with contextlib.suppress(Exception):  # whatever it is, the connections are gone
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
        except Exception as exc:  # noqa: BLE001  # each backend has errors of its own, and none may reach a request
            self.failures += 1
            self._instrumentation.on_cache_error()
            if not self._retry_at:
                # Its words may hold the address, and the address a password.
                error = type(exc).__name__
                _logger.warning("shared cache unavailable: %s", error, extra={"error": error})
            self._retry_at = self._clock.monotonic() + RETRY_INTERVAL
            return default
        if self._retry_at:
            _logger.warning("shared cache available again")
            self._retry_at = 0.0
        return result


class _BoundedMemory(SimpleMemoryCache):  # type: ignore[misc]  # aiocache has no types
    """aiocache's own memory, which grows without limit, with a limit: the entry written first goes first."""

    async def _set(self, key: str, value: Any, **kwargs: Any) -> Any:
        result = await super()._set(key, value, **kwargs)
        while len(self._cache) > MEMORY_CAPACITY:
            await self._delete(next(iter(self._cache)))
        return result


def open_cache(
    url: str, *, clock: Clock, ca_file: str | None = None, instrumentation: Instrumentation | None = None
) -> SharedCache:
    """Return the cache at an address; connects to nothing yet.

    Args:
        url: ``memory://``, ``redis://[user:password@]host[:port][/database]``, ``rediss://…`` for TLS,
            or ``memcached://host[:port]``.
        ca_file: Path of the certificates to trust instead of the system's.
        instrumentation: Is told of each failure.

    Raises:
        SettingsError: The address is none of these, or the library for it is not installed.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        port, database = parts.port, int(parts.path.strip("/") or 0)
    except ValueError:
        raise SettingsError([f"cache_url: is not an address; {_EXPECTED}"]) from None  # it may hold a password
    if parts.scheme not in _SCHEMES:
        raise SettingsError([f"cache_url: was {parts.scheme}://…; {_EXPECTED}"])
    options: dict[str, Any] = {"namespace": NAMESPACE, "serializer": JsonSerializer(), "timeout": None}
    if parts.scheme == "memory":
        options["serializer"] = NullSerializer()  # what stays in this process need not be text
        return SharedCache(_BoundedMemory(**options), clock=clock, is_local=True, instrumentation=instrumentation)
    options["endpoint"] = parts.hostname or "127.0.0.1"
    if parts.scheme == "memcached":
        cache_class = _load_backend("service.caches.memcached", "PatchedMemcachedCache", extra="memcached")
        backend = cache_class(port=port or 11211, pool_size=8, **options)
    else:
        backend = _redis(parts, port=port, database=database, ca_file=ca_file, options=options)
    return SharedCache(backend, clock=clock, is_local=False, instrumentation=instrumentation)


_EXPECTED = "expected memory://, redis://host:6379/0, rediss://host:6379/0 or memcached://host:11211"


def _redis(
    parts: urllib.parse.SplitResult, *, port: int | None, database: int, ca_file: str | None, options: dict[str, Any]
) -> BaseCache:
    kind = _load_backend("aiocache.backends.redis", "RedisCache", extra="redis")
    retries = importlib.import_module("redis.asyncio.retry").Retry
    no_backoff = importlib.import_module("redis.backoff").NoBackoff
    connection: dict[str, Any] = {"retry": retries(no_backoff(), 0)}  # who waits longer than we do is not waited for
    if parts.username:
        connection["username"] = urllib.parse.unquote(parts.username)
    if parts.scheme == "rediss" and ca_file:
        connection["ssl_ca_certs"] = ca_file
    return kind(
        port=port or 6379,
        db=database,
        password=urllib.parse.unquote(parts.password) if parts.password else None,
        ssl=parts.scheme == "rediss",
        connection_pool_kwargs=connection,
        **(options | {"namespace": NAMESPACE.rstrip(":")}),  # aiocache adds the colon here, and nowhere else
    )


def _load_backend(module: str, name: str, *, extra: str) -> Callable[..., BaseCache]:
    """Return a kind of cache, whose library is installed only where somebody wants it."""
    try:
        kind: Callable[..., BaseCache] = getattr(importlib.import_module(module), name)
    except ImportError:
        problem = f"cache_url: the library for {extra} is missing; pip install 'tornado-resource-server[{extra}]'"
        raise SettingsError([problem]) from None
    return kind


def _lock_key(key: str) -> str:
    return f"{key}:claim"
