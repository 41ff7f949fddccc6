"""The Prometheus metrics of the state of this process, which are read once a second and not at each event."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from service.health import CACHE_UNAVAILABLE, DENY_LIST_STALE, PROOFS_UNSHARED, Health
from service.issuers.status import PROBLEMS, IssuerStatus
from service.web.connections.registry import ConnectionCounts

_INTERVAL = 1.0
"""Seconds."""
_LAGS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
"""Seconds."""
_PREFIX = "resource_server_"


class StateMetrics:
    """Publishes the state of one application and its server.

    Args:
        connections: Returns the connections of the server.
        monitored_tokens: Returns the number of WebSockets and streams whose token is monitored.
        certificate_expiry: Returns the end of the server's TLS certificate, in seconds since the epoch, or None
            if it cannot be parsed; None without a certificate.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        health: Health,
        *,
        connections: Callable[[], ConnectionCounts],
        monitored_tokens: Callable[[], int],
        certificate_expiry: Callable[[], float | None] | None = None,
    ) -> None:
        self._health = health
        self._connections = connections
        self._monitored_tokens = monitored_tokens
        self._certificate_expiry = certificate_expiry
        self._published: dict[tuple[str, ...], float] = {}

        def gauge(name: str, text: str, *labels: str, mode: str = "livesum") -> Gauge:
            return Gauge(_PREFIX + name, text, labels, multiprocess_mode=mode, registry=registry)  # type: ignore[arg-type]  # a mode

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(_PREFIX + name, text, labels, registry=registry)

        self._problem = gauge(
            "problem",
            "1 while there is a problem, for an issuer or for the process.",
            "issuer",
            "problem",
            mode="livemax",
        )
        self._key_set_age = gauge("key_set_age_seconds", "Since the key set was fetched.", "issuer", mode="livemax")
        self._skipped_keys = gauge("skipped_keys", "Published keys that cannot be used.", "issuer", mode="livemax")
        self._refreshes = counter("key_set_refreshes", "Fetches of the key set.", "issuer", "outcome")
        self._unknown_key_ids = counter("unknown_key_ids", "Tokens with a key ID that was unknown.", "issuer")
        self._introspections = counter("introspections", "Introspections of tokens.", "issuer", "outcome")
        self._cache_lookups = counter("cache_lookups", "Lookups in a cache of this process.", "cache", "result")
        self._cache_evictions = counter("cache_evictions", "Entries removed to make room.", "cache")
        self._cache_entries = gauge("cache_entries", "Entries of a cache in this process.", "cache")
        self._deny_list_entries = gauge("deny_list_entries", "Entries in force.", mode="livemax")
        self._deny_list_age = gauge(
            "deny_list_age_seconds", "Since the last contact with the shared cache.", mode="livemax"
        )
        self._proofs = counter("dpop_proofs", "Valid DPoP proofs.", "outcome")
        self._missing_nonces = counter("dpop_missing_nonces", "DPoP proofs without a current nonce.")
        self._open_connections = gauge("open_connections", "Client connections.")
        self._max_connections = gauge("max_connections", "The limit of client connections.")
        self._websockets = gauge("websockets", "Open WebSockets.")
        self._tokens = gauge("monitored_tokens", "WebSockets and streams whose token is monitored.")
        self._lag = Histogram(
            f"{_PREFIX}event_loop_lag_seconds",
            "How much later than planned a timer ran.",
            buckets=_LAGS,
            registry=registry,
        )
        self._exceeded = counter("limit_exceeded", "Limits that clients have exceeded.", "limit")
        self._draining = gauge("draining", "Processes that finish their last requests.")
        if certificate_expiry is not None:
            self._expiry = gauge(
                "certificate_expiry_timestamp_seconds", "The end of the TLS certificate of the server.", mode="livemin"
            )

    @contextlib.asynccontextmanager
    async def published(self) -> AsyncIterator[None]:
        """Publish the state once a second while the block runs."""
        task = asyncio.get_running_loop().create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.publish()

    def publish(self) -> None:
        """Publish the state of this moment."""
        for status in self._health.issuers():
            self._publish_issuer(status)
        found = self._health.problems
        for problem in (CACHE_UNAVAILABLE, DENY_LIST_STALE, PROOFS_UNSHARED):
            self._problem.labels("", problem).set(problem in found)
        for cache in self._health.authenticators.caches():
            self._publish_cache("tokens", id(cache), {"hit": cache.hits, "miss": cache.misses}, cache.evictions)
        self._cache_entries.labels("tokens").set(sum(map(len, self._health.authenticators.caches())))
        self._deny_list_entries.set(len(self._health.deny_list))
        if (age := self._health.deny_list.age) is not None:
            self._deny_list_age.set(age)
        binding = self._health.binding
        outcomes = {"accepted": binding.used.accepted, "replayed": binding.used.replayed}
        for outcome, count in (outcomes | {"unshared": binding.used.unshared}).items():
            self._count(self._proofs, count, outcome)
        self._count(self._missing_nonces, binding.missing_nonces)
        counts = self._connections()
        self._open_connections.set(counts.open)
        self._max_connections.set(counts.limit)
        self._websockets.set(counts.websockets)
        for limit, count in counts.exceeded.items():
            self._count(self._exceeded, count, limit)
        self._tokens.set(self._monitored_tokens())
        self._draining.set(self._health.is_draining)
        if self._certificate_expiry is not None and (expiry := self._certificate_expiry()) is not None:
            self._expiry.set(expiry)

    def _publish_issuer(self, status: IssuerStatus) -> None:
        issuer = status.issuer
        for problem in PROBLEMS:
            self._problem.labels(issuer, problem).set(problem in status.problems)
        if status.keys is not None:
            self._skipped_keys.labels(issuer).set(status.skipped_keys)
            if status.keys_age is not None:
                self._key_set_age.labels(issuer).set(status.keys_age)
            self._count(self._unknown_key_ids, status.unknown_key_ids, issuer)
            for outcome, count in status.refreshes.items():
                self._count(self._refreshes, count, issuer, outcome)
        for outcome, count in (status.introspections or {}).items():
            self._count(self._introspections, count, issuer, outcome)
        if (responses := status.responses) is not None:
            lookups = {"hit": responses.hits, "miss": responses.misses}
            self._publish_cache("introspection", id(responses), lookups, responses.evictions)
            self._cache_entries.labels("introspection").set(len(responses))

    def _publish_cache(self, name: str, number: int, lookups: Mapping[str, int], evictions: int) -> None:
        """Publish the counts of one of several caches of the same name."""
        for result, count in lookups.items():
            self._count(self._cache_lookups, count, name, result, of=str(number))
        self._count(self._cache_evictions, evictions, name, of=str(number))

    def _count(self, counter: Counter, count: float, *labels: str, of: str = "") -> None:
        """Add what a count has grown by since it was last published.

        Args:
            of: What distinguishes counts that are published under the same labels.
        """
        key = (counter._name, of, *labels)  # noqa: SLF001  # it has no public name
        child = counter.labels(*labels) if labels else counter
        child.inc(count - self._published.get(key, 0))
        self._published[key] = count

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            planned = loop.time() + _INTERVAL
            self.publish()
            await asyncio.sleep(planned - loop.time())
            self._lag.observe(max(loop.time() - planned, 0.0))
