"""Handlers of an application that was there before keep their own words, and rejections have ours, over real HTTP."""

from __future__ import annotations

import http.client
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from types import TracebackType
from typing import Any

import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import BearerAuthMixin, InsufficientScope, Settings, protect, protected, public

Call = Callable[..., Awaitable[HTTPResponse]]
RAN: list[str] = []


class Errors(tornado.web.RequestHandler):
    """Fails in each way that applications use; ``kind`` is a part of the path."""

    def get(self, kind: str) -> None:
        self.set_header("X-Half-Done", "yes")
        getattr(self, f"_by_{kind}")()

    def _by_reason(self) -> None:
        raise tornado.web.HTTPError(409, "for the log", reason="Sold out")

    def _by_forbidden(self) -> None:
        raise tornado.web.HTTPError(403, reason="Not your order")

    def _by_login(self) -> None:
        raise tornado.web.HTTPError(401, reason="Sign in again")

    def _by_detail(self) -> None:
        self.send_error(422, detail="quantity is negative")

    def _by_send_reason(self) -> None:
        self.send_error(503, reason="Closed on Sundays")

    def _by_missing(self) -> None:
        self.get_argument("quantity")

    def _by_status(self) -> None:
        self.set_status(410, "Moved to the archive")

    def _by_unusual(self) -> None:
        raise tornado.web.HTTPError(499, reason="Grüße <b>")

    def _by_fails(self) -> None:
        raise ZeroDivisionError

    def _by_scope(self) -> None:
        raise InsufficientScope(["orders:write"])


def _write_error(self: Any, status_code: int, detail: str = "", exc_info: Any = None, reason: str = "") -> None:
    """Write an error of the shop, with the arguments that it uses and no others."""
    error = exc_info[1] if exc_info else None
    name = error.arg_name if isinstance(error, tornado.web.MissingArgumentError) else ""
    self.set_header("Content-Type", "text/plain")
    words = reason or getattr(error, "reason", None) or http.client.responses[status_code]
    self.finish(f"shop: {status_code} {words} {detail}{name}".rstrip())


class Shop(Errors):
    """Has an error format and a log of its own."""

    write_error: Any = _write_error

    def log_exception(
        self,
        typ: type[BaseException] | None,  # noqa: ARG002  # Tornado's signature
        value: BaseException | None,
        tb: TracebackType | None,  # noqa: ARG002  # as above
    ) -> None:
        RAN.append(type(value).__name__)

    def on_finish(self) -> None:
        RAN.append("on_finish")


class Behind(BearerAuthMixin, Shop):
    """Has the mixin first."""


class Before(Shop, BearerAuthMixin):
    """Has the mixin last."""


class InTheBody(BearerAuthMixin, Errors):
    write_error: Any = _write_error
    log_exception = Shop.log_exception
    on_finish = Shop.on_finish


class Partial(BearerAuthMixin, Errors):
    """Leaves all errors but one to the base class."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        if status_code == 409:
            self.finish("shop: 409")
        else:
            super().write_error(status_code, **kwargs)


class Redirects(BearerAuthMixin, Errors):
    """Responds to errors with another status."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        if status_code == 401:
            self.redirect("/sign-in")
        else:
            self.set_status(404)
            super().write_error(404, **kwargs)


class Plain(BearerAuthMixin, Errors):
    """Has no words of its own."""


class OptionalShop(BearerAuthMixin, Shop):
    optional = True


class Missing(BearerAuthMixin, tornado.web.RequestHandler):
    public = True

    def prepare(self) -> None:
        self.set_status(404)
        self.finish("shop: no such page")


SHOPS = ("Behind", "Before", "InTheBody", "Wrapped")


def _routes() -> list[Any]:
    kinds = (Behind, Before, InTheBody, Partial, Redirects, Plain, OptionalShop)
    return [
        *((rf"/{kind.__name__}/(.*)", kind) for kind in kinds),
        (r"/Wrapped/(.*)", protected(Shop)),
        (r"/Open/(.*)", public(Shop)),
    ]


@pytest.fixture
def settings() -> dict[str, Any]:
    """The settings of the application."""
    return {}


@pytest.fixture
def app(fake_issuer: RunningIssuer, io_loop: IOLoop, settings: dict[str, Any]) -> Iterator[tornado.web.Application]:
    RAN.clear()
    application = tornado.web.Application(_routes(), **settings)
    guard = protect(application, Settings(issuer=fake_issuer.issuer_url()))
    yield application
    io_loop.run_sync(guard.close)


@pytest.fixture
def call(fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, base_url: str) -> Call:
    """Return a function that sends a request, by default with a token."""

    async def send(path: str, method: str = "GET", *, credentials: str | None = None) -> HTTPResponse:
        sent = f"Bearer {fake_issuer.token()}" if credentials is None else credentials
        headers = {"Authorization": sent} if sent else {}
        return await http_client.fetch(
            base_url + path,
            method=method,
            headers=headers,
            follow_redirects=False,
            allow_nonstandard_methods=True,
            raise_error=False,
        )

    return send


