"""Exports the spans of the program as OpenTelemetry's ``OTEL_*`` variables say."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator
from importlib.metadata import EntryPoint, entry_points

from service.errors import SettingsError

SHUTDOWN_TIMEOUT = 5.0
"""Seconds that a stop waits for the last spans to be exported."""
_GROUP = "opentelemetry_traces_exporter"
_OTLP = "opentelemetry-exporter-otlp-proto-http"
_BY_PROTOCOL = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}


@contextlib.asynccontextmanager
async def exporting(*, is_on: bool) -> AsyncIterator[None]:
    """Export the spans of the block.

    A provider that is set already, as by ``opentelemetry-instrument``, is left as it is.

    Args:
        is_on: Whether requests are traced.

    Raises:
        SettingsError: An exporter is not installed.
    """
    if not is_on:
        yield
        return
    from opentelemetry import trace  # noqa: PLC0415  # an optional extra
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415  # as above
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  # as above
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  # as above

    if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        yield
        return
    resource = Resource.create()
    if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: "resource-server"}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    for exporter in find_exporters():
        provider.add_span_processor(BatchSpanProcessor(exporter.load()()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        shutdown = threading.Thread(target=provider.shutdown, name="last spans", daemon=True)
        shutdown.start()
        await asyncio.to_thread(shutdown.join, SHUTDOWN_TIMEOUT)


def find_exporters() -> list[EntryPoint]:
    """Return the exporters that ``OTEL_TRACES_EXPORTER`` names, or that for OTLP.

    Raises:
        SettingsError: One is not installed.
    """
    names = [name.strip() for name in os.environ.get("OTEL_TRACES_EXPORTER", "otlp").split(",")]
    return [_find_exporter(name) for name in names if name not in {"", "none"}]


def _find_exporter(name: str) -> EntryPoint:
    installed = {point.name: point for point in entry_points(group=_GROUP)}
    for candidate in _otlp_names() if name == "otlp" else [name]:
        if candidate in installed:
            return installed[candidate]
    remedy = f"run pip install {_OTLP}" if name == "otlp" else f"expected otlp, none, {', '.join(sorted(installed))}"
    raise SettingsError([f"tracing: OTEL_TRACES_EXPORTER is {name!r}, whose exporter is not installed; {remedy}"])


def _otlp_names() -> list[str]:
    """Return the names of the exporters for the protocol that is set, or else for each, the lighter one first."""
    for variable in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        if protocol := os.environ.get(variable):
            return [_BY_PROTOCOL.get(protocol, protocol)]
    return list(_BY_PROTOCOL.values())
