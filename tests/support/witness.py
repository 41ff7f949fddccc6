"""An instrumentation that remembers what it was told."""

from __future__ import annotations


class Witness:
    def __init__(self) -> None:
        self.answers: list[tuple[str, int, str | None]] = []
        self.questions: list[tuple[str, str]] = []
        self.failures = 0

    def on_response(self, *, method: str, status: int, seconds: float, reason: str | None) -> None:
        assert 0 <= seconds < 60
        self.answers.append((method, status, reason))

    def on_issuer_request(self, *, url: str, outcome: str, seconds: float) -> None:
        assert 0 <= seconds < 60
        self.questions.append((url, outcome))

    def on_cache_error(self) -> None:
        self.failures += 1
