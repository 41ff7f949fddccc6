from __future__ import annotations

import asyncio
import datetime as dt
import email.utils
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler

from service.errors import InsufficientScope
from service.web.application.application import ResourceServerApplication
from service.web.handler.mixin import BearerAuthMixin

APP = "https://app.example"
steps: list[str] = []


class Things(BearerAuthMixin, RequestHandler):
    scopes: ClassVar = {"GET": "things.read", "POST": ["things.read", "things.write"]}

    def get(self) -> None:
        user = self.get_current_user()
        assert user is self.principal
        self.write({"hello": self.principal.subject})

    def post(self) -> None:
        self.write({})


class Open(BearerAuthMixin, RequestHandler):
    public = True

    def get(self) -> None:
        assert self.current_user is None
        self.write({"hello": "world"})

    def post(self) -> None:
        self.write({"who": self.principal.subject})

    def put(self) -> None:
        raise tornado.web.HTTPError(403)

    @tornado.web.authenticated
    def delete(self) -> None:
        self.write({})

    @tornado.web.authenticated
    def head(self) -> None:
        self.write({})


class OtherPages(BearerAuthMixin, RequestHandler):
    cors_origins = "https://other.example"

    def get(self) -> None:
        self.write({})


class WithoutSuper(BearerAuthMixin, RequestHandler):
    def prepare(self) -> None:
        steps.append(f"prepared for {self.principal.subject}")

    def get(self) -> None:
        self.write({})


class AwaitsSuper(BearerAuthMixin, RequestHandler):
    async def prepare(self) -> None:
        result = super().prepare()
        assert result is not None
        await result
        await asyncio.sleep(0)
        steps.append(f"prepared for {self.principal.subject}")

    def get(self) -> None:
        self.write({})


class Subclass(AwaitsSuper):
    async def prepare(self) -> None:
        await super().prepare()
        steps.append("and in the subclass")


class ExistingBase(RequestHandler):
    def prepare(self) -> Awaitable[None] | None:
        async def later() -> None:
            await asyncio.sleep(0)
            steps.append("existing")

        return later()


class MixedInFirst(BearerAuthMixin, ExistingBase):
    def get(self) -> None:
        self.write({})


class MixedInLast(ExistingBase, BearerAuthMixin):
    def get(self) -> None:
        self.write({})


class Raises(BearerAuthMixin, RequestHandler):
    def get(self) -> None:
        raise InsufficientScope(["things.admin"])

    def post(self) -> None:
        raise tornado.web.HTTPError(409, "conflict about %s", "a thing")

    def put(self) -> None:
        self.set_header("X-Half-Done", "yes")
        raise ZeroDivisionError("seen only in the stack trace")


ROUTES = [
    (r"/things", Things),
    (r"/open", Open),
    (r"/other-pages", OtherPages),
    (r"/without-super", WithoutSuper),
    (r"/awaits-super", AwaitsSuper),
    (r"/subclass", Subclass),
    (r"/first", MixedInFirst),
    (r"/last", MixedInLast),
    (r"/raises", Raises),
]


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication]) -> ResourceServerApplication:
    steps.clear()
    return serve(ROUTES, cors_origins=[APP])


@pytest.mark.gen_test
async def test_a_valid_token_is_accepted(call: Callable[..., Any]) -> None:
    response = await call("/things", "good~things.read")
    assert (200, {"hello": "alice"}) == (response.code, json.loads(response.body))


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
@pytest.mark.parametrize(
    "path", ["/things", "/without-super", "/awaits-super", "/subclass", "/first", "/last", "/raises"]
)
@pytest.mark.gen_test
async def test_every_method_of_every_route_gives_401_without_a_token(
    path: str, method: str, call: Callable[..., Any]
) -> None:
    response = await call(path, method=method)
    assert (401, 'Bearer realm="test"') == (response.code, response.headers["WWW-Authenticate"])
    assert [] == steps


