from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.web import Application, RedirectHandler, RequestHandler

from service.app import make_app
from service.errors import SettingsError
from service.settings.program import Settings
from service.web.application.application import ResourceServerApplication, protect_application
from service.web.endpoints.okta_guide import NotFound, WhoAmI
from service.web.handler.mixin import BearerAuthMixin


class Slow(BearerAuthMixin, RequestHandler):
    public = True
    entered = asyncio.Event()
    leave = asyncio.Event()

    async def get(self) -> None:
        self.entered.set()
        await self.leave.wait()
        self.write({})

    def post(self) -> None:
        self.write({})


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication]) -> ResourceServerApplication:
    Slow.entered, Slow.leave = asyncio.Event(), asyncio.Event()
    return serve([(r"/slow", Slow)])


@pytest.mark.gen_test
async def test_knows_when_the_last_request_is_answered(
    app: ResourceServerApplication, http_client: AsyncHTTPClient, base_url: str
) -> None:
    assert await app.finish_requests(within=0.01)
    responses = [asyncio.ensure_future(http_client.fetch(f"{base_url}/slow")) for _ in range(3)]
    await Slow.entered.wait()
    assert not await app.finish_requests(within=0.01)
    Slow.leave.set()
    assert await app.finish_requests(within=5)
    assert [200, 200, 200] == [response.code for response in await asyncio.gather(*responses)]


@pytest.mark.gen_test
async def test_a_client_that_hangs_up_in_the_middle_of_its_request_is_not_waited_for(
    app: ResourceServerApplication, http_server: HTTPServer, http_port: int
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", http_port)
    writer.write(b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()
    while await app.finish_requests(within=0):  # noqa: ASYNC110  # the server reads when it gets to it
        await asyncio.sleep(0)
    writer.close()
    assert await app.finish_requests(within=5)


@pytest.mark.gen_test
async def test_gives_back_what_it_holds_in_the_order_noted(app: ResourceServerApplication) -> None:
    given: list[str] = []

    async def later() -> None:
        given.append("later")

    app.add_cleanup(lambda: given.append("first noted"))
    app.add_cleanup(later)
    await app.close()
    assert ["first noted", "later"] == given
    await app.close()


@pytest.mark.gen_test
async def test_routes_that_are_added_later_are_audited_too(
    app: ResourceServerApplication, http_client: AsyncHTTPClient, base_url: str
) -> None:
    with pytest.raises(SettingsError, match="RedirectHandler"):
        app.add_handlers(r".*", [(r"/later", RedirectHandler, {"url": "/"})])
    app.add_handlers(r".*", [(r"/later", WhoAmI)])
    assert 401 == (await http_client.fetch(f"{base_url}/later", raise_error=False)).code


def test_an_application_that_is_adopted_is_audited_and_nothing_is_changed_when_it_fails(
    app: ResourceServerApplication,
) -> None:
    theirs = Application([(r"/old", RedirectHandler, {"url": "/"})])
    with pytest.raises(SettingsError, match="RedirectHandler"):
        protect_application(theirs, app)
    assert {} == theirs.settings
    theirs = Application([(r"/whoami", WhoAmI)])
    protect_application(theirs, app)
    assert NotFound is theirs.settings["default_handler_class"]


@pytest.mark.gen_test
async def test_routes_that_are_added_to_an_adopted_application_are_audited_too(app: ResourceServerApplication) -> None:
    theirs = Application([])
    protect_application(theirs, app)
    with pytest.raises(SettingsError, match="RedirectHandler"):
        theirs.add_handlers(r".*", [(r"/later", RedirectHandler, {"url": "/"})])
    theirs.add_handlers(r".*", [(r"/later", WhoAmI)])
    server = theirs.listen(0, "127.0.0.1")
    (socket,) = server._sockets.values()
    url = f"http://127.0.0.1:{socket.getsockname()[1]}/later"
    assert 401 == (await AsyncHTTPClient().fetch(url, raise_error=False)).code
    server.stop()


def test_an_application_that_is_adopted_may_not_insist_on_what_is_not_set_up() -> None:
    service = make_app(Settings(issuer="https://dev-1.okta.com/oauth2/default"), routes=())
    insisting = type("Insisting", (BearerAuthMixin, RequestHandler), {"validation": "introspectoin"})
    with pytest.raises(SettingsError, match="introspectoin"):
        protect_application(Application([(r"/x", insisting)]), service)


def test_an_application_that_is_adopted_keeps_what_answers_its_other_paths(app: ResourceServerApplication) -> None:
    theirs = Application([], default_handler_class=WhoAmI)
    protect_application(theirs, app)
    assert WhoAmI is theirs.settings["default_handler_class"]
