from __future__ import annotations

from pathlib import Path

import pytest

from service.errors import SettingsError
from service.settings.sources import load_settings

ISSUER = {"issuer": "https://dev-123456.okta.com/oauth2/default"}


def test_the_secret_can_be_read_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_text("s" * 32 + "\n")
    monkeypatch.setenv("SERVICE_CACHE_SECRET_FILE", str(tmp_path / "secret"))
    loaded = load_settings(ISSUER)
    assert loaded.settings.cache_secret is not None
    assert "s" * 32 == loaded.settings.cache_secret.get_secret_value()
    assert "derived from cache_secret_file" == loaded.origins["cache_secret"]


def test_a_short_secret_is_rejected_without_showing_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SERVICE_CACHE_SECRET", "too-short")
    with pytest.raises(SettingsError, match="at least 32 characters") as exc_info:
        load_settings(ISSUER)
    assert "too-short" not in str(exc_info.value)


@pytest.mark.parametrize(("url", "local"), [("memory://", 1), ("redis://cache", 0), ("memcached://c", 0)])
def test_only_memory_is_local(url: str, local: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert local == load_settings(ISSUER | {"cache_url": url}).settings.is_cache_local
