"""Tests the settings, the tokens and the mistakes of the pages on authorization servers, each with its imitation."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import docutils.core
import docutils.nodes
import pytest
import tomli_w

from fakeissuer import RunningIssuer
from fakeissuer.profiles.names import PROFILE_NAMES
from service import Settings, SettingsError
from service.__main__ import main

PAGES = sorted((Path(__file__).parents[2] / "docs" / "how-to" / "servers").glob("*.rst"))
EACH_PAGE = pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.fake_issuer_profile(page.stem), id=page.stem) for page in PAGES]
)
VOLATILE = {"jti", "uti", "uid", "iat", "exp", "nbf", "auth_time"}


class Page:
    """A page, with the URL of the imitation in place of the server's."""

    def __init__(self, file: Path, issuer: RunningIssuer) -> None:
        self._document = docutils.core.publish_doctree(file.read_text("utf-8"), settings_overrides={"report_level": 2})
        self._issuer = issuer
        host = urlsplit(tomllib.loads(self._block("toml"))["issuer"]).netloc
        self._hosts = (f"https://{host}", f"http://{host}")
        self.settings: dict[str, Any] = tomllib.loads(self._local(self._block("toml")))
        self.claims: dict[str, Any] = json.loads(self._local(self._block("json")))

    @property
    def mistakes(self) -> list[tuple[dict[str, Any], dict[str, Any], str]]:
        """The settings of each mistake, as on the page and with the URL of the imitation, and what the report says."""
        table = next(iter(self._document.findall(docutils.nodes.tbody)))
        rows = [[entry.astext() for entry in row.findall(docutils.nodes.entry)] for row in table.children]
        shown = tomllib.loads(self._block("toml"))
        return [
            (_changed(shown, change), _changed(self.settings, self._local(change)), report) for change, report in rows
        ]

    def _block(self, language: str) -> str:
        blocks = self._document.findall(docutils.nodes.literal_block)
        return next(block.astext() for block in blocks if language in block["classes"])

    def _local(self, text: str) -> str:
        for host in self._hosts:
            text = text.replace(host, self._issuer.url)
        return text


def _changed(settings: dict[str, Any], change: str) -> dict[str, Any]:
    if change.startswith("no "):
        return {name: value for name, value in settings.items() if name != change.removeprefix("no ")}
    return {**settings, **tomllib.loads(change)}


def _problems(settings: dict[str, Any]) -> str:
    """Return the problems that are found without a request to the issuer, or ""."""
    try:
        Settings(**settings)
    except SettingsError as exc:
        return str(exc)
    return ""


def _check(settings: dict[str, Any], folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    file = folder / "service.toml"
    file.write_text(tomli_w.dumps(settings))
    code = main(["check", "--config", str(file)])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_each_profile_has_a_page() -> None:
    assert set(PROFILE_NAMES) - {"strict-rfc", "entra-v1"} == {page.stem for page in PAGES}


@EACH_PAGE
def test_check_accepts_the_settings_of_a_page(
    page: Path, fake_issuer: RunningIssuer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report = _check(Page(page, fake_issuer).settings, tmp_path, capsys)
    assert 0 == code, report
    assert f"profile: {page.stem}:" in report


@EACH_PAGE
def test_the_access_token_of_a_page_is_that_of_its_server(page: Path, fake_issuer: RunningIssuer) -> None:
    minted = fake_issuer.mint(sub="alice@example.com", scp="openid api:read groups").claims
    shown = Page(page, fake_issuer).claims
    assert list(minted) == list(shown)
    assert {name: minted[name] for name in minted.keys() - VOLATILE} == {
        name: shown[name] for name in shown.keys() - VOLATILE
    }


@EACH_PAGE
def test_check_finds_the_mistakes_of_a_page(
    page: Path, fake_issuer: RunningIssuer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for shown, local, expected in Page(page, fake_issuer).mistakes:
        report = _problems(shown)
        if not report:
            code, report = _check(local, tmp_path, capsys)
            assert 1 == code, report
        assert expected in report
