"""All handlers of an application that others have built are protected in one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from tornado.routing import HostMatches, Matcher, PathMatches, Router, Rule, RuleRouter, URLSpec
from tornado.web import Application, ErrorHandler, FallbackHandler, RequestHandler
from tornado.websocket import WebSocketHandler

from service.errors import SettingsError
from service.web.application.application import ResourceServerApplication
from service.web.application.protect import protect_application
from service.web.handler.mixin import BearerAuthMixin
from service.web.routing.wrap import protected, public

Serve = Callable[..., ResourceServerApplication]


class Page(RequestHandler):
    """A handler of another package."""

    def initialize(self, text: str = "page") -> None:
        self.text = text

    def get(self, *_: str) -> None:
        self.write(self.text)

    post = get


class Admin(Page):
    """Another one."""


class Socket(WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        raise AssertionError(f"received {message!r}")


class Missing(RequestHandler):
    """The page of another package for unknown paths."""

    def prepare(self) -> None:
        self.set_status(404)
        self.finish("missing")


class Orders(BearerAuthMixin, Page):
    scopes = "orders.read"


class Always(Matcher):
    """Matches every request, as a rule may without a pattern."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any]:
        assert request.path
        return {}


def respond(request: HTTPServerRequest) -> None:
    assert request.connection is not None
    request.connection.write_headers(ResponseStartLine("HTTP/1.1", 204, "No Content"), HTTPHeaders())
    request.connection.finish()


SHARED = URLSpec("/shared", Page, {"text": "shared"}, name="shared")
"""A rule that several applications mount, as the module of another package defines it."""


def build(tmp_path: Any) -> Application:
    (tmp_path / "robots.txt").write_text("none")
    inner = Application([("/inner/page", Page)], default_handler_class=Missing)
    application = Application(
        [
            ("/page", Page, {"text": "own"}),
            SHARED,
            ("/socket", Socket),
            ("/fallback", FallbackHandler, {"fallback": respond}),
            ("/error", ErrorHandler, {"status_code": 410}),
            Rule(PathMatches("/inner/.*"), inner),
            Rule(PathMatches("/again/.*"), inner),
            Rule(
                PathMatches("/router/.*"), RuleRouter([Rule(PathMatches("/router/bare"), Application([("/.*", Page)]))])
            ),
            Rule(Always(), [Rule(PathMatches("/deep"), Admin)]),
            (HostMatches("127.0.0.1"), [("/host/page", Page), ("/orders", Orders)]),
        ],
        default_handler_class=Missing,
        static_path=str(tmp_path),
    )
    application.add_handlers("127.0.0.1", [("/added", Page), (r"/(\w+)/named", Page)])
    return application


PATHS = [
    "/page", "/shared", "/again/x", "/socket", "/fallback", "/error", "/inner/page", "/inner/other", "/router/bare",
    "/host/page", "/orders", "/added", "/x/named", "/deep", "/static/robots.txt", "/robots.txt", "/nothing",
]  # fmt: skip


@pytest.fixture
def app(serve: Serve) -> ResourceServerApplication:
    return serve([])


@pytest.fixture
def fetch(http_client: AsyncHTTPClient) -> Callable[..., Any]:
    async def send(application: Application, path: str, token: str | None = None) -> HTTPResponse:
        server = application.listen(0, "127.0.0.1")
        (socket,) = server._sockets.values()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"http://127.0.0.1:{socket.getsockname()[1]}{path}"
        response = await http_client.fetch(url, headers=headers, raise_error=False)
        server.stop()
        return response

    return send


@pytest.mark.parametrize(
    "wrap",
    [
        protected(scopes="things.read"),
        {".*": protected(scopes="things.read")},
        lambda _handler, _pattern: protected(scopes="things.read"),
        lambda handler, _pattern: protected(handler, scopes="things.read"),
    ],
    ids=["requirements", "a mapping", "a function that returns requirements", "a function that returns a class"],
)
@pytest.mark.gen_test
async def test_every_route_of_every_router_requires_a_token(
    wrap: Any, app: ResourceServerApplication, fetch: Callable[..., Any], tmp_path: Any
) -> None:
    application = build(tmp_path)
    protect_application(application, app, wrap=wrap)
    for path in PATHS:
        assert 401 == (await fetch(application, path)).code, path
        if path != "/socket":  # no handshake
            assert 403 == (await fetch(application, path, "good")).code, path
    token = "good~things.read"
    expected = {
        "/page": (200, b"own"),
        "/shared": (200, b"shared"),
        "/fallback": (204, b""),
        "/inner/page": (200, b"page"),
        "/inner/other": (404, b"missing"),
        "/router/bare": (200, b"page"),
        "/x/named": (200, b"page"),
        "/static/robots.txt": (200, b"none"),
        "/nothing": (404, b"missing"),
    }
    for path, (status, body) in expected.items():
        response = await fetch(application, path, token)
        assert (status, body) == (response.code, response.body), path
    assert 410 == (await fetch(application, "/error", token)).code
    assert 403 == (await fetch(application, "/orders", token)).code  # it keeps what its class states
    assert 200 == (await fetch(application, "/orders", "good~orders.read")).code


