"""Opens the backend of the shared cache by its URL.

aiocache imports every library of a backend that is installed, which takes as long as the rest of the service, so it
is imported for a cache in another process only.
"""

from __future__ import annotations

import importlib
import urllib.parse
from collections.abc import Callable
from typing import Any

from service.caches.memory import MemoryBackend
from service.clock import Clock
from service.errors import SettingsError

NAMESPACE = "resource-server:"
_SCHEMES = ("memory", "redis", "rediss", "memcached")
_EXPECTED = "expected memory://, redis[s]://host:6379/0 or memcached://host:11211, with its password percent-encoded"


class _TextSerializer:
    """Stores text as it is.

    It decodes any bytes: an error would count as an outage, which an attacker could cause by writing other bytes.
    """

    encoding = None

    def dumps(self, value: str) -> str:
        return value

    def loads(self, value: bytes | None) -> str | None:
        return None if value is None else value.decode("ascii", "replace")


def open_backend(url: str, *, clock: Clock, ca_file: str | None) -> Any:
    """Return the backend at a URL, without connecting to it yet; a :class:`MemoryBackend` for ``memory://``.

    A backend of another process stores text, and never objects: with pickle, an attacker who can write to the cache
    could run code here.

    Args:
        url: ``memory://``, ``redis://[user:password@]host[:port][/database]``, ``rediss://…`` for TLS,
            or ``memcached://host[:port]``.
        ca_file: Path of the CA certificates to trust instead of the system's.

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
        return MemoryBackend(clock=clock)
    options: dict[str, Any] = {
        "endpoint": parts.hostname or "127.0.0.1",
        "namespace": NAMESPACE,
        "serializer": _TextSerializer(),
        "timeout": None,
    }
    if parts.scheme == "memcached":
        cache_class = _load_backend("service.caches.memcached", "PatchedMemcachedCache", extra="memcached")
        return cache_class(port=port or 11211, pool_size=8, **options)
    return _open_redis(parts, port=port, database=database, ca_file=ca_file, options=options)


def _open_redis(
    parts: urllib.parse.SplitResult, *, port: int | None, database: int, ca_file: str | None, options: dict[str, Any]
) -> Any:
    cache_class = _load_backend("aiocache.backends.redis", "RedisCache", extra="redis")
    retries = importlib.import_module("redis.asyncio.retry").Retry
    no_backoff = importlib.import_module("redis.backoff").NoBackoff
    connection: dict[str, Any] = {"retry": retries(no_backoff(), 0)}  # a retry would take longer than the timeout
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