REJECTIONS: dict[str, tuple[str, str | None, int, str]] = {
    "no token": ("/things", None, 401, "missing_token"),
    "an invalid token": ("/things", "bad", 401, "invalid_token"),
    "a malformed token": ("/things", "a b", 400, "invalid_request"),
    "a missing scope": ("/things", "good~things.write", 403, "insufficient_scope"),
    "an unavailable issuer": ("/things", "unknown", 503, "temporarily_unavailable"),
    "an error of the handler": ("/raises", "good", 403, "insufficient_scope"),
}


@pytest.mark.parametrize(("path", "token", "status", "error"), REJECTIONS.values(), ids=REJECTIONS.keys())
@pytest.mark.gen_test
async def test_all_errors_have_one_format(
    path: str, token: str | None, status: int, error: str, call: Callable[..., Any]
) -> None:
    response = await call(path, token, Origin=APP)
    body = json.loads(response.body)
    assert (status, error, ["error", "error_description"]) == (response.code, body["error"], sorted(body))
    assert ("no-store", APP, "nosniff") == (
        response.headers["Cache-Control"],
        response.headers["Access-Control-Allow-Origin"],
        response.headers["X-Content-Type-Options"],
    )
    assert response.headers["Content-Type"].startswith("application/json")
    assert ("WWW-Authenticate" in response.headers) == (status != 503)


@pytest.mark.gen_test
async def test_the_challenge_names_the_required_scopes(call: Callable[..., Any]) -> None:
    response = await call("/things", "good~things.read", method="POST")
    assert 'scope="things.read things.write"' in response.headers["WWW-Authenticate"]


@pytest.mark.gen_test
async def test_an_unavailable_issuer_gives_a_retry_after_header(call: Callable[..., Any]) -> None:
    assert "7" == (await call("/things", "unknown")).headers["Retry-After"]


@pytest.mark.parametrize("token", [None, "good", "bad", "unknown", "a b"])
@pytest.mark.gen_test
async def test_a_public_handler_ignores_tokens(token: str | None, call: Callable[..., Any], validator: Any) -> None:
    assert 200 == (await call("/open", token)).code
    assert 0 == validator.calls