@pytest.mark.gen_test
async def test_a_rule_that_two_applications_share_is_wrapped_in_one_only(
    app: ResourceServerApplication, serve: Serve, fetch: Callable[..., Any]
) -> None:
    reading, writing, bare = Application([SHARED]), Application([SHARED]), Application([SHARED])
    protect_application(reading, app, wrap=protected(scopes="read"))
    protect_application(writing, serve([]), wrap=protected(scopes="write"))
    assert [200, 403, 200] == [(await fetch(each, "/shared", "good~read")).code for each in (reading, writing, bare)]
    assert "/shared" == reading.reverse_url("shared")


@pytest.mark.gen_test
async def test_a_mapping_states_the_requirements_of_each_pattern(
    app: ResourceServerApplication, fetch: Callable[..., Any]
) -> None:
    application = Application([("/page", Page), ("/admin/(.*)", Admin), ("/orders", Orders), ("/open", Page)])
    wrap = {
        "/admin/.*": protected(scopes="admin"),
        "/orders": protected(scopes="orders.all"),
        "/open": public(),
        ".*": protected(),
    }
    protect_application(application, app, wrap=wrap)
    statuses = {path: (await fetch(application, path, "good")).code for path in ("/page", "/admin/x", "/orders")}
    assert {"/page": 200, "/admin/x": 403, "/orders": 403} == statuses
    assert 200 == (await fetch(application, "/orders", "good~orders.all")).code
    assert 403 == (await fetch(application, "/orders", "good~orders.read")).code
    assert 200 == (await fetch(application, "/open")).code


@pytest.mark.gen_test
async def test_a_function_receives_each_unprotected_handler_with_its_pattern(app: ResourceServerApplication) -> None:
    calls = []

    def wrap(handler: type[RequestHandler], pattern: str) -> Any:
        calls.append((handler, pattern))
        return public() if handler is Page else protected(scopes="admin")

    application = Application([(r"/page/(\d+)", Page), ("/admin", Admin), ("/orders", Orders)])
    protect_application(application, app, wrap=wrap)
    assert [(Page, r"/page/(\d+)"), (Admin, "/admin")] == calls


@pytest.mark.gen_test
async def test_routes_that_are_added_later_are_wrapped(
    app: ResourceServerApplication, fetch: Callable[..., Any]
) -> None:
    application = Application([("/page", Page), ("/later/first", Page)])
    wrap = {"/page": protected(), "/later/.*": protected(scopes="later")}
    protect_application(application, app, wrap=wrap)
    inner = Application([("/later/inner", Page)])
    nested = Rule(HostMatches("127.0.0.1"), [("/later/nested", Page)])
    application.add_handlers(".*", [("/later/own", Page), Rule(PathMatches("/later/inner"), inner), nested])
    for path in ("/later/own", "/later/inner", "/later/nested"):
        statuses = [(await fetch(application, path, token)).code for token in (None, "good", "good~later")]
        assert [401, 403, 200] == statuses, path
    with pytest.raises(SettingsError, match=r"routes: '/other' leads to .*Page: no pattern of wrap matches"):
        application.add_handlers(".*", [("/other", Page)])
    assert 404 == (await fetch(application, "/other")).code


