"""Opens the backend of the shared cache by its URL.

aiocache imports every library of a backend that is installed, which takes as long as the rest of the service, so it
is imported for a cache in another process only.
"""

from __future__ import annotations

import importlib
from typing import Any

from service.caches.backends.address import parse_cache_url
from service.caches.backends.memory import MemoryBackend
from service.clock import Clock
from service.errors import SettingsError

NAMESPACE = "resource-server:"


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
        url: As for :func:`service.caches.backends.address.parse_cache_url`.
        ca_file: Path of the CA certificates to trust instead of the system's.

    Raises:
        SettingsError: The URL has another form, or the library for its scheme is not installed.
    """
    address = parse_cache_url(url, ca_file=ca_file)
    if address.kind == "memory":
        return MemoryBackend(clock=clock)
    options: dict[str, Any] = {"namespace": NAMESPACE, "serializer": _TextSerializer(), "timeout": None}
    if address.kind == "memcached":
        ((host, port),) = address.hosts
        module = _load("memcached", extra="memcached")
        return module.PatchedMemcachedCache(endpoint=host, port=port, pool_size=8, **options)
    return _load("redis_backend", extra="redis").open_redis(address, **options)


def _load(module: str, *, extra: str) -> Any:
    """Import a module of this package whose library is an optional dependency."""
    try:
        return importlib.import_module(f"service.caches.backends.{module}")
    except ImportError:
        problem = f"cache_url: the library for {extra} is missing; pip install 'tornado-resource-server[{extra}]'"
        raise SettingsError([problem]) from None
