"""Jupyter Server with the identity provider and the authorizer of ``examples/jupyter_tokens.py``."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import urllib.parse
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from foreign_applications import bearer_challenge, shortest_path
from jupyter_kernel import run
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse
from tornado.websocket import WebSocketClientConnection

from fakeissuer import RunningIssuer

OPTIONS = [
    "--allow-root",
    "--no-browser",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port=0",
    "--ServerApp.identity_provider_class=jupyter_tokens.TokenIdentityProvider",
    "--ServerApp.authorizer_class=jupyter_tokens.ScopeAuthorizer",
]
LIST_ROUTES = """
import json, sys
from jupyter_server.serverapp import ServerApp
server = ServerApp()
server.initialize(sys.argv[1:], new_httpserver=False)
rules = [rule for host in server.web_app.default_router.rules for rule in host.target.rules]
print(json.dumps([rule.matcher.regex.pattern for rule in rules]))
"""
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

Call = Callable[..., Awaitable[HTTPResponse]]
Open = Callable[..., Awaitable[WebSocketClientConnection]]


@pytest.fixture(scope="module")
def url(start_program: Callable[..., str]) -> str:
    return start_program("-m", "jupyter_server", *OPTIONS, pattern=r"is running at:\n.*(http://127\.0\.0\.1:\d+)/")


@pytest.fixture
def call(url: str, issuer: RunningIssuer, http_client: AsyncHTTPClient) -> Call:
    async def send(path: str, scopes: str | None = None, method: str = "GET", body: object = None) -> HTTPResponse:
        headers = {} if scopes is None else {"Authorization": f"Bearer {issuer.token(scp=scopes)}"}
        return await http_client.fetch(
            url + path,
            method=method,
            headers=headers,
            body=None if body is None else json.dumps(body),
            follow_redirects=False,
            raise_error=False,
            allow_nonstandard_methods=True,
        )

    return send


@pytest.fixture
def open_channels(url: str, open_socket: Open, call: Call) -> Open:
    """Return a function that starts a kernel and opens its WebSocket with these header fields."""

    async def connect(*subprotocols: str, **headers: str) -> WebSocketClientConnection:
        kernel = json.loads((await call("/api/kernels", "kernels:write", "POST", {})).body)
        return await open_socket(f"{url}/api/kernels/{kernel['id']}/channels", *subprotocols, **headers)

    return connect


@pytest.fixture(scope="module")
def paths(application_environment: dict[str, str]) -> list[str]:
    """A path of every route that the server and its extensions mount."""
    command = [sys.executable, "-c", LIST_ROUTES, *OPTIONS]
    printed = subprocess.run(
        command, env=application_environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ).stdout
    return [shortest_path(pattern) or "/missing" for pattern in json.loads(printed)]


@pytest.mark.gen_test(timeout=60)
async def test_every_route_rejects_a_request_without_a_token(call: Call, paths: list[str]) -> None:
    assert {"/api/status", "/api/kernels", "/api/terminals", "/metrics"} <= set(paths)
    rejected, others = set(), set()
    for path in paths:
        for method in METHODS:
            response = await call(path, method=method)
            challenge = bearer_challenge(response)
            if (401, 'Bearer realm="api"') == (response.code, challenge):
                rejected.add(path)
            elif response.code != 405:  # a method that no code of the handler sees
                others.add((path, response.code))
    # Jupyter's handler of a trailing slash is its only one without a user: it redirects GET, and has no other method.
    assert {("/0/", 302), ("/0/", 403)} == others
    assert set(paths) - {"/0/"} == rejected


@pytest.mark.gen_test
async def test_a_bad_token_gets_the_reason_and_no_body_of_jupyter(url: str, http_client: AsyncHTTPClient) -> None:
    headers = {"Authorization": "Bearer nonsense"}
    response = await http_client.fetch(f"{url}/api/contents", headers=headers, raise_error=False)
    assert (401, "invalid_token") == (response.code, json.loads(response.body)["error"])
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
    assert "no-store" == response.headers["Cache-Control"]


SCOPES = {
    "status": ("GET", "/api/status", None, "api:read", 200),
    "a list of files": ("GET", "/api/contents", None, "contents:read", 200),
    "a new file": ("PUT", "/api/contents/notes.txt", {"type": "file", "format": "text", "content": "hello"},
                   "contents:write", 201),
    "its content": ("GET", "/files/notes.txt", None, "contents:read", 200),
    "kernels": ("GET", "/api/kernels", None, "kernels:read", 200),
    "a new kernel": ("POST", "/api/kernels", {}, "kernels:write", 201),
    "a new terminal": ("POST", "/api/terminals", {}, "terminals:write", 200),
}  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "scope", "status"), SCOPES.values(), ids=SCOPES.keys())
@pytest.mark.gen_test
async def test_a_route_requires_the_scope_of_its_resource_and_action(
    method: str, path: str, body: object, scope: str, status: int, call: Call
) -> None:
    resource, action = scope.split(":")
    others = f"{resource}:{'write' if action == 'read' else 'read'} other:{action}"
    response = await call(path, others, method, body)
    assert 403 == response.code
    assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]
    assert f'scope="{scope}"' in response.headers["WWW-Authenticate"]
    assert status == (await call(path, scope, method, body)).code


@pytest.mark.gen_test
async def test_jupyter_keeps_its_own_error_messages(call: Call) -> None:
    response = await call("/api/contents/missing.txt", "contents:read")
    assert (404, b"file or directory '/missing.txt' does not exist") == (response.code, response.body)
    response = await call("/api/kernels/0-0-0-0-0", "kernels:read")
    assert (404, "Kernel does not exist: 0-0-0-0-0") == (response.code, json.loads(response.body)["message"])


@pytest.mark.gen_test
async def test_the_identity_names_the_subject_and_the_permissions(call: Call) -> None:
    permissions = urllib.parse.quote(json.dumps({"contents": ["read", "write"]}))
    response = await call(f"/api/me?permissions={permissions}", "contents:read")
    found = json.loads(response.body)
    assert ("0oaservice0000000001", ["read"]) == (found["identity"]["username"], found["permissions"]["contents"])
    assert "principal" not in found["identity"]


@pytest.mark.gen_test(timeout=60)
async def test_a_kernel_runs_code_until_the_token_expires(open_channels: Open, issuer: RunningIssuer) -> None:
    token = issuer.token(scp="kernels:write", expires_in=6)
    socket = await open_channels(Authorization=f"Bearer {token}")
    assert "42\n" == await run(socket, "print(6 * 7)")
    while await socket.read_message() is not None:
        pass
    assert (4401, "token ended") == (socket.close_code, socket.close_reason)


@pytest.mark.gen_test(timeout=60)
async def test_a_browser_offers_the_token_as_a_subprotocol(open_channels: Open, issuer: RunningIssuer) -> None:
    token = base64.urlsafe_b64encode(issuer.token(scp="kernels:write").encode()).decode().rstrip("=")
    socket = await open_channels("other", f"base64url.bearer.authorization.{token}")
    assert "42\n" == await run(socket, "print(6 * 7)")
    assert socket.selected_subprotocol is None


@pytest.mark.parametrize(
    ("claims", "status", "error"),
    [
        (None, 401, "missing_token"),
        ({"scp": "kernels:read"}, 403, "insufficient_scope"),
        ({"scp": "kernels:write", "expires_in": -1000}, 401, "invalid_token"),
    ],
)
@pytest.mark.gen_test(timeout=60)
async def test_a_kernel_refuses_a_socket(
    claims: dict[str, Any] | None, status: int, error: str, open_channels: Open, issuer: RunningIssuer
) -> None:
    headers = {} if claims is None else {"Authorization": f"Bearer {issuer.token(**claims)}"}
    with pytest.raises(HTTPClientError) as rejection:
        await open_channels(**headers)
    assert rejection.value.response is not None
    assert (status, error) == (rejection.value.code, json.loads(rejection.value.response.body)["error"])
