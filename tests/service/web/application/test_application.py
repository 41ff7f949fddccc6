from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RedirectHandler, RequestHandler

from service.app import make_app, protect
from service.errors import SettingsError
from service.settings.program import Settings
from service.web.application.application import ResourceServerApplication
from service.web.connections.server import LimitedHTTPServer
from service.web.endpoints.okta_guide import WhoAmI
from service.web.handler.mixin import BearerAuthMixin


class Slow(BearerAuthMixin, RequestHandler):
    public = True
    entered = asyncio.Event()
    release = asyncio.Event()

    async def get(self) -> None:
        self.entered.set()
        await self.release.wait()
        self.write({})

    def post(self) -> None:
        self.write({})


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication]) -> ResourceServerApplication:
    Slow.entered, Slow.release = asyncio.Event(), asyncio.Event()
    return serve([(r"/slow", Slow), (r"/whoami", WhoAmI)])


@pytest.mark.gen_test
async def test_finish_requests_waits_for_every_response(
    app: ResourceServerApplication, http_client: AsyncHTTPClient, base_url: str
) -> None:
    assert await app.finish_requests(within=0.01)
    responses = [asyncio.ensure_future(http_client.fetch(f"{base_url}/slow")) for _ in range(3)]
    await Slow.entered.wait()
    assert not await app.finish_requests(within=0.01)
    Slow.release.set()
    assert await app.finish_requests(within=5)
    assert [200, 200, 200] == [response.code for response in await asyncio.gather(*responses)]


@pytest.mark.gen_test
async def test_finish_requests_does_not_wait_for_a_disconnected_client(
    app: ResourceServerApplication, http_server: HTTPServer, http_port: int
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", http_port)
    writer.write(b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()
    while await app.finish_requests(within=0):  # noqa: ASYNC110  # the server has no event for a started request
        await asyncio.sleep(0)
    writer.close()
    assert await app.finish_requests(within=5)


@pytest.mark.gen_test
async def test_cleanups_run_once_in_the_order_added(app: ResourceServerApplication) -> None:
    calls: list[str] = []

    async def second() -> None:
        calls.append("second")

    app.add_cleanup(lambda: calls.append("first"))
    app.add_cleanup(second)
    await app.close()
    assert ["first", "second"] == calls
    await app.close()


@pytest.mark.gen_test
async def test_routes_added_later_are_audited(
    app: ResourceServerApplication, http_client: AsyncHTTPClient, base_url: str
) -> None:
    with pytest.raises(SettingsError, match="RedirectHandler"):
        app.add_handlers(r".*", [(r"/later", RedirectHandler, {"url": "/"})])
    app.add_handlers(r".*", [(r"/later", WhoAmI)])
    assert 401 == (await http_client.fetch(f"{base_url}/later", raise_error=False)).code


@pytest.mark.gen_test
async def test_each_request_is_logged_in_one_line_without_query_and_token(
    http_client: AsyncHTTPClient, base_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="service.access")
    await http_client.fetch(f"{base_url}/whoami?access_token=sesame", headers={"Authorization": "Bearer good~sesame"})
    (record,) = (record for record in caplog.records if record.name == "service.access")
    assert record.getMessage().startswith("GET /whoami 200 ")
    assert ("/whoami", 200) == (vars(record)["path"], vars(record)["status"])
    assert "sesame" not in caplog.text


@pytest.mark.gen_test
async def test_listen_applies_the_limits_of_the_settings(http_client: AsyncHTTPClient) -> None:
    app = _make_limited_app()
    server = app.listen(0, "127.0.0.1", reuse_port=False)
    assert isinstance(server, LimitedHTTPServer)
    (listening,) = server._sockets.values()
    port = listening.getsockname()[1]
    response = await http_client.fetch(f"http://127.0.0.1:{port}/slow", method="POST", body="x" * 11, raise_error=False)
    assert (413, "content_too_large") == (response.code, json.loads(response.body)["error"])
    server.stop()
    await server.close_all_connections()
    await app.close()


@pytest.mark.parametrize(("size", "status"), [(10, 200), (11, 400)])
@pytest.mark.gen_test
async def test_the_server_of_tornado_has_the_limits_that_it_does_not_set_itself(
    size: int, status: int, http_client: AsyncHTTPClient
) -> None:
    app = _make_limited_app()
    (sock,) = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(app)
    server.add_socket(sock)
    url = f"http://127.0.0.1:{sock.getsockname()[1]}/slow"
    response = await http_client.fetch(url, method="POST", body="x" * size, raise_error=False)
    assert status == response.code
    server.stop()
    await app.close()


@pytest.mark.gen_test
async def test_limits_that_the_server_of_tornado_sets_itself_are_kept(http_client: AsyncHTTPClient) -> None:
    app = _make_limited_app()
    (sock,) = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(app, max_body_size=100, body_timeout=5)
    server.add_socket(sock)
    response = await http_client.fetch(
        f"http://127.0.0.1:{sock.getsockname()[1]}/slow", method="POST", body="x" * 100, raise_error=False
    )
    assert 200 == response.code
    server.stop()
    await app.close()


def test_the_websocket_limits_of_an_application_take_precedence() -> None:
    settings = Settings(issuer="https://issuer.example", audience=("api",), websocket_max_message_size=1000)
    application = Application([], websocket_ping_interval=5)
    protect(application, settings)
    limits = {name: application.settings[f"websocket_{name}"] for name in ("max_message_size", "ping_interval")}
    assert {"max_message_size": 1000, "ping_interval": 5} == limits


def _make_limited_app() -> ResourceServerApplication:
    settings = Settings(issuer="https://issuer.example", audience=("api",), max_body_size=10)
    return make_app(settings, routes=[(r"/slow", Slow)])