@pytest.mark.parametrize("shop", [*SHOPS, "Open"])
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("reason", "409 Sold out"),
        ("forbidden", "403 Not your order"),
        ("login", "401 Sign in again"),
        ("detail", f"422 {http.client.responses[422]} quantity is negative"),
        ("send_reason", "503 Closed on Sundays"),
        ("missing", "400 Bad Request quantity"),
        ("fails", "500 Internal Server Error"),
    ],
)
@pytest.mark.gen_test
async def test_an_error_of_the_application_has_its_own_words(shop: str, kind: str, words: str, call: Call) -> None:
    response = await call(f"/{shop}/{kind}")
    assert (int(words[:3]), f"shop: {words}", "text/plain", None) == (
        response.code,
        response.body.decode(),
        response.headers["Content-Type"],
        response.headers.get("X-Half-Done"),
    )
    assert "no-store" == response.headers["Cache-Control"]
    assert ("WWW-Authenticate" in response.headers) is (kind == "login")
    logged = {"missing": ["MissingArgumentError"], "fails": ["ZeroDivisionError"], "detail": [], "send_reason": []}
    assert [*logged.get(kind, ["HTTPError"]), "on_finish"] == RAN


@pytest.mark.parametrize("shop", SHOPS)
@pytest.mark.parametrize(
    ("credentials", "status", "error"), [("", 401, "missing_token"), ("Bearer a b", 400, "invalid_request")]
)
@pytest.mark.gen_test
async def test_a_rejection_has_our_words_and_runs_nothing_of_the_handler(
    shop: str, credentials: str, status: int, error: str, call: Call
) -> None:
    response = await call(f"/{shop}/reason", credentials=credentials)
    assert (status, error) == (response.code, json.loads(response.body)["error"])
    assert "WWW-Authenticate" in response.headers
    assert [] == RAN


@pytest.mark.parametrize("shop", SHOPS)
@pytest.mark.gen_test
async def test_a_rejection_that_the_handler_raises_has_our_challenge(
    shop: str, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "service")
    response = await call(f"/{shop}/scope")
    assert 403 == response.code
    assert 'scope="orders:write"' in response.headers["WWW-Authenticate"]
    if shop in {"Behind", "Wrapped"}:
        assert "insufficient_scope" == json.loads(response.body)["error"]
        assert "rejected GET" in caplog.text
        assert ["on_finish"] == RAN


@pytest.mark.parametrize(
    ("kind", "status", "reason", "error", "description"),
    [
        ("reason", 409, "Sold out", "invalid_request", "Sold out"),
        ("forbidden", 403, "Not your order", "access_denied", "Not your order"),
        ("login", 401, "Sign in again", "invalid_token", "Sign in again"),
        ("send_reason", 503, "Closed on Sundays", "temporarily_unavailable", "Closed on Sundays"),
        ("missing", 400, "Bad Request", "invalid_request", "Missing argument quantity"),
        ("status", 410, "Moved to the archive", "invalid_request", "Moved to the archive"),
        ("unusual", 499, "Unknown", "invalid_request", "Grüße <b>"),
        ("detail", 422, http.client.responses[422], "invalid_request", "The request cannot be served"),
    ],
)
@pytest.mark.parametrize("shop", ["Plain", "Partial"])
@pytest.mark.gen_test
async def test_without_a_write_error_the_words_are_in_the_usual_json(
    shop: str, kind: str, status: int, reason: str, error: str, description: str, call: Call
) -> None:
    response = await call(f"/{shop}/{kind}")
    if (shop, kind) == ("Partial", "reason"):
        assert b"shop: 409" == response.body
        return
    body = json.loads(response.body)
    assert (status, reason, error, description) == (
        response.code,
        response.reason,
        body["error"],
        body["error_description"],
    )
    assert ("id" in body) is (status >= 500)
    assert "Sign in again" not in response.headers.get("WWW-Authenticate", "")


@pytest.mark.gen_test
async def test_a_write_error_may_send_another_status(call: Call) -> None:
    redirect, hidden = await call("/Redirects/login"), await call("/Redirects/reason")
    assert (302, "/sign-in", None) == (
        redirect.code,
        redirect.headers["Location"],
        redirect.headers.get("WWW-Authenticate"),
    )
    assert (404, "not_found") == (hidden.code, json.loads(hidden.body)["error"])


@pytest.mark.gen_test
async def test_the_applications_words_are_kept_for_an_anonymous_request(call: Call) -> None:
    forbidden = await call("/OptionalShop/forbidden", credentials="")
    assert (403, b"shop: 403 Not your order") == (forbidden.code, forbidden.body)


@pytest.mark.gen_test
async def test_an_unknown_path_and_method_get_json_unless_the_application_responds(call: Call) -> None:
    missing, method, own = await call("/nowhere"), await call("/Plain/x", "DELETE"), await call("/Behind/x", "DELETE")
    assert (404, "not_found") == (missing.code, json.loads(missing.body)["error"])
    assert (405, "method_not_allowed", "GET") == (
        method.code,
        json.loads(method.body)["error"],
        method.headers["Allow"],
    )
    assert (405, b"shop: 405 Method Not Allowed", "GET") == (own.code, own.body, own.headers["Allow"])


class TestWithADefaultHandler:
    """The application has a handler for unknown paths."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"default_handler_class": Missing}

    @pytest.mark.gen_test
    async def test_the_application_responds_to_unknown_paths(self, call: Call) -> None:
        response = await call("/nowhere")
        assert (404, b"shop: no such page") == (response.code, response.body)
