from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import pytest
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

from service import policy
from service.web.application.application import ResourceServerApplication
from service.web.handler.mixin import BearerAuthMixin
from service.web.routing.wrap import protected, public

PAGE = "https://page.example"
PREFLIGHT = {"Origin": PAGE, "Access-Control-Request-Method": "DELETE"}
RAN: list[str] = []


class Site(RequestHandler):
    """Has CORS of its own."""

    def prepare(self) -> Awaitable[None] | None:
        RAN.append("prepare")
        self.set_header("Access-Control-Allow-Origin", PAGE)
        if method := self.request.headers.get("X-HTTP-Method-Override"):
            self.request.method = method
        return None

    def options(self, *_args: str) -> None:
        RAN.append("options")
        self.set_header("Access-Control-Allow-Methods", "GET, DELETE")
        self.write("content of the application")
        self.flush()
        self.write("more of it")

    def get(self) -> None:
        RAN.append("get")
        self.write("secret")

    def delete(self) -> None:
        RAN.append("delete")


class Early(BearerAuthMixin, Site):
    """Has the mixin first."""


class Late(Site, BearerAuthMixin):
    """Has the mixin last."""


class OptionalToken(BearerAuthMixin, Site):
    optional = True


class NoContent(BearerAuthMixin, Site):
    def options(self, *_args: str) -> None:
        self.set_status(204)


class Listed(BearerAuthMixin, Site):
    cors_origins = PAGE


class Alias(BearerAuthMixin, Site):
    """Responds to every method alike."""

    def get(self, *_args: str) -> None:
        RAN.append("get")
        self.write("secret")

    options = post = get


class Calls(BearerAuthMixin, Site):
    """Calls ``get`` for the header fields."""

    def options(self, *_args: str) -> None:
        self.get()


class UsesPrincipal(BearerAuthMixin, Site):
    def options(self, *_args: str) -> None:
        self.write({"subject": self.principal.subject})


class Decorated(BearerAuthMixin, Site):
    """Requires a scope for OPTIONS itself."""

    @policy(scopes="options")
    def options(self, *_args: str) -> None:
        RAN.append("options")


class Named(BearerAuthMixin, Site):
    scopes: ClassVar = {"GET": "get", "OPTIONS": "options"}


class OwnExecute(BearerAuthMixin, Site):
    async def _execute(self, transforms: Any, *_args: Any, **_kwargs: Any) -> None:
        self._transforms = transforms
        self.get()
        await self.finish()


class Without(BearerAuthMixin, RequestHandler):
    def prepare(self) -> None:
        RAN.append("prepare")


class Socket(BearerAuthMixin, WebSocketHandler):
    """Has no ``options``."""


KINDS = (Early, Late, OptionalToken, NoContent, Listed, Alias, Calls, UsesPrincipal, Decorated, Named, OwnExecute)


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication]) -> ResourceServerApplication:
    RAN.clear()
    wrapped = [("/Wrapped", protected(Site)), ("/Open", public(Site))]
    return serve([*((f"/{kind.__name__}", kind) for kind in (*KINDS, Without, Socket)), *wrapped])


@pytest.mark.parametrize("path", ["/Early", "/Late", "/OptionalToken", "/Wrapped", "/Open"])
@pytest.mark.gen_test
async def test_the_applications_options_responds_to_a_preflight_without_content(
    path: str, call: Callable[..., Any], validator: Any
) -> None:
    response = await call(path, None, "OPTIONS", **PREFLIGHT)
    assert (200, PAGE, "GET, DELETE") == (
        response.code,
        response.headers["Access-Control-Allow-Origin"],
        response.headers["Access-Control-Allow-Methods"],
    )
    assert b"" == response.body
    assert ["prepare", "options"] == RAN
    assert 0 == validator.calls


@pytest.mark.gen_test
async def test_a_preflight_of_the_application_may_have_status_204(call: Callable[..., Any]) -> None:
    response = await call("/NoContent", None, "OPTIONS", **PREFLIGHT)
    assert (204, PAGE) == (response.code, response.headers["Access-Control-Allow-Origin"])
    assert "Content-Length" not in response.headers


@pytest.mark.parametrize("path", ["/Listed", "/Alias", "/Decorated", "/Named", "/OwnExecute", "/Without", "/Socket"])
@pytest.mark.gen_test
async def test_a_preflight_runs_no_code_of_a_handler_whose_options_is_no_preflight(
    path: str, call: Callable[..., Any]
) -> None:
    response = await call(path, None, "OPTIONS", **PREFLIGHT)
    assert (204, b"") == (response.code, response.body)
    assert (PAGE if path == "/Listed" else None) == response.headers.get("Access-Control-Allow-Origin")
    assert [] == RAN


@pytest.mark.parametrize("path", ["/Calls", "/UsesPrincipal"])
@pytest.mark.gen_test
async def test_an_options_that_needs_a_token_is_rejected(path: str, call: Callable[..., Any]) -> None:
    response = await call(path, None, "OPTIONS", **PREFLIGHT)
    assert (401, 'Bearer realm="test"', b"") == (response.code, response.headers["WWW-Authenticate"], response.body)
    assert ["prepare"] == RAN


@pytest.mark.parametrize("path", ["/Early", "/Late", "/Wrapped", "/Calls"])
@pytest.mark.parametrize(("token", "status"), [(None, 401), ("bad", 401), ("lasting", 200)])
@pytest.mark.gen_test
async def test_a_preflight_that_becomes_another_method_needs_a_token(
    path: str, token: str | None, status: int, call: Callable[..., Any]
) -> None:
    response = await call(path, token, "OPTIONS", **PREFLIGHT, **{"X-HTTP-Method-Override": "GET"})
    assert status == response.code
    assert ("get" in RAN) is (status == 200)
    assert b"secret" not in response.body


@pytest.mark.parametrize("path", [f"/{kind.__name__}" for kind in KINDS if kind is not OptionalToken] + ["/Wrapped"])
@pytest.mark.parametrize("missing", [*PREFLIGHT, "both"])
@pytest.mark.gen_test
async def test_another_options_request_needs_a_token(path: str, missing: str, call: Callable[..., Any]) -> None:
    headers = {} if missing == "both" else {name: value for name, value in PREFLIGHT.items() if name != missing}
    response = await call(path, None, "OPTIONS", **headers)
    assert (401, "missing_token") == (response.code, json.loads(response.body)["error"])
    assert [] == RAN


@pytest.mark.gen_test
async def test_another_options_request_with_a_token_keeps_its_content(call: Callable[..., Any]) -> None:
    response = await call("/Early", "lasting", "OPTIONS")
    assert (200, b"content of the applicationmore of it") == (response.code, response.body)
