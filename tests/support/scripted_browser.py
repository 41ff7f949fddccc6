"""A browser without a picture: it keeps cookies, follows nothing by itself, and reads forms."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from fakeissuer.state.seed import SINGLE_PAGE_APP, WEB_APP

WEB, SPA = WEB_APP, SINGLE_PAGE_APP
CALLBACK = "http://127.0.0.1:5000/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def authorization_url(url: str, server: str = "default", **parameters: str | None) -> str:
    """Where a client sends its user; the request is good but for the parameters given here, and None takes one away."""
    asked: dict[str, str | None] = {
        "client_id": WEB,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "state": "xyz",
        "nonce": "n-1",
        **parameters,
    }
    path = "/oauth2/v1/authorize" if server == "org" else f"/oauth2/{server}/v1/authorize"
    return f"{url}{path}?{urlencode({name: value for name, value in asked.items() if value is not None})}"


class Forms(HTMLParser):
    """The forms of a page: where each leads, and what it sends."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        members = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((members["action"], {}))
        if tag == "input" and members.get("name"):
            self.forms[-1][1][members["name"]] = members.get("value", "")


def forms(answer: Any) -> list[tuple[str, dict[str, str]]]:
    reader = Forms()
    reader.feed(answer.body.decode())
    return reader.forms


def redirected(answer: Any) -> dict[str, str]:
    """What the answer takes to the client, in the query or the fragment."""
    assert answer.status == 302, answer.body
    parts = urlsplit(answer.headers["Location"])
    return dict(parse_qsl(parts.fragment or parts.query))


@dataclass
class Browser:
    """One person's browser."""

    ask: Callable[..., Any]
    url: str
    cookie: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, url: str, **parameters: str) -> Any:
        target = urljoin(self.url, url) + (f"?{urlencode(parameters)}" if parameters else "")
        return self._keep(self.ask(target, headers=self._headers()))

    def post(self, url: str, form: dict[str, str]) -> Any:
        return self._keep(self.ask(urljoin(self.url, url), "POST", form=form, headers=self._headers()))

    def authorize(self, server: str = "default", **parameters: str | None) -> Any:
        """Start a request that is good but for the parameters given here; None takes one away."""
        return self.get(authorization_url(self.url, server, **parameters))

    def sign_in(self, answer: Any, login: str = "alice@example.com", password: str = "password") -> Any:  # noqa: S107  # a fake one
        """Follow the way to the sign-in page, fill it in and send it."""
        page = self.get(answer.headers["Location"])
        action, hidden = forms(page)[0]
        return self.post(action, {**hidden, "username": login, "password": password})

    def consent(self, answer: Any, decision: str = "allow") -> Any:
        page = self.get(answer.headers["Location"])
        action, hidden = forms(page)[0]
        return self.post(action, {**hidden, "decision": decision})

    def _headers(self) -> dict[str, str]:
        return {**self.headers, **({"Cookie": self.cookie} if self.cookie else {})}

    def _keep(self, answer: Any) -> Any:
        if set_cookie := answer.headers["Set-Cookie"]:
            self.cookie = set_cookie.partition(";")[0]
        return answer
