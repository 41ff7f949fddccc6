"""An instrumentation that records its calls."""

from __future__ import annotations

from service.instrumentation import Instrumentation


class RecordingInstrumentation(Instrumentation):
    def __init__(self) -> None:
        self.responses: list[tuple[str, int, str | None]] = []
        self.routes: list[str | None] = []
        self.validations: list[tuple[str, str, str, str]] = []
        self.issuer_requests: list[tuple[str, str]] = []
        self.cache_errors = 0

    def on_response(
        self, *, method: str, status: int, seconds: float, reason: str | None, route: str | None, scheme: str
    ) -> None:
        assert 0 <= seconds < 60
        assert "http" == scheme
        self.responses.append((method, status, reason))
        self.routes.append(route)

    def on_validation(self, *, validator: str, issuer: str, outcome: str, reason: str, seconds: float) -> None:
        assert 0 <= seconds < 60
        self.validations.append((validator, issuer, outcome, reason))

    def on_issuer_request(self, *, url: str, outcome: str, seconds: float) -> None:
        assert 0 <= seconds < 60
        self.issuer_requests.append((url, outcome))

    def on_cache_error(self) -> None:
        self.cache_errors += 1
