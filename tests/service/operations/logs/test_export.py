"""The exporters of the program, which ``OTEL_*`` variables select."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from programs import Start, curl, listening

from service.errors import SettingsError
from service.operations.logs import export
from service.operations.logs.export import find_exporters

ISSUER = "https://dev-123456.okta.com/oauth2/default"


def _install(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    points = [EntryPoint(name=name, value="x:y", group="opentelemetry_traces_exporter") for name in names]
    monkeypatch.setattr(export, "entry_points", lambda group: points if group == points[0].group else [])


@pytest.mark.parametrize(
    ("variables", "installed", "found"),
    [
        ({}, ["otlp_proto_grpc", "console"], ["otlp_proto_grpc"]),
        ({}, ["otlp_proto_grpc", "otlp_proto_http"], ["otlp_proto_http"]),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, ["otlp_proto_grpc", "otlp_proto_http"], ["otlp_proto_grpc"]),
        ({"OTEL_TRACES_EXPORTER": "console, otlp"}, ["otlp_proto_http", "console"], ["console", "otlp_proto_http"]),
        ({"OTEL_TRACES_EXPORTER": "none"}, ["console"], []),
    ],
)
def test_the_variables_name_the_exporters(
    variables: dict[str, str], installed: list[str], found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(monkeypatch, *installed)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert found == [point.name for point in find_exporters()]


@pytest.mark.parametrize(
    ("variables", "remedy"),
    [
        ({}, "pip install opentelemetry-exporter-otlp-proto-http"),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "expected otlp, none, console"),
        ({"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"}, "pip install"),
    ],
)
def test_an_exporter_that_is_not_installed_is_an_error(
    variables: dict[str, str], remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(monkeypatch, "console")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=remedy):
        find_exporters()


def _spans(text: str) -> Iterator[dict[str, Any]]:
    """Yield the objects that the console exporter has written one after another."""
    while text:
        span, end = json.JSONDecoder().raw_decode(text)
        yield span
        text = text[end:].lstrip()


@pytest.mark.parametrize("processes", ["1", "2"])
def test_the_program_exports_the_spans_of_its_last_requests(processes: str, start: Start) -> None:
    process = start(
        "service", "--port", "0", "--processes", processes, "--issuer", ISSUER,
        SERVICE_TRACING="true", OTEL_TRACES_EXPORTER="console", OTEL_RESOURCE_ATTRIBUTES="team=orders",
    )  # fmt: skip
    assert 200 == curl(f"{listening(process)}/api/hello")[0]
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    (span,) = (span for span in _spans(out) if span["kind"] == "SpanKind.SERVER")
    assert "GET /api/hello" == span["name"]
    assert {"service.name": "resource-server", "team": "orders"}.items() <= span["resource"]["attributes"].items()


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_missing_exporter_stops_the_start(processes: str, start: Start) -> None:
    process = start(
        "service", "--port", "0", "--processes", processes, "--issuer", ISSUER,
        SERVICE_TRACING="true", OTEL_TRACES_EXPORTER="zipkin",
    )  # fmt: skip
    _, err = process.communicate(timeout=60)
    assert (2, 1) == (process.returncode, err.count("OTEL_TRACES_EXPORTER is 'zipkin'"))
