"""An instrumentation that records its calls."""

from __future__ import annotations


class RecordingInstrumentation:
    def __init__(self) -> None:
        self.responses: list[tuple[str, int, str | None]] = []
        self.issuer_requests: list[tuple[str, str]] = []
        self.cache_errors = 0

    def on_response(self, *, method: str, status: int, seconds: float, reason: str | None) -> None:
        assert 0 <= seconds < 60
        self.responses.append((method, status, reason))

    def on_issuer_request(self, *, url: str, outcome: str, seconds: float) -> None:
        assert 0 <= seconds < 60
        self.issuer_requests.append((url, outcome))

    def on_cache_error(self) -> None:
        self.cache_errors += 1