class Searching(Application):
    """Looks for a handler in several applications, as the dashboard of Dask does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.others: list[Application] = []
        super().__init__(*args, **kwargs)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        found: Any = super().find_handler(request, **kwargs)
        for other in self.others:
            if not issubclass(found.handler_class, ErrorHandler):
                break
            found = other.find_handler(request, **kwargs)
        return found


@pytest.mark.gen_test
async def test_handlers_that_an_application_finds_without_a_rule_are_wrapped(
    app: ResourceServerApplication, fetch: Callable[..., Any]
) -> None:
    application = Searching([("/page", Page)])
    protect_application(application, app, wrap=protected(scopes="read"))
    application.others.append(Application([("/other", Page)]))
    for path in ("/page", "/other"):
        assert [401, 403, 200] == [(await fetch(application, path, each)).code for each in (None, "good", "good~read")]
    response = await fetch(application, "/nothing")
    assert (404, "application/json; charset=UTF-8") == (response.code, response.headers["Content-Type"])


@pytest.mark.gen_test
async def test_a_handler_that_is_found_without_a_rule_and_cannot_be_wrapped_is_not_served(
    app: ResourceServerApplication, fetch: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    application = Searching([("/page", Page)])
    protect_application(application, app, wrap=protected(groups="Staff"))
    application.others.append(Application([("/other", type("Scoped", (Page,), {"scopes": "items:read"}))]))
    assert 500 == (await fetch(application, "/other", "good")).code
    assert "scopes of Scoped has no effect; write protected(…, scopes=…)" in caplog.text


class Hidden(Router):
    """A router whose rules cannot be listed."""

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        return Application([("/hidden", Page)]).find_handler(request, **kwargs)


class Responding(Application):
    """An application that serves a request by an object of its own."""

    def get_handler_delegate(self, request: HTTPServerRequest, *_: Any, **__: Any) -> Any:
        raise AssertionError(f"called for {request.path}")

    def find_handler(self, request: HTTPServerRequest, **_: Any) -> Any:
        return self.get_handler_delegate if request.path == "/" else object()


@pytest.mark.gen_test
async def test_a_router_that_cannot_be_listed_is_wrapped_where_it_finds_handlers(
    app: ResourceServerApplication, fetch: Callable[..., Any]
) -> None:
    application = Application([Rule(HostMatches("127.0.0.1"), Hidden())])
    with pytest.raises(SettingsError, match="Hidden, which finds handlers by find_handler of its own"):
        protect_application(application, app)
    with pytest.raises(SettingsError, match="Hidden, which finds handlers"):
        protect_application(application, app, wrap={"/hidden": protected()})
    protect_application(application, app, wrap=protected(scopes="read"))
    assert [401, 403, 200] == [(await fetch(application, "/hidden", each)).code for each in (None, "good", "good~read")]


@pytest.mark.gen_test
async def test_an_object_that_is_no_handler_is_not_served(
    app: ResourceServerApplication, fetch: Callable[..., Any]
) -> None:
    application = Responding([])
    protect_application(application, app, wrap=protected())
    assert 500 == (await fetch(application, "/x", "good")).code


MISTAKES: dict[str, tuple[Any, str]] = {
    "the function protected": (protected, r"wrap: was the function protected; call it: wrap=protected\(\)"),
    "the function public": (public, r"call it: wrap=public\(\)"),
    "a function of one argument": (lambda _handler: protected(), "a function of a handler class and a pattern"),
    "a string": ("things.read", "wrap: was 'things.read'; expected protected"),
    "a function that returns nothing": (lambda _handler, _pattern: None, "leads to .*Page: wrap returned None"),
    "a function that returns the handler": (lambda handler, _pattern: handler, "wrap returned <class"),
    "a mapping to strings": ({"/page": "read"}, "wrap: '/page' leads to 'read'"),
    "a pattern that matches nothing": (
        {"/page": protected(), "/pge": public()},
        "wrap: '/pge' matches no unprotected route; the nearest is '/page'",
    ),
    "a route that nothing matches": (
        {"/pages": protected()},
        "routes: '/page' leads to .*Page: no pattern of wrap matches; the nearest is '/pages', or add '/page'",
    ),
}


@pytest.mark.parametrize(("wrap", "message"), MISTAKES.values(), ids=MISTAKES.keys())
@pytest.mark.gen_test
async def test_a_mistake_raises_and_leaves_the_application_unchanged(
    wrap: Any, message: str, app: ResourceServerApplication
) -> None:
    application = Application([("/page", Page)])
    with pytest.raises(SettingsError, match=message):
        protect_application(application, app, wrap=wrap)
    assert {} == application.settings
    assert [Page] == [rule.target for rule in application.wildcard_router.rules]
    assert "add_handlers" not in vars(application)


@pytest.mark.gen_test
async def test_a_default_handler_without_requirements_raises(app: ResourceServerApplication) -> None:
    application = Application([("/page", Page)], default_handler_class=Missing)
    with pytest.raises(SettingsError, match=r"\(anything else\) leads to .*Missing: no pattern of wrap matches"):
        protect_application(application, app, wrap={"/page": protected()})
    assert {"default_handler_class": Missing} == application.settings


@pytest.mark.gen_test
async def test_a_protected_default_handler_keeps_its_requirements(app: ResourceServerApplication) -> None:
    application = Application([("/page", Page)], default_handler_class=Orders)
    protect_application(application, app, wrap={"/page": protected()})
    assert Orders is application.settings["default_handler_class"]


@pytest.mark.gen_test
async def test_an_application_is_protected_once(app: ResourceServerApplication) -> None:
    application = Application([("/page", Page)])
    protect_application(application, app, wrap=protected())
    for each in (application, app):
        with pytest.raises(SettingsError, match="is protected already; call protect once"):
            protect_application(each, app, wrap=protected())
    with pytest.raises(SettingsError, match=r"expected a tornado\.web\.Application"):
        protect_application(RuleRouter([]), app)  # type: ignore[arg-type]  # the mistake under test


@pytest.mark.gen_test
async def test_a_nested_application_is_protected_with_the_one_around_it(
    app: ResourceServerApplication, serve: Serve, fetch: Callable[..., Any]
) -> None:
    inner = Application([("/inner", Orders)])
    for outer in (serve([Rule(PathMatches("/inner"), inner)]), Application([Rule(PathMatches("/inner"), inner)])):
        if outer is not app and "resource_server" not in outer.settings:
            inner.settings.clear()
            protect_application(outer, app)
        assert [401, 200] == [(await fetch(outer, "/inner", each)).code for each in (None, "good~orders.read")]
    with pytest.raises(SettingsError, match="which is neither protected nor marked public"):
        inner.add_handlers(".*", [("/later", Page)])
