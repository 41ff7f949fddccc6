"""Tests the settings, the handler and the curl commands of the page on introspection."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import docutils.core
import docutils.nodes
import pytest

import fakeissuer
from service import make_app
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


def test_the_curl_commands_of_the_page_deny_and_allow_a_user(tmp_path: Path) -> None:
    (handler,) = _blocks("python")
    (tmp_path / "payments.py").write_text(handler)
    variables = {
        "OKTA_OAUTH2_CLIENT_ID": "0oaapi00000000000001",
        "OKTA_OAUTH2_CLIENT_SECRET": "api-secret-for-tests-only-00000000001",
        "SERVICE_ADMIN_TOKEN": "operators-only",
        "SERVICE_ROUTES": "payments:ROUTES",
        "PYTHONPATH": str(tmp_path),
        "PYTHONUNBUFFERED": "1",
    }
    with fakeissuer.running() as issuer:
        arguments = ["--issuer", issuer.issuer_url(), "--port", "0", "--admin-port", "0"]
        service = subprocess.Popen(
            [sys.executable, "-m", "service", *arguments],
            env=os.environ | variables, cwd=tmp_path, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            api, admin = _announced(service)
            token = issuer.token(sub="mallory@example.com")
            assert 200 == _status(f"{api}/payments", token)
            (console,) = _blocks("console")
            environment = os.environ | {"ADMIN": admin, "SERVICE_ADMIN_TOKEN": "operators-only"}
            statuses = []
            for command, expected in re.findall(r"^\$ (.*)\n(.*)$", console, re.MULTILINE):
                printed = subprocess.run(  # noqa: S602  # the commands of our own page
                    command, shell=True, env=environment, capture_output=True, text=True, check=True
                ).stdout
                assert doctest.OutputChecker().check_output(expected, printed, doctest.ELLIPSIS), printed
                statuses.append(_status(f"{api}/payments", token))
            assert [401, 401, 200] == statuses
        finally:
            service.terminate()
            service.communicate(timeout=20)


def _announced(service: subprocess.Popen[str]) -> tuple[str, str]:
    assert service.stderr is not None
    admin = ""
    for line in service.stderr:
        if found := re.search(r"admin port listening url=(\S+)", line):
            admin = found[1]
        if found := re.search(r"^listening on (\S+)$", line):
            return found[1], admin
    raise AssertionError("the service exited before it listened")


def _status(url: str, token: str) -> int:
    command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Authorization: Bearer {token}", url]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
