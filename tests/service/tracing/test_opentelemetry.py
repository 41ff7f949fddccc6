from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from service.tracing.opentelemetry import OpenTelemetry

URL = "https://user:sesame@issuer.example:8443/keys?sesame=1#sesame"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracing(exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenTelemetry]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield OpenTelemetry()
    provider.shutdown()


def test_the_url_of_an_issuer_has_no_credentials_and_no_query(
    tracing: OpenTelemetry, exporter: InMemorySpanExporter
) -> None:
    with tracing.issuer_request("key set", method="GET", url=URL) as span:
        span.respond(200)
        assert "traceparent" in span.headers
    (finished,) = exporter.get_finished_spans()
    attributes = dict(finished.attributes or {})
    assert ("issuer.example", 8443, "https://issuer.example:8443/keys") == (
        attributes["server.address"],
        attributes["server.port"],
        attributes["url.full"],
    )
    assert "sesame" not in finished.to_json()


@pytest.mark.parametrize(("url", "port"), [("http://a.example/", 80), ("https://a.example/", 443)])
def test_the_port_is_that_of_the_scheme_by_default(
    url: str, port: int, tracing: OpenTelemetry, exporter: InMemorySpanExporter
) -> None:
    with tracing.issuer_request("key set", method="GET", url=url):
        pass
    (finished,) = exporter.get_finished_spans()
    assert port == dict(finished.attributes or {})["server.port"]


def test_the_error_of_a_request_is_its_first_cause_without_its_text(
    tracing: OpenTelemetry, exporter: InMemorySpanExporter
) -> None:
    with pytest.raises(ValueError, match="sesame"), tracing.issuer_request("key set", method="GET", url=URL):
        raise ValueError("sesame")
    with tracing.issuer_request("key set", method="GET", url=URL) as span:
        span.respond(503)
        span.respond(500)
    first, second = exporter.get_finished_spans()
    assert ["ValueError", "503"] == [dict(each.attributes or {})["error.type"] for each in (first, second)]
    assert StatusCode.ERROR is first.status.status_code
    assert "sesame" not in first.to_json() + second.to_json()


def test_a_span_ends_once(tracing: OpenTelemetry, exporter: InMemorySpanExporter) -> None:
    span = tracing.start_request(started_at=1.5, headers={}, attributes={"http.request.method": "GET"})
    with span.active():
        assert span.ids()[1] == trace.format_span_id(trace.get_current_span().get_span_context().span_id)
    for name in ("first", "second"):
        span.end(name=name, attributes={}, is_error=False)
    (finished,) = exporter.get_finished_spans()
    assert ("first", 1_500_000_000) == (finished.name, finished.start_time)