@pytest.mark.gen_test
async def test_using_the_principal_in_a_public_handler_is_an_error(
    call: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert 500 == (await call("/open", "good", method="POST")).code
    assert "Open is public" in caplog.text


@pytest.mark.parametrize(("method", "status"), [("PUT", 403), ("DELETE", 403), ("HEAD", 403)])
@pytest.mark.gen_test
async def test_a_403_of_a_public_handler_stays_403(method: str, status: int, call: Callable[..., Any]) -> None:
    assert status == (await call("/open", method=method)).code


@pytest.mark.parametrize(
    ("path", "prepared"),
    [
        ("/without-super", ["prepared for alice"]),
        ("/awaits-super", ["prepared for alice"]),
        ("/subclass", ["prepared for alice", "and in the subclass"]),
        ("/first", ["existing"]),
        ("/last", ["existing"]),
    ],
)
@pytest.mark.gen_test
async def test_prepare_of_a_handler_runs_once_after_authentication(
    path: str, prepared: list[str], call: Callable[..., Any], validator: Any
) -> None:
    assert 401 == (await call(path, "bad")).code
    assert [] == steps
    assert 200 == (await call(path, "good")).code
    assert prepared == steps
    assert 2 == validator.calls


@pytest.mark.gen_test
async def test_an_undefined_method_gives_405_with_the_allowed_methods(call: Callable[..., Any]) -> None:
    response = await call("/things", "good", method="DELETE")
    assert (405, "GET, POST") == (response.code, response.headers["Allow"])
    assert "method_not_allowed" == json.loads(response.body)["error"]


@pytest.mark.gen_test
async def test_an_http_error_keeps_its_status(call: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    response = await call("/raises?secret=yes", "good", method="POST")
    assert (409, "invalid_request") == (response.code, json.loads(response.body)["error"])
    assert "conflict about a thing" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.gen_test
async def test_an_unhandled_exception_gives_an_error_id_and_no_stack_trace(
    call: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    response = await call("/raises?secret=yes", "good", method="PUT")
    body = json.loads(response.body)
    assert (500, "server_error", None) == (response.code, body["error"], response.headers.get("X-Half-Done"))
    assert b"stack" not in response.body
    assert body["id"] in caplog.text
    assert "seen only in the stack trace" in caplog.text
    assert "secret" not in caplog.text
    assert "good" not in caplog.text


@pytest.mark.parametrize("path", ["/things", "/open", "/without-super", "/raises", "/nowhere"])
@pytest.mark.parametrize("origin", [APP, "https://evil.example"])
@pytest.mark.gen_test
async def test_a_preflight_needs_no_authentication(
    path: str, origin: str, call: Callable[..., Any], validator: Any
) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    response = await call(path, None, "OPTIONS", **headers)
    assert (204, b"") == (response.code, response.body)
    assert (APP if origin == APP else None) == response.headers.get("Access-Control-Allow-Origin")
    assert 0 == validator.calls
    assert [] == steps


@pytest.mark.gen_test
async def test_a_preflight_of_a_listed_origin_gets_the_methods(call: Callable[..., Any]) -> None:
    headers = {"Origin": APP, "Access-Control-Request-Method": "POST"}
    response = await call("/things", None, "OPTIONS", **headers)
    assert "GET, POST" == response.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize(("origin", "readable"), [("https://other.example", True), (APP, False)])
@pytest.mark.gen_test
async def test_a_handler_can_set_its_own_cors_origins(origin: str, call: Callable[..., Any], *, readable: bool) -> None:
    preflight = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    for response in (
        await call("/other-pages", Origin=origin),
        await call("/other-pages", None, "OPTIONS", **preflight),
    ):
        assert readable is ("Access-Control-Allow-Origin" in response.headers)


@pytest.mark.parametrize(
    "attributes",
    [
        {"cors_origins": ["null"]},
        {"public": "yes"},
        {"scopes": 7},
        {"scopes": {"get": "a"}},
        {"public": True, "scopes": "a"},
    ],
)
def test_an_invalid_policy_raises_at_class_creation(attributes: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError), match="Invalid: "):
        type("Invalid", (BearerAuthMixin, RequestHandler), attributes)


@pytest.mark.gen_test
async def test_a_handler_outside_make_app_drops_the_connection(http_client: AsyncHTTPClient) -> None:
    app = tornado.web.Application([(r"/things", Things)])
    server = app.listen(0, "127.0.0.1")
    port = next(iter(server._sockets.values())).getsockname()[1]
    with pytest.raises(Exception):  # noqa: B017, PT011  # Tornado drops the connection
        await http_client.fetch(f"http://127.0.0.1:{port}/things", request_timeout=2)
    server.stop()


@pytest.mark.gen_test
async def test_a_client_with_the_current_response_gets_304(call: Callable[..., Any]) -> None:
    first = await call("/open")
    again = await call("/open", **{"If-None-Match": first.headers["Etag"]})
    other = await call("/open", **{"If-None-Match": '"other"'})
    assert [200, 304, 200] == [first.code, again.code, other.code]


@pytest.mark.gen_test
async def test_a_response_has_the_date_and_the_type_of_tornado_but_no_version(call: Callable[..., Any]) -> None:
    headers = (await call("/open")).headers
    age = dt.datetime.now(dt.UTC) - email.utils.parsedate_to_datetime(headers["Date"])
    assert abs(age) < dt.timedelta(seconds=60)
    assert "application/json; charset=UTF-8" == headers["Content-Type"]
    assert "Server" not in headers


class Spaced(BearerAuthMixin, RequestHandler):
    def set_default_headers(self) -> None:
        self.set_header("X-Methods", " GET, POST")

    def get(self) -> None:
        """Respond without a body."""


@pytest.mark.gen_test
async def test_a_default_header_may_have_white_space_around_its_value(
    serve: Callable[..., Any], http_client: AsyncHTTPClient
) -> None:
    server = serve([("/spaced", Spaced)]).listen(0, "127.0.0.1")
    (socket,) = server._sockets.values()
    url = f"http://127.0.0.1:{socket.getsockname()[1]}/spaced"
    for headers, status in (({}, 401), ({"Authorization": "Bearer good"}, 200)):
        response = await http_client.fetch(url, headers=headers, raise_error=False)
        assert (status, "GET, POST") == (response.code, response.headers["X-Methods"])
    server.stop()
