from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient

from service import ResourceServerApplication, Settings, make_app
from service.web.openapi import page as module
from service.web.openapi.accepted import AcceptedTokens
from service.web.openapi.page import Page, make_page

ISSUERS = ["https://a.example/oauth2/default", "https://a.example/oauth2/other", "https://b.example:8443"]
TEMPLATES = Path(module.__file__).parent / "templates"


def _tokens(*issuers: str) -> AcceptedTokens:
    return AcceptedTokens(modes=dict.fromkeys(issuers, "allowed"), proof_algorithms=("ES256", "RS256"))


@pytest.fixture
def page() -> Page:
    return make_page(title='<b>"Things"</b>', tokens=_tokens(*ISSUERS), client_id='"><script>')


def _policy(page: Page) -> dict[str, list[str]]:
    directives = (directive.split() for directive in page.headers["Content-Security-Policy"].split("; "))
    return {name: values for name, *values in directives}


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_only_the_inline_scripts_and_style_of_the_page_are_allowed(page: Page) -> None:
    text = page.html.decode()
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert 6 == len(scripts)
    assert [_hash(script) for script in scripts] == _policy(page)["script-src"]
    assert [_hash(style)] == _policy(page)["style-src"]


def test_only_the_api_and_its_issuers_can_be_requested(page: Page) -> None:
    policy = _policy(page)
    assert ["'self'", "https://a.example", "https://b.example:8443"] == policy["connect-src"]
    for directive in ("default-src", "form-action", "base-uri", "frame-ancestors", "trusted-types"):
        assert ["'none'"] == policy[directive]
    assert ["'script'"] == policy["require-trusted-types-for"]


def test_an_issuer_cannot_end_a_directive() -> None:
    policy = _policy(
        make_page(title="x", tokens=_tokens("https://a.example;script-src", "https://b.example"), client_id="")
    )
    assert ["'self'", "https://b.example"] == policy["connect-src"]


def test_settings_are_escaped(page: Page) -> None:
    text = page.html.decode()
    assert "&lt;b&gt;&quot;Things&quot;&lt;/b&gt;" in text
    assert 'value="&quot;&gt;&lt;script&gt;"' in text
    (issuers,) = re.findall(r'data-issuers="([^"]*)"', text)
    assert dict.fromkeys(ISSUERS, "allowed") == json.loads(html.unescape(issuers))
    (algorithms,) = re.findall(r'data-proof-algorithms="([^"]*)"', text)
    assert ["ES256", "RS256"] == json.loads(html.unescape(algorithms))


def test_templates_load_no_resources_and_inject_no_markup() -> None:
    for path in TEMPLATES.iterdir():
        text = path.read_text("utf-8")
        assert not re.search(r"\bsrc=|\burl\(|@import|\bimport\b", text), path.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text), (
            path.name
        )
        assert "localStorage" not in text, path.name


@pytest.fixture
def app(io_loop: object) -> ResourceServerApplication:
    return make_app(Settings(issuer=ISSUERS[0], audience=("api://default",), docs_client_id="my-client"))


@pytest.mark.gen_test
async def test_the_page_is_served_with_security_headers(http_client: AsyncHTTPClient, base_url: str) -> None:
    response = await http_client.fetch(f"{base_url}/docs")
    assert 'value="my-client"' in response.body.decode()
    expected = {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    assert expected.items() <= dict(response.headers).items()
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
