"""sockjs-tornado; the lines that protect it are those of docs/how-to/existing-app.rst."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import tornado.web
from foreign_applications import ServedApplication
from sockjs.tornado import SockJSConnection, SockJSRouter
from tornado.httpclient import HTTPClientError

from service import ResourceServerApplication, Settings, protect, protected


class Echo(SockJSConnection):
    def on_message(self, message: str) -> None:
        self.send(message)


def make_protected() -> tuple[tornado.web.Application, ResourceServerApplication]:
    application = tornado.web.Application(SockJSRouter(Echo, "/echo").urls)
    guard = protect(application, Settings(), wrap=protected(scopes="echo:use"))
    return application, guard


pytestmark = pytest.mark.filterwarnings("default")  # those of other packages are no errors


@pytest.fixture
def served(serve: Any) -> ServedApplication:
    unprotected = tornado.web.Application(SockJSRouter(Echo, "/echo").urls)
    served: ServedApplication = serve(*make_protected(), scope="echo:use", unprotected=unprotected)
    return served


@pytest.mark.gen_test
async def test_each_route_rejects_a_request_without_a_token(served: ServedApplication) -> None:
    assert 13 == len(served.paths)
    await served.check_rejections()


@pytest.mark.gen_test
async def test_a_good_token_gets_the_pages_of_the_application(served: ServedApplication) -> None:
    streams = {path for path in served.paths if path.endswith(("eventsource", "htmlfile"))}
    replaced = await served.check_pages(varying={"/echo/info"}, unread=streams)
    assert "method_not_allowed" == replaced["/echo/0/0/xhr"]


@pytest.mark.parametrize(
    ("path", "exchange"),
    [
        ("/echo/websocket", [("hello", "hello")]),
        ("/echo/0/session/websocket", [(None, "o"), ('["hello"]', 'a["hello"]')]),
    ],
)
@pytest.mark.gen_test
async def test_a_websocket_returns_each_message(
    path: str, exchange: list[tuple[str | None, str]], served: ServedApplication, open_socket: Any
) -> None:
    token = base64.urlsafe_b64encode(served.authorization.removeprefix("Bearer ").encode()).decode().rstrip("=")
    by_header = await open_socket(served.url + path, Authorization=served.authorization)
    by_subprotocol = await open_socket(served.url + path, f"base64url.bearer.authorization.{token}")
    for socket in (by_header, by_subprotocol):
        for sent, received in exchange:
            if sent is not None:
                await socket.write_message(sent)
            assert received == await socket.read_message()
    for wrong in ({}, {"Authorization": "Bearer wrong"}):
        with pytest.raises(HTTPClientError, match="401"):
            await open_socket(served.url + path, **wrong)


@pytest.mark.gen_test
async def test_polling_returns_each_message(served: ServedApplication) -> None:
    assert b"o\n" == (await served.call("/echo/0/polled/xhr", "POST")).body
    assert 204 == (await served.call("/echo/0/polled/xhr_send", "POST", data=["hello"])).code
    assert b'a["hello"]\n' == (await served.call("/echo/0/polled/xhr", "POST")).body
    assert 401 == (await served.fetch(f"{served.url}/echo/0/polled/xhr", "POST")).code


@pytest.mark.gen_test
async def test_the_application_keeps_its_own_preflight_and_error_messages(served: ServedApplication) -> None:
    preflight = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    response = await served.fetch(f"{served.url}/echo/info", "OPTIONS", headers=preflight)
    assert (204, "https://app.example") == (response.code, response.headers["Access-Control-Allow-Origin"])
    assert json.loads((await served.call("/echo/info")).body)["websocket"]
    await served.call("/echo/0/broken/xhr", "POST")
    response = await served.call("/echo/0/broken/xhr_send", "POST", data=b"{")
    assert (500, b"Broken JSON encoding.") == (response.code, response.body)
