"""A request is served by a handler that authenticated it, or by a public one; anything else responds 500."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from tornado.routing import HostMatches, PathMatches, Rule, RuleRouter
from tornado.web import Application, RedirectHandler, RequestHandler
from tornado.websocket import WebSocketHandler, websocket_connect

from service.app import make_app
from service.settings.program import Settings
from service.tokens.principal import Principal
from service.web.application.application import ResourceServerApplication
from service.web.application.protect import protect_application
from service.web.endpoints.okta_guide import Hello, WhoAmI
from service.web.handler.mixin import BearerAuthMixin
from service.web.routing.wrap import protected, public

Serve = Callable[..., ResourceServerApplication]
ran: list[str] = []


@pytest.fixture(autouse=True)
def _forget() -> None:
    ran.clear()


class Legacy(RequestHandler):
    """A handler that knows nothing of this library."""

    def get(self) -> None:
        ran.append("get")
        self.write({"legacy": True})

    post = delete = get


class Secret(BearerAuthMixin, Legacy):
    """A protected handler."""


class Replaced(RequestHandler):
    """Returns another class, as the login handler of Flower does."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return Legacy(*args, **kwargs)


class ReplacedByProtected(RequestHandler):
    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return Secret(*args, **kwargs)


class Singleton(Legacy):
    instance: ClassVar[Any] = None

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Any:
        if cls.instance is None:
            cls.instance = super().__new__(cls)
        return cls.instance


class Cached(type):
    """A metaclass that creates one handler for all requests."""

    instances: ClassVar[dict[type, Any]] = {}

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls not in Cached.instances:
            Cached.instances[cls] = super().__call__(*args, **kwargs)
        return Cached.instances[cls]


class Delegated(RequestHandler):
    """Serves requests by its own ``_execute``, without ``prepare``."""

    async def _execute(self, transforms: Any, *_args: Any, **_kwargs: Any) -> None:
        self._transforms = transforms
        ran.append("_execute")
        self.finish({"legacy": True})


class SkipsPrepare(Legacy):
    async def _execute(self, transforms: Any, *_args: Any, **_kwargs: Any) -> None:
        self._transforms = transforms
        getattr(self, str(self.request.method).lower())()
        await self.finish()


class CallsSuper(Legacy):
    async def _execute(self, transforms: Any, *args: Any, **kwargs: Any) -> None:
        ran.append("_execute")
        await super()._execute(transforms, *args, **kwargs)

    def prepare(self) -> None:
        ran.append("prepare")


class Writes(Legacy):
    """Responds through the connection, as a delegate would."""

    async def _execute(self, *_args: Any, **_kwargs: Any) -> None:
        ran.append("_execute")
        _respond(self.request)
        self._finished = True


def _respond(request: HTTPServerRequest) -> None:
    assert request.connection is not None
    ran.append("function")
    request.connection.write_headers(ResponseStartLine("HTTP/1.1", 200, "OK"), HTTPHeaders({"Content-Length": "0"}))
    request.connection.finish()


def _shadow(**attributes: Any) -> type[RequestHandler]:
    """Return a handler that sets these attributes on itself, by means that no check of the class can see."""

    def initialize(self: Any) -> None:
        vars(self).update(attributes)

    return type("Shadow", (Legacy,), {"initialize": initialize})


def _prepared_by_decorator(handler: Any) -> Any:
    """Replace ``prepare`` by one that has the attributes of the first, but never calls it."""
    first = handler.prepare

    @functools.wraps(first)
    def prepare(_self: Any) -> None:
        ran.append("prepare")

    handler.prepare = prepare
    return handler


