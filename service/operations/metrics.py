"""Prometheus metrics, summed over all processes of the program."""

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
"""The variable that names the folder in which prometheus_client combines the metrics of several processes."""


class Metrics:
    """Counts events as Prometheus metrics.

    No label has a value that a client can choose, since each new value would be stored for ever.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        registry = self._registry
        self._requests = Counter("resource_server_requests", "Responses.", ["method", "status"], registry=registry)
        self._request_seconds = Histogram("resource_server_request_seconds", "Duration of requests.", registry=registry)
        self._rejections = Counter(
            "resource_server_rejections", "Requests rejected because of their token.", ["reason"], registry=registry
        )
        self._issuer_requests = Counter(
            "resource_server_issuer_requests", "Requests to issuers.", ["url", "outcome"], registry=registry
        )
        self._issuer_request_seconds = Histogram(
            "resource_server_issuer_request_seconds", "Duration of requests to issuers.", ["url"], registry=registry
        )
        self._cache_failures = Counter(
            "resource_server_shared_cache_failures", "Failed calls of the shared cache.", registry=registry
        )

    def on_response(self, *, method: str, status: int, seconds: float, reason: str | None) -> None:
        """Count a response and its rejection reason."""
        self._requests.labels(method if method in METHODS else "other", status).inc()
        self._request_seconds.observe(seconds)
        if reason is not None:
            self._rejections.labels(reason).inc()

    def on_issuer_request(self, *, url: str, outcome: str, seconds: float) -> None:
        """Count a request to an issuer."""
        self._issuer_requests.labels(url, outcome).inc()
        self._issuer_request_seconds.labels(url).observe(seconds)

    def on_cache_error(self) -> None:
        """Count a failed call of the shared cache."""
        self._cache_failures.inc()

    def generate(self) -> bytes:
        """Return the metrics of this process, or of all processes, in the text format of Prometheus."""
        if MULTIPROC_DIR_VARIABLE not in os.environ:
            return generate_latest(self._registry)
        merged = CollectorRegistry()
        MultiProcessCollector(merged)  # type: ignore[no-untyped-call]  # the library annotates most, not this
        return generate_latest(merged)


@contextmanager
def multiprocess_metrics() -> Iterator[None]:
    """Combine the metrics of processes that start in this block, in a temporary folder unless one is configured."""
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
    """Continue the metrics file of the worker that this process replaces, instead of adding a file.

    Must be called before the first event; has no effect in a single process.
    """
    if MULTIPROC_DIR_VARIABLE in os.environ:
        name = f"{os.getppid()}-{number}"
        values.ValueClass = values.MultiProcessValue(process_identifier=lambda: name)  # type: ignore[no-untyped-call]  # as above
