"""Tests the settings and the handler of the page on introspection."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import docutils.core
import docutils.nodes
import pytest

from service import Settings, SettingsError, make_app
from service.settings.sources import load_settings

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "introspection.rst"


def _blocks(language: str) -> list[str]:
    document = docutils.core.publish_doctree(PAGE.read_text("utf-8"), settings_overrides={"report_level": 2})
    return [b.astext() for b in document.findall(docutils.nodes.literal_block) if language in b["classes"]]


@pytest.mark.gen_test
async def test_an_application_starts_with_the_variables_of_the_page(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for block in _blocks("sh"):
        for name, value in re.findall(r"^export (\w+)=(.*)$", block, re.MULTILINE):
            monkeypatch.setenv(name, value)
    settings = load_settings({}).settings
    (issuer,) = settings.trusted_issuers
    assert issuer.client is not None
    assert ("introspection", "0oaapi00000000000001") == (issuer.validation, issuer.client.client_id)
    assert "redis://127.0.0.1:6379/0" == settings.cache_url.get_secret_value()
    await make_app(settings).close()


@pytest.mark.gen_test
async def test_an_application_starts_with_the_file_of_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = _blocks("toml")
    (tmp_path / "service.toml").write_text(block)
    settings = load_settings({}, config_file=tmp_path / "service.toml").settings
    assert [60.0, 15.0] == [issuer.introspection_cache_lifetime for issuer in settings.trusted_issuers]
    await make_app(settings).close()


@pytest.mark.gen_test
async def test_the_handler_of_the_page_requires_introspection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = _blocks("python")
    (tmp_path / "payments.py").write_text(block)
    monkeypatch.syspath_prepend(tmp_path)
    routes = importlib.import_module("payments").ROUTES
    with pytest.raises(SettingsError, match="client_id"):
        make_app(Settings(issuer="https://dev-123456.okta.com/oauth2/default"), routes=routes)
