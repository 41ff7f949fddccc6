from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tornado.web
from tornado.httputil import HTTPServerRequest
from tornado.simple_httpclient import HTTPStreamClosedError

from service.web.application.application import ResourceServerApplication
from service.web.handler.mixin import BearerAuthMixin
from service.web.routing.wrap import protected, public


class Raises(BearerAuthMixin, tornado.web.RequestHandler):
    """Refuses with the status that stands in its path, by an error, by ``send_error``, or by nothing but the status."""

    optional = True

    def get(self, status: str) -> None:
        raise tornado.web.HTTPError(int(status))

    def post(self, status: str) -> None:
        self.send_error(int(status))

    def put(self, status: str) -> None:
        self.set_status(int(status))

    def patch(self, status: str) -> None:
        self.set_status(int(status))
        self.write("the author's own words")


class Mistakes(BearerAuthMixin, tornado.web.RequestHandler):
    public = True

    def get(self) -> None:
        self.send_error(500)
        raise ZeroDivisionError("behind the answer")

    def post(self) -> None:
        raise tornado.web.HTTPError(502, "the %s is down", "warehouse")

    def put(self) -> None:
        self.set_header("Content-Length", "100")
        self.write("a")


class Frugal(BearerAuthMixin, tornado.web.RequestHandler):
    """Says what it means by a status and fields alone."""

    public = True

    def get(self) -> None:
        self.set_status(401)
        self.set_header("WWW-Authenticate", 'Basic realm="mine"')
        raise tornado.web.Finish

    def post(self) -> None:
        self.set_status(404)
        self.set_header("Content-Length", "0")

    def put(self) -> None:
        self.set_status(405)
        self.set_header("Allow", "PURGE")
        self.set_header("Cache-Control", "max-age=60")
        self.set_header("Etag", '"of-another-body"')


class Early(BearerAuthMixin, tornado.web.RequestHandler):
    def initialize(self) -> None:
        assert self.current_user is None  # before anybody is judged

    def get(self) -> None:
        self.write({"user": self.current_user.subject})


def _elsewhere(request: HTTPServerRequest) -> None:
    """JSONResponse a request that was passed on, as another server does."""
    assert request.connection is not None
    request.connection.write_headers(
        tornado.httputil.ResponseStartLine("HTTP/1.1", 200, "OK"),
        tornado.httputil.HTTPHeaders({"Content-Length": "2"}),
        b"{}",
    )
    request.connection.finish()


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication], tmp_path: Path) -> ResourceServerApplication:
    (tmp_path / "file.txt").write_text("abc")
    return serve(
        [
            (r"/raises/(\d+)", Raises),
            (r"/files/(.*)", public(tornado.web.StaticFileHandler), {"path": str(tmp_path)}),
            (r"/mistakes", Mistakes),
            (r"/early", Early),
            (r"/frugal", Frugal),
            (r"/teapot", public(tornado.web.ErrorHandler), {"status_code": 418}),
            (r"/elsewhere", protected(tornado.web.FallbackHandler), {"fallback": _elsewhere}),
        ],
        cors_origins=["*"],
    )


@pytest.mark.parametrize(("path", "status"), [("/teapot", 418), ("/nowhere", 404)])
@pytest.mark.gen_test
async def test_whatever_is_refused_is_json_that_a_page_can_read(
    path: str, status: int, call: Callable[..., Any]
) -> None:
    response = await call(path, Origin="https://app.example")
    assert (status, {"error", "error_description"}) == (response.code, set(json.loads(response.body)))
    assert ("no-store", "*") == (
        response.headers["Cache-Control"],
        response.headers["Access-Control-Allow-Origin"],
    )


WAYS = pytest.mark.parametrize("method", ["GET", "POST", "PUT"])


@WAYS
@pytest.mark.gen_test
async def test_a_401_of_a_handlers_own_has_a_challenge(method: str, call: Callable[..., Any]) -> None:
    nobody, somebody = await call("/raises/401", None, method), await call("/raises/401", "good", method)
    assert [("missing_token", 'Bearer realm="test"')] == [
        (json.loads(nobody.body)["error"], nobody.headers["WWW-Authenticate"])
    ]
    assert "invalid_token" == json.loads(somebody.body)["error"]
    assert 'error="invalid_token"' in somebody.headers["WWW-Authenticate"]


