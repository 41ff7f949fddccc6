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
    """Responds with the status in its path: by an exception, ``send_error`` or ``set_status``."""

    optional = True

    def get(self, status: str) -> None:
        raise tornado.web.HTTPError(int(status))

    def post(self, status: str) -> None:
        self.send_error(int(status))

    def put(self, status: str) -> None:
        self.set_status(int(status))

    def patch(self, status: str) -> None:
        self.set_status(int(status))
        self.write("the handler's body")


class Failing(BearerAuthMixin, tornado.web.RequestHandler):
    public = True

    def get(self) -> None:
        self.send_error(500)
        raise ZeroDivisionError("after the response")

    def post(self) -> None:
        raise tornado.web.HTTPError(502, "the %s is down", "warehouse")

    def put(self) -> None:
        self.set_header("Content-Length", "100")
        self.write("a")


class StatusOnly(BearerAuthMixin, tornado.web.RequestHandler):
    """Sets a status and header fields without a body."""

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
        assert self.current_user is None  # before authentication

    def get(self) -> None:
        self.write({"user": self.current_user.subject})


def _fallback(request: HTTPServerRequest) -> None:
    """Respond to a delegated request as another server would."""
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
            (r"/failing", Failing),
            (r"/early", Early),
            (r"/status-only", StatusOnly),
            (r"/teapot", public(tornado.web.ErrorHandler), {"status_code": 418}),
            (r"/fallback", protected(tornado.web.FallbackHandler), {"fallback": _fallback}),
        ],
        cors_origins=["*"],
    )


@pytest.mark.parametrize(("path", "status"), [("/teapot", 418), ("/nowhere", 404)])
@pytest.mark.gen_test
async def test_an_error_is_json_that_a_page_can_read(path: str, status: int, call: Callable[..., Any]) -> None:
    response = await call(path, Origin="https://app.example")
    assert (status, {"error", "error_description"}) == (response.code, set(json.loads(response.body)))
    assert ("no-store", "*") == (
        response.headers["Cache-Control"],
        response.headers["Access-Control-Allow-Origin"],
    )


EACH_METHOD = pytest.mark.parametrize("method", ["GET", "POST", "PUT"])


@EACH_METHOD
@pytest.mark.gen_test
async def test_a_401_of_a_handler_has_a_challenge(method: str, call: Callable[..., Any]) -> None:
    anonymous, authenticated = await call("/raises/401", None, method), await call("/raises/401", "good", method)
    assert [("missing_token", 'Bearer realm="test"')] == [
        (json.loads(anonymous.body)["error"], anonymous.headers["WWW-Authenticate"])
    ]
    assert "invalid_token" == json.loads(authenticated.body)["error"]
    assert 'error="invalid_token"' in authenticated.headers["WWW-Authenticate"]


@EACH_METHOD
@pytest.mark.parametrize("status", [400, 404, 409, 418, 429, 500, 502, 503, 599])
@pytest.mark.gen_test
async def test_an_error_of_a_handler_has_the_common_format(
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
async def test_a_body_of_a_handler_is_kept(call: Callable[..., Any]) -> None:
    response = await call("/raises/409", method="PATCH")
    assert (409, b"the handler's body") == (response.code, response.body)


# Tornado sends any status that a handler sets; a 1xx status is replaced only if it is raised or passed to send_error.
@pytest.mark.parametrize(
    ("status", "expected", "method"),
    [
        *[(status, status, method) for status in (204, 304) for method in ("GET", "POST", "PUT")],
        *[(status, 500, method) for status in (100, 101) for method in ("GET", "POST")],
    ],
)
@pytest.mark.gen_test
async def test_a_status_without_a_body_ends_the_request(
    status: int, expected: int, method: str, call: Callable[..., Any], app: ResourceServerApplication
) -> None:
    response = await call(f"/raises/{status}", method=method)
    assert (expected, expected < 400) == (response.code, response.body == b"")
    assert await app.finish_requests(within=1)


@pytest.mark.gen_test
async def test_an_error_of_a_tornado_handler_has_the_common_format(call: Callable[..., Any]) -> None:
    response = await call("/files/file.txt", Range="bytes=10-")
    assert (416, "bytes */3") == (response.code, response.headers["Content-Range"])
    assert ("invalid_request", "no-store") == (json.loads(response.body)["error"], response.headers["Cache-Control"])


@pytest.mark.parametrize("method", ["TRACE", "QUERY", "PROPFIND"])
@pytest.mark.gen_test
async def test_an_unknown_method_gives_405_with_any_token(method: str, call: Callable[..., Any]) -> None:
    for token in (None, "good", "bad"):
        assert 405 == (await call("/raises/200", token, method)).code


@pytest.mark.gen_test
async def test_a_delegated_request_ends_with_its_response(
    call: Callable[..., Any], app: ResourceServerApplication
) -> None:
    assert 401 == (await call("/fallback")).code
    assert b"{}" == (await call("/fallback", "good")).body
    assert await app.finish_requests(within=1)


@pytest.mark.gen_test
async def test_the_cause_of_a_failure_is_logged_with_the_error_id_of_the_response(
    call: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    for method, cause in (("GET", "after the response"), ("POST", "the warehouse is down")):
        caplog.clear()
        error_id = json.loads((await call("/failing", method=method)).body)["id"]
        failures = [record for record in caplog.records if record.name == "service.web.handler.errors.responder"]
        assert {f"unhandled exception in {method} /failing, error_id {error_id}"} == {
            record.getMessage() for record in failures
        }
        assert [True] == [cause in str(record.exc_info[1]) for record in failures if record.exc_info]


@pytest.mark.gen_test
async def test_a_truncated_response_ends_the_request(call: Callable[..., Any], app: ResourceServerApplication) -> None:
    with pytest.raises(HTTPStreamClosedError):
        await call("/failing", method="PUT")
    assert await app.finish_requests(within=1)


@pytest.mark.gen_test
async def test_current_user_is_set_by_authentication(call: Callable[..., Any]) -> None:
    assert {"user": "alice"} == json.loads((await call("/early", "good")).body)


@pytest.mark.gen_test
async def test_status_and_header_fields_of_a_handler_are_kept(call: Callable[..., Any]) -> None:
    challenge, empty, fields = [await call("/status-only", "good", method) for method in ("GET", "POST", "PUT")]
    assert (401, ['Basic realm="mine"']) == (challenge.code, challenge.headers.get_list("WWW-Authenticate"))
    assert "missing_token" == json.loads(challenge.body)["error"]
    assert (404, b"") == (empty.code, empty.body)
    assert (405, "PURGE", "max-age=60") == (fields.code, fields.headers["Allow"], fields.headers["Cache-Control"])
    assert "method_not_allowed" == json.loads(fields.body)["error"]
    assert "Etag" not in fields.headers
