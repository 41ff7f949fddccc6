from __future__ import annotations

import sys

import pytest

from service.errors import SettingsError
from service.settings.program import Settings
from service.tracing.spans import open_tracing


def test_tracing_that_is_off_is_none() -> None:
    assert open_tracing(is_on=False) is None


def test_tracing_without_the_extra_is_an_error_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "service.tracing.opentelemetry", raising=False)
    with pytest.raises(SettingsError, match=r"tracing: is on, but .* not installed; .*tornado-resource-server\[otel\]"):
        open_tracing(is_on=True)


def test_tracing_is_off_by_default() -> None:
    assert not Settings(issuer="https://issuer.example", audience=("api",)).tracing
