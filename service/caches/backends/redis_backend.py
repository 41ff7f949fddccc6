"""Stores the shared cache in Redis: one server, a primary that Sentinels name, or a cluster."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any

from aiocache.base import BaseCache
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import ReadOnlyError

from service.caches.backends.address import CacheAddress

_MAX_CONNECTIONS = 64
"""Commands at a time; redis-py fails beyond its own limit, and a burst of requests is no outage."""


class RedisCache(BaseCache):  # type: ignore[misc]  # aiocache has no types
    """A backend of aiocache that uses a given client.

    aiocache's own one calls what redis-py has deprecated, and knows neither Sentinels nor clusters. The options that
    aiocache passes to each method are for other backends.

    Args:
        client: Commands with several keys need ``mget_nonatomic`` and ``mset_nonatomic`` in a cluster.
        closes: Called at the end, in addition to closing the client.
    """

    NAME = "redis"

    def __init__(self, client: Any, *, closes: Sequence[Callable[[], Awaitable[object]]] = (), **options: Any) -> None:
        super().__init__(**options)
        self.client = client
        self._closes = closes
        self._limit = asyncio.Semaphore(_MAX_CONNECTIONS)
        is_cluster = isinstance(client, RedisCluster)
        self._get_several = client.mget_nonatomic if is_cluster else client.mget
        self._set_several = client.mset_nonatomic if is_cluster else client.mset

    async def _get(self, key: str, **_options: object) -> bytes | None:
        async with self._connection():
            value: bytes | None = await self.client.get(key)
        return value

    async def _multi_get(self, keys: Sequence[str], **_options: object) -> list[Any]:
        async with self._connection():
            return list(await self._get_several(keys))

    async def _set(self, key: str, value: str, ttl: int | None = None, **_options: object) -> object:
        async with self._connection():
            return await self.client.set(key, value, ex=ttl)

    async def _multi_set(self, pairs: Iterable[tuple[str, str]], **_options: object) -> bool:
        async with self._connection():
            await self._set_several(dict(pairs))
        return True

    async def _add(self, key: str, value: str, ttl: int | None = None, **_options: object) -> object:
        async with self._connection():
            if not await self.client.set(key, value, ex=ttl, nx=True):
                raise ValueError("the key exists")
        return True

    async def _delete(self, key: str, **_options: object) -> object:
        async with self._connection():
            return await self.client.delete(key)

    async def _close(self, *_: object, **_options: object) -> None:
        await self.client.aclose()
        for close in self._closes:
            await close()

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[None]:
        async with self._limit:
            try:
                yield
            except ReadOnlyError:
                # The server was the primary; after a failover, its name leads to another one for new connections.
                await self.client.connection_pool.disconnect(inuse_connections=False)
                raise


def open_redis(address: CacheAddress, **options: Any) -> RedisCache:
    """Return the backend at an address, without connecting to it yet.

    Args:
        options: Those of aiocache.
    """
    connection: dict[str, Any] = {
        "retry": Retry(NoBackoff(), 0),  # a retry would take longer than the caller waits
        "protocol": 2,  # one round trip less for each connection
    }
    if address.is_encrypted:
        connection |= {
            "ssl": True,
            "ssl_cert_reqs": "required",
            "ssl_check_hostname": True,
            "ssl_min_version": ssl.TLSVersion.TLSv1_2,
            **address.tls_files,
        }
    login: dict[str, Any] = {"username": address.username, "password": address.password}
    if address.kind == "cluster":
        nodes = [ClusterNode(host, port) for host, port in address.hosts]
        return RedisCache(RedisCluster(startup_nodes=nodes, **login, **connection), **options)
    if address.kind == "sentinel":
        username, password = address.sentinel_login
        sentinel = Sentinel(  # type: ignore[no-untyped-call]  # redis-py annotates most, not this
            address.hosts,
            sentinel_kwargs={"username": username, "password": password, **connection},
            db=address.database,
            **login,
            **connection,
        )
        closes = [each.aclose for each in sentinel.sentinels]
        return RedisCache(sentinel.master_for(address.primary), closes=closes, **options)
    ((host, port),) = address.hosts
    return RedisCache(Redis(host=host, port=port, db=address.database, **login, **connection), **options)
