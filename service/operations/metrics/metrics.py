"""The Prometheus metrics of events: responses, validations, requests to issuers and errors of the shared cache."""

from __future__ import annotations

import platform

import tornado
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from service.instrumentation import Instrumentation
from service.operations.metrics.processes import Restarts, merged
from service.version import __version__
from service.web.responses.methods import METHODS

CONTENT_TYPE = CONTENT_TYPE_LATEST
_DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""Seconds, as the semantic conventions of OpenTelemetry recommend."""
_VALIDATION_DURATIONS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, *_DURATIONS)
_OTHER = "_OTHER"


class Metrics(Instrumentation):
    """Counts events as Prometheus metrics.

    No label has a value that a client can choose, since each new value would be stored for ever. The duration of
    requests has the name and the labels of the semantic conventions of OpenTelemetry.

    Args:
        restarts: Returns the workers that were replaced so far, by reason.
    """

    def __init__(self, *, restarts: Restarts = dict) -> None:
        self._restarts = restarts
        self.registry = registry = CollectorRegistry()
        self._requests = Histogram(
            "http_server_request_duration_seconds",
            "Duration of HTTP server requests.",
            ["http_request_method", "http_route", "http_response_status_code", "url_scheme", "error_type"],
            buckets=_DURATIONS,
            registry=registry,
        )
        self._responses: dict[tuple[str, str | None, int, str], Histogram] = {}
        self._rejections = Counter(
            "resource_server_rejections", "Requests rejected because of their token.", ["reason"], registry=registry
        )
        self._validations = Counter(
            "resource_server_validations",
            "Validations of tokens that were not cached.",
            ["validator", "issuer", "outcome", "reason"],
            registry=registry,
        )
        self._validation_seconds = Histogram(
            "resource_server_validation_duration_seconds",
            "Duration of the validation of tokens that were not cached.",
            ["validator", "issuer"],
            buckets=_VALIDATION_DURATIONS,
            registry=registry,
        )
        self._issuer_requests = Counter(
            "resource_server_issuer_requests", "Requests to issuers.", ["url", "outcome"], registry=registry
        )
        self._issuer_request_seconds = Histogram(
            "resource_server_issuer_request_duration_seconds",
            "Duration of requests to issuers.",
            ["url"],
            buckets=_DURATIONS,
            registry=registry,
        )
        self._cache_failures = Counter(
            "resource_server_shared_cache_failures", "Failed calls of the shared cache.", registry=registry
        )
        Gauge(
            "resource_server_build_info",
            "1; the versions are labels.",
            ["version", "python", "tornado"],
            multiprocess_mode="livemax",
            registry=registry,
        ).labels(__version__, platform.python_version(), tornado.version).set(1)

    def on_response(
        self, *, method: str, status: int, seconds: float, reason: str | None, route: str | None, scheme: str
    ) -> None:
        """Count a response and its rejection reason."""
        key = method if method in METHODS else _OTHER, route, status, "https" if scheme == "https" else "http"
        histogram = self._responses.get(key)
        if histogram is None:
            name, _, _, scheme = key
            error_type = str(status) if status >= 500 else ""
            histogram = self._requests.labels(name, route or "", status, scheme, error_type)
            self._responses[key] = histogram  # finding it by its labels takes longer than counting
        histogram.observe(seconds)
        if reason is not None:
            self._rejections.labels(reason).inc()

    def on_validation(self, *, validator: str, issuer: str, outcome: str, reason: str, seconds: float) -> None:
        """Count a validation."""
        self._validations.labels(validator, issuer, outcome, reason).inc()
        if validator:
            self._validation_seconds.labels(validator, issuer).observe(seconds)

    def on_issuer_request(self, *, url: str, outcome: str, seconds: float) -> None:
        """Count a request to an issuer."""
        self._issuer_requests.labels(url, outcome).inc()
        self._issuer_request_seconds.labels(url).observe(seconds)

    def on_cache_error(self) -> None:
        """Count a failed call of the shared cache."""
        self._cache_failures.inc()

    def generate(self) -> bytes:
        """Return the metrics of this process, or of all processes, in the text format of Prometheus."""
        return generate_latest(merged(self.registry, restarts=self._restarts))
