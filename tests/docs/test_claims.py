"""Tests the settings and the table of the page on claims."""

from __future__ import annotations

from pathlib import Path

import docutils.core
import docutils.nodes
import pytest

from service import make_app
from service.settings.profiles.table import PROFILES
from service.settings.sources import load_settings

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "claims.rst"


def _page() -> docutils.nodes.document:
    return docutils.core.publish_doctree(PAGE.read_text("utf-8"), settings_overrides={"report_level": 2})


def _literals(entry: docutils.nodes.entry) -> list[str]:
    return [literal.astext() for literal in entry.findall(docutils.nodes.literal)]


@pytest.mark.gen_test
async def test_an_application_starts_with_the_file_of_the_page(tmp_path: Path) -> None:
    (block,) = [each for each in _page().findall(docutils.nodes.literal_block) if "toml" in each["classes"]]
    (tmp_path / "service.toml").write_text(block.astext())
    settings = load_settings({}, config_file=tmp_path / "service.toml").settings
    issuers = settings.trusted_issuers
    assert ["keycloak", "cognito", "entra", "entra", "entra", "adfs"] == [each.profile.server.name for each in issuers]
    assert "resource_access.orders-api.roles" == issuers[0].profile.names.roles
    await make_app(settings).close()


def test_the_table_of_the_page_is_that_of_the_program() -> None:
    (body,) = _page().findall(docutils.nodes.tbody)
    rows = [
        [_literals(entry) for entry in row.findall(docutils.nodes.entry)] for row in body.findall(docutils.nodes.row)
    ]
    expected = [
        [[row.name], list(row.names.client_id), list(row.names.scopes), [row.names.groups], [row.names.roles]]
        for row in PROFILES.values()
    ]
    assert expected == rows
