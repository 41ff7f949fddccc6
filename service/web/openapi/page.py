"""Builds the HTML page that shows the OpenAPI document: one file, and a content security policy that fits it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from tornado.template import Loader

from service.web.openapi.accepted import AcceptedTokens

_TEMPLATES = Path(__file__).parent / "templates"
_SCRIPTS = ("dom.js", "challenge.js", "dpop.js", "sign_in.js", "operation.js", "main.js")
"""In the order of their dependencies."""
_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]+", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page and the headers that make it safe to serve."""

    html: bytes
    headers: dict[str, str]


def make_page(*, title: str, tokens: AcceptedTokens, client_id: str) -> Page:
    """Build the page of an API.

    Args:
        title: The name of the API.
        tokens: The accepted tokens; a user can sign in at each of their issuers.
        client_id: The client ID of the page at the issuers; the user can enter another one.
    """
    style, *scripts = (_TEMPLATES.joinpath(name).read_text("utf-8") for name in ("style.css", *_SCRIPTS))
    html = (
        Loader(str(_TEMPLATES), autoescape="xhtml_escape")
        .load("page.html")
        .generate(
            title=title,
            issuers=json.dumps(dict(tokens.modes)),
            algorithms=json.dumps(tokens.proof_algorithms),
            client_id=client_id,
            style=style,
            scripts=scripts,
        )
    )
    policy = {
        "default-src": "'none'",
        "script-src": " ".join(map(_hash, scripts)),
        "style-src": _hash(style),
        # An injected script could send a token only to these origins, which know it already.
        "connect-src": " ".join(["'self'", *dict.fromkeys(filter(None, map(_origin, tokens.modes)))]),
        "form-action": "'none'",  # a form sent before its script runs would put a token into the URL
        "base-uri": "'none'",
        "frame-ancestors": "'none'",  # against clickjacking
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return Page(html=html, headers={"Content-Security-Policy": _format_policy(policy), **_HEADERS})


_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",  # its URL may contain an authorization code
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
    # A semicolon in a host would start another directive.
    return f"{parts.scheme}://{parts.netloc}" if _HOST.fullmatch(parts.netloc) else None
