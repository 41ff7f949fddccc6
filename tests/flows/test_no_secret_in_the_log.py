"""Every flow at DEBUG, and no token, secret, code, proof or certificate in the log of the program."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import signal
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from programs import Start, first_match, free_port
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from fakeissuer import DPoPClient, RunningIssuer

CLIENT_SECRET = "api-secret-for-tests-only-00000000001"
ADMIN_TOKEN = "operators-only-5b1f1a7e-0123456789-abcdef"
WRONG_ADMIN_TOKEN = "mistyped-operators-9d2c4b"
CACHE_SECRET = "the-secret-of-the-shared-cache-0000"
CODE, STATE, PASSWORD = "authorization-code-3f9a7c21", "state-of-the-sign-in-77ab", "password-of-alice-1c2d"
ROUTES = """
import tornado.web
import tornado.websocket
from service import BearerAuthMixin

class Anywhere(BearerAuthMixin, tornado.web.RequestHandler):
    token_sources = ("header", "form", "query", "cookie", "oauth2-proxy")
    token_cookie = "token"

    def get(self):
        self.write({"subject": self.principal.subject})

    post = get

class Failing(BearerAuthMixin, tornado.web.RequestHandler):
    def get(self):
        raise RuntimeError("broken")

class Socket(BearerAuthMixin, tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        self.write_message("received")

ROUTES = [(r"/anywhere", Anywhere), (r"/failing", Failing), (r"/socket", Socket)]
"""


def _is_sendable(token: str) -> bool:
    return token.isascii() and token.isprintable()


async def _send(url: str, **options: Any) -> None:
    try:
        await AsyncHTTPClient().fetch(url, raise_error=False, allow_nonstandard_methods=True, **options)
    except ValueError:  # what no client can send
        return


async def _present(url: str, token: str) -> None:
    """Present a token in every place, the wrong ones included."""
    quoted = urllib.parse.quote(token)
    await _send(f"{url}/anywhere", headers={"Authorization": f"Bearer {token}"})
    await _send(f"{url}/failing", headers={"Authorization": f"bearer   {token}"})
    await _send(f"{url}/anywhere", headers={"Authorization": f"Bearer {token}, {token}"})
    await _send(f"{url}/anywhere", headers={"Authorization": f"Basic {base64.b64encode(token.encode()).decode()}"})
    await _send(f"{url}/anywhere?access_token={quoted}&next={quoted}")
    await _send(f"{url}/nowhere?{quoted}", headers={"Authorization": f"Token {token}"})
    await _send(f"{url}/anywhere", method="POST", body=f"access_token={quoted}")
    await _send(f"{url}/anywhere", headers={"Cookie": f"token={token}"})
    await _send(f"{url}/anywhere", headers={"X-Forwarded-Access-Token": token, "X-Request-Id": f"eyJ{token}"})
    await _send(f"{url}/anywhere", headers={"Authorization": f"DPoP {token}", "DPoP": token, "traceparent": token})
    await _send(f"{url}/auth", headers={"Authorization": f"Bearer {token}", "X-Original-URI": f"/x?t={quoted}"})
    encoded = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
    protocol = f"base64url.bearer.authorization.{encoded}"
    request = HTTPRequest(
        f"{url.replace('http', 'ws')}/socket", headers={"Sec-WebSocket-Protocol": f"{protocol}, chat"}
    )
    try:
        socket = await websocket_connect(request)
    except HTTPClientError:
        return
    await socket.write_message(token)
    await socket.read_message()
    socket.close()


async def _send_raw(url: str, text: str) -> None:
    reader, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
    writer.write(text.encode())
    await asyncio.wait_for(reader.read(), 20)
    writer.close()


@pytest.mark.parametrize(("validation", "log_format"), [("jwt", "text"), ("introspection", "json")])
@pytest.mark.gen_test(timeout=100)
async def test_no_credential_of_any_flow_is_in_the_log(
    validation: str, log_format: str, start: Start, fake_issuer: RunningIssuer, tmp_path: Path
) -> None:
    (tmp_path / "anywhere.py").write_text(ROUTES)
    admin_port = free_port()
    process = start(
        "service", "--port", "0", "--admin-port", str(admin_port), "--routes", "anywhere:ROUTES",
        "--log-format", log_format, "--log-level", "debug", "--issuer", fake_issuer.issuer_url(),
        PYTHONPATH=os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]), SERVICE_VALIDATION=validation,
        OKTA_CLIENT_ID="0oaapi00000000000001", OKTA_CLIENT_SECRET=CLIENT_SECRET, SERVICE_ADMIN_TOKEN=ADMIN_TOKEN,
        SERVICE_CACHE_SECRET=CACHE_SECRET, SERVICE_FORWARD_AUTH="true", SERVICE_TRUSTED_PROXIES="127.0.0.1",
        SERVICE_CLIENT_CERTIFICATE_HEADER="X-SSL-Client-Cert", PYTHONASYNCIODEBUG="1",
    )  # fmt: skip
    assert process.stderr is not None
    url = first_match(process.stderr, r"listening on (http://[^\s\"]+)")
    key = DPoPClient()
    bound = fake_issuer.token(dpop_jkt=key.thumbprint)
    proofs = [
        key.proof("GET", f"{url}/anywhere", access_token=bound),
        key.proof("POST", f"{url}/else", access_token=bound),
    ]
    tokens = [fake_issuer.token(), *(bad["token"] for bad in fake_issuer.bad_tokens()), "opaque-token-0123456789abcdef"]
    tokens = [token for token in tokens if _is_sendable(token)]
    for token in tokens:
        await _send(f"{url}/anywhere", headers={"Authorization": f"Bearer {token}"})
    for token in [*tokens[:4], tokens[-1]]:
        await _present(url, token)
    for proof in proofs:
        await _send(f"{url}/anywhere", headers={"Authorization": f"DPoP {bound}", "DPoP": proof})
    certificate = Authority(tmp_path).issue("client").pem
    await _send(
        f"{url}/anywhere",
        headers={"Authorization": f"Bearer {tokens[0]}", "X-SSL-Client-Cert": urllib.parse.quote(certificate)},
    )
    await _send(f"{url}/docs?code={CODE}&state={STATE}")
    await _send(f"{url}/anywhere", auth_username="alice", auth_password=PASSWORD)
    await _send_raw(url, f"GET /anywhere HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {tokens[0]}\x00\r\n\r\n")
    await _send_raw(url, f"GET /anywhere\r\n{tokens[0]}\r\n\r\n")
    for fault in ({"status": 401}, {"status": 500}, {"garbage": True}):
        fake_issuer.fail("introspect", **fault)
        await _send(f"{url}/anywhere", headers={"Authorization": f"Bearer {fake_issuer.token()}"})
    fake_issuer.reset()
    for admin_token in (ADMIN_TOKEN, WRONG_ADMIN_TOKEN):
        await _send(
            f"http://127.0.0.1:{admin_port}/deny-list",
            method="POST",
            body='{"sub": "mallory@example.com"}',
            headers={"Authorization": f"Bearer {admin_token}"},
        )
    process.send_signal(signal.SIGTERM)
    _, err = await asyncio.to_thread(process.communicate, timeout=30)
    parts = {part for text in [*tokens, *proofs, bound] for part in re.split(r"[.\s]", text) if len(part) > 20}
    encoded = {base64.b64encode(token.encode()).decode()[:40] for token in tokens}
    secrets = {CLIENT_SECRET, ADMIN_TOKEN, WRONG_ADMIN_TOKEN, CACHE_SECRET, CODE, STATE, PASSWORD}
    lines_of_certificate = {line for line in certificate.splitlines() if "-----" not in line}
    assert err.count("/anywhere") > 50
    assert not [part for part in parts | encoded | secrets | lines_of_certificate if part in err]
