"""Makes the page that shows the description and tries it: one file with everything in it, and a policy that says so."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tornado.template import Loader

_TEMPLATES = Path(__file__).parent / "templates"
_SCRIPTS = ("dom.js", "challenge.js", "sign_in.js", "operation.js", "main.js")
"""In the order in which each finds what it needs."""
_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]+", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page, and the headers without which it is not safe to show."""

    html: bytes
    headers: dict[str, str]


def make_page(*, title: str, issuers: Iterable[str], client_id: str) -> Page:
    """Return the page of an API.

    Args:
        title: What the API is called.
        issuers: Where people can sign in.
        client_id: What the page is called there; whoever looks at it can write another.
    """
    style, *scripts = (_TEMPLATES.joinpath(name).read_text("utf-8") for name in ("style.css", *_SCRIPTS))
    trusted = list(issuers)
    html = (
        Loader(str(_TEMPLATES), autoescape="xhtml_escape")
        .load("page.html")
        .generate(title=title, issuers=json.dumps(trusted), client_id=client_id, style=style, scripts=scripts)
    )
    policy = {
        "default-src": "'none'",
        "script-src": " ".join(map(_hash, scripts)),
        "style-src": _hash(style),
        # A script that got in all the same could bring a token to these places only, which know it already.
        "connect-src": " ".join(["'self'", *dict.fromkeys(filter(None, map(_origin, trusted)))]),
        "form-action": "'none'",  # a form that is sent before its script runs would bring a token into the address
        "base-uri": "'none'",
        "frame-ancestors": "'none'",  # nobody may lay it invisibly over a page of theirs, and have people click
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return Page(html=html, headers={"Content-Security-Policy": _format_policy(policy), **_HEADERS})


_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",  # its address may hold a code
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def _format_policy(policy: dict[str, str]) -> str:
    return "; ".join(f"{directive} {value}" for directive, value in policy.items())


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _origin(issuer: str) -> str | None:
    parts = urllib.parse.urlsplit(issuer)
    # A semicolon in it would end the directive and begin another.
    return f"{parts.scheme}://{parts.netloc}" if _HOST.fullmatch(parts.netloc) else None
