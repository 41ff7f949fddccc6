"""Limits the introspection requests that one client address causes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

from cachetools import LRUCache

from service.clock import Clock
from service.errors import TooManyRequests
from service.issuers.client import TOTAL_TIMEOUT
from service.issuers.rate_limit import RateLimit, network_of

MAX_CONCURRENT = 4
"""Requests of one address at a time, fewer than the client has connections; further ones wait."""
_MAX_PEERS = 4096


class _Peer(NamedTuple):
    limit: RateLimit
    slots: asyncio.Semaphore


class PeerLimits:
    """Limits requests by the address of the client whose token causes them.

    Only tokens that are not active count, so that many users behind one address do not reach the limit.

    Args:
        per_minute: Requests per minute, and in a row; 0 for no limit.
    """

    def __init__(self, *, per_minute: int, clock: Clock) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._peers: LRUCache[str, _Peer] = LRUCache(_MAX_PEERS)

    async def run(self, peer: str | None, request: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        """Return the result of an introspection request that a peer has caused.

        Args:
            peer: The peer's address, or None for a request that is not limited.

        Raises:
            TooManyRequests: The peer has reached its limit, or its requests have waited too long for each other.
        """
        if peer is None or not self._per_minute:
            return await request()
        state = self._state(network_of(peer))
        if not state.limit.take():
            detail = f"more than {self._per_minute} introspection requests per minute (introspection_rate_limit)"
            raise TooManyRequests(detail, retry_after=state.limit.wait)
        async with _slot(state):
            document = await request()
        if document["active"] is True:
            state.limit.give_back()
        return document

    def _state(self, network: str) -> _Peer:
        state = self._peers.get(network)
        if state is None:
            limit = RateLimit(burst=self._per_minute, every=60.0 / self._per_minute, clock=self._clock)
            state = self._peers[network] = _Peer(limit, asyncio.Semaphore(MAX_CONCURRENT))
        return state


@contextlib.asynccontextmanager
async def _slot(peer: _Peer) -> AsyncIterator[None]:
    """Hold one of the peer's slots while the block runs."""
    try:
        async with asyncio.timeout(TOTAL_TIMEOUT):
            await peer.slots.acquire()
    except TimeoutError:
        detail = f"{MAX_CONCURRENT} introspection requests of one address took more than {TOTAL_TIMEOUT:.0f} s"
        raise TooManyRequests(detail, retry_after=1.0) from None
    try:
        yield
    finally:
        peer.slots.release()
