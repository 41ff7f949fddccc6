"""Jupyter Server with one scope for all; the lines that protect it are those of docs/how-to/existing-app.rst.

``test_jupyter_tokens.py`` tests the identity provider, which has a scope for each resource.
"""

from __future__ import annotations

import base64
import gc
import json
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from foreign_applications import ServedApplication
from jupyter_kernel import run
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPClientError
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, protect, protected


def make_protected(arguments: list[str]) -> tuple[ServerApp, ResourceServerApplication]:
    server = ServerApp()
    server.initialize(["--IdentityProvider.token=", *arguments])
    guard = protect(server.web_app, Settings(), wrap=protected(scopes="jupyter:use"))
    return server, guard


pytestmark = pytest.mark.filterwarnings("default")  # those of other packages are no errors


@pytest.fixture
def served(serve: Any, io_loop: IOLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedApplication]:
    for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    files = tmp_path / "files"
    files.mkdir()
    arguments = ["--allow-root", "--no-browser", "--ServerApp.port=0", f"--ServerApp.root_dir={files}"]
    signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    server, guard = make_protected(arguments)
    unprotected = ServerApp()
    unprotected.initialize(["--IdentityProvider.token=", *arguments])
    yield serve(server.web_app, guard, scope="jupyter:use", unprotected=unprotected.web_app)
    for each in (server, unprotected):
        io_loop.run_sync(each._cleanup)
        each.http_server.stop()
    for connection in [each for each in gc.get_objects() if isinstance(each, sqlite3.Connection)]:
        connection.close()  # Jupyter leaves some open until the program ends
    for number, handler in signals.items():
        signal.signal(number, handler)


@pytest.mark.gen_test
async def test_each_route_rejects_a_request_without_a_token(served: ServedApplication) -> None:
    assert {"/api/status", "/api/kernels", "/api/terminals", "/metrics"} <= served.paths.keys()
    await served.check_rejections()


@pytest.mark.gen_test
async def test_a_good_token_gets_the_pages_of_the_application(served: ServedApplication) -> None:
    # Jupyter does not check a request with a token in a header for cross-site request forgery.
    checked = {"/files/", "/nbconvert/0/0"}
    replaced = await served.check_pages(varying={"/api/me", "/api/status", "/metrics"}, unread=checked)
    assert {"/nbconvert/0": "method_not_allowed"} == replaced
    for path in checked:
        assert (await served.fetch(served.unprotected_url + path)).body != (await served.call(path)).body


@pytest.mark.gen_test
async def test_the_application_keeps_its_own_error_messages(served: ServedApplication) -> None:
    response = await served.call("/api/contents/missing.txt")
    assert (404, b"file or directory '/missing.txt' does not exist") == (response.code, response.body)
    response = await served.call("/api/kernels/0-0-0-0-0")
    assert (404, "Kernel does not exist: 0-0-0-0-0") == (response.code, json.loads(response.body)["message"])
    response = await served.call("/api/sessions", "POST", data={})
    assert (400, "Missing field in JSON data: path") == (response.code, json.loads(response.body)["message"])


@pytest.mark.gen_test
async def test_a_good_token_writes_and_reads_a_file(served: ServedApplication) -> None:
    file = {"type": "file", "format": "text", "content": "hello"}
    assert 201 == (await served.call("/api/contents/notes.txt", "PUT", data=file)).code
    assert b"hello" == (await served.call("/files/notes.txt")).body


@pytest.mark.gen_test(timeout=60)
async def test_a_kernel_runs_code(served: ServedApplication, open_socket: Any, issuer: RunningIssuer) -> None:
    kernel = json.loads((await served.call("/api/kernels", "POST", data={})).body)
    channels = f"{served.url}/api/kernels/{kernel['id']}/channels"
    offered = base64.urlsafe_b64encode(served.authorization.removeprefix("Bearer ").encode()).decode().rstrip("=")
    by_header = await open_socket(channels, Authorization=served.authorization)
    assert "42\n" == await run(by_header, "print(6 * 7)")
    by_subprotocol = await open_socket(channels, f"base64url.bearer.authorization.{offered}")
    assert "43\n" == await run(by_subprotocol, "print(43)")
    for fields, status in [({}, 401), ({"Authorization": f"Bearer {issuer.token(scp='other')}"}, 403)]:
        with pytest.raises(HTTPClientError) as rejection:
            await open_socket(channels, **fields)
        assert status == rejection.value.code
