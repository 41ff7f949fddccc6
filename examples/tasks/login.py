"""A login for browsers: the authorization code flow with PKCE (RFC 6749 section 4.1, RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import urllib.parse
from typing import Any

import tornado.web
from tasks.api import TaskHandler
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.httputil import url_concat

from service import BearerAuthMixin, IssuerUnavailable, Settings


class LoginHandler(BearerAuthMixin, tornado.web.RequestHandler):
    """The base class of both steps of a login."""

    public = True
    cookie = "__Host-login"

    def initialize(self, settings: Settings, client_id: str) -> None:
        self.issuer, self.client_id = settings.issuer, client_id
        origin = settings.public_url or f"{self.request.protocol}://{self.request.host}"
        self.redirect_uri = f"{origin}/callback"

    async def endpoint(self, name: str) -> str:
        """Return the URL of an endpoint of the issuer."""
        metadata = await self.fetch(f"{self.issuer}/.well-known/openid-configuration")
        return str(metadata[name])

    async def fetch(self, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
        body, method = (None, "GET") if form is None else (urllib.parse.urlencode(form), "POST")
        try:
            response = await AsyncHTTPClient().fetch(url, method=method, body=body, follow_redirects=False)
            document: dict[str, Any] = json.loads(response.body)
        except (HTTPClientError, OSError, ValueError) as error:
            if form and isinstance(error, HTTPClientError) and error.code == 400:
                raise tornado.web.HTTPError(400, reason="the issuer rejected the login") from error
            raise IssuerUnavailable(f"{method} {url}: {error}") from error
        return document

    def set_host_cookie(self, name: str, value: str, max_age: int) -> None:
        # Lax, because the browser comes back from the issuer's site; with Strict it would not send the cookie.
        self.set_cookie(name, value, path="/", secure=True, httponly=True, samesite="Lax", max_age=max_age)


class Login(LoginHandler):
    """Sends the browser to the issuer."""

    async def get(self) -> None:
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
        request = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "api:read api:write",
            "state": state,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        url = url_concat(await self.endpoint("authorization_endpoint"), request)
        self.set_host_cookie(self.cookie, f"{state}.{verifier}", max_age=600)
        self.redirect(url)


class Callback(LoginHandler):
    """Receives the browser from the issuer, and keeps the token in a cookie."""

    async def get(self) -> None:
        state, _, verifier = self.get_cookie(self.cookie, "").partition(".")
        self.clear_cookie(self.cookie, secure=True)
        # Without the state of this browser, an attacker could sign a user in to the attacker's account.
        if not secrets.compare_digest(state.encode(), self.get_argument("state").encode()) or not state:
            raise tornado.web.HTTPError(400, reason="the login was not started in this browser, or took too long")
        if self.get_argument("error", ""):
            raise tornado.web.HTTPError(403, reason="the issuer did not sign the user in")
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "code": self.get_argument("code"),
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }
        token = await self.fetch(await self.endpoint("token_endpoint"), form)
        self.set_host_cookie(TaskHandler.token_cookie, token["access_token"], max_age=token["expires_in"])
        self.redirect("/")


class Logout(TaskHandler):
    """Removes the token of the browser."""

    optional = True

    def post(self) -> None:
        self.clear_cookie(self.token_cookie, secure=True)
        self.write('You are signed out. <a href="/">Sign in</a>')
