"""The configuration that the documentation shows, in a real nginx between a client and what knows no tokens."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import docutils.core
import docutils.nodes
import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "forward-auth.rst"
FRAME = """
daemon off;
pid nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    {server}
}}
"""
FIELDS = ("X-Auth-Subject", "X-Auth-Client-Id", "X-Auth-Scopes")

Send = Callable[..., Awaitable[HTTPResponse]]


class Reports(tornado.web.RequestHandler):
    """Knows no tokens, and tells what the proxy told it."""

    def get(self) -> None:
        self.write({"told": [self.request.headers.get_list(name) for name in FIELDS]})

    def post(self) -> None:
        self.write({"kept": self.request.body.decode()})


def _server(**ports: int) -> str:
    document = docutils.core.publish_doctree(PAGE.read_text("utf-8"))
    (shown,) = [b.astext() for b in document.findall(docutils.nodes.literal_block) if "nginx" in b["classes"]]
    for old, new in (("listen 8000", "proxy"), ("127.0.0.1:8080", "service"), ("127.0.0.1:9000", "reports")):
        assert old in shown
        shown = shown.replace(old, f"{old.rstrip('0123456789').replace('listen ', 'listen 127.0.0.1:')}{ports[new]}")
    return shown


@contextlib.asynccontextmanager
async def _nginx(folder: Path, *, service: int) -> AsyncIterator[str]:
    """Run nginx as the page shows it, before a service and before what knows no tokens."""
    reports = tornado.web.Application([(r"/reports", Reports)]).listen(0, "127.0.0.1")
    (listening,) = reports._sockets.values()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    shown = _server(proxy=port, service=service, reports=listening.getsockname()[1])
    (folder / "nginx.conf").write_text(FRAME.format(server=shown))
    process = await asyncio.create_subprocess_exec("nginx", "-e", "stderr", "-p", str(folder), "-c", "nginx.conf")
    try:
        await asyncio.wait_for(_until_it_listens(port), 10)
        yield f"http://127.0.0.1:{port}/reports"
    finally:
        process.terminate()
        await process.wait()
        reports.stop()


async def _until_it_listens(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return


@pytest.fixture
def send(fake_issuer: RunningIssuer, listen: Callable[[ResourceServerApplication], str], tmp_path: Path) -> Send:
    """Return what sends one request through nginx."""
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed; Debian has it as nginx-light")
    url = listen(make_app(Settings(issuer=fake_issuer.issuer_url(), forward_auth=True)))

    async def sending(**request: Any) -> HTTPResponse:
        async with _nginx(tmp_path, service=int(url.rpartition(":")[2])) as behind:
            return await AsyncHTTPClient().fetch(behind, raise_error=False, **request)

    return sending


@pytest.mark.gen_test
async def test_a_good_token_sets_the_identity_headers_and_overrides_the_clients(
    send: Send, fake_issuer: RunningIssuer
) -> None:
    token = fake_issuer.token(sub="zoë", cid="0oa1", claims={"scp": None})
    response = await send(
        headers={"Authorization": f"Bearer {token}", "X-Auth-Subject": "root", "X-Auth-Scopes": "all"}
    )
    assert (200, {"told": [["zo%C3%AB"], ["0oa1"], []]}) == (response.code, json.loads(response.body))


@pytest.mark.gen_test
async def test_the_request_body_reaches_the_backend(send: Send, fake_issuer: RunningIssuer) -> None:
    headers = {"Authorization": f"Bearer {fake_issuer.token()}"}
    response = await send(method="POST", body="a report", headers=headers)
    assert {"kept": "a report"} == json.loads(response.body)


@pytest.mark.parametrize(
    ("authorization", "status", "error"),
    [
        (None, 401, "missing_token"),
        ("Bearer a.b.c", 401, "invalid_token"),
        ("Bearer a b", 400, "invalid_request"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.gen_test
async def test_a_rejection_passes_the_proxy_unchanged(
    method: str, authorization: str | None, status: int, error: str, send: Send
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    response = await send(method=method, body="a report" if method == "POST" else None, headers=headers)
    assert (status, error) == (response.code, json.loads(response.body)["error"])
    (challenge,) = response.headers.get_list("WWW-Authenticate")
    assert challenge.startswith('Bearer realm="api"')


@pytest.mark.gen_test
async def test_an_unavailable_issuer_is_503_behind_the_proxy(send: Send, fake_issuer: RunningIssuer) -> None:
    fake_issuer.fail("discovery", status=500)
    response = await send(headers={"Authorization": f"Bearer {fake_issuer.token()}"})
    assert (503, "temporarily_unavailable") == (response.code, json.loads(response.body)["error"])
    assert int(response.headers["Retry-After"]) >= 1
    assert "WWW-Authenticate" not in response.headers
