from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.health import Health
from service.operations.metrics.metrics import Metrics
from service.operations.metrics.state import StateMetrics
from service.web.connections.registry import ConnectionCounts

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "metrics.rst"
DURATION = "http_server_request_duration_seconds_count"


def _lines(metrics: Metrics) -> list[str]:
    return metrics.generate().decode().splitlines()


def _respond(metrics: Metrics, status: int, reason: str | None = None, **changed: str | None) -> None:
    terms = {"method": "GET", "route": "/orders/{id}", "scheme": "http"} | changed
    metrics.on_response(status=status, seconds=0.02, reason=reason, **terms)  # type: ignore[arg-type]  # texts


def test_events_are_counted() -> None:
    metrics = Metrics()
    for status, reason in ((200, None), (401, "expired"), (401, "expired"), (503, "issuer_unavailable")):
        _respond(metrics, status, reason)
    metrics.on_validation(validator="JWTValidator", issuer="https://a", outcome="rejected", reason="expired", seconds=1)
    metrics.on_issuer_request(url="https://issuer.example/keys", outcome="failed", seconds=2.5)
    metrics.on_cache_error()
    labels = 'http_request_method="GET",http_response_status_code="{}",http_route="/orders/{{id}}",url_scheme="http"'
    counted = {
        f'{DURATION}{{error_type="",{labels.format(200)}}} 1.0',
        f'{DURATION}{{error_type="",{labels.format(401)}}} 2.0',
        f'{DURATION}{{error_type="503",{labels.format(503)}}} 1.0',
        'resource_server_rejections_total{reason="expired"} 2.0',
        'resource_server_rejections_total{reason="issuer_unavailable"} 1.0',
        (
            'resource_server_validations_total{issuer="https://a",outcome="rejected",reason="expired",'
            'validator="JWTValidator"} 1.0'
        ),
        'resource_server_validation_duration_seconds_sum{issuer="https://a",validator="JWTValidator"} 1.0',
        'resource_server_issuer_requests_total{outcome="failed",url="https://issuer.example/keys"} 1.0',
        'resource_server_issuer_request_duration_seconds_sum{url="https://issuer.example/keys"} 2.5',
        "resource_server_shared_cache_failures_total 1.0",
    }
    assert set() == counted - set(_lines(metrics))


def test_the_method_and_the_scheme_that_a_client_invents_are_no_labels() -> None:
    metrics = Metrics()
    for number in range(100):
        _respond(metrics, 405, method=f"M{number}", route=None, scheme=f"s{number}")
    assert [
        (
            f'{DURATION}{{error_type="",http_request_method="_OTHER",http_response_status_code="405",http_route="",'
            'url_scheme="http"} 100.0'
        )
    ] == [line for line in _lines(metrics) if line.startswith(DURATION)]


def test_every_metric_is_documented_and_every_documented_one_exists(health: Health) -> None:
    metrics = Metrics()
    counts = ConnectionCounts(open=0, websockets=0, limit=1, exceeded={})
    StateMetrics(
        metrics.registry, health, connections=lambda: counts, monitored_tokens=lambda: 0, certificate_expiry=lambda: 0.0
    )
    found = {line.split()[2] for line in _lines(metrics) if line.startswith("# TYPE")}
    named = set(re.findall(r"^   \* - ``(\w+)``$", PAGE.read_text("utf-8"), re.MULTILINE))
    of_parent = {"resource_server_worker_restarts_total"}
    assert {name for name in found if not name.endswith("_created")} == named - of_parent


@pytest.mark.parametrize("problem", ["keys_missing", "keys_stale", "deny_list_stale", "dpop_proofs_unshared"])
def test_every_problem_is_documented(problem: str) -> None:
    assert f"- ``{problem}``: " in PAGE.read_text("utf-8")
