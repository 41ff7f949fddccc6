"""What a row may lean on: a fake issuer as at start, its clock standing still, and a browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import seeded_clients
from plain_http import Response, send
from scripted_browser import CALLBACK, WEB, Browser, redirected

from fakeissuer.model.identifiers import derived_id
from fakeissuer.server.running_issuer import RunningIssuer

NOW = 2_000_000_000
"""When all of it happens, in seconds since the epoch."""

SERVICE, WEB_CLIENT, API = seeded_clients.SERVICE, seeded_clients.WEB, seeded_clients.API
ALICE = "alice@example.com"
ALICE_ID = derived_id("00u", ALICE)


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request; ``client`` is ``id:secret`` for Basic, and a browser sends its cookie along."""

    path: str
    method: str = "GET"
    query: Mapping[str, Any] = field(default_factory=dict)
    form: Mapping[str, Any] | None = None
    body: bytes | None = None
    client: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    by_browser: bool = False


def at(endpoint: str, server: str = "default") -> str:
    """The path of an endpoint of a server."""
    return f"/oauth2/v1/{endpoint}" if server == "org" else f"/oauth2/{server}/v1/{endpoint}"


def post(endpoint: str, client: str | None = None, server: str = "default", /, **form: Any) -> Request:
    """A form that is posted to an endpoint."""
    return Request(method="POST", path=at(endpoint, server), form=form, client=client)


def token_request(grant_type: str, client: str | None = WEB_CLIENT, server: str = "default", **form: Any) -> Request:
    """A request to the token endpoint."""
    return post("token", client, server, grant_type=grant_type, **form)


def authorize_request(server: str = "default", /, **parameters: str | None) -> Request:
    """An authorization request of the web app that is good but for these parameters; None takes one away."""
    asked = {"client_id": WEB, "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid", "state": "xyz"}
    query = {name: value for name, value in {**asked, **parameters}.items() if value is not None}
    return Request(path=at("authorize", server), query=query, by_browser=True)


class World:
    """A fake issuer and the programs and users that send it requests."""

    def __init__(self, issuer: RunningIssuer) -> None:
        """Bring the issuer back to its start, at the moment when everything happens."""
        issuer.reset()
        issuer.clock.set(NOW)
        issuer.clock.freeze()
        self.issuer = issuer
        self.org_url = issuer.overview().listening_url
        self.browser = Browser(send, self.org_url)

    def send(self, request: Request) -> Response:
        """Send a request as it is."""
        headers = dict(request.headers)
        if request.by_browser and self.browser.cookie:
            headers["Cookie"] = self.browser.cookie
        query = f"?{urlencode(request.query, doseq=True)}" if request.query else ""
        form = None if request.form is None else dict(request.form)
        return send(
            f"{self.org_url}{request.path}{query}",
            request.method,
            form=form,
            body=request.body,
            client=request.client,
            headers=headers,
        )

    def sign_in(self, login: str = ALICE) -> None:
        """Let a user sign in at the browser."""
        self.browser.sign_in(self.browser.authorize(prompt="login"), login)

    def code(self, **parameters: str) -> str:
        """A fresh code for alice."""
        return redirected(self.browser.sign_in(self.browser.authorize(prompt="login", **parameters)))["code"]

    def tokens(self, **parameters: str) -> dict[str, Any]:
        """The tokens that the web app gets for a code."""
        return self.answer_to(token_request("authorization_code", code=self.code(**parameters), redirect_uri=CALLBACK))

    def answer_to(self, request: Request) -> dict[str, Any]:
        """The JSON with which a request is answered."""
        members: dict[str, Any] = self.send(request).json()
        return members

    def refresh_token(self, **members: Any) -> str:
        """A refresh token of the web app for alice."""
        return self.issuer.token(kind="refresh", sub=ALICE, scp="openid offline_access", **members)

    def user_token(self, scp: str = "openid", **members: Any) -> str:
        """An access token of the web app for alice."""
        return self.issuer.token(sub=ALICE, scp=scp, **members)
