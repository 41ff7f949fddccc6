"""HTML pages from templates, with escaped values and a strict content security policy."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fakeissuer.responses.reply import Reply

if TYPE_CHECKING:
    from tornado.template import Template

TEMPLATES = Path(__file__).parent / "templates"


def page(
    name: str,
    status: int = 200,
    *,
    form_action: str = "",
    framed_by: str = "'none'",
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> Reply:
    """Return the page of a template.

    ``form_action`` are additional ``form-action`` sources, because browsers apply the policy to redirects after a
    form. ``framed_by`` are the origins that may show the page in a frame.
    """
    nonce = secrets.token_urlsafe(16)
    body: bytes = _template(name).generate(nonce=nonce, to_json=_to_json, **values)
    policy = {
        "default-src": "'none'",
        "style-src": f"'nonce-{nonce}'",
        "script-src": f"'nonce-{nonce}'",
        "connect-src": "'self'",
        "form-action": f"'self' {form_action}".strip(),
        "frame-ancestors": framed_by,
        "base-uri": "'none'",
    }
    return Reply(
        status,
        body,
        {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": "; ".join(f"{rule} {value}" for rule, value in policy.items()),
            "Cache-Control": "no-cache, no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            **(headers or {}),
        },
    )


def _to_json(value: object) -> str:
    # Used in attributes, where the template escapes it; scripts contain no values.
    return json.dumps(value)


@cache
def _template(name: str) -> Template:
    from tornado.template import Loader  # noqa: PLC0415  # not needed at start

    return Loader(str(TEMPLATES), autoescape="xhtml_escape").load(f"{name}.html")
