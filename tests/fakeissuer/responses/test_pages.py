from __future__ import annotations

import re

import pytest

from fakeissuer.responses.pages import TEMPLATES, page


@pytest.mark.parametrize("name", sorted(file.name for file in TEMPLATES.glob("*.html")))
def test_pages_load_nothing_and_escape_values(name: str) -> None:
    text = (TEMPLATES / name).read_text()
    assert "raw " not in text
    assert "autoescape" not in text
    assert not re.search(r"<(link|img|iframe)|@import|url\(|https?://(?!127\.0\.0\.1)", text)
    assert not re.search(r"\son[a-z]+=|\sstyle=", text)
    for block in re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL):
        assert "{{" not in block


@pytest.mark.parametrize("name", sorted(file.stem for file in TEMPLATES.glob("*.html") if file.stem != "base"))
def test_pages_are_accessible_and_responsive(name: str) -> None:
    base, text = (TEMPLATES / "base.html").read_text(), (TEMPLATES / f"{name}.html").read_text()
    assert '<html lang="en">' in base
    assert "width=device-width" in base
    assert ":focus-visible" in base
    assert text.count("<h1") == 1
    named = set(re.findall(r'<label for="([^"]+)"', text))
    shown = re.findall(r'<(?:input|select)(?! type="hidden") id="([^"]+)"', text)
    assert set(shown) == named


def test_a_message_is_escaped() -> None:
    reply = page("message", 400, heading="<b>", sentence="\"&'", code="x\r\ny")
    assert b"<b>" not in reply.body
    assert b"&lt;b&gt;" in reply.body
    assert b"&quot;&amp;&#x27;" in reply.body or b"&quot;&amp;&#39;" in reply.body
    assert all("\r" not in value for value in reply.headers.values())
