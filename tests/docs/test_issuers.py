"""Tests the settings of the page on issuers and their addresses."""

from __future__ import annotations

import json
from pathlib import Path

import docutils.core
import docutils.nodes
import pytest

from fakeissuer import RunningIssuer
from service.app import make_app
from service.settings.sources import load_settings

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "issuers.rst"


def _blocks(language: str) -> list[str]:
    document = docutils.core.publish_doctree(PAGE.read_text("utf-8"), settings_overrides={"report_level": 2})
    return [b.astext() for b in document.findall(docutils.nodes.literal_block) if language in b["classes"]]


@pytest.mark.parametrize("block", _blocks("toml"))
@pytest.mark.gen_test
async def test_an_application_starts_with_each_file_of_the_page(
    block: str, fake_issuer: RunningIssuer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keys.json").write_text(json.dumps(fake_issuer.key_set()))
    (tmp_path / "service.toml").write_text(block)
    settings = load_settings({}, config_file=tmp_path / "service.toml").settings
    (issuer,) = settings.trusted_issuers
    assert not issuer.is_discovered
    await make_app(settings).close()
