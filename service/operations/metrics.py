"""What happens, counted for Prometheus, over all processes of the program."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from prometheus_client import CollectorRegistry, Counter, Histogram, values
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from service.web.responses.methods import METHODS

CONTENT_TYPE = CONTENT_TYPE_LATEST
MULTIPROC_DIR_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which prometheus_client learns, when it is imported, where processes count together."""


class Metrics:
    """An instrumentation that counts.

    No label holds what a client chose: each of its inventions would be one more number to keep for ever.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        registry = self._registry
        self._requests = Counter(
            "resource_server_requests", "Requests that were answered.", ["method", "status"], registry=registry
        )
        self._request_seconds = Histogram(
            "resource_server_request_seconds", "How long their answers took.", registry=registry
        )
        self._rejections = Counter(
            "resource_server_rejections", "Requests that were refused for their token.", ["reason"], registry=registry
        )
        self._issuer_requests = Counter(
            "resource_server_issuer_requests", "What issuers were asked.", ["url", "outcome"], registry=registry
        )
        self._issuer_request_seconds = Histogram(
            "resource_server_issuer_request_seconds", "How long their replies took.", ["url"], registry=registry
        )
        self._cache_failures = Counter(
            "resource_server_shared_cache_failures", "Calls of the shared cache that failed.", registry=registry
        )

    def on_response(self, *, method: str, status: int, seconds: float, reason: str | None) -> None:
        """Count an answer, and why it refuses."""
        self._requests.labels(method if method in METHODS else "other", status).inc()
        self._request_seconds.observe(seconds)
        if reason is not None:
            self._rejections.labels(reason).inc()

    def on_issuer_request(self, *, url: str, outcome: str, seconds: float) -> None:
        """Count a question to an issuer."""
        self._issuer_requests.labels(url, outcome).inc()
        self._issuer_request_seconds.labels(url).observe(seconds)

    def on_cache_error(self) -> None:
        """Count a failure of the shared cache."""
        self._cache_failures.inc()

    def generate(self) -> bytes:
        """Return what Prometheus reads, of this process or of all that count together."""
        if MULTIPROC_DIR_VARIABLE not in os.environ:
            return generate_latest(self._registry)
        merged = CollectorRegistry()
        MultiProcessCollector(merged)  # type: ignore[no-untyped-call]  # the library annotates most, not this
        return generate_latest(merged)


@contextmanager
def multiprocess_metrics() -> Iterator[None]:
    """Have the processes that start while the block runs count together, unless their user has chosen where already."""
    if MULTIPROC_DIR_VARIABLE in os.environ:
        yield
        return
    with TemporaryDirectory(prefix="resource-server-metrics-") as folder:
        os.environ[MULTIPROC_DIR_VARIABLE] = folder
        try:
            yield
        finally:
            del os.environ[MULTIPROC_DIR_VARIABLE]


def use_worker_id(number: int) -> None:
    """Have this process go on where the worker of that number that it replaces left off, instead of in a file more.

    It comes before anything is counted, and means nothing to a process that counts alone.
    """
    if MULTIPROC_DIR_VARIABLE in os.environ:
        name = f"{os.getppid()}-{number}"
        values.ValueClass = values.MultiProcessValue(process_identifier=lambda: name)  # type: ignore[no-untyped-call]  # as above
