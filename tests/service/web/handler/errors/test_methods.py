from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler

from service.web.application.application import ResourceServerApplication
from service.web.handler.mixin import BearerAuthMixin


class Unprepared(BearerAuthMixin, RequestHandler):
    """Its ``prepare`` ends with the rejection of an anonymous client, before it has set what ``finish`` uses."""

    optional = True

    def prepare(self) -> None:
        self.used_by_finish = self.principal.subject

    def get(self) -> None:
        raise ZeroDivisionError(self.used_by_finish)

    def post(self) -> None:
        del self.used_by_finish

    def finish(self, *args: Any, **kwargs: Any) -> Any:
        assert self.used_by_finish
        return super().finish(*args, **kwargs)


class Begun(BearerAuthMixin, RequestHandler):
    """Fails to end a response that has begun."""

    async def get(self) -> None:
        self.write("the first part")
        await self.flush()
        raise ZeroDivisionError

    def send_error(self, *_args: Any, **_kwargs: Any) -> None:
        raise ZeroDivisionError("of send_error")


class BadNews(BearerAuthMixin, RequestHandler):
    """Fails after the response."""

    def get(self) -> None:
        self.write({})

    def put(self) -> None:
        raise tornado.web.HTTPError(409)

    def on_finish(self) -> None:
        raise ZeroDivisionError("of on_finish")


class EarlyFinish(BearerAuthMixin, RequestHandler):
    """Ends the request in a check before ``prepare``, in its own words."""

    def check_xsrf_cookie(self) -> None:
        self.set_status(418)
        self.write("mine")
        raise tornado.web.Finish

    def post(self) -> None:
        """Do nothing."""


class Cancelled(BearerAuthMixin, RequestHandler):
    """Relies on its ``prepare`` in ``finish``."""

    def finish(self, *_args: Any, **_kwargs: Any) -> Any:
        raise AssertionError


class OwnWords(BearerAuthMixin, RequestHandler):
    public = True

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "public, max-age=60")

    def get(self) -> None:
        raise tornado.web.HTTPError(404)

    def post(self) -> None:
        self.set_status(404)
        self.write("own words")

    def put(self) -> None:
        self.clear_header("Cache-Control")
        self.post()

    def patch(self) -> None:
        self.set_header("Cache-Control", "max-age=5")
        self.post()

    def delete(self) -> None:
        raise tornado.web.HTTPError(304)

    def write_error(self, status_code: int, **_kwargs: Any) -> None:
        self.finish(f"own words for {status_code}")


class NoWords(BearerAuthMixin, RequestHandler):
    """Responds to errors with a status alone."""

    def get(self) -> None:
        raise tornado.web.HTTPError(404)

    def post(self) -> None:
        raise tornado.web.HTTPError(401)

    def write_error(self, status_code: int, **_kwargs: Any) -> None:
        if status_code == 404:
            self.finish()


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication]) -> ResourceServerApplication:
    kinds = (Unprepared, Begun, BadNews, EarlyFinish, Cancelled, OwnWords, NoWords)
    return serve([(f"/{kind.__name__}", kind) for kind in kinds], xsrf_cookies=True)


@pytest.mark.parametrize(
    ("method", "token", "status", "error"),
    [("GET", None, 401, "missing_token"), ("POST", "good", 500, "server_error"), ("GET", "good", 500, "server_error")],
)
@pytest.mark.gen_test
async def test_an_error_ends_although_finish_of_the_handler_fails(
    method: str, token: str | None, status: int, error: str, call: Callable[..., Any], app: ResourceServerApplication
) -> None:
    response = await call("/Unprepared", token, method, Cookie="_xsrf=a", **{"X-Xsrftoken": "a"})
    assert (status, error) == (response.code, json.loads(response.body)["error"])
    assert await app.finish_requests(within=1)


@pytest.mark.gen_test
async def test_a_response_that_has_begun_ends_although_send_error_of_the_handler_fails(
    call: Callable[..., Any], app: ResourceServerApplication
) -> None:
    assert (200, b"the first part") == ((response := await call("/Begun", "good")).code, response.body)
    assert await app.finish_requests(within=1)


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("PUT", 409)])
@pytest.mark.gen_test
async def test_an_error_after_the_response_is_logged(
    method: str, status: int, call: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert status == (await call("/BadNews", "good", method)).code
    assert "of on_finish" in caplog.text


@pytest.mark.gen_test
async def test_a_handler_may_end_the_request_before_prepare(call: Callable[..., Any]) -> None:
    response = await call("/EarlyFinish", "good", "POST")
    assert (418, b"mine") == (response.code, response.body)


@pytest.mark.gen_test
async def test_a_request_that_is_cancelled_before_prepare_gets_a_response(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, http_client: AsyncHTTPClient
) -> None:
    async def cancel(self: Any) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    monkeypatch.setattr(Cancelled, "_authenticate_request", cancel)
    if tornado.version_info >= (6, 6):
        response = await call("/Cancelled", "good")
        assert (500, "server_error") == (response.code, json.loads(response.body)["error"])


@pytest.mark.parametrize(
    ("method", "status", "body", "cache_control"),
    [
        ("GET", 404, b"own words for 404", "no-store"),
        ("POST", 404, b"own words", "no-store"),
        ("PATCH", 404, b"own words", "max-age=5"),
        ("PUT", 404, b"own words", "no-store"),
        ("DELETE", 304, b"", "public, max-age=60"),
    ],
)
@pytest.mark.gen_test
async def test_an_error_response_is_not_cached_unless_the_method_sets_another_value(
    method: str, status: int, body: bytes, cache_control: str, call: Callable[..., Any]
) -> None:
    response = await call("/OwnWords", None, method, Cookie="_xsrf=a", **{"X-Xsrftoken": "a"})
    assert (status, body, cache_control) == (response.code, response.body, response.headers["Cache-Control"])


@pytest.mark.parametrize(("method", "status"), [("GET", 404), ("POST", 401)])
@pytest.mark.gen_test
async def test_an_error_of_the_application_may_have_no_body(method: str, status: int, call: Callable[..., Any]) -> None:
    response = await call("/NoWords", "good", method, Cookie="_xsrf=a", **{"X-Xsrftoken": "a"})
    assert (status, b"", "no-store") == (response.code, response.body, response.headers["Cache-Control"])
    assert (status == 401) == ("WWW-Authenticate" in response.headers)
    assert 401 == (await call("/NoWords", None, method)).code
