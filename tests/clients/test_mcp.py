"""The OAuth client of the MCP Python SDK, unmodified, against the fake issuer and a protected resource."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl
from scripted_browser import CALLBACK, SPA

from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer


class Storage:
    """The storage that the SDK expects."""

    def __init__(self, client: OAuthClientInformationFull | None = None) -> None:
        self.client = client
        self.tokens: OAuthToken | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@contextmanager
def resource(issuer: RunningIssuer) -> Iterator[str]:
    """A protected resource that names the issuer (RFC 9728) and introspects tokens there."""

    class Resource(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/.well-known/oauth-protected-resource"):
                return self.reply(200, {"resource": f"{url}/mcp", "authorization_servers": [issuer.issuer_url()]})
            token = self.headers.get("Authorization", "").partition(" ")[2]
            form = urlencode({"client_id": SPA, "token": token or "none"}).encode()
            with urllib.request.urlopen(f"{issuer.issuer_url()}/v1/introspect", form) as answer:  # noqa: S310  # ours
                claims = json.load(answer)
            return self.reply(200 if claims["active"] else 401, claims)

        def reply(self, status: int, members: object) -> None:
            self.send_response(status)
            if status == 401:
                metadata = f"{url}/.well-known/oauth-protected-resource/mcp"
                self.send_header("WWW-Authenticate", f'Bearer resource_metadata="{metadata}", scope="openid api:read"')
            self.end_headers()
            self.wfile.write(json.dumps(members).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its signature
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Resource)
    url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield url
    server.shutdown()
    server.server_close()
    thread.join()


async def called(url: str, storage: Storage) -> httpx2.Response:
    came_back: list[str] = []

    async def go(authorization_url: str) -> None:
        async with httpx2.AsyncClient() as browser:
            came_back.append((await browser.get(authorization_url)).headers["Location"])

    async def come_back() -> AuthorizationCodeResult:
        sent = parse_qs(urlsplit(came_back[0]).query)
        return AuthorizationCodeResult(code=sent["code"][0], state=sent["state"][0], iss=sent.get("iss", [None])[0])

    metadata = OAuthClientMetadata(redirect_uris=[AnyUrl(CALLBACK)], client_name="an MCP client")
    provider = OAuthClientProvider(f"{url}/mcp", metadata, storage, go, come_back)
    async with httpx2.AsyncClient(auth=provider) as client:
        return await client.get(f"{url}/mcp")


@pytest.mark.gen_test
async def test_a_dynamically_registered_client_is_authorized() -> None:
    async with running(profile="strict-rfc", auto_login="alice@example.com") as issuer:
        with resource(issuer) as url:
            storage = Storage()
            answer = await called(url, storage)
            assert (answer.status_code, answer.json()["username"]) == (200, "alice@example.com")
            assert storage.tokens is not None
            assert issuer.requests("register").count == 1


@pytest.mark.gen_test
async def test_a_configured_client_is_authorized() -> None:
    async with running(auto_login="alice@example.com") as issuer:
        with resource(issuer) as url:
            known = OAuthClientInformationFull(
                client_id=SPA, redirect_uris=[AnyUrl(CALLBACK)], token_endpoint_auth_method="none"
            )
            answer = await called(url, Storage(known))
            assert (answer.status_code, answer.json()["client_id"]) == (200, SPA)
            assert issuer.requests("register").count == 0