class _Proxy:
    """Wraps a function as the monitors that use wrapt do: it looks like the function, and is bound like it."""

    def __init__(self, wrapped: Any) -> None:
        self.__wrapped__ = wrapped

    def __get__(self, instance: Any, owner: type) -> _Proxy:
        return _Proxy(self.__wrapped__.__get__(instance, owner))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        ran.append(f"before {self.__wrapped__.__name__}")
        return self.__wrapped__(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __eq__(self, other: object) -> bool:
        return bool(self.__wrapped__ == other)

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    @property  # type: ignore[misc]  # as wrapt does
    def __class__(self) -> type:
        return type(self.__wrapped__)


def _monitored(handler: Any) -> Any:
    handler.prepare = _Proxy(handler.prepare)
    return handler


def _executed_by_decorator(handler: Any) -> Any:
    """Check an API key in ``_execute``, as many decorators for Tornado do."""
    execute = handler._execute

    def checking(self: Any, transforms: Any, *args: Any, **kwargs: Any) -> Any:
        ran.append("_execute")
        return execute(self, transforms, *args, **kwargs)

    handler._execute = checking
    return handler


SERVED: dict[str, tuple[type[RequestHandler], list[str]]] = {
    "a protected handler": (Secret, ["get"]),
    "one that is returned by another": (protected(ReplacedByProtected), ["get"]),
    "an own _execute": (protected(CallsSuper), ["_execute", "prepare", "get"]),
    "an own _execute without prepare": (protected(Delegated), ["_execute"]),
    "an own _execute that calls the method": (protected(SkipsPrepare), ["get"]),
    "an own _execute that writes the response": (protected(Writes), ["_execute", "function"]),
    "a decorator that replaces _execute": (_executed_by_decorator(protected(Legacy)), ["_execute", "get"]),
    "a decorator that replaces prepare": (_prepared_by_decorator(protected(Legacy)), ["prepare", "get"]),
    "a monitor that replaces prepare": (_monitored(protected(Legacy)), ["before prepare", "get"]),
    "a class that returns another class": (protected(Replaced), ["get"]),
    "an own method of the object": (protected(_shadow(get=lambda: ran.append("own"))), ["own"]),
}

REJECTED: dict[str, type[RequestHandler]] = {
    "a protected class that returns an unprotected one": protected(
        type("Wrong", (BearerAuthMixin, Replaced), {"scopes": "a"}), groups="b"
    ),
    "scopes of the object": protected(_shadow(scopes="items:delete")),
    "authorize of the object": protected(_shadow(authorize=lambda _principal: False)),
    "prepare of the object": protected(_shadow(prepare=lambda: None)),
    "_execute of the object": protected(_shadow(_execute=lambda *_: None)),
    "a principal of the object": protected(_shadow(_principal="alice")),
    "an object that claims to be authenticated": protected(_shadow(_is_authentication_done=True)),
}


def _fail(self: Any, **_options: Any) -> None:
    raise ZeroDivisionError


REJECTED |= {
    "an object that cannot be created": protected(type("Failing", (Legacy,), {"initialize": _fail})),
    "an object with unknown arguments": protected(type("Failing", (Legacy,), {"initialize": lambda _self, _a: None})),
}
REUSED: dict[str, Any] = {
    "by __new__": protected(Singleton),
    "by the metaclass": Cached("Kept", (BearerAuthMixin, Legacy), {}),
}
KINDS = [*(kind for kind, _ in SERVED.values()), *REJECTED.values(), *REUSED.values()]
PATHS = {name: f"/{number}" for number, name in enumerate([*SERVED, *REJECTED, *REUSED])}


@pytest.fixture
def app(serve: Serve) -> ResourceServerApplication:
    Singleton.instance = None
    Cached.instances.clear()
    return serve(list(zip(PATHS.values(), KINDS, strict=True)))


@pytest.mark.parametrize(("name", "steps"), [(name, steps) for name, (_, steps) in SERVED.items()], ids=SERVED.keys())
@pytest.mark.gen_test
async def test_a_handler_runs_nothing_before_the_request_is_authenticated(
    name: str, steps: list[str], call: Callable[..., Any]
) -> None:
    for token in (None, "bad"):
        for method in ("GET", "POST", "DELETE"):
            assert 401 == (await call(PATHS[name], token, method)).code
    assert [] == ran
    for _ in range(2):
        ran.clear()
        assert 200 == (await call(PATHS[name], "good")).code
        assert steps == ran


@pytest.mark.parametrize("name", REJECTED)
@pytest.mark.parametrize("token", [None, "good"])
@pytest.mark.gen_test
async def test_a_handler_that_the_check_at_start_could_not_see_is_not_served(
    name: str, token: str | None, call: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    response = await call(PATHS[name], token)
    body = json.loads(response.body)
    assert (500, "server_error") == (response.code, body["error"])
    assert [] == ran
    (record,) = (record for record in caplog.records if record.levelno >= logging.ERROR)
    assert body["id"] == vars(record)["error_id"]
    assert f"RuntimeError: routes: '{PATHS[name]}$' leads to" in caplog.text


@pytest.mark.parametrize("name", REUSED)
@pytest.mark.gen_test
async def test_a_handler_that_served_another_request_is_not_served_again(name: str, call: Callable[..., Any]) -> None:
    assert 200 == (await call(PATHS[name], "good")).code
    ran.clear()
    for token in (None, "good"):
        assert 500 == (await call(PATHS[name], token)).code
    assert [] == ran


def _connection_delegate() -> Any:
    class Delegate(HTTPServer):
        """Another server as the target of a rule."""

    return Delegate(_respond)


def _add(router: RuleRouter, target: Any) -> None:
    router.add_rules([(PathMatches("/later"), target)])


LATER: dict[str, Callable[[Application], None]] = {
    "a handler in a nested router": lambda application: _add(_nested(application), [("/later", Legacy)]),
    "a handler in the router of the application": lambda application: _insert(application, Legacy),
    "a handler in the wildcard router": lambda application: _add(application.wildcard_router, Legacy),
    "a handler of Tornado": lambda application: _add(application.wildcard_router, RedirectHandler),
    "a function": lambda application: _insert(application, _respond),
    "a function in a nested router": lambda application: _add(_nested(application), _respond),
    "a server": lambda application: _insert(application, _connection_delegate()),
    "another application": lambda application: _insert(application, Application([("/later", Legacy)])),
    "the default handler": lambda application: application.settings.update(default_handler_class=Legacy),
    "no default handler": lambda application: application.settings.update(default_handler_class=None),
}


def _insert(application: Application, target: Any) -> None:
    application.default_router.rules.insert(0, Rule(PathMatches("/later"), target))


@pytest.mark.parametrize("change", LATER.values(), ids=LATER.keys())
@pytest.mark.parametrize("token", [None, "good"])
@pytest.mark.parametrize("way", ["make_app", "protect"])
@pytest.mark.gen_test
async def test_what_is_mounted_later_is_served_only_if_it_is_protected(
    change: Callable[[Application], None],
    token: str | None,
    way: str,
    serve: Serve,
    caplog: pytest.LogCaptureFixture,
) -> None:
    application = _with_nested(serve, way)
    change(application)
    response = await _fetch(application, "/later", token)
    assert (500, "server_error") == (response.code, json.loads(response.body)["error"])
    assert [] == ran
    assert "RuntimeError: routes: " in caplog.text
    assert "which is neither protected nor marked public" in caplog.text


@pytest.mark.gen_test
async def test_a_method_that_finds_a_handler_cannot_be_replaced_later(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    application = serve([("/x", Secret)])
    find = functools.partial(Application.get_handler_delegate, application)
    application.get_handler_delegate = find  # type: ignore[method-assign]  # the mistake under test
    for token in (None, "good"):
        assert 500 == (await _fetch(application, "/x", token)).code
    assert [] == ran
    assert "Secret, but another object would have served the request" in caplog.text


@pytest.mark.parametrize("way", ["make_app", "protect"])
@pytest.mark.gen_test
async def test_a_protected_handler_that_is_mounted_later_is_served(way: str, serve: Serve) -> None:
    application = _with_nested(serve, way)
    _add(_nested(application), [("/later", Secret)])
    _add(application.wildcard_router, public(Legacy))
    assert 401 == (await _fetch(application, "/later", None)).code
    assert 200 == (await _fetch(application, "/later", "good")).code
    assert 401 == (await _fetch(application, "/inner", None)).code
    assert 200 == (await _fetch(application, "/inner", "good")).code


def _with_nested(serve: Serve, way: str) -> Application:
    """Return a protected application with a nested router and a nested protected application."""
    inner = serve([("/inner", WhoAmI)])
    rules = [Rule(HostMatches("127.0.0.1"), [("/x", Hello)]), Rule(PathMatches("/inner"), inner)]
    if way == "make_app":
        application: Application = serve(rules)
    else:
        application = Application(rules)
        protect_application(application, serve([]))
    return application


def _nested(application: Application) -> RuleRouter:
    nested = application.wildcard_router.rules[0].target
    assert isinstance(nested, RuleRouter)
    return nested


async def _fetch(application: Application, path: str, token: str | None, **headers: str) -> HTTPResponse:
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    with _serving(application) as url:
        return await AsyncHTTPClient().fetch(url + path, headers=headers, raise_error=False, follow_redirects=False)


@contextlib.contextmanager
def _serving(application: Application) -> Iterator[str]:
    server = application.listen(0, "127.0.0.1")
    (socket,) = server._sockets.values()
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.stop()


def _set_scopes(handler: Any) -> None:
    handler.scopes = "items:delete"


def _set_authorize(handler: Any) -> None:
    handler.authorize = lambda _self, _principal: False


def _set_prepare(handler: Any) -> None:
    handler.prepare = lambda _self: ran.append("prepare")


def _change_claims(handler: Any) -> None:
    handler.claims["admin"] = True


CHANGES: dict[str, tuple[Callable[[Any], None], str]] = {
    "scopes": (_set_scopes, "whose scopes changed after its class was created"),
    "authorize": (_set_authorize, "whose authorize changed after its class was created"),
    "prepare": (_set_prepare, "whose prepare changed after its class was created"),
    "claims, in place": (_change_claims, "whose claims changed after its class was created"),
}


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("requests", [0, 1])
@pytest.mark.gen_test
async def test_a_class_that_is_changed_after_it_was_mounted_is_not_served(
    change: Callable[[Any], None], message: str, requests: int, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    handler: Any = type("Changing", (BearerAuthMixin, Legacy), {"claims": {}})
    application = serve([("/x", handler)])
    for _ in range(requests):
        assert 200 == (await _fetch(application, "/x", "good")).code
    ran.clear()
    change(handler)
    assert 500 == (await _fetch(application, "/x", "good")).code
    assert [] == ran
    assert message in caplog.text


@pytest.mark.gen_test
async def test_a_monitor_that_is_installed_later_changes_nothing(serve: Serve) -> None:
    handler: Any = type("Monitored", (BearerAuthMixin, Legacy), {})
    application = serve([("/x", handler)])
    assert 200 == (await _fetch(application, "/x", "good")).code
    _monitored(handler)
    for _ in range(2):
        ran.clear()
        assert 401 == (await _fetch(application, "/x", None)).code
        assert [] == ran
        assert 200 == (await _fetch(application, "/x", "good")).code
        assert ["before prepare", "get"] == ran


class SetsInPrepare(BearerAuthMixin, Legacy):
    def prepare(self) -> None:
        setattr(self, "scopes", "items:delete")  # noqa: B010  # an assignment that no check of the class can see


class SetsInAsyncPrepare(BearerAuthMixin, Legacy):
    async def prepare(self) -> None:
        await asyncio.sleep(0)
        setattr(self, "scopes", "items:delete")  # noqa: B010  # the same, later


class PublicSetsInPrepare(SetsInPrepare):
    public = True


class PublicSetsInAsyncPrepare(SetsInAsyncPrepare):
    public = True


@pytest.mark.parametrize("kind", [SetsInPrepare, SetsInAsyncPrepare, PublicSetsInPrepare, PublicSetsInAsyncPrepare])
@pytest.mark.gen_test
async def test_a_requirement_that_prepare_sets_is_not_ignored(
    kind: type[RequestHandler], serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    application = serve([("/x", kind)])
    assert 500 == (await _fetch(application, "/x", "good")).code
    assert [] == ran
    assert f"prepare of {kind.__name__} sets scopes, which has no effect" in caplog.text


class Echo(WebSocketHandler):
    def on_message(self, _message: str | bytes) -> None:
        ran.append("message")


@pytest.mark.gen_test
async def test_a_websocket_that_is_mounted_later_is_not_opened(serve: Serve) -> None:
    application = serve([])
    _add(application.wildcard_router, Echo)
    with _serving(application) as url, pytest.raises(HTTPClientError, match="500"):
        await websocket_connect(f"{url.replace('http', 'ws')}/later")


@tornado.web.stream_request_body
class Upload(Legacy):
    def data_received(self, _chunk: bytes) -> None:
        ran.append("data")


@pytest.mark.gen_test
async def test_a_body_for_an_unprotected_handler_is_not_read(serve: Serve) -> None:
    application = serve([])
    _add(application.wildcard_router, Upload)
    with _serving(application) as url:
        response = await AsyncHTTPClient().fetch(f"{url}/later", method="POST", body="a" * 100_000, raise_error=False)
    assert (500, []) == (response.code, ran)


@pytest.mark.gen_test
async def test_the_validation_of_a_handler_that_is_mounted_later_is_checked(serve: Serve) -> None:
    application = make_app(Settings(issuer="https://dev-1.okta.com/oauth2/default"), routes=())
    _add(application.wildcard_router, protected(Legacy, validation="introspectoin"))
    assert 500 == (await _fetch(application, "/later", "good")).code
    await application.close()


class Items(RequestHandler):
    """Has its own ``_execute``, arguments in its path and its body, and a check of its own."""

    async def _execute(self, transforms: Any, *args: Any, **kwargs: Any) -> None:
        await super()._execute(transforms, *args, **kwargs)

    def post(self, owner: str) -> None:
        self.write({"owner": owner, "items": self.get_body_arguments("item")})


class Overrides(RequestHandler):
    """Lets a header choose the method, in its own ``_execute``."""

    async def _execute(self, transforms: Any, *args: Any, **kwargs: Any) -> None:
        self.request.method = self.request.headers.get("X-HTTP-Method-Override", self.request.method)
        await super()._execute(transforms, *args, **kwargs)

    def post(self) -> None:
        ran.append("post")

    def delete(self) -> None:
        ran.append("delete")


class OverridesAndSkipsPrepare(Overrides):
    async def _execute(self, transforms: Any, *_args: Any, **_kwargs: Any) -> None:
        self._transforms = transforms
        self.request.method = self.request.headers.get("X-HTTP-Method-Override", self.request.method)
        getattr(self, str(self.request.method).lower())()
        await self.finish()


@pytest.mark.parametrize(
    ("kind", "override", "token", "status", "steps"),
    [
        (Overrides, "POST", "good", 200, ["post"]),
        (Overrides, "DELETE", "good", 403, []),
        (Overrides, "DELETE", "good~items.delete", 200, ["delete"]),
        (OverridesAndSkipsPrepare, "POST", "good", 200, ["post"]),
        (OverridesAndSkipsPrepare, "DELETE", "good", 500, []),
        (OverridesAndSkipsPrepare, "DELETE", "good~items.delete", 500, []),
    ],
)
@pytest.mark.gen_test
async def test_an_own_execute_that_changes_the_method_is_authorized_for_the_new_one(
    kind: type[RequestHandler], override: str, token: str, status: int, steps: list[str], serve: Serve
) -> None:
    application = serve([("/items", protected(kind, scopes={"DELETE": "items.delete"}))])
    with _serving(application) as url:
        headers = {"Authorization": f"Bearer {token}", "X-HTTP-Method-Override": override}
        response = await AsyncHTTPClient().fetch(
            f"{url}/items", method="POST", body="", headers=headers, raise_error=False
        )
    assert (status, steps) == (response.code, ran)


class OwnedItems(Items, BearerAuthMixin):
    token_sources: ClassVar = ["header", "form"]

    def authorize(self, principal: Principal) -> bool:
        return principal.subject == self.path_args[0]


@pytest.mark.gen_test
async def test_an_own_execute_gets_the_arguments_of_the_request_once(serve: Serve) -> None:
    application = serve([(r"/items/(.*)", OwnedItems)])
    with _serving(application) as url:
        for owner, body, status in [
            ("alice", "item=1&access_token=good", 200),
            ("bob", "item=1&access_token=good", 403),
            ("alice", "item=1", 401),
        ]:
            response = await AsyncHTTPClient().fetch(
                f"{url}/items/{owner}", method="POST", body=body, raise_error=False
            )
            assert status == response.code
            if status == 200:
                assert {"owner": "alice", "items": ["1"]} == json.loads(response.body)