@WAYS
@pytest.mark.parametrize("status", [400, 404, 409, 418, 429, 500, 502, 503, 599])
@pytest.mark.gen_test
async def test_a_refusal_of_a_handlers_own_is_said_as_ours_are(
    status: int, method: str, call: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "service")
    response = await call(f"/raises/{status}?access_token=secret", method=method)
    body = json.loads(response.body)
    assert (status, "no-store") == (response.code, response.headers["Cache-Control"])
    assert {"error", "error_description"} == body.keys() - {"id"}
    logged = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert (
        [f"unhandled exception in {method} /raises/{status}, error_id {body.get('id')}"] if status >= 500 else []
    ) == logged
    assert "secret" not in caplog.text


@pytest.mark.gen_test
async def test_the_words_of_a_handler_stay_its_own(call: Callable[..., Any]) -> None:
    response = await call("/raises/409", method="PATCH")
    assert (409, b"the author's own words") == (response.code, response.body)


# Tornado sends whatever a handler sets; only of what it raises is it known that it is meant as the end.
@pytest.mark.parametrize(
    ("status", "answer", "method"),
    [
        *[(status, status, method) for status in (204, 304) for method in ("GET", "POST", "PUT")],
        *[(status, 500, method) for status in (100, 101) for method in ("GET", "POST")],
    ],
)
@pytest.mark.gen_test
async def test_a_status_that_has_no_body_or_is_no_answer_leaves_no_client_waiting(
    status: int, answer: int, method: str, call: Callable[..., Any], app: ResourceServerApplication
) -> None:
    response = await call(f"/raises/{status}", method=method)
    assert (answer, answer < 400) == (response.code, response.body == b"")
    assert await app.finish_requests(within=1)


@pytest.mark.gen_test
async def test_a_refusal_of_tornados_own_handler_is_said_as_ours_are(call: Callable[..., Any]) -> None:
    response = await call("/files/file.txt", Range="bytes=10-")
    assert (416, "bytes */3") == (response.code, response.headers["Content-Range"])
    assert ("invalid_request", "no-store") == (json.loads(response.body)["error"], response.headers["Cache-Control"])


@pytest.mark.parametrize("method", ["TRACE", "QUERY", "PROPFIND"])
@pytest.mark.gen_test
async def test_a_method_that_nobody_knows_is_405_for_everybody(method: str, call: Callable[..., Any]) -> None:
    for token in (None, "good", "bad"):
        assert 405 == (await call("/raises/200", token, method)).code


@pytest.mark.gen_test
async def test_a_request_that_another_server_answers_is_over_with_its_answer(
    call: Callable[..., Any], app: ResourceServerApplication
) -> None:
    assert 401 == (await call("/elsewhere")).code
    assert b"{}" == (await call("/elsewhere", "good")).body
    assert await app.finish_requests(within=1)


@pytest.mark.gen_test
async def test_the_cause_of_a_failure_stands_in_the_log_with_the_id_that_its_client_was_told(
    call: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    for method, cause in (("GET", "behind the answer"), ("POST", "the warehouse is down")):
        caplog.clear()
        told = json.loads((await call("/mistakes", method=method)).body)["id"]
        failures = [record for record in caplog.records if record.name == "service.web.handler.errors"]
        assert {f"unhandled exception in {method} /mistakes, error_id {told}"} == {
            record.getMessage() for record in failures
        }
        assert [True] == [cause in str(record.exc_info[1]) for record in failures if record.exc_info]


@pytest.mark.gen_test
async def test_an_answer_that_breaks_off_is_over_too(call: Callable[..., Any], app: ResourceServerApplication) -> None:
    with pytest.raises(HTTPStreamClosedError):
        await call("/mistakes", method="PUT")
    assert await app.finish_requests(within=1)


@pytest.mark.gen_test
async def test_who_was_nobody_before_the_judgement_is_known_after_it(call: Callable[..., Any]) -> None:
    assert {"user": "alice"} == json.loads((await call("/early", "good")).body)


@pytest.mark.gen_test
async def test_what_a_handler_says_by_fields_stands(call: Callable[..., Any]) -> None:
    theirs, empty, fields = [await call("/frugal", "good", method) for method in ("GET", "POST", "PUT")]
    assert (401, ['Basic realm="mine"']) == (theirs.code, theirs.headers.get_list("WWW-Authenticate"))
    assert "missing_token" == json.loads(theirs.body)["error"]
    assert (404, b"") == (empty.code, empty.body)
    assert (405, "PURGE", "max-age=60") == (fields.code, fields.headers["Allow"], fields.headers["Cache-Control"])
    assert "method_not_allowed" == json.loads(fields.body)["error"]
    assert "Etag" not in fields.headers
